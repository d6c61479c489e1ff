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

A number with spikes, values of their own that many rows have, is judged in two steps: whether it is
one of them, as a category, and if not, as a number among those that are not.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthgan.data.numbers import NumberEncoder
from synthgan.imputation.cells import Cells
from synthgan.imputation.chances import Tail
from synthgan.imputation.crossed import Column, CrossedTrees

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# numbers of so few values are judged as if they were categories: distances would be ties
FEW_VALUES = 20
# of the mean distance: distances below it are no surprise, however sure the trees are
LEAST_DISTANCE = 0.05
# scores are divided by one of these, whichever tells held-out categories best
TEMPERATURES = (1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
# what an option has at least, however sure the trees are
LEAST_SHARE = 1e-6


class Judge(Protocol):
    """Judges the cells of one column, the one of that number; rows are numbers of rows."""

    @property
    def number(self) -> int:
        """The column."""

    def chances(self, floats: Floats, rows: Integers) -> Floats:
        """Chances of the cells of some rows, of shape (rows,); all of them known."""

    def fitting(self, floats: Floats, rows: Integers) -> Floats:
        """What would fit in the cells of some rows, of shape (rows,)."""

    def share(self, floats: Floats, row: int, value: float) -> float:
        """Calibrated probability of a value in a row; NaN where values are not told apart."""

    def tellers(self, floats: Floats, row: int, proposed: float) -> Floats:
        """How much each other column speaks for the proposed value, of shape (columns - 1,).

        That is how far the trees come down from it, towards the cell's own value, where the other
        is not known.
        """


class OptionJudge:
    """Judges a column whose values are told apart one by one.

    Parameters
    ----------
    trees : CrossedTrees
        They tell options.
    values : ndarray of shape (options,)
        Their values, rising; anything between two stands for the higher one.
    labels : ndarray of shape (rows,)
        The options of the table, NaN where missing.
    floats : ndarray of shape (rows, columns)
        The table.
    """

    def __init__(self, trees: CrossedTrees, values: Floats, labels: Floats, floats: Floats) -> None:
        self._trees, self._values, self.number = trees, values, trees.column.number
        known = np.flatnonzero(~np.isnan(labels))
        place = labels[known].astype(np.int64)
        counts = np.bincount(place, minlength=len(values))
        self._usual = np.maximum(counts, 1.0) / counts.sum()
        # trees are surer than they should be: find how much
        told, here = trees.tell(floats, known), np.arange(len(place))
        losses = [-np.log(_cooled(told, each)[here, place]).mean() for each in TEMPERATURES]
        self._temperature = TEMPERATURES[int(np.argmin(losses))]

    @classmethod
    def learn(cls, column: Column, floats: Floats, values: Floats) -> OptionJudge | None:
        """Learn to tell these values apart; None where trees cannot."""
        cells = floats[:, column.number]
        return cls.of(column, floats, values, np.where(np.isnan(cells), cells, _at(values, cells)))

    @classmethod
    def of(
        cls, column: Column, floats: Floats, values: Floats, labels: Floats
    ) -> OptionJudge | None:
        """Learn to tell options apart; None where trees cannot."""
        trees = column.grow(floats, labels, len(values))
        return None if trees is None else cls(trees, values, labels, floats)

    def shares(self, floats: Floats, rows: Integers) -> Floats:
        """Calibrated probabilities of shape (rows, options)."""
        return _cooled(self._trees.tell(floats, rows), self._temperature)

    def chances_of(self, floats: Floats, rows: Integers, place: Integers) -> Floats:
        """Chances of some options, one for each row."""
        shares = self.shares(floats, rows)
        own = shares[np.arange(len(rows)), place]
        together = np.where(shares <= own[:, np.newaxis], shares, 0.0).sum(axis=1)
        return np.asarray(np.minimum(np.maximum(together, own / self._usual[place]), 1.0))

    def chances(self, floats: Floats, rows: Integers) -> Floats:
        """As `Judge` has it."""
        return self.chances_of(floats, rows, _at(self._values, floats[rows, self.number]))

    def fitting(self, floats: Floats, rows: Integers) -> Floats:
        """As `Judge` has it."""
        return np.asarray(self._values[self._trees.tell(floats, rows).argmax(axis=1)])

    def share(self, floats: Floats, row: int, value: float) -> float:
        """As `Judge` has it."""
        return self.share_of(floats, row, int(_at(self._values, value)))

    def share_of(self, floats: Floats, row: int, option: int) -> float:
        """Calibrated probability of an option in a row."""
        return float(self.shares(floats, np.array([row]))[0, option])

    def tellers(self, floats: Floats, row: int, proposed: float) -> Floats:
        """As `Judge` has it."""
        own = floats[row, self.number]
        return self.tellers_of(floats, row, *(int(_at(self._values, v)) for v in (proposed, own)))

    def tellers_of(self, floats: Floats, row: int, new: int, old: int) -> Floats:
        """How much each other column speaks for an option and against another."""
        told, without = self._trees.tell_without(floats, row)
        odds = [
            np.log(
                np.maximum(each[..., new], LEAST_SHARE) / np.maximum(each[..., old], LEAST_SHARE)
            )
            for each in (told, without)
        ]
        return np.asarray(odds[0] - odds[1])


class NumberJudge:
    """Judges a column of numbers by how far they lie from what is expected.

    Parameters
    ----------
    trees : CrossedTrees
        They tell medians.
    cells : ndarray of shape (rows,)
        The column, NaN where it is not judged.
    floats : ndarray of shape (rows, columns)
        The table.
    """

    def __init__(self, trees: CrossedTrees, cells: Floats, floats: Floats) -> None:
        self._trees, self.number = trees, trees.column.number
        known = np.flatnonzero(~np.isnan(cells))
        distances = np.abs(cells[known] - trees.tell(floats, known)[:, 0])
        trimmed = distances[distances <= np.quantile(distances, 0.95)]
        self._least = max(LEAST_DISTANCE * float(trimmed.mean()), 1e-12)
        at = np.full(len(floats), np.nan)
        at[known] = np.log(distances + self._least)
        self._widths = trees.column.grow(floats, at, 0)
        self._tail = Tail.fit(self._distances(floats, known))

    @classmethod
    def learn(cls, column: Column, floats: Floats, cells: Floats) -> NumberJudge | None:
        """Learn from the cells that are not NaN; None where trees cannot tell them."""
        trees = column.grow(floats, cells, 0, median=True)
        return None if trees is None else cls(trees, cells, floats)

    def _distances(self, floats: Floats, rows: Integers) -> Floats:
        """Distances from the median by what is usual there, of shape (rows,)."""
        gap = np.abs(floats[rows, self.number] - self.fitting(floats, rows))
        if self._widths is None:
            return np.asarray(gap / self._least)
        usual = np.exp(self._widths.tell(floats, rows)[:, 0])
        return np.asarray(gap / np.maximum(usual, self._least))

    def chances(self, floats: Floats, rows: Integers) -> Floats:
        """As `Judge` has it."""
        return self._tail.chance(self._distances(floats, rows))

    def fitting(self, floats: Floats, rows: Integers) -> Floats:
        """As `Judge` has it."""
        return self._trees.tell(floats, rows)[:, 0]

    def share(self, floats: Floats, row: int, value: float) -> float:
        """As `Judge` has it."""
        return float("nan")

    def tellers(self, floats: Floats, row: int, proposed: float) -> Floats:
        """As `Judge` has it."""
        told, without = self._trees.tell_without(floats, row)
        return np.asarray((told[0] - without[:, 0]) * np.sign(proposed - floats[row, self.number]))


class SpikedJudge:
    """Judges a column of numbers that has spikes.

    Parameters
    ----------
    spikes : ndarray of shape (spikes,)
        Their values, rising.
    kinds : OptionJudge
        Tells which spike a cell has, or by the option after the last one, none.
    others : NumberJudge or None
        Judges cells without a spike; None where they are too few.
    """

    def __init__(self, spikes: Floats, kinds: OptionJudge, others: NumberJudge | None) -> None:
        self._spikes, self._kinds, self._others = spikes, kinds, others
        self.number = kinds.number

    @classmethod
    def learn(cls, column: Column, floats: Floats, spikes: Floats) -> SpikedJudge | None:
        """Learn both steps; None where trees cannot tell spikes from the rest."""
        cells = floats[:, column.number]
        place = _spike_of(cells, spikes)
        values = np.append(spikes, np.nan)
        kinds = OptionJudge.of(column, floats, values, np.where(np.isnan(cells), np.nan, place))
        if kinds is None:
            return None
        rest = np.where(place < len(spikes), np.nan, cells)
        return cls(spikes, kinds, NumberJudge.learn(column, floats, rest))

    def chances(self, floats: Floats, rows: Integers) -> Floats:
        """As `Judge` has it: the lower of both steps, doubled, since there are two."""
        place = _spike_of(floats[rows, self.number], self._spikes)
        chances = self._kinds.chances_of(floats, rows, place)
        rest = np.flatnonzero(place == len(self._spikes))
        if self._others is not None and len(rest):
            second = self._others.chances(floats, rows[rest])
            chances[rest] = np.minimum(2.0 * np.minimum(chances[rest], second), 1.0)
        return chances

    def fitting(self, floats: Floats, rows: Integers) -> Floats:
        """As `Judge` has it."""
        shares = self._kinds.shares(floats, rows)
        if self._others is None:
            return np.asarray(self._spikes[shares[:, :-1].argmax(axis=1)])
        place = shares.argmax(axis=1)
        rest = self._others.fitting(floats, rows)
        return np.where(place < len(self._spikes), np.append(self._spikes, 0.0)[place], rest)

    def share(self, floats: Floats, row: int, value: float) -> float:
        """As `Judge` has it: of a spike."""
        place = int(_spike_of(np.array([value]), self._spikes)[0])
        if place == len(self._spikes):
            return float("nan")
        return self._kinds.share_of(floats, row, place)

    def tellers(self, floats: Floats, row: int, proposed: float) -> Floats:
        """As `Judge` has it."""
        both = np.array([proposed, floats[row, self.number]])
        new, old = _spike_of(both, self._spikes).tolist()
        if new == old and self._others is not None:
            return self._others.tellers(floats, row, proposed)
        return self._kinds.tellers_of(floats, row, new, old)


def learn_judge(
    cells: Cells, floats: Floats, number: int, folds: Integers, *, seed: int, threads: int
) -> Judge | None:
    """Learn to judge a column; None where trees cannot tell it.

    Parameters
    ----------
    cells : Cells
        The columns.
    floats : ndarray of shape (rows, columns)
        The table.
    number : int
        Which column is judged.
    folds : ndarray of shape (rows,)
        Of each row of the table.
    seed : int
        Decides the trees.
    threads : int
        How many LightGBM may use.
    """
    column = Column(number, cells.categorical, folds, seed, threads)
    if cells.options[number]:
        return OptionJudge.learn(column, floats, np.arange(cells.options[number], dtype=float))
    known = floats[:, number]
    known = known[~np.isnan(known)]
    values = np.unique(known)
    if len(values) <= FEW_VALUES:
        return OptionJudge.learn(column, floats, values)
    encoder = cells.encoders[number]
    assert isinstance(encoder, NumberEncoder)
    spikes = np.sort(encoder.spikes.astype(np.float64))
    if len(spikes):
        return SpikedJudge.learn(column, floats, spikes)
    return NumberJudge.learn(column, floats, floats[:, number])


def _at(values: Floats, cells: Floats | float) -> Integers:
    """The option of each cell, by the values of the options."""
    return np.minimum(np.searchsorted(values, cells), len(values) - 1)


def _spike_of(cells: Floats, spikes: Floats) -> Integers:
    """The spike of each cell by number; the number of spikes where it has none."""
    place = _at(spikes, cells)
    return np.where(spikes[place] == cells, place, len(spikes))


def _cooled(told: Floats, temperature: float) -> Floats:
    shares = np.maximum(told, LEAST_SHARE) ** (1.0 / temperature)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
