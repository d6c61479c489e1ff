"""Values, levels and spans of a column as a reader would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from synthgan.evaluation.columns import LevelColumn

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded

_DAY = 86_400


def number_in_words(value: float, kind: Any) -> str:
    """A number of a column.

    Parameters
    ----------
    value : float
        As `NumberColumn` holds it: moments and spans of time in microseconds.
    kind : pyarrow.DataType
        The column's type.

    Examples
    --------
    >>> number_in_words(86_400e6, pa.timestamp("s")), number_in_words(0.123456, pa.float64())
    ('1970-01-02', '0.1235')
    """
    if not pa.types.is_temporal(kind) or not np.isfinite(value):
        return f"{value:.0f}" if value == np.rint(value) and abs(value) < 1e9 else f"{value:.4g}"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moment = str(np.datetime64(int(value), "us").astype("datetime64[s]"))
        return moment.removesuffix("T00:00:00").replace("T", " ")
    seconds = value / 1e6
    if pa.types.is_time(kind):
        return str(np.datetime64(int(seconds), "s"))[-8:]
    return f"{seconds / _DAY:.4g} days" if abs(seconds) >= _DAY else f"{seconds:.4g} seconds"


def level_in_words(coded: Coded, place: int, code: int) -> str:
    """A level of the column at some place, or that it is null."""
    column = coded.columns[place]
    if isinstance(column, LevelColumn) and code < column.size - 2:
        return str(column.levels[code].as_py())
    return "null"


def span_in_words(coded: Coded, place: int, low: float, high: float) -> str:
    """A number column's name and a part of its range."""
    kind = coded.table.schema.field(place).type
    ends = [number_in_words(end, kind) for end in (low, high)]
    name = coded.names[place]
    return f"{name} = {ends[0]}" if ends[0] == ends[1] else f"{name} {ends[0]} to {ends[1]}"
