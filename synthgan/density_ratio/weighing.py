"""Weights under which a pool of rows looks like a wanted table to boosted trees."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.boosting import GROWTH, Cases, Growth, Trees, grow, log_loss
from synthgan.raking import Rake
from synthgan.selection import effective_share, inclusion, select

# a round counts if it lowers the held-out log-loss by so many nats and standard errors: a
# thousandth of a nat is an AUC of about .525
LEAST_GAIN, LEAST_ERRORS = 2.5e-4, 2.0
# a row of weight exp(-30) beside the heaviest is never drawn
LEAST_LOG_WEIGHT = -30.0

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
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
