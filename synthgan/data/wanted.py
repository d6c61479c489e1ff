"""What a user wants of one column, brought into one form: a null, values, or a range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthgan.errors import ConditionError

# Stands for "no condition", since None is one: a missing cell.
ANYTHING: Any = ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A condition on one column, its values as the user wrote them.

    Attributes
    ----------
    null : bool
        Missing cells are wanted.
    values : tuple or None
        Any of these values is wanted; None for a range.
    low, high : object
        An inclusive range, None where open; meant where `values` is None.
    """

    null: bool = False
    values: tuple[Any, ...] | None = ()
    low: Any = None
    high: Any = None


@dataclass(frozen=True, eq=False, slots=True)
class Chosen:
    """A condition on a column all of whose values come out one by one, by their places.

    Attributes
    ----------
    values : ndarray of bool of shape (values,)
        Which of the values that are shown are wanted.
    null : bool
        Whether missing cells are.
    """

    values: np.ndarray
    null: bool = False

    @classmethod
    def of(cls, places: np.ndarray, null: bool) -> Chosen:
        """The condition that allows some places, where the last one may stand for missing."""
        values = len(places) - null
        return cls(places[:values], bool(places[values:].any()))

    def places(self, null: bool) -> np.ndarray:
        """The places, of which the last one may stand for missing."""
        return np.append(self.values, self.null) if null else self.values


def read_wanted(name: str, wanted: Any, ranges: bool) -> Wanted:
    """Read a condition as a user wrote it.

    Parameters
    ----------
    name : str
        The column, for errors.
    wanted : object
        A value, a list (or set, or array) of values, a (low, high) tuple, or None for missing.
    ranges : bool
        Whether the column has an order that a range can follow.

    Raises
    ------
    ConditionError
        Naming the column, what was expected and what was found.

    Examples
    --------
    >>> read_wanted("age", (30, None), ranges=True)
    Wanted(null=False, values=None, low=30, high=None)
    """
    if isinstance(wanted, tuple):
        return _range(name, wanted, ranges)
    if _is_several(wanted):
        values = list(wanted)
        if not values:
            raise ConditionError(f"column {name!r}: expected at least one value, found none")
        told = tuple(value for value in values if not is_missing(value))
        return Wanted(len(told) < len(values), told)
    if isinstance(wanted, Mapping):
        raise ConditionError(
            f"column {name!r}: expected a value, a list of values, a (low, high) tuple or None, "
            f"found {wanted!r}"
        )
    return Wanted(null=True) if is_missing(wanted) else Wanted(values=(wanted,))


def _is_several(wanted: Any) -> bool:
    if isinstance(wanted, str | bytes | Mapping) or getattr(wanted, "ndim", None) == 0:
        return False
    return isinstance(wanted, Iterable)


def is_missing(value: Any) -> bool:
    """Say whether a value is one of the many nulls: None, NaN, NaT, pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return False


def _range(name: str, wanted: tuple[Any, ...], ranges: bool) -> Wanted:
    if not ranges:
        raise ConditionError(
            f"column {name!r}: a (low, high) range needs an order, which this column has not, "
            f"found {wanted!r}; give a list of values"
        )
    if len(wanted) != 2:
        raise ConditionError(f"column {name!r}: expected (low, high), found {wanted!r}")
    low, high = (None if is_missing(end) else end for end in wanted)
    return Wanted(values=None, low=low, high=high)
