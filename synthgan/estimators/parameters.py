"""What a parameter may be: one rule per parameter, one grammar for every error about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from synthgan.data.problems import listed, nearest
from synthgan.errors import ParameterError


@dataclass(frozen=True, slots=True)
class Rule:
    """What a parameter accepts: in words for the reader, as a test for the value.

    Attributes
    ----------
    expected : str
        The words that follow "expected" in an error.
    accepts : callable
        Whether a value is allowed.
    words : tuple of str
        Texts that are allowed, for the nearest match of a misspelt one.
    """

    expected: str
    accepts: Callable[[Any], bool]
    words: tuple[str, ...] = ()

    def __or__(self, other: Rule) -> Rule:
        return Rule(
            f"{self.expected} or {other.expected}",
            lambda value: self.accepts(value) or other.accepts(value),
            self.words + other.words,
        )


def whole(low: int, high: int | None = None) -> Rule:
    """A whole number in [low, high]; a bool is not one."""
    expected = f"a whole number of at least {low}"
    if high is not None:
        expected = f"a whole number from {low} to {high}"
    return Rule(expected, lambda value: is_whole(value) and _within(value, low, high))


def real(expected: str, low: float, high: float = math.inf, *, open_low: bool = False) -> Rule:
    """A finite number in [low, high], or above `low` with `open_low`."""

    def accepts(value: Any) -> bool:
        if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
            return False
        number = float(value)
        above = number > low if open_low else number >= low
        return math.isfinite(number) and above and number <= high

    return Rule(expected, accepts)


def word(*words: str) -> Rule:
    """One of a few texts."""
    return Rule(
        " or ".join(map(repr, words)),
        lambda value: isinstance(value, str) and value in words,
        words,
    )


def kind(expected: str, *types: type) -> Rule:
    """Any object of some types."""
    return Rule(expected, lambda value: isinstance(value, types))


NOTHING = Rule("None", lambda value: value is None)
AUTO = word("auto")


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number and not a bool."""
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def plain(value: Any) -> Any:
    """A numpy scalar as Python's own number; everything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def check_values(owner: str, values: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Hold every parameter against its rule.

    Raises
    ------
    ParameterError
        Naming every parameter that breaks its rule, what was expected and what was found.
    """
    problems = [
        broken(name, values[name], rule)
        for name, rule in rules.items()
        if not rule.accepts(values[name])
    ]
    if problems:
        raise ParameterError(listed(owner, problems))


def check_names(owner: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse parameter names that `owner` does not have.

    Raises
    ------
    ParameterError
        Naming every unknown parameter, its nearest match, and the known ones.
    """
    known = sorted(known)
    problems = [
        f"unknown parameter {name!r}{nearest(name, known)}" for name in names if name not in known
    ]
    if problems:
        raise ParameterError(f"{listed(owner, problems)}\nknown are {', '.join(known)}")


def broken(name: str, value: Any, rule: Rule) -> str:
    """Say what a parameter expected and what it found."""
    hint = nearest(value, rule.words) if isinstance(value, str) else ""
    return f"{name}: expected {rule.expected}, found {_shown(value)}{hint}"


def _shown(value: Any) -> str:
    text = repr(value)
    text = text if len(text) <= 80 else f"{text[:77]}..."
    return f"{text} ({type(value).__name__})"


def _within(value: Any, low: int, high: int | None) -> bool:
    return int(value) >= low and (high is None or int(value) <= high)
