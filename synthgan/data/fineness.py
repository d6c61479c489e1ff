"""How finely a column of numbers is divided: decimals, steps, steps of the local clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.ticks import round_to, to_ticks

# Most decimals that count as rounded; a double has 15 to 17 digits in all.
MOST_LEARNED_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Fineness:
    """What all values have in common; mergeable.

    Attributes
    ----------
    decimals : int or None
        Fewest decimals that reproduce every value; None if there are more than
        MOST_LEARNED_DECIMALS.
    step : int
        Greatest common divisor of all differences of whole-number ticks; 0 for floats, and where
        there is but one value.
    local_step : int
        The same of the local clock of moments with a time zone; 0 without.
    lowest, local_lowest : int or None
        The lowest whole-number tick and its local clock; None where there are none.
    """

    decimals: int | None = 0
    step: int = 0
    local_step: int = 0
    lowest: int | None = None
    local_lowest: int | None = None

    @classmethod
    def of(cls, values: np.ndarray, found: pa.DataType) -> Fineness:
        """The fineness of different values, in order."""
        if not len(values):
            return cls()
        if values.dtype.kind == "f":
            return cls(decimals=count_decimals(values, pat.is_float32(found)))
        plain = cls(step=_common_step(values), lowest=int(values[0]))
        if not (pat.is_timestamp(found) and found.tz):
            return plain
        local = to_ticks(pc.local_timestamp(pa.array(values).view(found)))[0]
        return cls(0, plain.step, _common_step(local), plain.lowest, int(local[0]))

    def merge(self, other: Fineness) -> Fineness:
        """The fineness of both sets of values together."""
        if self.decimals is None or other.decimals is None:
            return Fineness(decimals=None)
        decimals = max(self.decimals, other.decimals)
        if self.lowest is None or other.lowest is None:
            whole = other if self.lowest is None else self
            return Fineness(
                decimals, whole.step, whole.local_step, whole.lowest, whole.local_lowest
            )
        step = math.gcd(self.step, other.step, self.lowest - other.lowest)
        lower = self if self.lowest <= other.lowest else other
        if self.local_lowest is None or other.local_lowest is None:
            return Fineness(decimals, step, 0, lower.lowest)
        apart = self.local_lowest - other.local_lowest
        local_step = math.gcd(self.local_step, other.local_step, apart)
        return Fineness(decimals, step, local_step, lower.lowest, lower.local_lowest)


def _common_step(values: np.ndarray) -> int:
    """Greatest common divisor of the differences; modulo 2**64 they are right for any range."""
    plain = values.view(np.uint64)
    below = values < values[0]
    apart = np.where(below, plain[0] - plain, plain - plain[0])
    return int(np.gcd.reduce(apart))


def count_decimals(values: np.ndarray, single: bool) -> int | None:
    """Return the fewest decimals that reproduce every value, None if there are too many.

    Parameters
    ----------
    values : ndarray of float64
        Finite values.
    single : bool
        Whether they come from single precision: 0.1 is then written 0.10000000149 in double.
    """

    def differs(some: np.ndarray, decimals: int) -> np.ndarray:
        rounded = round_to(some, decimals)
        if single:
            return np.asarray(rounded.astype(np.float32) != some.astype(np.float32))
        return np.asarray(rounded != some)

    if (
        differs(values[:64], MOST_LEARNED_DECIMALS).any()
        or differs(values, MOST_LEARNED_DECIMALS).any()
    ):
        return None
    for decimals in range(MOST_LEARNED_DECIMALS + 1):
        values = values[differs(values, decimals)]
        if not len(values):
            return decimals
    return None
