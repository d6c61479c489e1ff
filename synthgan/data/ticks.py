"""Ticks: the numbers behind Arrow columns that have an order, and the way back."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

from synthgan.data.arrow_types import is_number, own_value

# Digits of ISO text that Python's datetimes have no room for.
_BEYOND_MICROSECONDS = re.compile(r"[.,]\d{6}(\d{1,3})")
_SIGN = np.int64(-(2**63))
_MAGNITUDE = np.int64(2**63 - 1)


def has_ticks(found: pa.DataType) -> bool:
    """Say whether values of the type lie on a line: numbers, dates, times, durations."""
    return bool(is_number(found) or pat.is_temporal(found))


def tick_dtype(found: pa.DataType) -> np.dtype[Any]:
    """Return the dtype of the ticks: float64 for floats and decimals, else 64-bit whole numbers."""
    if pat.is_floating(found) or pat.is_decimal(found):
        return np.dtype(np.float64)
    return np.dtype(np.uint64 if pat.is_uint64(found) else np.int64)


def to_ticks(array: pa.Array) -> tuple[np.ndarray, np.ndarray | None]:
    """Return ticks and which of them count.

    Parameters
    ----------
    array : pyarrow.Array
        Of a type that has ticks.

    Returns
    -------
    ticks : ndarray of shape (rows,)
        Anything where the cell is missing.
    present : ndarray of bool of shape (rows,) or None
        None where no cell is missing; NaN is missing.
    """
    present = np.asarray(array.is_valid()) if array.null_count else None
    if pat.is_decimal(array.type):
        array = array.cast(pa.float64())
    ticks = _raw(array).astype(tick_dtype(array.type), copy=False)
    if ticks.dtype.kind == "f":
        ticks = ticks + 0.0  # -0.0 and 0.0 are one value
        known = ~np.isnan(ticks)
        if not known.all():
            present = known if present is None else present & known
    return ticks, present


def _raw(array: pa.Array) -> np.ndarray:
    """The numbers in an array's memory; whatever lies there where a cell is missing."""
    found, buffer = array.type, array.buffers()[1]
    width = np.dtype(f"i{found.bit_width // 8}")
    dtype = width if pat.is_temporal(found) else np.dtype(found.to_pandas_dtype())
    if buffer is None:
        return np.zeros(len(array), dtype=dtype)
    return np.frombuffer(buffer, dtype=dtype)[array.offset : array.offset + len(array)]


def from_ticks(
    ticks: np.ndarray, found: pa.DataType, missing: np.ndarray | None = None
) -> pa.Array:
    """Return ticks as an Arrow array of the type, null where `missing` says so."""
    if pat.is_decimal(found):
        return pa.array(ticks, mask=missing).cast(found)
    if pat.is_temporal(found):
        width = np.int32 if found.bit_width == 32 else np.int64
        return pa.array(ticks.astype(width, copy=False), mask=missing).view(found)
    return pa.array(ticks.astype(found.to_pandas_dtype(), copy=False), mask=missing)


def round_to(values: np.ndarray, decimals: int) -> np.ndarray:
    """Round floats; those beyond 2**53 are whole numbers already, and would only overflow."""
    if not len(values) or max(-values.min(), values.max()) < 2**53:
        # adding 0.0 turns -0.0 into 0.0
        return np.asarray(np.round(values, decimals) + 0.0)
    large = np.abs(values) >= 2**53
    return np.where(large, values, np.round(np.where(large, 0.0, values), decimals) + 0.0)


def order_keys(ticks: np.ndarray) -> np.ndarray:
    """Return 64-bit signed whole numbers in the same order as the ticks, one for each value.

    Of a double the key is its own bits, those below the sign turned round where it is negative.

    Examples
    --------
    >>> order_keys(np.array([-1.5, 0.0, 2.0])).argsort()
    array([0, 1, 2])
    """
    if ticks.dtype == np.uint64:
        return np.asarray(ticks.view(np.int64) ^ _SIGN)
    if ticks.dtype == np.float64:
        bits = ticks.view(np.int64)
        return np.asarray(np.where(bits < 0, bits ^ _MAGNITUDE, bits))
    return ticks


