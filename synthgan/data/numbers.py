"""Numbers, dates, times and durations: spikes are options of a choice, the rest is one scalar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.conditions import NumberCondition, number_condition
from synthgan.data.distribution import Distribution, Ranges, learn_distribution
from synthgan.data.places import Places, nearest_place
from synthgan.data.ranks import RankMap
from synthgan.data.region import Region
from synthgan.data.rounding import Rounding
from synthgan.data.schema import Column
from synthgan.data.summaries import NumberSummary
from synthgan.data.ticks import from_ticks, tick_dtype, tick_text, to_ticks
from synthgan.data.wanted import ANYTHING

ROWS_AT_ONCE = 1 << 15

Codes = tuple[np.ndarray | None, np.ndarray | None]


class NumberEncoder:
    """Encode a column of numbers, dates, times or durations.

    Values that more than 2 % of the rows hold are options of a choice, and so are "another value"
    and "missing" where they occur; the other values are one scalar, their rank in the column mapped
    to [-1, 1]. A column of at most ten values is all options.

    Parameters
    ----------
    column : Column
        What the column is.
    learned : Distribution or None
        Its values; None where only missing cells can come out.
    rounding : Rounding
        Decimals, steps and bounds of what is decoded.
    missing : int
        Rows without a value.
    distinct : int
        How many different values there were (beyond the exact limit, at least).
    protected : int
        Different values that are not emitted.
    """

    def __init__(
        self,
        column: Column,
        learned: Distribution | None,
        rounding: Rounding,
        missing: int,
        distinct: int = 0,
        protected: int = 0,
    ) -> None:
        self.column, self.type = column, column.arrow_type
        self.learned, self.rounding, self.missing = learned, rounding, missing
        self.distinct, self.protected = distinct, protected
        self.ranks = None if learned is None else learned.ranks
        self.spikes = np.empty(0, tick_dtype(self.type)) if learned is None else learned.spikes
        options = len(self.spikes) + (self.ranks is not None) + (missing > 0)
        self.options = options if options > 1 else 0
        self.alive = len(self.spikes) if self.ranks is not None and self.options else None
        self.null = options - 1 if missing else None
        points = self.spikes if self.ranks is None else self.ranks.points
        self._places = Places(points, self.spikes, None if self.ranks is None else self.ranks.dead)

    @classmethod
    def build(cls, column: Column, summary: NumberSummary, threshold: int) -> NumberEncoder:
        """Learn from a summary; values in fewer than `threshold` rows are protected."""
        distinct, rows = len(summary.counts), summary.rows - summary.missing
        rounding = Rounding.of(column, summary)
        if rows == 0 or (rows < threshold and summary.missing):
            return cls(column, None, rounding, summary.missing, distinct, distinct)
        lows, highs, counts = summary.ranges()
        ranges = _merged(rounding.coarsen(lows), rounding.coarsen(highs), counts)
        learned = learn_distribution(ranges, threshold, rounding.grid)
        return cls(column, learned, rounding, summary.missing, distinct, learned.protected)

    def encode(self, array: pa.Array, rng: np.random.Generator | None) -> Codes:
        """Codes and scalars of shape (rows,), None where the column has no such span.

        Without `rng` the result is certain: ranks in the middle of their interval, a value that is
        not emitted as its nearest neighbour. With it, ranks are spread over their interval and such
        values are replaced by frequency.
        """
        if not self.options and self.ranks is None:
            return None, None
        ticks, present = to_ticks(array)
        ticks = self.rounding.coarsen(ticks)
        codes = np.empty(len(ticks), dtype=np.int16) if self.options else None
        scalar = None if self.ranks is None else np.empty(len(ticks), dtype=np.float32)
        # a block at a time stays in the processor's cache
        for start in range(0, len(ticks), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            here = None if present is None else present[rows]
            self._encode_block(
                ticks[rows],
                here,
                None if codes is None else codes[rows],
                None if scalar is None else scalar[rows],
                rng,
            )
        return codes, scalar

    def _encode_block(
        self,
        ticks: np.ndarray,
        present: np.ndarray | None,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        rng: np.random.Generator | None,
    ) -> None:
        places = self._places.of(ticks)
        if codes is not None:
            codes[:] = self._places.option.take(places)
        if scalar is not None and self.ranks is not None:
            draw = None if rng is None else rng.random(len(ticks), dtype=np.float32)
            scalar[:] = self.ranks.rank(ticks, places, draw)
            scalar *= 2.0
            scalar -= 1.0
        if self._places.any_dead:
            dead = self._places.dead.take(places)
            if present is not None:
                dead &= present
            if dead.any():
                self._replace(np.flatnonzero(dead), ticks, codes, scalar, rng)
        if present is not None and codes is not None:
            codes[~present] = -1 if self.null is None else self.null
        if scalar is not None:
            if self.alive is not None and codes is not None:
                scalar[codes != self.alive] = 0.0
            elif present is not None:
                scalar[~present] = 0.0

    def _replace(
        self,
        rows: np.ndarray,
        ticks: np.ndarray,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        rng: np.random.Generator | None,
    ) -> None:
        """Give rows whose value is not emitted another one: by frequency, or the nearest."""
        if rng is None:
            if self.ranks is None and codes is not None:
                codes[rows] = nearest_place(self.spikes, ticks[rows])
            return
        option, rank = self.draw(len(rows), rng)
        if codes is not None:
            codes[rows] = option
        if scalar is not None:
            scalar[rows] = 2.0 * rank - 1.0

    def draw(
        self, rows: int, rng: np.random.Generator, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Options that are no null by frequency, times weights if given, and uniform ranks."""
        assert self.learned is not None
        weights = np.append(self.learned.counts, self.learned.rest).astype(np.float64)
        if among is not None:
            weights *= among
        ends = np.cumsum(weights)
        option = np.searchsorted(ends, rng.random(rows) * ends[-1], side="right")
        return option.astype(np.int16), rng.random(rows, dtype=np.float32)

    def decode(
        self,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        rng: np.random.Generator,
        wanted: Any = ANYTHING,
        *,
        rows: int,
        first_row: int = 0,
    ) -> pa.Array:
        """Values of the column's type; where a condition is given, all of them meet it."""
        asked = None if wanted is ANYTHING else number_condition(self, wanted)
        if self.learned is None:
            return pa.nulls(rows, self.type)
        ticks, missing = self._ticks(codes, scalar, asked, rng, rows)
        if missing is not None and not missing.any():
            missing = None
        return from_ticks(ticks, self.type, missing)

    def values(self, codes: np.ndarray | None, scalar: np.ndarray | None) -> np.ndarray:
        """The decoded values as floats of shape (rows,), NaN where missing: dates in ticks."""
        given = codes if scalar is None else scalar
        assert given is not None
        if self.learned is None:
            return np.full(len(given), np.nan)
        ticks, missing = self._ticks(codes, scalar, None, None, len(given))
        found = ticks.astype(np.float64)
        if missing is not None:
            found[missing] = np.nan
        return found

    def _ticks(
        self,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        asked: NumberCondition | None,
        rng: np.random.Generator | None,
        rows: int,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Ticks of shape (rows,), and which of them are missing."""
        ticks = np.empty(rows, dtype=self.spikes.dtype)
        missing = np.zeros(rows, dtype=bool) if self.missing else None
        for start in range(0, rows, ROWS_AT_ONCE):
            here = slice(start, start + ROWS_AT_ONCE)
            self._decode_block(
                None if codes is None else codes[here],
                None if scalar is None else scalar[here],
                ticks[here],
                None if missing is None else missing[here],
                asked,
                rng,
            )
        return ticks, missing

    def _decode_block(
        self,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        ticks: np.ndarray,
        missing: np.ndarray | None,
        asked: NumberCondition | None,
        rng: np.random.Generator | None,
    ) -> None:
        rank = None
        if scalar is not None:
            rank = (scalar.astype(np.float64) + 1.0) * 0.5
        if asked is not None:
            assert rng is not None
            codes, rank = asked.force(self, codes, rank, rng)
        if self.ranks is not None and rank is not None:
            ticks[:] = self.rounding.round(self.ranks.value(rank))
        elif len(self.spikes):
            ticks[:] = self.spikes[0]
        if asked is not None:
            asked.snap(ticks)
        if codes is None:
            return
        if self.ranks is None:
            ticks[:] = self.spikes.take(codes, mode="clip")
        elif len(self.spikes):
            spiked = np.flatnonzero((codes < self.alive) & (codes >= 0))
            ticks[spiked] = self.spikes.take(codes[spiked])
        if missing is not None:
            missing[:] = codes == self.null

    def region(self, wanted: Any) -> Region:
        """The codes that a condition allows.

        Raises
        ------
        ConditionError
            If nothing that was learned meets it.
        """
        asked = number_condition(self, wanted)
        intervals = None
        if asked.ranks is not None:
            intervals = tuple(
                (2.0 * low - 1.0, 2.0 * high - 1.0) for low, high in asked.ranks.apart()
            )
        return Region(asked.options if self.options else None, intervals)

    def describe(self) -> dict[str, Any]:
        """Range and frequent values, as text."""
        if self.learned is None:
            return {"values": ""}
        low, high = self.support
        values = tick_text(low, self.type)
        if low != high:
            values += f" ... {tick_text(high, self.type)}"
        if len(self.spikes) and self.ranks is not None:
            often = self.spikes[np.argsort(-self.learned.counts, kind="stable")][:3]
            values += f", often {', '.join(tick_text(each, self.type) for each in often)}"
        return {"values": values}

    @property
    def support(self) -> tuple[Any, Any]:
        """Lowest and highest value that can come out, as ticks."""
        ends = [self.spikes]
        if self.ranks is not None:
            ends.append(self.ranks.points[self.ranks.emitted])
        ticks = np.concatenate(ends)
        return ticks.min(), ticks.max()

    @property
    def shown(self) -> np.ndarray:
        """Values that have an option or an atom of their own, as ticks in order."""
        if self.ranks is None:
            return self.spikes
        return np.union1d(self.spikes, self.ranks.points[self.ranks.atoms])

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-safe header and arrays."""
        header: dict[str, Any] = {
            "missing": self.missing,
            "distinct": self.distinct,
            "protected": self.protected,
            "rounding": self.rounding.to_dict(),
        }
        arrays: dict[str, np.ndarray] = {}
        if self.learned is not None:
            header["rest"] = self.learned.rest
            arrays = {"spikes": self.spikes, "counts": self.learned.counts}
        if self.ranks is not None:
            header["grid"] = self.ranks.grid
            arrays |= {
                "points": self.ranks.points,
                "lows": self.ranks.lows,
                "highs": self.ranks.highs,
            }
        return header, arrays

    @classmethod
    def from_state(
        cls, column: Column, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> NumberEncoder:
        """The encoder that `to_state` described."""
        learned = None
        if "rest" in header:
            ranks = None
            if "points" in arrays:
                ranks = RankMap(arrays["points"], arrays["lows"], arrays["highs"], header["grid"])
            learned = Distribution(
                arrays["spikes"], arrays["counts"], ranks, header["rest"], header["protected"]
            )
        rounding = Rounding.from_dict(column, header["rounding"])
        counts = (header[name] for name in ("missing", "distinct", "protected"))
        return cls(column, learned, rounding, *counts)


def _merged(lows: np.ndarray, highs: np.ndarray, counts: np.ndarray) -> Ranges:
    """Ranges in order, equal single values put together; rounding may have made some equal."""
    single = lows == highs
    values, place = np.unique(lows[single], return_inverse=True)
    totals = np.bincount(place, weights=counts[single], minlength=len(values)).astype(np.int64)
    lows = np.concatenate([values, lows[~single]])
    highs = np.concatenate([values, highs[~single]])
    order = np.argsort(lows, kind="stable")
    return Ranges(lows[order], highs[order], np.concatenate([totals, counts[~single]])[order])
