"""The values of a column that come out one by one, by their place: what relations are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.categories import CategoryEncoder
from synthgan.data.category_conditions import category_condition
from synthgan.data.conditions import number_condition
from synthgan.data.encoders import Encoder
from synthgan.data.levels import places_in
from synthgan.data.numbers import NumberEncoder
from synthgan.data.places import nearest_place
from synthgan.data.ticks import from_ticks, to_ticks


class ShownLevels:
    """The levels of a category that are emitted, most frequent first, then missing.

    Parameters
    ----------
    encoder : CategoryEncoder
        The column's.

    Attributes
    ----------
    count : int
        How many values are shown, missing being one.
    null : int or None
        The place of missing, the last one; None where no cell was.
    whole : bool
        Whether nothing else comes out.
    """

    def __init__(self, encoder: CategoryEncoder) -> None:
        self.encoder, self.column = encoder, encoder.column
        self.count, self.whole = len(encoder.levels) + (encoder.missing > 0), True
        self.null = len(encoder.levels) if encoder.missing else None

    @property
    def discrete(self) -> bool:
        """Whether a code stands for one value."""
        return not self.encoder.buckets

    @property
    def is_scalar(self) -> bool:
        """Whether networks see values as a number."""
        return False

    def places(self, array: pa.Array, *, nearest: bool = False) -> np.ndarray:
        """The place of each cell, of shape (rows,); -1 where its value is not emitted."""
        places = places_in(array, self.encoder.levels)
        if self.null is not None and array.null_count:
            places = np.where(np.asarray(array.is_null()), self.null, places)
        return places

    def take(self, places: np.ndarray) -> pa.Array:
        """The values at places, in the column's type."""
        return self.encoder.take(places)

    def chosen(self, wanted: Any) -> np.ndarray:
        """Which places meet a condition, of shape (count,).

        Raises
        ------
        ConditionError
            As `category_condition` does.
        """
        levels, null = category_condition(self.encoder, wanted)
        return np.append(levels, null)[: self.count]


class ShownTicks:
    """Values of a number that have an option or an atom of their own, in order, then missing.

    Parameters
    ----------
    encoder : NumberEncoder
        The column's.

    Attributes
    ----------
    values : ndarray of shape (values,)
        Ticks.
    count, null, whole
        As of `ShownLevels`.
    """

    def __init__(self, encoder: NumberEncoder) -> None:
        self.encoder, self.column = encoder, encoder.column
        self.values = encoder.shown
        self.count = len(self.values) + (encoder.missing > 0)
        self.whole = encoder.ranks is None or encoder.ranks.discrete
        self.null = len(self.values) if encoder.missing else None

    @property
    def discrete(self) -> bool:
        """Whether nothing else comes out, and each value as it was learned, to the last bit."""
        if not self.whole:
            return False
        made = from_ticks(self.encoder.rounding.round(self.values), self.encoder.type)
        back = self.places(made)
        return bool((back == np.arange(len(back))).all())

    @property
    def is_scalar(self) -> bool:
        """Whether networks see values as a number, but for a few that are options."""
        return self.encoder.ranks is not None

    def places(self, array: pa.Array, *, nearest: bool = False) -> np.ndarray:
        """The place of each cell, of shape (rows,).

        A value that is not emitted has -1, or the place of the `nearest` one.
        """
        ticks, present = to_ticks(array)
        ticks = self.encoder.rounding.coarsen(ticks)
        if not len(self.values):
            places = np.full(len(ticks), -1)
        elif nearest:
            places = nearest_place(self.values, ticks)
        else:
            places = np.searchsorted(self.values, ticks)
            places[self.values.take(places, mode="clip") != ticks] = -1
        if present is not None:
            places[~present] = -1 if self.null is None else self.null
        return places

    def take(self, places: np.ndarray) -> pa.Array:
        """The values at places, in the column's type."""
        missing = None if self.null is None else places == self.null
        if not len(self.values):
            return pa.nulls(len(places), self.encoder.type)
        if missing is not None and not missing.any():
            missing = None
        return from_ticks(self.values.take(places, mode="clip"), self.encoder.type, missing)

    def chosen(self, wanted: Any) -> np.ndarray:
        """Which places meet a condition, of shape (count,).

        Raises
        ------
        ConditionError
            As `number_condition` does.
        """
        asked, spikes = number_condition(self.encoder, wanted), self.encoder.spikes
        if asked.values is not None:
            chosen = np.isin(self.values, asked.values)
        elif asked.ranks is not None:
            chosen = (self.values >= asked.low) & (self.values <= asked.high)
        else:
            chosen = np.zeros(len(self.values), dtype=bool)
        chosen[np.searchsorted(self.values, spikes)] = asked.options[: len(spikes)]
        if self.null is None:
            return chosen
        return np.append(chosen, asked.options[-1])


Shown = ShownLevels | ShownTicks


def shown_of(encoder: Encoder) -> Shown | None:
    """The values that an encoder shows; None for identifiers, which are made anew.

    Examples
    --------
    >>> from synthgan.data.schema import Column
    >>> from synthgan.data.summaries import summarise
    >>> town = pa.array(["Ulm", "Bonn", "Ulm"], pa.large_string())
    >>> column = Column("town", "category", "large_string", "text")
    >>> shown = shown_of(CategoryEncoder.build(column, summarise(town), 1))
    >>> shown.places(town), shown.take(np.array([1])).to_pylist()
    (array([0, 1, 0]...), ['Bonn'])
    """
    if isinstance(encoder, CategoryEncoder):
        return ShownLevels(encoder)
    return ShownTicks(encoder) if isinstance(encoder, NumberEncoder) else None
