"""One fit, from an encoded table to the trained pair."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthgan.bundle import part
from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.errors import SynthganWarning
from synthgan.nets.critics import Critic
from synthgan.nets.features import CriticFeatures
from synthgan.nets.mlp import MLPGenerator
from synthgan.nets.pair_critic import PairCritic
from synthgan.sampling import Sampler
from synthgan.training.check import Check
from synthgan.training.games import TableGame
from synthgan.training.plan import Plan, ResolvedPlan
from synthgan.training.players import build_critic, build_generator
from synthgan.training.rows import one_hot_rows
from synthgan.training.schedule import Budget
from synthgan.training.trainer import Callback, Record, Trainer

SCORING_ROWS = 16_384
# a rate so many times that of the objective is told to be one
WILD = 5


@dataclass(slots=True)
class Trained:
    """A trained pair: what samples, what scores, and how it came to be.

    Attributes
    ----------
    sampler : Sampler
        Draws encoded rows from the averaged generator.
    critic : Critic or PairCritic
        The critic beside it, or several; of a private fit a table of the generator's own rows.
    plan : ResolvedPlan
        What it was trained by.
    layout : Layout
        What its rows are made of.
    history : list of dict
        One record a round.
    stopped : str
        Why training ended: "epochs", "plateau", "max_seconds", "callback", "interrupted",
        "diverged", "membership", or "nothing to learn" for a table without a code.
    """

    sampler: Sampler
    critic: Critic | PairCritic
    plan: ResolvedPlan
    layout: Layout
    history: list[Record] = field(default_factory=list)
    stopped: str = "epochs"

    @property
    def networks(self) -> Critic:
        """The critic, where it is made of networks.

        Raises
        ------
        TypeError
            If it is a table.
        """
        if isinstance(self.critic, PairCritic):
            raise TypeError("the critic of a private fit is a table, and has no hidden layers")
        return self.critic

    @torch.no_grad()
    def score(self, matrix: EncodedMatrix) -> np.ndarray:
        """The critic's scores, of shape (rows,); higher looks more like a training row."""
        if self.layout.width == 0:
            return np.zeros(matrix.rows)
        chunks = range(0, matrix.rows, SCORING_ROWS)
        return np.concatenate([self._score_chunk(matrix, start) for start in chunks])

    def _score_chunk(self, matrix: EncodedMatrix, start: int) -> np.ndarray:
        chosen = slice(start, start + SCORING_ROWS)
        offsets = torch.as_tensor(self.layout.choice_offsets[: matrix.codes.shape[1]])
        codes, scalars = (
            torch.as_tensor(matrix.codes[chosen]),
            torch.as_tensor(matrix.scalars[chosen]),
        )
        rows = one_hot_rows(codes, scalars, offsets, self.layout)
        if isinstance(self.critic, PairCritic):
            found: np.ndarray = self.critic(rows).double().numpy()
            return found
        device = next(self.critic.parameters()).device
        rows = rows.to(device)
        rows = CriticFeatures(self.layout, self.plan.scalar_bins).to(device)(rows)
        # conditional critics also see a condition vector: an empty one asks for nothing
        context = self.critic.input_size // self.plan.pack - rows.shape[1]
        rows = torch.nn.functional.pad(rows, (0, context))
        scores: Tensor = self.critic(rows.repeat(1, self.plan.pack))
        return scores.double().cpu().numpy()

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-safe header and arrays, for the model file."""
        nets: dict[str, torch.nn.Module] = {"generator": self.sampler.generator}
        arrays: dict[str, np.ndarray] = {}
        if isinstance(self.critic, PairCritic):
            arrays = {f"pairs.{name}": array for name, array in self.critic.to_arrays().items()}
        else:
            nets["critic"] = self.critic
        arrays |= {
            f"{name}.{key}": value.cpu().numpy()
            for name, net in nets.items()
            for key, value in net.state_dict().items()
        }
        if self.sampler.frequencies is not None:
            arrays["frequencies"] = self.sampler.frequencies.cpu().numpy()
        return {"plan": self.plan.to_dict(), "stopped": self.stopped}, arrays

    @classmethod
    def from_state(
        cls, header: dict[str, Any], arrays: dict[str, np.ndarray], layout: Layout
    ) -> Trained:
        """The reverse of `to_state`; the history is kept by the caller."""
        plan = ResolvedPlan.from_dict(header["plan"])
        tensors = {name: torch.as_tensor(np.array(value)) for name, value in arrays.items()}
        frequencies = tensors.pop("frequencies", None)
        conditional = frequencies is not None
        generator = build_generator(layout, plan, 0, conditional)
        generator.load_state_dict(part(tensors, "generator."))
        sampler = _sampler(generator, layout, frequencies)
        if pairs := part(arrays, "pairs."):
            table = PairCritic.from_arrays(layout, pairs)
            return cls(sampler, table, plan, layout, [], header["stopped"])
        critic = build_critic(layout, plan, 0, conditional)
        critic.load_state_dict(part(tensors, "critic."))
        critic.eval().requires_grad_(False)
        return cls(sampler, critic, plan, layout, [], header["stopped"])


def train(
    matrix: EncodedMatrix,
    layout: Layout,
    plan: Plan,
    *,
    seed: int,
    deadline: float | None = None,
    device: str = "cpu",
    quality: Callable[[Sampler], Check] | None = None,
    callbacks: Sequence[Callback] = (),
    most_membership: float = 1.0,
) -> Trained:
    """Train a pair on an encoded table.

    Parameters
    ----------
    matrix : EncodedMatrix
        The rows.
    layout : Layout
        What they are made of.
    plan : Plan
        Objective, sizes and rates; "auto" is settled here.
    seed : int
        Fixes weights and draws.
    deadline : float or None
        Reading of ``time.monotonic()`` by which training must have ended.
    device : str, default "cpu"
        Where to train.
    quality : callable or None
        Judges a sampler by rows it has not seen.
    callbacks : sequence of callable
        Called with each record of the history; a true return value stops training.
    most_membership : float, default 1.0
        Training ends where `quality` finds an attack that tells more of who was trained on.

    Returns
    -------
    Trained
        On the CPU, whatever it was trained on.

    Raises
    ------
    TrainingError
        If every restart diverged before any state was usable.
    """
    resolved = plan.resolve(matrix.rows, layout, device)
    if layout.width == 0:
        return _nothing_to_learn(layout, resolved)
    _warn_of_a_wild_rate(resolved)
    game = TableGame(matrix, layout, resolved, seed, device)
    sampler = _sampler(game.average, layout, game.frequencies)
    trainer = Trainer(
        game,
        Budget(resolved.steps, deadline),
        peak_rate=resolved.learning_rate,
        rows_per_step=resolved.batch_size,
        steps_per_epoch=resolved.steps_per_epoch,
        quality=None if quality is None else lambda: quality(sampler),
        stop_on_plateau=resolved.stop_on_plateau,
        callbacks=callbacks,
        most_membership=most_membership,
    )
    stopped = trainer.run()
    game.settle()
    frequencies = None if game.frequencies is None else game.frequencies.cpu()
    generator, critic = game.release()
    sampler = _sampler(generator, layout, frequencies)
    return Trained(sampler, critic, resolved, layout, trainer.history, stopped)


def _warn_of_a_wild_rate(plan: ResolvedPlan) -> None:
    usual = plan.game.learning_rate
    if plan.learning_rate > WILD * usual:
        warnings.warn(
            f"learning_rate={plan.learning_rate:g} is {plan.learning_rate / usual:.0f} times what "
            f"objective {plan.objective!r} is balanced for ({usual:g}): training may swing between "
            "parts of the table; it goes back and halves the rate where quality falls",
            SynthganWarning,
            stacklevel=2,
        )


def _sampler(generator: MLPGenerator, layout: Layout, frequencies: Tensor | None) -> Sampler:
    return Sampler(generator.requires_grad_(False), layout, frequencies)


def _nothing_to_learn(layout: Layout, plan: ResolvedPlan) -> Trained:
    """A table of constants: its one row needs no game."""
    sampler = _sampler(build_generator(layout, plan, 0, False), layout, None)
    return Trained(
        sampler, build_critic(layout, plan, 0, False), plan, layout, [], "nothing to learn"
    )
