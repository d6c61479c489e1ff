"""Summaries made of counts: of a column that has these levels, or values in these cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.data.fineness import Fineness
from synthgan.data.number_summary import NumberSummary
from synthgan.data.summaries import LevelSummary, summarise
from synthgan.data.ticks import order_keys, to_ticks

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def number_summary(
    dtype: np.dtype[Any],
    lows: Floats,
    highs: Floats,
    counts: Integers,
    missing: int,
    decimals: int | None,
) -> NumberSummary:
    """The summary of a column whose values lie evenly in cells."""
    full = counts > 0
    if not full.any():
        lows, highs, counts, full = np.zeros(1), np.ones(1), np.ones(1, np.int64), np.ones(1, bool)
    lows, highs, counts = lows[full], highs[full], counts[full]
    # the highest value of a cell lies below the next one's first
    highs = np.nextafter(highs, lows) if decimals is None else np.ceil(highs) - 1.0
    highs = np.maximum(lows, highs)
    if decimals:
        lows, highs = lows / 10.0**decimals, highs / 10.0**decimals
    whole = dtype.kind != "f"
    ends = [order_keys(_as_ticks(each, dtype)) for each in (lows, highs)]
    fineness = Fineness(0, 1, lowest=int(lows[0])) if whole else Fineness(decimals)
    rows = int(counts.sum()) + missing
    return NumberSummary(rows, missing, dtype, 1, ends[0], counts, ends[0], ends[1], fineness)


def _as_ticks(values: Floats, dtype: np.dtype[Any]) -> np.ndarray:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    # the largest whole numbers have no float of their own
    inside = np.clip(values, np.nextafter(float(limits.min), 0), np.nextafter(float(limits.max), 0))
    return inside.astype(dtype)


def few_numbers(levels: pa.Array, counts: Integers, missing: int) -> NumberSummary:
    """The summary of a column of these numbers, taken as levels."""
    shown, kept = _present(levels, counts)
    each = summarise(shown)
    assert isinstance(each, NumberSummary)
    # a summary has its values in order
    kept = kept[np.argsort(to_ticks(shown)[0], kind="stable")]
    return replace(each, rows=int(kept.sum()) + missing, missing=missing, counts=kept)


def level_summary(levels: pa.Array, counts: Integers, missing: int) -> LevelSummary:
    """The summary of a column of these levels; what they look like nobody asks, once it is told."""
    shown, kept = _present(levels, counts)
    return LevelSummary(int(kept.sum()) + missing, missing, shown, kept)


def _present(levels: pa.Array, counts: Integers) -> tuple[pa.Array, Integers]:
    """The levels that have rows; the first one if none has."""
    full = np.flatnonzero(counts > 0) if (counts > 0).any() else np.arange(1)
    return levels.take(pa.array(full)), np.maximum(counts[full], 1)


def whole_counts(counts: Floats) -> Integers:
    """Whole numbers near to some counts: what rounding takes off one goes to the next."""
    ends: Integers = np.rint(np.cumsum(counts)).astype(np.int64)
    return np.asarray(np.diff(ends, prepend=np.int64(0)), dtype=np.int64)