def from_order_keys(keys: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return the ticks of some keys."""
    if dtype == np.uint64:
        return np.asarray((keys ^ _SIGN).view(np.uint64))
    if dtype == np.float64:
        return np.asarray(np.where(keys < 0, keys ^ _MAGNITUDE, keys)).view(np.float64)
    return keys


def value_ticks(values: Iterable[Any], found: pa.DataType) -> list[Any]:
    """Return the ticks, as Python numbers, of values that a user wrote.

    Raises
    ------
    ValueError
        If a value is not one of the type's.
    """
    return [_value_tick(value, found) for value in values]


def _value_tick(value: Any, found: pa.DataType, up: bool = False) -> Any:
    """One value's tick; what falls between two goes to the lower one, or `up`."""
    if (moment := _exact_moment(value, found)) is not None:
        return _moment_tick(moment, found, up)
    own = own_value(value, found)
    if pat.is_integer(found):
        return own
    if pat.is_floating(found) and not math.isfinite(own):
        raise ValueError(f"{value!r} is not finite")
    scalar = pa.scalar(own, type=found)
    return to_ticks(pa.array([scalar.as_py()], type=found))[0][0].item()


def _exact_moment(value: Any, found: pa.DataType) -> Any:
    """A moment or duration as numpy has it, to the nanosecond; None for other types."""
    moment: Any = getattr(value, "asm8", value)
    known = isinstance(moment, np.datetime64 | np.timedelta64) and not np.isnat(moment)
    if pat.is_duration(found):
        if known and moment.dtype.kind == "m":
            return moment
        return np.timedelta64(own_value(value, found))
    if not pat.is_timestamp(found):
        return None
    aware = getattr(value, "tzinfo", None) is not None
    if known and moment.dtype.kind == "M" and aware == (found.tz is not None):
        return moment
    own = own_value(value, found)
    if own.tzinfo is not None:
        own = own.astimezone(dt.UTC).replace(tzinfo=None)
    moment = np.datetime64(own, "us")
    beyond = _BEYOND_MICROSECONDS.search(value) if isinstance(value, str) else None
    if beyond is None:
        return moment
    whole = _moment_tick(moment, pa.timestamp("ns"), False)
    return np.datetime64(whole + int(beyond[1].ljust(3, "0")), "ns")


def _moment_tick(moment: Any, found: pa.DataType, up: bool) -> int:
    """Ticks in the type's unit."""
    own = moment.astype(f"{moment.dtype.kind}8[{found.unit}]")
    # numpy wraps round where a finer unit does not reach as far
    finer = np.promote_types(own.dtype, moment.dtype) == own.dtype
    if finer and own.astype(moment.dtype) != moment:
        raise ValueError(f"{moment} is beyond what {found} can hold")
    return int(own.astype(np.int64)) + int(up and own < moment)


def range_ticks(ends: tuple[Any, Any], found: pa.DataType) -> tuple[Any, Any]:
    """Return the ticks of an inclusive range, None where open.

    A whole-number column takes fractions as ends, and ends that it could not hold; moments and
    durations may be finer than the column's unit. Ends are drawn in to what the column can hold.
    """
    low, high = ends
    if pat.is_integer(found):
        low, high = _whole_end(low, math.ceil), _whole_end(high, math.floor)
    return (
        None if low is None else _value_tick(low, found, up=True),
        None if high is None else _value_tick(high, found),
    )


def _whole_end(end: Any, to_whole: Any) -> Any:
    if isinstance(end, float | np.floating) and math.isfinite(end):
        return to_whole(end)
    return end


def tick_text(tick: Any, found: pa.DataType) -> str:
    """Return one tick as the user would write the value."""
    value = from_ticks(np.array([tick], dtype=tick_dtype(found)), found)
    if pat.is_float32(found):
        return str(np.float32(tick))
    if pat.is_floating(found):
        return f"{float(tick):.12g}"
    try:
        return str(value[0].as_py())
    except (ValueError, OverflowError):
        return str(value.cast(pa.string())[0].as_py())
