"""A fixed hash of levels, the same on every machine and in every run, at array speed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthgan.data.arrow_types import is_text
from synthgan.data.ticks import has_ticks, order_keys, to_ticks

_BASE = np.uint64(0x100000001B3)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(numbers: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers: the finaliser of SplitMix64 (Steele et al. 2014)."""
    mixed = numbers + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def hashes(levels: pa.Array) -> np.ndarray:
    """Hashes of shape (levels,), uint64; of texts a polynomial of their bytes, then scattered."""
    if has_ticks(levels.type):
        return mix(order_keys(to_ticks(levels)[0]).view(np.uint64))
    if not is_text(levels.type):
        return mix(np.asarray(levels.cast(pa.uint8())).astype(np.uint64))
    levels = levels.cast(pa.large_string())
    _, offset_buffer, data = levels.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[levels.offset :][: len(levels) + 1]
    lengths = np.diff(offsets)
    letters = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if offsets[-1] else None
    totals = lengths.astype(np.uint64)
    filled = np.flatnonzero(lengths)
    if letters is None or not len(filled):
        return mix(totals)
    starts = (offsets[:-1] - offsets[0])[filled]
    place = np.arange(len(letters)) - np.repeat(starts, lengths[filled])
    powers = _BASE ** np.arange(int(lengths.max()), dtype=np.uint64)
    terms = (letters.astype(np.uint64) + np.uint64(1)) * powers[place]
    totals[filled] += mix(np.add.reduceat(terms, starts))
    return mix(totals)
