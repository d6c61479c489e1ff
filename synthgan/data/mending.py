"""Drawn rows that contradict a relation: the parent's nearest value that its children agree with.

A number or date with many values is one scalar to the networks, which no network resolves finely
enough to see a weekday in a date. Its children therefore keep codes of their own: the networks
learn and draw them as any column. What does not fit together is mended here, and then the children
follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from synthgan.data.matrix import EncodedMatrix
from synthgan.data.relations import AS_IT_IS, Tie
from synthgan.data.shown import Shown

if TYPE_CHECKING:
    from synthgan.data.codec import TableCodec

_ROWS_AT_ONCE = 1_024
# what missing costs where something else was drawn: more than any value
_LAST = 1e9
# costs this near to each other are the same
_SAME = 1e-4

# a child's values, which of them goes with each of the parent's, and where the drawn ones lie
Child = tuple[Shown, np.ndarray, np.ndarray]


def mend_rows(
    codec: TableCodec, matrix: EncodedMatrix, ties: Iterable[Tie], rng: np.random.Generator
) -> EncodedMatrix:
    """Move numbers and dates that decide other columns to where those, as drawn, agree.

    Parameters
    ----------
    codec : TableCodec
        What the rows were drawn for.
    matrix : EncodedMatrix
        Drawn rows.
    ties : iterable of Tie
        Which values are allowed; parents without a tie may become anything.
    rng : numpy.random.Generator
        Draws what is open.
    """
    tied = {tie.parent: tie for tie in ties}
    for parent in codec.relations.scalar_parents:
        shown = codec.relations.shown(parent)
        drawn = shown.places(codec.decode_column(parent, matrix, rng))
        children = []
        for relation in codec.relations.children(parent):
            child = codec.relations.shown(relation.child)
            cells = child.places(codec.decode_column(relation.child, matrix, rng))
            children.append((child, relation.places, cells))
        places = mended_places(shown, drawn, children, tied.get(parent), rng)
        moved = np.flatnonzero(places != drawn)
        matrix = with_cells(codec, matrix, parent, moved, shown.take(places[moved]))
    return matrix


def with_cells(
    codec: TableCodec, matrix: EncodedMatrix, name: str, rows: np.ndarray, cells: pa.Array
) -> EncodedMatrix:
    """A copy of a matrix in which a column has other cells in some rows."""
    coded = codec.encode([pa.table({name: cells})], None, partial=True)
    codes, scalars = matrix.codes.copy(), matrix.scalars.copy()
    choice, scalar = codec.layout.column_choice(name), codec.layout.column_scalar(name)
    if choice is not None:
        codes[rows, choice] = coded.codes[:, choice]
    if scalar is not None:
        scalars[rows, scalar] = coded.scalars[:, scalar]
    return EncodedMatrix(codes, scalars)


def mended_places(
    parent: Shown,
    drawn: np.ndarray,
    children: Sequence[Child],
    tie: Tie | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Places of the parent's values that are nearest to the rows as they were drawn.

    What counts is the way through the order of the values, of the parent and of children that are
    scalars; of other children how surprising the option is that they would have to give up, in
    nats: a holiday says more of a date than a workday does.

    Parameters
    ----------
    parent : Shown
        The parent's values.
    drawn : ndarray of shape (rows,)
        Where the drawn ones lie.
    children : sequence of (Shown, ndarray, ndarray)
        For each its values, the place that goes with each of the parent's, and those drawn.
    tie : Tie or None
        Which values are allowed; rows of group `AS_IT_IS` stay.
    rng : numpy.random.Generator
        Draws a start for missing cells where missing is not allowed.
    """
    places, values = drawn.copy(), parent.count - (parent.null is not None)
    stays = drawn >= values
    if tie is not None:
        stays = (stays & tie.allows(drawn)) | (tie.group == AS_IT_IS)
    start = np.where(drawn < values, drawn, rng.integers(0, values, len(drawn)))
    open_ = np.flatnonzero(~stays)
    for first in range(0, len(open_), _ROWS_AT_ONCE):
        rows = open_[first : first + _ROWS_AT_ONCE]
        ways = _ways(start[rows], np.arange(parent.count), values)
        given_up = np.zeros_like(ways)
        for shown, goes_with, cells in children:
            cost = ways if shown.is_scalar else given_up
            cost += _child_cost(shown, goes_with, cells[rows])
        ways[:, values:] = _LAST
        if tie is not None:
            given_up[~tie.of(rows)] = np.inf
        ways[given_up > given_up.min(axis=1, keepdims=True) + _SAME] = np.inf
        places[rows] = _near(ways, start[rows], rng)
    return places


def _near(ways: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The value at the least distance, or one that is not much farther if that is some way off.

    Its chance falls by e with every such way more: rows that all belong somewhere else are not to
    meet at the nearest end of it.
    """
    places = ways.argmin(axis=1)
    far = np.flatnonzero(places != start)
    steps = np.abs(places[far] - start[far]) / ways.shape[1]
    more = (ways[far] - ways[far, places[far]][:, None]) / steps[:, None].astype(np.float32)
    # the first arrival of a race is drawn in proportion to the rates
    clock = rng.standard_exponential(more.shape, dtype=np.float32) + np.float32(1e-9)
    with np.errstate(over="ignore"):
        places[far] = (clock * np.exp(more)).argmin(axis=1)
    return places


def _ways(cells: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Distances in the order of values, as shares of the whole way, of shape (rows, values)."""
    way = np.abs(cells[:, None].astype(np.float32) - values.astype(np.float32))
    return np.asarray(way / max(count - 1, 1))


def _child_cost(shown: Shown, goes_with: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """How far each of the parent's values would take a child from its cells."""
    values = shown.count - (shown.null is not None)
    shares = np.bincount(goes_with, minlength=shown.count) / len(goes_with)
    surprise = -np.log(shares[cells]).astype(np.float32)
    cost: np.ndarray = (cells[:, None] != goes_with) * surprise[:, None]
    if shown.is_scalar:
        known = (cells[:, None] < values) & (goes_with < values)
        cost = np.where(known, _ways(cells, goes_with, values), cost)
    cost[cells < 0] = 0.0
    return cost
