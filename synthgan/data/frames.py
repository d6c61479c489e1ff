"""Other tables in memory: polars frames and numpy arrays as Arrow, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.native import NativeColumn, RefusedColumn, plain_values
from synthgan.data.objects import from_objects, to_objects
from synthgan.data.pandas_frames import plain_numbers, restore_numbers
from synthgan.errors import MissingExtraError

_UNKNOWN_TO_ARROW = ("Int128", "UInt128", "Object")


def read_polars(series: Any, name: str) -> tuple[NativeColumn, pa.ChunkedArray]:
    """Return what a polars column is, and its values as Arrow.

    Raises
    ------
    RefusedColumn
        If the column cannot be learned.
    """
    kind = type(series.dtype).__name__
    if str(series.dtype) in _UNKNOWN_TO_ARROW:
        raise RefusedColumn(f"holds values of type {series.dtype}; cast it, or drop it")
    # polars panics when it exports a name with a zero byte, so the name stays behind.
    array = series.alias("column").to_arrow()
    dtype = kind if kind in ("Enum", "Categorical") else ""
    return NativeColumn(name, str(array.type), dtype), pa.chunked_array([array])


def restore_polars(columns: Sequence[NativeColumn], table: pa.Table) -> Any:
    """Return the canonical table as a polars frame with the caller's dtypes.

    Raises
    ------
    MissingExtraError
        If polars is not installed.
    """
    try:
        import polars as pl
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "the table that was learned was a polars frame, and polars is not installed: "
            "pip install synthgan[polars]"
        ) from error

    made = []
    for column in columns:
        native = column.to_native_type(table[column.name])
        series = pl.Series(column.name, pl.from_arrow(plain_values(native)))
        if column.dtype == "Enum":
            assert column.levels is not None
            levels = [*column.levels.values.to_pylist()]
            new = [each for each in native.unique().to_pylist() if each not in {*levels, None}]
            series = series.cast(pl.Enum(levels + new))
        elif column.dtype:
            series = series.cast(pl.Categorical)
        made.append(series)
    return pl.DataFrame(made)


def read_array_column(values: np.ndarray, name: str) -> tuple[NativeColumn, pa.ChunkedArray]:
    """Return what a column of a 2-D numpy array is, and its values as Arrow.

    Raises
    ------
    RefusedColumn
        If the column cannot be learned.
    """
    if values.dtype.kind in "OUS":
        array, sort, null = from_objects(values.astype(object))
        return NativeColumn(name, str(array.type), f"object/{sort}", null), pa.chunked_array(
            [array]
        )
    try:
        array = pa.array(np.ascontiguousarray(plain_numbers(values)), from_pandas=True)
    except pa.ArrowException as error:
        raise RefusedColumn(f"holds values that Arrow cannot hold: {error}") from error
    return NativeColumn(name, str(array.type), "", "nan"), pa.chunked_array([array])


def restore_array(columns: Sequence[NativeColumn], table: pa.Table, dtype: str) -> np.ndarray:
    """Return the canonical table as a numpy array of shape (n_rows, n_columns).

    The dtype is the caller's, wider only if a null came into one that cannot hold it.
    """
    wanted = np.dtype(dtype)
    made = [_restore_one(column, table[column.name], wanted) for column in columns]
    if not made:
        return np.empty((table.num_rows, 0), dtype=wanted)
    # Stacking forgets the byte order.
    whole = all(each.dtype == wanted for each in made)
    return np.column_stack(made).astype(wanted if whole else None, copy=False)


def _restore_one(column: NativeColumn, array: pa.ChunkedArray, dtype: np.dtype[Any]) -> np.ndarray:
    if column.dtype:
        native = column.to_native_type(array)
        return to_objects(native, column.dtype[7:], column.null).astype(dtype)
    return restore_numbers(array, dtype)
