"""Boosted trees that tell two tables apart, and how well they can: the classifier two-sample test.

A classifier that tells rows of one table from rows of another estimates the ratio of their
densities; how well it does on rows it has not seen says how alike the tables are (Lopez-Paz and
Oquab, "Revisiting classifier two-sample tests", ICLR 2017). Tables are plain matrices here, so that
any floor of the house can ask.

`density_ratio` judges two tables, by scikit-learn's booster, on which published figures rest.
`learn_ratio` learns weights that make rows of one table stand for another, by LightGBM, whose
models can be kept as text.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from synthgan.boosting import GROWTH, Cases, Growth, Trees, grow, log_loss
from synthgan.errors import TableError
from synthgan.raking import Rake
from synthgan.selection import effective_share, inclusion, select

ROUNDS = 150
FOLDS = 3
BLOCK_CELLS = 4_000_000
# a round counts if it lowers the held-out log-loss by so many nats and standard errors: a
# thousandth of a nat is an AUC of about .525
LEAST_GAIN, LEAST_ERRORS = 2.5e-4, 2.0
# a row of weight exp(-30) beside the heaviest is never drawn
LEAST_LOG_WEIGHT = -30.0

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


Pair = tuple[Trees, Trees]


@dataclass(frozen=True, slots=True)
class Round:
    """What one round adds to the log-weights of rows.

    Attributes
    ----------
    pair : pair of Trees
        The mean of their log-odds.
    rake : Rake
        What then brings each column to its own shares again: trees that stop early see how columns
        hang together better than they keep account of each.
    highest : float
        Log-weight that no row exceeds after this round.
    """

    pair: Pair
    rake: Rake
    highest: float

    def added(self, log_weights: Floats, rows: Floats, threads: int = 1) -> Floats:
        """Log-weights after the round, of rows that had some before, of shape (n,)."""
        change = _score(self.pair, rows, threads) + self.rake.log_weights(rows)
        return np.asarray(np.minimum(log_weights + change, self.highest))


@dataclass(frozen=True)
class LearnedRatio:
    """Log density ratio of a wanted table to a pool, up to a constant.

    Attributes
    ----------
    rounds : tuple of Round
        What each round added.
    gains : tuple of float
        Nats by which each round lowered the log-loss of rows it had not seen.
    effective : float
        Effective sample size of the pool under the weights, as a share of its rows.
    """

    rounds: tuple[Round, ...]
    gains: tuple[float, ...] = ()
    effective: float = 1.0

    @property
    def trees(self) -> int:
        """How many trees a row passes."""
        return sum(trees.count for each in self.rounds for trees in each.pair)

    def weights(self, rows: Floats, threads: int = 1) -> Floats:
        """Weights of rows of shape (n, columns), the largest 1."""
        log_weights = np.zeros(len(rows))
        for each in self.rounds:
            log_weights = each.added(log_weights, rows, threads)
        return _weights(log_weights)


def learn_ratio(
    wanted: Floats,
    pool: Floats,
    categorical: Mask,
    *,
    rng: np.random.Generator,
    counts: Floats | None = None,
    most_weight: float = 4.0,
    rounds: int = 3,
    growth: Growth = GROWTH,
    threads: int = 1,
    deadline: float | None = None,
) -> LearnedRatio | None:
    """Learn weights under which a pool looks like the wanted table to boosted trees.

    In each round two models are grown, each on half of the wanted rows and half of an equally large
    weighted draw from the pool, and stopped by the other halves; the log-weights move by the mean
    of their log-odds (boosted density ratios, cross-fitted), and are raked to the columns' shares.
    Rounds end where the trees find nothing more in rows that they have not seen, so that what is
    wanted is not learned by heart.
    Rejection by a classifier after Azadi et al., "Discriminator rejection sampling", 2019.

    Parameters
    ----------
    wanted, pool : array of float64 of shape (n_wanted, n_columns), (n_pool, n_columns)
        Numbers, NaN where null; categories as whole numbers.
    categorical : array of bool of shape (n_columns,)
        Which columns are categories.
    rng : numpy.random.Generator
        Draws the pool's rows and the halves.
    counts : array of float64 of shape (n_wanted,) or None
        How much each wanted row counts.
    most_weight : float, default 4.0
        No row is heavier than so many of average weight: trees exaggerate where the pool has next
        to no rows, and few rows would stand for all (truncated importance sampling, Ionides 2008).
        Rows over rows to choose, where the weights are for `select`.
    rounds : int, default 3
        At most.
    growth : Growth, optional
        Of the trees.
    threads : int, default 1
        How many LightGBM may use; they change nothing.
    deadline : float or None
        Reading of `time.monotonic` after which no round begins and no tree is added.

    Returns
    -------
    LearnedRatio or None
        None if the first round finds nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wanted, pool = np.zeros((2000, 1)), rng.integers(0, 2, (2000, 1)) * 1.0
    >>> ratio = learn_ratio(wanted, pool, np.array([False]), rng=rng)
    >>> ratio.weights(np.array([[0.0], [1.0]])).round(1)
    array([1., 0.])
    """
    made: list[Round] = []
    gains: list[float] = []
    log_weights = np.zeros(len(pool))
    counts = np.ones(len(wanted)) if counts is None else counts / counts.mean()
    size = min(len(wanted), len(pool))
    while len(made) < rounds and (deadline is None or time.monotonic() < deadline):
        kept = rng.permutation(len(wanted))[:size]
        drawn, share = _draw(_weights(log_weights), size, rng)
        cases = Cases(
            np.concatenate([wanted[kept], pool[drawn]]),
            np.repeat(np.array([1, 0]), size),
            np.concatenate([counts[kept], share]),
        )
        half = np.concatenate([rng.permutation(size), rng.permutation(size)]) < size // 2
        pair, gain = _grow_pair(cases, half, categorical, growth, threads, deadline)
        if gain is None:
            break
        gains.append(gain)
        log_weights += _score(pair, pool, threads)
        highest = float(np.log(most_weight))
        rake = Rake.learn(
            wanted, pool, categorical, counts=counts, log_weights=log_weights, highest=highest
        )
        log_weights = np.minimum(log_weights + rake.log_weights(pool), highest)
        made.append(Round(pair, rake, highest))
    if not made:
        return None
    return LearnedRatio(tuple(made), tuple(gains), effective_share(_weights(log_weights)))


def _draw(weights: Floats, size: int, rng: np.random.Generator) -> tuple[Integers, Floats]:
    """Rows drawn by weight, and how much each stands for: 1 on average.

    Where a row's weight asks for more than the row itself, it counts more (Horvitz and Thompson,
    1952). Else the next round would find the same lack again, and weigh it twice.
    """
    drawn = select(weights, size, rng)
    share = weights[drawn] / inclusion(weights, size)[drawn]
    return drawn, share / share.mean()


def _grow_pair(
    cases: Cases,
    half: Mask,
    categorical: Mask,
    growth: Growth,
    threads: int,
    deadline: float | None,
) -> tuple[Pair, float | None]:
    """Two models, each grown on a half, and what they told of the other in nats, if anything."""
    models, told = [], np.empty(len(cases.rows))
    for part in (half, ~half):
        train, held = cases.take(part), cases.take(~part)
        model = grow(train, held, categorical, growth=growth, threads=threads, deadline=deadline)
        told[~part] = np.log(2) - log_loss(model.probabilities(held.rows, threads), held.labels)
        models.append(model)
    assert cases.weights is not None
    told *= cases.weights
    gain = float(told.mean())
    error = float(told.std() / np.sqrt(len(told)))
    first, second = models
    return (first, second), gain if gain > max(LEAST_GAIN, LEAST_ERRORS * error) else None


def _score(pair: Pair, rows: Floats, threads: int) -> Floats:
    first, second = (each.scores(rows, threads) for each in pair)
    return np.asarray(0.5 * (first + second))


def _weights(log_weights: Floats) -> Floats:
    return np.asarray(np.exp(np.maximum(log_weights - log_weights.max(), LEAST_LOG_WEIGHT)))
