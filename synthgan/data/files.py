"""Table files: Parquet, CSV, Arrow, Feather, JSON lines and folders of Parquet, read in chunks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.dataset as pa_dataset
import pyarrow.json as pa_json
import pyarrow.parquet as pa_parquet
import pyarrow.types as pat

from synthgan.data.problems import listed, nearest
from synthgan.data.raw import RawTable, raw_table
from synthgan.errors import FileFormatError, InputNotFoundError, TableError

TABLE_SUFFIXES = (".parquet", ".csv", ".arrow", ".feather", ".jsonl", ".ndjson")

_MAGIC = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file of version 1",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF document",
    b"\xff\xff\xff\xff": "an Arrow stream",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_WANTED = {
    ".parquet": ("a Parquet file",),
    ".arrow": ("an Arrow file", "an Arrow stream"),
    ".feather": ("an Arrow file", "an Arrow stream"),
    ".csv": ("text",),
    ".jsonl": ("text",),
    ".ndjson": ("text",),
}
_DELIMITERS = ",;\t|"
_JSON_BLOCK = 1 << 24
_DAY = 86_400
_CHANGED = re.compile(r"Column\(/(.*)\) changed from (\w+) to (\w+)", re.DOTALL)


def open_file(path: str | os.PathLike[str]) -> RawTable:
    """Open a table file or a folder of Parquet files.

    Parameters
    ----------
    path : path
        The suffix says the format.

    Returns
    -------
    RawTable

    Raises
    ------
    InputNotFoundError
        If nothing is there.
    FileFormatError
        If the suffix is unknown, or the file is not what its name says.
    """
    path = Path(path)
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise InputNotFoundError(f"{str(path)!r} does not exist")
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise FileFormatError(
            f"{str(path)!r}: expected a table file ({', '.join(TABLE_SUFFIXES)}) or a folder of "
            f"Parquet files, found suffix {suffix!r}{nearest(suffix, TABLE_SUFFIXES)}"
        )
    found = _sniff(path)
    if found == "nothing":
        raise TableError(f"{str(path)!r} is an empty file: it holds no columns and no rows")
    if found not in _WANTED[suffix]:
        raise FileFormatError(
            f"{str(path)!r}: expected {_WANTED[suffix][0]} as its name says, found {found}; "
            "rename it to what it is, or write it again"
        )
    return _guarded(path, lambda: _READERS[suffix](path))


def _sniff(path: Path) -> str:
    """Say what the first bytes look like."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise InputNotFoundError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    if not head:
        return "nothing"
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            return what
    return "binary data" if b"\0" in head else "text"


def _guarded(path: Path, read: Callable[[], RawTable]) -> RawTable:
    """Open, and turn Arrow's errors, now and while reading, into errors that name the file."""
    try:
        raw = read()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error

    def guarded(rows: int, columns: list[str] | None) -> Iterator[pa.Table]:
        try:
            yield from raw.read(rows, columns)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from error

    return RawTable(raw.schema, raw.rows, guarded, raw.in_memory)


def _damaged(path: Path, error: Exception) -> FileFormatError:
    return FileFormatError(
        f"{str(path)!r}: expected a whole {path.suffix or 'Parquet folder'} table, "
        f"found one that cannot be read: {error}"
    )


def _open_parquet(path: Path) -> RawTable:
    with pa_parquet.ParquetFile(path) as file:
        schema, total = file.schema_arrow, file.metadata.num_rows

    def read(rows: int, columns: list[str] | None) -> Iterator[pa.Table]:
        # Buffering ahead would read the whole file at once.
        with pa_parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(rows, columns=columns):
                yield pa.Table.from_batches([batch])

    return RawTable(schema, total, read, in_memory=False)


def _open_folder(path: Path) -> RawTable:
    files = sorted(
        each
        for each in path.rglob("*.parquet")
        if each.is_file()
        and not any(p.startswith((".", "_")) for p in each.relative_to(path).parts)
    )
    if not files:
        raise InputNotFoundError(f"folder {str(path)!r} holds no .parquet files")
    schemas, problems = [], []
    for each in files:
        try:
            schemas.append(_guarded(each, partial(_open_parquet, each)).schema)
        except FileFormatError as error:
            problems.append(str(error))
    if problems:
        raise FileFormatError(listed(f"folder {str(path)!r}", problems))
    return _guarded(path, lambda: _dataset(path, files, _unified(path, files, schemas)))


