"""Identifiers: kept out of the game and made anew, never one that was learned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

from synthgan.data.levels import level_type
from synthgan.data.patterns import (
    Pattern,
    learn_patterns,
    pattern_from_dict,
    pattern_to_dict,
    rounded_up,
)
from synthgan.data.region import Region
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary
from synthgan.data.ticks import from_ticks, tick_dtype
from synthgan.data.wanted import ANYTHING, read_wanted
from synthgan.errors import ConditionError, SchemaError

# Whole numbers that a double and a single hold exactly, each of them.
_MOST_FLOAT = 1 << 53
_MOST_SINGLE = 1 << 24
# With this much room above the highest, new numbers need not go below the lowest.
_PLENTY = 10_000_000

Codes = tuple[np.ndarray | None, np.ndarray | None]
Run = tuple[int, int, int]


class IdEncoder:
    """Make identifiers anew, disjoint from the learned ones by construction; none is stored.

    Whole numbers, and texts that are alike but for a running number, go on above the largest. Other
    texts are read as numbers and the new ones leave a remainder that no learned one leaves. Where a
    pattern has no room, the new ones are longer than any learned one. An identifier is a function
    of the number of its row, and so unique inside a sample.

    Only whether the cell is missing is left to the networks.

    Parameters
    ----------
    column : Column
        What the column is.
    numbers : list of Run
        Start, step and length of runs of new numbers, for a column of numbers.
    patterns : list of Pattern
        For a column of text.
    missing : int
        Rows without a value.
    distinct : int
        How many identifiers there were (beyond the exact limit, at least).
    """

    alive = None
    ranks = None
    protected = 0

    def __init__(
        self,
        column: Column,
        numbers: list[Run],
        patterns: list[Pattern],
        missing: int,
        distinct: int,
    ) -> None:
        self.column, self.type = column, column.arrow_type
        self.numbers, self.patterns = numbers, patterns
        self.missing, self.distinct = missing, distinct
        self.options = 2 if missing and distinct else 0
        self.null = 1 if missing else None

    @classmethod
    def build(
        cls, column: Column, summary: LevelSummary | NumberSummary, threshold: int
    ) -> IdEncoder:
        """Learn a pattern from a summary.

        Raises
        ------
        SchemaError
            If the column's type has no other numbers to give.
        """
        distinct = len(summary.counts)
        numbers: list[Run] = []
        patterns: list[Pattern] = []
        if distinct and isinstance(summary, NumberSummary):
            numbers = _free_numbers(column, summary)
        elif distinct and isinstance(summary, LevelSummary):
            patterns = learn_patterns(summary)
        return cls(column, numbers, patterns, summary.missing, distinct)

    def encode(self, array: pa.Array, rng: np.random.Generator | None) -> Codes:
        """Codes that say whether the cell is missing, of shape (rows,)."""
        if not self.options:
            return None, None
        return np.asarray(array.is_null()).astype(np.int16), None

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
        """Identifiers of the rows `first_row` on."""
        null = wanted is not ANYTHING and self._check(wanted)
        if not self.distinct or null:
            return pa.nulls(rows, self.type)
        numbers = np.arange(first_row, first_row + rows, dtype=np.int64)
        missing = None if codes is None else codes == 1
        if self.numbers:
            return self._count(numbers, missing)
        made = self._spell(numbers)
        if missing is not None:
            made = made.take(pa.array(np.arange(rows), mask=missing))
        if pat.is_dictionary(self.type):
            return made.cast(level_type(self.type)).dictionary_encode().cast(self.type)
        return made.cast(self.type)

    def _count(self, numbers: np.ndarray, missing: np.ndarray | None) -> pa.Array:
        """The first run for as long as it lasts, then the next."""
        room = sum(length for _, _, length in self.numbers)
        if len(numbers) and int(numbers[-1]) >= room:
            raise SchemaError(
                f"column {self.column.name!r}: only {room:,} new identifiers fit into {self.type}; "
                "draw fewer rows, or drop the column"
            )
        parts = []
        for start, step, length in self.numbers:
            inside = numbers < length
            # modulo 2**64 the sum is right for every whole-number type
            offset = np.uint64(start % 2**64) + (numbers[inside] * step).view(np.uint64)
            parts.append(offset)
            numbers = numbers[~inside] - min(length, 2**62)
        whole = np.concatenate(parts)
        ticks = whole if tick_dtype(self.type) == np.uint64 else whole.view(np.int64)
        return from_ticks(ticks.astype(tick_dtype(self.type)), self.type, missing)

    def _spell(self, numbers: np.ndarray) -> pa.Array:
        """The first pattern for as long as it has room, then the next."""
        parts = []
        for pattern in self.patterns:
            inside = numbers < pattern.room
            parts.append(pattern.spell(numbers[inside]))
            numbers = numbers[~inside] - pattern.room
        return pa.concat_arrays(parts)

    def region(self, wanted: Any) -> Region:
        """The codes that a condition allows.

        Raises
        ------
        ConditionError
            Unless missing cells are wanted and there were some.
        """
        self._check(wanted)
        return Region(np.array([False, True]) if self.options else None)

    def _check(self, wanted: Any) -> bool:
        """Say that missing cells are wanted; anything else is an error."""
        asked = read_wanted(self.column.name, wanted, ranges=True)
        if not asked.null or asked.values != ():
            raise ConditionError(
                f"column {self.column.name!r}: found {wanted!r}, but identifiers are made anew and "
                "take no condition" + (" other than None" if self.missing else "")
            )
        if not self.missing:
            raise ConditionError(
                f"column {self.column.name!r}: no cell was missing, so none can be drawn"
            )
        return True

    def describe(self) -> dict[str, Any]:
        """An example of what will be made, as text."""
        if not self.distinct:
            return {"values": ""}
        made = self.decode(None, None, np.random.default_rng(0), rows=1)
        return {"values": f"such as {made.to_pylist()[0]}"}

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-safe header; no arrays."""
        header = {
            "numbers": [list(run) for run in self.numbers],
            "patterns": [pattern_to_dict(pattern) for pattern in self.patterns],
            "missing": self.missing,
            "distinct": self.distinct,
        }
        return header, {}

    @classmethod
    def from_state(
        cls, column: Column, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> IdEncoder:
        """The encoder that `to_state` described."""
        numbers = [(start, step, length) for start, step, length in header["numbers"]]
        patterns = [pattern_from_dict(each) for each in header["patterns"]]
        return cls(column, numbers, patterns, header["missing"], header["distinct"])


def _free_numbers(column: Column, summary: NumberSummary) -> list[Run]:
    """Runs of whole numbers that were not learned: above, else also below and between."""
    found = column.arrow_type
    lowest, highest = int(summary.lowest), int(summary.highest)
    first, last = _limits(found)
    start = max(min(rounded_up(highest), highest + max((last - highest) // 2, 1)), first)
    above = (start, 1, last - start + 1)
    if above[2] >= _PLENTY:
        return [above]
    top = min(lowest - 1, last)
    runs = [above, (top, -1, top - first + 1), _widest_gap(summary, first, last)]
    runs = sorted((run for run in runs if run[2] > 0), key=lambda run: -run[2])
    if not runs:
        raise SchemaError(
            f"column {column.name!r}: its identifiers fill the whole of {found}, so that no "
            "new one can be made; declare it category or number, or drop it"
        )
    return runs


def _limits(found: pa.DataType) -> tuple[int, int]:
    """The lowest and highest whole number that may be made: all between are values of the type."""
    if pat.is_integer(found):
        limits = np.iinfo(found.to_pandas_dtype())
        return int(limits.min), int(limits.max)
    most = _MOST_SINGLE if pat.is_float32(found) else _MOST_FLOAT
    if pat.is_decimal(found):
        most = min(most, 10 ** max(found.precision - found.scale, 0) - 1)
    return -most, most


def _widest_gap(summary: NumberSummary, first: int, last: int) -> Run:
    """The widest run of whole numbers between two that were learned, within [first, last]."""
    lows, highs, _ = summary.ranges()
    ends = [
        (max(int(high), first - 1), min(int(low), last + 1))
        for high, low in zip(highs, lows[1:], strict=False)
    ]
    gaps = [(low - high - 1, high) for high, low in ends]
    room, below = max(gaps, default=(0, 0))
    return below + 1, 1, room
