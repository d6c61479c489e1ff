"""Rows in every form that a score asks for, each made once and only if it is asked for."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.anomaly.critic import seen
from synthgan.anomaly.marks import Marks
from synthgan.anomaly.scale import Scale
from synthgan.data.codec import TableCodec
from synthgan.data.indicators import broken
from synthgan.data.matrix import EncodedMatrix
from synthgan.training import Trained

Floats = NDArray[np.float64]


class Rows:
    """A table as marks, points and codes, and as the critic sees it.

    Parameters
    ----------
    table : pyarrow.Table
        With the learned columns in their types.
    codec : TableCodec
        What was learned of them.
    marks : Marks
        From tables to marks.
    scale : Scale or None
        What is usual in each column, where that is known already.
    trained : Trained or None
        The pair, where there is one.
    """

    def __init__(
        self,
        table: pa.Table,
        codec: TableCodec,
        marks: Marks,
        scale: Scale | None,
        trained: Trained | None,
    ) -> None:
        self.table, self.scale = table, scale
        self._codec, self._marks, self.trained = codec, marks, trained

    def like(self, table: pa.Table) -> Rows:
        """Another table in the same forms."""
        return Rows(table, self._codec, self._marks, self.scale, self.trained)

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    @cached_property
    def marks(self) -> Floats:
        """Plain numbers, NaN where missing, of shape (n, columns)."""
        return self._marks.of(self.table)

    @cached_property
    def points(self) -> Floats:
        """Points between which distances mean something, of shape (n, width)."""
        assert self.scale is not None
        return self.scale.points(self.marks)

    @cached_property
    def filled(self) -> Floats:
        """Marks without gaps, of shape (n, columns)."""
        assert self.scale is not None
        return self.scale.filled(self.marks)

    @cached_property
    def matrix(self) -> EncodedMatrix:
        """The codes."""
        return self._codec.encode([self.table], None)

    @cached_property
    def seen(self) -> tuple[Floats, Floats]:
        """The critic's scores and hidden layers."""
        assert self.trained is not None
        return seen(self.trained, self.matrix)

    @cached_property
    def breaches(self) -> NDArray[np.int64]:
        """Relations between columns that each row contradicts, of shape (n,)."""
        return np.asarray(broken(self._codec.relations, self._codec.groups, self.table))
