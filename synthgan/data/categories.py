"""Categories: frequent levels are options of a choice, the others share buckets of like frequency."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.arrow_types import array_from_json, array_to_json, own_value
from synthgan.data.layout import Span
from synthgan.data.region import Region
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary
from synthgan.data.ticks import from_ticks
from synthgan.data.wanted import Wanted, parse_wanted
from synthgan.errors import ConditionError, SchemaError

MOST_OPTIONS = 256
OWN_OPTIONS = 192
BUCKETS = 32
SHOWN_LEVELS = 20

Arrays = pa.Array | pa.ChunkedArray
Codes = tuple[np.ndarray | None, np.ndarray | None]


class CategoryEncoder:
    """Encode a column of categories, truth values included.

    Levels are sorted by frequency. Up to MOST_OPTIONS of them are options of one choice; where there
    are more, the OWN_OPTIONS most frequent have an option each and the others share BUCKETS options
    of about equal mass, within which a level is drawn by frequency: 300,000 levels cost the networks
    no more than 224.

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

    def __init__(
        self, column: Column, levels: pa.Array, counts: np.ndarray, missing: int, protected: int = 0
    ) -> None:
        self.column, self.type = column, column.arrow_type
        self.levels, self.counts = levels, counts
        self.missing, self.protected = missing, protected
        self.option_of = _options(counts)
        self.level_options = int(self.option_of[-1]) + 1 if len(counts) else 0
        self.options = self.level_options + (missing > 0)
        self.null_option = self.options - 1
        self._ends = np.cumsum(counts, dtype=np.float64)
        self._starts = self._ends - counts

    @classmethod
    def build(
        cls, column: Column, summary: LevelSummary | NumberSummary, threshold: int
    ) -> CategoryEncoder:
        """Learn from a finished summary; levels in fewer than `threshold` rows are protected.

        Raises
        ------
        SchemaError
            If no level is left to be emitted.
        """
        if isinstance(summary, NumberSummary):
            levels = from_ticks(summary.values, None, column.arrow_type)
        else:
            levels = summary.levels
        public = column.levels is not None or column.kind == "boolean" or not column.rare
        least = 1 if public else threshold
        kept = summary.counts >= least
        if len(kept) and not kept.any():
            raise SchemaError(
                f"column {column.name!r}: each of its {len(kept):,} categories is seen in fewer "
                f"than {threshold} rows, so none may be emitted; say 'rare': False for it in the "
                "schema, set rare_threshold=1, or drop it"
            )
        levels, counts = levels.filter(pa.array(kept)), summary.counts[kept]
        # summaries are sorted by level: a stable sort leaves ties in that order
        order = np.argsort(-counts, kind="stable")
        hidden = int((~kept).sum())
        return cls(column, levels.take(pa.array(order)), counts[order], summary.missing, hidden)

    @property
    def is_empty(self) -> bool:
        """Whether the column holds nulls only."""
        return not len(self.levels)

    @property
    def spans(self) -> list[Span]:
        """One choice, if there is something to choose."""
        return [Span(self.column.name, "choice", self.options)] if self.options > 1 else []

    def encode(self, array: Arrays, rng: np.random.Generator | None) -> Codes:
        """Codes of shape (rows,); without `rng`, -1 for levels that are not kept."""
        if self.options <= 1:
            return None, None
        place = self._places(array)
        codes = self.option_of[np.maximum(place, 0)] if len(self.levels) else place * 0
        codes = codes.astype(np.int16)
        unknown = place < 0
        if unknown.any():
            codes[unknown] = -1
            missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
            if rng is not None and len(self.levels):
                point = rng.random(int(unknown.sum())) * self._ends[-1]
                codes[unknown] = self.option_of[np.searchsorted(self._ends, point, side="right")]
            if missing is not None:
                codes[missing] = self.null_option if self.missing else -1
        return codes, None

    def _places(self, array: Arrays) -> np.ndarray:
        """Numbers of the levels of shape (rows,), -1 for nulls and unknown ones."""
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        known = self.levels
        if pat.is_dictionary(array.type):
            of_code = _index_in(array.dictionary, known)
            codes = array.indices.fill_null(len(of_code)).to_numpy()
            return np.append(of_code, -1)[codes]
        return _index_in(array, known)

    def decode(
        self,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        rng: np.random.Generator,
        wanted: Any = ...,
        rows: int = 0,
    ) -> pa.Array:
        """Levels of the canonical type; where a condition is given, all of them meet it."""
        count = rows if codes is None else len(codes)
        if self.is_empty:
            return pa.nulls(count, self.type)
        codes = np.zeros(count, dtype=np.int16) if codes is None else codes
        missing = codes == self.null_option if self.missing else np.zeros(count, dtype=bool)
        options = np.where(missing, 0, codes)
        if wanted is ...:
            place = self._draw(options, rng)
        else:
            place = self._draw_wanted(options, rng, self._chosen(self._parse(wanted)))
        return self._take(place, missing if missing.any() else None)

    def _draw(self, options: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A level for each option: its own, or one of its bucket by frequency."""
        if self.level_options == len(self.levels):
            return options
        first = np.searchsorted(self.option_of, np.arange(self.level_options))
        last = np.append(first[1:], len(self.levels)) - 1
        start, end = self._starts[first], self._ends[last]
        point = start[options] + rng.random(len(options)) * (end - start)[options]
        place = np.searchsorted(self._ends, point, side="right")
        return np.clip(place, first[options], last[options])

    def _draw_wanted(
        self, options: np.ndarray, rng: np.random.Generator, chosen: np.ndarray
    ) -> np.ndarray:
        """The same among chosen levels only; an option without one takes any chosen level."""
        place = np.asarray(self._draw(options, rng))
        fine = np.isin(place, chosen)
        for option in np.unique(options[~fine]):
            rows = np.flatnonzero(~fine & (options == option))
            mine = chosen[self.option_of[chosen] == option]
            mine = mine if len(mine) else chosen
            if len(mine):
                share = self.counts[mine] / self.counts[mine].sum()
                place[rows] = rng.choice(mine, size=len(rows), p=share)
        return place

    def _take(self, place: np.ndarray, missing: np.ndarray | None) -> pa.Array:
        index = pa.array(place.astype(np.int32), mask=missing)
        if not pat.is_dictionary(self.type):
            return self.levels.take(index)
        levels = self._dictionary()
        if self.column.levels is not None:
            where = pa.array(_index_in(self.levels, levels).astype(np.int32))
            index = where.take(index)
        return pa.DictionaryArray.from_arrays(index, levels, ordered=self.type.ordered)

    def _dictionary(self) -> pa.Array:
        """The dictionary that comes out: all declared levels, in their order, if there are any."""
        if self.column.levels is None:
            return self.levels
        return pa.array(list(self.column.levels), type=self.type.value_type)

    def region(self, wanted: Any) -> Region:
        """The codes that a condition allows."""
        asked = self._parse(wanted)
        chosen = self._chosen(asked)
        options = np.zeros(max(self.options, 1), dtype=bool)
        options[self.option_of[chosen]] = True
        if asked.null and not self.missing:
            raise ConditionError(
                f"column {self.column.name!r}: asked for missing values, but the table learned has none"
            )
        if asked.null:
            options[self.null_option] = True
        return Region(options if self.options > 1 else None, None)

    def _parse(self, wanted: Any) -> Wanted:
        return parse_wanted(
            self.column.name,
            wanted,
            lambda value: own_value(value, self.type),
            ranges=self.column.ordered and self.column.levels is not None,
        )

    def _chosen(self, asked: Wanted) -> np.ndarray:
        """Numbers of the wanted levels; a wanted value that is not known is an error."""
        if asked.values is None and asked.null:
            return np.empty(0, dtype=np.int64)
        values = list(asked.values) if asked.values is not None else self._levels_between(asked)
        place = _index_in(pa.array(values, type=self.levels.type), self.levels)
        if asked.values is not None and (place < 0).any():
            unknown = [value for value, at in zip(values, place, strict=True) if at < 0]
            raise ConditionError(self._refusal(unknown))
        if not (place >= 0).any():
            raise ConditionError(self._refusal(values))
        return np.unique(place[place >= 0])

    def _levels_between(self, asked: Wanted) -> list[Any]:
        declared = list(self.column.levels or ())
        for end in (asked.low, asked.high):
            if end is not None and end not in declared:
                raise ConditionError(
                    f"column {self.column.name!r}: {end!r} is not one of its levels {declared!r}"
                )
        low = 0 if asked.low is None else declared.index(asked.low)
        high = len(declared) - 1 if asked.high is None else declared.index(asked.high)
        return declared[low : high + 1]

    def _refusal(self, unknown: list[Any]) -> str:
        shown = ", ".join(map(repr, unknown[:3]))
        known = [str(level) for level in self.levels[:10_000].to_pylist()]
        near = difflib.get_close_matches(str(unknown[0]) if unknown else "", known, n=1)
        if near:
            hint = f"did you mean {near[0]!r}?"
        else:
            more = ", ..." if len(self.levels) > 5 else ""
            hint = f"known are {', '.join(map(repr, known[:5]))}{more}"
        return (
            f"column {self.column.name!r}: {shown} was not seen, or too rarely to be emitted; {hint}"
        )

    def describe(self) -> dict[str, Any]:
        """What `info` shows: the most frequent levels with their shares, missing share."""
        rows = int(self.counts.sum()) + self.missing
        shown = self.levels[:SHOWN_LEVELS].to_pylist()
        plain = [v if isinstance(v, str | bool | int | float) else str(v) for v in shown]
        shares = (self.counts[:SHOWN_LEVELS] / max(rows, 1)).tolist()
        return {
            "distinct": len(self.levels),
            "missing_share": self.missing / rows if rows else 0.0,
            "levels": [[value, share] for value, share in zip(plain, shares, strict=True)],
        }

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-safe header and arrays."""
        header = {
            "levels": array_to_json(self.levels),
            "missing": self.missing,
            "protected": self.protected,
        }
        return header, {"counts": self.counts}

    @classmethod
    def from_state(
        cls, column: Column, header: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> CategoryEncoder:
        """The reverse of `to_state`."""
        found = column.arrow_type
        values = found.value_type if pat.is_dictionary(found) else found
        levels = array_from_json(header["levels"], values)
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


def _index_in(array: Arrays, known: pa.Array) -> np.ndarray:
    """Where each value stands among the known ones, -1 for unknown values and nulls."""
    if array.type != known.type:
        array = array.cast(known.type)
    place = pc.index_in(array, value_set=known, skip_nulls=True)
    return np.asarray(place.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
