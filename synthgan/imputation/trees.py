"""One column told from the others by boosted trees: an expected value, or shares of options."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthgan.boosting import Cases, Growth, Trees, grow

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

# fewer known cells teach trees nothing that a game does not know
LEAST_ROWS = 50
# a tree for each option and round: beyond these a column is left to the game
MOST_OPTIONS = 64
# one row in so many says when to stop
HELD = 8
# a part of the columns and rows for each tree: conditionals of few rows gain by it
GROWTH = Growth(leaves=15, least_rows=10, patience=10, most=200, columns=0.7, rows=0.8)


@dataclass(frozen=True, slots=True)
class ColumnTrees:
    """Boosted trees for one column.

    Attributes
    ----------
    trees : Trees
        They tell options, or how far a number lies from `centre`, in units of `spread`.
    options : int
        Of a category; 0 for a number.
    held : ndarray of shape (held rows,)
        Numbers, among the rows grown on, of those that said when to stop.
    centre, spread : float
        Of a number: trees tell large ones in single precision.
    """

    trees: Trees
    options: int
    held: Integers
    centre: float = 0.0
    spread: float = 1.0

    def tell(self, rows: Floats, threads: int = 1) -> Floats:
        """Expected values of shape (rows, 1), or shares of shape (rows, options)."""
        if not len(rows):
            return np.zeros((0, max(self.options, 1)))
        if self.options:
            return self.trees.probabilities(rows, threads)
        return self.centre + self.spread * self.trees.scores(rows, threads)[:, np.newaxis]


def can_grow(labels: Floats, options: int, columns: int) -> bool:
    """Whether trees can be grown: enough cells that are not all alike, not too many options."""
    enough = len(labels) >= LEAST_ROWS and columns > 0 and options <= MOST_OPTIONS
    return bool(enough and options != 1 and (labels != labels[0]).any())


def grow_column(
    rows: Floats,
    labels: Floats,
    categorical: Mask,
    options: int,
    *,
    seed: int,
    threads: int = 1,
    median: bool = False,
) -> ColumnTrees:
    """Grow trees that tell a column.

    Parameters
    ----------
    rows : ndarray of shape (n, columns)
        The other columns; NaN is missing.
    labels : ndarray of shape (n,)
        The column: values, or options by number.
    categorical : ndarray of bool of shape (columns,)
        Which of the others are categories.
    options : int
        Of a category; 0 for a number.
    seed : int
        Decides the rows that say when to stop, and the trees' shares.
    threads : int, default 1
        How many LightGBM may use; the trees are the same.
    median : bool, default False
        Whether trees tell the median of a number, which wild values do not move.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    held, train = np.split(order, [max(1, len(order) // HELD)])
    centre, spread = (0.0, 1.0) if options else _scale(labels)
    cases = Cases(rows, (labels - centre) / spread)
    trees = grow(
        cases.take(train),
        cases.take(held),
        categorical,
        classes=options,
        growth=replace(GROWTH, median=median),
        seed=seed % 2**31,
        threads=threads,
    )
    return ColumnTrees(trees, options, np.sort(held), centre, spread)


def _scale(labels: Floats) -> tuple[float, float]:
    """Mean and standard deviation, of numbers whose squares may be no floats."""
    largest = float(np.abs(labels).max()) or 1.0
    shares = labels / largest
    return float(shares.mean()) * largest, float(shares.std()) * largest or 1.0
