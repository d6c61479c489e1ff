"""DP-SGD for a critic: its slope on real rows is clipped, noisy, and paid for.

One move draws units by themselves (Poisson), cuts the slope of each row's loss to a length, adds
noise to their sum (Abadi et al., "Deep learning with differential privacy", CCS 2016), and adds the
slope on generated rows, which no row of the table has a part in. Loss and slope are sums over rows,
each with the critic's judgement of that row alone: so the objective has to be one that scores rows
and not pairs. The length follows the slopes by a noisy count of those that are shorter (Andrew,
Thakkar, McMahan and Ramaswamy, "Differentially private learning with adaptive clipping", NeurIPS
2021), which is part of the same purchase.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.critics import MLPCritic, SpectralLinear
from synthgan.nets.features import CriticFeatures
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.privacy.units import Units
from synthgan.training.plan import ResolvedPlan
from synthgan.training.players import initialise, shown_width
from synthgan.training.private.clipping import RowSlopes, judged, to_parameters
from synthgan.training.private.witness import Witness
from synthgan.training.rows import DeviceRows
from synthgan.training.weights import Weights

MOVES = "moves of the critic"
# length of slopes at the start, the share that is to be shorter, and how fast the length follows
FIRST_LENGTH, SHORTER, FOLLOWING = 1.0, 0.5, 0.2
# deviation of the noise on the count of shorter slopes, over the rows of a draw
COUNT_NOISE = 0.05
BETAS = (0.0, 0.99)
# rows that pass the network together: a large draw is added up
ROWS_AT_ONCE = 4_096


class NoisyCritic:
    """A critic that learns from rows through noisy slopes.

    Parameters
    ----------
    matrix : EncodedMatrix
        The rows.
    layout : Layout
        What they are made of.
    units : Units
        Whose they are.
    plan : ResolvedPlan
        Objective, sizes and rates.
    seed : int
        Fixes the first weights.
    rate : float
        The chance with which each unit is in a draw.
    expected : float
        Rows of a draw, as far as is known without counting them.
    ledger : Ledger
        Where each move is bought.
    noise : Noise
        Where noise and draws come from.
    device : str
        Where to play.
    witness : Witness, optional
        Who looks on, in an audit.
    """

    def __init__(
        self,
        matrix: EncodedMatrix,
        layout: Layout,
        units: Units,
        plan: ResolvedPlan,
        seed: int,
        *,
        rate: float,
        expected: float,
        ledger: Ledger,
        noise: Noise,
        device: str,
        witness: Witness | None = None,
    ) -> None:
        self.rows, self.units = DeviceRows(matrix, layout, device), units
        self._game, self._device = plan.game, device
        self._chance, self._expected = rate, expected
        self._ledger, self._noise = ledger, noise
        self.features = CriticFeatures(layout, plan.scalar_bins).to(device)
        size = shown_width(layout, plan, conditional=False)
        critic = MLPCritic(size, plan.critic_width, plan.depth, spectral_norm=not plan.game.clip)
        self.critic = initialise(critic, seed).to(device)
        self._spectral = [net for net in critic.modules() if isinstance(net, SpectralLinear)]
        self._rate = torch.zeros((), device=device)
        self._weights = Weights(critic, self._rate, BETAS, torch.float32)
        self.length, self.witness = FIRST_LENGTH, witness

    @property
    def nets(self) -> Mapping[str, Weights]:
        """The critic, by its name."""
        return {"critic": self._weights}

    def move(self, fake: Tensor, rate: float) -> None:
        """One paid move on a fresh draw of units, against these rows of shape (rows, width)."""
        entry = self._ledger.buy(MOVES)
        for layer in self._spectral:
            layer.iterate()
        drawn = torch.as_tensor(self.units.draw(self._chance, self._noise), device=self._device)
        per_unit = self._ledger.budget.rows_per_unit
        slope_noise, count_noise = noise_of_parts(entry.noise, self._expected)
        total, shorter = self._clipped(drawn)
        deviation = slope_noise * per_unit * self.length
        noisy = [part + self._normal(part, deviation) for part in total]
        if self.witness is not None:
            self.witness.saw_slopes(
                self._encoded_slopes,
                self.length,
                drawn.cpu().numpy(),
                self._chance,
                noisy,
                deviation,
            )
        count = shorter + count_noise * per_unit * float(self._noise.real(1, 1.0)[0])
        self._follow(count / self._expected)
        unpaid = self._on_fakes(fake)
        slopes = [real / self._expected + made for real, made in zip(noisy, unpaid, strict=True)]
        self._rate.fill_(rate)
        self._weights.follow(to_parameters(self.critic, slopes))
        if self._game.clip:
            self._weights.clip(self._game.clip)

    def _clipped(self, drawn: Tensor) -> tuple[list[Tensor], float]:
        """The sum of clipped slopes of the rows drawn, and how many are shorter, each less a half.

        A half less, a row counts half as much whether its slope is short or long.
        """
        sums: list[Tensor] = []
        shorter = 0.0
        for part in torch.split(drawn, ROWS_AT_ONCE):
            slopes = self._slopes_of(self.rows[part])
            found = slopes.total(slopes.kept(self.length))
            sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else found
            shorter += float((slopes.norms() <= self.length).sum()) - 0.5 * len(part)
        return sums, shorter

    def _slopes_of(self, rows: Tensor) -> RowSlopes:
        """The slopes of the losses of real rows of shape (rows, width)."""
        scores, inputs, outputs = judged(self.critic, self.features(rows))
        # of losses that score rows one by one, the other side's scores decide nothing
        losses = self._game.critic(scores, scores.new_zeros(1)) * len(rows)
        return RowSlopes(losses[None], inputs, outputs)

    def _encoded_slopes(self, matrix: EncodedMatrix) -> RowSlopes:
        rows = DeviceRows(matrix, self.rows.layout, self._device)
        return self._slopes_of(rows[torch.arange(matrix.rows, device=self._device)])

    def _on_fakes(self, fake: Tensor) -> list[Tensor]:
        scores, inputs, outputs = judged(self.critic, self.features(fake))
        loss = self._game.critic(scores.new_zeros(1), scores)
        return RowSlopes(loss[None], inputs, outputs).total(torch.ones(len(fake)).to(fake))

    def _normal(self, like: Tensor, deviation: float) -> Tensor:
        drawn = self._noise.real(like.numel(), deviation)
        return torch.as_tensor(drawn, device=like.device).view_as(like)

    def _follow(self, share: float) -> None:
        """Bring the length to where the wanted share of slopes is shorter."""
        self.length *= math.exp(-FOLLOWING * (share + 0.5 - SHORTER))

    def answer(self, fake: Tensor) -> Tensor:
        """The generator's loss by the critic, of rows of shape (rows, width)."""
        scores = self.critic(self.features(fake))
        return self._game.generator(torch.zeros_like(scores), scores)


def noise_of_parts(noise: float, expected: float) -> tuple[float, float]:
    """Deviations of the noise on slopes and on the count, that come to one purchase together.

    A row moves the sum of slopes by 1, in lengths, and the count by a half: both together are a
    vector, in which the parts' precisions add up.

    Examples
    --------
    >>> noise_of_parts(2.0, expected=1_000.0)
    (2.0004..., 50.0)
    """
    count = max(COUNT_NOISE * expected, noise)
    left = noise**-2 - (2.0 * count) ** -2
    return left**-0.5, count
