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
    """Distance to the nearest, or the third or fifth nearest, of some reference points.

    Distances are taken twice: between the points as they are, where one cell can set a row far
    apart, and between points whose far coordinates are drawn in, where many cells have to agree.

    Parameters
    ----------
    points : ndarray of shape (references, width)
        The references.
    nearest : int
        Which of them counts, by distance.

    Examples
    --------
    >>> references = np.random.default_rng(0).normal(size=(100, 2))
    >>> near, far = Neighbours(references).oddness(np.array([[0.0, 0.0], [9.0, 9.0]]))
    >>> bool(near < far)
    True
    """

    def __init__(self, points: NDArray[Any], nearest: int = NEAREST) -> None:
        self.points, self.nearest = np.asarray(points, dtype=np.float32), nearest
        self._spaces = [_Space(made) for made in (self.points, _drawn_in(self.points))]

    @classmethod
    def blended(
        cls,
        points: Floats,
        oddness: Floats,
        rng: np.random.Generator,
        *,
        odd: float = ODD_SHARE,
    ) -> Self:
        """Learn from points of shape (n, width), a share of the oddest left out.

        Each reference is the mean of BLENDED neighbours, and no row of the table. Where no row is
        doubted the very nearest counts, else one that a few odd rows cannot be.
        """
        typical = np.flatnonzero(oddness <= np.quantile(oddness, 1.0 - odd))
        chosen = points[rng.permutation(typical)[:REFERENCES]]
        blend = _nearest(chosen, min(BLENDED, len(chosen)))
        return cls(chosen[blend].mean(axis=1), NEAREST if odd else 1)

    def oddness(self, points: Floats) -> Floats:
        """Mean logarithm of the distances, of shape (n,); higher is odder."""
        given = points.astype(np.float32)
        nearest = min(self.nearest, len(self.points))
        asked = zip(self._spaces, (given, _drawn_in(given)), strict=True)
        return np.asarray(np.mean([space.log_gap(here, nearest) for space, here in asked], axis=0))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        return {"nearest": self.nearest}, {"points": self.points}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(arrays["points"], int(header["nearest"]))


class _Space:
    """Points to measure distances to."""

    def __init__(self, points: NDArray[Any]) -> None:
        # distances in single precision lose what all points share
        self._centre = points.mean(axis=0)
        self._turned = np.ascontiguousarray((points - self._centre).T)
        self._sizes = np.square(self._turned).sum(axis=0)

    def log_gap(self, points: NDArray[Any], nearest: int) -> Floats:
        """Logarithm of the distance to the so many-th nearest, of shape (n,)."""
        width, references = self._turned.shape
        found, step = np.empty(len(points)), max(1, _CHUNK_CELLS // references)
        for start in range(0, len(points), step):
            part = slice(start, start + step)
            here = points[part] - self._centre
            gaps = self._sizes - 2.0 * (here @ self._turned)
            if nearest == 1:
                smallest = gaps.min(axis=1)
            else:
                gaps.partition(nearest - 1, axis=1)
                smallest = gaps[:, nearest - 1]
            found[part] = smallest + np.square(here).sum(axis=1)
        # nearer than this is the same place
        return np.asarray(0.5 * np.log(np.maximum(found, 0.0) / width + 1e-4))


def _drawn_in(points: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sign(points) * np.log1p(np.abs(points)))


def _nearest(points: Floats, count: int) -> NDArray[np.int64]:
    """Numbers of the nearest points of each point, itself among them, of shape (n, count)."""
    squares = np.square(points).sum(axis=1)
    gaps = squares[:, np.newaxis] + squares - 2.0 * points @ points.T
    # each point is its own nearest, whatever rounding says
    np.fill_diagonal(gaps, -1.0)
    return np.argpartition(gaps, count - 1, axis=1)[:, :count]
