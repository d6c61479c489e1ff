"""The real side of a judgement: what every measure holds a table to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.evaluation.coding import HOLDOUT, Coded, Coder, Keys
from synthgan.evaluation.embedding import Embedding
from synthgan.evaluation.fidelity import FidelityReference

if TYPE_CHECKING:
    from synthgan.data.schema import Schema

TEST_SHARE = 0.2
_SPLIT = 10


class Reference:
    """Real table, holdout and target, with what is learned from them once for many tables.

    Parameters
    ----------
    real : pyarrow.Table
        The rows a generator learned from.
    holdout : pyarrow.Table, optional
        Real rows that it has not seen.
    target : str, optional
        The column that a model would predict.
    schema : Schema, optional
        As in `Coder`.
    seed : int
        Decides every draw.
    all_rows : callable, optional
        Gives the whole real table in chunks, where `real` is a draw from it.

    Attributes
    ----------
    real, holdout : Coded
        The tables in the real table's terms; `holdout` is None if there is none.
    fidelity : FidelityReference
        Prepared for shape and trend errors.
    memo : dict
        What a measure learned from the real side and will need again.

    Examples
    --------
    >>> import pyarrow as pa
    >>> reference = Reference(pa.table({"n": [1.0, 2.0, 3.0]}), seed=0)
    >>> reference.draw(reference.real, 2, stream=1).rows
    2
    """

    def __init__(
        self,
        real: pa.Table,
        holdout: pa.Table | None = None,
        *,
        target: str | None = None,
        schema: Schema | None = None,
        seed: int = 0,
        all_rows: Callable[[], Iterable[pa.Table]] | None = None,
    ) -> None:
        self.coder = Coder(real, schema=schema)
        self.real = self.coder.real
        self.holdout = None if holdout is None else self.coder.code(holdout, where=HOLDOUT)
        self.target, self.seed = target, seed
        self.fidelity = FidelityReference.of(self.coder)
        self.all_rows = all_rows
        self.memo: dict[Any, Any] = {}

    def code(self, table: pa.Table) -> Coded:
        """A synthetic table in the real table's terms."""
        return self.coder.code(table)

    def with_holdout(self, holdout: Coded | None) -> Reference:
        """The same real table beside another holdout."""
        changed = copy(self)
        changed.holdout, changed.memo = holdout, {}
        changed.__dict__.pop("test", None)
        return changed

    def rng(self, stream: int) -> np.random.Generator:
        """A generator of its own for each stream."""
        return np.random.default_rng([self.seed, stream])

    def draw(self, coded: Coded, rows: int, stream: int) -> Coded:
        """Draw rows without replacement, in random order; all of them where they are fewer."""
        return coded.take(self.rng(stream).permutation(coded.rows)[:rows])

    @cached_property
    def embedding(self) -> Embedding:
        """The embedding by the real rows, the holdout's too."""
        return Embedding(self.real, self.holdout)

    @cached_property
    def real_keys(self) -> tuple[Keys, NDArray[np.int64]]:
        """The keys of all real rows, each once and in order, and how many rows have each."""
        if self.all_rows is None:
            return np.unique(self.real.keys, return_counts=True)
        keys = [self.code(chunk).keys for chunk in self.all_rows()]
        return np.unique(np.concatenate(keys), return_counts=True)

    @cached_property
    def test(self) -> tuple[Coded, Coded]:
        """Real rows to train on and to test on: real and holdout, else a split of the real ones."""
        if self.holdout is not None:
            return self.real, self.holdout
        order = self.rng(_SPLIT).permutation(self.real.rows)
        tested = max(1, int(self.real.rows * TEST_SHARE))
        return self.real.take(order[tested:]), self.real.take(order[:tested])
