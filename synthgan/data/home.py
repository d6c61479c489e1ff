"""What the caller's table was, and the way back to it."""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from synthgan.data.frames import restore_array, restore_polars
from synthgan.data.native import NativeColumn
from synthgan.data.pandas_frames import restore_frame


@dataclass(frozen=True, slots=True)
class Home:
    """The caller's table as a recipe: frame, columns and their own types; it holds no rows.

    Parameters
    ----------
    frame : str
        "pandas", "polars", "pyarrow" (files too) or "numpy".
    columns : tuple of NativeColumn
        The columns in the caller's order.
    labels : tuple, optional
        pandas column names where they are not the text names: whole numbers.
    labels_dtype : str
        dtype of the pandas column index.
    labels_name : str, optional
        Name of the pandas column index.
    dtype : str
        dtype of a numpy array.
    notes : str
        pandas' own description of its dtypes in an Arrow schema, without an index.
    """

    frame: str
    columns: tuple[NativeColumn, ...]
    labels: tuple[Any, ...] | None = None
    labels_dtype: str = ""
    labels_name: str | None = None
    dtype: str = ""
    notes: str = ""

    def restore(self, table: pa.Table, index: Any = None) -> Any:
        """Return a canonical table as what the caller gave.

        Parameters
        ----------
        table : pyarrow.Table
            Canonical columns, some or all, in any order.
        index : pandas.Index, optional
            The index of a pandas frame; a fresh one without.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table or numpy.ndarray
        """
        present = set(table.column_names)
        columns = [column for column in self.columns if column.name in present]
        if self.frame == "pandas":
            return restore_frame(columns, table, self._labels_of(columns), index)
        if self.frame == "polars":
            return restore_polars(columns, table)
        if self.frame == "numpy":
            return restore_array(columns, table, self.dtype)
        return self._restore_table(columns, table)

    def _labels_of(self, columns: list[NativeColumn]) -> Any:
        import pandas as pd

        names = [column.name for column in self.columns]
        known = dict(zip(names, self.labels or names, strict=True))
        chosen = [known[column.name] for column in columns]
        return pd.Index(chosen, dtype=self.labels_dtype or None, name=self.labels_name)

    def _restore_table(self, columns: list[NativeColumn], table: pa.Table) -> pa.Table:
        arrays = [column.to_native_type(table[column.name]) for column in columns]
        fields = [
            pa.field(column.name, array.type, column.nullable or array.null_count > 0)
            for column, array in zip(columns, arrays, strict=True)
        ]
        notes = {b"pandas": self.notes.encode()} if self.notes else None
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=notes))

    def keep_levels(self, kept: Mapping[str, pa.Array]) -> Home:
        """Return a home whose declared levels tell nothing of the rows beyond the levels kept.

        Parameters
        ----------
        kept : mapping of str to pyarrow.Array
            For each column named, the levels that may be shown. Declared levels that no row
            had stay too: they come from the dtype, not from a row.

        Returns
        -------
        Home
        """
        columns = tuple(
            replace(column, levels=column.levels.without(kept[column.name]))
            if column.levels is not None and column.name in kept
            else column
            for column in self.columns
        )
        return replace(self, columns=columns)

    def without_facts(
        self,
        kept: Container[str],
        guessed: Mapping[str, pa.DataType],
        levels: Mapping[str, pa.Array],
    ) -> Home:
        """Return a home that says nothing of the rows: what a pass over them had found is gone.

        Parameters
        ----------
        kept : container of str
            The columns that stay.
        guessed : mapping of str to pyarrow.DataType
            Types to put in place of those that were guessed from the rows.
        levels : mapping of str to pyarrow.Array
            All that may be shown of the levels of declared categoricals.

        Returns
        -------
        Home
        """
        stays = [each.name in kept for each in self.columns]
        columns = tuple(
            each.without_facts(guessed.get(each.name), levels.get(each.name))
            for each in itertools.compress(self.columns, stays)
        )
        labels = None if self.labels is None else tuple(itertools.compress(self.labels, stays))
        return replace(self, columns=columns, labels=labels, notes="")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict."""
        return {
            "frame": self.frame,
            "columns": [column.to_dict() for column in self.columns],
            "labels": None if self.labels is None else list(self.labels),
            "labels_dtype": self.labels_dtype,
            "labels_name": self.labels_name,
            "dtype": self.dtype,
            "notes": self.notes,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Home:
        """Return the home that `to_dict` described."""
        columns = tuple(NativeColumn.from_dict(each) for each in plain["columns"])
        labels = plain["labels"]
        return cls(
            **{**plain, "columns": columns, "labels": None if labels is None else tuple(labels)}
        )
