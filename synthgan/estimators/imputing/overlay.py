"""Filled cells into the caller's own table: every other cell stays what it was, to the bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import narwhals.dependencies as known
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
from numpy.typing import NDArray

from synthgan.data.home import Home
from synthgan.data.native import plain_values
from synthgan.data.source import Source
from synthgan.estimators.base import renamed

Mask = NDArray[np.bool_]


def overlay(X: Any, source: Source, given: pa.Table, cells: Mapping[str, pa.Array]) -> Any:
    """Put cells into the holes of a table.

    Parameters
    ----------
    X : table
        The table as the caller gave it; it is not changed.
    source : Source
        The same, as it was opened.
    given : pyarrow.Table
        The same in canonical types, as the caller has them.
    cells : mapping of str to pyarrow.Array
        Whole columns; only what lies in holes is used.

    Returns
    -------
    table
        Of the type of `X`, its dtypes kept wherever they can hold what was filled in.
    """
    mixed = {name: _mixed(given.column(name), array) for name, array in cells.items()}
    return put_columns(X, source, given, mixed)


def put_columns(
    X: Any, source: Source, given: pa.Table, columns: Mapping[str, pa.ChunkedArray]
) -> Any:
    """Put whole canonical columns in the place of a table's own."""
    if not columns:
        return _copied(X, given, source.home)
    home = _with_types(source.home, columns)
    labels = [each.name for each in home.columns if each.name in columns]
    places = [source.names.index(name) for name in labels]
    if known.is_polars_dataframe(X):
        return X.with_columns(home.restore(pa.table(dict(columns))).get_columns())
    if known.is_pandas_dataframe(X):
        made, result = home.restore(pa.table(dict(columns)), index=X.index), X.copy()
        for at, place in enumerate(places):
            result.isetitem(place, made.iloc[:, at])
        return result
    if isinstance(X, np.ndarray):
        array = home.restore(pa.table(dict(columns)))
        filled = X.astype(np.result_type(X, array), copy=True)
        filled[:, places] = array
        return filled
    whole = {name: columns.get(name, given.column(name)) for name in given.column_names}
    return home.restore(pa.table(whole))


def with_names(source: Source, names: Sequence[str]) -> Source:
    """The same table under other names, on its way home too: an array's go by their place."""
    new = dict(zip(source.names, names, strict=True))
    columns = tuple(replace(each, name=new[each.name]) for each in source.home.columns)
    return replace(renamed(source, names), home=replace(source.home, columns=columns))


def with_indicators(table: Any, holes: Mapping[str, Mask]) -> Any:
    """Append a column of truth values for each of some columns: where a cell was missing."""
    if not holes:
        return table
    if known.is_pandas_dataframe(table):
        import pandas as pd

        extra = pd.DataFrame(dict(holes), index=table.index)
        return pd.concat([table, extra], axis=1)
    if known.is_polars_dataframe(table):
        import polars as pl

        return table.with_columns([pl.Series(name, mask) for name, mask in holes.items()])
    if isinstance(table, np.ndarray):
        return np.hstack([table, np.stack(list(holes.values()), axis=1).astype(table.dtype)])
    for name, mask in holes.items():
        table = table.append_column(name, pa.array(mask))
    return table


def hole_masks(given: pa.Table, names: Sequence[str]) -> dict[str, Mask]:
    """Where cells of some columns are missing, each of shape (rows,)."""
    return {name: np.asarray(given.column(name).is_null()) for name in names}


def _mixed(given: pa.ChunkedArray, drawn: pa.Array) -> pa.ChunkedArray:
    """Given cells where there are any, drawn ones elsewhere; in the given type if it is one."""
    drawn = plain_values(pa.chunked_array([drawn]))
    if pat.is_null(given.type):
        return drawn
    values = plain_values(given)
    mixed = pc.if_else(values.is_null(), drawn.cast(values.type), values)
    if not pat.is_dictionary(given.type):
        return mixed
    return mixed.combine_chunks().dictionary_encode().cast(given.type)


def _with_types(home: Home, columns: Mapping[str, pa.ChunkedArray]) -> Home:
    """The home with a type of its own for columns that had nothing but nulls and no type."""
    changed = [
        replace(each, type=str(plain_values(columns[each.name]).type))
        if each.name in columns and each.type == "null"
        else each
        for each in home.columns
    ]
    return replace(home, columns=tuple(changed))


def _copied(X: Any, given: pa.Table, home: Home) -> Any:
    if known.is_pandas_dataframe(X) or isinstance(X, np.ndarray):
        return X.copy()
    if known.is_polars_dataframe(X):
        return X.clone()
    return home.restore(given)
