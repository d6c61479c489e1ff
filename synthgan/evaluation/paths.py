"""Figures of a result by their dotted paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(found: Any, path: str) -> Any:
    """What stands at a dotted path, None where nothing does.

    Examples
    --------
    >>> at({"risk": {"closest_share": 0.5}}, "risk.closest_share"), at({}, "risk.dcr")
    (0.5, None)
    """
    value, rest = walk(found, path)
    return None if rest else value


def walk(found: Any, path: str) -> tuple[Any, str]:
    """Follow a path as far as it leads: what stands there, and the rest that leads nowhere.

    Examples
    --------
    >>> walk({"risk": {"a.b": {"share": 0.5}}}, "risk.a.b.shore")
    ({'share': 0.5}, 'shore')
    """
    while path:
        name = _first_key(found, path)
        if name is None:
            break
        found, path = found[name], path[len(name) + 1 :]
    return found, path


def _first_key(found: Any, path: str) -> str | None:
    """The longest key that a path begins with: names of columns may hold dots."""
    if not isinstance(found, Mapping):
        return None
    fitting = [name for name in found if path == name or path.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


def is_number(value: Any) -> bool:
    """Whether a value is a plain number (True and False are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def reason_for(result: Any, path: str) -> str | None:
    """Why a figure is missing: its own reason, else the nearest one above it.

    Examples
    --------
    >>> reason_for({"risk": {"dcr": {"median": None}, "reason": "one row"}}, "risk.dcr.median")
    'one row'
    >>> reason_for({"risk": {"share": None, "share_reason": "no holdout"}}, "risk.share")
    'no holdout'
    """
    while "." in path:
        path, _, name = path.rpartition(".")
        group = at(result, path)
        # one reason may serve all figures of a group that are held to the holdout
        of_holdout = ["reason_holdout"] if name.endswith("_holdout") else []
        for key in (f"{name}_reason", *of_holdout, "reason"):
            if isinstance(group, Mapping) and group.get(key):
                return str(group[key])
    return None
