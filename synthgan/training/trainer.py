"""The training loop: rounds of steps, checks of quality, a good state kept. It knows no GAN."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch

from synthgan.errors import SynthganWarning, TrainingError
from synthgan.training.check import Check
from synthgan.training.schedule import Budget, Schedule

logger = logging.getLogger("synthgan")

ROUND_STEPS = 50
ROUNDS_PER_CHECK = 10
# short budgets see some checks too
EARLY_CHECKS = (100, 250)
PATIENCE = 10
LEAST_GAIN = 0.01
RESTARTS = 5
# share of the best state's error by which checks of equal states differ
CHANCE = 0.1
# the same from which on a state is worse because the rate is too high, and checks to get over it
SWING, SWING_CHECKS = 0.25, 2
COLLAPSE_FACTOR = 2.0
COLLAPSE_MARGIN = 0.05
TAKE_OFF_CHECKS = 6
# share of lost rows beyond the best state's that is no chance any more, and checks to believe it
LOST_MARGIN = 0.005
LOST_CHECKS = 3
# steps of a run that was given time enough to draw everything
WHOLE_RUN = 3 * ROUND_STEPS * ROUNDS_PER_CHECK
TAKE_OFF_SHARE = 0.6
TAKE_OFF_ERROR = 0.1

Record = dict[str, float]
Callback = Callable[[Mapping[str, float]], bool | None]


class Game(Protocol):
    """What the trainer needs to know of a game."""

    def step(self, learning_rate: float, progress: float) -> dict[str, torch.Tensor]:
        """One move of every player, `progress` of the way from 0 to 1; named losses."""

    def snapshot(self) -> dict[str, torch.Tensor]:
        """A copy of the players."""

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a snapshot."""

    def broken_column(self) -> str | None:
        """The first column whose outputs are not finite."""

    def calm(self) -> None:
        """Keep the players smoother from here on."""

    def balance(self, losses: Mapping[str, float]) -> None:
        """Hold back a player that overpowers the other, by the mean losses of a round."""


class _Diverged(Exception):
    """No restart is left."""


