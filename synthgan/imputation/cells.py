"""A table's cells as plain numbers with holes, as codes with holes, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.data.arrow_types import is_number
from synthgan.data.categories import CategoryEncoder
from synthgan.data.codec import TableCodec
from synthgan.data.identifiers import IdEncoder
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.numbers import NumberEncoder
from synthgan.data.summaries import one_array
from synthgan.data.ticks import from_ticks, tick_dtype, to_ticks

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def learn_cells(table: pa.Table, overrides: Mapping[str, Any] | None = None) -> Cells:
    """Learn the columns of a table whose cells go back into it: nothing is hidden for being rare.

    Numbers that look like identifiers are told as numbers, unless the user said what they are. Text
    that is one tells nothing and cannot be told; it is in the schema and not among the cells.
    """
    codec = TableCodec.fit([table], overrides=overrides, rare_threshold=1)
    said = set() if overrides is None else _named(overrides)
    numbers = {
        each.column.name: "number"
        for each in codec.encoders
        if isinstance(each, IdEncoder) and is_number(each.type) and each.column.name not in said
    }
    if numbers:
        overrides = {**(overrides or {}), **numbers}
        codec = TableCodec.fit([table], overrides=overrides, rare_threshold=1)
    told = [each for each in codec.encoders if not isinstance(each, IdEncoder)]
    return Cells(TableCodec(codec.schema, told, codec.rare_threshold, codec.rows))


def _named(overrides: Any) -> set[str]:
    """The columns of which the user said what they are: of a schema, all."""
    return set(getattr(overrides, "names", overrides))


class Cells:
    """The columns of a codec that can be told from others and tell of them.

    Numbers are their own value (dates in ticks), categories the number of their option; NaN is a
    hole, and so is a category that the codec does not know.

    Parameters
    ----------
    codec : TableCodec
        One that keeps no relations: each column has codes of its own.

    Attributes
    ----------
    names : list of str
        Columns that have codes, in the order of the layout.
    categorical : ndarray of bool of shape (columns,)
        Which of them are categories.
    options : ndarray of shape (columns,)
        Options of a category that are no null; 0 for numbers.
    """

    def __init__(self, codec: TableCodec) -> None:
        self.codec, self.layout = codec, codec.layout
        self.names = list(dict.fromkeys(span.column for span in codec.layout.spans))
        known = {encoder.column.name: encoder for encoder in codec.coded}
        self.encoders = [known[name] for name in self.names]
        self.categorical = np.array([isinstance(e, CategoryEncoder) for e in self.encoders], bool)
        self.options = np.array(
            [
                len(each.firsts) if isinstance(each, CategoryEncoder) else 0
                for each in self.encoders
            ],
            dtype=np.int64,
        )

    @property
    def nulls(self) -> Mask:
        """Which options stand for a missing cell, of shape (n_options,)."""
        found = np.zeros(self.layout.n_options, dtype=bool)
        for choice, span in enumerate(self.layout.choices):
            null = self.encoders[self.names.index(span.column)].null
            if null is not None:
                found[self.layout.choice_offsets[choice] + null] = True
        return found

    def floats(self, table: pa.Table) -> Floats:
        """The cells of shape (rows, columns)."""
        found = np.full((table.num_rows, len(self.names)), np.nan)
        for number, encoder in enumerate(self.encoders):
            array = one_array(table.column(self.names[number]))
            if isinstance(encoder, NumberEncoder):
                ticks, present = to_ticks(array)
                known = slice(None) if present is None else present
                found[known, number] = ticks[known]
            else:
                codes, _ = encoder.encode(array, None)
                assert codes is not None
                known = (codes >= 0) & (codes < self.options[number])
                found[known, number] = codes[known]
        return found

    def codes(self, table: pa.Table, floats: Floats) -> EncodedMatrix:
        """The same cells as codes, -1 and NaN where there is a hole."""
        matrix = self.codec.encode([table], None)
        for number, name in enumerate(self.names):
            hole = np.isnan(floats[:, number])
            choice, scalar = self.layout.column_choice(name), self.layout.column_scalar(name)
            if choice is not None:
                matrix.codes[hole, choice] = -1
            if scalar is not None:
                matrix.scalars[hole, scalar] = np.nan
        return matrix

    def array(self, number: int, values: Floats) -> pa.Array:
        """Numbers of one column as cells of its type, none of them missing."""
        encoder = self.encoders[number]
        if isinstance(encoder, CategoryEncoder):
            return encoder.take(encoder.firsts[values.astype(np.int64)])
        assert isinstance(encoder, NumberEncoder)
        low, high = encoder.support
        dtype = tick_dtype(encoder.type)
        if dtype.kind == "f":
            return from_ticks(np.clip(values, low, high), encoder.type)
        # 64-bit ends may be no floats: clip again once they are whole
        ticks = np.rint(np.clip(values, float(low), float(high)))
        whole = np.clip(encoder.rounding.round(ticks.astype(dtype)), low, high)
        return from_ticks(whole, encoder.type)
