"""Private summaries: what encoders learn of columns, bought from a ledger.

A column goes in, and a summary comes out that is made of noisy counts alone: levels that were
declared, or that enough rows share; cells of a number, whose edges no row decides. Whatever is
learned from it is post-processing. Counts are those of the rows themselves: summaries of long
columns put neighbours together, so that one row more could move many.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
from numpy.typing import NDArray

from synthgan.data.arrow_types import is_text
from synthgan.data.counted import few_numbers, level_summary, number_summary, whole_counts
from synthgan.data.level_summary import own_order
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
from synthgan.privacy.tree import CERTAIN, Line, Places, histogram

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


@dataclass(frozen=True)
class Question:
    """What is counted of a column.

    Attributes
    ----------
    what : str
        Its name in the ledger.
    column : str
        Of which.
    cell_of : callable
        The cell of each row of the column, -1 for none, of shape (rows,).
    cells : int
        How many there are.
    """

    what: str
    column: str
    cell_of: Callable[[pa.Array], Integers]
    cells: int

    def counts(self, column: pa.Array) -> Integers:
        """Rows in each cell."""
        places = self.cell_of(column)
        return np.bincount(places[places >= 0], minlength=self.cells)


# who sees each question with its noisy answer, and the deviation of that noise
Watch = Callable[[Question, Floats, float], None]


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
    watch : callable, optional
        Sees each answer, in an audit.
    """

    def __init__(self, ledger: Ledger, noise: Noise, rows: int, watch: Watch | None = None) -> None:
        self._ledger, self._noise, self._watch = ledger, noise, watch
        self._per_unit = ledger.budget.rows_per_unit
        self.rows = rows
        if ledger.budget.buys_rows:
            ledger.buy(ROWS)
            told = noisy(np.array([rows]), self._deviation(ROWS), noise)
            self.rows = max(round(float(told[0])), 1)

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

    def _ask(self, question: Question, column: pa.Array) -> Floats:
        """Buy a histogram."""
        self._ledger.buy(question.what)
        deviation = self._deviation(question.what)
        told = noisy(question.counts(column), deviation, self._noise)
        if self._watch is not None:
            self._watch(question, told, deviation)
        return told

    def _deviation(self, what: str) -> float:
        """Of the noise of a purchase, in rows."""
        return self._ledger.planned(what).noise * self._per_unit

    def _identifiers(self, name: str, column: pa.Array) -> Summary:
        """The summary of a column of one identifier that nobody has, and of missing cells."""
        told = self._ask(Question(_cells(name), name, _missing, 2), column)
        _, missing = self._even(told, self._deviation(_cells(name)))
        own = level_type(column.type)
        one: Any = summarise(pa.array(["1" if is_text(own) else 0], type=own))
        whole: Summary = one.merge(summarise(pa.nulls(missing, own)))
        return whole

    def _levels(self, name: str, column: pa.Array, override: Said) -> Summary:
        column = _plain(column)
        known = _known_levels(column.type, override)
        levels = _met(column) if known is None else known
        cell_of = partial(_level_of, levels=levels)
        told = self._ask(Question(_cells(name), name, cell_of, len(levels) + 1), column)
        deviation = self._deviation(_cells(name))
        if known is None:
            delta = self._ledger.planned(_cells(name)).delta
            least = shown_from(deviation, delta, self._per_unit)
            shown = np.flatnonzero(told[:-1] >= least)
            levels, told = levels.take(pa.array(shown)), told[np.append(shown, len(levels))]
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

    def _even(self, told: Floats, deviation: float) -> tuple[Integers, int]:
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
        own = tick_dtype(column.type)
        decimals: int | None = 0
        if own.kind == "f":
            decimals = override.get("decimals")
            if _needs_decimals(column.type, override):
                decimals = self._decimals(name, column)
        scale = 1.0 if decimals is None else 10.0**decimals
        ends = range_ticks(_ends(override), column.type)
        low, high = (None if end is None else float(end) * scale for end in ends)
        whole = decimals is not None
        entry = self._ledger.planned(_cells(name))

        def ask(places: Places, cells: int) -> Floats:
            def cell_of(column: pa.Array) -> Integers:
                values = _values(column) * scale
                return places(np.rint(values) if whole else values)

            return self._ask(Question(_cells(name), name, cell_of, cells), column)

        line, deviation = Line(whole, (low, high)), self._deviation(_cells(name))
        cells, missing = histogram(line, self.rows, entry.times, ask, deviation)
        even = whole_counts(cells.counts)
        return number_summary(own, cells.lows, cells.highs, even, missing, decimals)

    def _decimals(self, name: str, column: pa.Array) -> int | None:
        """Decimals that all values have at most, but for so few that noise explains them."""
        told = self._ask(Question(_decimals(name), name, _decimals_of, MOST_DECIMALS + 2), column)
        certain = np.flatnonzero(told > CERTAIN * self._deviation(_decimals(name)))
        most = int(certain.max(initial=0))
        return None if most > MOST_DECIMALS else most


def _plain(column: pa.Array) -> pa.Array:
    """A column of values, where it was one of codes."""
    return column.cast(column.type.value_type) if pat.is_dictionary(column.type) else column


def _met(column: pa.Array) -> pa.Array:
    """The levels of a column in their own order: in the rows', who comes first would tell."""
    levels = pc.unique(column.drop_null())
    return levels.take(own_order(levels))


def _missing(column: pa.Array) -> Integers:
    """Whether each cell is missing."""
    return np.asarray(column.is_null()).astype(np.int64)


def _level_of(column: pa.Array, levels: pa.Array) -> Integers:
    """The level of each cell; a missing one comes after all, others are nowhere."""
    found = np.asarray(pc.index_in(_plain(column), value_set=levels).fill_null(-1))
    return np.where(_missing(column) == 1, len(levels), found).astype(np.int64)


def _values(column: pa.Array) -> Floats:
    """The ticks of a column, NaN where a cell is missing."""
    ticks, present = to_ticks(column)
    values = ticks.astype(np.float64)
    return values if present is None else np.where(present, values, np.nan)


def _decimals_of(column: pa.Array) -> Integers:
    """How many decimals each value needs, one more than the most if it needs more than these."""
    values = _values(column)
    needed = np.full(len(values), MOST_DECIMALS + 1)
    for decimals in reversed(range(MOST_DECIMALS + 1)):
        needed[round_to(values, decimals) == values] = decimals
    return np.where(np.isnan(values), -1, needed)


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
