"""Games: who plays, and what one step is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.auxiliary import contradiction, feature_gap
from synthgan.nets.critics import Critic, MLPCritic, SpectralLinear
from synthgan.nets.features import CriticFeatures
from synthgan.nets.mlp import MLPGenerator
from synthgan.nets.noise import Noise, option_context
from synthgan.nets.objectives import around, between, one_centred_penalty, zero_centred_penalty
from synthgan.training.plan import ResolvedPlan
from synthgan.training.players import (
    State,
    build_critic,
    build_generator,
    build_predictor,
    first_broken,
    start_at_shares,
)
from synthgan.training.replay import Replay
from synthgan.training.rows import ConditionDraw, DeviceRows
from synthgan.training.weights import Weights, averaged, restore_all, snapshot_all

AVERAGE_DECAY = 0.999
# rows whose slopes are held to 0 in a move of the critic: more tell little more and cost much
SLOPE_ROWS = 250
# share of pairs that a critic ranks rightly: above the first it overpowers the generator, below the
# second it may have its full rate again; the factor and floor of its rate, and rounds to believe it
OVERPOWERED, BALANCED = 0.98, 0.9
SLOWING, SLOWEST, PATIENT_ROUNDS = 0.8, 0.1, 20
Losses = dict[str, Tensor]


class TableGame:
    """A generator and a critic, or several, over the rows of one table.

    In one step a batch of rows is drawn and as many are generated. The critics learn to tell them
    apart, in as many moves as the plan says, each on a part of its own; then the generator answers
    with the whole batch, on the critics just improved. The exponential average of the generator is
    what is sampled from.

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
        if self.conditions is None:
            start_at_shares(self.generator, self.rows.shares())
        self.features = CriticFeatures(layout, plan.scalar_bins).to(device)
        self.critic = build_critic(layout, plan, seed + 1, conditional).to(device)
        self.predictor = build_predictor(layout, plan, seed)
        self.average, self._average = averaged(self.generator)
        self._spectral = [net for net in self.critic.modules() if isinstance(net, SpectralLinear)]
        self.noise = Noise(self.generator, self.frequencies)
        self._steps = 0
        # in tensors, so that a recorded step sees them change
        self._rate, self._share, self._noise_size = torch.zeros(3, device=device).unbind()
        self._critic_rate = torch.zeros((), device=device)
        self._penalty = torch.tensor(float(plan.penalty), device=device)
        self._held_back, self._ahead = 1.0, 0
        players: dict[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        if self.predictor is not None:
            players["predictor"] = self.predictor.to(device)
        self._dtype = torch.bfloat16 if plan.precision == "bfloat16" else torch.float32
        self._weights = {
            name: Weights(
                net,
                self._critic_rate if name == "critic" else self._rate,
                plan.game.betas,
                self._dtype,
            )
            for name, net in players.items()
        }
        on_gpu = torch.device(device).type == "cuda"
        self._moves = Replay(self._play, self._stream) if on_gpu else self._play

    @property
    def frequencies(self) -> Tensor | None:
        """True frequencies of the condition vector's options, where the game has one."""
        return None if self.conditions is None else self.conditions.frequencies

    def step(self, learning_rate: float, progress: float = 0.0) -> Losses:
        """The critic's moves and one of the generator; the losses of the last ones, detached."""
        self._steps += 1
        self._rate.fill_(learning_rate)
        self._critic_rate.fill_(learning_rate * self._held_back)
        self._noise_size.fill_(self.plan.instance_noise * (1.0 - progress))
        # a short memory at first, or the untrained weights would weigh on short runs
        self._share.fill_(1.0 - min(AVERAGE_DECAY, self._steps / (self._steps + 10)))
        return self._moves()

    def _play(self) -> Losses:
        option, context = self._ask()
        raw, fake = self._generate(context)
        real = self._draw_real(option)
        shown_real, shown_fake = self._shown(real, context), self._shown(fake, context)
        parts = (shown.detach().chunk(self.plan.critic_steps) for shown in (shown_real, shown_fake))
        for real_part, fake_part in zip(*parts, strict=True):
            losses = self._critic_move(real_part, fake_part)
        loss = self._answer(shown_real, shown_fake)
        if self.conditions is not None and option is not None:
            loss = loss + self.conditions.loss(raw, option)
        if self.predictor is not None:
            loss = loss + self.plan.target_weight * self._predictor_move(real, fake)
        self._weights["generator"].descend(loss)
        self._update_average()
        return {**losses, "generator_loss": loss.detach()}

    def _ask(self) -> tuple[Tensor | None, Tensor | None]:
        """Of conditional games: the options that the rows of this step have, one-hot as well."""
        if self.conditions is None:
            return None, None
        option = self.conditions.draw(self.plan.batch_size, self._stream)
        return option, option_context(option, self.layout.n_options)

    def _generate(self, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Raw outputs and rows of a batch of fresh latents, under a condition vector if given."""
        latent, gumbel = self.noise.draw(self.plan.batch_size, self._stream, self.device)
        if context is not None:
            latent = torch.cat([latent[:, : self.noise.latent_size], context], dim=1)
        raw = self.generator.raw(latent)
        return raw, self.generator.heads(raw, gumbel)

    def _draw_real(self, option: Tensor | None) -> Tensor:
        """A batch of real rows, in conditional games with these options."""
        if self.conditions is None or option is None:
            return self.rows[self.rows.draw(self.plan.batch_size, self._stream)]
        return self.rows[self.conditions.rows_with(option, self._stream)]

    def _shown(self, rows: Tensor, context: Tensor | None) -> Tensor:
        """What a critic gets to see: features of noisy rows, beside their condition, packed."""
        if self.plan.instance_noise:
            noise = torch.randn(rows.shape, generator=self._stream, device=self.device)
            rows = rows + self._noise_size * noise
        rows = self.features(rows)
        if context is not None:
            rows = torch.cat([rows, context], dim=1)
        return rows.reshape(len(rows) // self.plan.pack, -1).to(self._dtype)

    def _critic_move(self, real: Tensor, fake: Tensor) -> Losses:
        for layer in self._spectral:
            layer.iterate()
        found = [self._critic_losses(critic, real, fake) for critic in self.critic.members]
        adversarial, penalty, lead = (torch.stack(parts) for parts in zip(*found, strict=True))
        self._weights["critic"].descend((adversarial + self._penalty * penalty).sum())
        if self.plan.game.clip:
            self._weights["critic"].clip(self.plan.game.clip)
        means = {"critic_loss": adversarial, "penalty": penalty, "critic_lead": lead}
        return {name: value.mean().detach() for name, value in means.items()}

    def _critic_losses(
        self, critic: MLPCritic, real: Tensor, fake: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One critic's adversarial loss, its gradient penalty, and its lead."""
        game, both = self.plan.game, torch.cat([real, fake])
        masks = critic.masks(len(both), self._stream)
        if self.plan.penalty == 0.0:
            scores = critic.judge(both, masks, 2)[0]
            adversarial = game.critic(*scores.chunk(2))
            return adversarial, torch.zeros_like(adversarial), _lead(scores)
        if game.penalty_at == "ends":
            every = max(1, len(both) // SLOPE_ROWS)
            scores, slope = critic.score_and_slope(both, masks, 2, every)
            # the mean over both halves is half the sum of R1 and R2
            return game.critic(*scores.chunk(2)), zero_centred_penalty(slope), _lead(scores)
        scores = critic.judge(both, masks, 2)[0]
        if game.penalty_at == "between":
            points = between(real, fake, self._stream)
        else:
            points = around(real, self._stream)
        masks = critic.masks(len(points), self._stream)
        slope = critic.score_and_slope(points, masks)[1]
        return game.critic(*scores.chunk(2)), one_centred_penalty(slope), _lead(scores)

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
        real_error = self.predictor.error(real)
        self._weights["predictor"].descend(real_error)
        return contradiction(self.predictor.error(fake), real_error)

    @torch.no_grad()
    def _update_average(self) -> None:
        self._average.lerp_(self._weights["generator"].master, self._share)

    def calm(self) -> None:
        """Double the penalty."""
        self._penalty.mul_(2.0)

    def balance(self, losses: Mapping[str, float]) -> None:
        """Slow the critic down while it tells nearly every pair apart, round after round."""
        lead = losses.get("critic_lead", 0.5)
        self._ahead = self._ahead + 1 if lead > OVERPOWERED else 0
        if self._ahead >= PATIENT_ROUNDS:
            self._held_back = max(SLOWEST, self._held_back * SLOWING)
        elif lead < BALANCED:
            self._held_back = min(1.0, self._held_back / SLOWING)

    @torch.no_grad()
    def broken_column(self) -> str | None:
        """The first column whose raw outputs are not finite, in the order of the table."""
        latent, _ = self.noise.draw(64, self._stream, self.device)
        return first_broken(self.generator.raw(latent), self.layout)

    def settle(self) -> None:
        """What is left to do once training is over, on the state that was kept."""
        option, context = self._ask()
        shown = self._shown(self._draw_real(option), context)
        for critic in self.critic.members:
            critic.settle(shown)

    def release(self) -> tuple[MLPGenerator, Critic]:
        """The averaged generator and the critic, in full precision and on the CPU."""
        self._weights["critic"].release()
        return self.average.cpu(), self.critic

    def snapshot(self) -> State:
        """A copy of everything a later `restore` needs, on the device."""
        return snapshot_all(self._average, self._weights)

    def restore(self, state: State) -> None:
        """Go back to a snapshot; the optimisers start afresh."""
        restore_all(self._average, self._weights, state)


def _lead(scores: Tensor) -> Tensor:
    """Share of pairs of a real and a fake row that are ranked rightly."""
    real, fake = scores.detach().chunk(2)
    return (real > fake).float().mean()
