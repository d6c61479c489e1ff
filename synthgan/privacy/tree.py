"""A histogram that is fine where rows are many: cells are counted, and full ones cut again.

No edge depends on a row but through noisy counts of the level above, and a row is in one cell of a
level at most (Hay, Rastogi, Miklau and Suciu, "Boosting the accuracy of differentially private
histograms through consistency", VLDB 2010; Zhang, Xiao and Xie, "PrivTree", SIGMOD 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.privacy.counts import GRADES, MOST_EXPONENT, filled, grade_ends, grades, on_simplex

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# the cell of each value, -1 for none; the value NaN is a missing one
Places = Callable[[Floats], Integers]
Ask = Callable[[Places, int], Floats]

# into how many a full cell is cut, and deviations of noise from which on a cell is full
PARTS, FULL = 16, 6.0
# deviations of noise from which on a count is no chance
CERTAIN = 3.0
# the smallest and the largest number that have an order of magnitude
_NEAR, _FAR = 2.0**-MOST_EXPONENT, float(np.nextafter(2.0**MOST_EXPONENT, 0.0))


@dataclass(frozen=True)
class Cells:
    """Cells of a line, in order: from `lows` to below `highs`, with their counts."""

    lows: Floats
    highs: Floats
    counts: Floats

    def take(self, chosen: NDArray[np.bool_]) -> Cells:
        """Some of them."""
        return Cells(self.lows[chosen], self.highs[chosen], self.counts[chosen])


@dataclass(frozen=True)
class Line:
    """What is public of values that lie on a line.

    Attributes
    ----------
    whole : bool
        Whether they can be whole numbers only.
    ends : tuple of float
        The least and the greatest one, or None where that is not public.
    """

    whole: bool
    ends: tuple[float | None, float | None] = (None, None)

    def placed(self, values: Floats) -> Floats:
        """Values as they are counted: what lies outside of the ends stands on them."""
        low, high = self.ends
        values = np.where(np.abs(values) < _NEAR, 0.0, values)
        return np.clip(values, -_FAR if low is None else low, _FAR if high is None else high)


def histogram(line: Line, rows: int, levels: int, ask: Ask, deviation: float) -> tuple[Cells, int]:
    """Cells with the counts that noisy answers make likely, and how many rows have no value.

    Parameters
    ----------
    line : Line
        Where values lie.
    rows : int
        How many rows there are, as far as that is known.
    levels : int
        How often is asked, at most.
    ask : callable
        Counts rows in so many cells, and adds noise; one row moves one count by 1.
    deviation : float
        Of that noise.
    """
    low, high = line.ends
    if low is not None and high is not None:
        cells = _cut(np.array([low]), np.array([_after(high, line.whole)]), PARTS**2, line.whole)
        told = ask(_first(_finder(cells, line), len(cells.lows)), len(cells.lows) + 1)
        able = np.ones(len(cells.lows), dtype=bool)
    else:
        cells = _graded(line.whole)
        told = ask(_first(lambda values: grades(line.placed(values)), GRADES), GRADES + 1)
        # noise alone would give rows to many orders of magnitude
        valid = np.flatnonzero(cells.highs > cells.lows)
        able = np.zeros(len(cells.lows), dtype=bool)
        able[valid] = filled(told[valid], deviation)
    able = np.append(able, told[-1] >= CERTAIN * deviation)
    even = np.zeros(len(told))
    even[able] = on_simplex(told[able], float(rows))
    cells = Cells(cells.lows, cells.highs, even[:-1]).take(even[:-1] > 0)
    for _ in range(levels - 1):
        cells = _finer(cells, line, ask, deviation)
    return cells, round(float(even[-1]))


def _first(known: Places, missing: int) -> Places:
    """Places of the first level, where missing values have a cell too."""

    def places(values: Floats) -> Integers:
        gone = np.isnan(values)
        return np.where(gone, missing, known(np.where(gone, 0.0, values)))

    return places


def _finder(cells: Cells, line: Line) -> Places:
    """Says in which of some cells values are; what lies outside of all is in none."""

    def places(values: Floats) -> Integers:
        if not len(cells.lows):
            return np.full(len(values), -1)
        values = line.placed(values)
        place = np.searchsorted(cells.lows, values, "right") - 1
        # NaN is below nothing
        return np.where((place >= 0) & (values < cells.highs[place]), place, -1)

    return places


def _finer(cells: Cells, line: Line, ask: Ask, deviation: float) -> Cells:
    """Full cells cut once more."""
    width = cells.highs - cells.lows
    splits = (cells.counts > FULL * deviation) & (width > (1.0 if line.whole else 0.0))
    stay = cells.take(~splits)
    cut = _cut(cells.lows[splits], cells.highs[splits], PARTS, line.whole)
    told = ask(_finder(cut, line), len(cut.lows))
    place = np.searchsorted(cells.lows[splits], cut.lows, "right") - 1
    likely = np.zeros(len(told))
    for number, total in enumerate(cells.counts[splits]):
        own = place == number
        likely[own] = _shared(told[own], float(total), deviation)
    kept = likely > 0
    parts = [
        np.concatenate([a, b[kept]])
        for a, b in ((stay.lows, cut.lows), (stay.highs, cut.highs), (stay.counts, likely))
    ]
    order = np.argsort(parts[0], kind="stable")
    return Cells(*(part[order] for part in parts))


def _shared(told: Floats, total: float, deviation: float) -> Floats:
    """What the parts of a cell hold: those that stand out what they say, others all the same."""
    if total >= FULL * deviation * len(told):
        return on_simplex(told, total)
    certain = told > CERTAIN * deviation
    if not certain.any() or certain.all():
        return np.full(len(told), total / len(told))
    rest = total - float(told[certain].sum())
    if rest < CERTAIN * deviation * np.sqrt(np.count_nonzero(certain) + 1.0):
        # noise explains what is left: no tail is made of it
        rest = 0.0
    found = np.full(len(told), rest / np.count_nonzero(~certain))
    found[certain] = on_simplex(told[certain], total - rest)
    return found


def _cut(lows: Floats, highs: Floats, parts: int, whole: bool) -> Cells:
    """Each of some cells in so many even parts, or in its whole numbers if there are fewer."""
    edges = lows[:, None] + (highs - lows)[:, None] * np.linspace(0.0, 1.0, parts + 1)
    # rounding must not leave the last value outside
    edges[:, -1] = highs
    if whole:
        edges = np.ceil(edges)
    starts, stops = edges[:, :-1].ravel(), edges[:, 1:].ravel()
    kept = stops > starts
    return Cells(starts[kept], stops[kept], np.zeros(int(kept.sum())))


def _graded(whole: bool) -> Cells:
    """Orders of magnitude, in order; empty ones where no whole number lies."""
    ends = np.array([grade_ends(each) for each in range(GRADES)])
    lows, highs = ends[:, 0], ends[:, 1]
    # a cell below zero holds its upper end and not its lower one, one above the reverse
    negative, zero = highs < 0, lows == highs
    if not whole:
        lows = np.where(negative, np.nextafter(lows, 0.0), lows)
        highs = np.where(negative | zero, np.nextafter(highs, np.inf), highs)
        return Cells(lows, highs, np.zeros(len(lows)))
    lows, highs = (
        np.where(negative, lows + 1.0, lows),
        np.where(negative | zero, highs + 1.0, highs),
    )
    fraction = ~zero & (np.maximum(np.abs(ends[:, 0]), np.abs(ends[:, 1])) <= 1.0)
    return Cells(lows, np.where(fraction, lows, highs), np.zeros(len(lows)))


def _after(high: float, whole: bool) -> float:
    return high + 1.0 if whole else float(np.nextafter(high, np.inf))
