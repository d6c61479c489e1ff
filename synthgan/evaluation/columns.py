"""One column of the real table, prepared so that any number of synthetic ones can be held to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthgan.errors import TableError

BINS = 10
# A level of fewer real rows than this is rare, in tables of at least 400 rows.
RARE_ROWS = 5

Array = Any  # pa.ChunkedArray; pyarrow has no types
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


def is_number_type(kind: Any) -> bool:
    """Whether an Arrow type is a number to the metrics: numeric, a moment or a span of time."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _tick_type(kind: Any) -> Any | None:
    """The type in microseconds that stands for moments, spans or times of day; None for others."""
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pa.timestamp("us", tz=getattr(kind, "tz", None))
    if pa.types.is_duration(kind):
        return pa.duration("us")
    return pa.time64("us") if pa.types.is_time(kind) else None


def _comparable(first: Any, second: Any) -> bool:
    """Whether two types are of one family; nulls are of any."""
    if pa.types.is_null(first) or pa.types.is_null(second):
        return True
    families = [None if tick is None else tick.id for tick in map(_tick_type, (first, second))]
    return families[0] == families[1]


def _moments(text: Array, kind: Any) -> Array:
    """Text as moments or times; without an offset it is UTC's, as moments without a zone are."""
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        with suppress(pa.ArrowInvalid):
            return text.cast(pa.timestamp(kind.unit))
    return text.cast(kind)


def _decoded(array: Array) -> Array:
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def as_floats(array: Array) -> Floats:
    """A number column as float64, NaN where it is null.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
        When the column holds something that is no number.
    """
    array = _decoded(array)
    ticks = _tick_type(array.type)
    if ticks is not None:
        array = array.cast(ticks, safe=False).cast(pa.int64())
    array = array.cast(pa.float64(), safe=False)
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def from_floats(values: Floats, kind: Any) -> Array:
    """Numbers as a column of an Arrow type, NaN as null: the way back from `as_floats`."""
    null = np.isnan(values)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array(values, mask=null).cast(kind, safe=False)
    if pa.types.is_integer(kind):
        return pa.array(_clipped(values, kind.to_pandas_dtype()), type=kind, mask=null)
    whole = pa.array(_clipped(values, np.int64), mask=null)
    ticks = _tick_type(kind)
    return (whole if ticks is None else whole.cast(ticks)).cast(kind, safe=False)


def _clipped(values: Floats, kind: Any) -> NDArray[Any]:
    """Rounded to whole numbers of a type, 0 for NaN; what lies beyond its range at its ends."""
    ends = np.iinfo(kind)
    # The largest 64-bit numbers are no floats: the next smaller float is.
    highest = float(ends.max)
    highest = highest if highest <= ends.max else float(np.nextafter(highest, 0))
    return np.clip(np.rint(np.nan_to_num(values)), ends.min, highest).astype(kind)


def _plain(array: Array) -> Array:
    """One contiguous array without a dictionary, NaN as null."""
    array = _decoded(array).combine_chunks()
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array


def as_levels(array: Array, like: Any | None = None) -> Array:
    """A category column as text; read as the type `like` before, where it can be."""
    array = _plain(array)
    if like is None or array.type == like:
        return array.cast(pa.large_string())
    if pa.types.is_floating(array.type) and pa.types.is_integer(like):
        array = pc.round(array)
    with suppress(pa.ArrowNotImplementedError):
        try:
            array = array.cast(like, safe=False)
        except pa.ArrowInvalid:
            encoded = array.dictionary_encode()
            return _level_by_level(encoded.dictionary, like).take(encoded.indices)
    return array.cast(pa.large_string())


def _level_by_level(levels: Array, like: Any) -> Array:
    """As `as_levels`; what cannot be read as the real column's type is the text it is."""
    text = levels.cast(pa.large_string()).to_pylist()
    for place, level in enumerate(levels):
        with suppress(pa.ArrowInvalid):
            text[place] = level.cast(like, safe=False).cast(pa.large_string()).as_py()
    return pa.array(text, pa.large_string())


