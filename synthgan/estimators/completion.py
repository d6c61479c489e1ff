"""Rows to be completed: which of their columns a model knows, and in what frame they go home."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa

from synthgan.data.problems import listed
from synthgan.data.source import Source
from synthgan.errors import TableError
from synthgan.estimators.model import TableModel

_OTHER_FRAMES: dict[str, Any] = {
    "pandas": nw.Implementation.PANDAS,
    "polars": nw.Implementation.POLARS,
}


def given_cells(model: TableModel, source: Source) -> pa.Table:
    """Read rows that hold some of a model's columns, in the types it learned.

    Parameters
    ----------
    model : TableModel
        The model that will complete them.
    source : Source
        The rows.

    Returns
    -------
    pyarrow.Table
        Their cells.

    Raises
    ------
    TableError
        Naming every column that the model does not know or has dropped, and every column whose
        values are not of the learned type.
    """
    schema = model.codec.arrow_schema
    dropped = [
        f"column {name!r} was dropped by the schema of the fit; leave it out"
        for name in source.names
        if name in model.codec.schema.names and name not in schema.names
    ]
    if dropped:
        raise TableError(listed("rows", dropped))
    types = dict(zip(schema.names, schema.types, strict=True))
    return source.cast(types, where="rows", partial=True).table()


def completed_frame(model: TableModel, source: Source, rows: Any, table: pa.Table) -> Any:
    """Bring completed rows home: dtypes of the fit, frame type and index of the rows.

    Parameters
    ----------
    model : TableModel
        The model that completed them.
    source : Source
        The rows as they were opened.
    rows : table
        The rows as the caller gave them.
    table : pyarrow.Table
        The completed rows.

    Returns
    -------
    table
        Of the frame type of `rows`.
    """
    frame = source.home.frame
    index = rows.index if frame == "pandas" else None
    if frame == model.home.frame:
        return model.home.restore(table, index=index)
    if frame not in _OTHER_FRAMES:
        return table
    made = nw.from_arrow(table, backend=_OTHER_FRAMES[frame]).to_native()
    if index is not None:
        made.index = index
    return made
