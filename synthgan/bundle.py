"""A fitted model on disk: one file of a JSON header and named arrays, checked and without code.

The layout, in order:

=========  =====================================================================
bytes      meaning
=========  =====================================================================
12         magic: says that this is a synthgan file, and notices a transfer as text
4          format version, unsigned little-endian
8, 8       length of the header and of the arrays, unsigned little-endian
...        header, JSON in ASCII without NaN or infinities
...        arrays in the safetensors format
32         SHA-256 of everything before it
=========  =====================================================================

The promise about older files: every release reads the files of all earlier releases from 0.1.0 on.
A change of the layout, or of what the header and the arrays mean, gets a new `FORMAT_VERSION`, and
the reader of the old one stays. A file of a newer format is refused with an error that says so.
A field that is added, and may be missing, changes no meaning: the format stays, as it did when
refiners came into the header and the arrays.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from synthgan.errors import FileFormatError, InputNotFoundError, OutputError, OutputExistsError

Value = TypeVar("Value")

MAGIC = b"\x89synthgan\r\n\x1a"
FORMAT_VERSION = 1
MODEL_SUFFIX = ".synthgan"

_LENGTHS = struct.Struct("<IQQ")
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_PRELUDE_BYTES = len(MAGIC) + _LENGTHS.size


def write_bundle(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    *,
    force: bool = False,
) -> None:
    """Write a header and arrays to one file, whole or not at all.

    The same header and arrays give the same bytes.

    Parameters
    ----------
    path : path
        File to write; its folder must exist.
    header : mapping
        Anything JSON can say; string keys, no NaN, no infinity.
    tensors : mapping of str to array
        Arrays of booleans, integers or floats, of any shape.
    force : bool, default False
        Whether an existing file is overwritten.

    Raises
    ------
    OutputExistsError
        When the file exists and `force` is false.
    OutputError
        When the folder does not exist, or the path is a folder.
    ValueError, TypeError
        When the header is not JSON, or an array is of a type the file cannot hold.
    """
    target = Path(path)
    _check_target(target, force)
    content = _pack(header, tensors)
    # Not tempfile: its files are private to the user even after the rename.
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"{target}: the model could not be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def read_bundle(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write_bundle` wrote.

    Parameters
    ----------
    path : path
        File to read.

    Returns
    -------
    header : dict
        The header, as JSON gives it back (tuples are lists).
    tensors : dict of str to array
        The arrays, writable.

    Raises
    ------
    InputNotFoundError
        When there is no such file.
    FileFormatError
        When the file is something else, cut short, damaged, or of a newer format.
    """
    source = Path(path)
    if not source.is_file():
        found = "a folder" if source.is_dir() else "nothing"
        raise InputNotFoundError(f"{source}: expected a model file, found {found}")
    with source.open("rb") as file:
        # A large file of something else is refused without being read.
        _check_magic(file.read(len(MAGIC)), source)
        file.seek(0)
        content = file.read()
    header_bytes, tensor_bytes = _unpack(content, source)
    try:
        header = json.loads(header_bytes, parse_constant=_refuse_constant)
        tensors = safetensors.numpy.load(tensor_bytes)
    except (ValueError, safetensors.SafetensorError) as error:
        raise FileFormatError(f"{source}: the content cannot be read: {error}") from error
    if not isinstance(header, dict):
        raise FileFormatError(f"{source}: expected a JSON object as header, found another value")
    return header, {name: np.array(array) for name, array in tensors.items()}


def part(named: Mapping[str, Value], start: str) -> dict[str, Value]:
    """What one owner put into named arrays, by the names that it gave.

    Examples
    --------
    >>> part({"codec.edges": 1, "refiner.edges": 2}, "codec.")
    {'edges': 1}
    """
    return {
        name.removeprefix(start): value for name, value in named.items() if name.startswith(start)
    }


def _check_target(target: Path, force: bool) -> None:
    if not target.parent.is_dir():
        raise OutputError(f"{target}: the folder {target.parent} does not exist; create it first")
    if target.is_dir():
        raise OutputError(f"{target}: expected the name of a file, found a folder")
    if target.exists() and not force:
        raise OutputExistsError(f"{target}: exists already; say force (--force) to overwrite it")


def _pack(header: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> bytes:
    header_bytes = json.dumps(_json_value(header, "header"), allow_nan=False).encode("ascii")
    arrays = {name: _array_value(array, name) for name, array in tensors.items()}
    tensor_bytes = safetensors.numpy.save(arrays)
    lengths = _LENGTHS.pack(FORMAT_VERSION, len(header_bytes), len(tensor_bytes))
    content = b"".join([MAGIC, lengths, header_bytes, tensor_bytes])
    return content + hashlib.sha256(content).digest()


def _json_value(value: Any, where: str) -> Any:
    """Copy a value, refusing whatever JSON would change or drop without a word."""
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"{where}: expected text as keys, found {wrong}")
        return {key: _json_value(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not np.isfinite(value):
            raise ValueError(f"{where}: expected a finite number, found {value}")
        return value
    raise TypeError(f"{where}: expected a JSON value, found {type(value).__name__}")


def _array_value(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"array {name!r}: expected booleans, integers or floats of up to 64 bits, "
            f"found {array.dtype}"
        )
    return np.asarray(array, order="C")


def _check_magic(start: bytes, source: Path) -> None:
    if not start or start != MAGIC[: len(start)]:
        raise FileFormatError(f"{source}: this is not a model written by synthgan")


def _unpack(content: bytes, source: Path) -> tuple[bytes, bytes]:
    """Check the file from the outside in, and cut it into header and arrays."""
    if len(content) < _PRELUDE_BYTES:
        raise FileFormatError(f"{source}: the file is cut short; copy or save it again")
    version, header_length, tensor_length = _LENGTHS.unpack_from(content, len(MAGIC))
    if version > FORMAT_VERSION:
        raise FileFormatError(
            f"{source}: written in format {version} by a newer synthgan; "
            f"this one reads formats up to {FORMAT_VERSION}: upgrade it"
        )
    expected = _PRELUDE_BYTES + header_length + tensor_length + _CHECKSUM_BYTES
    if len(content) < expected:
        raise FileFormatError(
            f"{source}: the file is cut short: expected {expected:,} bytes, "
            f"found {len(content):,}; copy or save it again"
        )
    if hashlib.sha256(content[:-_CHECKSUM_BYTES]).digest() != content[-_CHECKSUM_BYTES:]:
        raise FileFormatError(f"{source}: the file is damaged: its checksum does not match")
    cut = _PRELUDE_BYTES + header_length
    return content[_PRELUDE_BYTES:cut], content[cut:-_CHECKSUM_BYTES]


def _refuse_constant(word: str) -> None:
    raise ValueError(f"the header holds {word}, which is not JSON")
