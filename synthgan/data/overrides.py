"""The user's word on single columns: ``{column: kind}`` or ``{column: {kind, bounds, ...}}``."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from synthgan.data.problems import listed, nearest
from synthgan.errors import FileFormatError, InputNotFoundError, SchemaError

KINDS = ("number", "category", "boolean", "datetime", "duration", "id", "drop")
KEYS = ("kind", "bounds", "decimals", "levels", "ordered", "rare", "follows")
MAX_DECIMALS = 15

KINDS_OF = {
    "bounds": ("number", "datetime", "duration"),
    "decimals": ("number",),
    "levels": ("category",),
    "ordered": ("category",),
}


@runtime_checkable
class Described(Protocol):
    """A schema: what can describe its columns in a dict."""

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"columns": [{name, kind, ...}, ...]}``."""


def parse_overrides(
    overrides: Mapping[str, Any] | Described | None, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Check what the user said about columns and bring it into one form.

    Parameters
    ----------
    overrides : mapping or Schema, optional
        ``{column: kind}`` or ``{column: {kind, bounds, decimals, levels, ordered, rare,
        follows}}``.
    names : sequence of str
        The table's columns.

    Returns
    -------
    dict
        For each column named, a dict with the keys that were given.

    Raises
    ------
    SchemaError
        If a column, a kind or a key is unknown or a value is wrong; all problems at once.

    Examples
    --------
    >>> parse_overrides({"age": "number"}, ["age", "sex"])
    {'age': {'kind': 'number'}}
    """
    if overrides is None:
        return {}
    if isinstance(overrides, Described):
        overrides = overrides_of(overrides.to_dict())
    if not isinstance(overrides, Mapping):
        raise SchemaError(
            "schema: expected a dict {column: kind} or {column: {'kind': ..., ...}}, "
            f"found {type(overrides).__name__}"
        )
    problems: list[str] = []
    parsed = {}
    for raw, given in overrides.items():
        name = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
        if name not in names:
            problems.append(f"column {raw!r} is not in the table{nearest(name, names)}")
            continue
        parsed[name] = _parse_one(name, given, problems)
    if problems:
        raise SchemaError(listed("schema", problems))
    return parsed


def dropped(overrides: Mapping[str, Any] | Described | None) -> list[str]:
    """Return the columns that the user said to drop, before anything is checked."""
    if isinstance(overrides, Described):
        overrides = overrides_of(overrides.to_dict())
    if not isinstance(overrides, Mapping):
        return []
    return [str(name) for name, given in overrides.items() if _kind_of(given) == "drop"]


def _kind_of(given: Any) -> Any:
    return given.get("kind") if isinstance(given, Mapping) else given


def read_overrides(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a schema file: JSON as `parse_overrides` takes it, or as ``info --json`` wrote it.

    Parameters
    ----------
    path : path
        The JSON file.

    Returns
    -------
    dict
        For `parse_overrides`, which checks it against a table.

    Raises
    ------
    InputNotFoundError
        If the file is missing.
    FileFormatError
        If it is not a JSON object.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise InputNotFoundError(
            f"schema file {str(path)!r} does not exist or is no file"
        ) from None
    except UnicodeDecodeError as error:
        raise FileFormatError(f"schema file {str(path)!r}: expected UTF-8 text: {error}") from error
    try:
        plain = json.loads(text, object_pairs_hook=_unique_keys)
    except ValueError as error:
        raise FileFormatError(
            f'schema file {str(path)!r}: expected JSON such as {{"age": "number"}}: {error}'
        ) from error
    if not isinstance(plain, dict):
        raise FileFormatError(
            f"schema file {str(path)!r}: expected a JSON object, found {type(plain).__name__}"
        )
    return overrides_of(plain)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"said twice: {', '.join(map(repr, twice))}")
    return plain


def overrides_of(plain: dict[str, Any]) -> dict[str, Any]:
    """Return a whole schema's dict as overrides; a dict of overrides stays as it is."""
    columns = plain.get("columns")
    if not isinstance(columns, list):
        return plain
    return {
        str(each.get("name")): {
            key: each[key] for key in KEYS if key in each and _is_said(key, each)
        }
        for each in columns
        if isinstance(each, Mapping)
    }


def _is_said(key: str, column: Mapping[str, Any]) -> bool:
    """Whether a user said it: what a column was found to follow is found anew."""
    return key != "follows" or not isinstance(column[key], str)


def _parse_one(name: str, given: Any, problems: list[str]) -> dict[str, Any]:
    if isinstance(given, str):
        given = {"kind": given}
    if not isinstance(given, Mapping):
        problems.append(
            f"column {name!r}: expected a kind or a dict with keys {', '.join(KEYS)}, "
            f"found {type(given).__name__}"
        )
        return {}
    parsed = {}
    for key, value in given.items():
        if key not in KEYS:
            problems.append(f"column {name!r}: unknown key {key!r}{nearest(key, KEYS)}")
        elif value is not None:
            problem, parsed[key] = _CHECKS[key](value)
            if problem:
                problems.append(f"column {name!r}: {key} {problem}")
    _check_kind_allows(name, parsed, problems)
    return parsed


def _check_kind_allows(name: str, parsed: dict[str, Any], problems: list[str]) -> None:
    kind = parsed.get("kind")
    for key, kinds in KINDS_OF.items():
        if kind in KINDS and key in parsed and kind not in kinds and parsed[key] is not False:
            problems.append(
                f"column {name!r}: {key} belongs to kind {' or '.join(kinds)}, found kind {kind!r}"
            )


def _check_kind(value: Any) -> tuple[str, Any]:
    if isinstance(value, str) and value in KINDS:
        return "", value
    return f"expected one of {', '.join(KINDS)}, found {value!r}{nearest(value, KINDS)}", value


def _check_bounds(value: Any) -> tuple[str, Any]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        return f"expected (low, high), None where open, found {value!r}", value
    pair = tuple(value)
    if len(pair) != 2 or not all(_is_bound(each) for each in pair):
        return f"expected (low, high), finite and None where open, found {value!r}", value
    low, high = pair
    try:
        crossed = low is not None and high is not None and low > high
    except TypeError:
        return f"expected two values of one sort, found {value!r}", value
    return (f"expected low <= high, found {value!r}" if crossed else ""), pair


def _is_bound(value: Any) -> bool:
    if value is None or isinstance(value, str | Decimal | dt.date | dt.time | dt.timedelta):
        return True
    if isinstance(value, bool):
        return False
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("M", "m"):
        return True
    return (isinstance(value, int | float) or kind in ("i", "u", "f")) and math.isfinite(value)


def _check_decimals(value: Any) -> tuple[str, Any]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and 0 <= value <= MAX_DECIMALS:
        return "", value
    return f"expected a whole number from 0 to {MAX_DECIMALS}, found {value!r}", value


def _check_levels(value: Any) -> tuple[str, Any]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        return f"expected a list of values, found {value!r}", value
    levels = tuple(value)
    try:
        repeats = len(set(levels)) < len(levels)
    except TypeError:
        return f"expected single values, found {value!r}", value
    if not levels or repeats or None in levels:
        return f"expected a list of different values without null, found {value!r}", value
    return "", levels


def _check_flag(value: Any) -> tuple[str, Any]:
    return ("" if isinstance(value, bool) else f"expected true or false, found {value!r}"), value


_CHECKS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "kind": _check_kind,
    "bounds": _check_bounds,
    "decimals": _check_decimals,
    "levels": _check_levels,
    "ordered": _check_flag,
    "rare": _check_flag,
    "follows": _check_flag,
}
