"""Figures beside their floors: one value, its interval and its marks on a small axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthgan.evaluation.paths import at, is_number, reason_for
from synthgan.evaluation.report.figures import FIGURES, FLOORS, Figure
from synthgan.evaluation.report.wording import text_of, words

# Axes are at least so long, so that differences without meaning look like none.
LEAST_PERCENT, LEAST_SHARE = 1.0, 0.02


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on an axis.

    Attributes
    ----------
    shape : str
        Name of its symbol on the page.
    label, text : str
        What it is, and its value in words.
    place : float
        Along the axis, in percent.
    """

    shape: str
    label: str
    text: str
    place: float


@dataclass(frozen=True, slots=True)
class Strip:
    """A figure, drawn on one axis with whatever it is held to.

    Attributes
    ----------
    path : str
        Where the figure stands in the result.
    label, text, hint, definition : str
        Its name, its value, which way is better, how it is defined.
    own : Mark or None
        The figure itself; None where it was not measured.
    span : tuple of float or None
        Ends of its interval, in percent of the axis; `span_text` has them in words.
    floors : list of Mark
        The floors, and other things it is compared with.
    ideal : float or None
        Where the best possible value lies, in percent of the axis.
    low, high : str
        What the ends of the axis are.
    reason : str
        Why it was not measured.
    """

    path: str
    label: str
    text: str
    hint: str
    definition: str
    own: Mark | None
    span: tuple[float, float] | None
    span_text: str
    floors: list[Mark]
    ideal: float | None
    low: str
    high: str
    reason: str

    @property
    def description(self) -> str:
        """The picture in words."""
        floors = ", ".join(f"{mark.label} {mark.text}" for mark in self.floors)
        return f"this table {self.text}" + (f"; {floors}" if floors else "")


def strips(result: Mapping[str, Any], paths: list[str]) -> list[Strip]:
    """The strips of those paths at which the result has something.

    Parameters
    ----------
    result : mapping
        The result of an evaluation.
    paths : list of str
        Dotted paths of figures.

    Examples
    --------
    >>> smote = {"manifold": {"recall": 0.5}}
    >>> result = {"manifold": {"recall": 0.25}, "floors": {"smote": smote}}
    >>> [strip.description for strip in strips(result, ["manifold.recall"])]
    ['this table 0.250; SMOTE-like mix 0.500']
    """
    made = (strip_of(result, path) for path in paths)
    return [strip for strip in made if strip is not None]


def strip_of(
    result: Mapping[str, Any], path: str, others: Mapping[str, Any] | None = None
) -> Strip | None:
    """The strip of one figure; `others` are more values to hold it to, by what they are called."""
    parent, _, key = path.rpartition(".")
    group = at(result, parent) if parent else result
    if not isinstance(group, Mapping) or key not in group:
        return None
    value = group[key]
    if value is not None and not is_number(value):
        return None
    figure = FIGURES.get(path) or Figure(words(key).capitalize(), "", None, "")
    floors = {name: at(found, path) for name, found in (at(result, "floors") or {}).items()}
    held = {**floors, **(others or {})}
    reason = reason_for(result, path) or ""
    return _strip(path, figure, value, group.get(f"{key}_interval"), held, reason)


def _strip(
    path: str, figure: Figure, value: Any, interval: Any, held: Mapping[str, Any], reason: str
) -> Strip:
    others = {name: other for name, other in held.items() if is_number(other)}
    span = interval if value is not None and _is_interval(interval) else None
    least = LEAST_PERCENT if path.endswith("_pct") else LEAST_SHARE
    axis = Axis([value, figure.ideal, *others.values(), *(span or [])], least, figure.ideal)
    return Strip(
        path=path,
        label=figure.label,
        text=text_of(value, path),
        hint=figure.better,
        definition=figure.text,
        own=None if value is None else Mark("own", "this table", text_of(value, path), axis(value)),
        span=(axis(span[0]), axis(span[1])) if span else None,
        span_text=f"{text_of(span[0], path)} to {text_of(span[1], path)}" if span else "",
        floors=[
            Mark(name, FLOORS.get(name, words(name)), text_of(other, path), axis(other))
            for name, other in others.items()
        ],
        ideal=None if figure.ideal is None else axis(figure.ideal),
        low=text_of(axis.low, path),
        high=text_of(axis.high, path),
        reason=reason if value is None else "",
    )


def _is_interval(interval: Any) -> bool:
    return isinstance(interval, list) and len(interval) == 2 and all(map(is_number, interval))


class Axis:
    """A line from the smallest to the largest of some values; calling it gives places in percent.

    Parameters
    ----------
    values : list
        What has to lie on the line; what is no number is passed over.
    least : float
        How long the line is at least.
    ideal : float or None
        The best value: a line that is too short grows upwards, but downwards from an ideal of 1.

    Examples
    --------
    >>> axis = Axis([0, 10, None])
    >>> axis(0), axis(5), axis(10)
    (0.0, 50.0, 100.0)
    >>> Axis([1.0, 1.0], 0.5, ideal=1.0)(1.0)
    100.0
    """

    def __init__(self, values: list[Any], least: float = 0.0, ideal: float | None = None) -> None:
        known = [float(value) for value in values if is_number(value)] or [0.0]
        self.low, self.high = min(known), max(known)
        if self.high - self.low < least and self.high == ideal == 1:
            self.low = self.high - least
        elif self.high - self.low < least:
            self.high = self.low + least

    def __call__(self, value: float) -> float:
        """Place of a value, in percent of the line."""
        width = self.high - self.low
        share = (value - self.low) / width if width > 0 else 0.5
        return round(100 * min(max(share, 0.0), 1.0), 2)
