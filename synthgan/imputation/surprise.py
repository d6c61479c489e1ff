"""How surprising a cell is, given the rest of its row: chances, from trees that never saw the row.

A column is told by trees grown on other folds of the rows, so that no cell vouches for itself.
The chance of a category is that of all options which are no likelier than it, and no less than what
it is here by what it is in the column: a rare category is no error where nothing speaks against it
(the inverse of that ratio is an e-value, so that by Markov's inequality the ratio is a chance; Vovk
and Wang, "E-values: calibration, combination and applications", 2021).

The chance of a number is that of a distance as large as its own from the expected median, by the
distance that is usual where the row lies, and by a tail fitted to the column's own distances: a
generalised Pareto law (Pickands, "Statistical inference using extreme order statistics", 1975)
fitted to quantiles that three errors in a hundred do not reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.imputation.cells import Cells
from synthgan.imputation.trees import ColumnTrees, can_grow, grow_column

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

FOLDS = 4
# rows that trees of a fold are grown on, at most
MOST_ROWS = 20_000
# where the tail begins, and which part of what lies beyond it is fitted, neither the ties at its
# start nor the errors at its end; how many cells that takes
TAIL, FITTED, LEAST_FITTED = 0.3, (0.1, 0.9), 10
# shapes of tails that are tried: the first is nearly exponential, the last has no mean
SHAPES = tuple(np.round(np.arange(0.1, 1.3, 0.05), 2).tolist())
# the least scale of a tail, by where it begins: distances that are nearly all alike have none
LEAST_SCALE = 0.3
# numbers of so few values are judged as if they were categories: distances would be ties
FEW_VALUES = 20
# of the mean distance: distances below it are no surprise, however sure the trees are
LEAST_DISTANCE = 0.05
# scores are divided by one of these, whichever tells held-out categories best
TEMPERATURES = (1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
# what an option has at least, however sure the trees are
LEAST_SHARE = 1e-6


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


class ColumnJudge:
    """Judges the cells of one column.

    Parameters
    ----------
    cells : Cells
        The columns.
    number : int
        Which one is judged.
    floats : ndarray of shape (rows, columns)
        The table.
    folds : ndarray of shape (rows,)
        Of each row of the table.

    Attributes
    ----------
    options : int
        Values that are told apart one by one; 0 where there are too many.
    """

    def __init__(self, cells: Cells, floats: Floats, number: int, folds: Integers) -> None:
        self.number, self.options = number, int(cells.options[number])
        self._values = np.arange(self.options, dtype=np.float64)
        if not self.options:
            values = np.unique(floats[:, number])
            values = values[~np.isnan(values)]
            if len(values) <= FEW_VALUES:
                self.options, self._values = len(values), values
        self._others = np.delete(np.arange(len(cells.names)), number)
        self._categorical = cells.categorical[self._others]
        self._folds = folds
        self._trees: list[ColumnTrees] = []
        self._widths: list[ColumnTrees] = []
        self._tail: Tail | None = None
        self._least, self._temperature = 0.0, 1.0
        self._usual: Floats = np.ones(max(self.options, 1))

    @classmethod
    def learn(
        cls, cells: Cells, floats: Floats, number: int, folds: Integers, *, seed: int, threads: int
    ) -> ColumnJudge | None:
        """Learn to judge a column; None where trees cannot tell it."""
        judge = cls(cells, floats, number, folds)
        known = np.flatnonzero(~np.isnan(floats[:, number]))
        target = judge._label(floats[:, number])
        labels = target[known]
        if not can_grow(labels, judge.options, len(judge._others)):
            return None
        rng = np.random.default_rng(seed)
        parts = [_some(known[folds[known] != fold], rng) for fold in range(FOLDS)]
        if not all(can_grow(target[part], judge.options, 1) for part in parts):
            return None
        judge._trees = [
            judge._grow(floats, part, target[part], seed + fold, threads, judge.options)
            for fold, part in enumerate(parts)
        ]
        told = judge.tell(floats, known, threads)
        if judge.options:
            judge._calibrate(told, labels)
        else:
            judge._measure(floats, known, np.abs(labels - told[:, 0]), parts, seed, threads)
        return judge

    def _label(self, values: Floats) -> Floats:
        """Values as options by number, where they are told apart one by one."""
        if not self.options:
            return values
        return np.searchsorted(self._values, values).astype(np.float64)

    def fitting(self, floats: Floats, rows: Integers, threads: int = 1) -> Floats:
        """What would fit in the cells of some rows, of shape (rows,)."""
        told = self.tell(floats, rows, threads)
        return self._values[told.argmax(axis=1)] if self.options else told[:, 0]

    def _grow(
        self,
        floats: Floats,
        rows: Integers,
        labels: Floats,
        seed: int,
        threads: int,
        options: int,
        median: bool = True,
    ) -> ColumnTrees:
        return grow_column(
            floats[np.ix_(rows, self._others)],
            labels,
            self._categorical,
            options,
            seed=seed,
            threads=threads,
            median=median,
        )

    def tell(self, floats: Floats, rows: Integers, threads: int = 1) -> Floats:
        """Medians or shares for some rows, each by the trees that did not see it."""
        return self._ask(self._trees, floats, rows, threads)

    def _ask(
        self, trees: list[ColumnTrees], floats: Floats, rows: Integers, threads: int
    ) -> Floats:
        told = np.zeros((len(rows), max(trees[0].options, 1)))
        for fold, each in enumerate(trees):
            mine = np.flatnonzero(self._folds[rows] == fold)
            told[mine] = each.tell(floats[np.ix_(rows[mine], self._others)], threads)
        return told

    def _calibrate(self, told: Floats, labels: Floats) -> None:
        """Trees are surer than they should be: find how much."""
        place = labels.astype(np.int64)
        counts = np.bincount(place, minlength=self.options)
        self._usual = np.maximum(counts, 1.0) / counts.sum()
        losses = [
            -np.log(self._cooled(told, each)[np.arange(len(place)), place]).mean()
            for each in TEMPERATURES
        ]
        self._temperature = TEMPERATURES[int(np.argmin(losses))]

    def _cooled(self, told: Floats, temperature: float) -> Floats:
        shares = np.maximum(told, LEAST_SHARE) ** (1.0 / temperature)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def _measure(
        self,
        floats: Floats,
        known: Integers,
        distances: Floats,
        parts: list[Integers],
        seed: int,
        threads: int,
    ) -> None:
        """Learn which distances are usual where, and how their tail falls."""
        trimmed = distances[distances <= np.quantile(distances, 0.95)]
        self._least = max(LEAST_DISTANCE * float(trimmed.mean()), 1e-12)
        at = np.full(len(floats), np.nan)
        at[known] = np.log(distances + self._least)
        self._widths = [
            self._grow(floats, part, at[part], seed + fold, threads, 0, median=False)
            for fold, part in enumerate(parts)
            if (at[part] != at[part[0]]).any()
        ]
        if len(self._widths) < FOLDS:
            self._widths = []
        self._tail = Tail.fit(self._distances(floats, known, threads))

    def _distances(self, floats: Floats, rows: Integers, threads: int) -> Floats:
        """Distances from the median by what is usual there, of shape (rows,)."""
        gap = np.abs(floats[rows, self.number] - self.tell(floats, rows, threads)[:, 0])
        if not self._widths:
            return np.asarray(gap / self._least)
        usual = np.exp(self._ask(self._widths, floats, rows, threads)[:, 0])
        return np.asarray(gap / np.maximum(usual, self._least))

    def chances(self, floats: Floats, rows: Integers, threads: int = 1) -> Floats:
        """Chances of the cells of some rows, of shape (rows,); all of them known."""
        if self._tail is not None:
            return self._tail.chance(self._distances(floats, rows, threads))
        shares = self._cooled(self.tell(floats, rows, threads), self._temperature)
        place = self._label(floats[rows, self.number]).astype(np.int64)
        own = shares[np.arange(len(rows)), place]
        together = np.where(shares <= own[:, np.newaxis], shares, 0.0).sum(axis=1)
        return np.asarray(np.minimum(np.maximum(together, own / self._usual[place]), 1.0))

    def share(self, floats: Floats, row: int, value: float, threads: int = 1) -> float:
        """Calibrated probability of a value in a row; NaN where values are not told apart."""
        if not self.options:
            return float("nan")
        shares = self._cooled(self.tell(floats, np.array([row]), threads), self._temperature)
        return float(shares[0, int(self._label(np.array([value]))[0])])

    def tellers(self, floats: Floats, row: int, proposed: float) -> Floats:
        """How much each other column speaks for the proposed value, of shape (columns - 1,).

        That is how far the trees come down from it, towards the cell's own value, where the other
        is not known.
        """
        known = floats[row, self._others]
        asked = np.tile(known, (len(known) + 1, 1))
        np.fill_diagonal(asked[1:], np.nan)
        told = self._trees[int(self._folds[row])].tell(asked)
        own = floats[row, self.number]
        if not self.options:
            return np.asarray((told[0, 0] - told[1:, 0]) * np.sign(proposed - own))
        new, old = self._label(np.array([proposed, own])).astype(np.int64)
        gap = np.log(np.maximum(told[:, new], LEAST_SHARE) / np.maximum(told[:, old], LEAST_SHARE))
        return np.asarray(gap[0] - gap[1:])


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


def _some(rows: Integers, rng: np.random.Generator) -> Integers:
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(rng.permutation(rows)[:MOST_ROWS])
