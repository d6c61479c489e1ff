"""Tables of any size, read chunk by chunk into a bounded number of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.source import Source, open_source

# Of very wide tables fewer rows are kept, so that memory has a bound.
MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class Sampled:
    """Rows of a table, evenly drawn.

    Attributes
    ----------
    name : str
        The file's name, or what the table is.
    rows : int
        How many rows the table has.
    table : pyarrow.Table
        The rows that are used, in the table's order and canonical types.
    chunks : callable
        Gives all rows, chunk by chunk.
    """

    name: str
    rows: int
    table: pa.Table
    chunks: Callable[[], Iterator[pa.Table]]

    @property
    def is_whole(self) -> bool:
        """Whether all rows are used."""
        return bool(self.table.num_rows == self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Name and sizes, for the result."""
        return {"name": self.name, "rows": self.rows, "rows_used": self.table.num_rows}


@dataclass(frozen=True, slots=True)
class AllBut:
    """Every name but some.

    Examples
    --------
    >>> "town" in AllBut({"n"}), "n" in AllBut({"n"})
    (True, False)
    """

    names: Container[str]

    def __contains__(self, name: object) -> bool:
        return name not in self.names


def read_sampled(
    table: Any,
    what: str,
    *,
    most_rows: int,
    seed: int,
    stream: int = 0,
    drop: Container[str] = (),
) -> Sampled:
    """Read a table; of a longer one, as many rows as allowed, drawn without replacement.

    Parameters
    ----------
    table : table
        A frame, an array, or the path of a file.
    what : str
        What errors call it.
    most_rows : int
        Most rows kept in memory; fewer of tables of more than 100 columns.
    seed, stream : int
        Decide which rows.
    drop : container of str
        Columns that are neither read nor checked.

    Returns
    -------
    Sampled

    Raises
    ------
    TableError, InputNotFoundError, FileFormatError
        As `open_source`.

    Examples
    --------
    >>> sampled = read_sampled([[1, 2], [3, 4], [5, 6]], "the real table", most_rows=2, seed=0)
    >>> sampled.to_dict()
    {'name': 'real table', 'rows': 3, 'rows_used': 2}
    """
    is_path = isinstance(table, str | os.PathLike)
    name = Path(table).name if is_path else what.removeprefix("the ")
    source = open_source(table, where=what, min_rows=1, drop=drop)
    chosen = np.arange(source.rows)
    most_rows = min(most_rows, MOST_CELLS // len(source.names))
    if source.rows > most_rows:
        draw = np.random.default_rng([seed, stream]).choice(source.rows, most_rows, replace=False)
        chosen = np.sort(draw)
    return Sampled(name, source.rows, _rows_of(source, chosen), source.chunks)


def _rows_of(source: Source, chosen: np.ndarray) -> pa.Table:
    if len(chosen) == source.rows:
        return source.table()
    parts, start = [], 0
    for chunk in source.chunks():
        first, last = np.searchsorted(chosen, [start, start + chunk.num_rows])
        parts.append(chunk.take(pa.array(chosen[first:last] - start)))
        start += chunk.num_rows
    return pa.concat_tables(parts).combine_chunks()
