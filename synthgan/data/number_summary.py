"""Mergeable summaries of numbers: what chunks say of a column, put together in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.fineness import Fineness
from synthgan.data.heavy import HeavyValues
from synthgan.data.ticks import from_order_keys, order_keys, tick_dtype, to_ticks

EXACT_VALUES = 100_000
# From this share of the rows on, a value beyond the exact limit is found by itself.
HEAVY_SHARE = 1e-3


@dataclass(frozen=True, eq=False)
class NumberSummary:
    """The values of a column of numbers, dates, times or durations, as ticks.

    Up to `EXACT_VALUES` different values every value and its count is exact. Beyond, neighbouring
    values share a bucket: values whose order keys (see `order_keys`) agree but for the lowest
    `shift` bits, where `shift` is the smallest that leaves at most `EXACT_VALUES` buckets. That
    makes it a function of the set of values alone, so any split into chunks, merged in any order,
    gives an equal summary.

    The error of the sketch: counts of buckets, and therefore ranks at their ends, are exact; a
    value's place inside its bucket is lost. Buckets are equally wide for whole numbers (range /
    50,000 at most) and of equal relative width for floats. A value that fills at least a
    thousandth of the rows is found even inside a bucket (see `HeavyValues`), its count too high by
    at most the rows that share its cell there, on average a 4,096th of all.

    Attributes
    ----------
    rows, missing : int
        All cells, and those without a value.
    dtype : numpy.dtype
        int64, uint64 or float64.
    shift : int
        Bits cut off; 0 while exact.
    keys : ndarray of int64
        Buckets in order.
    counts : ndarray of int64
        Rows in each.
    lows, highs : ndarray of int64
        Order keys of the lowest and highest value in each.
    fineness : Fineness
        Decimals and steps of the values.
    heavy : HeavyValues or None
        Values that fill much of their bucket; None while exact.
    """

    rows: int
    missing: int
    dtype: np.dtype[Any]
    shift: int
    keys: np.ndarray
    counts: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    fineness: Fineness
    heavy: HeavyValues | None = None

    @property
    def exact(self) -> bool:
        """Whether every value has its own count."""
        return self.shift == 0

    @property
    def decimals(self) -> int | None:
        """Fewest decimals that reproduce every value; None if there are more than nine."""
        return self.fineness.decimals

    @property
    def values(self) -> np.ndarray:
        """The different values in order; beyond the exact limit, the lowest of each bucket."""
        return from_order_keys(self.lows, self.dtype)

    @property
    def lowest(self) -> Any:
        """The lowest value."""
        return self.values[0].item()

    @property
    def highest(self) -> Any:
        """The highest value."""
        return from_order_keys(self.highs[-1:], self.dtype)[0].item()

    def ranges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lowest value, highest value and count of buckets in order, heavy values by themselves.

        Returns
        -------
        lows, highs, counts : ndarray of shape (ranges,)
            `lows` and `highs` agree where the range is one value.
        """
        lows, highs, counts = self.lows, self.highs, self.counts
        if self.heavy is not None:
            found, totals = self.heavy.found(HEAVY_SHARE * (self.rows - self.missing))
            lows, highs, counts = _set_apart(lows, highs, counts, found, totals)
        return from_order_keys(lows, self.dtype), from_order_keys(highs, self.dtype), counts

    def merge(self, other: NumberSummary) -> NumberSummary:
        """The summary of both columns' cells together."""
        if self.dtype != other.dtype:
            raise ValueError(f"expected ticks of type {self.dtype}, found {other.dtype}")
        shift = max(self.shift, other.shift)
        pair = (self.keys >> (shift - self.shift), other.keys >> (shift - other.shift))
        keys = np.concatenate(pair)
        order = np.argsort(keys, kind="stable")
        counts, lows, highs = (
            np.concatenate(pair)[order]
            for pair in (
                (self.counts, other.counts),
                (self.lows, other.lows),
                (self.highs, other.highs),
            )
        )
        heavy = None
        if self.heavy is not None or other.heavy is not None:
            heavy = self._heavy_values().merge(other._heavy_values())
        return _grouped(
            self.rows + other.rows,
            self.missing + other.missing,
            self.dtype,
            (keys[order], counts, lows, highs),
            shift,
            self.fineness.merge(other.fineness),
            heavy,
        )

    def _heavy_values(self) -> HeavyValues:
        return self.heavy or HeavyValues.of(self.lows, self.counts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NumberSummary):
            return NotImplemented
        plain = ("rows", "missing", "dtype", "shift", "fineness", "heavy")
        arrays = ("keys", "counts", "lows", "highs")
        return all(getattr(self, name) == getattr(other, name) for name in plain) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays
        )

    __hash__ = None  # type: ignore[assignment]


