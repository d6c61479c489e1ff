"""Cells that do not fit the rest of their row, one after another, each with a proposal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.imputation.cells import Cells
from synthgan.imputation.chances import discoveries
from synthgan.imputation.crossed import FOLDS
from synthgan.imputation.surprise import learn_judge

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# cells of one row that may be found wrong, one at a time: with the worst one put right, the others
# are often seen to be fine
MOST_PER_ROW = 3
# cells of a row that may be to blame, and from which chance on: two that contradict each other are
# both unlikely, and only the others can say which one is wrong
SUSPECTS, SUSPICIOUS = 3, 0.05
# what a chance counts at least, so that one cell does not outweigh all others
LEAST_CHANCE = 1e-6
TELLERS = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One cell that does not fit.

    Attributes
    ----------
    row, column : int
        Its place; the column by its number among the cells'.
    proposed : float
        What would fit, in the terms of `Cells`.
    chance : float
        Lowest chance in the row, given the other cells: that of this cell, or of one that it
        contradicts.
    share : float
        Of categories: the probability of the proposed option; NaN for numbers.
    tellers : tuple of str
        The columns that speak most for the proposal.
    """

    row: int
    column: int
    proposed: float
    chance: float
    share: float
    tellers: tuple[str, ...]


class Finder:
    """Finds cells that do not fit.

    Parameters
    ----------
    cells : Cells
        The columns.
    floats : ndarray of shape (rows, columns)
        Their cells, NaN where missing; put right as they are found.
    seed : int
        Decides the folds and the trees.
    threads : int, default 1
        How many LightGBM may use.

    Attributes
    ----------
    judged : list of str
        Columns that could be judged.
    """

    def __init__(self, cells: Cells, floats: Floats, *, seed: int, threads: int = 1) -> None:
        self._cells, self._floats = cells, floats
        folds = np.random.default_rng(seed).permutation(len(floats)) % FOLDS
        found = [
            learn_judge(cells, floats, number, folds, seed=seed, threads=threads)
            for number in range(len(cells.names))
        ]
        self._judges = [each for each in found if each is not None]
        self.judged = [cells.names[each.number] for each in self._judges]

    def find(self, rate: float) -> list[Finding]:
        """All cells that do not fit, at most a share `rate` of them by chance, in expectation."""
        rows = np.arange(len(self._floats))
        chances = self._chances(rows)
        known = chances[np.isfinite(chances)]
        limit = discoveries(known, rate)
        found: list[Finding] = []
        for _ in range(MOST_PER_ROW):
            odd = np.nanmin(np.where(np.isnan(chances), 2.0, chances), axis=1) <= limit
            if not limit or not odd.any():
                break
            rows, chances = rows[odd], chances[odd]
            places = self._blamed(rows, chances)
            lowest = np.nanmin(chances, axis=1)
            new = [
                self._finding(int(row), int(place), float(low))
                for row, place, low in zip(rows, places, lowest, strict=True)
            ]
            found += new
            for each in new:
                self._floats[each.row, each.column] = each.proposed
            chances = self._chances(rows)
            done = {(each.row, each.column) for each in found}
            for place, judge in enumerate(self._judges):
                chances[[(int(row), judge.number) in done for row in rows], place] = np.nan
            left = np.isfinite(chances).any(axis=1)
            rows, chances = rows[left], chances[left]
        return sorted(found, key=lambda each: (each.row, each.column))

    def _blamed(self, rows: Integers, chances: Floats) -> Integers:
        """Of each row the judged column to be put right: the one after which the rest fits best."""
        order = np.argsort(np.where(np.isnan(chances), 2.0, chances), axis=1)[:, :SUSPECTS]
        here = np.arange(len(rows))
        best, blamed = np.full(len(rows), -np.inf), order[:, 0].copy()
        for place in order.T:
            tried = self._floats.copy()
            for at, judge in enumerate(self._judges):
                mine = rows[place == at]
                if len(mine):
                    tried[mine, judge.number] = judge.fitting(self._floats, mine)
            after = np.log(np.maximum(self._chances(rows, tried), LEAST_CHANCE))
            after[here, place] = 0.0
            fit = np.nansum(after, axis=1)
            suspect = chances[here, place] <= SUSPICIOUS
            better = suspect & (fit > best)
            best[better], blamed[better] = fit[better], place[better]
        return blamed

    def _chances(self, rows: Integers, floats: Floats | None = None) -> Floats:
        """Chances of shape (rows, judged columns), NaN where a cell is missing."""
        floats = self._floats if floats is None else floats
        chances = np.full((len(rows), len(self._judges)), np.nan)
        for place, judge in enumerate(self._judges):
            known = np.flatnonzero(~np.isnan(floats[rows, judge.number]))
            if len(known):
                chances[known, place] = judge.chances(floats, rows[known])
        return chances

    def _finding(self, row: int, place: int, chance: float) -> Finding:
        judge = self._judges[place]
        proposed = float(judge.fitting(self._floats, np.array([row]))[0])
        share = judge.share(self._floats, row, proposed)
        speaks = judge.tellers(self._floats, row, proposed)
        others = [name for name in self._cells.names if name != self._cells.names[judge.number]]
        best = [at for at in np.argsort(-speaks)[:TELLERS].tolist() if speaks[at] > 0]
        tellers = tuple(others[at] for at in best)
        return Finding(row, judge.number, proposed, chance, share, tellers)
