"""The judge of a fit: how alike a sample is to real rows, and what it never draws."""

from __future__ import annotations

import pyarrow as pa

from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.evaluation.measures.collapse import collapse
from synthgan.evaluation.measures.membership import membership
from synthgan.evaluation.reference import Reference
from synthgan.sampling import Sampler
from synthgan.streams import stream
from synthgan.training.check import Check

# parts that a warning names, and the kinds of parts, those that say most first
_NAMED = 3
_KINDS = ("categories", "regions", "clusters")


class Judge:
    """Quality and coverage of a sampler, against real rows.

    Parameters
    ----------
    codec : TableCodec
        Turns drawn codes into a table.
    held : pyarrow.Table
        The rows to be like.
    seed : int
        The same draws every time, so that two checks differ by the networks alone.
    members : pyarrow.Table, optional
        Rows that are trained on: who is among them is then told from `held`, as an attacker would.
    """

    def __init__(
        self, codec: TableCodec, held: pa.Table, seed: int, members: pa.Table | None = None
    ) -> None:
        self._codec, self._seed, self._rows = codec, seed, held.num_rows
        self._reference = Reference(held, schema=codec.schema, seed=seed % 2**32)
        self._attacked = None
        if members is not None:
            self._attacked = Reference(members, held, schema=codec.schema, seed=seed % 2**32)

    def __call__(self, sampler: Sampler) -> Check:
        """Quality, higher is better and 0 perfect, and the parts of the table that are lost."""
        codes = sampler.draw(self._rows, self._seed)
        drawn = self._reference.code(self._codec.decode(codes, stream(self._seed)))
        error = self._reference.fidelity.compare_coded(drawn).error
        figures = collapse(self._reference, drawn)
        lost = [part["text"] for kind in _KINDS for part in figures[kind]["lost"]]
        return Check(-error, figures["share_lost"], tuple(lost[:_NAMED]), self._membership(codes))

    def _membership(self, codes: EncodedMatrix) -> float:
        if self._attacked is None:
            return 0.5
        drawn = self._attacked.code(self._codec.decode(codes, stream(self._seed)))
        found = membership(self._attacked, drawn, detail=False)["distance"]["auc"]
        return 0.5 if found is None else float(found)
