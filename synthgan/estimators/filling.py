"""Filling rows: codes of the cells that were given, what the others may be, and both together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.mending import with_cells
from synthgan.data.problems import listed
from synthgan.data.region import Region
from synthgan.data.relations import Tie
from synthgan.data.summaries import one_array
from synthgan.data.wanted import Chosen
from synthgan.errors import ConditionError

_NAMED_VALUES = 5


def given_codes(
    codec: TableCodec, given: pa.Table
) -> tuple[EncodedMatrix, list[tuple[str, Region]]]:
    """Codes of the cells that were given, and what may fill their columns' empty cells.

    Everything unknown is -1 or NaN; an empty cell is never filled with another null.

    Parameters
    ----------
    codec : TableCodec
        The model's.
    given : pyarrow.Table
        Some of its columns.

    Raises
    ------
    ConditionError
        Naming every value that the model does not know, with its column.
    """
    matrix = codec.encode([given], None, partial=True)
    codes, scalars = matrix.codes.copy(), matrix.scalars.copy()
    layout, regions, problems = codec.layout, [], []
    for name in given.column_names:
        column = given.column(name)
        empty = column.is_null().to_numpy()
        choice, scalar = layout.column_choice(name), layout.column_scalar(name)
        unknown = np.zeros(given.num_rows, dtype=bool)
        if name in codec.relations:
            unknown = codec.relations.unknown(name, one_array(column))
        if scalar is not None:
            scalars[empty, scalar] = np.nan
        if choice is not None:
            unknown = (codes[:, choice] < 0) & ~empty
            if empty.any():
                options = np.arange(layout.choices[choice].size)
                regions.append((name, Region(options != codes[empty, choice][0])))
            codes[empty, choice] = -1
        if unknown.any():
            problems.append(_unknown_values(name, column, unknown))
    if problems:
        raise ConditionError(listed("rows", problems))
    return EncodedMatrix(codes, scalars), regions


def _unknown_values(name: str, column: pa.ChunkedArray, unknown: NDArray[np.bool_]) -> str:
    values = column.filter(pa.array(unknown)).unique().to_pylist()
    shown = ", ".join(map(repr, values[:_NAMED_VALUES]))
    more = f" and {len(values) - _NAMED_VALUES} more" if len(values) > _NAMED_VALUES else ""
    return (
        f"column {name!r}: the model does not know {shown}{more} (too rare when it was fitted, or "
        "never seen); empty these cells to have them filled, or leave the column out"
    )


def places_of(codec: TableCodec, matrix: EncodedMatrix, parent: str) -> NDArray[np.int64]:
    """Where the cells of a parent stand among the values that it shows, of shape (rows,)."""
    # the code of a parent stands for one value, so that nothing is drawn
    cells = codec.decode_column(parent, matrix, np.random.default_rng(0))
    return codec.relations.places(parent, cells)


def keep_ties(
    codec: TableCodec, matrix: EncodedMatrix, ties: Sequence[Tie], rng: np.random.Generator
) -> EncodedMatrix:
    """The matrix with other values, by frequency, for parents that contradict their ties.

    Parameters
    ----------
    codec : TableCodec
        The model's.
    matrix : EncodedMatrix
        Completed rows.
    ties : sequence of Tie
        What their parents may be.
    rng : numpy.random.Generator
        Draws the values.
    """
    for tie in ties:
        places = places_of(codec, matrix, tie.parent)
        wrong = np.flatnonzero(~tie.allows(places))
        for group in np.unique(tie.group[wrong]):
            rows = wrong[tie.group[wrong] == group]
            wanted = Chosen.of(tie.allowed[group], codec.relations.has_null(tie.parent))
            cells = codec.decode_column(tie.parent, matrix.take(rows), rng, wanted)
            matrix = with_cells(codec, matrix, tie.parent, rows, cells)
    return matrix


def overlaid(given: pa.Table, drawn: pa.Table) -> pa.Table:
    """The drawn table with the given cells in place of its own."""
    columns = {
        name: _overlay(given.column(name), drawn.column(name))
        if name in given.column_names
        else drawn.column(name)
        for name in drawn.column_names
    }
    return pa.table(columns)


def _overlay(given: pa.ChunkedArray, drawn: pa.ChunkedArray) -> pa.ChunkedArray:
    """Given cells where there are any, drawn ones elsewhere."""
    if given.null_count == 0:
        return given
    kind = given.type
    if pa.types.is_dictionary(kind):
        # two dictionaries: their values are what can be mixed
        given, drawn = given.cast(kind.value_type), drawn.cast(kind.value_type)
    mixed = pc.if_else(given.is_null(), drawn, given)
    if not pa.types.is_dictionary(kind):
        return mixed
    return mixed.combine_chunks().dictionary_encode().cast(kind)
