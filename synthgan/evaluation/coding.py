"""Tables as the measures need them: every column prepared by the real table, numbers and codes."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.errors import TableError
from synthgan.evaluation.columns import (
    Codes,
    Floats,
    LevelColumn,
    NumberColumn,
    Prepared,
    is_number_type,
)

if TYPE_CHECKING:
    from synthgan.data.schema import Schema

REAL, SYNTHETIC, HOLDOUT = "the real table", "the synthetic table", "the holdout"
NUMBER_KINDS = frozenset({"number", "datetime", "duration"})
LEFT_OUT_KINDS = frozenset({"id", "drop"})

# Levels of a category that trees can tell apart: the histogram booster has 255 bins, and null and
# the rest take one each.
TREE_LEVELS = 253
_REST, _NULL = TREE_LEVELS, TREE_LEVELS + 1

RealColumn = NumberColumn | LevelColumn
Keys = NDArray[np.uint64]
Index = NDArray[np.integer[Any]] | NDArray[np.bool_]


@dataclass(frozen=True)
class Coded:
    """A table of any maker, in the terms of the real one.

    Attributes
    ----------
    table : pyarrow.Table
        The compared columns, of shape (rows, n_columns).
    columns : tuple of NumberColumn or LevelColumn
        The real columns, which say what the codes mean.
    prepared : tuple of Prepared
        Values and codes of each column.
    """

    table: pa.Table
    columns: tuple[RealColumn, ...]
    prepared: tuple[Prepared, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @cached_property
    def categorical(self) -> NDArray[np.bool_]:
        """Which columns are categories, of shape (n_columns,)."""
        return np.array([not column.is_number for column in self.columns], dtype=np.bool_)

    def column(self, name: str) -> int:
        """Place of a column.

        Raises
        ------
        ValueError
            If it is not compared.
        """
        return self.names.index(name)

    def take(self, index: Index) -> Coded:
        """The rows of an index or a mask."""
        rows = np.flatnonzero(index) if index.dtype == np.bool_ else index
        prepared = tuple(
            Prepared(each.codes[rows], None if each.values is None else each.values[rows])
            for each in self.prepared
        )
        return Coded(self.table.take(pa.array(rows)), self.columns, prepared)

    @cached_property
    def keys(self) -> Keys:
        """One number for each row, of shape (rows,), equal where rows are equal in every column.

        Columns are mixed into 64 bits (splitmix64's finaliser): among a million rows of two tables
        a chance equality is less likely than one in ten million.
        """
        keys = np.zeros(self.rows, dtype=np.uint64)
        for place, column in enumerate(self.columns):
            values = self.prepared[place].values
            if isinstance(column, LevelColumn):
                keys ^= column.keys(self.table.column(place))
            elif values is not None:
                # One NaN for all of them, and adding 0.0 makes one zero of the two.
                keys ^= np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)
            keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            keys = (keys ^ (keys >> np.uint64(31))) + np.uint64(0x9E3779B97F4A7C15)
        return keys

    def matrix(self) -> Floats:
        """The table for trees, of shape (rows, n_columns): numbers (NaN is null), tree codes.

        A category's codes lie below 255: its `common_levels` keep one each, null has its own, and
        all others share one, those that the real table never held too.
        """
        made = np.empty((self.rows, len(self.columns)))
        for place, (column, found) in enumerate(zip(self.columns, self.prepared, strict=True)):
            if isinstance(column, LevelColumn):
                made[:, place] = _tree_codes(column)[found.codes]
            else:
                made[:, place] = found.values
        return made


class Coder:
    """The real table's columns, by which every other table is coded.

    Parameters
    ----------
    table : pyarrow.Table
        The real table.
    schema : Schema, optional
        Says which columns are numbers, which categories, and which (ids) are left out. Without it
        numeric and temporal Arrow types are numbers and everything else is a category.

    Attributes
    ----------
    columns : tuple of NumberColumn or LevelColumn
        The columns that are compared.
    real : Coded
        The real table itself.

    Raises
    ------
    TableError
        When the table has no rows, or no column that can be compared.

    Examples
    --------
    >>> coder = Coder(pa.table({"n": [1.0, 2.0, 4.0], "town": ["Ulm", "Bonn", "Ulm"]}))
    >>> coder.code(pa.table({"n": [3.0, None], "town": ["Bonn", "Rom"]})).matrix()
    array([[  3.,   1.],
           [ nan, 253.]])
    """

    def __init__(self, table: pa.Table, *, schema: Schema | None = None) -> None:
        _check_rows(table, REAL)
        kinds = {} if schema is None else {column.name: column.kind for column in schema}
        self.columns: tuple[RealColumn, ...] = tuple(
            _real_column(name, table.column(name), kinds.get(name))
            for name in table.column_names
            if kinds.get(name) not in LEFT_OUT_KINDS
        )
        if not self.columns:
            raise TableError(
                f"{REAL}: expected a column to compare, found only ids and dropped columns"
            )
        self.real = _real_side(table, self.columns)

    def learned_from(self, index: NDArray[np.integer[Any]]) -> Coder:
        """The same columns in the terms of some of the real rows alone."""
        table = self.real.table.take(pa.array(index))
        fewer = copy(self)
        fewer.columns = tuple(type(c)(c.name, table.column(c.name)) for c in self.columns)
        fewer.real = _real_side(table, fewer.columns)
        return fewer

    def code(self, table: pa.Table, *, where: str = SYNTHETIC) -> Coded:
        """Code another table.

        Parameters
        ----------
        table : pyarrow.Table
            Its columns are found by name; those the real table lacks are passed over.
        where : str
            What errors call it.

        Raises
        ------
        TableError
            When the table is empty, lacks a column, or holds no numbers where the real one does.
        """
        _check_rows(table, where)
        missing = [c.name for c in self.columns if c.name not in table.column_names]
        if missing:
            raise TableError(f"{where}: expected the real table's columns, missing are {missing}")
        prepared = tuple(column.prepare(table.column(column.name)) for column in self.columns)
        return Coded(table.select(self.real.names), self.columns, prepared)


def _real_side(table: pa.Table, columns: tuple[RealColumn, ...]) -> Coded:
    names = [column.name for column in columns]
    return Coded(table.select(names), columns, tuple(column.real for column in columns))


def _check_rows(table: pa.Table, where: str) -> None:
    if table.num_rows == 0:
        raise TableError(f"{where}: expected at least one row, found none")


def _real_column(name: str, array: Any, kind: str | None) -> RealColumn:
    number = is_number_type(array.type) if kind is None else kind in NUMBER_KINDS
    return NumberColumn(name, array) if number else LevelColumn(name, array)


def _tree_codes(column: LevelColumn) -> Codes:
    """Tree code of each of a column's codes, of shape (column.size,)."""
    common = column.common_levels(TREE_LEVELS)
    codes = np.full(column.size, _REST, dtype=np.int64)
    codes[common] = np.arange(len(common))
    codes[column.size - 2] = _NULL
    return codes