def _unified(path: Path, files: list[Path], schemas: list[pa.Schema]) -> pa.Schema:
    merged, problems = schemas[0], []
    for file, schema in zip(files, schemas, strict=True):
        try:
            merged = pa.unify_schemas([merged, schema], promote_options="permissive")
        except pa.ArrowException as error:
            problems.append(f"{file.name} does not fit the files before it: {error}")
    if problems:
        raise TableError(listed(f"folder {str(path)!r}", problems))
    return merged


def _dataset(path: Path, files: list[Path], schema: pa.Schema) -> RawTable:
    folder = partial(
        pa_dataset.dataset,
        [str(each) for each in files],
        format="parquet",
        partitioning=pa_dataset.partitioning(flavor="hive"),
        partition_base_dir=str(path),
    )
    extra = [each for each in folder().schema if each.name not in schema.names]
    whole = pa.schema([*schema, *extra], metadata=schema.metadata)
    found = folder(schema=whole)

    def read(rows: int, columns: list[str] | None) -> Iterator[pa.Table]:
        # Little readahead: the point of chunks is bounded memory.
        for batch in found.to_batches(
            columns=columns, batch_size=rows, batch_readahead=2, fragment_readahead=1
        ):
            if batch.num_rows:
                yield pa.Table.from_batches([batch])

    return RawTable(whole, found.count_rows(), read, in_memory=False)


def _open_ipc(path: Path) -> RawTable:
    if _sniff(path) == "an Arrow stream":
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
            return raw_table(stream.read_all())
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        # The rows stay on disk until they are read.
        return replace(raw_table(file.read_all()), in_memory=False)


def _open_csv(path: Path) -> RawTable:
    # read_csv infers a column's type from all rows; the streaming reader only from the first.
    table = pa_csv.read_csv(
        path,
        parse_options=pa_csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(strings_can_be_null=True),
    )
    try:
        types = zip(table.schema.names, table.schema.types, strict=True)
        binary = [name for name, found in types if pat.is_binary(found)]
    except UnicodeDecodeError:
        binary = ["its header"]
    if binary:
        raise FileFormatError(
            f"{str(path)!r}: expected UTF-8 text, found other bytes in column "
            f"{', '.join(map(repr, binary))}; save it as UTF-8"
        )
    return raw_table(table)


def _delimiter(path: Path) -> str:
    """Return the separator that the header line uses most."""
    with path.open("rb") as file:
        header = file.readline(1 << 20).decode("utf-8", errors="replace")
    return max(_DELIMITERS, key=lambda each: (header.count(each), -_DELIMITERS.index(each)))


def _open_jsonl(path: Path) -> RawTable:
    size = path.stat().st_size
    block = pa_json.ReadOptions(block_size=max(1 << 20, min(size + 1, _JSON_BLOCK)))
    try:
        table = pa_json.read_json(path, read_options=block)
    except pa.ArrowInvalid as error:
        if changed := _CHANGED.search(str(error)):
            name, first, second = changed.groups()
            raise TableError(
                f"{str(path)!r}: column {name!r} mixes types: {first} and {second}; "
                "bring it to one type, or drop it"
            ) from error
        raise
    for place, field in enumerate(table.schema):
        if _is_midnight(table.column(place)):
            table = table.set_column(place, field.name, table.column(place).cast(pa.date32()))
    return raw_table(table)


def _is_midnight(array: pa.ChunkedArray) -> bool:
    """Say whether Arrow read dates without a time of day as moments, as its JSON reader does."""
    if not (pat.is_timestamp(array.type) and array.type.tz is None) or not len(array):
        return False
    seconds = array.cast(pa.timestamp("s")).cast(pa.int64())
    days = pc.multiply(pc.divide(seconds, _DAY), _DAY)
    return pc.all(pc.equal(days, seconds)).as_py() is True and array.null_count < len(array)


_READERS: dict[str, Callable[[Path], RawTable]] = {
    ".parquet": _open_parquet,
    ".csv": _open_csv,
    ".arrow": _open_ipc,
    ".feather": _open_ipc,
    ".jsonl": _open_jsonl,
    ".ndjson": _open_jsonl,
}
