"""How far the nearest of some reference points are, and the typical rows among which to look.

A clump of odd rows is its own near neighbour, so that distances to a table's own rows miss it.
References are generated rows here, since a generator learns what is common and protects what is
rare; or blends of typical rows: those that are not set apart soon, each with its nearest ones. So
no row of the table has to be kept either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# references, and which of them counts
REFERENCES, NEAREST = 2_048, 5
# share of the rows that are not typical, at most, and typical rows that make a blend
ODD_SHARE, BLENDED = 0.3, 3
# distances that are held at once
_CHUNK_CELLS = 2_000_000

Floats = NDArray[np.float64]


class Neighbours:
    """Distance to the NEAREST-th of some reference points.

    Parameters
    ----------
    points : ndarray of shape (references, width)
        The references.

    Examples
    --------
    >>> references = np.random.default_rng(0).normal(size=(100, 2))
    >>> near, far = Neighbours(references).oddness(np.array([[0.0, 0.0], [9.0, 9.0]]))
    >>> bool(near < 1 < far)
    True
    """

    def __init__(self, points: NDArray[Any]) -> None:
        self.points = np.asarray(points, dtype=np.float32)
        # distances in single precision lose what all points share
        self._centre = self.points.mean(axis=0)
        self._references = np.ascontiguousarray((self.points - self._centre).T)
        self._sizes = np.square(self._references).sum(axis=0)

    @classmethod
    def blended(cls, points: Floats, oddness: Floats, rng: np.random.Generator) -> Self:
        """Learn from the rows that are not among the oddest, of shape (n, width).

        Each reference is the mean of BLENDED neighbours, and no row of the table.
        """
        typical = np.flatnonzero(oddness <= np.quantile(oddness, 1.0 - ODD_SHARE))
        chosen = points[rng.permutation(typical)[:REFERENCES]]
        nearest = _nearest(chosen, min(BLENDED, len(chosen)))
        return cls(chosen[nearest].mean(axis=1))

    def oddness(self, points: Floats) -> Floats:
        """Logarithm of the distance, of shape (n,); higher is odder."""
        found = np.empty(len(points))
        step = max(1, _CHUNK_CELLS // max(len(self.points), 1))
        nearest = min(NEAREST, len(self.points)) - 1
        for start in range(0, len(points), step):
            part = slice(start, start + step)
            here = points[part].astype(np.float32) - self._centre
            gaps = self._sizes - 2.0 * (here @ self._references)
            gaps.partition(nearest, axis=1)
            found[part] = gaps[:, nearest] + np.square(here).sum(axis=1)
        # nearer than this is the same place
        width = self.points.shape[1]
        return np.asarray(0.5 * np.log(np.maximum(found, 0.0) / width + 1e-4))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        return {}, {"points": self.points}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(arrays["points"])


def _nearest(points: Floats, count: int) -> NDArray[np.int64]:
    """Numbers of the nearest points of each point, itself among them, of shape (n, count)."""
    squares = np.square(points).sum(axis=1)
    gaps = squares[:, np.newaxis] + squares - 2.0 * points @ points.T
    # each point is its own nearest, whatever rounding says
    np.fill_diagonal(gaps, -1.0)
    return np.argpartition(gaps, count - 1, axis=1)[:, :count]
