"""Where rows come from: frames, arrays and files, as canonical Arrow chunks with a way home."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.data.arrow_types import TEXT, canonical_array, canonical_type, refusal
from synthgan.data.conforming import cast_problems, fit, name_problems
from synthgan.data.found import Found, found_in_file, found_in_frame
from synthgan.data.home import Home
from synthgan.data.native import Levels, NativeColumn
from synthgan.data.output import check_output, write_table
from synthgan.data.problems import listed
from synthgan.data.raw import CHUNK_ROWS, Facts, raw_table, survey
from synthgan.errors import TableError

__all__ = ["Home", "Source", "check_output", "open_source", "write_table"]


@dataclass(frozen=True, slots=True)
class Source:
    """A table that can be read in chunks, again and again, in canonical Arrow types.

    Parameters
    ----------
    schema : pyarrow.Schema
        Canonical types. An ordered dictionary column has all its levels in every chunk.
    rows : int
        Number of rows.
    home : Home
        The way back to what the caller gave.
    read : callable
        ``read(rows)`` gives canonical chunks of at most that many rows.
    """

    schema: pa.Schema
    rows: int
    home: Home
    read: Callable[[int], Iterator[pa.Table]]

    @property
    def names(self) -> list[str]:
        """The columns' names, as text."""
        return list(self.schema.names)

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[pa.Table]:
        """Give the table in chunks of at most that many rows, in order."""
        return self.read(rows)

    def table(self) -> pa.Table:
        """Return the whole table."""
        chunks = list(self.read(max(self.rows, 1)))
        return pa.concat_tables(chunks) if chunks else self.schema.empty_table()

    def cast(
        self, types: Mapping[str, pa.DataType], *, where: str = "X", partial: bool = False
    ) -> Source:
        """Return the same rows with the columns and types of another table.

        Parameters
        ----------
        types : mapping of str to pyarrow.DataType
            Canonical types by column, in the order wanted; other columns are refused.
        where : str
            What the errors call the table.
        partial : bool
            Whether columns may be missing.

        Returns
        -------
        Source

        Raises
        ------
        TableError
            If columns are missing or unknown, or values do not fit their type; all at once.
        """
        problems = name_problems(self.names, list(types), partial)
        schema = pa.schema([(name, found) for name, found in types.items() if name in self.names])
        if not problems:
            changed = [each for each in schema if self.schema.field(each.name).type != each.type]
            problems = cast_problems(self.read(CHUNK_ROWS) if changed else (), pa.schema(changed))
        if problems:
            raise TableError(listed(where, problems))

        def read(rows: int) -> Iterator[pa.Table]:
            for chunk in self.read(rows):
                arrays = [fit(chunk[each.name], each.type) for each in schema]
                yield pa.Table.from_arrays(arrays, schema=schema)

        return Source(schema, self.rows, self.home, read)


def open_source(
    X: Any, *, where: str = "X", min_rows: int = 2, drop: Container[str] = ()
) -> Source:
    """Open a table, whatever it is, check it, and give it in canonical Arrow types.

    Parameters
    ----------
    X : DataFrame, Table, array-like of shape (n_rows, n_columns), or path
        pandas, polars or pyarrow; a 2-D numpy array or a list of rows (columns x0, x1, ...);
        or the path of a Parquet, CSV, Arrow, Feather or JSON lines file, or of a folder of
        Parquet files. The index of a pandas frame is ignored.
    where : str
        What errors call the table.
    min_rows : int
        Fewest rows accepted.
    drop : container of str
        Columns that will not be used: they are neither read nor checked, and are all null.

    Returns
    -------
    Source

    Raises
    ------
    TableError
        If the table cannot be learned; the message lists all problems.
    InputNotFoundError
        If the path leads nowhere.
    FileFormatError
        If the file is not what its name says.

    Examples
    --------
    >>> source = open_source([[1.5, 2.0], [2.5, 3.0]])
    >>> source.names, source.rows
    (['x0', 'x1'], 2)
    >>> source.table().column("x0").to_pylist()
    [1.5, 2.5]
    """
    if isinstance(X, str | os.PathLike):
        where = repr(os.fspath(X)) if where == "X" else where
        found = found_in_file(X, drop)
    else:
        found = found_in_frame(X, where, drop)
    problems = [*_size_problems(found, min_rows), *found.problems]
    if len(set(found.names)) == len(found.names):
        found.home = replace(found.home, columns=_described(found, problems))
    if problems:
        raise TableError(listed(where, problems))
    return _canonical(found, where)


