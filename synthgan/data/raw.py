"""A table as it was found, before it is canonical: types, number of rows, and a way to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

CHUNK_ROWS = 65_536

Reader = Callable[[int, "list[str] | None"], Iterator[pa.Table]]


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table whose chunks can be read again and again.

    Parameters
    ----------
    schema : pyarrow.Schema
        The types as found.
    rows : int
        Number of rows.
    read : callable
        ``read(rows, columns)`` gives chunks of at most that many rows, of the columns named.
    in_memory : bool
        Whether the whole table is in memory anyway.
    """

    schema: pa.Schema
    rows: int
    read: Reader
    in_memory: bool = True


def raw_table(table: pa.Table) -> RawTable:
    """Return a table in memory as a raw table."""

    def read(rows: int, columns: list[str] | None) -> Iterator[pa.Table]:
        chosen = table if columns is None else table.select(columns)
        for first in range(0, table.num_rows, rows):
            yield chosen.slice(first, rows)

    return RawTable(table.schema, table.num_rows, read)


@dataclass(slots=True)
class Facts:
    """What one pass over a column finds: infinities, how it writes missing values, its levels."""

    infinite: int = 0
    nan: int = 0
    null: int = 0
    levels: pa.Array | None = None
    used: pa.Array | None = None


def survey(raw: RawTable, names: Sequence[str]) -> dict[str, Facts]:
    """Read the float and ordered categorical ones of the columns once and say what they hold."""
    watched = [name for name in names if _watched(raw.schema.field(name).type)]
    facts = {name: Facts() for name in watched}
    if not watched:
        return facts
    for chunk in raw.read(CHUNK_ROWS * 4, watched):
        for name in watched:
            _look(facts[name], chunk[name])
    return facts


def _watched(found: pa.DataType) -> bool:
    if pat.is_dictionary(found):
        return bool(found.ordered) or pat.is_floating(found.value_type)
    return bool(pat.is_floating(found))


def _look(facts: Facts, array: pa.ChunkedArray) -> None:
    if pat.is_dictionary(array.type):
        ordered = array.type.ordered
        for chunk in array.chunks:
            if ordered:
                facts.levels = _union(facts.levels, chunk.dictionary.drop_null())
                facts.used = _union(facts.used, chunk.cast(chunk.type.value_type).drop_null())
        array = array.cast(array.type.value_type)
        if not pat.is_floating(array.type):
            return
    if pat.is_float16(array.type):
        array = array.cast(pa.float32())
    facts.infinite += pc.sum(pc.is_inf(array)).as_py() or 0
    facts.nan += pc.sum(pc.is_nan(array)).as_py() or 0
    facts.null += array.null_count


def _union(known: pa.Array | None, more: pa.Array) -> pa.Array:
    more = more.unique()
    if known is None:
        return more
    return pa.concat_arrays([known, more.filter(pc.invert(pc.is_in(more, value_set=known)))])
