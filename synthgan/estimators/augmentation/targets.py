"""What is to be predicted, as classes: labels as they are, numbers by intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from synthgan.errors import ParameterError, TableError
from synthgan.estimators.augmentation.tables import missing_in, values_of
from synthgan.estimators.parameters import Rule, is_whole

CLASSES, NUMBERS = "classification", "regression"
# intervals of a number: its outer tenths, the fifths beside them, and the middle
LEVELS = (0.1, 0.3, 0.7, 0.9)

INTERVALS = Rule(
    "a whole number of at least 2, or rising shares between 0 and 1",
    lambda value: (is_whole(value) and value >= 2) or _are_shares(value),
)


@dataclass(frozen=True)
class Target:
    """The target of each row, and the classes that it falls into.

    Attributes
    ----------
    task : str
        `CLASSES` or `NUMBERS`.
    values : array of shape (rows,)
        The target as it was given.
    labels : list of length n_classes
        The classes; of numbers the intervals, as pairs of their lowest and highest value.
    codes : array of int of shape (rows,)
        The class of each row.
    """

    task: str
    values: NDArray[Any]
    labels: list[Any]
    codes: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each class, of shape (n_classes,)."""
        return np.bincount(self.codes, minlength=len(self.labels))

    def take(self, rows: NDArray[np.integer[Any]]) -> Target:
        """The same classes, of some of the rows."""
        return Target(self.task, self.values[rows], self.labels, self.codes[rows])

    def column(self) -> pa.Array:
        """The target as a column of a table, of which a generator can be asked for a class."""
        if self.task == NUMBERS:
            return pa.array(self.values)
        return pa.array([_word(code) for code in range(len(self.labels))]).take(
            pa.array(self.codes)
        )

    def condition(self, code: int) -> Any:
        """What a generator is asked for, in `column`, to give rows of a class."""
        return _word(code) if self.task == CLASSES else self.labels[code]


def read_target(
    y: Any, rows: int, *, task: str | None = None, intervals: Any = LEVELS, least: int = 1
) -> Target:
    """Read a target, and find out whether it holds classes or numbers.

    Parameters
    ----------
    y : array-like of shape (rows,)
        Labels of any kind, or numbers.
    rows : int
        Rows of the table.
    task : str, optional
        `CLASSES` or `NUMBERS`; without it numbers are those that scikit-learn calls continuous.
    intervals : int or sequence of float
        As many intervals of the same width, or the shares of the rows that lie below each border.
    least : int
        Intervals of fewer rows are joined with the next one.

    Returns
    -------
    Target

    Raises
    ------
    TableError
        For another number of rows, none, missing or infinite values, or more than one target.
    """
    values = values_of(y)
    if len(values) != rows:
        raise TableError(
            f"y: expected one value for each of the {rows:,} rows of X, found {len(values):,}; "
            "Found input variables with inconsistent numbers of samples"
        )
    missing = np.flatnonzero(missing_in(values))
    if missing.size:
        raise TableError(
            f"y: expected a value in each row, found a missing one (NaN or None) in row "
            f"{missing[0]} ({missing.size:,} such rows); leave these rows out"
        )
    if not len(values):
        raise TableError("y: expected at least one row, found 0 sample(s) (shape=(0,))")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise TableError(
            "y: expected finite values; Input y contains infinity, leave these rows out"
        )
    if task is None:
        task = NUMBERS if str(type_of_target(values)).startswith("continuous") else CLASSES
    if task == NUMBERS:
        return _numbers(values, intervals, least)
    check_classification_targets(values)
    labels, codes = np.unique(values, return_inverse=True)
    return Target(CLASSES, values, labels.tolist(), codes.astype(np.int64))


def _numbers(values: NDArray[Any], intervals: Any, least: int) -> Target:
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TableError(f"y: expected numbers, found {values.dtype}: {error}") from error
    numbers = values.astype(np.float64)
    if not INTERVALS.accepts(intervals):
        raise ParameterError(f"intervals: expected {INTERVALS.expected}, found {intervals!r}")
    if is_whole(intervals):
        borders = np.linspace(numbers.min(), numbers.max(), int(intervals) + 1)[1:-1]
    else:
        borders = np.quantile(numbers, list(intervals))
    # many equal values leave intervals without a row: only those that have one are classes
    _, found = np.unique(np.searchsorted(borders, numbers, "right"), return_inverse=True)
    codes = _joined(np.bincount(found), least)[found]
    parts = [values[codes == code] for code in range(codes.max() + 1)]
    labels = [(part.min().item(), part.max().item()) for part in parts]
    return Target(NUMBERS, values, labels, codes.astype(np.int64))


def _joined(counts: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """The class of each interval, when those of too few rows are joined with the next one.

    Examples
    --------
    >>> _joined(np.array([2, 2, 5, 1]), least=3).tolist()
    [0, 0, 1, 1]
    """
    classes, rows, code = np.zeros(len(counts), dtype=np.int64), 0, 0
    for place, count in enumerate(counts):
        classes[place], rows = code, rows + count
        if rows >= least:
            rows, code = 0, code + 1
    # what is left at the end belongs to the last one
    return np.minimum(classes, max(code - 1, 0))


def _word(code: int) -> str:
    return f"class {code}"


def _are_shares(value: Any) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray) or not len(value):
        return False
    shares = np.asarray(value)
    if shares.ndim != 1 or shares.dtype.kind != "f":
        return False
    return bool((np.diff(shares) > 0).all() and shares[0] > 0 and shares[-1] < 1)
