"""Units of privacy: whose the rows are, how many of each are used, and which are drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgan.privacy.noise import Noise

Integers = NDArray[np.int64]


class Units:
    """Rows by the unit they belong to.

    Parameters
    ----------
    owner : array of int of shape (rows,)
        The unit of each row, numbered from 0.

    Examples
    --------
    >>> units = Units(np.array([0, 1, 0, 2]))
    >>> len(units), units.rows_of(np.array([0, 2])).tolist()
    (3, [0, 2, 3])
    """

    def __init__(self, owner: Integers) -> None:
        self.owner = owner
        self._order = np.argsort(owner, kind="stable")
        self._starts = np.searchsorted(owner[self._order], np.arange(len(self) + 1))

    @classmethod
    def each_row(cls, rows: int) -> Units:
        """Every row a unit of its own."""
        return cls(np.arange(rows, dtype=np.int64))

    def __len__(self) -> int:
        return int(self.owner.max(initial=-1)) + 1

    def rows_of(self, units: Integers) -> Integers:
        """The rows of some units, one unit after another."""
        starts, counts = self._starts[units], self._starts[units + 1] - self._starts[units]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(self._order[np.repeat(starts, counts) + within])

    def draw(self, rate: float, noise: Noise) -> Integers:
        """The rows of a Poisson draw: each unit is in it by itself, with chance `rate`."""
        return self.rows_of(noise.draw(len(self), rate))

    def bounded(self, most: int, noise: Noise) -> NDArray[np.bool_]:
        """Which rows are used so that no unit has more than `most`, the others left out by chance.

        Of shape (rows,).
        """
        by_chance = np.lexsort((noise.shares(len(self.owner)), self.owner))
        turn = np.empty(len(self.owner), dtype=np.int64)
        turn[by_chance] = np.arange(len(self.owner)) - self._starts[self.owner[by_chance]]
        return np.asarray(turn < most)
