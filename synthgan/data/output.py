"""Tables into files: checked before any work, written under a temporary name, then renamed."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals.dependencies as known
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pyarrow.types as pat

from synthgan.data.files import TABLE_SUFFIXES
from synthgan.data.problems import listed, nearest
from synthgan.errors import OutputError, OutputExistsError, TableError

_CHUNK_ROWS = 65_536


def check_output(
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    suffixes: Sequence[str] | None = None,
) -> None:
    """Check that a file can be written there, before any work.

    Parameters
    ----------
    path : path
        The file to be written.
    force : bool
        Whether an existing file may be overwritten.
    suffixes : sequence of str, optional
        Suffixes allowed; any without.

    Raises
    ------
    OutputExistsError
        If the file exists and ``force`` is false.
    OutputError
        If the folder is missing or not writable, the path is a folder, or the suffix is not
        one of those allowed.
    """
    path = Path(path)
    problems = []
    suffix = path.suffix.lower()
    if suffixes is not None and suffix not in suffixes:
        problems.append(
            f"expected a name ending in {', '.join(suffixes)}, found suffix {suffix!r}"
            f"{nearest(suffix, suffixes)}"
        )
    if not path.parent.is_dir():
        problems.append(f"folder {str(path.parent)!r} does not exist; make it first")
    elif path.is_dir():
        problems.append("expected a file, found a folder of that name")
    elif not os.access(path.parent, os.W_OK):
        problems.append(f"folder {str(path.parent)!r} is not writable")
    if problems:
        raise OutputError(listed(f"output {str(path)!r}", problems))
    if path.exists() and not force:
        raise OutputExistsError(
            f"output {str(path)!r} exists already; choose another name, or overwrite it "
            "with force=True (--force)"
        )


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name in the same folder, renamed to the path if all went well.

    Parameters
    ----------
    path : path
        The file wanted.

    Yields
    ------
    pathlib.Path
        Write here.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except (OSError, pa.ArrowException) as error:
        raise OutputError(f"output {str(path)!r} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_table(table: Any, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a table to a Parquet, CSV, Arrow, Feather or JSON lines file, whole or not at all.

    Parameters
    ----------
    table : DataFrame, Table or ndarray of shape (n_rows, n_columns)
        pandas, polars, pyarrow or numpy (columns x0, x1, ...). A pandas index is not written.
    path : path
        The suffix says the format.
    force : bool
        Whether an existing file may be overwritten.

    Raises
    ------
    OutputExistsError
        If the file exists and ``force`` is false.
    OutputError
        If the folder is missing, or the suffix unknown, or writing fails.
    """
    check_output(path, force=force, suffixes=TABLE_SUFFIXES)
    arrow = _to_arrow(table)
    suffix = Path(path).suffix.lower()
    with replacing(path) as temporary:
        _WRITERS[suffix](arrow, temporary)


def _to_arrow(table: Any) -> pa.Table:
    if known.is_pandas_dataframe(table):
        return pa.Table.from_pandas(table, preserve_index=False)
    if known.is_polars_dataframe(table):
        return table.to_arrow()
    if isinstance(table, np.ndarray) and table.ndim == 2:
        return pa.table({f"x{i}": column for i, column in enumerate(table.T)})
    if isinstance(table, pa.Table):
        return table
    raise TableError(
        "expected a pandas, polars or pyarrow table or a 2-D array to write, "
        f"found {type(table).__name__}"
    )


def _write_parquet(table: pa.Table, path: Path) -> None:
    pa_parquet.write_table(table, path, compression="zstd")


def _write_arrow(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.unify_dictionaries())


def _write_csv(table: pa.Table, path: Path) -> None:
    pa_csv.write_csv(_plain(table), path)


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionaries as their values, as text formats need it."""
    for place, field in enumerate(table.schema):
        if pat.is_dictionary(field.type):
            values = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, values)
    return table


def _write_jsonl(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for batch in _plain(table).to_batches(max_chunksize=_CHUNK_ROWS):
            for row in batch.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False, default=_json_value) + "\n")


def _json_value(value: Any) -> Any:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    raise TypeError(f"a table cell of type {type(value).__name__} has no JSON form")


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".arrow": _write_arrow,
    ".feather": _write_arrow,
    ".jsonl": _write_jsonl,
    ".ndjson": _write_jsonl,
}