def _grouped(
    rows: int,
    missing: int,
    dtype: np.dtype[Any],
    sorted_parts: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    shift: int,
    fineness: Fineness,
    heavy: HeavyValues | None,
) -> NumberSummary:
    """Put equal buckets together, and widen them until there are few enough."""
    keys, counts, lows, highs = sorted_parts
    more = _bits_to_cut(keys)
    if more and shift == 0:
        # the last moment at which every value still stands by itself
        heavy = HeavyValues.of(lows, counts) if heavy is None else heavy
    keys, shift = keys >> more, shift + more
    if len(keys):
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        keys, counts = keys[starts], np.add.reduceat(counts, starts)
        lows, highs = np.minimum.reduceat(lows, starts), np.maximum.reduceat(highs, starts)
    return NumberSummary(rows, missing, dtype, shift, keys, counts, lows, highs, fineness, heavy)


def _bits_to_cut(keys: np.ndarray) -> int:
    """The fewest low bits to cut so that at most EXACT_VALUES sorted keys stay different."""
    apart = (keys[1:] ^ keys[:-1]).view(np.uint64)
    low, high = 0, 64
    while low < high:
        middle = (low + high) // 2
        if np.count_nonzero(apart >> np.uint64(middle)) + 1 > EXACT_VALUES:
            low = middle + 1
        else:
            high = middle
    return low


def _set_apart(
    lows: np.ndarray, highs: np.ndarray, counts: np.ndarray, found: np.ndarray, totals: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut single values out of the buckets they lie in; all as order keys."""
    place = np.searchsorted(lows, found, side="right") - 1
    inside = (place >= 0) & (found <= highs[place]) & (lows[place] < highs[place])
    found, totals, place = found[inside], totals[inside], place[inside]
    totals = np.minimum(totals, counts[place])
    parts = []
    for bucket in np.unique(place):
        here = place == bucket
        parts.append(_cut(lows[bucket], highs[bucket], counts[bucket], found[here], totals[here]))
    whole = np.ones(len(lows), dtype=bool)
    whole[place] = False
    parts.append(np.stack([lows[whole], highs[whole], counts[whole]]))
    merged = np.concatenate(parts, axis=1)
    merged = merged[:, (merged[2] > 0) & (merged[0] <= merged[1])]
    order = np.argsort(merged[0], kind="stable")
    return merged[0, order], merged[1, order], merged[2, order]


def _cut(low: int, high: int, count: int, found: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """One bucket as the single values in it and the ranges around them, of shape (3, ranges)."""
    order = np.argsort(found)
    found, totals = found[order], totals[order]
    starts = np.concatenate([[low], found + 1])
    ends = np.concatenate([found - 1, [high]])
    width = np.maximum((ends - starts + 1).astype(np.float64), 0.0)
    left = max(int(count) - int(totals.sum()), 0)
    edges = np.rint(np.cumsum(width) / max(width.sum(), 1.0) * left).astype(np.int64)
    between = np.diff(edges, prepend=0)
    return np.concatenate([np.stack([found, found, totals]), np.stack([starts, ends, between])], 1)


def summarise_numbers(array: pa.Array) -> NumberSummary:
    """Summarise the cells of an array whose type has ticks."""
    ticks, present = to_ticks(array)
    if present is not None:
        ticks = ticks[present]
    values, counts = _distinct(ticks)
    keys = order_keys(values)
    return _grouped(
        len(array),
        len(array) - len(ticks),
        tick_dtype(array.type),
        (keys, counts, keys, keys),
        0,
        Fineness.of(values, array.type),
        None,
    )


def _distinct(ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values in order, and their counts."""
    if ticks.dtype == np.int64 and len(ticks):
        low, high = int(ticks.min()), int(ticks.max())
        if high - low < max(len(ticks), 1_000):
            totals = np.bincount(ticks - low)
            values = np.flatnonzero(totals)
            return values + low, totals[values]
    values, counts = np.unique(ticks, return_counts=True)
    return values, counts
