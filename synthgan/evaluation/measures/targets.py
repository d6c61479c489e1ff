"""What a model predicts: classes or a number, read from the target column of any table.

The choice follows scikit-learn's `type_of_target`, with one difference: whole numbers are classes
only where they are few, so that a count or an age stays a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Floats, LevelColumn, NumberColumn

CLASSIFICATION, REGRESSION = "classification", "regression"
MOST_CLASSES = 20
# A whole number with so few values, and so many rows for each, names classes.
MOST_NUMBER_CLASSES, ROWS_PER_CLASS = 10, 5
REST = "(all others)"

_DAY = 86_400e6  # microseconds, the unit of dates and spans
_FAR = 1e9  # labels lie in [-1, 1] for the real table; others are held within this


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to learn from, or to test on.

    Attributes
    ----------
    features : array of shape (n_rows, n_features)
        Numbers (NaN is null) and tree codes.
    labels : array of shape (n_rows,)
        Class numbers, or numbers in units of the task.
    dropped : int
        Rows that were left out, for they have no label.
    """

    features: Floats
    labels: Floats
    dropped: int


@dataclass(frozen=True, slots=True)
class Task:
    """What is predicted.

    Attributes
    ----------
    kind : str
        "classification" or "regression".
    place : int
        The target's column.
    label : callable
        Labels of a table, of shape (n_rows,), NaN where there is none: class numbers, or the
        number centred and scaled to [-1, 1].
    classes : tuple of str
        The classes in order, the event of two being the last; empty for a regression.
    unit : float
        What a label of 1 is in the target's unit; days for dates and spans.
    """

    kind: str
    place: int
    label: Callable[[Coded], Floats]
    classes: tuple[str, ...] = ()
    unit: float = 1.0

    def rows(self, coded: Coded) -> Rows:
        """Features and labels of a table; rows without a label are left out."""
        labels = self.label(coded)
        used = ~np.isnan(labels)
        features = np.delete(coded.matrix(), self.place, axis=1)
        return Rows(features[used], labels[used], int((~used).sum()))


def task(real: Coded, target: str) -> Task:
    """The task that a target column of the real table sets.

    A category or boolean is classified, and so is a whole number of at most 10 values that has
    five rows for each (a number of two values always). Every other number, date or span is a
    regression. Of more than 20 classes the 19 most frequent stay and the others count as one.

    Parameters
    ----------
    real : Coded
        The real table.
    target : str
        Name of the column.

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> from synthgan.evaluation.coding import Coder
    >>> real = Coder(pa.table({"paid": ["no", "yes", None], "sum": [1.5, 2.5, 4.0]})).real
    >>> task(real, "paid").classes
    ('no', 'yes')
    >>> task(real, "paid").label(real)
    array([ 0.,  1., nan])
    >>> task(real, "sum").kind
    'regression'
    """
    place = real.column(target)
    column = real.columns[place]
    if isinstance(column, LevelColumn):
        return _of_levels(column, place)
    if _names_classes(column):
        return _of_whole_numbers(column, place)
    return _of_number(real, place)


def _names_classes(column: NumberColumn) -> bool:
    """Whether a whole number has so few values, for its rows, that they are names."""
    assert column.real.values is not None
    rows = int((~np.isnan(column.real.values)).sum())
    most = max(2, min(MOST_NUMBER_CLASSES, rows // ROWS_PER_CLASS))
    return column.whole and 0 < len(column.unique) <= most


def _of_levels(column: LevelColumn, place: int) -> Task:
    levels = [str(level) for level in column.levels.to_pylist()]
    order = np.argsort(-column.shares[: len(levels)], kind="stable")
    pooled = len(levels) > MOST_CLASSES
    kept = sorted(levels[code] for code in (order[: MOST_CLASSES - 1] if pooled else order))
    classes = [REST, *kept] if pooled else kept
    number = {level: place for place, level in enumerate(kept, start=int(pooled))}
    of_code = np.full(column.size, np.nan)
    of_code[: len(levels)] = [number.get(level, 0) for level in levels]
    return Task(
        CLASSIFICATION, place, lambda coded: of_code[coded.prepared[place].codes], tuple(classes)
    )


def _of_whole_numbers(column: NumberColumn, place: int) -> Task:
    known = column.unique

    def label(coded: Coded) -> Floats:
        values = _values(coded, place)
        numbers = np.minimum(np.searchsorted(known, values), len(known) - 1)
        return np.where(known[numbers] == values, numbers, np.nan)

    return Task(CLASSIFICATION, place, label, tuple(f"{value:.15g}" for value in known))


def _of_number(real: Coded, place: int) -> Task:
    values = _values(real, place)
    present = values[~np.isnan(values)]
    largest = float(np.abs(present).max(initial=0.0)) or 1.0
    centre = float((present / largest).mean()) if len(present) else 0.0
    spread = float(np.abs(present / largest - centre).max(initial=0.0)) or 1.0

    def label(coded: Coded) -> Floats:
        return np.clip((_values(coded, place) / largest - centre) / spread, -_FAR, _FAR)

    temporal = pa.types.is_temporal(real.table.schema.field(place).type)
    return Task(REGRESSION, place, label, unit=spread * largest / (_DAY if temporal else 1.0))


def _values(coded: Coded, place: int) -> Floats:
    values = coded.prepared[place].values
    assert values is not None
    return values
