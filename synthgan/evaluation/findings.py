"""Findings: a figure's grade and words, and how figures and their floors are read from a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

from synthgan.evaluation.grades import LEAST_FLOOR, LEAST_ROWS, UNKNOWN
from synthgan.evaluation.paths import at, is_number

Result = Mapping[str, Any]
UNSURE = "too few rows to be sure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure's grade, and the figure in words."""

    grade: str
    reason: str


def ungraded(findings: Iterable[Finding], *, keep: tuple[str, ...] = ()) -> list[Finding]:
    """The same findings with the grade unknown, but for those whose grades are kept."""
    return [each if each.grade in keep else Finding(UNKNOWN, each.reason) for each in findings]


def led_by(
    leading: list[Finding], others: list[Finding], *, keep: tuple[str, ...] = ()
) -> list[Finding]:
    """Findings, of which the others count only where one of the leading ones is known.

    Examples
    --------
    >>> led_by([Finding("unknown", "a")], [Finding("good", "b"), Finding("poor", "c")])[-1].grade
    'unknown'
    >>> led_by([Finding("fair", "a")], [Finding("good", "b"), Finding("poor", "c")])[-1].grade
    'poor'
    """
    known = any(finding.grade != UNKNOWN for finding in leading)
    return [*leading, *(others if known else ungraded(others, keep=keep))]


def figure(result: Any, path: str) -> float | None:
    """The number at a path, None if there is none."""
    value = at(result, path)
    return float(value) if is_number(value) else None


def interval(result: Any, path: str, otherwise: float) -> tuple[float, float]:
    """Both ends of an interval; without one the given value twice."""
    found = at(result, path)
    if not isinstance(found, list | tuple) or len(found) != 2 or None in found:
        return otherwise, otherwise
    return float(found[0]), float(found[1])


def rows_used(result: Result) -> dict[str, float]:
    """Rows looked at of the real and of the synthetic table, where that is said."""
    found = {name: figure(result, f"tables.{name}.rows_used") for name in ("real", "synthetic")}
    return {name: rows for name, rows in found.items() if rows is not None}


def holdout_is_long(result: Result) -> bool:
    """Whether the holdout is not much shorter than the shorter of the two tables.

    The errors of a short table are those of chance, which excuse nothing in a longer one.
    """
    rows = figure(result, "floors.holdout.rows")
    if rows is None:
        rows = figure(result, "tables.holdout.rows_used")
    needed = LEAST_FLOOR * min(rows_used(result).values(), default=0.0)
    return rows is None or rows >= needed


def real_rows(
    result: Result,
    path: str,
    otherwise: float,
    *,
    worst: Callable[..., tuple[float, str]] = max,
) -> tuple[float, str]:
    """What real rows come to at a path, and that in words; else the given value, and nothing.

    The worse of a holdout that is long enough and of as many resampled real rows as the shorter of
    the two tables has: a short synthetic table is not held to a long holdout.
    """
    names = {"holdout": "the holdout", "bootstrap": "resampled real rows"}
    if not holdout_is_long(result):
        del names["holdout"]
    found = [(figure(result, f"floors.{name}.{path}"), name) for name in names]
    known = [(v * _noise(result, name, path), names[name]) for v, name in found if v is not None]
    return worst(known, key=lambda each: each[0]) if known else (otherwise, "")


def _noise(result: Result, name: str, path: str) -> float:
    """How much further fresh rows err by chance than rows that were resampled from the real ones.

    Fresh rows differ from the population, and so do the real ones; resampled rows differ from the
    real ones by their own draw only.
    """
    if name != "bootstrap" or not path.startswith("fidelity."):
        return 1.0
    drawn, real = figure(result, "floors.bootstrap.rows"), rows_used(result).get("real")
    return sqrt(1 + drawn / real) if drawn and real else sqrt(2)


def unseen_rows(result: Result, path: str) -> float:
    """What the holdout comes to at a path that is no larger in short tables; else 0."""
    rows = figure(result, "floors.holdout.rows")
    value = figure(result, f"floors.holdout.{path}")
    return value if value is not None and (rows is None or rows >= LEAST_ROWS) else 0.0


def margin(share: float, other: float, rows: float, *, tries: int = 1) -> float:
    """How far two shares, of so many rows each, may lie apart by chance (95 %, over all tries).

    Examples
    --------
    >>> round(margin(0.5, 0.5, 200), 2)
    0.1
    """
    normal = NormalDist().inv_cdf(1 - 0.025 / tries)
    return normal * sqrt((share * (1 - share) + other * (1 - other)) / max(rows, 1))