def total_variation(first: Floats, second: Floats) -> float:
    """Half the sum of differences of two lists of shares; never above 1, whatever the rounding."""
    return min(float(np.abs(first - second).sum() / 2), 1.0)


def cell_shares(cells: Codes, size: int) -> Floats:
    """Share of each of `size` cells in a list of them."""
    return np.bincount(cells, minlength=size) / len(cells)


def cell_variation(real: Codes, found: Codes, size: int, *, dense: int) -> float:
    """Total variation between two lists of cells; of more than `dense`, over those that occur."""
    if size > dense:
        places: Codes = np.unique(np.concatenate([real, found]), return_inverse=True)[1]
        real, found, size = places[: len(real)], places[len(real) :], int(places.max()) + 1
    return total_variation(cell_shares(real, size), cell_shares(found, size))


def _edges(values: Floats) -> Floats:
    """Edges of equal-width bins over sorted values; none where there is no value."""
    if not len(values):
        return np.empty(0)
    # Halved, because the width of the whole range may be more than a float can say.
    return 2 * np.linspace(values[0] / 2, values[-1] / 2, BINS + 1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A synthetic column as the metrics need it.

    Attributes
    ----------
    codes : array of int64 of shape (n_rows,)
        The contingency tables' row: bin or level, then null, then what the real column never held.
    values : array of float64 of shape (n_rows,) or None
        The numbers themselves, NaN where null; None for a category.
    """

    codes: Codes
    values: Floats | None

    def counts(self, size: int) -> Codes:
        """Rows of each bin or level, then of null; `size` is the column's, whose last is unseen."""
        return np.bincount(self.codes, minlength=size)[: size - 1]


class NumberColumn:
    """A real column of numbers, moments or spans of time.

    Parameters
    ----------
    name : str
        Its name, for errors.
    array : pyarrow.ChunkedArray
        The real values.
    """

    is_number = True
    size = BINS + 2

    def __init__(self, name: str, array: Array) -> None:
        self.name = name
        array = _decoded(array)
        self.type = array.type
        values = as_floats(array)
        present = values[~np.isnan(values)]
        self.unique, counts = np.unique(present, return_counts=True)
        self.cumulative = np.concatenate([[0.0], np.cumsum(counts) / max(len(present), 1)])
        self.has_null = len(present) < len(values)
        temporal = pa.types.is_temporal(array.type)
        self.whole = not temporal and bool((np.rint(self.unique) == self.unique).all())
        self.edges = _edges(self.unique)
        self.real = Prepared(self._bins(values), values)

    def prepare(self, array: Array) -> Prepared:
        """Bin a synthetic column; whole numbers are rounded where the real ones are whole.

        Raises
        ------
        TableError
            When the synthetic column holds no numbers, or moments where the real one holds spans.
        """
        try:
            values = as_floats(self._read(array))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            wanted = "moments or times" if pa.types.is_temporal(self.type) else "numbers"
            raise TableError(
                f"column {self.name!r}: expected {wanted} ({self.type}) as in the real table, "
                f"found {array.type} that cannot be read as such"
            ) from error
        if self.whole:
            values = np.rint(values)
        return Prepared(self._bins(values), values)

    def _read(self, array: Array) -> Array:
        array = _decoded(array)
        if pa.types.is_temporal(self.type) and _is_text(array.type):
            return _moments(array, self.type)
        if not _comparable(array.type, self.type):
            raise pa.ArrowInvalid(f"{array.type} cannot be compared with {self.type}")
        return array

    def _bins(self, values: Floats) -> Codes:
        """Equal-width bins over the real range, the outer ones open; BINS is null."""
        if len(self.edges):
            bins = np.clip(np.searchsorted(self.edges, values, side="right") - 1, 0, BINS - 1)
        else:
            bins = np.full(len(values), BINS + 1)
        return np.where(np.isnan(values), BINS, bins).astype(np.int64)

    def error(self, synthetic: Prepared) -> float:
        """Kolmogorov-Smirnov distance, nulls dropped; 1 where only one side has a value."""
        assert synthetic.values is not None
        found = np.sort(synthetic.values[~np.isnan(synthetic.values)])
        if not len(found) or not len(self.unique):
            return float(len(found) != len(self.unique))
        at_found = self.cumulative[np.searchsorted(self.unique, found, side="right")]
        last = np.searchsorted(found, found, side="right") / len(found)
        at_real = np.searchsorted(found, self.unique, side="right") / len(found)
        return float(
            max(np.abs(at_found - last).max(), np.abs(self.cumulative[1:] - at_real).max())
        )


def _spelt_like(real: Array, found: Array) -> Array:
    """Truth values, which Arrow spells small, in the spelling of the real levels."""
    spelling = {str(level).lower(): level for level in real.to_pylist()}
    for word in ("true", "false"):
        found = pc.replace_substring(found, word, spelling.get(word, word))
    return found


class LevelColumn:
    """A real column of categories: text, booleans, whatever is no number.

    Parameters
    ----------
    name : str
        Its name, for errors.
    array : pyarrow.ChunkedArray
        The real values.
    """

    is_number = False

    def __init__(self, name: str, array: Array) -> None:
        self.name = name
        self.type = _plain(array.slice(0, 0)).type
        encoded = as_levels(array).dictionary_encode()
        self.levels = encoded.dictionary
        self.size = len(self.levels) + 2
        codes = encoded.indices.fill_null(len(self.levels)).to_numpy(zero_copy_only=False)
        self.real = Prepared(codes.astype(np.int64), None)
        self.counts = np.bincount(self.real.codes, minlength=self.size)
        self.shares = self.counts / max(len(codes), 1)

    def common_levels(self, most: int, others: Codes | None = None) -> Codes:
        """Codes of the most frequent levels, at most so many and none that is rare, in order.

        What fresh rows hold and the real table does not is, in the mean, as much as the real
        table's own rare levels (Good, Biometrika 1953). So whoever lumps unseen levels together
        must add the rare ones to them: else fresh rows differ from real ones by them alone.

        Parameters
        ----------
        most : int
            How many, at most.
        others : array of int64, optional
            Codes of other real rows, which count as much: levels that are common by chance in the
            one table only would tell the two apart.
        """
        counts = self.counts
        if others is not None:
            counts = counts + np.bincount(others, minlength=self.size)
        least = min(RARE_ROWS, 1 + int(counts.sum()) // 100)
        counts = counts[: self.size - 2]
        frequent = np.argsort(-counts, kind="stable")[:most]
        return np.sort(frequent[counts[frequent] >= least])

    def prepare(self, array: Array) -> Prepared:
        """Code a synthetic column by the real levels; null and unseen levels have their own codes.

        All unseen levels share a code: the real share of each is zero, so that the total variation
        is the same as if they were kept apart.
        """
        levels = self._read(array)
        codes = pc.index_in(levels, value_set=self.levels).fill_null(len(self.levels) + 1)
        codes = pc.if_else(levels.is_null(), len(self.levels), codes)
        return Prepared(codes.to_numpy(zero_copy_only=False).astype(np.int64), None)

    def keys(self, array: Array) -> NDArray[np.uint64]:
        """A number for each cell, equal where levels are equal, those the real table lacks too."""
        encoded = self._read(array).dictionary_encode()
        hashes = [
            int.from_bytes(blake2b(level.encode(), digest_size=8).digest(), "little")
            for level in encoded.dictionary.to_pylist()
        ]
        places = encoded.indices.fill_null(len(hashes)).to_numpy(zero_copy_only=False)
        keys: NDArray[np.uint64] = np.array([*hashes, 0], dtype=np.uint64)[places]
        return keys

    def _read(self, array: Array) -> Array:
        levels = as_levels(array, like=self.type)
        if pa.types.is_boolean(array.type) and not pa.types.is_boolean(self.type):
            levels = _spelt_like(self.levels, levels)
        return levels

    def error(self, synthetic: Prepared) -> float:
        """Total variation distance, null being a level of its own."""
        found = np.bincount(synthetic.codes, minlength=self.size) / len(synthetic.codes)
        return total_variation(self.shares, found)
