"""Which columns of a table are compared, as what, and which are left out, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from synthgan.data.blocks import summarise_chunks
from synthgan.data.inference import infer_column
from synthgan.data.schema import Column, Schema, parse_overrides
from synthgan.errors import SchemaError


def infer_roles(table: pa.Table, overrides: Mapping[str, Any] | Schema | None = None) -> Schema:
    """Infer what each column is, as a fit would; free text is left out instead of refused.

    Parameters
    ----------
    table : pyarrow.Table
        The real table, in canonical types.
    overrides : mapping or Schema, optional
        What the user says of single columns: ``{column: kind}`` or ``{column: {kind, ...}}``.

    Returns
    -------
    Schema
        Columns of kind ``id`` and ``drop`` are not compared; their reason says why.

    Raises
    ------
    SchemaError
        If the overrides name an unknown column or kind, or do not fit.

    Examples
    --------
    >>> table = pa.table({"key": [f"k{i}" for i in range(30)], "n": [1.5, 2.5, 2.5] * 10})
    >>> [(column.name, column.kind) for column in infer_roles(table)]
    [('key', 'id'), ('n', 'number')]
    """
    types, summaries, levels = summarise_chunks([table])
    said = parse_overrides(overrides, list(types))
    columns = []
    for name, found in types.items():
        override = said.get(name, {})
        try:
            column = infer_column(name, found, summaries[name], override, levels=levels.get(name))
        except SchemaError:
            if override:
                raise
            column = Column(name, "drop", str(found), "free text")
        columns.append(column)
    return Schema(tuple(columns))
