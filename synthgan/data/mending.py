"""Drawn rows that contradict a relation: the parent's nearest value that its children agree with.

A number or date with many values is one scalar to the networks, which no network resolves finely
enough to see a weekday in a date. Its children therefore keep codes of their own: the networks
learn and draw them as any column. What does not fit together is mended here, and then the children
follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from synthgan.data.matrix import EncodedMatrix
from synthgan.data.relations import ANY, AS_IT_IS, Tie
from synthgan.data.shown import Shown

if TYPE_CHECKING:
    from synthgan.data.codec import TableCodec

_MOST_KEYS = 2.0**62
# numbers that are held at once, so that they stay in the processor's cache
_CELLS_AT_ONCE = 1 << 17
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
    scalars = [each for each in children if each[0].is_scalar]
    options = [each for each in children if not each[0].is_scalar]
    cells = np.stack([group, *(each[2] for each in options)], axis=1)
    moving = np.flatnonzero(~stays)
    alike, line = _alike(cells[moving])
    order = np.argsort(line, kind="stable")
    moving, line = moving[order], line[order]
    losses = [_loss(shown, goes_with) for shown, goes_with, _ in options]
    step = max(_CELLS_AT_ONCE // parent.count, 1)
    for first in range(0, len(alike), step):
        fits = _fitting(parent, alike[first : first + step], losses, tie)
        begin, end = np.searchsorted(line, [first, first + step])
        for some in _pieces(fits.sum(axis=1)[line[begin:end] - first]):
            rows, kinds = moving[begin:end][some], line[begin:end][some] - first
            places[rows] = _nearest(start, scalars, rows, fits, kinds, values, rng)
    return places


def _alike(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different lines of whole numbers, and which of them each line is."""
    low, width = cells.min(axis=0), np.ptp(cells, axis=0) + 1
    if np.prod(width.astype(np.float64)) >= _MOST_KEYS:
        alike, line = np.unique(cells, axis=0, return_inverse=True)
        return alike, line.ravel()
    # one number for each line is sorted much faster than the line
    keys = (cells - low) @ np.append(np.cumprod(width[:0:-1])[::-1], 1)
    _, first, line = np.unique(keys, return_index=True, return_inverse=True)
    return cells[first], line


def _loss(shown: Shown, goes_with: np.ndarray) -> np.ndarray:
    """How surprising a child's value is that one of the parent's gives up, in nats.

    Of shape (child values + 1, parent values), the last line for a cell that says nothing; by the
    share of the parent's values that go with the child's.
    """
    shares = np.bincount(goes_with, minlength=shown.count) / len(goes_with)
    with np.errstate(divide="ignore"):
        surprise = -np.log(shares)
    lost = np.arange(shown.count)[:, None] != goes_with
    loss = np.where(lost, surprise[:, None], 0.0)
    return np.concatenate([loss, np.zeros((1, len(goes_with)))])


def _fitting(
    parent: Shown, cells: np.ndarray, losses: Sequence[np.ndarray], tie: Tie | None
) -> np.ndarray:
    """The parent's values for which the least surprising options are given up.

    `cells` are the groups of the tie and the cells of the children that are no scalars, `losses`
    what those children lose; of shape (lines of cells, parent values).
    """
    given_up = np.zeros((len(cells), parent.count))
    for cell, loss in zip(cells.T[1:], losses, strict=True):
        given_up += loss[cell]
    if parent.null is not None:
        given_up[:, parent.null] = _LAST
    if tie is not None:
        bound = np.flatnonzero(cells[:, 0] >= 0)
        given_up[bound] = np.where(tie.allowed[cells[bound, 0]], given_up[bound], np.inf)
    return np.asarray(given_up <= given_up.min(axis=1, keepdims=True) + _SAME)


def _pieces(sizes: np.ndarray) -> list[slice]:
    """Neighbouring rows whose candidates, so many of each, are few enough to be held at once."""
    piece = np.cumsum(sizes) // _CELLS_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(piece)) + 1), len(sizes)]
    return [slice(*ends) for ends in pairwise(cuts) if ends[0] < ends[1]]


def _nearest(
    start: np.ndarray,
    scalars: Sequence[Child],
    rows: np.ndarray,
    fits: np.ndarray,
    kinds: np.ndarray,
    values: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """For each of some rows, the value at the least distance among those that fit its kind.

    Or one that is not much farther, if that is some way off: its chance falls by e with every such
    way more. Rows that all belong somewhere else are not to meet at the nearest end of it. All
    candidates of all rows lie in one line; a row's begin where `firsts` says.
    """
    of_kind, found = np.nonzero(fits)
    sizes = np.bincount(of_kind, minlength=len(fits))
    count = sizes[kinds]
    row = np.repeat(np.arange(len(rows)), count)
    firsts = np.cumsum(count) - count
    begins = (np.cumsum(sizes) - sizes)[kinds]
    fit = found[np.arange(len(row)) + (begins - firsts)[row]]
    steps = np.abs(start[rows][row] - fit)
    ways = steps / max(values - 1, 1)
    for shown, goes_with, cells in scalars:
        ways += _scalar_ways(shown, goes_with[fit], cells[rows][row])
    nearest = _first_least(ways, row, firsts)
    far = steps[nearest] > 0
    if far.any():
        unit = ways[nearest]
        some = np.flatnonzero(far[row])
        more = (ways[some] - unit[row[some]]) / np.maximum(unit, 1e-9)[row[some]]
        # the first arrival of a race is drawn in proportion to the rates
        clock = rng.standard_exponential(len(some)) + 1e-12
        arrivals = np.full(len(row), np.inf)
        with np.errstate(over="ignore"):
            arrivals[some] = clock * np.exp(more)
        nearest = np.where(far, _first_least(arrivals, row, firsts), nearest)
    return np.asarray(fit[nearest])


def _first_least(values: np.ndarray, row: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """Where the first least value of each row lies, of rows that lie one after another."""
    least = np.flatnonzero(values == np.minimum.reduceat(values, firsts)[row])
    found = np.empty(len(firsts), dtype=np.intp)
    # what is written last stays
    found[row[least[::-1]]] = least[::-1]
    return found


def _scalar_ways(shown: Shown, goes_with: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """How far the parent's values would take a child that is a scalar from its cells."""
    values = shown.count - (shown.null is not None)
    known = (cells < values) & (goes_with < values)
    ways = np.abs(cells - goes_with) / max(values - 1, 1)
    return np.where(cells < 0, 0.0, np.where(known, ways, cells != goes_with))
