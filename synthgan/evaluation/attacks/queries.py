"""Queries such as "age >= 81 and town is Ulm", and how many rows of a table meet each.

A query is a list of conditions, one per column, that must all hold. A null meets only the
conditions that ask for nulls. Rows of a column are kept in order, so that a condition is a range
of that order: a query is counted over the rows of its narrowest condition only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Codes, Floats

# Rows that queries are tried on first: most meet two of these already, and so do not pick one.
GLANCES = 64, 512, 4_096

EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, NULL, KNOWN = range(8)

_TESTS: dict[int, Callable[[Floats, float], NDArray[np.bool_]]] = {
    EQUAL: operator.eq,
    UNEQUAL: lambda found, value: (found != value) & ~np.isnan(found),
    LESS: operator.lt,
    AT_MOST: operator.le,
    MORE: operator.gt,
    AT_LEAST: operator.ge,
    NULL: lambda found, _: np.isnan(found),
    KNOWN: lambda found, _: ~np.isnan(found),
}


@dataclass(frozen=True, slots=True)
class Queries:
    """Some queries of equally many conditions.

    Attributes
    ----------
    columns : array of int64 of shape (n_queries, n_conditions)
        Place of the column that each condition is about.
    operators : array of int64 of shape (n_queries, n_conditions)
        `EQUAL` to `KNOWN`.
    values : array of float64 of shape (n_queries, n_conditions)
        What the column is compared with; without meaning for `NULL` and `KNOWN`.
    """

    columns: Codes
    operators: Codes
    values: Floats

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, index: Any) -> Queries:
        """The queries of an index, a mask or a slice."""
        return Queries(self.columns[index], self.operators[index], self.values[index])

    def keys(self) -> list[bytes]:
        """Something that is equal for equal queries only; columns must be in order."""
        parts = [self.columns, self.operators, self.values.view(np.int64)]
        return [row.tobytes() for row in np.concatenate(parts, axis=1)]


def as_values(coded: Coded, rows: Any, *, unseen: float) -> Floats:
    """Some rows of a table as numbers, of shape (n_rows, n_columns), column by column in memory.

    Parameters
    ----------
    coded : Coded
        The table.
    rows : index
        Which rows.
    unseen : float
        Code of categories that the real table never held: below zero, and another one for each
        table, for such categories need not be the same.

    Returns
    -------
    array of float64
        Numbers as they are, categories as their codes, NaN where null.
    """
    made = np.empty((len(rows), len(coded.columns)), order="F")
    for place, (column, found) in enumerate(zip(coded.columns, coded.prepared, strict=True)):
        if found.values is not None:
            made[:, place] = found.values[rows]
        else:
            codes = found.codes[rows].astype(np.float64)
            codes[codes == column.size - 1] = unseen
            codes[codes == column.size - 2] = np.nan
            made[:, place] = codes
    return made


def distinct(values: Floats) -> Floats:
    """The rows without repetitions, in their order.

    Examples
    --------
    >>> distinct(np.array([[1.0, np.nan], [2.0, 0.0], [1.0, np.nan]]))
    array([[ 1., nan],
           [ 2.,  0.]])
    """
    keys = np.zeros(len(values), dtype=np.uint64)
    for column in values.T:
        # Adding zero makes one of the two zeros; all NaN here have the same bits.
        bits = (column + 0.0).view(np.uint64)
        keys = (keys ^ bits ^ (bits >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(32)
    _, first = np.unique(keys, return_index=True)
    return np.asfortranarray(values[np.sort(first)])


class Population:
    """The rows that queries are asked of.

    Parameters
    ----------
    values : array of float64 of shape (n_rows, n_columns)
        Numbers or codes, NaN where null.

    Examples
    --------
    >>> town = Population(np.array([[20.0, 0.0], [30.0, 0.0], [81.0, 1.0]]))
    >>> old = Queries(np.array([[0, 1]]), np.array([[AT_LEAST, EQUAL]]), np.array([[30.0, 0.0]]))
    >>> town.counts(old)
    array([1])
    """

    def __init__(self, values: Floats) -> None:
        self.values = values
        self.rows = len(values)

    @cached_property
    def order(self) -> list[Codes]:
        """Rows of each column from its least value to its greatest, nulls last."""
        return [np.argsort(column, kind="stable") for column in self.values.T]

    @cached_property
    def known(self) -> list[Floats]:
        """Values of each column in order, without nulls."""
        ordered = [column[rows] for column, rows in zip(self.values.T, self.order, strict=True)]
        return [values[: int(np.searchsorted(values, np.nan))] for values in ordered]

    @cached_property
    def medians(self) -> Floats:
        """Median of each column, NaN where there is no value."""
        return np.array([np.median(each) if len(each) else np.nan for each in self.known])

    def counts(self, queries: Queries) -> Codes:
        """How many rows meet each query, of shape (n_queries,)."""
        first, last = self._ranges(queries)
        narrow = (last - first).argmin(axis=1) if len(queries) else []
        return np.array(
            [
                self._count(queries, query, place, slice(first[query, place], last[query, place]))
                for query, place in enumerate(narrow)
            ],
            dtype=np.int64,
        )

    def single(self, queries: Queries) -> NDArray[np.bool_]:
        """Which queries are met by exactly one row; they must not ask for `UNEQUAL`."""
        left = np.arange(len(queries))
        first, last = (each.astype(np.int32) for each in self._ranges(queries))
        for glance in GLANCES:
            places = self.places[:, :: max(1, self.rows // glance)]
            met = np.ones((len(left), places.shape[1]), dtype=np.bool_)
            for columns, low, high in zip(queries.columns.T, first.T, last.T, strict=True):
                found = places[columns[left]]
                met &= (found >= low[left, None]) & (found < high[left, None])
            left = left[met.sum(axis=1) < 2]
        single = np.zeros(len(queries), dtype=np.bool_)
        single[left] = self.counts(queries.take(left)) == 1
        return single

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """Where each row stands in each column's order, of shape (n_columns, n_rows)."""
        places = np.empty(self.values.T.shape, dtype=np.int32)
        for column, order in enumerate(self.order):
            places[column, order] = np.arange(self.rows)
        return places

    def _count(self, queries: Queries, query: int, place: int, span: slice) -> int:
        rows = self.order[queries.columns[query, place]][span]
        for other, column in enumerate(queries.columns[query]):
            kind = int(queries.operators[query, other])
            if other != place or kind == UNEQUAL:
                met = _TESTS[kind](self.values[rows, column], queries.values[query, other])
                rows = rows[met]
            if not len(rows):
                break
        return len(rows)

    def _ranges(self, queries: Queries) -> tuple[Codes, Codes]:
        """First and last place of each condition in its column's order."""
        first, last = np.zeros_like(queries.columns), np.zeros_like(queries.columns)
        for column in np.unique(queries.columns):
            here = queries.columns == column
            known, kind = self.known[column], queries.operators[here]
            left = np.searchsorted(known, queries.values[here])
            right = np.searchsorted(known, queries.values[here], side="right")
            starts = [(kind == EQUAL) | (kind == AT_LEAST), kind == MORE, kind == NULL]
            ends = [(kind == EQUAL) | (kind == AT_MOST), kind == LESS, kind == NULL]
            first[here] = np.select(starts, [left, right, len(known)], 0)
            last[here] = np.select(ends, [right, left, self.rows], len(known))
        return first, last