def _size_problems(found: Found, min_rows: int) -> list[str]:
    problems = []
    if not found.names:
        # scikit-learn's own words, which its estimator checks look for.
        problems.append(
            f"no columns: 0 feature(s) (shape=({found.raw.rows}, 0)) "
            "while a minimum of 1 is required."
        )
    if found.raw.rows < min_rows:
        count = found.raw.rows
        rows = {0: "no rows (0 samples)", 1: "one row (1 sample)"}.get(count, f"{count} rows")
        least = "one row" if min_rows == 1 else f"{min_rows} rows"
        problems.append(f"expected at least {least}, found {rows}")
    problems += [
        f"column name {name!r} occurs {found.names.count(name)} times; rename them apart"
        for name in dict.fromkeys(found.names)
        if found.names.count(name) > 1
    ]
    return problems


def _described(found: Found, problems: list[str]) -> tuple[NativeColumn, ...]:
    """Look at every column once and say more of it; add what cannot be learned to the problems."""
    types = {each.name: found.raw.schema.field(each.name).type for each in found.home.columns}
    refused = [name for name, native in types.items() if canonical_type(native) is None]
    problems += [f"column {name!r} {refusal(types[name])}; drop it" for name in refused]
    facts = survey(found.raw, [name for name in types if name not in refused])
    problems += [
        f"column {name!r} holds infinity in {seen.infinite:,} "
        f"row{'s' if seen.infinite > 1 else ''}; make it null or a number"
        for name, seen in facts.items()
        if seen.infinite
    ]
    return tuple(_informed(each, facts.get(each.name, Facts())) for each in found.home.columns)


def _informed(column: NativeColumn, seen: Facts) -> NativeColumn:
    if seen.nan and not seen.null:
        column = replace(column, null="nan")
    if seen.levels is None or column.levels is not None:
        return column
    values = seen.levels.cast(canonical_type(seen.levels.type))
    unused = np.flatnonzero(~np.asarray(pc.is_in(seen.levels, value_set=seen.used)))
    return replace(column, levels=Levels(values, unused=tuple(unused.tolist())))


def _canonical(found: Found, where: str) -> Source:
    """Return the source of a table without problems."""
    natives = {column.name: column for column in found.home.columns}
    types = {each.name: each.type for each in found.raw.schema}
    schema = pa.schema(
        [
            (name, TEXT if name in found.dropped else canonical_type(types[name]))
            for name in found.names
        ]
    )
    needed = list(natives)

    def read(rows: int) -> Iterator[pa.Table]:
        for chunk in found.raw.read(rows, needed):
            yield _canonical_chunk(chunk, natives, schema, where)

    if not found.raw.in_memory or not needed:
        return Source(schema, found.raw.rows, found.home, read)
    whole = (
        pa.concat_tables(read(max(found.raw.rows, 1))) if found.raw.rows else schema.empty_table()
    )
    memory = raw_table(whole)
    return Source(schema, found.raw.rows, found.home, lambda rows: memory.read(rows, None))


def _canonical_chunk(
    chunk: pa.Table, natives: Mapping[str, NativeColumn], schema: pa.Schema, where: str
) -> pa.Table:
    arrays, problems = [], []
    for each in schema:
        if each.name not in natives:
            arrays.append(pa.chunked_array([pa.nulls(chunk.num_rows, each.type)]))
            continue
        try:
            array = canonical_array(chunk[each.name], each.type)
        except pa.ArrowException as error:
            problems.append(f"column {each.name!r} holds values beyond {each.type}: {error}")
            continue
        levels = natives[each.name].levels
        arrays.append(array if levels is None else _with_levels(array, levels, each.type))
    if problems:
        raise TableError(listed(where, problems))
    return pa.Table.from_arrays(arrays, schema=schema)


def _with_levels(array: pa.ChunkedArray, levels: Levels, target: pa.DataType) -> pa.ChunkedArray:
    """Return the column with all declared levels in its dictionary."""
    if all(chunk.dictionary.equals(levels.values) for chunk in array.chunks):
        return array
    codes, values = levels.codes(array)
    made = pa.DictionaryArray.from_arrays(codes, values, ordered=target.ordered)
    return pa.chunked_array([made])
