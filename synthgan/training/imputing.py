"""The imputation game: a generator fills cells that are hidden, a critic tells which were filled.

After Yoon, Jordon and van der Schaar, "GAIN: missing data imputation using generative adversarial
nets", ICML 2018: the critic names the filled cells one by one, and a hint tells it most of the
answer. What differs: the generator is held to cells that it does not see. In GAIN it sees every
cell that it is later held to, so that copying them costs nothing and teaches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.cells import CellView, FilledRows, cell_critic, cell_generator
from synthgan.nets.heads import draw_gumbel
from synthgan.training.check import Check
from synthgan.training.plan import Plan, ResolvedPlan
from synthgan.training.players import State, first_broken, initialise, start_at_shares
from synthgan.training.rows import DeviceRows
from synthgan.training.schedule import Budget
from synthgan.training.trainer import Callback, Record, Trainer
from synthgan.training.weights import Weights, averaged, restore_all, snapshot_all

AVERAGE_DECAY = 0.998
# share of the known cells of a row that are hidden in a step, at most: rows with few holes and rows
# with many are both to be filled later
MOST_HIDDEN = 0.8
# share of the cells of which the critic is told whether they were filled
HINTED = 0.9
# what the generator answers to the critic, against its error on hidden cells
ADVERSARIAL_WEIGHT = 0.05
# every so many rows are kept to judge states by, and no more than so many
JUDGED_SHARE, MOST_JUDGED = 10, 2_000
# what "auto" is in this game: smaller and faster than where whole rows are drawn, since each row
# brings most of its cells along
AUTO: dict[str, Any] = {"batch_size": 250, "width": 96, "latent_size": 16, "learning_rate": 1e-3}
MOST_STEPS = 1_000
Losses = dict[str, Tensor]


def imputation_plan(plan: Plan, rows: int, layout: Layout, device: str = "cpu") -> ResolvedPlan:
    """Settle every "auto" of a plan for this game.

    Examples
    --------
    >>> from synthgan.data.layout import Span
    >>> layout = Layout([Span("age", "scalar")])
    >>> imputation_plan(Plan(width=32), 5_000, layout).width
    32
    >>> imputation_plan(Plan(), 5_000, layout).steps
    1000
    """
    left = {name: value for name, value in AUTO.items() if getattr(plan, name) == "auto"}
    resolved = replace(plan, **left).resolve(rows, layout, device)
    if plan.epochs != "auto":
        return resolved
    return replace(resolved, steps=min(resolved.steps, MOST_STEPS))


class ImputationGame:
    """A generator that fills hidden cells and a critic that tells which ones were filled.

    Parameters
    ----------
    matrix : EncodedMatrix
        The rows; codes -1 and scalars NaN where a cell is missing.
    layout : Layout
        What they are made of.
    nulls : ndarray of bool of shape (n_options,)
        Options that stand for a missing cell: nothing is filled with them.
    plan : ResolvedPlan
        Sizes and rates.
    seed : int
        Fixes the initial weights and every draw.
    device : str
        Where to play.
    """

    def __init__(
        self,
        matrix: EncodedMatrix,
        layout: Layout,
        nulls: np.ndarray,
        plan: ResolvedPlan,
        seed: int,
        device: str,
    ) -> None:
        self.plan, self.layout, self.device = plan, layout, device
        self.view = CellView(layout, nulls, plan.scalar_bins).to(device)
        self.rows = DeviceRows(known_only(matrix), layout, device)
        self._known = torch.as_tensor(known_cells(matrix, layout), device=device)
        self._stream = torch.Generator(device).manual_seed(seed)
        self.generator = initialise(cell_generator(self.view, plan), seed).to(device)
        start_at_shares(self.generator, self.rows.shares())
        self.critic = initialise(cell_critic(self.view, plan), seed + 1).to(device)
        self.average, self._average = averaged(self.generator)
        self._rate = torch.zeros((), device=device)
        self._steps, self._adversarial = 0, ADVERSARIAL_WEIGHT
        dtype = torch.bfloat16 if plan.precision == "bfloat16" else torch.float32
        self._dtype = dtype
        self._weights = {
            "generator": Weights(self.generator, self._rate, (0.9, 0.99), dtype),
            "critic": Weights(self.critic, self._rate, (0.5, 0.99), dtype),
        }

    def step(self, learning_rate: float, progress: float = 0.0) -> Losses:
        """One move of the critic and one of the generator; their losses, detached."""
        self._steps += 1
        self._rate.fill_(learning_rate)
        index = self.rows.draw(self.plan.batch_size, self._stream)
        rows, known = self.rows[index], self._known[index]
        shown = self.hide(known, self._stream)
        filled = self._fill(rows, shown)
        losses = {}
        loss = error = self.view.error(filled, rows, known & ~shown)
        if self._adversarial:
            hint = self._hint(shown)
            told = self._tell(filled.rows.detach(), hint)
            critic_loss = torch.nn.functional.binary_cross_entropy_with_logits(told, shown.float())
            self._weights["critic"].descend(critic_loss)
            # the critic just improved; only filled cells are answered for
            answer = torch.nn.functional.softplus(-self._tell(filled.rows, hint))
            answer = (answer * ~shown).sum() / (~shown).sum().clamp_min(1)
            loss = error + self._adversarial * answer
            losses["critic_loss"] = critic_loss.detach()
        self._weights["generator"].descend(loss)
        self._update_average()
        return {**losses, "generator_loss": error.detach()}

    def hide(self, known: Tensor, stream: torch.Generator) -> Tensor:
        """Which of the known cells stay in sight, of shape (rows, columns)."""
        share = torch.rand(len(known), 1, generator=stream, device=known.device) * MOST_HIDDEN
        return known & (torch.rand(known.shape, generator=stream, device=known.device) >= share)

    def _fill(self, rows: Tensor, shown: Tensor) -> FilledRows:
        latent = torch.randn(
            len(rows), self.plan.latent_size, generator=self._stream, device=self.device
        )
        gumbel = draw_gumbel(len(rows), self.layout.n_options, self._stream, self.device)
        return self.view.fill(self.generator, rows, shown, latent, gumbel)

    def _hint(self, shown: Tensor) -> Tensor:
        """1 for a cell that was given, -1 for a filled one, 0 where the critic has to find out."""
        told = torch.rand(shown.shape, generator=self._stream, device=self.device) < HINTED
        return (2.0 * shown.float() - 1.0) * told

    def _tell(self, rows: Tensor, hint: Tensor) -> Tensor:
        """Log-odds that each cell was given, of shape (rows, columns)."""
        seen = torch.cat([self.view.features(rows), hint], dim=1)
        told: Tensor = self.critic(seen.to(self._dtype))
        return told.float()

    @torch.no_grad()
    def _update_average(self) -> None:
        # a short memory at first, or the untrained weights would weigh on short runs
        decay = min(AVERAGE_DECAY, (1.0 + self._steps) / (10.0 + self._steps))
        self._average.lerp_(self._weights["generator"].master, 1.0 - decay)

    def snapshot(self) -> State:
        """A copy of the players."""
        return snapshot_all(self._average, self._weights)

    def restore(self, state: State) -> None:
        """Go back to a snapshot; the optimisers start afresh."""
        restore_all(self._average, self._weights, state)

    @torch.no_grad()
    def broken_column(self) -> str | None:
        """The first column whose outputs are not finite."""
        rows = self.rows[torch.zeros(1, dtype=torch.long, device=self.device)]
        shown = torch.zeros(1, len(self.view.columns), dtype=torch.bool, device=self.device)
        return first_broken(self._fill(rows, shown).raw, self.layout)

    def calm(self) -> None:
        """Answer to the critic half as much."""
        self._adversarial /= 2.0

    def balance(self, losses: Mapping[str, float]) -> None:
        """Nothing to do: hints keep the critic from being overpowered, the error leads."""


class HeldCells:
    """Judges a generator by cells of rows that it has not seen.

    Parameters
    ----------
    game : ImputationGame
        Whose average is judged.
    matrix : EncodedMatrix
        The rows.
    seed : int
        Which cells are hidden: the same ones at every check.
    """

    def __init__(self, game: ImputationGame, matrix: EncodedMatrix, seed: int) -> None:
        self._game = game
        rows = DeviceRows(known_only(matrix), game.layout, game.device)
        every = torch.arange(matrix.rows, device=game.device)
        known = torch.as_tensor(known_cells(matrix, game.layout), device=game.device)
        stream = torch.Generator(game.device).manual_seed(seed)
        self._rows, self._shown = rows[every], game.hide(known, stream)
        self._hidden = known & ~self._shown

    @torch.no_grad()
    def __call__(self) -> Check:
        """Minus the error on the hidden cells."""
        view, plan = self._game.view, self._game.plan
        latent = torch.zeros(len(self._rows), plan.latent_size, device=self._rows.device)
        gumbel = latent.new_zeros(len(self._rows), self._game.layout.n_options)
        filled = view.fill(self._game.average, self._rows, self._shown, latent, gumbel)
        return Check(-float(view.error(filled, self._rows, self._hidden)))


def known_cells(matrix: EncodedMatrix, layout: Layout) -> np.ndarray:
    """Which cells are known, of shape (rows, columns)."""
    found = []
    for name in dict.fromkeys(span.column for span in layout.spans):
        choice, scalar = layout.column_choice(name), layout.column_scalar(name)
        if choice is not None:
            found.append(matrix.codes[:, choice] >= 0)
        else:
            found.append(np.isfinite(matrix.scalars[:, scalar]))
    return np.stack(found, axis=1) if found else np.zeros((matrix.rows, 0), dtype=bool)


def known_only(matrix: EncodedMatrix) -> EncodedMatrix:
    """The same rows with 0 for scalars that are unknown."""
    return EncodedMatrix(matrix.codes, np.nan_to_num(matrix.scalars), matrix.weights)


def play(
    matrix: EncodedMatrix,
    layout: Layout,
    nulls: np.ndarray,
    plan: ResolvedPlan,
    *,
    seed: int,
    deadline: float | None = None,
    device: str = "cpu",
    callbacks: tuple[Callback, ...] = (),
) -> tuple[ImputationGame, list[Record], str]:
    """Play the game on incomplete rows.

    Returns
    -------
    game : ImputationGame
        Its `average` fills cells.
    history : list of dict
        One record a round.
    stopped : str
        Why it ended.
    """
    held = min(matrix.rows // JUDGED_SHARE, MOST_JUDGED)
    training, index = matrix.holdout(held, np.random.default_rng(seed))
    game = ImputationGame(training, layout, nulls, plan, seed, device)
    trainer = Trainer(
        game,
        Budget(plan.steps, deadline),
        peak_rate=plan.learning_rate,
        rows_per_step=plan.batch_size,
        steps_per_epoch=plan.steps_per_epoch,
        quality=HeldCells(game, matrix.take(index), seed) if held else None,
        stop_on_plateau=plan.stop_on_plateau,
        callbacks=callbacks,
    )
    stopped = trainer.run()
    return game, trainer.history, stopped
