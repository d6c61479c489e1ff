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
    """Distance to the nearest of some reference points, or to the so many-th nearest.

    Parameters
    ----------
    points : ndarray of shape (references, width)
        The references.
    nearest : int
        Which of them counts, by distance.
    drawn_in : bool
        Whether far coordinates are drawn in first, by the logarithm. As they are, one cell can set
        a row far apart; drawn in, many cells have to disagree.

    Examples
    --------
    >>> references = np.random.default_rng(0).normal(size=(100, 2))
    >>> near, far = Neighbours(references).oddness(np.array([[0.0, 0.0], [9.0, 9.0]]))
    >>> bool(near < far)
    True
    """

    def __init__(
        self, points: NDArray[Any], nearest: int = NEAREST, *, drawn_in: bool = False
    ) -> None:
        self.points = np.asarray(points, dtype=np.float32)
        self.nearest, self.drawn_in = nearest, drawn_in
        placed = self._placed(self.points)
        # distances in single precision lose what all points share
        self._centre = placed.mean(axis=0)
        self._turned = np.ascontiguousarray((placed - self._centre).T)
        self._sizes = np.square(self._turned).sum(axis=0)

    def _placed(self, points: NDArray[Any]) -> NDArray[Any]:
        given = points.astype(np.float32)
        return np.sign(given) * np.log1p(np.abs(given)) if self.drawn_in else given

    def oddness(self, points: Floats) -> Floats:
        """Logarithm of the distance, of shape (n,); higher is odder."""
        width, references = self._turned.shape
        nearest, step = min(self.nearest, references), max(1, _CHUNK_CELLS // references)
        found = np.empty(len(points))
        for start in range(0, len(points), step):
            part = slice(start, start + step)
            here = self._placed(points[part]) - self._centre
            gaps = self._sizes - 2.0 * (here @ self._turned)
            if nearest == 1:
                smallest = gaps.min(axis=1)
            else:
                gaps.partition(nearest - 1, axis=1)
                smallest = gaps[:, nearest - 1]
            found[part] = smallest + np.square(here).sum(axis=1)
        # nearer than this is the same place
        return np.asarray(0.5 * np.log(np.maximum(found, 0.0) / width + 1e-4))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        return {"nearest": self.nearest, "drawn_in": self.drawn_in}, {"points": self.points}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        nearest, drawn_in = int(header["nearest"]), bool(header["drawn_in"])
        return cls(arrays["points"], nearest, drawn_in=drawn_in)


def typical_points(
    points: Floats, oddness: Floats, rng: np.random.Generator, odd: float = ODD_SHARE
) -> Floats:
    """Blends of typical points, of shape (references, width).

    Parameters
    ----------
    points : ndarray of shape (n, width)
        Rows as points.
    oddness : ndarray of shape (n,)
        How odd each is.
    rng : numpy.random.Generator
        Draws the rows.
    odd : float
        Share of the oddest that are left out.

    Returns
    -------
    ndarray
        Each the mean of BLENDED neighbours, and no row of the table.
    """
    typical = np.flatnonzero(oddness <= np.quantile(oddness, 1.0 - odd))
    chosen = points[rng.permutation(typical)[:REFERENCES]]
    blend = _nearest(chosen, min(BLENDED, len(chosen)))
    return np.asarray(chosen[blend].mean(axis=1))


def _nearest(points: Floats, count: int) -> NDArray[np.int64]:
    """Numbers of the nearest points of each point, itself among them, of shape (n, count)."""
    squares = np.square(points).sum(axis=1)
    gaps = squares[:, np.newaxis] + squares - 2.0 * points @ points.T
    # each point is its own nearest, whatever rounding says
    np.fill_diagonal(gaps, -1.0)
    return np.argpartition(gaps, count - 1, axis=1)[:, :count]
