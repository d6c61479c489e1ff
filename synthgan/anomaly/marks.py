"""A table as plain numbers that keep what codes leave out: values beyond those that were learned.

Codes are made to be drawn from, so they end where the learned table ends. A row is judged by what
it really holds: a number far outside is far outside here, and a level that was never seen is known
for one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.data.categories import CategoryEncoder
from synthgan.data.codec import TableCodec
from synthgan.data.levels import places_in
from synthgan.data.numbers import NumberEncoder
from synthgan.data.summaries import one_array
from synthgan.data.ticks import from_ticks, tick_dtype, to_ticks

# levels that have a mark of their own, the most frequent ones; all others share the next one
MOST_LEVELS = 48

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Marks:
    """The columns of a codec that can be odd, as one matrix of floats.

    Numbers, dates and durations are their ticks, categories the place of their level among the most
    frequent ones, everything missing NaN. Levels that are rare, hidden or unseen share one mark.
    Identifiers and dropped columns have none.

    Parameters
    ----------
    codec : TableCodec
        What was learned of the table.

    Attributes
    ----------
    names : tuple of str
        The columns.
    categorical : ndarray of bool of shape (columns,)
        Which of them are categories.
    levels : ndarray of int of shape (columns,)
        How many levels of each have a mark of their own; 0 for numbers.

    Examples
    --------
    >>> table = pa.table({"n": [1.0, 2.0, 3.0, 5.0] * 3, "town": ["Ulm", "Bonn", "Ulm", None] * 3})
    >>> marks = Marks(TableCodec.fit([table], rare_threshold=1))
    >>> marks.of(pa.table({"n": [900.0, None], "town": ["Paris", "Ulm"]})).tolist()
    [[900.0, 2.0], [nan, 0.0]]
    """

    def __init__(self, codec: TableCodec) -> None:
        self._encoders = [
            each for each in codec.encoders if isinstance(each, NumberEncoder | CategoryEncoder)
        ]
        self.names = tuple(each.column.name for each in self._encoders)
        self.levels = np.array([_own_levels(each) for each in self._encoders], dtype=int)
        self.categorical = np.array(
            [isinstance(each, CategoryEncoder) for each in self._encoders], dtype=bool
        )

    def of(self, table: pa.Table) -> Floats:
        """The marks of a table with the learned columns in their types, (rows, columns)."""
        found = np.empty((table.num_rows, len(self.names)))
        for number, name in enumerate(self.names):
            found[:, number] = self._column(number, one_array(table.column(name)))
        return found

    def _column(self, number: int, array: pa.Array) -> Floats:
        encoder = self._encoders[number]
        if isinstance(encoder, NumberEncoder):
            ticks, present = to_ticks(array)
            made = ticks.astype(np.float64)
        else:
            own = int(self.levels[number])
            places = places_in(array, encoder.levels).astype(np.int64)
            made = np.where((places < 0) | (places >= own), own, places).astype(np.float64)
            present = np.asarray(array.is_valid()) if array.null_count else None
        if present is not None:
            made[~present] = np.nan
        return made

    def values(self, number: int, marks: Floats) -> list[Any]:
        """Marks of one column as the values they stand for; None for missing and other levels."""
        encoder, known = self._encoders[number], ~np.isnan(marks)
        if isinstance(encoder, CategoryEncoder):
            known &= marks < self.levels[number]
            places = np.where(known, marks, 0).astype(np.int64)
            shown = encoder.levels.to_pylist()
            return [
                shown[place] if is_known else None
                for place, is_known in zip(places, known, strict=True)
            ]
        kind = encoder.type
        ticks = np.where(known, marks, 0.0)
        if tick_dtype(kind).kind != "f":
            ticks = np.round(ticks)
        ticks = encoder.rounding.round(ticks.astype(tick_dtype(kind)))
        array = from_ticks(ticks, kind, ~known)
        found: list[Any] = array.to_pylist()
        return found


def _own_levels(encoder: NumberEncoder | CategoryEncoder) -> int:
    return min(len(encoder.levels), MOST_LEVELS) if isinstance(encoder, CategoryEncoder) else 0
