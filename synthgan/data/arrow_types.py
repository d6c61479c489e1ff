"""Arrow types: their names as text, the canonical form that encoders see, and single values."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

TEXT = pa.large_string()

_SIMPLE = {
    str(each): each
    for each in (
        *(pa.null(), pa.bool_(), pa.string(), pa.large_string(), pa.string_view()),
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64()),
        *(pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
        *(pa.duration(unit) for unit in ("s", "ms", "us", "ns")),
    )
}
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=(u?int\d+), ordered=([01])>", re.DOTALL)


def type_from_text(text: str) -> pa.DataType:
    """Return the Arrow type whose ``str()`` is the text.

    Parameters
    ----------
    text : str
        What ``str(type)`` gave.

    Returns
    -------
    pyarrow.DataType

    Raises
    ------
    ValueError
        If no column type of synthgan has that name.

    Examples
    --------
    >>> type_from_text("timestamp[us, tz=Europe/Berlin]")
    TimestampType(timestamp[us, tz=Europe/Berlin])
    """
    if text in _SIMPLE:
        return _SIMPLE[text]
    if match := _TIMESTAMP.fullmatch(text):
        return pa.timestamp(match[1], tz=match[2])
    if match := _DECIMAL.fullmatch(text):
        return getattr(pa, f"decimal{match[1]}")(int(match[2]), int(match[3]))
    if match := _DICTIONARY.fullmatch(text):
        return pa.dictionary(_SIMPLE[match[2]], type_from_text(match[1]), ordered=match[3] == "1")
    raise ValueError(f"expected the name of an Arrow column type, found {text!r}")


def is_text(found: pa.DataType) -> bool:
    """Say whether the type is one of Arrow's three kinds of strings."""
    checks = (pat.is_string, pat.is_large_string, pat.is_string_view)
    return any(check(found) for check in checks)


def is_number(found: pa.DataType) -> bool:
    """Say whether the type is a whole number, a float or a decimal."""
    return any(check(found) for check in (pat.is_integer, pat.is_floating, pat.is_decimal))


def canonical_type(found: pa.DataType) -> pa.DataType | None:
    """Return the type in which encoders see a column of the given type, None if they cannot.

    Strings become large strings, dictionaries have 32-bit codes, times 64 bits, half floats
    become floats, an all-null column without a type becomes text; the rest stays as it is.
    """
    if pat.is_dictionary(found):
        values = canonical_type(found.value_type)
        if values is None or pat.is_dictionary(values):
            return None
        return pa.dictionary(pa.int32(), values, ordered=found.ordered)
    if pat.is_run_end_encoded(found):
        return canonical_type(found.value_type)
    if is_text(found) or pat.is_null(found):
        return TEXT
    if pat.is_float16(found):
        return pa.float32()
    if pat.is_decimal(found):
        return pa.decimal128(min(found.precision, 38), found.scale)
    if pat.is_time32(found):
        return pa.time64("us")
    if pat.is_date64(found):
        return pa.date32()
    return found if _stays(found) else None


def _stays(found: pa.DataType) -> bool:
    return any(
        check(found)
        for check in (
            *(pat.is_boolean, pat.is_integer, pat.is_floating, pat.is_timestamp),
            *(pat.is_date32, pat.is_duration, pat.is_time64),
        )
    )


def refusal(found: pa.DataType) -> str:
    """Say in words what is wrong with a type that has no canonical form."""
    if pat.is_dictionary(found):
        found = found.value_type
    if pat.is_binary(found) or pat.is_large_binary(found) or pat.is_fixed_size_binary(found):
        return f"holds binary values ({found})"
    if pat.is_nested(found):
        return f"holds nested values ({found})"
    return f"holds values of type {found}, which cannot be learned"


