"""Levels as arrays: sorted, looked up, and stored as numbers without pickle or JSON."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.arrow_types import TEXT, is_text
from synthgan.data.level_summary import LevelSummary
from synthgan.data.number_summary import NumberSummary
from synthgan.data.ticks import from_ticks, has_ticks, tick_dtype, to_ticks


def level_type(found: pa.DataType) -> pa.DataType:
    """Return the type of the levels of a column of the given type."""
    return found.value_type if pat.is_dictionary(found) else found


def counted_levels(
    summary: LevelSummary | NumberSummary, found: pa.DataType
) -> tuple[pa.Array, np.ndarray]:
    """Return all levels, the most frequent first, else in order, and their counts."""
    if isinstance(summary, NumberSummary):
        levels, counts = from_ticks(summary.values, level_type(found)), summary.counts
    else:
        levels, counts = summary.in_order()
    order = np.argsort(-counts, kind="stable")
    return levels.take(pa.array(order)), counts[order]


def places_in(array: pa.Array, known: pa.Array) -> np.ndarray:
    """Return where each value stands among the known ones, -1 for unknown values and nulls."""
    if pat.is_dictionary(array.type):
        of_code = places_in(array.dictionary, known).astype(np.int32)
        codes = np.asarray(array.indices.fill_null(len(of_code)))
        return np.append(of_code, np.int32(-1)).take(codes)
    if array.type != known.type:
        array = array.cast(known.type)
    place = pc.index_in(array, value_set=known)
    return np.asarray(place.fill_null(-1) if place.null_count else place)


def levels_to_arrays(levels: pa.Array) -> dict[str, np.ndarray]:
    """Return levels as arrays of numbers: text as its bytes and where each one ends."""
    if is_text(levels.type):
        texts = levels.to_pylist()
        encoded = [text.encode() for text in texts]
        ends = np.cumsum([len(each) for each in encoded], dtype=np.int64)
        return {"text": np.frombuffer(b"".join(encoded), np.uint8), "ends": ends}
    if pat.is_boolean(levels.type):
        return {"ticks": np.asarray(levels.cast(pa.uint8()))}
    return {"ticks": to_ticks(levels)[0]}


def levels_from_arrays(arrays: Mapping[str, np.ndarray], found: pa.DataType) -> pa.Array:
    """Return the levels that `levels_to_arrays` wrote."""
    if is_text(found):
        offsets = np.concatenate([[0], arrays["ends"]]).astype(np.int64)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(arrays["text"]))]
        levels = pa.Array.from_buffers(TEXT, len(arrays["ends"]), buffers)
        levels.validate(full=True)
        return levels.cast(found)
    if has_ticks(found):
        return from_ticks(arrays["ticks"].astype(tick_dtype(found), copy=False), found)
    return pa.array(arrays["ticks"].astype(bool))
