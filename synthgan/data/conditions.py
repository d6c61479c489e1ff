"""A condition on a number: which options and ranks it allows, and the exact values in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synthgan.data.places import nearest_place
from synthgan.data.problems import listed
from synthgan.data.ticks import range_ticks, tick_text, value_ticks
from synthgan.data.wanted import Chosen, Wanted, read_wanted
from synthgan.errors import ConditionError

if TYPE_CHECKING:
    from synthgan.data.numbers import NumberEncoder

# One value of a continuous column is met by ranks within this width, which are then made exact.
LEAST_WIDTH = 0.002
# Ranks this little outside a condition got there by rounding.
_NEAR = 1e-4
# Intervals this near to each other are one for networks, whose numbers are singles.
_TOUCHING = 1e-8


@dataclass(frozen=True, eq=False)
class AllowedRanks:
    """Ranks that a condition allows: one interval for a range, one for each value of a list.

    Attributes
    ----------
    lows, highs : ndarray of shape (intervals,)
        Ranks, in order, that are wide enough to be met; they may overlap.
    firsts, lasts : ndarray of shape (intervals,)
        Ranks that truly give the values wanted, inside the others.
    """

    lows: np.ndarray
    highs: np.ndarray
    firsts: np.ndarray
    lasts: np.ndarray

    @classmethod
    def of(cls, encoder: NumberEncoder, lows: np.ndarray, highs: np.ndarray) -> AllowedRanks:
        """The ranks that give values in [low, high] of each pair, in order."""
        assert encoder.ranks is not None
        pairs = ((lows[at : at + 1], highs[at : at + 1]) for at in range(len(lows)))
        true = np.array([encoder.ranks.interval(*pair) for pair in pairs]).reshape(-1, 2)
        width = true[:, 1] - true[:, 0]
        firsts = true[:, 0]
        lasts = true[:, 1] - 1e-9 * width  # stops short of the next atom
        half = LEAST_WIDTH / 2
        middle = np.clip((true[:, 0] + true[:, 1]) / 2, half, 1 - half)
        narrow = (width < LEAST_WIDTH) & (not encoder.ranks.discrete)
        return cls(
            np.where(narrow, middle - half, firsts),
            np.where(narrow, middle + half, lasts),
            firsts,
            lasts,
        )

    @property
    def width(self) -> float:
        """How wide they are together."""
        return float((self.highs - self.lows).sum())

    def apart(self) -> list[tuple[float, float]]:
        """The intervals, put together where they overlap or touch."""
        merged: list[tuple[float, float]] = []
        for low, high in zip(self.lows.tolist(), self.highs.tolist(), strict=True):
            if merged and low <= merged[-1][1] + _TOUCHING:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return merged

    def spread(self, draw: np.ndarray) -> np.ndarray:
        """Uniform numbers in [0, 1) spread evenly over the intervals."""
        ends = np.cumsum(self.highs - self.lows)
        at = np.searchsorted(ends[:-1], draw * ends[-1], side="right")
        return np.asarray(self.highs[at] - (ends[at] - draw * ends[-1]))

    def force(self, rank: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Ranks moved into the nearest interval, and on to what truly gives its values."""
        at = np.searchsorted((self.lasts[:-1] + self.firsts[1:]) / 2, rank, side="right")
        low, high = self.lows[at], self.highs[at]
        far = np.flatnonzero((rank < low - _NEAR) | (rank > high + _NEAR))
        rank[far] = low[far] + rng.random(len(far)) * (high[far] - low[far])
        rank = np.clip(rank, low, high)
        first, last = self.firsts[at], self.lasts[at]
        # where nothing was widened, ranks stay as they are to the last bit
        narrow = (first != low) | (last != high)
        share = np.divide(rank - low, high - low, out=np.zeros(len(rank)), where=narrow)
        return np.where(narrow, first + share * (last - first), rank)


