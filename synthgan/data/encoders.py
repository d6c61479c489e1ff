"""One final encoder per kind of column, behind one way to build and to restore them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.types as pat

from synthgan.data.categories import CategoryEncoder
from synthgan.data.identifiers import IdEncoder
from synthgan.data.numbers import NumberEncoder
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary

Encoder = NumberEncoder | CategoryEncoder | IdEncoder

_ENCODERS: dict[str, type[NumberEncoder] | type[CategoryEncoder] | type[IdEncoder]] = {
    "number": NumberEncoder,
    "datetime": NumberEncoder,
    "duration": NumberEncoder,
    "category": CategoryEncoder,
    "boolean": CategoryEncoder,
    "id": IdEncoder,
}


def build_encoder(
    column: Column, summary: NumberSummary | LevelSummary, threshold: int
) -> Encoder:
    """Finish a summary into the encoder of the column's kind.

    Raises
    ------
    SchemaError
        If rare-value protection leaves nothing to emit.
    """
    return _ENCODERS[column.kind].build(column, summary, threshold)  # type: ignore[arg-type]


def restore_encoder(
    column: Column, header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> Encoder:
    """The encoder that `to_state` described."""
    return _ENCODERS[column.kind].from_state(column, header, arrays)


def is_dictionary(column: Column) -> bool:
    """Whether the column's own type has a dictionary of levels."""
    return pat.is_dictionary(column.arrow_type)
