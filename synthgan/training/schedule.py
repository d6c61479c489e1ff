"""How far a fit has come and how fast it should learn there, whichever budget binds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

WARM_UP_STEPS = 200
HASTE = 4.0
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
    """Warm up, then fall along half a cosine over the budget, to FLOOR of the peak.

    A plateau hastens the rest of the fall: it then takes HASTE times less of the budget.

    Parameters
    ----------
    peak : float
        The highest rate.
    """

    def __init__(self, peak: float) -> None:
        self.peak = peak
        self._turn, self._haste = 0.0, 1.0

    @property
    def end(self) -> float:
        """The share of the budget at which the fall is over."""
        return self._turn + (1.0 - self._turn) / self._haste

    @property
    def hastened(self) -> bool:
        """Whether a plateau has cut the run short."""
        return self._haste > 1.0

    def rate(self, step: int, progress: float) -> float:
        """The learning rate at this step and share of the budget."""
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        fallen = self.fallen(progress)
        return self.peak * warm * (FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * fallen)))

    def fallen(self, progress: float) -> float:
        """How much of the fall is over at this share of the budget, from 0 to 1."""
        return min(1.0, self._turn + (progress - self._turn) * self._haste)

    def hasten(self, progress: float) -> None:
        """Make the rest of the fall quick, from here on; only the first call counts."""
        if not self.hastened:
            self._turn, self._haste = progress, HASTE
