"""How far a fit has come and how fast it should learn there, whichever budget binds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

WARM_UP_STEPS = 200
DECAY_SHARE = 0.5
FLOOR = 0.02


class Budget:
    """Progress from 0 to 1 by steps and, where there is a deadline, by the clock.

    Parameters
    ----------
    steps : int
        Steps at most.
    deadline : float or None
        Reading of `clock` at which training must have ended, in seconds.
    clock : callable, default time.monotonic
        The clock; tests bring their own.
    """

    def __init__(
        self, steps: int, deadline: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.steps, self.deadline, self._clock = steps, deadline, clock
        self._start = clock()

    def progress(self, step: int) -> float:
        """The larger of the shares of steps and of time that are used."""
        by_steps = step / self.steps
        if self.deadline is None:
            return by_steps
        span = self.deadline - self._start
        by_time = (self._clock() - self._start) / span if span > 0 else 1.0
        return max(by_steps, by_time)

    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def seconds_left(self) -> float:
        """Seconds to the deadline, infinite without one."""
        return math.inf if self.deadline is None else self.deadline - self._clock()


class Schedule:
    """Warm up, hold, and fall along a half cosine over the last part of the budget.

    A plateau brings the fall forward: it then takes as large a share of the shortened run.

    Parameters
    ----------
    peak : float
        The rate that is held.
    """

    def __init__(self, peak: float) -> None:
        self.peak = peak
        self.start, self.end = 1.0 - DECAY_SHARE, 1.0

    @property
    def falling_early(self) -> bool:
        """Whether a plateau has cut the run short."""
        return self.end < 1.0

    def rate(self, step: int, progress: float) -> float:
        """The learning rate at this step and share of the budget."""
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        if progress <= self.start:
            return self.peak * warm
        fallen = min(1.0, (progress - self.start) / (self.end - self.start))
        return self.peak * warm * (FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * fallen)))

    def fall_from(self, progress: float) -> None:
        """Begin the fall here, if it has not begun yet."""
        if progress < self.start:
            self.start, self.end = progress, progress / (1.0 - DECAY_SHARE)
