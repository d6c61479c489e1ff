"""pandas frames: every column as Arrow with what its dtype was, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

from synthgan.data.arrow_types import canonical_array, canonical_type, refusal, type_from_text
from synthgan.data.native import Levels, NativeColumn, RefusedColumn, joined
from synthgan.data.objects import from_objects, null_marker, to_objects

if TYPE_CHECKING:
    import pandas as pd

_REMEDIES = {
    "Sparse": "is sparse, which is not learned; turn it dense with .sparse.to_dense()",
    "period": "holds periods; turn it into datetimes with .dt.to_timestamp()",
    "interval": "holds intervals; turn it into text with .astype(str)",
    "complex": "holds complex numbers. Complex data not supported; split it into two columns",
}


def read_series(series: pd.Series[Any], name: str) -> tuple[NativeColumn, pa.ChunkedArray]:
    """Return what a pandas column is, and its values as Arrow.

    Raises
    ------
    RefusedColumn
        If the column cannot be learned.
    """
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _read_categorical(series, name)
    if isinstance(dtype, pd.ArrowDtype):
        array = _chunked(series.array)
        return NativeColumn(name, str(array.type), "arrow"), array
    if isinstance(dtype, pd.StringDtype):
        na = "NA" if dtype.na_value is pd.NA else "nan"
        array = _chunked(series.array)
        return NativeColumn(name, str(array.type), f"string/{dtype.storage}/{na}", na), array
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        values, sort, null = from_objects(series.to_numpy())
        return NativeColumn(name, str(values.type), f"object/{sort}", null), _chunked(values)
    for word, remedy in _REMEDIES.items():
        if str(dtype).startswith(word):
            raise RefusedColumn(remedy)
    array = _chunked(_native_bytes(series))
    null = "NaT" if pat.is_temporal(array.type) else "nan"
    return NativeColumn(name, str(array.type), str(dtype), null), array


def _native_bytes(series: pd.Series[Any]) -> Any:
    """Return the values in this machine's byte order and a width that Arrow knows."""
    if not isinstance(series.dtype, np.dtype):
        return series.array
    return plain_numbers(series.to_numpy())


def plain_numbers(values: np.ndarray) -> np.ndarray:
    """Return a numpy array in this machine's byte order and a width that Arrow knows."""
    if values.dtype.kind == "f" and values.dtype.itemsize > 8:
        return values.astype(np.float64)
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _chunked(values: Any) -> pa.ChunkedArray:
    try:
        array = pa.array(values, from_pandas=True)
    except UnicodeError as error:
        raise RefusedColumn(f"holds text that is not valid Unicode: {error}") from error
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise RefusedColumn(f"holds values that Arrow cannot hold: {error}") from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _read_categorical(series: pd.Series[Any], name: str) -> tuple[NativeColumn, pa.ChunkedArray]:
    inner, levels = read_series(_series(series.cat.categories), name)
    target = canonical_type(levels.type)
    if target is None:
        raise RefusedColumn(refusal(levels.type))
    values = joined(canonical_array(levels, target))
    codes = series.cat.codes.to_numpy().astype(np.int32)
    unused = np.setdiff1d(np.arange(len(values)), codes)
    native = pa.dictionary(pa.int32(), levels.type, ordered=bool(series.cat.ordered))
    array = pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), values, ordered=bool(series.cat.ordered)
    )
    kept = Levels(values, f"{inner.dtype}|{inner.type}", tuple(unused.tolist()))
    return NativeColumn(name, str(native), "category", "nan", levels=kept), _chunked(array)


def restore_frame(
    columns: Sequence[NativeColumn],
    table: pa.Table,
    labels: pd.Index[Any],
    index: Any = None,
) -> pd.DataFrame:
    """Return the canonical table as a pandas frame with the caller's dtypes.

    Parameters
    ----------
    columns : sequence of NativeColumn
        What the columns were, in the order wanted.
    table : pyarrow.Table
        Canonical columns of those names.
    labels : pandas.Index
        The caller's column names.
    index : pandas.Index, optional
        The index to set; a fresh one without.
    """
    import pandas as pd

    rows = pd.RangeIndex(table.num_rows) if index is None else index
    made = {
        place: _series(_restore(column, table[column.name])).set_axis(rows)
        for place, column in enumerate(columns)
    }
    frame = pd.DataFrame(made, index=rows)
    frame.columns = labels
    return frame


def _series(values: Any) -> pd.Series[Any]:
    """Return a series of the values; Python text stays Python text."""
    import pandas as pd

    series: pd.Series[Any] = pd.Series(values, dtype=values.dtype, copy=False)
    return series


def _restore(column: NativeColumn, array: pa.ChunkedArray) -> Any:
    """Return one column's values as a pandas or numpy array."""
    import pandas as pd

    if column.dtype == "category":
        return _restore_categorical(column, array)
    if column.dtype == "arrow":
        native = column.to_native_type(array)
        return pd.arrays.ArrowExtensionArray(native)
    if column.dtype.startswith("string/"):
        _, storage, na = column.dtype.split("/")
        kind: Any = pd.StringDtype(storage, na_value=null_marker(na))
        return kind.__from_arrow__(column.to_native_type(array))
    if column.dtype.startswith("object/"):
        native = column.to_native_type(array)
        return to_objects(native, column.dtype[7:], column.null)
    if pat.is_timestamp(native_type := type_from_text(column.type)) and native_type.tz:
        zoned: Any = pd.DatetimeTZDtype(native_type.unit, native_type.tz)
        return zoned.__from_arrow__(array.cast(native_type))
    kind = pd.api.types.pandas_dtype(column.dtype)
    if isinstance(kind, np.dtype):
        return restore_numbers(array, kind)
    return kind.__from_arrow__(column.to_native_type(array))


def restore_numbers(array: pa.ChunkedArray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return the column as a numpy array of the dtype, wider if nulls need it."""
    if dtype.kind in "mM":
        unit = {"D": "s"}.get(word := np.datetime_data(dtype)[0], word)
        zoneless = pa.timestamp(unit) if dtype.kind == "M" else pa.duration(unit)
        ticks = joined(array.cast(zoneless)).to_numpy(zero_copy_only=False)
        return np.asarray(ticks).astype(dtype)
    values = np.asarray(joined(array).to_numpy(zero_copy_only=False))
    if not array.null_count or dtype.kind == "f":
        return values.astype(dtype, copy=False)
    if dtype.kind == "b":
        return np.where(np.asarray(joined(array.is_null())), np.nan, values)
    return values.astype(np.float64)


def _restore_categorical(column: NativeColumn, array: pa.ChunkedArray) -> pd.Categorical:
    import pandas as pd

    assert column.levels is not None
    codes, values = column.levels.codes(array)
    dtype, _, native = column.levels.dtype.partition("|")
    inner = NativeColumn(column.name, native, dtype)
    shown = _series(_restore(inner, pa.chunked_array([values])))
    categories = pd.Index(shown, dtype=shown.dtype)
    ordered = type_from_text(column.type).ordered
    places = np.asarray(codes.fill_null(-1))
    kind = pd.CategoricalDtype(categories, ordered=ordered)
    return pd.Categorical.from_codes(places, dtype=kind)
