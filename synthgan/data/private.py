"""Private summaries: what encoders learn of columns, bought from a ledger.

A column goes in, and a summary comes out that is made of noisy counts alone: levels that were
declared, or that enough rows share; cells of a number, whose edges no row decides. Whatever is
learned from it is post-processing. Counts are those of the rows themselves: summaries of long
columns put neighbours together, so that one row more could move many.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
from numpy.typing import NDArray

from synthgan.data.arrow_types import is_text
from synthgan.data.counted import few_numbers, level_summary, number_summary, whole_counts
from synthgan.data.levels import level_type
from synthgan.data.number_summary import NumberSummary
from synthgan.data.summaries import Summary, summarise
from synthgan.data.ticks import (
    from_ticks,
    has_ticks,
    range_ticks,
    round_to,
    tick_dtype,
    to_ticks,
)
from synthgan.errors import SynthganWarning
from synthgan.privacy.accounting import Entry
from synthgan.privacy.budget import Privacy
from synthgan.privacy.counts import noisy, on_simplex, shown_from
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.privacy.tree import CERTAIN, Line, histogram

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Said = Mapping[str, Any]

ROWS = "the number of rows"
# of the budget's delta: what thresholds of unknown levels may take together
THRESHOLDS = 0.1
# how often the histogram of a number is made finer, where its range is declared and where not
LEVELS_OF_RANGE, LEVELS = 3, 4
# decimals that are told apart
MOST_DECIMALS = 4
# noise of the number of rows and of decimals, over that of cells: they say less
COARSE = 2.0


def kind_of(found: pa.DataType, override: Said) -> str:
    """What a column is: as declared, else as its type says, since values must not decide it."""
    if (declared := override.get("kind")) is not None:
        return str(declared)
    if pat.is_timestamp(found) or pat.is_date(found):
        return "datetime"
    if pat.is_duration(found) or pat.is_time(found):
        return "duration"
    if pat.is_boolean(found):
        return "boolean"
    return "number" if has_ticks(found) else "category"


def purchases(
    types: Mapping[str, pa.DataType], said: Mapping[str, Said], budget: Privacy, noise: float = 1.0
) -> list[Entry]:
    """Everything that the encoders of a table have to buy.

    Parameters
    ----------
    types : mapping
        Of each column.
    said : mapping
        What the user says of single columns: declared bounds, levels and decimals are free.
    budget : Privacy
        For whom, and how much of delta there is.
    noise : float, default 1.0
        Of the cells of a column, relative to whatever else is bought.

    Returns
    -------
    list of Entry
    """
    told = {name: said.get(name, {}) for name in types}
    kept = {name: each for name, each in types.items() if kind_of(each, told[name]) != "drop"}
    unknown = [name for name, each in kept.items() if _are_unknown(each, told[name])]
    share = THRESHOLDS * budget.delta / max(len(unknown), 1)
    entries = [Entry(ROWS, COARSE * noise)] if budget.buys_rows else []
    for name, found in kept.items():
        times = 1
        if _is_line(found, told[name]):
            times = LEVELS if None in _ends(told[name]) else LEVELS_OF_RANGE
            if _needs_decimals(found, told[name]):
                entries.append(Entry(_decimals(name), COARSE * noise))
        delta = share if name in unknown else 0.0
        entries.append(Entry(_cells(name), noise, times=times, delta=delta))
    return entries


class PrivateSummaries:
    """Buys the summaries of columns.

    Parameters
    ----------
    ledger : Ledger
        In which all of `purchases` are planned.
    noise : Noise
        Where it comes from.
    rows : int
        How many there are; told only if that is public, or with noise.
    """

    def __init__(self, ledger: Ledger, noise: Noise, rows: int) -> None:
        self._ledger, self._noise = ledger, noise
        self._per_unit = ledger.budget.rows_per_unit
        self.rows = rows
        if ledger.budget.buys_rows:
            self.rows = max(int(self._count(ROWS, np.array([rows]))[0]), 1)

    def of(self, name: str, column: pa.Array, override: Said) -> Summary:
        """A private summary of a column in its canonical type.

        Warns
        -----
        SynthganWarning
            If nothing of the column can be shown.
        """
        kind = kind_of(column.type, override)
        if kind == "id":
            return self._identifiers(name, column)
        if _is_line(column.type, override):
            return self._numbers(name, column, override)
        return self._levels(name, column, override)

    def _count(self, what: str, counts: Integers) -> Integers:
        """Buy a histogram."""
        return noisy(counts, self._deviation(self._ledger.buy(what)), self._noise)

    def _deviation(self, entry: Entry) -> float:
        return entry.noise * self._per_unit

    def _identifiers(self, name: str, column: pa.Array) -> Summary:
        """The summary of a column of one identifier that nobody has, and of missing cells."""
        seen = np.array([len(column) - column.null_count, column.null_count])
        told = self._count(_cells(name), seen)
        _, missing = self._even(told, self._deviation(self._ledger.planned(_cells(name))))
        own = level_type(column.type)
        one: Any = summarise(pa.array(["1" if is_text(own) else 0], type=own))
        whole: Summary = one.merge(summarise(pa.nulls(missing, own)))
        return whole

    def _levels(self, name: str, column: pa.Array, override: Said) -> Summary:
        if pat.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        counted = pc.value_counts(column.drop_null())
        seen, rows = counted.field("values"), np.asarray(counted.field("counts"))
        known = _known_levels(column.type, override)
        levels = seen if known is None else known
        places = np.asarray(pc.index_in(seen, value_set=levels).fill_null(-1))
        counts = np.zeros(len(levels), dtype=np.int64)
        np.add.at(counts, places[places >= 0], rows[places >= 0])
        entry = self._ledger.buy(_cells(name))
        deviation = self._deviation(entry)
        told = noisy(np.append(counts, column.null_count), deviation, self._noise)
        if known is None:
            least = shown_from(deviation, entry.delta, self._per_unit)
            shown = np.flatnonzero(told[:-1] >= least)
            levels, told = levels.take(pa.array(shown)), told[np.append(shown, len(counts))]
        if not len(levels):
            return self._nothing(name, column.type)
        even, missing = self._even(told, deviation)
        if has_ticks(column.type):
            return few_numbers(levels, even, missing)
        return level_summary(levels, even, missing)

    def _nothing(self, name: str, found: pa.DataType) -> Summary:
        """The summary of a column of missing cells; an error would tell of the rows as well."""
        warnings.warn(
            f"column {name!r}: no value is shared by enough rows to be shown within this budget, "
            "so all its cells come out missing; declare its levels, declare id to have it made "
            f"anew ({{{name!r}: 'id'}}), or drop it",
            SynthganWarning,
            stacklevel=2,
        )
        return summarise(pa.nulls(self.rows, found))

    def _even(self, told: Integers, deviation: float) -> tuple[Integers, int]:
        """Counts that may be, of levels and of missing cells, from noisy ones, the missing last.

        Missing cells that noise explains are none: else every column would get some.
        """
        told = told.copy()
        if told[-1] < CERTAIN * deviation:
            told[-1] = 0
        if not told[-1]:
            return whole_counts(on_simplex(told[:-1], self.rows)), 0
        even = whole_counts(on_simplex(told, self.rows))
        return even[:-1], int(even[-1])

    def _numbers(self, name: str, column: pa.Array, override: Said) -> NumberSummary:
        ticks, present = to_ticks(column)
        known = ticks if present is None else ticks[present]
        values, counts = np.unique(known.astype(np.float64), return_counts=True)
        decimals: int | None = 0
        if ticks.dtype.kind == "f":
            decimals = override.get("decimals")
            if _needs_decimals(column.type, override):
                decimals = self._decimals(name, values, counts)
        scale = 1.0 if decimals is None else 10.0**decimals
        if decimals is not None:
            values = np.rint(values * scale)
        ends = range_ticks(_ends(override), column.type)
        low, high = (None if end is None else float(end) * scale for end in ends)
        missing_cells = len(ticks) - len(known)
        line = Line(values, counts, missing_cells, decimals is not None, (low, high))
        entry = self._ledger.planned(_cells(name))
        cells, missing = histogram(
            line,
            self.rows,
            entry.times,
            lambda asked: self._count(_cells(name), asked),
            self._deviation(entry),
        )
        even = whole_counts(cells.counts)
        return number_summary(ticks.dtype, cells.lows, cells.highs, even, missing, decimals)

    def _decimals(self, name: str, values: Floats, counts: Integers) -> int | None:
        """Decimals that all values have at most, but for so few that noise explains them."""
        needed = np.full(len(values), MOST_DECIMALS + 1)
        for decimals in reversed(range(MOST_DECIMALS + 1)):
            needed[round_to(values, decimals) == values] = decimals
        found = np.bincount(needed, counts, MOST_DECIMALS + 2).astype(np.int64)
        entry = self._ledger.planned(_decimals(name))
        told = self._count(_decimals(name), found)
        certain = np.flatnonzero(told > CERTAIN * self._deviation(entry))
        most = int(certain.max(initial=0))
        return None if most > MOST_DECIMALS else most


def _known_levels(found: pa.DataType, override: Said) -> pa.Array | None:
    """Levels that no row has to tell: declared ones, and true and false."""
    own = level_type(found)
    if override.get("levels") is not None:
        return pa.array(list(override["levels"]), type=own)
    if pat.is_boolean(found):
        return pa.array([False, True])
    if override.get("kind") == "boolean":
        return from_ticks(np.array([0, 1], dtype=tick_dtype(own)), own)
    return None


def _is_line(found: pa.DataType, override: Said) -> bool:
    """Whether values are counted in cells of a line, and not one by one."""
    return kind_of(found, override) in ("number", "datetime", "duration")


def _are_unknown(found: pa.DataType, override: Said) -> bool:
    is_id = kind_of(found, override) == "id"
    return not (is_id or _is_line(found, override)) and _known_levels(found, override) is None


def _needs_decimals(found: pa.DataType, override: Said) -> bool:
    return tick_dtype(found).kind == "f" and override.get("decimals") is None


def _ends(override: Said) -> tuple[Any, Any]:
    return tuple(override.get("bounds", (None, None)))


def _cells(name: str) -> str:
    return f"cells of {name!r}"


def _decimals(name: str) -> str:
    return f"decimals of {name!r}"
