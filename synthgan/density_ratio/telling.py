"""Boosted trees that tell two tables apart, and how well they can: the classifier two-sample test.

A classifier that tells rows of one table from rows of another estimates the ratio of their
densities; how well it does on rows it has not seen says how alike the tables are (Lopez-Paz and
Oquab, "Revisiting classifier two-sample tests", ICLR 2017). Tables are plain matrices here, so that
any floor of the house can ask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from synthgan.errors import TableError

ROUNDS = 150
FOLDS = 3
BLOCK_CELLS = 4_000_000

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class DensityRatio:
    """Log density ratio of a first table to a second one, cross-fitted.

    Attributes
    ----------
    first, second : array of float64 of shape (n_first,), (n_second,)
        Natural logarithm of the ratio at the rows of each table, by trees that saw the other folds
        only. Above 0: more likely in the first table.
    rows : array of float64 of shape (n_first + n_second, n_columns)
        The rows of the first table, then those of the second.
    folds : array of int64 of shape (n_first + n_second,)
        The fold each row was held out in.
    models : tuple of HistGradientBoostingClassifier
        The trees of each fold; they have seen every row outside of it.
    """

    first: Floats
    second: Floats
    rows: Floats
    folds: Integers
    models: tuple[HistGradientBoostingClassifier, ...]

    @property
    def auc(self) -> float:
        """How well the tables are told apart: 0.5 not at all, 1 perfectly.

        It falls below 0.5 where rows recur in both tables: the trees learned the twin of a held-out
        row under the other table's name. So a low figure says copies, not quality.
        """
        return auc(self.first, self.second)

    def importance(self, rows: int, *, rng: np.random.Generator) -> Floats:
        """How much of the AUC goes when one column is shuffled among held-out rows.

        Permutation importance (Breiman, "Random forests", 2001): columns that give a table away
        only together with others count too.

        Parameters
        ----------
        rows : int
            How many held-out rows to ask, of both tables together.
        rng : numpy.random.Generator
            Draws them and shuffles.

        Returns
        -------
        array of float64 of shape (n_columns,)
            Loss of AUC; about 0, on either side, for a column that the trees do not need.
        """
        drawn = rng.permutation(len(self.rows))[:rows]
        is_first = drawn < len(self.first)
        known = np.concatenate([self.first, self.second])[drawn]
        if is_first.all() or not is_first.any():
            return np.zeros(self.rows.shape[1])
        whole = auc(known[is_first], known[~is_first])
        shuffled = self._shuffled(drawn, rng)
        return np.array([whole - auc(each[is_first], each[~is_first]) for each in shuffled])

    def _shuffled(self, drawn: Integers, rng: np.random.Generator) -> Floats:
        """Scores of the drawn rows with one column shuffled inside its fold: (n_columns, n)."""
        columns = self.rows.shape[1]
        scores = np.empty((columns, len(drawn)))
        for fold, model in enumerate(self.models):
            part = np.flatnonzero(self.folds[drawn] == fold)
            if not len(part):
                continue
            asked = self.rows[drawn[part]]
            # Many columns in one call, since a call costs more than the rows of a small part.
            step = max(BLOCK_CELLS // asked.size, 1)
            for first in range(0, columns, step):
                block = np.arange(first, min(first + step, columns))
                copies = np.repeat(asked[np.newaxis], len(block), axis=0)
                for copy, column in zip(copies, block, strict=True):
                    copy[:, column] = rng.permutation(copy[:, column])
                found = model.decision_function(copies.reshape(-1, columns))
                scores[np.ix_(block, part)] = found.reshape(len(block), len(part))
        return scores


def density_ratio(
    first: Floats, second: Floats, categorical: Mask, *, rng: np.random.Generator
) -> DensityRatio:
    """Estimate the ratio of two tables' densities at each of their rows.

    scikit-learn's histogram booster as it comes, but for 150 rounds and categories as such: above
    10,000 rows it stops when the loss on a tenth of them no longer falls. Three folds with an equal
    share of each table.

    Parameters
    ----------
    first, second : array of float64 of shape (n_first, n_columns), (n_second, n_columns)
        Numbers, NaN where null; categories as whole numbers from 0 to 254.
    categorical : array of bool of shape (n_columns,)
        Which columns are categories.
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    DensityRatio

    Raises
    ------
    TableError
        When a table has fewer rows than there are folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found, moved = rng.normal(size=(200, 1)), rng.normal(size=(200, 1)) + 5
    >>> round(density_ratio(found, moved, np.array([False]), rng=rng).auc, 1)
    1.0
    """
    for table, where in ((first, "first"), (second, "second")):
        if len(table) < FOLDS:
            raise TableError(
                f"the {where} table: expected at least {FOLDS} rows, found {len(table)}"
            )
    rows = np.concatenate([first, second])
    labels = np.arange(len(rows)) < len(first)
    folds = stratified_folds((len(first), len(second)), rng=rng)
    prior = float(np.log(len(first) / len(second)))
    models, scores = [], np.empty(len(rows))
    for fold in range(FOLDS):
        seen = folds != fold
        models.append(_trees(rows[seen], labels[seen], categorical, rng))
        scores[~seen] = models[-1].decision_function(rows[~seen]) - prior
    return DensityRatio(scores[: len(first)], scores[len(first) :], rows, folds, tuple(models))


def stratified_folds(sizes: tuple[int, ...], *, rng: np.random.Generator) -> Integers:
    """Fold of every row of stacked tables, of shape (sum of sizes,): even shares, random order."""
    return np.concatenate([rng.permutation(np.arange(size) % FOLDS) for size in sizes])


def auc(first: Floats, second: Floats) -> float:
    """Chance that a row of the first table scores above one of the second, ties half.

    The area under the ROC curve, by Mann and Whitney's statistic.

    Examples
    --------
    >>> auc(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
    0.625
    """
    ordered = np.sort(second)
    above = np.searchsorted(ordered, first, "left").sum()
    ties_too = np.searchsorted(ordered, first, "right").sum()
    return float((above + ties_too) / (2 * len(first) * len(second)))


def _trees(
    rows: Floats, labels: Mask, categorical: Mask, rng: np.random.Generator
) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        categorical_features=categorical,
        random_state=int(rng.integers(2**31)),
    )
    # The booster cannot bin a column without a single value.
    return model.fit(np.where(np.isnan(rows).all(axis=0), 0.0, rows), labels)
