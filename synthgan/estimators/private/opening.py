"""A table opened for a private fit: whose its rows are, and what of it is public.

Public are the names of columns and their types, as a frame or a file declares them. Where types
were guessed from values, numbers are taken as floats, whose decimals are bought.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.data.arrow_types import is_number
from synthgan.data.native import joined, plain_values
from synthgan.data.problems import nearest
from synthgan.data.source import Source
from synthgan.errors import ParameterError
from synthgan.estimators.fitting import Rows
from synthgan.privacy.budget import Privacy
from synthgan.privacy.noise import Noise
from synthgan.privacy.units import Units

_GUESSING = (".csv", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class PrivateTable:
    """Rows that may be used, and whose they are.

    Attributes
    ----------
    source : Source
        All rows.
    used : array of bool of shape (rows,)
        Which of them are used.
    units : Units
        Whose the used ones are.
    guessed : frozenset of str
        Columns whose type was guessed from the rows, and is now float.
    """

    source: Source
    used: NDArray[np.bool_]
    units: Units
    guessed: frozenset[str]

    @property
    def rows(self) -> int:
        """How many are used: a secret, unless the budget says otherwise."""
        return int(np.count_nonzero(self.used))

    def chunks(self) -> Iterator[pa.Table]:
        """The used rows, chunk by chunk."""
        return Rows(self.source, self.used.astype(np.float64)).chunks()

    def types(self) -> dict[str, pa.DataType]:
        """Of each column."""
        return {each.name: each.type for each in self.source.schema}


def open_privately(X: Any, source: Source, privacy: Privacy, noise: Noise) -> PrivateTable:
    """Say which rows of a table are used, and whose they are.

    Parameters
    ----------
    X : table
        As the caller gave it.
    source : Source
        The same, opened.
    privacy : Privacy
        Who is protected.
    noise : Noise
        Which rows of a unit that has too many are used.

    Raises
    ------
    ParameterError
        If there is no column of units by that name, or it has missing values.
    """
    guessed = _guessed(X, source)
    if guessed:
        types = {each.name: each.type for each in source.schema}
        source = source.cast({**types, **dict.fromkeys(guessed, pa.float64())})
    if privacy.unit is None:
        units = Units.each_row(source.rows)
        return PrivateTable(source, np.ones(source.rows, dtype=bool), units, guessed)
    owner = _owners(source, privacy.unit)
    used = Units(owner).bounded(privacy.rows_per_unit, noise)
    _, kept = np.unique(owner[used], return_inverse=True)
    return PrivateTable(source, used, Units(kept.astype(np.int64)), guessed)


def _owners(source: Source, unit: str) -> NDArray[np.int64]:
    if unit not in source.names:
        raise ParameterError(
            f"privacy: expected unit to be a column of the table, found {unit!r}"
            f"{nearest(unit, source.names)}"
        )
    column = source.table().column(unit)
    if column.null_count:
        raise ParameterError(
            f"privacy: expected to know whose each row is, found {column.null_count:,} rows "
            f"without a value of {unit!r}; leave them out, or give each one of its own"
        )
    encoded = joined(plain_values(column).dictionary_encode())
    return np.asarray(encoded.indices).astype(np.int64)


def _guessed(X: Any, source: Source) -> frozenset[str]:
    """Columns of numbers whose type was read off the values."""
    text = isinstance(X, str | os.PathLike) and Path(X).suffix.lower() in _GUESSING
    natives = {each.name for each in source.home.columns if text or each.is_guessed}
    return frozenset(
        each.name for each in source.schema if each.name in natives and is_number(each.type)
    )


def shown_types(
    guessed: frozenset[str], rounded: Mapping[str, int | None], missing: Mapping[str, int]
) -> dict[str, pa.DataType]:
    """Types of guessed columns as what was bought says: whole numbers if there is nothing else."""
    return {
        name: pa.int64() if rounded[name] == 0 and not missing[name] else pa.float64()
        for name in guessed
        if name in rounded
    }
