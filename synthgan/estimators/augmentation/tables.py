"""The caller's tables and columns as they are: rows taken, rows put below, types kept."""

from __future__ import annotations

from typing import Any

import narwhals.dependencies as known
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import column_or_1d

from synthgan.errors import TableError

Rows = NDArray[np.integer[Any]]


def as_given(table: Any, name: str) -> Any:
    """A table or a column of a kind whose rows can be taken; other array-likes become arrays.

    Raises
    ------
    TableError
        If it is sparse.
    """
    if issparse(table):
        raise TableError(
            f"{name}: expected a dense table, found a sparse matrix; sparse data is not supported, "
            "turn it into an array with .toarray()"
        )
    kept = isinstance(table, list | tuple | np.ndarray | pa.Table | pa.Array | pa.ChunkedArray)
    if table is None or kept or known.is_into_dataframe(table) or known.is_into_series(table):
        return table
    return np.asarray(table)


def rows_of(table: Any) -> int:
    """The number of rows of a table or a column of any kind."""
    shape = getattr(table, "shape", None)
    return int(shape[0]) if shape else len(table)


def take_rows(table: Any, rows: Rows) -> Any:
    """Some rows of a table or a column, in the type it has.

    Parameters
    ----------
    table : pandas, polars or pyarrow table or column, array, or list
        Of any of the kinds that can be learned.
    rows : array of int
        Numbers of rows.

    Examples
    --------
    >>> take_rows(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if known.is_pandas_dataframe(table) or known.is_pandas_series(table):
        return table.iloc[rows]
    if isinstance(table, pa.Table | pa.ChunkedArray | pa.Array):
        return table.take(pa.array(rows))
    if isinstance(table, list | tuple):
        return type(table)(table[row] for row in rows)
    return table[rows] if hasattr(table, "dtype") or hasattr(table, "dtypes") else table.take(rows)


def put_below(table: Any, made: Any) -> Any:
    """A table or a column with another one of its type below it; a pandas index is fresh.

    Parameters
    ----------
    table, made : pandas, polars or pyarrow table or column, array, or list
        Of the same columns and types.

    Examples
    --------
    >>> put_below([1, 2], [3])
    [1, 2, 3]
    """
    if known.is_pandas_dataframe(table) or known.is_pandas_series(table):
        import pandas as pd

        return pd.concat([table, made], ignore_index=True)
    if known.is_polars_dataframe(table) or known.is_polars_series(table):
        import polars as pl

        return pl.concat([table, made], how="vertical")
    if isinstance(table, pa.Table):
        return pa.concat_tables([table, made.cast(table.schema)]).unify_dictionaries()
    if isinstance(table, pa.Array):
        return pa.concat_arrays([table, made.cast(table.type)])
    if isinstance(table, pa.ChunkedArray):
        chunks = made.chunks if isinstance(made, pa.ChunkedArray) else [made]
        return pa.chunked_array([*table.chunks, *chunks], type=table.type)
    if isinstance(table, list | tuple):
        return type(table)([*table, *made])
    return np.concatenate([table, made])


def column_like(column: Any, values: NDArray[Any]) -> Any:
    """Numbers as a column of the type of another one.

    Examples
    --------
    >>> column_like(np.array([1.5], np.float32), np.array([2.0])).dtype
    dtype('float32')
    """
    if known.is_pandas_dataframe(column) or known.is_pandas_series(column):
        import pandas as pd

        if known.is_pandas_dataframe(column):
            return pd.DataFrame({column.columns[0]: values}).astype(column.dtypes)
        return pd.Series(values, name=column.name).astype(column.dtype)
    if known.is_polars_series(column):
        import polars as pl

        return pl.Series(column.name, values).cast(column.dtype)
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return pa.array(values).cast(column.type)
    if isinstance(column, list | tuple):
        return values.tolist()
    column = np.asarray(column)
    return values.astype(column.dtype).reshape(-1, *column.shape[1:])


def values_of(column: Any) -> NDArray[Any]:
    """A target column of any kind as a numpy array of shape (rows,).

    Raises
    ------
    TableError
        If there is none, or more than one column.
    """
    if column is None:
        raise TableError(
            "y: expected a target for each row, found None; "
            "requires y to be passed, but the target y is None"
        )
    if isinstance(column, pa.Array | pa.ChunkedArray):
        column = (
            column.to_numpy(zero_copy_only=False)
            if isinstance(column, pa.Array)
            else (column.to_numpy())
        )
    elif known.is_polars_series(column):
        column = column.to_numpy()
    elif known.is_pandas_series(column):
        column = np.asarray(column)
    try:
        return np.asarray(column_or_1d(column, warn=True))
    except ValueError as error:
        raise TableError(
            f"y: expected one target for each row, found another shape: {error}"
        ) from error


def missing_in(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are None, NaN, NaT or NA, of shape (rows,)."""
    import pandas as pd

    return np.asarray(pd.isna(values), dtype=bool)