def canonical_array(array: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    """Return the column in its canonical type, with the NaN of floats as nulls."""
    if pat.is_run_end_encoded(array.type):
        array = pa.chunked_array(
            [pc.run_end_decode(chunk) for chunk in array.chunks], array.type.value_type
        )
    if pat.is_dictionary(array.type):
        return _canonical_dictionary(array, target)
    if array.type != target:
        array = array.cast(target)
    if pat.is_floating(target):
        nan = pc.is_nan(array)
        if pc.any(nan).as_py():
            array = pc.if_else(nan, pa.scalar(None, target), array)
    return array


def _canonical_dictionary(array: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    chunks = [_one_dictionary(chunk, target) for chunk in array.chunks]
    return pa.chunked_array(chunks, type=target)


def _one_dictionary(chunk: pa.DictionaryArray, target: pa.DataType) -> pa.DictionaryArray:
    levels = chunk.dictionary
    if pat.is_null(levels.type) or levels.null_count or len(levels.unique()) < len(levels):
        # A null or a repeat among the levels would make two codes mean the same.
        kept = levels.drop_null().unique().cast(target.value_type)
        codes = pc.index_in(chunk.cast(levels.type).cast(target.value_type), value_set=kept)
    else:
        kept = levels.cast(target.value_type)
        codes = chunk.indices.cast(pa.int32())
    return pa.DictionaryArray.from_arrays(codes, kept, ordered=target.ordered)


def array_to_json(values: pa.Array) -> list[Any]:
    """Return an array as JSON-safe values: ticks for times, text for decimals."""
    if pat.is_decimal(values.type):
        return [None if each is None else str(each) for each in values.to_pylist()]
    if pat.is_date32(values.type):
        return list(values.cast(pa.int32()).to_pylist())
    if pat.is_temporal(values.type):
        return list(values.cast(pa.int64()).to_pylist())
    return list(values.to_pylist())


def array_from_json(values: list[Any], found: pa.DataType) -> pa.Array:
    """Return the array that `array_to_json` wrote."""
    if pat.is_decimal(found):
        return pa.array([None if v is None else Decimal(v) for v in values], type=found)
    if pat.is_date32(found):
        return pa.array(values, type=pa.int32()).cast(found)
    if pat.is_temporal(found):
        return pa.array(values, type=pa.int64()).cast(found)
    return pa.array(values, type=found)


def value_to_json(value: Any) -> Any:
    """Return one value as JSON can hold it: ISO text for dates and times, seconds for durations."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def own_value(value: Any, found: pa.DataType) -> Any:
    """Return a value that a user wrote as a value of a column of that type.

    Parameters
    ----------
    value : object
        Python, numpy or pandas value; dates and times also as ISO text, durations as seconds.
    found : pyarrow.DataType
        Canonical type of the column; of a dictionary its values count.

    Returns
    -------
    object
        int, float, Decimal, str, bool, date, datetime (with the column's zone), time or timedelta.

    Raises
    ------
    ValueError
        If the value cannot be one of the column's.

    Examples
    --------
    >>> own_value("2013-01-01", pa.date32())
    datetime.date(2013, 1, 1)
    """
    if pat.is_dictionary(found):
        found = found.value_type
    plain = _plain(value)
    try:
        return _as_type(plain, found)
    except (TypeError, ValueError, OverflowError, InvalidOperation):
        raise ValueError(f"{value!r} is not a value of type {found}") from None


def _plain(value: Any) -> Any:
    """Strip numpy and pandas from a scalar, without importing either."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime(warn=False)
    if hasattr(value, "to_pytimedelta"):
        return value.to_pytimedelta()
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("M", "m"):
        return value.astype(f"{kind}8[us]").item()
    return value.item() if kind and hasattr(value, "item") else value


def _as_type(value: Any, found: pa.DataType) -> Any:
    if pat.is_boolean(found) or isinstance(value, bool):
        return _exactly(value, bool, pat.is_boolean(found))
    if is_text(found):
        return _exactly(value, str, True)
    if pat.is_integer(found):
        return _whole(value)
    if pat.is_floating(found):
        return _exactly(float(value), float, not isinstance(value, str))
    if pat.is_decimal(found):
        return Decimal(str(value))
    return _moment(value, found)


def _exactly(value: Any, wanted: type, allowed: bool) -> Any:
    if not allowed or not isinstance(value, wanted):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, str) or int(value) != value:
        raise ValueError
    return int(value)


def _moment(value: Any, found: pa.DataType) -> Any:
    if pat.is_duration(found):
        return value if isinstance(value, dt.timedelta) else dt.timedelta(seconds=value)
    if pat.is_time(found):
        return value if isinstance(value, dt.time) else dt.time.fromisoformat(value)
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if pat.is_date(found):
        return value.date() if isinstance(value, dt.datetime) else _exactly(value, dt.date, True)
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(_exactly(value, dt.date, True), dt.time())
    return _in_zone(value, found.tz)


def _in_zone(value: dt.datetime, zone: str | None) -> dt.datetime:
    """Return the moment in the column's zone; without a zone it is the column's local time."""
    if zone is None:
        if value.tzinfo is not None:
            raise ValueError
        return value
    known = zone_of(zone)
    return value.replace(tzinfo=known) if value.tzinfo is None else value.astimezone(known)


def zone_of(zone: str) -> dt.tzinfo:
    """Return the time zone that Arrow names: a place, UTC, or an offset such as +05:30."""
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone)
    if not match:
        return dt.UTC if zone.upper() == "UTC" else ZoneInfo(zone)
    offset = dt.timedelta(hours=int(match[2]), minutes=int(match[3]))
    return dt.timezone(-offset if match[1] == "-" else offset)
