"""Privacy: how much a fitted model may reveal, and of whom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, Self

from synthgan.errors import ParameterError

# a delta above this promises next to nothing: one row in so many may be shown whole
MOST_DELTA = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """A privacy budget: what a model learns from the rows is differentially private [1]_.

    Whatever a model, its file, its samples and its reports show would have come out nearly as
    often if all rows of any one unit had not been in the table, or other ones had been added: no
    event becomes more than ``exp(epsilon)`` times as likely, but for a chance of `delta`.

    Parameters
    ----------
    epsilon : float
        The budget, above 0. 1 and below is a strong promise, 10 and above hardly any.
    delta : float, default 1e-6
        The chance that is left out, above 0; it should be well below one over the number of rows.
    unit : str or None, default None
        The column that says whose rows these are: it is protected whole, and left out of what is
        learned. Without it each row is a unit of its own.
    rows_per_unit : int, default 1
        Rows of a unit that are used at most; others are left out by chance.
    public_rows : bool, default False
        Whether the number of rows is no secret. Otherwise it is bought from the budget; so is, with
        a unit, how many of them are used.

    Raises
    ------
    ParameterError
        Naming every value out of range.

    References
    ----------
    .. [1] Dwork, McSherry, Nissim and Smith, "Calibrating noise to sensitivity in private data
       analysis", TCC 2006; with delta in Dwork, Kenthapadi, McSherry, Mironov and Naor, "Our data,
       ourselves", EUROCRYPT 2006.

    Examples
    --------
    >>> Privacy(epsilon=1.0)
    Privacy(epsilon=1.0, delta=1e-06, unit=None, rows_per_unit=1, public_rows=False)
    >>> Privacy(epsilon=0)
    Traceback (most recent call last):
    synthgan.errors.ParameterError: epsilon: expected a finite number above 0, found 0
    """

    epsilon: float
    delta: float = 1e-6
    unit: str | None = None
    rows_per_unit: int = 1
    public_rows: bool = False

    def __post_init__(self) -> None:
        problems = [
            f"{name}: expected {expected}, found {getattr(self, name)!r}"
            for name, expected, right in (
                ("epsilon", "a finite number above 0", _is_above_0(self.epsilon)),
                (
                    "delta",
                    f"a number above 0 and at most {MOST_DELTA:g}",
                    _is_above_0(self.delta) and self.delta <= MOST_DELTA,
                ),
                ("unit", "the name of a column or None", isinstance(self.unit, str | None)),
                ("rows_per_unit", "a whole number of at least 1", _is_count(self.rows_per_unit)),
                ("public_rows", "True or False", isinstance(self.public_rows, bool)),
            )
            if not right
        ]
        if self.unit is None and _is_count(self.rows_per_unit) and self.rows_per_unit != 1:
            problems.append(
                "rows_per_unit: expected 1, since each row is a unit of its own; name the column "
                f"of units with unit=, found {self.rows_per_unit!r}"
            )
        if problems:
            raise ParameterError("\n".join(problems))

    @property
    def buys_rows(self) -> bool:
        """Whether the number of rows that are used has to be bought."""
        return not self.public_rows or self.unit is not None

    def in_words(self) -> str:
        """Whom it protects, for people to read.

        Examples
        --------
        >>> Privacy(epsilon=1).in_words()
        'every row'
        >>> Privacy(epsilon=1, unit="customer", rows_per_unit=20).in_words()
        "all rows of every 'customer', of which at most 20 are used"
        """
        if self.unit is None:
            return "every row"
        return f"all rows of every {self.unit!r}, of which at most {self.rows_per_unit:,} are used"

    def to_dict(self) -> dict[str, Any]:
        """The values in JSON's own types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`.

        Raises
        ------
        ParameterError
            If names or values are none that a budget has.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(told) - known):
            raise ParameterError(
                f"privacy: expected {', '.join(sorted(known))}, found {', '.join(unknown)}"
            )
        if "epsilon" not in told:
            raise ParameterError("privacy: expected an epsilon, found none")
        return cls(**told)


def _is_above_0(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return bool(is_number and math.isfinite(value) and value > 0)


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
