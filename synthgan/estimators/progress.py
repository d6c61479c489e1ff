"""A progress bar for people at a terminal; nothing at all for everyone else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn


class ProgressBar:
    """Show how far a fit has come: rows per second, losses, quality, time left.

    Used around a fit, and as a training callback inside it.

    Parameters
    ----------
    verbose : int
        0 shows nothing.
    console : rich.console.Console, optional
        Where to draw; by default the error stream, and only if that is a terminal.

    Examples
    --------
    >>> with ProgressBar(verbose=0) as bar:
    ...     bar({"step": 50.0, "seconds": 1.0, "seconds_left": 9.0})
    """

    def __init__(self, verbose: int, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._quality = math.nan
        self._bar: Progress | None = None
        if verbose and console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[state]}"),
                console=console,
            )
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("reading", total=1.0, state="")
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing; the bar is full if all went well."""
        if self._bar is not None:
            if error is None:
                self._bar.update(self._task, completed=1.0)
            self._bar.stop()

    def __call__(self, record: Mapping[str, float]) -> None:
        """Draw one record of the training history."""
        if self._bar is None:
            return
        if math.isfinite(record.get("quality", math.nan)):
            self._quality = record["quality"]
        self._bar.update(
            self._task, description="training", completed=_share(record), state=self._state(record)
        )

    def say(self, what: str) -> None:
        """Draw what is going on after training."""
        if self._bar is not None:
            self._bar.update(self._task, description=what, state="")

    def _state(self, record: Mapping[str, float]) -> str:
        parts = [
            f"{record.get('rows_per_second', math.nan):,.0f} rows/s",
            f"critic {record.get('critic_loss', math.nan):.3f}",
            f"generator {record.get('generator_loss', math.nan):.3f}",
        ]
        if math.isfinite(self._quality):
            parts.append(f"error {-self._quality:.2%}")
        parts.append(f"{_clock(record.get('seconds_left', math.nan))} left")
        return "  ".join(parts)


def _share(record: Mapping[str, float]) -> float:
    used, left = record.get("seconds", 0.0), record.get("seconds_left", math.inf)
    return used / (used + left) if used + left > 0 else 0.0


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"
