"""Readable bins: where a picture of numbers, dates or spans of time cuts, and its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.evaluation.columns import Floats, NumberColumn

MOST_BINS = 32
TAIL = 0.005
LONG = 12

_SECOND = 1_000_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3_600 * _SECOND, 86_400 * _SECOND
# Widths in microseconds that people count time in; longer ones are whole months.
_WIDTHS = [
    *(step * _SECOND for step in (1, 5, 15, 30)),
    *(step * _MINUTE for step in (1, 5, 15, 30)),
    *(step * _HOUR for step in (1, 3, 6, 12)),
    *(step * _DAY for step in (1, 2, 7, 14)),
]
_MONTHS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200]
_SPANS = [(_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (_SECOND, "s")]

Text = Callable[[float], str]


@dataclass(frozen=True)
class Bins:
    """Bins over the middle of a real column; the outer two hold whatever lies beyond.

    Attributes
    ----------
    edges : array of shape (n_bins + 1,)
        In the column's own numbers; microseconds for moments and spans of time.
    labels : list of str
        What each bin holds, in words.
    ticks : list of [float, str]
        Places along the axis, 0 to 1, and what stands there.
    """

    edges: Floats
    labels: list[str]
    ticks: list[list[Any]]

    def shares(self, values: Floats, rows: int) -> list[float]:
        """Share of `rows` in each bin; NaN lies in none."""
        known = values[~np.isnan(values)]
        places = np.searchsorted(self.edges[1:-1], known, side="right")
        counts = np.bincount(places, minlength=len(self.labels))
        return [round(float(share), 6) for share in counts / max(rows, 1)]


def bins_of(column: NumberColumn, kind: Any) -> Bins | None:
    """Bins for a real column, at most about 32 over its 0.5 to 99.5 % range.

    Parameters
    ----------
    column : NumberColumn
        The real column.
    kind : pyarrow.DataType
        Its type in the table, which says how its numbers read.

    Returns
    -------
    Bins or None
        None where the column holds no finite value.

    Examples
    --------
    >>> ages = pa.chunked_array([[18, 19, 20, 20]])
    >>> bins_of(NumberColumn("age", ages), ages.type).labels
    ['18', '19', '20']
    """
    low, high = _middle(column)
    return None if low > high else _opened(_cut(column, kind, low, high), column)


def _cut(column: NumberColumn, kind: Any, low: float, high: float) -> Bins:
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _moments(low, high)
    if pa.types.is_time(kind):
        return _even(low, high, _time_width(high - low), _clock)
    if pa.types.is_duration(kind):
        unit, name = next((u for u in _SPANS if high >= 2 * u[0]), _SPANS[-1])
        width = unit * nice_width((high - low) / unit / MOST_BINS)
        return _even(low, high, width, lambda at: f"{number_text(at / unit)} {name}")
    if column.whole:
        return _whole(low, high)
    bins = _even(low, high, nice_width((high - low) / MOST_BINS), number_text)
    if len(bins.labels) == 1:
        return bins
    return replace(bins, ticks=_round_ticks(bins.edges, number_text))


def _opened(bins: Bins, column: NumberColumn) -> Bins:
    """Say so where the outer bins hold real values that lie beyond their edges."""
    labels = list(bins.labels)
    if column.unique[0] < bins.edges[0]:
        labels[0] += " or less"
    if column.unique[-1] > bins.edges[-1]:
        labels[-1] += " or more"
    return replace(bins, labels=labels)


def nice_width(least: float, steps: Sequence[float] = (1, 2, 2.5, 5, 10)) -> float:
    """The smallest of the steps times a power of ten that is no less than `least`.

    Examples
    --------
    >>> nice_width(0.3), nice_width(12), nice_width(0)
    (0.5, 20.0, 1.0)
    """
    if not least > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(s * power for s in steps if s * power >= least * (1 - 1e-9)))


def number_text(value: float) -> str:
    """A number for an axis: at most four digits that count, thousands apart.

    Examples
    --------
    >>> number_text(12345.0), number_text(0.25), number_text(2.5e9)
    ('12,345', '0.25', '2.5e+09')
    """
    if value == 0:
        return "0"
    if 1e4 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _middle(column: NumberColumn) -> tuple[float, float]:
    """Smallest and largest finite value without the tails."""
    kept = np.isfinite(column.unique)
    if not kept.any():
        return 1.0, 0.0
    through = column.cumulative[1:]
    low = column.unique[min(int(np.searchsorted(through, TAIL)), len(through) - 1)]
    high = column.unique[min(int(np.searchsorted(through, 1 - TAIL)), len(through) - 1)]
    finite = column.unique[kept]
    return max(float(low), float(finite[0])), min(float(high), float(finite[-1]))


def _whole(low: float, high: float) -> Bins:
    width = max(1.0, nice_width((high - low + 1) / MOST_BINS, steps=(1, 2, 5, 10)))
    if not _separable(low, high, width):
        return _single(low, high, number_text)
    first = np.floor(low / width) * width
    starts = first + width * np.arange(int((high - first) // width) + 1)
    names = [number_text(start) for start in starts]
    if width > 1:
        ends = [number_text(start + width - 1) for start in starts]
        names = [f"{a} to {b}" for a, b in zip(names, ends, strict=True)]
    # Half a step down, so that a whole number lies in the middle of its bin.
    edges = np.append(starts, starts[-1] + width) - 0.5
    return Bins(edges, names, _round_ticks(edges, number_text, whole=True))


def _even(low: float, high: float, width: float, text: Text) -> Bins:
    if low == high or not _separable(low, high, width):
        return _single(low, high, text)
    first = np.floor(low / width) * width
    count = max(int(np.ceil((high - first) / width - 1e-9)), 1)
    return _between(first + width * np.arange(count + 1), text)


def _separable(low: float, high: float, width: float) -> bool:
    """Whether a float can say where each bin ends, and how far it is from the first to the last."""
    ends = (low - width, high + width, high - low + 2 * width)
    return all(isfinite(end) for end in ends) and low + width > low and high + width > high


def _single(low: float, high: float, text: Text) -> Bins:
    names = list(dict.fromkeys([text(low), text(high)]))
    places = [0.5] if len(names) == 1 else [0.0, 1.0]
    ticks: list[list[Any]] = [[at, name] for at, name in zip(places, names, strict=True)]
    return Bins(np.array([low, high]), [" to ".join(names)], ticks)


def _between(edges: Floats, text: Text) -> Bins:
    names = [text(edge) for edge in edges]
    labels = [f"{a} to {b}" for a, b in pairwise(names)]
    last = len(edges) - 1
    # Three long words would run into each other.
    places = sorted({0, last} if len(max(names, key=len)) > LONG else {0, last // 2, last})
    return Bins(edges, labels, [[round(at / last, 4), names[at]] for at in places])


def _round_ticks(edges: Floats, text: Text, *, whole: bool = False) -> list[list[Any]]:
    """Round numbers along an axis of numbers."""
    low, high = edges[0], edges[-1]
    step = nice_width((high - low) / 5, steps=(1, 2, 5, 10))
    step = max(step, 1.0) if whole else step
    numbers = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    return [[round(float((at - low) / (high - low)), 4), text(at)] for at in numbers]


def _time_width(span: float) -> float:
    return float(next((w for w in _WIDTHS if span / w <= MOST_BINS), _WIDTHS[-1]))


def _clock(at: float) -> str:
    minutes, seconds = divmod(round(at / _SECOND), 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{seconds:02d}" if seconds else text


def _moments(low: float, high: float) -> Bins:
    """Bins between moments: even ones up to two weeks, calendar months beyond."""
    if low == high:
        return _even(low, high, 1.0, lambda at: _iso(at, "s").removesuffix("T00:00:00"))
    width = _time_width(high - low)
    if (high - low) / width <= MOST_BINS:
        unit = "D" if width >= _DAY else "m" if width >= _MINUTE else "s"
        return _even(low, high, width, lambda at: _iso(at, unit))
    first, last = (_month(at) for at in (low, high))
    step = next((s for s in _MONTHS if (last - first + 1) / s <= MOST_BINS), _MONTHS[-1])
    first -= first % step
    months = np.arange(first, last + step + 1, step).astype("datetime64[M]")
    edges = months.astype("datetime64[us]").astype(np.float64)
    return _between(edges, lambda at: _iso(at, "Y" if step % 12 == 0 else "M"))


def _month(at: float) -> int:
    """Months since January 1970."""
    return int(np.datetime64(int(at), "us").astype("datetime64[M]").astype(np.int64))


def _iso(at: float, unit: Any) -> str:
    return str(np.datetime_as_string(np.datetime64(int(at), "us"), unit=unit))
