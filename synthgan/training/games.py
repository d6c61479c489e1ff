"""Games: who plays, and what one step is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.auxiliary import contradiction, feature_gap
from synthgan.nets.critics import MLPCritic, SpectralLinear
from synthgan.nets.noise import Noise, option_context
from synthgan.nets.objectives import around, between, one_centred_penalty, zero_centred_penalty
from synthgan.training.plan import ResolvedPlan
from synthgan.training.players import State, build_critic, build_generator, build_predictor, part
from synthgan.training.replay import Replay
from synthgan.training.rows import ConditionDraw, DeviceRows

AVERAGE_DECAY = 0.999
Losses = dict[str, Tensor]


class TableGame:
    """A generator and a critic, or several, over the rows of one table.

    In one step the critics learn, as often as the plan says, to tell a batch of rows from generated
    ones; then the generator answers with the latents of the last batch, on the critics just
    improved. The exponential average of the generator is what is sampled from.

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
        self.predictor = build_predictor(layout, plan, seed)
        self.average = deepcopy(self.generator).requires_grad_(False)
        self._spectral = [net for net in self.critic.modules() if isinstance(net, SpectralLinear)]
        self.noise = Noise(self.generator, self.frequencies)
        self._steps = 0
        # in tensors, so that a recorded step sees them change
        self._rate, self._share, self._noise_size = torch.zeros(3, device=device).unbind()
        on_gpu = torch.device(device).type == "cuda"
        players: list[nn.Module] = [self.generator, self.critic]
        if self.predictor is not None:
            players.append(self.predictor.to(device))
        self._optimisers = [
            torch.optim.Adam(
                net.parameters(), self._rate, plan.game.betas, fused=True, capturable=on_gpu
            )
            for net in players
        ]
        self._moves = Replay(self._play, self._stream) if on_gpu else self._play

    @property
    def frequencies(self) -> Tensor | None:
        """True frequencies of the condition vector's options, where the game has one."""
        return None if self.conditions is None else self.conditions.frequencies

    def step(self, learning_rate: float, progress: float = 0.0) -> Losses:
        """The critic's moves and one of the generator; the losses of the last ones, detached."""
        self._steps += 1
        self._rate.fill_(learning_rate)
        self._noise_size.fill_(self.plan.instance_noise * (1.0 - progress))
        # a short memory at first, or the untrained weights would weigh on short runs
        self._share.fill_(1.0 - min(AVERAGE_DECAY, self._steps / (self._steps + 10)))
        return self._moves()

    def _play(self) -> Losses:
        for _ in range(self.plan.critic_steps):
            real, context, option = self._draw_real()
            raw, fake = self._generate(context)
            losses = self._critic_move(self._shown(real, context), self._shown(fake, context))
        with self._frozen_critic(), self._autocast():
            loss = self._answer(self._shown(real, context), self._shown(fake, context))
            if self.conditions is not None and option is not None:
                loss = loss + self.conditions.loss(raw, option)
        if self.predictor is not None:
            loss = loss + self.plan.target_weight * self._predictor_move(real, fake)
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

    def _shown(self, rows: Tensor, context: Tensor | None) -> Tensor:
        """What a critic gets to see: rows with noise, beside their condition, packed."""
        if self.plan.instance_noise:
            noise = torch.randn(rows.shape, generator=self._stream, device=self.device)
            rows = rows + self._noise_size * noise
        if context is not None:
            rows = torch.cat([rows, context], dim=1)
        return rows.reshape(len(rows) // self.plan.pack, -1)

    def _critic_move(self, real: Tensor, fake: Tensor) -> Losses:
        fake = fake.detach()
        for layer in self._spectral:
            layer.iterate()
        with self._autocast():
            found = [self._critic_losses(critic, real, fake) for critic in self.critic.members]
        adversarial, penalty = (torch.stack(parts) for parts in zip(*found, strict=True))
        self._descend(1, (adversarial + self.plan.penalty * penalty).sum())
        self._clip()
        return {"critic_loss": adversarial.mean().detach(), "penalty": penalty.mean().detach()}

    def _critic_losses(
        self, critic: MLPCritic, real: Tensor, fake: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One critic's adversarial loss and its gradient penalty."""
        game, both = self.plan.game, torch.cat([real, fake])
        masks = critic.masks(len(both), self._stream)
        if self.plan.penalty == 0.0:
            adversarial = game.critic(*critic.judge(both, masks, 2)[0].chunk(2))
            return adversarial, torch.zeros_like(adversarial)
        if game.penalty_at == "ends":
            scores, slope = critic.score_and_slope(both, masks, 2)
            # the mean over both halves is half the sum of R1 and R2
            return game.critic(*scores.chunk(2)), zero_centred_penalty(slope)
        scores = critic.judge(both, masks, 2)[0]
        if game.penalty_at == "between":
            points = between(real, fake, self._stream)
        else:
            points = around(real, self._stream)
        masks = critic.masks(len(points), self._stream)
        slope = critic.score_and_slope(points, masks)[1]
        return game.critic(*scores.chunk(2)), one_centred_penalty(slope)

    def _answer(self, real: Tensor, fake: Tensor) -> Tensor:
        """The generator's loss by the critics: their mean, or that of the hardest one."""
        losses = [self._answer_to(critic, real, fake) for critic in self.critic.members]
        if len(losses) == 1:
            return losses[0]
        votes = torch.stack(losses)
        return votes.amax() if self.plan.critic_vote == "hardest" else votes.mean()

    def _answer_to(self, critic: MLPCritic, real: Tensor, fake: Tensor) -> Tensor:
        with torch.no_grad():
            real_scores, real_hidden = critic.judge(real, critic.masks(len(real), self._stream))
        scores, hidden = critic.judge(fake, critic.masks(len(fake), self._stream))
        loss = self.plan.game.generator(real_scores, scores)
        if self.plan.feature_matching:
            loss = loss + self.plan.feature_matching * feature_gap(real_hidden, hidden)
        return loss

    def _predictor_move(self, real: Tensor, fake: Tensor) -> Tensor:
        """The predictor learns from real rows; what the generator pays for contradicting it."""
        assert self.predictor is not None
        with self._autocast():
            real_error = self.predictor.error(real)
        self._descend(2, real_error)
        self.predictor.requires_grad_(False)
        with self._autocast():
            paid = contradiction(self.predictor.error(fake), real_error)
        self.predictor.requires_grad_(True)
        return paid

    @torch.no_grad()
    def _clip(self) -> None:
        if bound := self.plan.game.clip:
            weights = [weight.data for weight in self.critic.parameters()]
            torch._foreach_clamp_min_(weights, -bound)
            torch._foreach_clamp_max_(weights, bound)

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

    def settle(self) -> None:
        """What is left to do once training is over, on the state that was kept."""
        rows, context, _ = self._draw_real()
        for critic in self.critic.members:
            critic.settle(self._shown(rows, context))

    @property
    def _nets(self) -> dict[str, nn.Module]:
        nets: dict[str, nn.Module | None] = {
            "generator": self.generator,
            "critic": self.critic,
            "average": self.average,
            "predictor": self.predictor,
        }
        return {name: net for name, net in nets.items() if net is not None}

    def snapshot(self) -> State:
        """A copy of everything a later `restore` needs, on the device."""
        return {
            f"{name}.{key}": value.clone()
            for name, net in self._nets.items()
            for key, value in net.state_dict().items()
        }

    def restore(self, state: State) -> None:
        """Go back to a snapshot; the optimisers start afresh."""
        for name, net in self._nets.items():
            net.load_state_dict(part(state, name))
        for optimiser in self._optimisers:
            for moments in optimiser.state.values():
                for moment in moments.values():
                    # in place: a recorded step goes on with the same memory
                    moment.zero_()
