"""A table as it was found, with what its columns are to the caller, and what is wrong with them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals.dependencies as known
import numpy as np
import pyarrow as pa

from synthgan.data.arrow_types import TEXT
from synthgan.data.files import open_file
from synthgan.data.frames import read_array_column, read_polars
from synthgan.data.home import Home
from synthgan.data.native import NativeColumn, RefusedColumn
from synthgan.data.pandas_frames import read_series
from synthgan.data.raw import RawTable, raw_table
from synthgan.errors import TableError

ACCEPTED = (
    "a pandas, polars or pyarrow table, a 2-D array, a list of rows, or the path of a "
    ".parquet, .csv, .arrow, .feather, .jsonl or .ndjson file or of a folder of Parquet files"
)
_INDEX_LEVEL = re.compile(r"__index_level_\d+__")

ReadColumn = Callable[[int, str], tuple[NativeColumn, pa.ChunkedArray]]


@dataclass(slots=True)
class Found:
    """A table before it is checked.

    Parameters
    ----------
    raw : RawTable
        The columns that could be read, dropped ones all null.
    names : list of str
        All names as text, those of columns that could not be read too.
    home : Home
        The way back, for the columns that could be read and are not dropped.
    dropped : list of str
        The columns nobody needs.
    problems : list of str
        What is wrong so far.
    """

    raw: RawTable
    names: list[str]
    home: Home
    dropped: list[str]
    problems: list[str] = field(default_factory=list)


def found_in_file(path: str | os.PathLike[str], drop: Container[str]) -> Found:
    """Open a file or a folder."""
    return _found_in_schema(open_file(path), drop)


def found_in_frame(X: Any, where: str, drop: Container[str]) -> Found:
    """Open a table in memory."""
    if known.is_pandas_dataframe(X):
        return _found_in_pandas(X, drop)
    if known.is_polars_dataframe(X):
        return _found_in_polars(X, drop)
    if isinstance(X, pa.RecordBatch):
        X = pa.Table.from_batches([X])
    if isinstance(X, pa.Table):
        return _found_in_schema(raw_table(X), drop)
    return _found_in_array(_as_array(X, where), drop)


def _found_in_pandas(X: Any, drop: Container[str]) -> Found:
    labels = list(X.columns)
    names = [str(label) for label in labels]
    problems = [
        f"column name {label!r} is {type(label).__name__}; rename it to text or a whole number"
        for label in labels
        if not isinstance(label, str | int | np.integer) or isinstance(label, bool)
    ]
    found = _read_all(
        "pandas", names, len(X), drop, lambda place, name: read_series(X.iloc[:, place], name)
    )
    found.problems[:0] = problems
    kept = [column.name for column in found.home.columns]
    plain = {
        name: int(label) if isinstance(label, int | np.integer) else str(label)
        for name, label in zip(names, labels, strict=True)
    }
    found.home = Home(
        "pandas",
        found.home.columns,
        labels=tuple(plain[name] for name in kept),
        labels_dtype=_labels_dtype(X.columns),
        labels_name=X.columns.name if isinstance(X.columns.name, str) else None,
    )
    return found


def _labels_dtype(columns: Any) -> str:
    dtype = str(columns.dtype)
    return dtype if dtype in ("str", "object", "int64") else ""


def _found_in_polars(X: Any, drop: Container[str]) -> Found:
    return _read_all(
        "polars", X.columns, len(X), drop, lambda place, name: read_polars(X.to_series(place), name)
    )


def _found_in_array(values: np.ndarray, drop: Container[str]) -> Found:
    names = [f"x{place}" for place in range(values.shape[1])]
    found = _read_all(
        "numpy",
        names,
        len(values),
        drop,
        lambda place, name: read_array_column(values[:, place], name),
    )
    found.home = Home("numpy", found.home.columns, dtype=values.dtype.str)
    return found


def _read_all(
    frame: str, names: Sequence[str], rows: int, drop: Container[str], read: ReadColumn
) -> Found:
    """Read column by column, so that one bad column does not hide the others."""
    columns: dict[str, NativeColumn] = {}
    arrays: dict[str, pa.ChunkedArray] = {}
    problems = []
    for place, name in enumerate(names):
        if name in drop:
            arrays[name] = pa.chunked_array([pa.nulls(rows, TEXT)])
            continue
        try:
            columns[name], arrays[name] = read(place, name)
        except RefusedColumn as problem:
            problems.append(f"column {name!r} {problem}")
    raw = raw_table(pa.table(arrays))
    raw = RawTable(raw.schema, rows, raw.read)
    home = Home(frame, tuple(columns.values()))
    return Found(raw, list(names), home, [name for name in names if name in drop], problems)


def _found_in_schema(raw: RawTable, drop: Container[str]) -> Found:
    """Describe an Arrow table or a file by its schema alone."""
    notes = _pandas_notes(raw.schema)
    index = [each for each in notes.get("index_columns", []) if isinstance(each, str)]
    fields = [
        each
        for each in raw.schema
        if not (each.name in index and _INDEX_LEVEL.fullmatch(each.name))
    ]
    names = [each.name for each in fields]
    columns = tuple(
        NativeColumn(each.name, str(each.type), nullable=each.nullable)
        for each in fields
        if each.name not in drop
    )
    home = Home("pyarrow", columns, notes=_without_index(notes, names))
    return Found(raw, names, home, [name for name in names if name in drop])


def _pandas_notes(schema: pa.Schema) -> dict[str, Any]:
    try:
        notes = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}


def _without_index(notes: dict[str, Any], names: list[str]) -> str:
    """Return pandas' own notes on its dtypes for a table that has no index."""
    columns = [each for each in notes.get("columns", []) if each.get("field_name") in names]
    if not columns:
        return ""
    return json.dumps({**notes, "columns": columns, "index_columns": []})


def _as_array(X: Any, where: str) -> np.ndarray:
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TableError(f"{where}: sparse matrices are not learned; turn it dense with .toarray()")
    if isinstance(X, np.ma.MaskedArray):
        raise TableError(f"{where}: masked arrays are not learned; fill the mask with NaN")
    if not (hasattr(X, "__array__") or isinstance(X, list | tuple)) or known.is_pandas_series(X):
        raise TableError(f"{where}: expected {ACCEPTED}; found {type(X).__name__}")
    try:
        values = np.asarray(X)
        if values.dtype.kind in "US" and not isinstance(X, np.ndarray):
            # numpy would write the numbers beside a text as text.
            values = np.asarray(X, dtype=object)
    except (ValueError, TypeError) as error:
        raise TableError(f"{where}: expected rows of equal length: {error}") from error
    _check_array(values, where)
    return values


def _check_array(values: np.ndarray, where: str) -> None:
    if values.ndim != 2 or values.dtype.names:
        raise TableError(
            f"{where}: Expected 2D array, got {values.ndim}D array instead. Reshape your data "
            "with .reshape(-1, 1) if it is one column, .reshape(1, -1) if it is one row"
        )
    if values.dtype.kind == "c":
        raise TableError(f"{where}: Complex data not supported; split it into two columns each")
    if values.dtype.kind not in "biufmMOUS":
        raise TableError(f"{where}: expected an array of numbers, found dtype {values.dtype}")
