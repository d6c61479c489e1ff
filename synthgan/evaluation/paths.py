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
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def is_number(value: Any) -> bool:
    """Whether a value is a plain number (True and False are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