class Trainer:
    """Play a game until its budget is used or its quality has stopped rising.

    Parameters
    ----------
    game : Game
        The players.
    budget : Budget
        Steps and, maybe, a deadline.
    peak_rate : float
        Learning rate after the warm-up.
    rows_per_step : int
        Rows in a batch, for rates in the history.
    steps_per_epoch : int
        Steps that see as many rows as the table has.
    quality : callable or None
        Judges the present state, at fixed step numbers.
    stop_on_plateau : bool
        Bring the end forward once quality has stopped rising.
    callbacks : sequence of callable
        Called with each record of the history; a true return value stops training.
    most_membership : float, default 1.0
        Training ends, at the state before, where an attack tells more of who was trained on.
    """

    def __init__(
        self,
        game: Game,
        budget: Budget,
        *,
        peak_rate: float,
        rows_per_step: int,
        steps_per_epoch: int,
        quality: Callable[[], Check] | None,
        stop_on_plateau: bool,
        callbacks: Sequence[Callback] = (),
        most_membership: float = 1.0,
    ) -> None:
        self.most_membership = most_membership
        self.game, self.budget, self.schedule = game, budget, Schedule(peak_rate)
        self.rows_per_step, self.steps_per_epoch = rows_per_step, steps_per_epoch
        self.quality, self.stop_on_plateau, self.callbacks = quality, stop_on_plateau, callbacks
        self.history: list[Record] = []
        self.step = 0
        self.best = self.kept = Check(-math.inf)
        self.kept_state = game.snapshot()
        self._checks: list[Check] = []
        self._bad_checks = self._restarts = self._slowed_at = 0
        self._check_seconds = 0.0
        self._untrained = -math.inf

    def run(self) -> str:
        """Train; the kept state is in the game afterwards. Returns why training ended."""
        try:
            if self.quality is not None:
                self._untrained = self._timed_quality().quality
            reason = self._rounds()
        except KeyboardInterrupt:
            reason = "interrupted"
            logger.warning("training was interrupted at step %d: the model is kept", self.step)
        except _Diverged as trouble:
            if not math.isfinite(self.kept.quality):
                raise TrainingError(f"{trouble}.") from None
            warnings.warn(f"{trouble}. The best state is kept.", SynthganWarning, stacklevel=2)
            self.game.restore(self.kept_state)
            return "diverged"
        try:
            self._settle()
        except KeyboardInterrupt:
            self.game.restore(self.kept_state)
        return reason

    def _rounds(self) -> str:
        while (progress := self.budget.progress(self.step)) < self.schedule.end:
            losses, record = self._round()
            self.history.append(record)
            if not all(map(math.isfinite, losses.values())):
                self._recover(self._broken())
            elif self._check_is_due():
                record["quality"], record["lost"] = self._check(progress)
                if self._tells_of_members():
                    return "membership"
            self.game.balance(losses)
            if any([callback(record) for callback in self.callbacks]):
                return "callback"
        if self.schedule.hastened:
            return "plateau"
        return "max_seconds" if self.step < self.budget.steps else "epochs"

    def _round(self) -> tuple[Record, Record]:
        """Up to ROUND_STEPS steps; the means of their losses, and the record of the round."""
        sums: dict[str, torch.Tensor] = {}
        started, steps, rate = time.perf_counter(), 0, 0.0
        while steps < ROUND_STEPS:
            progress = self.budget.progress(self.step)
            if progress >= self.schedule.end:
                break
            rate = self.schedule.rate(self.step, progress)
            losses = self.game.step(rate, self.schedule.fallen(progress))
            for name, loss in losses.items():
                sums[name] = sums[name] + loss if name in sums else loss
            self.step, steps = self.step + 1, steps + 1
        means = {name: float(total) / max(steps, 1) for name, total in sums.items()}
        pace = steps * self.rows_per_step / max(time.perf_counter() - started, 1e-9)
        return means, self._record(means, rate, pace)

    def _record(self, losses: Record, rate: float, pace: float) -> Record:
        progress = self.budget.progress(self.step) / self.schedule.end
        seconds = self.budget.seconds()
        return {
            "step": self.step,
            "epoch": self.step / self.steps_per_epoch,
            "seconds": seconds,
            "seconds_left": seconds * (1.0 / max(progress, 1e-9) - 1.0),
            "rows_per_second": pace,
            "learning_rate": rate,
            **{"critic_loss": math.nan, "generator_loss": math.nan, "penalty": math.nan},
            **losses,
            "quality": math.nan,
            "lost": math.nan,
        }

    def _check_is_due(self) -> bool:
        due = self.step % (ROUND_STEPS * ROUNDS_PER_CHECK) == 0 or self.step in EARLY_CHECKS
        return self.quality is not None and due and self._can_afford_check()

    def _can_afford_check(self) -> bool:
        return self.budget.seconds_left() > 1.5 * self._check_seconds

    def _check(self, progress: float) -> tuple[float, float]:
        """Judge the present state: keep it if good, recover if collapsed, end early if flat."""
        found = self._timed_quality()
        self._checks.append(found)
        self._keep(found)
        if self._has_collapsed(found):
            self._recover(f"quality fell to {found.quality:.3f}{_lacking(found)}")
        elif self._has_not_taken_off():
            self._recover(f"quality has not risen above {self.best.quality:.3f}")
        elif self._keeps_losing():
            self._recover(
                f"rows like {found.lost:.1%} of the table's are no longer drawn{_lacking(found)}"
            )
        elif self._swings(found):
            self._slow_down(found)
        elif self.stop_on_plateau and self._is_flat():
            self.schedule.hasten(progress)
        return found.quality, found.lost

    def _tells_of_members(self) -> bool:
        """Whether the last check found more of who was trained on than is allowed."""
        return bool(self._checks) and self._checks[-1].membership > self.most_membership

    def _keep(self, found: Check) -> None:
        """Keep the present state unless an earlier one was better beyond chance.

        While the rate falls a generator goes on learning what a check of columns and pairs on few
        rows no longer tells from chance: of states that look alike, the last is the best.
        """
        if found.membership > self.most_membership:
            return
        if found.worth > self.best.worth:
            self.best = found
        if found.worth >= self.best.worth - CHANCE * abs(self.best.quality):
            self.kept, self.kept_state = found, self.game.snapshot()

    def _timed_quality(self) -> Check:
        assert self.quality is not None
        started = time.perf_counter()
        found = self.quality()
        self._check_seconds = time.perf_counter() - started
        return found

    def _swings(self, found: Check) -> bool:
        """Clearly worse than the best state, and not just after the rate was lowered for that."""
        worse = self._bad_checks == 0 and found.quality < (1.0 + SWING) * self.best.quality
        return worse and len(self._checks) - self._slowed_at >= SWING_CHECKS

    def _slow_down(self, found: Check) -> None:
        """Halve the rate from here on: players that are too fast chase each other in circles."""
        self._slowed_at = len(self._checks)
        self.schedule.peak /= 2.0
        logger.info(
            "step %d: quality fell from %.4f to %.4f; the learning rate is halved to %.2g",
            self.step,
            self.best.quality,
            found.quality,
            self.schedule.peak,
        )

    def _has_collapsed(self, found: Check) -> bool:
        """Two checks in a row with far more error than the best one had."""
        limit = COLLAPSE_FACTOR * self.best.quality - COLLAPSE_MARGIN
        self._bad_checks = self._bad_checks + 1 if found.quality < limit else 0
        return self._bad_checks >= 2

    def _keeps_losing(self) -> bool:
        """Several checks in a row without kinds of rows that the best state does draw."""
        limit = self.best.lost + LOST_MARGIN
        recent = self._checks[-LOST_CHECKS:]
        return len(recent) == LOST_CHECKS and all(check.lost > limit for check in recent)

    def _has_not_taken_off(self) -> bool:
        """After a few checks still little better than the untrained generator."""
        late = len(self._checks) == TAKE_OFF_CHECKS
        # a table of coin flips is drawn well before any training: that is no failure
        return late and self.best.quality < min(TAKE_OFF_SHARE * self._untrained, -TAKE_OFF_ERROR)

    def _is_flat(self) -> bool:
        """Whether the later half of a long run has brought next to nothing."""
        half = len(self._checks) // 2
        if half < PATIENCE:
            return False
        worths = [check.worth for check in self._checks]
        before, recent = max(worths[:half]), max(worths[half:])
        # qualities are minus an error: a gain is measured against the error that was left
        return recent - before < LEAST_GAIN * abs(before)

    def _broken(self) -> str:
        column = self.game.broken_column()
        where = f" (first in column {column!r})" if column else ""
        return f"losses stopped being finite{where}"

    def _recover(self, what: str) -> None:
        """Go back to the best state at half the rate, or give up."""
        self._restarts += 1
        if self._restarts > RESTARTS:
            raise _Diverged(
                f"step {self.step}: {what}, after {RESTARTS} restarts at lower learning rates, "
                f"the last at {self.schedule.peak:.2g}; set a lower learning_rate or a higher "
                "penalty"
            )
        self.schedule.peak /= 2.0
        self.game.calm()
        self.game.restore(self.kept_state)
        self._bad_checks, self._slowed_at, self._checks = 0, 0, []
        warnings.warn(
            f"step {self.step}: {what}; training goes on from the best state so far with the "
            f"learning rate halved to {self.schedule.peak:.2g} and a stronger penalty",
            SynthganWarning,
            stacklevel=2,
        )

    def _settle(self) -> None:
        """Leave the kept state in the game; the last one, if it was never checked, competes."""
        if self.quality is None:
            return
        if not self.history or math.isnan(self.history[-1]["quality"]):
            if not self._can_afford_check():
                # no time is left to judge the last state: late in the fall it is the best
                return
            last = self._timed_quality()
            if math.isfinite(last.quality):
                self._keep(last)
        self.game.restore(self.kept_state)
        self._tell_what_is_lost()

    def _tell_what_is_lost(self) -> None:
        """Warn of rows that the kept state hardly draws; a short run says so in its history."""
        whole = self.stop_on_plateau or self.step >= WHOLE_RUN
        if whole and self.kept.lost > LOST_MARGIN:
            warnings.warn(
                f"rows like {self.kept.lost:.1%} of the table's are hardly ever drawn"
                f"{_lacking(self.kept)}; train longer, or set pack=2 or a lower learning_rate",
                SynthganWarning,
                stacklevel=2,
            )


def _lacking(found: Check) -> str:
    """What is lost, in words."""
    return f" (first {'; '.join(found.parts)})" if found.parts else ""
