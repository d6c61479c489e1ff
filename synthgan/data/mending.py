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
from synthgan.data.relations import ANY, AS_IT_IS, Tie
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
    stays, group = drawn >= values, np.full(len(drawn), ANY)
    if tie is not None:
        stays, group = (stays & tie.allows(drawn)) | (tie.group == AS_IT_IS), tie.group
    if stays.all():
        return places
    start = np.where(drawn < values, drawn, rng.integers(0, values, len(drawn)))
    cells = np.stack([group, *(each[2] for each in children if not each[0].is_scalar)], axis=1)
    alike, line = np.unique(cells[~stays], axis=0, return_inverse=True)
    order = np.argsort(line.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(line.ravel(), minlength=len(alike)))
    options = [(each[1], _surprise(each[0], each[1])) for each in children if not each[0].is_scalar]
    for number, rows in enumerate(np.split(np.flatnonzero(~stays)[order], ends[:-1])):
        fit = _fitting(parent, alike[number], options, tie)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[first : first + _ROWS_AT_ONCE]
            ways = _ways(start[some], fit, values)
            for shown, goes_with, drawn_cells in children:
                if shown.is_scalar:
                    ways += _scalar_ways(shown, goes_with[fit], drawn_cells[some])
            places[some] = fit[_near(ways, np.abs(start[some][:, None] - fit), rng)]
    return places


def _surprise(shown: Shown, goes_with: np.ndarray) -> np.ndarray:
    """Of each of a child's values, by the share of the parent's that go with it, in nats."""
    shares = np.bincount(goes_with, minlength=shown.count) / len(goes_with)
    return np.asarray(-np.log(shares))


def _fitting(
    parent: Shown,
    cells: np.ndarray,
    options: Sequence[tuple[np.ndarray, np.ndarray]],
    tie: Tie | None,
) -> np.ndarray:
    """Places of the parent's values for which the least surprising options are given up.

    `cells` are the group of the tie and the cells of the children that are no scalars; `options`
    are those children's values beside each of the parent's, and how surprising each is.
    """
    given_up = np.zeros(parent.count)
    for cell, (goes_with, surprise) in zip(cells[1:], options, strict=True):
        if cell >= 0:
            given_up += surprise[cell] * (goes_with != cell)
    if parent.null is not None:
        given_up[parent.null] = _LAST
    if tie is not None and cells[0] >= 0:
        given_up[~tie.allowed[cells[0]]] = np.inf
    return np.flatnonzero(given_up <= given_up.min() + _SAME)


def _near(ways: np.ndarray, steps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The value at the least distance, or one that is not much farther if that is some way off.

    Its chance falls by e with every such way more: rows that all belong somewhere else are not to
    meet at the nearest end of it.
    """
    rows = np.arange(len(ways))
    nearest = np.asarray(ways.argmin(axis=1))
    far = np.flatnonzero(steps[rows, nearest])
    unit = ways[far, nearest[far]]
    more = (ways[far] - unit[:, None]) / np.maximum(unit, 1e-9)[:, None]
    # the first arrival of a race is drawn in proportion to the rates
    clock = rng.standard_exponential(more.shape) + 1e-12
    with np.errstate(over="ignore"):
        nearest[far] = (clock * np.exp(more)).argmin(axis=1)
    return nearest


def _ways(cells: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Distances in the order of values, as shares of the whole way, of shape (rows, values)."""
    return np.asarray(np.abs(cells[:, None] - values) / max(count - 1, 1))


def _scalar_ways(shown: Shown, goes_with: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """How far the parent's values would take a child that is a scalar from its cells."""
    values = shown.count - (shown.null is not None)
    known = (cells[:, None] < values) & (goes_with < values)
    ways = np.where(known, _ways(cells, goes_with, values), cells[:, None] != goes_with)
    ways[cells < 0] = 0.0
    return np.asarray(ways)
