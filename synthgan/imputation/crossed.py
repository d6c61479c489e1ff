"""Trees of a column for each fold of its rows, grown on the others: no cell vouches for itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.imputation.trees import ColumnTrees, can_grow, grow_column

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

FOLDS = 4
# rows that trees of a fold are grown on, at most
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column among the others.

    Attributes
    ----------
    number : int
        The column.
    categorical : ndarray of bool of shape (columns,)
        Which columns are categories.
    folds : ndarray of shape (rows,)
        Of each row of the table.
    seed, threads : int
        Of the trees.
    """

    number: int
    categorical: Mask
    folds: Integers
    seed: int
    threads: int

    def others(self, floats: Floats) -> Floats:
        """All columns but this one."""
        return np.delete(floats, self.number, axis=1)

    def grow(
        self, floats: Floats, labels: Floats, options: int, *, median: bool = False
    ) -> CrossedTrees | None:
        """Trees of every fold that tell labels, where these are known; None if there is no use."""
        known, others = np.flatnonzero(~np.isnan(labels)), self.others(floats)
        rng = np.random.default_rng(self.seed)
        parts = [_some(known[self.folds[known] != fold], rng) for fold in range(FOLDS)]
        width = others.shape[1]
        if not all(can_grow(labels[part], options, width) for part in (known, *parts)):
            return None
        trees = [
            grow_column(
                others[part],
                labels[part],
                np.delete(self.categorical, self.number),
                options,
                seed=self.seed + fold,
                threads=self.threads,
                median=median,
            )
            for fold, part in enumerate(parts)
        ]
        return CrossedTrees(self, trees)


@dataclass(frozen=True, slots=True)
class CrossedTrees:
    """Trees of a column for each fold of the rows, grown on the other folds."""

    column: Column
    trees: list[ColumnTrees]

    def tell(self, floats: Floats, rows: Integers) -> Floats:
        """Medians or means (rows, 1), or shares (rows, options), by trees that saw no row asked."""
        told = np.zeros((len(rows), max(self.trees[0].options, 1)))
        others = self.column.others(floats[rows])
        for fold, each in enumerate(self.trees):
            mine = self.column.folds[rows] == fold
            told[mine] = each.tell(others[mine], self.column.threads)
        return told

    def tell_without(self, floats: Floats, row: int) -> tuple[Floats, Floats]:
        """What is told of a row, and what without each of the other columns, one line for each."""
        known = self.column.others(floats[row : row + 1])[0]
        asked = np.tile(known, (len(known) + 1, 1))
        np.fill_diagonal(asked[1:], np.nan)
        told = self.trees[int(self.column.folds[row])].tell(asked, self.column.threads)
        return told[0], told[1:]


def _some(rows: Integers, rng: np.random.Generator) -> Integers:
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(rng.permutation(rows)[:MOST_ROWS])
