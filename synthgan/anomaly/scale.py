"""What is usual in each column: quantiles and shares, and rows as points by them.

Ranks by quantiles and tails follow ECOD (Li et al., "ECOD: unsupervised outlier detection using
empirical cumulative distribution functions", TKDE 2022); points by median and quartiles let a value
that is far outside stay far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# quantiles kept of a column of numbers, and rows beyond the outermost of them: no single row's
# value stands in a model
KNOTS, BEYOND = 257, 5
# a number may be so many quartile ranges away before it is not farther any more
FARTHEST = 20.0
_QUARTILES_TO_DEVIATION = 1.349

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Scale:
    """Quantiles of numbers, shares of levels, and gaps, of a table of marks.

    Parameters
    ----------
    categorical : ndarray of bool of shape (columns,)
        Which columns are categories.
    levels : ndarray of int of shape (columns,)
        How many levels of each have a mark of their own.
    knots : ndarray of shape (columns, KNOTS)
        Quantiles of numbers, rising.
    shares : ndarray of shape (columns, levels + 1)
        Share of each level among the rows, the last for all other levels.
    missing : ndarray of shape (columns,)
        Share of the rows without a value.
    centre, spread : ndarray of shape (columns,)
        What points are measured from, and in: median and quartiles, which odd rows do not move, or
        mean and standard deviation where all rows are known to be normal.
    rows : int
        How many rows were learned.

    Attributes
    ----------
    middle : ndarray of shape (columns,)
        The median of numbers.
    usual : ndarray of shape (columns,)
        The median of numbers, the most frequent level of categories.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(1000, 1))
    >>> scale = Scale.learn(rows, np.array([False]), np.array([0]))
    >>> scale.points(np.array([[0.0], [1.0], [np.nan]])).round().tolist()
    [[0.0], [1.0], [4.0]]
    >>> middle, end = scale.tails(np.array([[0.0], [9.0]])).ravel().round(1).tolist()
    >>> middle < 1 < end
    True
    """

    def __init__(
        self,
        categorical: Mask,
        levels: NDArray[Any],
        knots: Floats,
        shares: Floats,
        missing: Floats,
        centre: Floats,
        spread: Floats,
        rows: int,
    ) -> None:
        self.categorical, self.levels, self.knots = categorical, levels, knots
        self.shares, self.missing, self.rows = shares, missing, rows
        self.centre, self.spread = centre, spread
        self.middle = knots[:, KNOTS // 2]
        self.usual = np.where(categorical, shares.argmax(axis=1).astype(np.float64), self.middle)

    @classmethod
    def learn(
        cls, rows: Floats, categorical: Mask, levels: NDArray[Any], *, robust: bool = True
    ) -> Self:
        """Learn from marks of shape (n, columns), categories of so many own levels."""
        count = len(rows)
        knots = np.zeros((len(categorical), KNOTS))
        shares = np.zeros((len(categorical), int(levels.max(initial=0)) + 1))
        for number, column in enumerate(rows.T):
            known = column[~np.isnan(column)]
            if categorical[number]:
                places = np.where(known < levels[number], known, shares.shape[1] - 1).astype(int)
                shares[number] = np.bincount(places, minlength=shares.shape[1]) / max(count, 1)
            elif len(known):
                knots[number] = np.quantile(known, _levels(len(known)))
        missing = np.isnan(rows).mean(axis=0)
        centre, spread = _measures(rows, knots, robust)
        return cls(categorical, levels, knots, shares, missing, centre, spread, count)

    def places(self, rows: Floats) -> NDArray[np.int64]:
        """Places of categories among the shares, 0 where missing; of numbers 0."""
        limit = self.shares.shape[1] - 1
        found = np.where(np.isnan(rows) | ~self.categorical, 0.0, rows)
        return np.where(found < np.maximum(self.levels, 1), found, limit).astype(np.int64)

    def points(self, rows: Floats) -> Floats:
        """Rows as points: numbers in deviations from the centre, levels apart from each other.

        Of shape (n, width): one coordinate for a number, of a category one for each level that was
        seen and one for how rare the level is. A gap lies as far off as it is rare.
        """
        blank = np.isnan(rows)
        gaps = _deviations(self.missing, 0.0, self.rows)
        near = np.where(blank, gaps, (rows - self.centre) / self.spread)
        near = np.clip(near, -FARTHEST, FARTHEST)
        places, parts = self.places(rows), []
        for number in range(rows.shape[1]):
            if not self.categorical[number]:
                parts.append(near[:, number : number + 1])
                continue
            seen = np.flatnonzero(self.shares[number] > 0)
            hot = (places[:, number][:, np.newaxis] == seen) & ~blank[:, number][:, np.newaxis]
            shares = self.shares[number]
            usual = -float((shares[seen] * np.log(shares[seen])).sum())
            rare = _deviations(shares, usual, self.rows)[places[:, number]]
            rare = np.where(blank[:, number], gaps[number], rare)
            parts += [hot.astype(np.float64), rare[:, np.newaxis]]
        return np.concatenate(parts, axis=1)

    def filled(self, rows: Floats) -> Floats:
        """Marks without gaps: a missing number lies below all others, a missing level above."""
        below = self.knots[:, 0] - 2.0 * self.spread
        above = np.where(self.categorical, float(self.shares.shape[1]), below)
        return np.where(np.isnan(rows), above, rows)

    def ranks(self, rows: Floats) -> Floats:
        """Share of the learned rows below each number, ties by half; NaN elsewhere."""
        found = np.full(rows.shape, np.nan)
        for number in np.flatnonzero(~self.categorical):
            column, knots = rows[:, number], self.knots[number]
            known = ~np.isnan(column)
            found[known, number] = _rank(column[known], knots, _levels(self._known(int(number))))
        return found

    def tails(self, rows: Floats) -> Floats:
        """How rare each cell is by itself, of shape (n, columns): minus the log of its chance.

        Of a number the chance of one as far out on its side of the median, doubled; of a level its
        share, and so of a gap. About 1 on average where all is usual.
        """
        least = 0.5 / max(self.rows, 1)
        ranks = self.ranks(rows)
        outer = 2.0 * np.minimum(ranks, 1.0 - ranks)
        chance = np.where(np.isnan(outer), 1.0, outer)
        places = self.places(rows)
        for number in np.flatnonzero(self.categorical):
            shares = self.shares[number]
            # of a level as rare as this one or rarer
            rarer = np.array([shares[shares <= share].sum() for share in shares])
            chance[:, number] = rarer[places[:, number]]
        chance = np.where(np.isnan(rows), self.missing, chance * (1.0 - self.missing))
        far = np.maximum(np.abs(rows - self.middle) / self.spread, 1.0)
        beyond = (rows < self.knots[:, 0]) | (rows > self.knots[:, -1])
        extra = np.where(beyond & ~self.categorical, np.log(far), 0.0)
        return np.asarray(-np.log(np.maximum(chance, least)) + extra)

    def drift(self, number: int, column: Floats) -> tuple[float, float, float]:
        """How far a column has moved, and its usual mark before and now.

        Of numbers the largest difference of shares below a value (Kolmogorov and Smirnov), with
        both medians; of categories half the sum of all differences of shares (total variation),
        with the most frequent levels; 0 is the same and 1 nothing in common. Gaps count as a value
        of their own.
        """
        known = np.sort(column[~np.isnan(column)])
        gap = abs(float(np.isnan(column).mean()) - float(self.missing[number]))
        if self.categorical[number]:
            size = self.shares.shape[1]
            places = np.where(known < self.levels[number], known, size - 1).astype(int)
            now = np.bincount(places, minlength=size) / max(len(column), 1)
            before = self.shares[number]
            most = now.argmax() if len(known) else np.nan
            moved = (np.abs(now - before).sum() + gap) / 2.0
            return float(moved), float(before.argmax()), float(most)
        if not len(known):
            return gap, float(self.middle[number]), float("nan")
        knots, levels = self.knots[number], _levels(self._known(int(number)))
        last = np.searchsorted(knots, knots, "right") - 1
        below = np.searchsorted(known, knots, "right") / len(known)
        inner = (knots > knots[0]) & (knots < knots[-1]) | (last < KNOTS - 1)
        moved = np.abs(below - levels[last])[inner].max(initial=0.0)
        outside = ((known < knots[0]) | (known > knots[-1])).mean() - 2.0 * levels[0]
        return (
            float(max(moved, outside, gap)),
            float(self.middle[number]),
            float(np.median(known)),
        )

    def _known(self, number: int) -> int:
        """Rows of the learned table that had a value."""
        return max(int(self.rows * (1.0 - self.missing[number])), 1)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        names = ("categorical", "levels", "knots", "shares", "missing", "centre", "spread")
        return {"rows": self.rows}, {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(**arrays, rows=int(header["rows"]))


def _measures(rows: Floats, knots: Floats, robust: bool) -> tuple[Floats, Floats]:
    """Centre and spread of each column, the spread never 0."""
    known = ~np.isnan(rows)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rows, 0.0).sum(axis=0) / counts
    deviation = np.sqrt(np.square(np.where(known, rows - mean, 0.0)).sum(axis=0) / counts)
    centre, spread = mean, deviation
    if robust:
        centre = knots[:, KNOTS // 2]
        quartiles = knots[:, 3 * KNOTS // 4] - knots[:, KNOTS // 4]
        # where half of the rows share a value, the others say what is far
        spread = np.where(quartiles > 0, quartiles / _QUARTILES_TO_DEVIATION, deviation)
    return centre, np.where(spread > 0, spread, np.maximum(np.abs(centre), 1.0))


def _deviations(shares: Floats, usual: float, rows: int) -> Floats:
    """How far off a normal deviate lies whose density falls as far below the usual as a share.

    Examples
    --------
    >>> _deviations(np.array([0.5, 0.01, 0.0]), 0.7, 1000).round(1).tolist()
    [0.0, 2.8, 3.7]
    """
    told = -np.log(np.maximum(shares, 0.5 / max(rows, 1)))
    return np.asarray(np.sqrt(2.0 * np.maximum(told - usual, 0.0)))


def _levels(rows: int) -> Floats:
    """The shares of rows at which quantiles are kept."""
    edge = min(BEYOND / rows, 0.25)
    return np.linspace(edge, 1.0 - edge, KNOTS)


def _rank(values: Floats, knots: Floats, levels: Floats) -> Floats:
    """Ranks of values by the quantiles at some levels, ties at the middle of theirs."""
    left = np.searchsorted(knots, values, "left")
    right = np.searchsorted(knots, values, "right")
    tied = right > left
    middle = (levels[np.minimum(left, KNOTS - 1)] + levels[np.maximum(right - 1, 0)]) / 2.0
    distinct, first = np.unique(knots, return_index=True)
    last = KNOTS - 1 - np.unique(knots[::-1], return_index=True)[1]
    between = np.interp(values, distinct, (levels[first] + levels[last]) / 2.0)
    found = np.where(tied, middle, between)
    edge = levels[0]
    found = np.where(values < knots[0], edge / 2.0, found)
    return np.asarray(np.where(values > knots[-1], 1.0 - edge / 2.0, found))