@dataclass(frozen=True, eq=False)
class NumberCondition:
    """What a condition allows of one column.

    Attributes
    ----------
    options : ndarray of bool
        Spikes in order, then the rest if there is one, then missing if that occurs.
    ranks : AllowedRanks or None
        Allowed ranks of the rest; None where the rest is not allowed.
    low, high : number or None
        Allowed ticks of the rest, where a range is wanted.
    values : ndarray or None
        Allowed ticks of the rest, where values are wanted.
    """

    options: np.ndarray
    ranks: AllowedRanks | None = None
    low: Any = None
    high: Any = None
    values: np.ndarray | None = None

    def force(
        self,
        encoder: NumberEncoder,
        codes: np.ndarray | None,
        rank: np.ndarray | None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Codes and ranks moved into the condition; those inside stay as they are."""
        if codes is not None:
            codes = codes.copy()
            wrong = np.flatnonzero(~self.options.take(codes, mode="clip") | (codes < 0))
            if len(wrong):
                drawn = self._redraw(encoder, codes, wrong, rng)
                if rank is not None:
                    rank[wrong] = drawn
        if rank is not None and self.ranks is not None:
            rank = self.ranks.force(rank, rng)
        return codes, rank

    def _redraw(
        self,
        encoder: NumberEncoder,
        codes: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Give rows options that are allowed, by frequency, and return ranks that are."""
        known = len(encoder.spikes) + (encoder.ranks is not None)
        weights = np.zeros(len(encoder.spikes) + 1)
        weights[:known] = self.options[:known]
        if not weights.any():
            codes[rows] = encoder.null
            return np.zeros(len(rows))
        if self.ranks is not None:
            weights[-1] *= self.ranks.width
        codes[rows], drawn = encoder.draw(len(rows), rng, weights)
        return drawn if self.ranks is None else self.ranks.spread(drawn)

    def snap(self, ticks: np.ndarray) -> None:
        """Move values of the rest, in place, to the nearest one allowed."""
        if self.values is not None:
            ticks[:] = self.values[nearest_place(self.values, ticks)]
        elif self.low is not None:
            np.clip(ticks, self.low, self.high, out=ticks)


def number_condition(encoder: NumberEncoder, wanted: Any) -> NumberCondition:
    """Read a condition on a column of numbers.

    Raises
    ------
    ConditionError
        If nothing that was learned meets it, or part of it cannot be met.
    """
    if isinstance(wanted, Chosen):
        return _chosen(encoder, wanted)
    name = encoder.column.name
    asked = read_wanted(name, wanted, ranges=True)
    null = np.zeros(int(encoder.null is not None), dtype=bool)
    if asked.null:
        if encoder.null is None and encoder.learned is not None:
            raise ConditionError(f"column {name!r}: no cell was missing, so none can be drawn")
        null[:] = True
    if asked.values == ():
        others = np.zeros(len(encoder.spikes) + (encoder.ranks is not None), dtype=bool)
        return NumberCondition(np.append(others, null))
    if encoder.learned is None:
        raise ConditionError(f"column {name!r}: every cell is missing; only None can be drawn")
    try:
        if asked.values is not None:
            return _values(encoder, asked, null)
        return _range(encoder, wanted, asked, null)
    except ConditionError:
        raise
    except ValueError as error:
        raise ConditionError(f"column {name!r}: {error}") from None


def _values(encoder: NumberEncoder, asked: Wanted, null: np.ndarray) -> NumberCondition:
    assert asked.values is not None
    ticks = value_ticks(asked.values, encoder.type)
    problems = [
        _unknown(encoder, value, tick)
        for value, tick in zip(asked.values, ticks, strict=True)
        if not _comes_out(encoder, tick)
    ]
    if problems:
        raise ConditionError(listed(f"column {encoder.column.name!r}", problems))
    return _of_ticks(encoder, np.array(sorted(set(ticks)), dtype=encoder.spikes.dtype), null)


def _chosen(encoder: NumberEncoder, wanted: Chosen) -> NumberCondition:
    """A condition on places among the values that are shown."""
    null = np.full(int(encoder.null is not None), wanted.null)
    return _of_ticks(encoder, encoder.shown[wanted.values], null)


def _of_ticks(encoder: NumberEncoder, chosen: np.ndarray, null: np.ndarray) -> NumberCondition:
    """A condition that wants any of some values, in order."""
    options = np.isin(encoder.spikes, chosen)
    if encoder.ranks is None:
        return NumberCondition(np.concatenate([options, null]))
    rest = chosen[~np.isin(chosen, encoder.spikes)]
    options = np.concatenate([options, [len(rest) > 0], null])
    if not len(rest):
        return NumberCondition(options)
    return NumberCondition(options, AllowedRanks.of(encoder, rest, rest), values=rest)


def _comes_out(encoder: NumberEncoder, tick: Any) -> bool:
    """Say whether a value can come out."""
    low, high = (end.item() for end in encoder.support)
    if not low <= tick <= high:
        return False
    value = np.array([tick], dtype=encoder.spikes.dtype)
    if (encoder.spikes == value).any():
        return True
    if encoder.ranks is None:
        return False
    place = int(encoder.ranks.places(value)[0])
    if place % 2:
        return bool(encoder.ranks.emitted[place // 2])
    return encoder.ranks.is_between(value) and bool(encoder.rounding.fits(value)[0])


def _range(encoder: NumberEncoder, wanted: Any, asked: Wanted, null: np.ndarray) -> NumberCondition:
    low, high = range_ticks((asked.low, asked.high), encoder.type)
    first, last = (end.item() for end in encoder.support)
    if low is not None and high is not None and low > high:
        raise ConditionError(
            f"column {encoder.column.name!r}: expected low <= high, found {wanted!r}"
        )
    if (low is not None and low > last) or (high is not None and high < first):
        raise ConditionError(_nothing(encoder, wanted))
    low = first if low is None else max(low, first)
    high = last if high is None else min(high, last)
    options = (encoder.spikes >= low) & (encoder.spikes <= high)
    if encoder.ranks is None:
        condition = NumberCondition(np.concatenate([options, null]))
    else:
        condition = _rest_range(encoder, options, null, *encoder.rounding.inside(low, high))
    if not condition.options[: len(encoder.spikes) + 1].any():
        raise ConditionError(_nothing(encoder, wanted))
    return condition


def _rest_range(
    encoder: NumberEncoder, options: np.ndarray, null: np.ndarray, low: Any, high: Any
) -> NumberCondition:
    assert encoder.ranks is not None
    ends = np.array([low, high], dtype=encoder.spikes.dtype)
    first, second = encoder.ranks.interval(ends[:1], ends[1:])
    inside = low <= high and (second > first or encoder.ranks.is_between(ends[:1]))
    options = np.concatenate([options, [inside], null])
    if not inside:
        return NumberCondition(options)
    ranks = AllowedRanks.of(encoder, ends[:1], ends[1:])
    return NumberCondition(options, ranks, ends[0], ends[1])


def _nothing(encoder: NumberEncoder, wanted: Any) -> str:
    low, high = (tick_text(end, encoder.type) for end in encoder.support)
    return (
        f"column {encoder.column.name!r}: nothing that was learned lies in {wanted!r}; values go "
        f"from {low} to {high}"
    )


def _unknown(encoder: NumberEncoder, value: Any, tick: Any) -> str:
    low, high = (tick_text(end, encoder.type) for end in encoder.support)
    known = encoder.spikes
    if encoder.ranks is not None:
        known = np.unique(np.append(known, encoder.ranks.points[encoder.ranks.atoms]))
    text = f"{value!r} was not learned (never seen, or too rare to be shown)"
    if not len(known):
        return f"{text}; values go from {low} to {high}"
    order = np.argsort(np.abs(known.astype(np.float64) - float(tick)), kind="stable")[:2]
    near = " and ".join(tick_text(known[at], encoder.type) for at in np.sort(order))
    return f"{text}; values go from {low} to {high}, the nearest are {near}"
