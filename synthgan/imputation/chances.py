"""Chances of distances by their tail, and which chances are too small to be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# where the tail begins, and which part of what lies beyond it is fitted, neither the ties at its
# start nor the errors at its end; how many cells that takes
TAIL, FITTED, LEAST_FITTED = 0.3, (0.1, 0.9), 10
# shapes of tails that are tried: the first is nearly exponential, the last has no mean
SHAPES = tuple(np.round(np.arange(0.1, 1.3, 0.05), 2).tolist())
# the least scale of a tail, by where it begins: distances that are nearly all alike have none
LEAST_SCALE = 0.3


@dataclass(frozen=True, slots=True)
class Tail:
    """Chances of distances: a generalised Pareto tail beyond the start, by counting before it."""

    start: float
    scale: float
    shape: float
    below: Floats

    @classmethod
    def fit(cls, distances: Floats) -> Tail:
        """Learn a tail from distances of shape (cells,)."""
        below = np.sort(distances)
        start = float(np.quantile(below, 1.0 - TAIL))
        beyond = below[below > start] - start
        first, last = (int(len(beyond) * share) for share in FITTED)
        if last - first < LEAST_FITTED:
            # most distances are one: nothing beyond them can be called surprising
            return cls(float("inf"), 1.0, SHAPES[0], below)
        # logarithms of the quantiles of each shape, and the scale that brings them nearest
        places = (np.arange(first, last) + 0.5) / len(beyond)
        logs = np.log(beyond[first:last])
        gaps = [logs - np.log(((1.0 - places) ** -shape - 1.0) / shape) for shape in SHAPES]
        best = int(np.argmin([gap.var() for gap in gaps]))
        scale = max(float(np.exp(gaps[best].mean())), LEAST_SCALE * start)
        return cls(start, scale, SHAPES[best], below)

    def chance(self, distances: Floats) -> Floats:
        """Chance of such a distance or a larger one, of shape (cells,)."""
        counted = 1.0 - np.searchsorted(self.below, distances) / (len(self.below) + 1.0)
        beyond = np.maximum(distances - self.start, 0.0) if np.isfinite(self.start) else 0.0
        tail = TAIL * (1.0 + self.shape * beyond / self.scale) ** (-1.0 / self.shape)
        return np.asarray(np.where(distances > self.start, tail, counted))


def discoveries(chances: Floats, rate: float) -> float:
    """The largest chance that counts as a discovery (Benjamini and Hochberg, 1995); 0 for none.

    Examples
    --------
    >>> discoveries(np.array([0.001, 0.02, 0.5, 0.9]), 0.05)
    0.02
    >>> discoveries(np.array([0.2, 0.5]), 0.05)
    0.0
    """
    ordered = np.sort(chances)
    passed = ordered <= rate * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    return float(ordered[np.flatnonzero(passed)[-1]]) if passed.any() else 0.0
