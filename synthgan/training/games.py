"""Games: who plays, and what one step is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.mlp import MLPCritic, MLPGenerator
from synthgan.nets.noise import Noise, option_context
from synthgan.nets.objectives import between, one_centred_penalty, zero_centred_penalty
from synthgan.training.plan import ResolvedPlan
from synthgan.training.replay import Replay
from synthgan.training.rows import ConditionDraw, DeviceRows

AVERAGE_DECAY = 0.999
Losses = dict[str, Tensor]
State = dict[str, Tensor]
Net = TypeVar("Net", bound=nn.Module)


class TableGame:
    """A generator and a critic over the rows of one table.

    In one step the critic learns, as often as the objective says, to tell a batch of rows from
    generated ones; then the generator answers with the latents of the last batch, on the critic
    just improved. The exponential average of the generator is what is sampled from.

    Parameters
    ----------
    matrix : EncodedMatrix
        The rows.
    layout : Layout
        What they are made of.
    plan : ResolvedPlan
        Sizes and rates.
    seed : int
        Fixes the initial weights and every draw.
    device : str
        Where to play.
    """

    def __init__(
        self, matrix: EncodedMatrix, layout: Layout, plan: ResolvedPlan, seed: int, device: str
    ) -> None:
        self.plan, self.layout, self.device = plan, layout, device
        self.rows = DeviceRows(matrix, layout, device)
        conditional = plan.game.conditional and layout.n_options > 0
        self.conditions = ConditionDraw(self.rows) if conditional else None
        self._stream = torch.Generator(device).manual_seed(seed)
        self.generator = build_generator(layout, plan, seed, conditional).to(device)
        self.critic = build_critic(layout, plan, seed + 1, conditional).to(device)
        self.average = deepcopy(self.generator).requires_grad_(False)
        self.noise = Noise(self.generator, self.frequencies)
        self._steps = 0
        # in tensors, so that a recorded step sees them change
        self._rate, self._share = torch.zeros(2, device=device).unbind()
        on_gpu = torch.device(device).type == "cuda"
        self._optimisers = [
            torch.optim.Adam(
                net.parameters(), self._rate, plan.game.betas, fused=True, capturable=on_gpu
            )
            for net in (self.generator, self.critic)
        ]
        self._moves = Replay(self._play, self._stream) if on_gpu else self._play

    @property
    def frequencies(self) -> Tensor | None:
        """True frequencies of the condition vector's options, where the game has one."""
        return None if self.conditions is None else self.conditions.frequencies

    def step(self, learning_rate: float) -> Losses:
        """The critic's moves and one of the generator; the losses of the last ones, detached."""
        self._steps += 1
        self._rate.fill_(learning_rate)
        # a short memory at first, or the untrained weights would weigh on short runs
        self._share.fill_(1.0 - min(AVERAGE_DECAY, self._steps / (self._steps + 10)))
        return self._moves()

    def _play(self) -> Losses:
        for _ in range(self.plan.game.critic_steps):
            real, context, option = self._draw_real()
            raw, fake = self._generate(context)
            losses = self._critic_move(self._packed(real, context), self._packed(fake, context))
        with self._frozen_critic(), self._autocast():
            with torch.no_grad():
                real_scores = self.critic(self._packed(real, context))
            loss = self.plan.game.generator(real_scores, self.critic(self._packed(fake, context)))
            if self.conditions is not None and option is not None:
                loss = loss + self.conditions.loss(raw, option)
        with self._frozen_critic():
            self._descend(0, loss)
        self._update_average()
        return {**losses, "generator_loss": loss.detach()}

    def _generate(self, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Raw outputs and rows of a batch of fresh latents, under a condition vector if given."""
        latent, gumbel = self.noise.draw(self.plan.batch_size, self._stream, self.device)
        if context is not None:
            latent = torch.cat([latent[:, : self.noise.latent_size], context], dim=1)
        with self._autocast():
            raw = self.generator.raw(latent)
            return raw, self.generator.heads(raw, gumbel)

    def _draw_real(self) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """A batch of real rows, with condition vector and option in conditional games."""
        count = self.plan.batch_size
        if self.conditions is None:
            return self.rows[self.rows.draw(count, self._stream)], None, None
        option, index = self.conditions.draw(count, self._stream)
        return self.rows[index], option_context(option, self.layout.n_options), option

    def _packed(self, rows: Tensor, context: Tensor | None) -> Tensor:
        """Rows beside their condition, `pack` of them side by side."""
        if context is not None:
            rows = torch.cat([rows, context], dim=1)
        return rows.reshape(len(rows) // self.plan.game.pack, -1)

    def _critic_move(self, real: Tensor, fake: Tensor) -> Losses:
        game, fake = self.plan.game, fake.detach()
        with self._autocast():
            if game.penalty_at == "ends":
                scores, slope = self.critic.score_and_slope(torch.cat([real, fake]))
                # the mean over both halves is half the sum of R1 and R2
                penalty = zero_centred_penalty(slope)
            else:
                scores = self.critic(torch.cat([real, fake]))
                slope = self.critic.score_and_slope(between(real, fake, self._stream))[1]
                penalty = one_centred_penalty(slope)
            adversarial = game.critic(*scores.chunk(2))
        self._descend(1, adversarial + self.plan.penalty * penalty)
        return {"critic_loss": adversarial.detach(), "penalty": penalty.detach()}

    def _descend(self, player: int, loss: Tensor) -> None:
        self._optimisers[player].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimisers[player].step()

    @torch.no_grad()
    def _update_average(self) -> None:
        average = [weight.data for weight in self.average.parameters()]
        present = [weight.data for weight in self.generator.parameters()]
        torch._foreach_lerp_(average, present, [self._share] * len(average))

    @contextmanager
    def _frozen_critic(self) -> Iterator[None]:
        self.critic.requires_grad_(False)
        try:
            yield
        finally:
            self.critic.requires_grad_(True)

    @torch.no_grad()
    def broken_column(self) -> str | None:
        """The first column whose raw outputs are not finite, in the order of the table."""
        latent, _ = self.noise.draw(64, self._stream, self.device)
        fine = torch.isfinite(self.generator.raw(latent)).all(dim=0).cpu()
        ends = [*self.layout.choice_sizes, *[1] * self.layout.n_scalars]
        names = [span.column for span in (*self.layout.choices, *self.layout.scalars)]
        parts = torch.split(fine, [int(size) for size in ends])
        return next((n for n, p in zip(names, parts, strict=True) if not bool(p.all())), None)

    def _autocast(self) -> torch.autocast:
        kind = torch.device(self.device).type
        enabled = self.plan.precision == "bfloat16"
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=enabled)

    def snapshot(self) -> State:
        """A copy of everything a later `restore` needs, on the device."""
        nets = {"generator": self.generator, "critic": self.critic, "average": self.average}
        return {
            f"{name}.{key}": value.clone()
            for name, net in nets.items()
            for key, value in net.state_dict().items()
        }

    def restore(self, state: State) -> None:
        """Go back to a snapshot; the optimisers start afresh."""
        nets = {"generator": self.generator, "critic": self.critic, "average": self.average}
        for name, net in nets.items():
            net.load_state_dict(part(state, name))
        for optimiser in self._optimisers:
            for moments in optimiser.state.values():
                for moment in moments.values():
                    # in place: a recorded step goes on with the same memory
                    moment.zero_()


def part(state: State, name: str) -> State:
    """The entries of one network in a state, without its prefix."""
    return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}


def build_generator(
    layout: Layout, plan: ResolvedPlan, seed: int, conditional: bool
) -> MLPGenerator:
    """A fresh generator whose weights depend on the seed alone."""
    context = layout.n_options if conditional else 0
    net = MLPGenerator(layout, plan.latent_size, plan.width, plan.depth, context)
    return initialise(net, seed)


def build_critic(layout: Layout, plan: ResolvedPlan, seed: int, conditional: bool) -> MLPCritic:
    """A fresh critic, twice as wide as the generator."""
    size = layout.width + (layout.n_options if conditional else 0)
    return initialise(MLPCritic(size * plan.game.pack, 2 * plan.width, plan.depth), seed)


def initialise(net: Net, seed: int) -> Net:
    """Torch's own uniform start of linear layers, drawn from a stream of our own."""
    stream = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Linear):
            bound = max(1, module.in_features) ** -0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=stream)
            nn.init.uniform_(module.bias, -bound, bound, generator=stream)
    return net
