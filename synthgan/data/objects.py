"""Columns of Python objects: which one type they hold, as Arrow, and back as the same objects."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.arrow_types import TEXT
from synthgan.data.native import RefusedColumn

# First match wins: bool before int, Timestamp before datetime before date.
_SORTS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("str", (str,)),
    ("bool", (bool, np.bool_)),
    ("timedelta", (dt.timedelta, np.timedelta64)),
    ("int", (int, np.integer)),
    ("float", (float, np.floating)),
    ("datetime", (dt.datetime,)),
    ("date", (dt.date,)),
    ("time", (dt.time,)),
    ("Decimal", (Decimal,)),
    ("bytes", (bytes, bytearray, memoryview)),
    ("nested", (list, tuple, dict, set, frozenset, np.ndarray)),
    ("complex", (complex, np.complexfloating)),
)
_LEARNED = ("str", "bool", "int", "float", "datetime", "date", "time", "timedelta", "Decimal")


def from_objects(values: np.ndarray) -> tuple[pa.Array, str, str]:
    """Turn Python objects of one type into an Arrow array.

    Parameters
    ----------
    values : ndarray of object, of shape (n_rows,)
        The column.

    Returns
    -------
    array : pyarrow.Array
        The values, nulls for None, NaN, NA and NaT.
    sort : str
        Which Python type the column holds, for `to_objects`.
    null : str
        The null that the column uses.

    Raises
    ------
    RefusedColumn
        If the column mixes types, or holds nested, binary or unknown values.
    """
    import pandas as pd

    missing = pd.isna(values)
    present = values[~missing]
    null = _null_of(values[missing][0]) if missing.any() else "none"
    sort = _one_sort(Counter(map(type, present)))
    if sort == "null":
        return pa.nulls(len(values)), sort, null
    if sort == "Decimal" and (endless := sum(not each.is_finite() for each in present)):
        raise RefusedColumn(f"holds infinity in {endless:,} rows; make it null or a number")
    if sort in ("datetime", "time"):
        _check_zones(present)
    wrapped = sort in ("datetime", "timedelta") and hasattr(present[0], "unit")
    if wrapped or (sort == "timedelta" and isinstance(present[0], np.timedelta64)):
        sort = sort.replace("datetime", "Timestamp").replace("timedelta", "Timedelta")
        stamps = [pd.NaT if gone else each for gone, each in zip(missing, values, strict=True)]
        values = pd.Series(stamps).array
    return _to_arrow(values, sort), sort, null


def _null_of(marker: Any) -> str:
    if marker is None:
        return "none"
    if isinstance(marker, float | np.floating):
        return "nan"
    return {"NAType": "NA", "NaTType": "NaT"}.get(type(marker).__name__, "none")


def _one_sort(types: Counter[type]) -> str:
    sorts: Counter[str] = Counter()
    for each, count in types.items():
        sorts[_sort_of(each)] += count
    if not sorts:
        return "null"
    if set(sorts) == {"int", "float"}:
        return "float"
    if len(sorts) > 1:
        found = " and ".join(f"{name} ({count:,} rows)" for name, count in sorts.most_common())
        raise RefusedColumn(f"mixes types: {found}; bring it to one type, or drop it")
    sort = next(iter(sorts))
    if sort not in _LEARNED:
        words = {
            "nested": f"holds nested values ({next(iter(types)).__name__})",
            "bytes": "holds binary values (bytes)",
            "complex": "holds complex numbers",
        }
        what = words.get(sort, f"holds Python objects of type {sort}")
        raise RefusedColumn(f"{what}; turn it into plain values, or drop it")
    return sort


def _sort_of(found: type) -> str:
    for name, classes in _SORTS:
        if issubclass(found, classes):
            return name
    return found.__name__


def _check_zones(present: np.ndarray) -> None:
    zones = {str(each.tzinfo) for each in present}
    if len(zones) > 1:
        raise RefusedColumn(f"mixes time zones: {', '.join(sorted(zones))}; bring it to one")
    if isinstance(present[0], dt.time) and present[0].tzinfo is not None:
        raise RefusedColumn("holds times of day with a time zone; drop the zone")


def _to_arrow(values: Any, sort: str) -> pa.Array:
    wanted = {"str": TEXT, "bool": pa.bool_(), "float": pa.float64()}.get(sort)
    try:
        return pa.array(values, type=wanted, from_pandas=True)
    except UnicodeError as error:
        raise RefusedColumn(f"holds text that is not valid Unicode: {error}") from error
    except OverflowError:
        return _to_unsigned(values)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise RefusedColumn(f"holds values that Arrow cannot hold: {error}") from error


def _to_unsigned(values: Any) -> pa.Array:
    try:
        return pa.array(values, type=pa.uint64(), from_pandas=True)
    except (OverflowError, pa.ArrowException) as error:
        raise RefusedColumn("holds whole numbers beyond 64 bits; turn them into text") from error


def to_objects(array: pa.ChunkedArray, sort: str, null: str) -> np.ndarray:
    """Return an Arrow column as Python objects of that sort, with the caller's null.

    Parameters
    ----------
    array : pyarrow.ChunkedArray
        The column, in the Arrow type that `from_objects` gave.
    sort, null : str
        What `from_objects` gave.

    Returns
    -------
    ndarray of object, of shape (n_rows,)
    """
    marker = null_marker(null)
    if sort in ("Timestamp", "Timedelta"):
        import pandas as pd

        plain = list(pd.Series(array.to_pandas()).astype(object))
        values = [marker if each is pd.NaT else each for each in plain]
    else:
        values = [marker if each is None else each for each in array.to_pylist()]
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def null_marker(null: str) -> Any:
    """Return the null itself: None, NaN, pandas.NA or NaT."""
    if null == "nan":
        return float("nan")
    if null in ("NA", "NaT"):
        import pandas as pd

        return getattr(pd, null)
    return None
