"""A condition on categories: which levels it allows, and whether missing cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from synthgan.data.arrow_types import own_value
from synthgan.data.levels import level_type, places_in
from synthgan.data.problems import listed, nearest
from synthgan.data.wanted import Chosen, Wanted, read_wanted
from synthgan.errors import ConditionError

if TYPE_CHECKING:
    from synthgan.data.categories import CategoryEncoder

# Levels among which a nearest match is looked for; the most frequent come first.
_SEARCHED = 5_000
_SHOWN = 5


def category_condition(encoder: CategoryEncoder, wanted: Any) -> tuple[np.ndarray, bool]:
    """Read a condition on a column of categories.

    Returns
    -------
    chosen : ndarray of bool of shape (levels,)
        Levels that are allowed.
    null : bool
        Whether missing cells are.

    Raises
    ------
    ConditionError
        If a value is not one of the levels that can be emitted, or no level is allowed.
    """
    if isinstance(wanted, Chosen):
        return wanted.values, wanted.null
    name = encoder.column.name
    asked = read_wanted(name, wanted, ranges=encoder.column.ordered)
    if asked.null and encoder.null is None and len(encoder.levels):
        raise ConditionError(f"column {name!r}: no cell was missing, so none can be drawn")
    if asked.values is None:
        chosen = _between(encoder, asked, wanted)
    else:
        chosen = _among(encoder, asked.values)
    return chosen, asked.null


def _among(encoder: CategoryEncoder, values: tuple[Any, ...]) -> np.ndarray:
    chosen = np.zeros(len(encoder.levels), dtype=bool)
    problems = []
    for value in values:
        place = _place(encoder, value)
        if place < 0:
            problems.append(_unknown(encoder, value))
        else:
            chosen[place] = True
    if problems:
        raise ConditionError(listed(f"column {encoder.column.name!r}", problems))
    return chosen


def _place(encoder: CategoryEncoder, value: Any) -> int:
    """Number of the level that a user wrote, -1 if it is none."""
    found = level_type(encoder.type)
    try:
        own = pa.scalar(own_value(value, found), type=found)
    except (ValueError, pa.ArrowException):
        return -1
    # a search through the levels is cheaper than a table of all of them for one value
    return int(encoder.levels.index(own).as_py()) if len(encoder.levels) else -1


def _between(encoder: CategoryEncoder, asked: Wanted, wanted: Any) -> np.ndarray:
    """Levels between two, in the declared order."""
    name, found = encoder.column.name, level_type(encoder.type)
    declared = list(encoder.column.levels or ())
    places, problems = [0, len(declared) - 1], []
    for side, end in enumerate((asked.low, asked.high)):
        if end is None:
            continue
        try:
            places[side] = declared.index(own_value(end, found))
        except ValueError:
            problems.append(f"{end!r} is not one of its levels{nearest(end, map(str, declared))}")
    if problems:
        raise ConditionError(listed(f"column {name!r}", problems))
    order = places_in(encoder.levels, pa.array(declared, type=found))
    chosen = (order >= places[0]) & (order <= places[1])
    if not chosen.any():
        raise ConditionError(f"column {name!r}: no level that was learned lies in {wanted!r}")
    return np.asarray(chosen)


def _unknown(encoder: CategoryEncoder, value: Any) -> str:
    if not len(encoder.levels):
        return f"{value!r} cannot be drawn: every cell is missing"
    known = [str(level) for level in encoder.levels[:_SEARCHED].to_pylist()]
    hint = nearest(value, known)
    if not hint:
        more = ", ..." if len(encoder.levels) > _SHOWN else ""
        hint = f"; known are {', '.join(map(repr, known[:_SHOWN]))}{more}"
    return f"{value!r} was not learned (never seen, or too rare to be shown){hint}"
