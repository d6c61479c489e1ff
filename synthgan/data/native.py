"""What one column was in the caller's own table, and its way back to that Arrow type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.arrow_types import array_from_json, array_to_json, type_from_text
from synthgan.errors import TableError


class RefusedColumn(TableError):
    """A column that cannot be learned; the message says what it holds and what to do."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The declared levels of a categorical column, in order.

    Parameters
    ----------
    values : pyarrow.Array
        Canonical values.
    dtype : str
        How the caller's frame holds the levels themselves.
    unused : tuple of int
        Positions of the levels that no row had.
    """

    values: pa.Array
    dtype: str = ""
    unused: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict."""
        return {
            "type": str(self.values.type),
            "values": array_to_json(self.values),
            "dtype": self.dtype,
            "unused": list(self.unused),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Levels:
        """Return the levels that `to_dict` described."""
        values = array_from_json(plain["values"], type_from_text(plain["type"]))
        return cls(values, plain["dtype"], tuple(plain["unused"]))

    def without(self, kept: pa.Array) -> Levels:
        """Return the levels that are kept or that no row had."""
        stays = np.asarray(pc.is_in(self.values, value_set=kept.cast(self.values.type)))
        unused = np.zeros(len(stays), dtype=bool)
        unused[list(self.unused)] = True
        places = np.flatnonzero(stays | unused)
        return Levels(
            self.values.take(pa.array(places)),
            self.dtype,
            tuple(np.flatnonzero(unused[places]).tolist()),
        )

    def codes(self, array: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
        """Return 32-bit codes of the values and the levels, new values appended."""
        levels = self.values
        dense = plain_values(array).cast(levels.type)
        new = dense.unique().drop_null()
        new = new.filter(pc.invert(pc.is_in(new, value_set=levels)))
        if len(new):
            levels = pa.concat_arrays([levels, new])
        codes = pc.index_in(dense, value_set=levels)
        return joined(codes), levels


@dataclass(frozen=True, slots=True)
class NativeColumn:
    """One column of the caller's table.

    Parameters
    ----------
    name : str
        The column's name in every Arrow table.
    type : str
        The Arrow type that the caller's column had, as text.
    dtype : str
        What the Arrow type does not say of a pandas, polars or numpy column.
    null : str
        How the caller wrote a null: "null", "none", "nan", "NA" or "NaT".
    nullable : bool
        False if an Arrow field was declared to hold no nulls.
    levels : Levels, optional
        Declared levels of a categorical.
    """

    name: str
    type: str
    dtype: str = ""
    null: str = "null"
    nullable: bool = True
    levels: Levels | None = None

    @property
    def is_guessed(self) -> bool:
        """Whether the type was read off the values: Python objects have none of their own."""
        return self.dtype.startswith("object/")

    def without_facts(self, found: pa.DataType | None, levels: pa.Array | None) -> NativeColumn:
        """Return the column as its type says it is, or as another type does, whatever it held."""
        changed = replace(self, null="none" if self.is_guessed else self.null)
        if not self.dtype:
            changed = replace(changed, null="null")
        if self.levels is not None:
            shown = self.levels.values[:0] if levels is None else levels
            kept = Levels(shown.cast(self.levels.values.type), self.levels.dtype)
            changed = replace(changed, levels=kept)
        if found is None:
            return changed
        sort = "int" if pat.is_integer(found) else "float"
        dtype = f"object/{sort}" if self.is_guessed else self.dtype
        return replace(changed, type=str(found), dtype=dtype)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict."""
        return {
            "name": self.name,
            "type": self.type,
            "dtype": self.dtype,
            "null": self.null,
            "nullable": self.nullable,
            "levels": None if self.levels is None else self.levels.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> NativeColumn:
        """Return the column that `to_dict` described."""
        levels = plain["levels"]
        return cls(**{**plain, "levels": None if levels is None else Levels.from_dict(levels)})

    def to_native_type(self, array: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return a canonical column in the Arrow type of the caller's."""
        target = type_from_text(self.type)
        if pat.is_dictionary(target):
            return self._to_dictionary(array, target)
        if pat.is_null(target):
            gone = pa.chunked_array([pa.nulls(len(array))])
            return gone if array.null_count == len(array) else array
        array = plain_values(array)
        array = array if array.type == target else array.cast(target)
        if self.null == "nan" and pat.is_floating(target) and not pat.is_float16(target):
            array = pc.fill_null(array, float("nan"))
        return array

    def _to_dictionary(self, array: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
        if self.levels is not None:
            codes, values = self.levels.codes(array)
        else:
            encoded = joined(plain_values(array).dictionary_encode())
            codes, values = encoded.indices, encoded.dictionary
        room = np.iinfo(target.index_type.to_pandas_dtype()).max
        index = target.index_type if len(values) <= room + 1 else pa.int32()
        made = pa.DictionaryArray.from_arrays(
            codes.cast(index), values.cast(target.value_type), ordered=target.ordered
        )
        return pa.chunked_array([made])


def plain_values(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values themselves of a dictionary-encoded column; others stay as they are."""
    return array.cast(array.type.value_type) if pat.is_dictionary(array.type) else array


def joined(array: pa.ChunkedArray) -> pa.Array:
    """Return the column as one array."""
    made = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(made, pa.ChunkedArray):
        return made.chunk(0) if made.num_chunks else pa.array([], type=made.type)
    return made
