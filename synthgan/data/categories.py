"""Categories: frequent levels are options of a choice, the others share buckets by frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

from synthgan.data.category_conditions import category_condition
from synthgan.data.levels import (
    counted_levels,
    level_type,
    levels_from_arrays,
    levels_to_arrays,
    places_in,
)
from synthgan.data.region import Region
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary
from synthgan.data.wanted import ANYTHING
from synthgan.errors import SchemaError

MOST_OPTIONS = 256
OWN_OPTIONS = 192
BUCKETS = 32
_SHOWN = 5

Codes = tuple[np.ndarray | None, np.ndarray | None]


class CategoryEncoder:
    """Encode a column of categories, truth values included.

    Up to MOST_OPTIONS levels are options of one choice. Where there are more, the OWN_OPTIONS most
    frequent have an option each and the others share BUCKETS options of about equal mass, within
    which a level is drawn by frequency: 300,000 levels cost the networks no more than 224.

    Parameters
    ----------
    column : Column
        What the column is.
    levels : pyarrow.Array of shape (levels,)
        What can be emitted, most frequent first.
    counts : ndarray of shape (levels,)
        Rows of each.
    missing : int
        Rows without a value.
    protected : int
        Levels that are not emitted.
    """

    alive = None
    ranks = None

    def __init__(
        self, column: Column, levels: pa.Array, counts: np.ndarray, missing: int, protected: int = 0
    ) -> None:
        self.column, self.type = column, column.arrow_type
        self.levels, self.counts = levels, counts
        self.missing, self.protected = missing, protected
        self.distinct = len(levels) + protected
        self.option_of = _options(counts)
        self.firsts = np.flatnonzero(np.diff(self.option_of, prepend=-1))
        options = len(self.firsts) + (missing > 0)
        self.options = options if options > 1 else 0
        self.null = options - 1 if missing else None
        self._ends = np.cumsum(counts, dtype=np.float64)
        self._prepare_output()

    @classmethod
    def build(
        cls, column: Column, summary: LevelSummary | NumberSummary, threshold: int
    ) -> CategoryEncoder:
        """Learn from a summary; levels in fewer than `threshold` rows are protected.

        Where all levels are, and some cells are missing, all cells come out missing.

        Raises
        ------
        SchemaError
            If nothing is left to be emitted.
        """
        levels, counts = counted_levels(summary, column.arrow_type)
        kept = int(np.count_nonzero(counts >= threshold))
        if len(counts) and not kept and not summary.missing:
            raise SchemaError(
                f"column {column.name!r}: each of its {len(counts):,} categories is seen in fewer "
                f"than {threshold} rows, so none may be emitted, and no cell is missing; say "
                f"{{{column.name!r}: {{'rare': False}}}} in the schema, set rare_threshold=1, or "
                f"drop the column: {{{column.name!r}: 'drop'}}"
            )
        hidden = len(counts) - kept
        return cls(column, levels[:kept], counts[:kept], summary.missing, hidden)

    def _prepare_output(self) -> None:
        """What numbers of levels are taken from: the levels, and a null behind them."""
        source = self.levels
        if pat.is_dictionary(self.type):
            self._dictionary = self.levels
            place = np.arange(len(self.levels), dtype=np.int32)
            if self.column.levels is not None:
                # a dictionary keeps all declared levels in their order
                self._dictionary = pa.array(list(self.column.levels), type=level_type(self.type))
                place = places_in(self.levels, self._dictionary).astype(np.int32)
            source = pa.array(place)
        if self.missing:
            source = pa.concat_arrays([source, pa.nulls(1, source.type)])
        self._source = source

    @property
    def is_hidden(self) -> bool:
        """Whether there were levels, and none of them may be emitted."""
        return self.protected > 0 and not len(self.levels)

    @property
    def buckets(self) -> bool:
        """Whether some options stand for several levels."""
        return len(self.firsts) < len(self.levels)

    def encode(self, array: pa.Array, rng: np.random.Generator | None) -> Codes:
        """Codes of shape (rows,); without `rng`, -1 for levels that are not emitted."""
        if not self.options:
            return None, None
        places = places_in(array, self.levels)
        # the number behind the last level stands for -1
        codes = np.append(self.option_of, -1).astype(np.int16).take(places, mode="wrap")
        if not array.null_count and not (self.protected or (places < 0).any()):
            return codes, None
        missing = np.asarray(array.is_null())
        unknown = np.flatnonzero((places < 0) & ~missing)
        if rng is not None and len(unknown) and len(self.levels):
            drawn = rng.random(len(unknown)) * self._ends[-1]
            codes[unknown] = self.option_of[np.searchsorted(self._ends, drawn, side="right")]
        codes[missing] = -1 if self.null is None else self.null
        return codes, None

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
        """Levels of the column's type; where a condition is given, all of them meet it."""
        chosen = None if wanted is ANYTHING else category_condition(self, wanted)
        if not len(self.levels):
            return pa.nulls(rows, self.type)
        if codes is None:
            codes = np.zeros(rows, dtype=np.int16)
        if chosen is not None:
            place = self._draw_wanted(codes, rng, *chosen)
        elif self.buckets or (codes < 0).any():
            place = self._draw(codes, rng, self._ends)
        else:
            place = codes
        return self.take(place)

    def take(self, places: np.ndarray) -> pa.Array:
        """The levels of some numbers, in the column's type; behind the last one lies missing."""
        taken = self._source.take(pa.array(places))
        if not pat.is_dictionary(self.type):
            return taken
        return pa.DictionaryArray.from_arrays(taken, self._dictionary, ordered=self.type.ordered)

    def _draw(self, codes: np.ndarray, rng: np.random.Generator, ends: np.ndarray) -> np.ndarray:
        """A level for each option, by frequency: its own, one of its bucket, or any if it has none.

        `ends` are running sums of the weights of the levels. A missing cell gets the number behind
        the last level.
        """
        weights = np.diff(ends, prepend=0.0)
        single = np.append(np.diff(self.firsts, append=len(self.levels)) == 1, False)
        single &= np.append(weights[self.firsts] > 0, False)
        place = np.append(self.firsts, len(self.levels)).take(codes, mode="clip")
        open_ = ~single.take(codes, mode="clip") | (codes < 0)
        if self.null is not None:
            open_ &= codes != self.null
        many = np.flatnonzero(open_)
        starts = np.append(0.0, ends)[self.firsts]
        stops = ends[np.append(self.firsts[1:], len(self.levels)) - 1]
        option = codes[many]
        low, high = starts.take(option, mode="clip"), stops.take(option, mode="clip")
        nowhere = (low >= high) | (option < 0)
        low[nowhere], high[nowhere] = 0.0, ends[-1]
        drawn = low + rng.random(len(many)) * (high - low)
        found = np.searchsorted(ends, drawn, side="right")
        # rounding may reach the very end
        place[many] = np.minimum(found, np.flatnonzero(weights)[-1])
        return place

    def _draw_wanted(
        self, codes: np.ndarray, rng: np.random.Generator, chosen: np.ndarray, null: bool
    ) -> np.ndarray:
        """The same among chosen levels, and missing cells only where they are wanted."""
        if not chosen.any():
            return np.full(len(codes), len(self.levels))
        if self.null is not None and not null:
            codes = np.where(codes == self.null, -1, codes)
        return self._draw(codes, rng, np.cumsum(self.counts * chosen, dtype=np.float64))

    def region(self, wanted: Any) -> Region:
        """The codes that a condition allows.

        Raises
        ------
        ConditionError
            If a level is unknown or nothing that was learned meets it.
        """
        chosen, null = category_condition(self, wanted)
        if not self.options:
            return Region()
        options = np.zeros(self.options, dtype=bool)
        options[self.option_of[chosen]] = True
        if null:
            options[self.null] = True
        return Region(options)

    def describe(self) -> dict[str, Any]:
        """The most frequent levels, as text."""
        shown = ", ".join(str(level) for level in self.levels[:_SHOWN].to_pylist())
        return {"values": shown + (", ..." if len(self.levels) > _SHOWN else "")}

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-safe header and arrays."""
        header = {"missing": self.missing, "protected": self.protected}
        return header, {"counts": self.counts, **levels_to_arrays(self.levels)}

    @classmethod
    def from_state(
        cls, column: Column, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> CategoryEncoder:
        """The encoder that `to_state` described."""
        levels = levels_from_arrays(arrays, level_type(column.arrow_type))
        return cls(column, levels, arrays["counts"], header["missing"], header["protected"])


def _options(counts: np.ndarray) -> np.ndarray:
    """The option of each level, given counts that do not rise; of shape (levels,)."""
    number = np.arange(len(counts))
    if len(counts) <= MOST_OPTIONS:
        return number
    tail = counts[OWN_OPTIONS:]
    middle = np.cumsum(tail) - tail / 2
    bucket = np.minimum((middle / tail.sum() * BUCKETS).astype(np.int64), BUCKETS - 1)
    # a bucket that caught no level must not leave a gap in the numbers
    bucket = np.cumsum(np.diff(bucket, prepend=bucket[0]) > 0)
    return np.concatenate([number[:OWN_OPTIONS], OWN_OPTIONS + bucket])
