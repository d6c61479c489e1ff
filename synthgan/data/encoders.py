"""One final encoder per kind of column, behind one way to build and to restore them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from synthgan.data.categories import CategoryEncoder
from synthgan.data.identifiers import IdEncoder
from synthgan.data.layout import Span
from synthgan.data.numbers import NumberEncoder
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary

__all__ = [
    "CategoryEncoder",
    "Encoder",
    "IdEncoder",
    "NumberEncoder",
    "build_encoder",
    "restore_encoder",
    "spans_of",
]

Encoder = NumberEncoder | CategoryEncoder | IdEncoder

_ENCODERS: dict[str, type[NumberEncoder] | type[CategoryEncoder] | type[IdEncoder]] = {
    "number": NumberEncoder,
    "datetime": NumberEncoder,
    "duration": NumberEncoder,
    "category": CategoryEncoder,
    "boolean": CategoryEncoder,
    "id": IdEncoder,
}


def build_encoder(column: Column, summary: NumberSummary | LevelSummary, threshold: int) -> Encoder:
    """Finish a summary into the encoder of the column's kind.

    Parameters
    ----------
    column : Column
        What the column is.
    summary : NumberSummary or LevelSummary
        Its values.
    threshold : int
        Values in fewer rows are not emitted; 1 switches protection off.

    Raises
    ------
    SchemaError
        If protection leaves nothing to emit.
    """
    return _ENCODERS[column.kind].build(column, summary, threshold)  # type: ignore[arg-type]


def restore_encoder(
    column: Column, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Encoder:
    """Return the encoder that `to_state` described."""
    return _ENCODERS[column.kind].from_state(column, header, arrays)


def spans_of(encoders: Iterable[Encoder]) -> Iterator[Span]:
    """The spans of columns in the order of the table."""
    choices = 0
    for encoder in encoders:
        name = encoder.column.name
        if encoder.options:
            yield Span(name, "choice", encoder.options)
        if encoder.ranks is not None:
            gate = None if encoder.alive is None else (choices, encoder.alive)
            yield Span(name, "scalar", 1, gate)
        choices += bool(encoder.options)
