"""How many new rows each class gets: imbalanced-learn's words, and shares of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan.data.problems import listed, nearest
from synthgan.errors import ParameterError
from synthgan.estimators.parameters import Rule, broken, is_whole

WORDS = ("minority", "not minority", "not majority", "all", "auto")

STRATEGY = Rule(
    f"one of {', '.join(map(repr, WORDS))}, a ratio above 0 and at most 1, "
    "a dict {class: rows wanted} or a callable that gives one",
    lambda value: (
        (isinstance(value, str) and value in WORDS)
        or (_is_real(value) and 0 < value <= 1)
        or isinstance(value, Mapping)
        or callable(value)
    ),
    WORDS,
)

Counts = NDArray[np.int64]


def wanted_rows(
    strategy: Any, labels: Sequence[Any], counts: Counts, y: Any = None
) -> dict[int, int]:
    """Settle how many new rows each class gets, as imbalanced-learn's over-samplers do.

    Parameters
    ----------
    strategy : str, float, mapping or callable
        As `STRATEGY` says. A float is the rows of the smaller class over those of the larger one
        when all is done; a dict or what the callable makes of `y` holds the rows of each class
        when all is done.
    labels : sequence of length n_classes
        The classes.
    counts : array of int of shape (n_classes,)
        The rows of each.
    y : object, optional
        What a callable is given.

    Returns
    -------
    dict
        Number of a class: how many new rows, 0 included, in the order of the classes.

    Raises
    ------
    ParameterError
        For a strategy of another kind, a ratio that would take rows away or of more than two
        classes, or a dict that does so or names unknown classes.

    Examples
    --------
    >>> wanted_rows("auto", ["a", "b", "c"], np.array([5, 2, 1]))
    {1: 3, 2: 4}
    >>> wanted_rows({"c": 3}, ["a", "b", "c"], np.array([5, 2, 1]))
    {2: 2}
    """
    if not STRATEGY.accepts(strategy):
        raise ParameterError(broken("sampling_strategy", strategy, STRATEGY))
    if isinstance(strategy, str):
        return _BY_WORD[strategy](counts)
    if _is_real(strategy):
        return _by_ratio(float(strategy), counts)
    asked = strategy if isinstance(strategy, Mapping) else strategy(y)
    return _by_class(asked, labels, counts)


def _by_word(kept: Callable[[Counts], set[int]]) -> Callable[[Counts], dict[int, int]]:
    def rows(counts: Counts) -> dict[int, int]:
        classes = sorted(kept(counts))
        return {each: int(counts.max() - counts[each]) for each in classes}

    return rows


def _all(counts: Counts) -> set[int]:
    return set(range(len(counts)))


# of classes of one size the first counts as the smallest, and as the largest, as there
_BY_WORD: Mapping[str, Callable[[Counts], dict[int, int]]] = {
    "minority": _by_word(lambda counts: {int(np.argmin(counts))}),
    "not minority": _by_word(lambda counts: _all(counts) - {int(np.argmin(counts))}),
    "not majority": _by_word(lambda counts: _all(counts) - {int(np.argmax(counts))}),
    "auto": _by_word(lambda counts: _all(counts) - {int(np.argmax(counts))}),
    "all": _by_word(_all),
}


def _by_ratio(ratio: float, counts: Counts) -> dict[int, int]:
    if len(counts) != 2:
        raise ParameterError(
            f"sampling_strategy: expected a word, a dict or a callable for {len(counts)} classes, "
            f"found the ratio {ratio:g}, which is for two classes"
        )
    largest = int(np.argmax(counts))
    other = 1 - largest
    rows = int(counts[largest] * ratio - counts[other])
    if rows <= 0:
        raise ParameterError(
            f"sampling_strategy: expected a ratio above {counts[other] / counts[largest]:.3g}, "
            f"which the classes have already, found {ratio:g}; rows are added, never taken away"
        )
    return {other: rows}


def _by_class(asked: Any, labels: Sequence[Any], counts: Counts) -> dict[int, int]:
    if not isinstance(asked, Mapping):
        raise ParameterError(
            "sampling_strategy: expected the callable to give a dict {class: rows wanted}, "
            f"found {type(asked).__name__}"
        )
    places = {label: place for place, label in enumerate(labels)}
    problems, rows = [], {}
    for label, goal in asked.items():
        place = places.get(label)
        if place is None:
            hint = nearest(label, map(str, labels))
            problems.append(f"class {label!r} is not in y{hint}")
        elif not is_whole(goal):
            problems.append(f"class {label!r}: expected a whole number of rows, found {goal!r}")
        elif goal < counts[place]:
            problems.append(
                f"class {label!r}: expected at least the {counts[place]:,} rows that it has, "
                f"found {goal:,}; rows are added, never taken away"
            )
        else:
            rows[place] = int(goal - counts[place])
    if problems:
        raise ParameterError(listed("sampling_strategy", problems))
    return dict(sorted(rows.items()))


def towards_balance(counts: Counts, way: float) -> dict[int, int]:
    """New rows that bring each class a part of the way to the largest, in ratios.

    Examples
    --------
    >>> towards_balance(np.array([100, 1]), 0.5), towards_balance(np.array([100, 1]), 1.0)
    ({1: 9}, {1: 99})
    """
    goals = np.round(counts ** (1 - way) * float(counts.max()) ** way).astype(np.int64)
    return _positive(goals - counts)


def in_proportion(counts: Counts, rows: int) -> dict[int, int]:
    """Share new rows among the classes as the rows that are there; largest remainders first.

    Examples
    --------
    >>> in_proportion(np.array([6, 3, 1]), 5)
    {0: 3, 1: 2}
    """
    exact = counts * (rows / counts.sum())
    shares = np.floor(exact).astype(np.int64)
    left = rows - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:left]] += 1
    return _positive(shares)


def to_the_smallest(counts: Counts, rows: int) -> dict[int, int]:
    """Give new rows one by one to the class that is the smallest then.

    Examples
    --------
    >>> to_the_smallest(np.array([10, 4, 1]), 5), to_the_smallest(np.array([3, 1]), 6)
    ({1: 1, 2: 4}, {0: 2, 1: 4})
    """
    level, order = counts.astype(np.int64).copy(), np.argsort(counts, kind="stable")
    left = rows
    for place in range(1, len(order) + 1):
        lower = order[:place]
        gap = np.iinfo(np.int64).max
        if place < len(order):
            gap = int(counts[order[place]] - level[lower[0]]) * place
        if gap >= left:
            level[lower] += left // place
            level[lower[: left % place]] += 1
            break
        level[lower] = counts[order[place]]
        left -= gap
    return _positive(level - counts)


def _positive(rows: Counts) -> dict[int, int]:
    return {each: int(count) for each, count in enumerate(rows) if count > 0}


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)
