"""One column told from the others by boosted trees: an expected value, or shares of options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

# fewer known cells teach trees nothing that a game does not know
LEAST_ROWS = 50
# a tree for each option and round: beyond these a column is left to the game
MOST_OPTIONS = 64
# one row in so many says when to stop
HELD = 8
PATIENCE, MOST_ROUNDS = 10, 200
# a part of the columns and rows for each tree: conditionals of few rows gain by it
_GROWTH: dict[str, Any] = {
    "learning_rate": 0.1,
    "num_leaves": 15,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_cat_to_onehot": 8,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True)
class ColumnTrees:
    """Boosted trees for one column.

    Attributes
    ----------
    booster : lightgbm.Booster
        The trees.
    options : int
        Of a category; 0 for a number.
    held : ndarray of shape (held rows,)
        Numbers, among the rows grown on, of those that said when to stop.
    """

    booster: Any
    options: int
    held: Integers

    def tell(self, rows: Floats, threads: int = 1) -> Floats:
        """Expected values of shape (rows, 1), or shares of shape (rows, options)."""
        if not len(rows):
            return np.zeros((0, max(self.options, 1)))
        told = np.asarray(self.booster.predict(rows, num_threads=threads), dtype=np.float64)
        if self.options == 2:
            return np.stack([1.0 - told, told], axis=1)
        return told[:, np.newaxis] if told.ndim == 1 else told


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
    import lightgbm

    order = np.random.default_rng(seed).permutation(len(labels))
    held, train = np.split(order, [max(1, len(order) // HELD)])
    told: dict[str, Any] = {"objective": "regression_l1" if median else "regression"}
    if options:
        told = {"objective": "binary"}
    if options > 2:
        told = {"objective": "multiclass", "num_class": options}
    parameters = {**_GROWTH, **told, "seed": seed % 2**31, "num_threads": threads}
    sets: list[Any] = []
    for chosen in (train, held):
        sets.append(
            lightgbm.Dataset(
                rows[chosen],
                labels[chosen],
                reference=sets[0] if sets else None,
                categorical_feature=np.flatnonzero(categorical).tolist(),
                params=parameters,
            )
        )
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(parameters, sets[0], MOST_ROUNDS, [sets[1]], callbacks=[stop])
    return ColumnTrees(booster.free_dataset(), options, np.sort(held))
