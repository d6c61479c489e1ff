"""A table's chunks cut anew into even blocks, so that no result depends on how they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from synthgan.data.summaries import one_array, summarise
from synthgan.errors import TableError

ROWS_AT_ONCE = 1 << 18


def even_blocks(chunks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Give the same rows in blocks of ROWS_AT_ONCE, but for the last one."""
    rows = ROWS_AT_ONCE
    waiting: list[pa.Table] = []
    count = 0
    for chunk in chunks:
        waiting.append(chunk)
        count += chunk.num_rows
        if count < rows:
            continue
        whole = pa.concat_tables(waiting)
        full = count - count % rows
        for start in range(0, full, rows):
            yield whole.slice(start, rows).unify_dictionaries()
        waiting, count = [whole.slice(full)], count - full
    if count:
        yield pa.concat_tables(waiting).unify_dictionaries()


def summarise_chunks(
    chunks: Iterable[pa.Table],
) -> tuple[dict[str, pa.DataType], dict[str, Any], dict[str, pa.Array]]:
    """Return types, summaries and the declared levels of ordered columns, by name.

    Raises
    ------
    TableError
        If there are no rows or no columns.
    """
    types: dict[str, pa.DataType] = {}
    summaries: dict[str, Any] = {}
    levels: dict[str, pa.Array] = {}
    for block in even_blocks(chunks):
        for field in block.schema:
            column = one_array(block.column(field.name))
            if field.name not in types and pat.is_dictionary(field.type) and field.type.ordered:
                levels[field.name] = column.dictionary
            types[field.name] = field.type
            summary: Any = summarise(column)
            known = summaries.get(field.name)
            summaries[field.name] = summary if known is None else known.merge(summary)
    if not types:
        raise TableError("expected a table with at least one row and one column, found none")
    return types, summaries, levels
