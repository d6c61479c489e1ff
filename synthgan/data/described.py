"""What is said of the columns of a codec, in JSON's own types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthgan.data.encoders import Encoder
from synthgan.data.schema import Schema


def described(schema: Schema, encoders: Mapping[str, Encoder], rows: int) -> list[dict[str, Any]]:
    """Say of each column what it is taken for, what comes out of it, and what is hidden.

    Parameters
    ----------
    schema : Schema
        All columns.
    encoders : mapping of str to Encoder
        Those of the columns that are kept.
    rows : int
        How many rows were learned.
    """
    found = []
    for column in schema:
        encoder, about = encoders.get(column.name), column.to_dict()
        if encoder is None:
            found.append(about | {"distinct": 0, "missing": 0.0, "values": "", "hidden": 0})
            continue
        missing = encoder.missing / rows if rows else 0.0
        about |= {"distinct": encoder.distinct, "missing": missing, **encoder.describe()}
        found.append(about | {"hidden": encoder.protected})
    return found
