"""Where a number lies among the points of a column, looked up or searched."""

from __future__ import annotations

import numpy as np

# Whole numbers this near together are looked up in a table instead of searched.
MOST_LOOKED_UP = 1 << 16


class Places:
    """Places of values among points: 2 i just below point i, 2 i + 1 on it, 2 n above all.

    Parameters
    ----------
    points : ndarray of shape (points,)
        Values, rising.
    spikes : ndarray of shape (spikes,)
        Those of them that are options.
    dead : ndarray of bool of shape (2 * points + 1,) or None
        Places that no value comes out of, spikes apart; None for all.
    """

    def __init__(self, points: np.ndarray, spikes: np.ndarray, dead: np.ndarray | None) -> None:
        self.points = points
        size = 2 * len(points) + 1
        self.option = np.full(size, len(spikes), dtype=np.int16)
        marks = np.searchsorted(points, spikes)
        self.option[2 * marks + 1] = np.arange(len(spikes))
        self.dead = np.ones(size, dtype=bool) if dead is None else dead.copy()
        self.dead[2 * marks + 1] = False
        self.any_dead = len(points) > 0 and bool(self.dead.any())
        self._table: np.ndarray | None = None
        if len(points) and points.dtype == np.int64:
            span, ends = int(points[-1]) - int(points[0]), np.iinfo(np.int64)
            # the table has a place on either side of the points
            if span < MOST_LOOKED_UP and ends.min < points[0] and points[-1] < ends.max:
                near = np.arange(-1, span + 2) + points[0]
                self._table = self._search(near).astype(np.int32)

    def of(self, values: np.ndarray) -> np.ndarray:
        """The place of each value, of shape (values,)."""
        if self._table is None:
            return self._search(values)
        first = self.points[0] - 1
        near = np.clip(values, first, self.points[-1] + 1) - first
        return np.asarray(self._table.take(near))

    def _search(self, values: np.ndarray) -> np.ndarray:
        if not len(self.points):
            return np.zeros(len(values), dtype=np.int64)
        place = np.searchsorted(self.points, values)
        on_point = self.points.take(place, mode="clip") == values
        place *= 2
        place += on_point
        return place


def nearest_place(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Numbers of the known values that are nearest, of shape (values,)."""
    right = np.searchsorted(known, values).clip(0, len(known) - 1)
    left = np.maximum(right - 1, 0)
    # of whole numbers beyond 2**53 either neighbour will do
    wide = known.astype(np.float64)
    nearer = np.abs(values - wide[left]) <= np.abs(wide[right] - values)
    return np.where(nearer, left, right)
