"""Cells: a row as a few coarse shares of each column, of which private tables are counted.

Of each column the shares sum to 1. Options that enough rows have are cells of their own, and the
others are one together. A scalar lies between two knots, and has a share in each, the larger the
nearer: what linear interpolation gives back. So one row moves a table of two columns by a vector of
length 1 at most, as if it were counted in one cell, and says more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from synthgan.data.encoders import CategoryEncoder, Encoder, IdEncoder, NumberEncoder
from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.privacy.counts import ROW_PARTS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# what a whole share counts, so that tables are of whole numbers of the parts that noise is made of
WHOLE = math.isqrt(ROW_PARTS)
# rows whose shares are held at once
ROWS_AT_ONCE = 1 << 15
# cells of a column at most, and deviations of noise that each of them should hold
MOST_GROUPS, MOST_KNOTS, FULL = 48, 16, 8.0


@dataclass(frozen=True)
class CellMap:
    """Which cells the codes of a layout have shares in.

    Attributes
    ----------
    layout : Layout
        What rows are made of.
    column : array of int of shape (cells,)
        The column of each cell, by its number.
    group : array of int of shape (n_options,)
        The cell of each option; -1 for one under which a scalar is alive.
    scalar : array of int of shape (knots,)
        The scalar of each knot.
    knot : array of int of shape (knots,)
        Its cell.
    at : array of shape (knots,)
        Where it stands in [-1, 1].
    width : array of shape (knots,)
        How far it is to the next.
    by : array of int of shape (classes,)
        Cells of the target, by which tables of two other columns are counted apart; none without
        a target.
    """

    _ARRAYS: ClassVar[tuple[str, ...]] = (
        "column",
        "group",
        "scalar",
        "knot",
        "at",
        "width",
        "by",
    )

    layout: Layout
    column: Integers
    group: Integers
    scalar: Integers
    knot: Integers
    at: Floats
    width: Floats
    by: Integers

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self.column)

    @property
    def columns(self) -> int:
        """Columns that have cells."""
        return int(self.column.max(initial=-1)) + 1

    @property
    def apart(self) -> NDArray[np.bool_]:
        """Pairs of cells of which there are tables, each pair once: of shape (cells, cells)."""
        others = ~np.isin(np.arange(self.cells), self.by)
        return np.asarray((self.column[:, None] > self.column) & others[:, None] & others)

    @property
    def table_classes(self) -> int:
        """For how many classes each table is counted; 1 without a target."""
        return max(len(self.by), 1)

    @property
    def table_pairs(self) -> int:
        """How many tables of two columns there are; those by class count as one."""
        columns = self.columns - (len(self.by) > 0)
        return columns * (columns - 1) // 2

    def tables(self, matrix: EncodedMatrix) -> Floats:
        """Rows in each pair of cells, in shares, of shape (classes or 1, cells, cells)."""
        total = np.zeros((self.table_classes, self.cells, self.cells))
        for part in self.parts(matrix):
            for number, chosen in enumerate(self.classes(part)):
                total[number] += (part * chosen[:, None]).T @ part
        return total / WHOLE**2

    def classes(self, shares: Floats) -> Floats:
        """Whether rows are of each class, of shape (classes, rows); of one, without a target."""
        return shares[:, self.by].T / WHOLE if len(self.by) else np.ones((1, len(shares)))

    def parts(self, matrix: EncodedMatrix) -> Iterator[NDArray[np.float64]]:
        """The `shares` of some rows after the other, so that few are held at once."""
        for start in range(0, matrix.rows, ROWS_AT_ONCE):
            yield self.shares(matrix.take(slice(start, start + ROWS_AT_ONCE)))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` needs beside the layout."""
        return {name: getattr(self, name) for name in self._ARRAYS}

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_arrays`."""
        return cls(layout, **{name: arrays[name] for name in cls._ARRAYS})

    @classmethod
    def of(
        cls,
        encoders: Iterable[Encoder],
        layout: Layout,
        deviation: float,
        target: str | None = None,
    ) -> CellMap:
        """As many cells as tables of this noise can tell.

        Parameters
        ----------
        encoders : iterable of Encoder
            Those of the layout's columns, which know how many rows have what.
        layout : Layout
            Where their codes lie.
        deviation : float
            Of the noise of each cell of a table, in rows.
        target : str, optional
            The column of classes by which tables are counted apart.
        """
        column: list[int] = []
        by: list[int] = []
        group = np.full(layout.n_options, -1, dtype=np.int64)
        knots: list[tuple[int, int, float, float]] = []
        number = 0
        for encoder in encoders:
            choice, scalar = (
                layout.column_choice(encoder.column.name),
                layout.column_scalar(encoder.column.name),
            )
            if isinstance(encoder, IdEncoder) or (choice is None and scalar is None):
                # whether an identifier is missing is told by itself
                continue
            counts = option_counts(encoder)
            if choice is not None:
                first = int(layout.choice_offsets[choice])
                own = _groups(counts, encoder.alive, deviation)
                shown = own >= 0
                group[first : first + len(own)] = np.where(shown, own + len(column), -1)
                column += [number] * (int(own.max(initial=-1)) + 1)
                if encoder.column.name == target:
                    by = list(range(len(column) - int(own.max()) - 1, len(column)))
            if scalar is not None:
                rows = counts[encoder.alive] if encoder.alive is not None else counts.sum()
                places = np.linspace(-1.0, 1.0, _knots(float(rows), deviation))
                width = 2.0 / (len(places) - 1)
                knots += [
                    (scalar, len(column) + i, float(at), width) for i, at in enumerate(places)
                ]
                column += [number] * len(places)
            number += 1
        parts = [np.array([each[i] for each in knots]) for i in range(4)]
        return cls(
            layout,
            np.array(column, dtype=np.int64),
            group,
            parts[0].astype(np.int64),
            parts[1].astype(np.int64),
            parts[2].astype(np.float64),
            parts[3].astype(np.float64),
            np.array(by, dtype=np.int64),
        )

    def shares(self, matrix: EncodedMatrix) -> NDArray[np.float64]:
        """Shares of rows in cells, whole numbers that sum to WHOLE for each column.

        Unknown codes have no share.
        """
        found = np.zeros((matrix.rows, self.cells + 1))
        rows = np.arange(matrix.rows)
        for choice, first in enumerate(self.layout.choice_offsets):
            codes = matrix.codes[:, choice].astype(np.int64)
            place = np.where(codes < 0, -1, self.group[np.maximum(codes, 0) + first])
            found[rows, place] = WHOLE
        for scalar in np.unique(self.scalar):
            own = np.flatnonzero(self.scalar == scalar)
            gate, option = self.layout.gate_choice[scalar], self.layout.gate_option[scalar]
            alive = rows if gate < 0 else np.flatnonzero(matrix.codes[:, gate] == option)
            way = (matrix.scalars[alive, scalar].astype(np.float64) + 1.0) / self.width[own[0]]
            left = np.clip(np.floor(way).astype(np.int64), 0, len(own) - 2)
            right = np.clip(np.rint((way - left) * WHOLE), 0, WHOLE)
            found[alive, self.knot[own[0]] + left] = WHOLE - right
            found[alive, self.knot[own[0]] + left + 1] = right
        return found[:, :-1]


def option_counts(encoder: Encoder) -> Floats:
    """Rows of each option as the encoder knows them; of a column without options, of its scalar."""
    found = np.zeros(max(encoder.options, 1))
    if isinstance(encoder, NumberEncoder):
        if encoder.learned is not None:
            found[: len(encoder.spikes)] = encoder.learned.counts[: len(found)]
            if encoder.ranks is not None:
                found[encoder.alive or 0] = encoder.learned.rest
    elif isinstance(encoder, CategoryEncoder) and encoder.options:
        np.add.at(found, encoder.option_of, encoder.counts)
    if encoder.null is not None and encoder.options:
        found[encoder.null] = encoder.missing
    return found


def _groups(counts: Floats, alive: int | None, deviation: float) -> Integers:
    """A group for each option: full ones have their own, the others one together; -1 for alive."""
    found = np.full(len(counts), -1, dtype=np.int64)
    options = [each for each in np.argsort(-counts, kind="stable").tolist() if each != alive]
    own = [each for each in options[: MOST_GROUPS - 1] if counts[each] >= FULL * deviation]
    found[own] = np.arange(len(own))
    rest = [each for each in options if found[each] < 0]
    found[rest] = len(own)
    return found


def _knots(rows: float, deviation: float) -> int:
    return int(np.clip(rows / (FULL * deviation) + 1, 2, MOST_KNOTS))
