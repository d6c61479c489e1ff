"""A learned imputation: the game's generator and the chain after it, on canonical tables."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from synthgan.data.codec import TableCodec
from synthgan.data.numbers import NumberEncoder
from synthgan.imputation.cells import Cells, learn_cells
from synthgan.imputation.chain import Chain, Filling, Floats, learn_chain
from synthgan.imputation.proposals import Proposer
from synthgan.training import Plan
from synthgan.training.imputing import imputation_plan, play
from synthgan.training.trainer import Record

# what the game is asked with: its means differ little from one latent to the next
ASKED = 4
# the share of the time that the game may take where there is a deadline
GAME_SHARE = 0.5


@dataclass(slots=True)
class Imputation:
    """What was learned of a table with holes.

    Attributes
    ----------
    codec : TableCodec
        Its columns.
    cells : Cells
        Those that tell and can be told.
    proposer : Proposer or None
        The game's generator; None where there was nothing to learn.
    chain : Chain
        The boosted conditionals.
    history : list of dict
        One record for each round of the game.
    stopped : str
        Why the game ended.
    """

    codec: TableCodec
    cells: Cells
    proposer: Proposer | None
    chain: Chain
    history: list[Record]
    stopped: str

    @classmethod
    def learn(
        cls,
        table: pa.Table,
        plan: Plan,
        *,
        overrides: Mapping[str, Any] | None = None,
        rounds: int,
        seed: int,
        deadline: float | None = None,
        device: str = "cpu",
    ) -> Imputation:
        """Learn to fill the holes of a canonical table.

        Parameters
        ----------
        table : pyarrow.Table
            The rows.
        plan : Plan
            Sizes and rates of the game; "auto" is settled here.
        overrides : mapping, optional
            What the user says of single columns.
        rounds : int
            Rounds of boosted conditionals; 0 leaves everything to the game.
        seed : int
            Decides everything.
        deadline : float, optional
            Reading of `time.monotonic` at which the game's share of the time is measured.
        device : str
            Where the game is played.
        """
        cells = learn_cells(table, overrides)
        codec = cells.codec
        if not cells.names:
            return cls(codec, cells, None, Chain(), [], "nothing to learn")
        floats = cells.floats(table)
        matrix = cells.codes(table, floats)
        if deadline is not None:
            deadline -= (1.0 - GAME_SHARE) * (deadline - time.monotonic()) * (rounds > 0)
        game, history, stopped = play(
            matrix,
            codec.layout,
            cells.nulls,
            imputation_plan(plan, matrix.rows, codec.layout, device),
            seed=seed,
            deadline=deadline,
            device=device,
        )
        stream = torch.Generator().manual_seed(seed)
        latents = torch.randn(ASKED, game.plan.latent_size, generator=stream)
        proposer = Proposer(cells, game.view.cpu(), game.average.cpu(), latents)
        known = ~np.isnan(floats)
        filling = Filling(floats, proposer.ask(matrix, known), cells.categorical)

        def proposed(number: int) -> Floats:
            shown = known.copy()
            shown[:, number] = False
            return proposer.ask(matrix, shown)[number]

        threads = torch.get_num_threads()
        chain = learn_chain(cells, filling, rounds, proposed, seed=seed, threads=threads)
        return cls(codec, cells, proposer, chain, history, stopped)

    def fill(self, table: pa.Table, rng: np.random.Generator | None = None) -> dict[str, pa.Array]:
        """Whole columns for those that have holes, by name.

        Only the cells in holes mean anything. Identifiers, and columns of which no value was known,
        are not among them.

        Parameters
        ----------
        table : pyarrow.Table
            Rows in the types of the fit.
        rng : numpy.random.Generator, optional
            Draws the cells; without it they are expected values and likeliest categories.
        """
        wanted = [name for name in self.fillable if table.column(name).null_count]
        made = self._constants(table.num_rows, wanted)
        if self.proposer is None or set(wanted) <= set(made):
            return made
        floats = self.cells.floats(table)
        told = self.proposer.ask(self.cells.codes(table, floats), ~np.isnan(floats))
        filling = Filling(floats, told, self.cells.categorical)
        threads = torch.get_num_threads()
        self.chain.run(filling, threads)
        if rng is not None:
            self.chain.draw(filling, self.cells, rng, threads)
        for number, name in enumerate(self.cells.names):
            if name in wanted:
                made[name] = self.cells.array(number, filling.rows[:, number])
        return made

    @property
    def fillable(self) -> list[str]:
        """Columns whose holes can be filled."""
        return [each.column.name for each in self.codec.encoders if _has_values(each)]

    def _constants(self, rows: int, wanted: list[str]) -> dict[str, pa.Array]:
        """Columns of one value without a hole in the fit: they have no codes."""
        coded, nothing = set(self.cells.names), np.random.default_rng(0)
        return {
            each.column.name: each.decode(None, None, nothing, rows=rows)
            for each in self.codec.encoders
            if each.column.name in wanted and each.column.name not in coded
        }


def _has_values(encoder: Any) -> bool:
    if isinstance(encoder, NumberEncoder):
        return encoder.learned is not None
    return len(encoder.levels) > 0
