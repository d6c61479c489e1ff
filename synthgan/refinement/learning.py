"""Learning a refiner: at the end of a fit, from the real rows and a pool of generated ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from synthgan.boosting import Growth
from synthgan.data.features import Features
from synthgan.data.matrix import EncodedMatrix
from synthgan.density_ratio import LearnedRatio, learn_ratio
from synthgan.refinement.account import LEARNED, Refinement
from synthgan.refinement.conditionals import (
    Conditional,
    Table,
    learn_conditional,
    redrawable,
)
from synthgan.refinement.refiner import Refiner, between
from synthgan.sampling import Sampler, cut

LEAST_ROWS = 400
# a smaller pool teaches little, however small the one is that samples are chosen from
LEAST_FACTOR = 4
# more rows than these, or cells of the pool, teach little more and cost much
MOST_ROWS, MOST_CELLS = 100_000, 25_000_000
FIRST_ROUNDS, LAST_ROUNDS = 1, 2
# with a deadline: how much of the time left then each stage may grow trees for, which have to be
# asked about the pool as well, and real rows for each second
WEIGHING_SHARE, REDRAWING_SHARE, ROWS_PER_SECOND = 0.4, 0.65, 1_000
GROWTH = Growth(rate=0.25, leaves=31, least_rows=50, patience=8, most=300)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a refiner is learned from.

    Attributes
    ----------
    sampler : Sampler
        Draws the pool.
    features : Features
        What trees look at.
    real : EncodedMatrix
        The rows of the fit, with their weights if they have any.
    factor : int
        Rows of the pool for each real row.
    seed : int
        Decides everything.
    deadline : float or None
        Reading of `time.monotonic` by which to be done.
    """

    sampler: Sampler
    features: Features
    real: EncodedMatrix
    factor: int
    seed: int
    deadline: float | None = None


def learn_refiner(
    lesson: Lesson, say: Callable[[str], None] = lambda what: None
) -> tuple[Refiner | None, Refinement]:
    """Learn a refiner.

    Parameters
    ----------
    lesson : Lesson
        From what.
    say : callable
        Told what is going on.

    Returns
    -------
    Refiner or None
        None where there is nothing to refine by.
    Refinement
        What was learned, or why nothing was.
    """
    rows = lesson.real.rows
    if not lesson.features.names:
        return None, Refinement("nothing to learn")
    if rows < LEAST_ROWS:
        return None, Refinement(f"{rows:,} rows are too few: at least {LEAST_ROWS} are needed")
    started = time.monotonic()
    if lesson.deadline is not None and started >= lesson.deadline:
        return None, Refinement("no time was left")
    learner = _Learner(lesson, say)
    try:
        refiner = learner.learn()
    except KeyboardInterrupt:
        return None, Refinement("interrupted")
    seconds = time.monotonic() - started
    if refiner.is_idle:
        state = "no time was left" if learner.was_late else "trees find nothing to refine"
        return None, Refinement(state, seconds=seconds)
    return refiner, _account(refiner, seconds)


class _Learner:
    """One lesson: the pool moves through the cascade as the cascade grows."""

    def __init__(self, lesson: Lesson, say: Callable[[str], None]) -> None:
        self.lesson, self.features, self.say = lesson, lesson.features, say
        self.rng = np.random.default_rng(lesson.seed)
        # whether any stage ended by the clock, and so may have missed something
        self.was_late = False
        self.threads = torch.get_num_threads()
        most = min(MOST_ROWS, MOST_CELLS // (lesson.factor * len(lesson.features.names)))
        if lesson.deadline is not None:
            left = lesson.deadline - time.monotonic()
            most = min(most, max(LEAST_ROWS, int(left * ROWS_PER_SECOND)))
        real = lesson.real
        if real.rows > most:
            real = real.take(np.sort(self.rng.permutation(real.rows)[:most]))
        self.real = Table(real, self.features.of(real))

    def learn(self) -> Refiner:
        """The whole cascade, or as much of it as there is time for."""
        refiner = Refiner(self.features)
        self.say("refining: drawing a pool")
        pool = self._pool()
        if pool is None:
            return refiner
        self.say("refining: weighing")
        first = self._ratio(self.features.of(pool), FIRST_ROUNDS)
        refiner = replace(refiner, first=first)
        if self._is_late():
            return refiner
        kept = between(pool.rows, self.real.matrix.rows)
        rows, pool = refiner.choose(pool, kept, self.rng, threads=self.threads)
        refiner = replace(refiner, conditionals=self._conditionals(Table(pool, rows)))
        if refiner.is_idle or self._is_late():
            return refiner
        self.say("refining: weighing again")
        refiner.redraw(rows, pool, self.rng, threads=self.threads)
        return replace(refiner, last=self._ratio(rows, LAST_ROUNDS))

    def _pool(self) -> EncodedMatrix | None:
        wanted = self.lesson.factor * self.real.matrix.rows
        parts: list[EncodedMatrix] = []
        for block in cut(wanted):
            if self._is_late():
                return None
            pool = self.lesson.sampler.pool(block.rows, self.lesson.seed, block.number)
            parts.append(pool.take(slice(0, block.rows)))
        return EncodedMatrix.concat(parts)

    def _ratio(self, pool: Floats, rounds: int) -> LearnedRatio | None:
        until = self._until(WEIGHING_SHARE)
        found = learn_ratio(
            self.real.rows,
            pool,
            self.features.categorical,
            rng=self.rng,
            counts=self.real.matrix.weights,
            # beyond it even a certain row cannot be drawn as often as it should
            most_weight=math.sqrt(self.lesson.factor),
            rounds=rounds,
            growth=GROWTH,
            threads=self.threads,
            deadline=until,
        )
        self._is_late(until)
        return found

    def _conditionals(self, generated: Table) -> tuple[Conditional, ...]:
        found = []
        deadline = self._until(REDRAWING_SHARE)
        for column in redrawable(self.features):
            if self._is_late(deadline):
                break
            self.say(f"refining: {column.name}")
            conditional = learn_conditional(
                column,
                self.real,
                generated,
                self.features.categorical,
                rng=self.rng,
                threads=self.threads,
                deadline=deadline,
            )
            # half-grown trees may be worse than the generator: what was begun late is not kept
            if conditional is not None and not self._is_late(deadline):
                found.append(conditional)
        return tuple(sorted(found, key=lambda each: each.column.feature))

    def _until(self, share: float) -> float | None:
        """The reading of the clock by which a share of the time that is left is used."""
        if self.lesson.deadline is None:
            return None
        now = time.monotonic()
        return now + share * (self.lesson.deadline - now)

    def _is_late(self, deadline: float | None = None) -> bool:
        deadline = self.lesson.deadline if deadline is None else deadline
        late = deadline is not None and time.monotonic() >= deadline
        self.was_late |= late
        return late


def _account(refiner: Refiner, seconds: float) -> Refinement:
    first, last = refiner.first, refiner.last
    return Refinement(
        LEARNED,
        effective=1.0 if first is None else first.effective,
        rounds=() if first is None else first.gains,
        last_rounds=() if last is None else last.gains,
        columns={each.column.name: each.gain for each in refiner.conditionals},
        trees=refiner.trees,
        seconds=seconds,
    )
