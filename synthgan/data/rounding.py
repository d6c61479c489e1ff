"""How decoded numbers are rounded: decimals, steps, whole local days, and declared bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.schema import Column
from synthgan.data.summaries import NumberSummary
from synthgan.data.ticks import range_ticks, round_to, tick_dtype, to_ticks

# Steps are left alone where adding one could leave 64 bits.
_SAFE = 1 << 61
# A bound this near to a rounded value is that value: 0.3 * 10 is a little more than 3.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Rounding:
    """What all values of a column have in common.

    Attributes
    ----------
    type : pyarrow.DataType
        The column's type.
    decimals : int or None
        Decimals that floats are rounded to.
    coarse : bool
        Whether the user declared those decimals: then the learned values are rounded as well.
    step, base : int
        Whole-number ticks are `base` plus a multiple of `step`.
    local : bool
        Whether the steps are those of the local clock of the column's time zone.
    low, high : int, float or None
        Declared bounds, as ticks.
    """

    type: pa.DataType
    decimals: int | None = None
    coarse: bool = False
    step: int = 1
    base: int = 0
    local: bool = False
    low: Any = None
    high: Any = None

    @classmethod
    def of(cls, column: Column, summary: NumberSummary) -> Rounding:
        """Learn it from a summary, and from what was declared."""
        found = column.arrow_type
        if tick_dtype(found).kind == "f":
            declared = column.decimals is not None
            decimals = column.decimals if declared else summary.decimals
            low, high = _bounds(column, decimals)
            return cls(found, decimals, declared, low=low, high=high)
        bounds = _bounds(column, None)
        fine = summary.fineness
        local = fine.local_step > fine.step
        step = fine.local_step if local else fine.step
        safe = bool(len(summary.counts)) and summary.lowest > -_SAFE and summary.highest < _SAFE
        if step <= 1 or step > _SAFE or not safe:
            return cls(found, low=bounds[0], high=bounds[1])
        lowest = fine.local_lowest if local else fine.lowest
        assert lowest is not None
        # only what all values share may be kept of the lowest one
        return cls(found, None, False, step, lowest % step, local, *bounds)

    @property
    def grid(self) -> float:
        """Distance between neighbouring values, in ticks; 0 for none."""
        if tick_dtype(self.type).kind != "f":
            return float(self.step)
        return 0.0 if self.decimals is None else 10.0**-self.decimals

    def coarsen(self, ticks: np.ndarray) -> np.ndarray:
        """Learned or encoded values as rounded as the user wants them."""
        if not self.coarse or self.decimals is None:
            return ticks
        return self.round(ticks)

    def round(self, ticks: np.ndarray) -> np.ndarray:
        """Values that could stand in the column, of the same shape."""
        if ticks.dtype.kind == "f":
            if self.decimals is not None:
                ticks = round_to(ticks, self.decimals)
        elif self.local:
            local = self._to_step(_to_local(ticks, self.type))
            ticks = _from_local(local, self.type)
        elif self.step > 1:
            ticks = self._to_step(ticks)
        if self.low is not None or self.high is not None:
            ticks = np.clip(ticks, self.low, self.high)
        return ticks

    def _to_step(self, ticks: np.ndarray) -> np.ndarray:
        base, step = ticks.dtype.type(self.base), ticks.dtype.type(self.step)
        return np.asarray((ticks - base + step // 2) // step * step + base)

    def fits(self, ticks: np.ndarray) -> np.ndarray:
        """Which values could stand in the column as they are."""
        rounded = self.round(ticks)
        if pat.is_float32(self.type):
            return np.asarray(rounded.astype(np.float32) == ticks.astype(np.float32))
        return np.asarray(rounded == ticks)

    def inside(self, low: Any, high: Any) -> tuple[Any, Any]:
        """The lowest and highest value that could stand in the column within [low, high]."""
        first, last = (self.round(np.array([end], tick_dtype(self.type)))[0] for end in (low, high))
        step = self.grid
        if first < low:
            first = self.round(np.array([first + first.dtype.type(step)]))[0]
        if last > high:
            last = self.round(np.array([last - last.dtype.type(step)]))[0]
        return first, last

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form of what was learned."""
        return {
            "decimals": self.decimals,
            "step": self.step,
            "base": self.base,
            "local": self.local,
        }

    @classmethod
    def from_dict(cls, column: Column, state: Mapping[str, Any]) -> Rounding:
        """The reverse of `to_dict`; what was declared stands in the column."""
        bounds = _bounds(column, state["decimals"])
        coarse = column.decimals is not None and tick_dtype(column.arrow_type).kind == "f"
        return cls(column.arrow_type, coarse=coarse, low=bounds[0], high=bounds[1], **state)


def _bounds(column: Column, decimals: int | None) -> tuple[Any, Any]:
    """Declared bounds as ticks, drawn in to values with that many decimals."""
    low, high = range_ticks(column.bounds or (None, None), column.arrow_type)
    if decimals is None:
        return low, high
    grid = 10.0**decimals
    # the division by a power of ten is the nearest double to the decimal number
    inner = None if low is None else math.ceil(low * grid - _SLACK) / grid
    outer = None if high is None else math.floor(high * grid + _SLACK) / grid
    return inner, outer


def _to_local(ticks: np.ndarray, found: pa.DataType) -> np.ndarray:
    """Ticks of the local clock."""
    return to_ticks(pc.local_timestamp(pa.array(ticks).view(found)))[0]


def _from_local(ticks: np.ndarray, found: pa.DataType) -> np.ndarray:
    """Ticks of the moments at which the local clock shows these; the earlier one of two."""
    clock = pa.array(ticks).view(pa.timestamp(found.unit))
    moments = pc.assume_timezone(clock, found.tz, ambiguous="earliest", nonexistent="latest")
    return to_ticks(moments)[0]
