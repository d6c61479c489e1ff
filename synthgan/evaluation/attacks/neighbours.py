"""The nearest synthetic row to a real one, as seen through some of the columns only.

The distance is Gower's ("A general coefficient of similarity and some of its properties", 1971):
the sum over columns of the difference as a share of the range (numbers) or 0 and 1 for equal and
different (categories). Null equals null and differs from everything else by 1. Differences are
whole multiples of a millionth of the range, so that sums are exact in any order, and the first row
of the table wins a tie.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Codes, Floats

# Differences of a block in memory at once.
BLOCK_CELLS = 4_000_000
_MOST = 2**30

Units = NDArray[np.int32]


def nearest(candidates: Coded, targets: Coded, views: NDArray[np.bool_]) -> Codes:
    """The nearest candidate to every target, once for each choice of columns.

    Parameters
    ----------
    candidates : Coded
        The rows to find: synthetic ones.
    targets : Coded
        The rows to look for. Ranges are those of candidates and targets together.
    views : array of bool of shape (n_views, n_columns)
        The columns that are seen in each view.

    Returns
    -------
    array of int64 of shape (n_targets, n_views)
        Places among the candidates.
    """
    unit = min(2**20, _MOST // len(candidates.columns))
    sides = [_sides(candidates, targets, place, unit) for place in range(len(candidates.columns))]
    found = np.empty((targets.rows, len(views)), dtype=np.int64)
    step = max(1, BLOCK_CELLS // (len(sides) * candidates.rows))
    for first in range(0, targets.rows, step):
        block = slice(first, min(first + step, targets.rows))
        apart = np.empty((len(sides), block.stop - first, candidates.rows), dtype=np.int32)
        for side, room in zip(sides, apart, strict=True):
            _apart(side, block, unit, room)
        whole = apart.sum(axis=0, dtype=np.int32)
        for place, seen in enumerate(views):
            found[block, place] = _seen(apart, whole, seen).argmin(axis=1)
    return found


class _Side(NamedTuple):
    """A column of both tables: units from the least value on, or the codes of a category."""

    here: Units
    there: Units
    category: bool


def _seen(apart: Units, whole: Units, seen: NDArray[np.bool_]) -> Units:
    """Distances over the columns seen: added up, or the rest taken off, whichever is shorter."""
    if 2 * seen.sum() <= len(seen):
        added: Units = apart[seen].sum(axis=0, dtype=np.int32)
        return added
    left = whole.copy()
    for place in np.flatnonzero(~seen):
        left -= apart[place]
    return left


def _apart(side: _Side, block: slice, unit: int, room: Units) -> None:
    """Put a column's differences into a room of shape (n_targets, n_candidates)."""
    here, there = side.here[None, :], side.there[block][:, None]
    if side.category:
        np.multiply(here != there, np.int32(unit), out=room)
    else:
        np.abs(np.subtract(here, there, out=room), out=room)
        np.minimum(room, np.int32(unit), out=room)


def _sides(candidates: Coded, targets: Coded, place: int, unit: int) -> _Side:
    here, there = candidates.prepared[place], targets.prepared[place]
    if here.values is None or there.values is None:
        unseen = candidates.columns[place].size - 1
        # A category that the real table never held equals none of the other table's.
        codes = np.where(there.codes == unseen, -1, there.codes)
        return _Side(here.codes.astype(np.int32), codes.astype(np.int32), category=True)
    both = _units(np.concatenate([here.values, there.values]), unit)
    return _Side(both[: candidates.rows], both[candidates.rows :], category=False)


def _units(values: Floats, unit: int) -> Units:
    """Numbers as whole units of their range; nulls lie more than a unit off."""
    known = ~np.isnan(values)
    made = np.full(len(values), 2 * unit, dtype=np.int32)
    if known.any():
        # Halved, because the width of the whole range may be more than a float can say.
        halves = values[known] / 2
        least, width = halves.min(), np.ptp(halves)
        made[known] = np.rint((halves - least) / (width or 1.0) * unit)
    return made
