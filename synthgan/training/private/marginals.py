"""The game of marginals: a generator whose moments come to those of noisy tables.

What is matched are the two-way tables of all pairs of columns, and the one-way tables of each
(moment matching, after Li, Swersky and Zemel, "Generative moment matching networks", ICML 2015; by
private marginals as McKenna, Miklau and Sheldon, "Winning the NIST contest", 2021). All of it is
post-processing of what was bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from synthgan.data.marginals import Marginals
from synthgan.nets.mlp import MLPGenerator
from synthgan.nets.noise import Noise
from synthgan.nets.shares import Shares
from synthgan.training.plan import ResolvedPlan
from synthgan.training.players import build_generator, first_broken, start_at_shares
from synthgan.training.weights import State, Weights, averaged, restore_all, snapshot_all

AVERAGE_DECAY = 0.999
BETAS = (0.9, 0.99)
# knots by which the ranks of a scalar, even by their making, are kept even
RANK_KNOTS = 33
# share of a row that an option is taken to have at the start
LEAST_SHARE = 0.3
Losses = dict[str, Tensor]


class Opponent(Protocol):
    """A player that looks at rows, and whose looks are paid for."""

    @property
    def nets(self) -> Mapping[str, Weights]:
        """Its networks, by name."""

    def move(self, fake: Tensor, rate: float) -> None:
        """Learn to tell real rows from these, of shape (rows, width)."""

    def answer(self, fake: Tensor) -> Tensor:
        """The generator's loss."""


class MarginalGame:
    """A generator against noisy marginals, and against an opponent if there is one.

    Parameters
    ----------
    marginals : Marginals
        What is known of the table.
    plan : ResolvedPlan
        Sizes and rates.
    seed : int
        Fixes the initial weights and every latent: it decides nothing that protects a row.
    device : str
        Where to play.
    opponent : Opponent, optional
        Another player.
    """

    def __init__(
        self,
        marginals: Marginals,
        plan: ResolvedPlan,
        seed: int,
        device: str,
        opponent: Opponent | None = None,
    ) -> None:
        self.plan, self.layout, self.device = plan, marginals.cells.layout, device
        self.opponent = opponent
        self._stream = torch.Generator(device).manual_seed(seed)
        generator = build_generator(self.layout, plan, seed, conditional=False)
        # no option is so rare that it could not be drawn
        least = np.maximum(marginals.options, LEAST_SHARE / marginals.rows)
        start_at_shares(generator, torch.as_tensor(least))
        self.generator = generator.to(device)
        self.average, self._average = averaged(self.generator)
        self.noise = Noise(self.generator, None)
        self.mismatch = Mismatch(marginals).to(device)
        self._rate = torch.zeros((), device=device)
        self._steps = 0
        own = {"generator": Weights(self.generator, self._rate, BETAS, torch.float32)}
        self._weights = {**own, **({} if opponent is None else opponent.nets)}

    def step(self, learning_rate: float, progress: float = 0.0) -> Losses:
        """One move of the generator, after as many of the opponent's as the plan says."""
        self._steps += 1
        self._rate.fill_(learning_rate)
        if self.opponent is not None:
            for _ in range(self.plan.critic_steps):
                with torch.no_grad():
                    fake = self._rows()[1]
                self.opponent.move(fake, learning_rate)
        raw, rows = self._rows()
        gap = self.mismatch(raw)
        loss = gap
        if self.opponent is not None:
            loss = loss + self.opponent.answer(rows)
        self._weights["generator"].descend(loss)
        share = 1.0 - min(AVERAGE_DECAY, self._steps / (self._steps + 10))
        with torch.no_grad():
            self._average.lerp_(self._weights["generator"].master, share)
        return {"generator_loss": loss.detach(), "penalty": gap.detach()}

    def _rows(self) -> tuple[Tensor, Tensor]:
        latent, gumbel = self.noise.draw(self.plan.batch_size, self._stream, self.device)
        raw = self.generator.raw(latent)
        if self.opponent is None:
            return raw, raw
        return raw, self.generator.heads(raw, gumbel)

    def balance(self, losses: Mapping[str, float]) -> None:
        """Nobody to hold back."""

    def calm(self) -> None:
        """Nothing to make smoother."""

    @torch.no_grad()
    def broken_column(self) -> str | None:
        """The first column whose raw outputs are not finite, in the order of the table."""
        latent, _ = self.noise.draw(64, self._stream, self.device)
        return first_broken(self.generator.raw(latent), self.layout)

    def release(self) -> MLPGenerator:
        """The averaged generator, on the CPU."""
        return self.average.cpu()

    def snapshot(self) -> State:
        """A copy of everything a later `restore` needs, on the device."""
        return snapshot_all(self._average, self._weights)

    def restore(self, state: State) -> None:
        """Go back to a snapshot; the optimisers start afresh."""
        restore_all(self._average, self._weights, state)


class Mismatch(nn.Module):
    """How far the moments of raw outputs are from those that were bought, in squared deviations.

    The two halves of a batch are told apart, so that the mean of the loss is the squared gap of the
    moments themselves, without the variance of a batch.

    Parameters
    ----------
    marginals : Marginals
        What was bought.
    """

    pairs: Tensor
    apart: Tensor
    options: Tensor
    knots: Tensor
    even: Tensor

    def __init__(self, marginals: Marginals) -> None:
        super().__init__()
        self.shares = Shares(marginals.cells)
        apart = marginals.cells.apart
        knots = torch.linspace(-1.0, 1.0, RANK_KNOTS)
        even = torch.ones(RANK_KNOTS)
        even[0] = even[-1] = 0.5
        for name, value in {
            "pairs": torch.as_tensor(marginals.pairs, dtype=torch.float32),
            "apart": torch.as_tensor(apart, dtype=torch.float32),
            "options": torch.as_tensor(marginals.options, dtype=torch.float32),
            "knots": knots,
            "even": even / even.sum(),
        }.items():
            self.register_buffer(name, value, persistent=False)
        scale = max(float(apart.sum()) * len(marginals.pairs), 1.0)
        self._pair_weight = marginals.pair_error**-2 / scale
        self._one_weight = marginals.option_error**-2 / scale

    def forward(self, raw: Tensor) -> Tensor:
        """The gap of raw outputs of shape (rows, width), about 1 where noise is all of it."""
        halves = raw.tensor_split(2)
        first, second = (self._gaps(half) for half in halves)
        pairs = (self.apart * first[0] * second[0]).sum()
        one = (first[1] * second[1]).sum()
        return self._pair_weight * pairs + self._one_weight * one

    def _gaps(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        chances = self.shares.options(raw)
        shares = self.shares.under(chances, raw)
        pairs = self.shares.tables(shares) / len(raw) - self.pairs
        gaps = [chances.mean(dim=0) - self.options]
        if self.shares.n_scalars:
            gaps.append(self._ranks(raw, chances).flatten())
        return pairs, torch.cat(gaps)

    def _ranks(self, raw: Tensor, chances: Tensor) -> Tensor:
        """How far from even the ranks of scalars are, of shape (scalars, knots)."""
        alive = self.shares.heads.gates(chances)
        scalars = torch.tanh(raw[:, self.shares.n_options :])
        width = self.knots[1] - self.knots[0]
        hats = (1.0 - (scalars[:, :, None] - self.knots).abs() / width).clamp_min(0.0)
        found = (hats * alive[:, :, None]).mean(dim=0)
        gap: Tensor = found - alive.mean(dim=0)[:, None] * self.even
        return gap
