"""Summaries of columns, by type: mergeable, whatever the chunks and their order."""

from __future__ import annotations

import pyarrow as pa

from synthgan.data.level_summary import LevelSummary, summarise_levels
from synthgan.data.number_summary import NumberSummary, summarise_numbers
from synthgan.data.ticks import has_ticks

__all__ = ["LevelSummary", "NumberSummary", "Summary", "one_array", "summarise"]

Summary = NumberSummary | LevelSummary


def summarise(array: pa.Array | pa.ChunkedArray) -> Summary:
    """Summarise the cells of a column or of a part of it.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Of a canonical type.

    Returns
    -------
    NumberSummary or LevelSummary

    Examples
    --------
    >>> summary = summarise(pa.array([3, 1, None, 1]))
    >>> summary.values, summary.counts, summary.missing
    (array([1, 3]), array([2, 1]), 1)
    """
    if isinstance(array, pa.ChunkedArray):
        array = one_array(array)
    if has_ticks(array.type):
        return summarise_numbers(array)
    return summarise_levels(array)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], type=column.type)
    return column.combine_chunks()
