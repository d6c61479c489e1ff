"""The adversarial objectives: pure functions on scores and slopes, one table of them.

Sources: minimax and non-saturating, Goodfellow et al. 2014; least squares, Mao et al. 2017; hinge,
Lim & Ye 2017 and Miyato et al. 2018; WGAN with clipped weights, Arjovsky et al. 2017; WGAN-GP,
Gulrajani et al. 2017; DRAGAN, Kodali et al. 2017; relativistic pairing, Jolicoeur-Martineau 2018,
with zero-centred penalties on real and on fake rows (R1, R2), Mescheder et al. 2018 and Huang et
al. 2024, "The GAN is dead; long live the GAN!"; the conditional game, Xu et al. 2019 ("Modeling
tabular data using conditional GAN") with PacGAN's packing, Lin et al. 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

# how far DRAGAN looks around real rows, in standard deviations of the batch (Kodali et al., 2017)
AROUND = 0.5
PairLoss = Callable[[Tensor, Tensor], Tensor]
PenaltyPlace = Literal["ends", "between", "around"]


def relativistic_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Mean softplus(D(fake) - D(real)) over pairs of scores, each of shape (rows,)."""
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss with the sides exchanged."""
    return softplus(real - fake).mean()


def classifier_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Cross-entropy of telling real rows from fake ones, scores being log-odds of real."""
    return softplus(-real).mean() + softplus(fake).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Mean log-probability that the critic sees through fake rows: flat where it always does."""
    return -softplus(fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the mean log-probability that fake rows pass as real: steep where they never do."""
    return softplus(-fake).mean()


def least_squares_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Half the squared distance of real scores from 1 and of fake ones from 0."""
    return 0.5 * ((real - 1.0).square().mean() + fake.square().mean())


def least_squares_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Half the squared distance of fake scores from 1."""
    return 0.5 * (fake - 1.0).square().mean()


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    """How far real scores stay below 1 and fake ones above -1."""
    return relu(1.0 - real).mean() + relu(1.0 + fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Mean D(fake) - mean D(real): minus the estimated earth mover's distance."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the mean score of fake rows; the answer to the hinge too."""
    return -fake.mean()


class _SquaredNorm(torch.autograd.Function):
    """Sum of all squares, without a copy of the numbers in full precision."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        norm: Tensor = torch.linalg.vector_norm(slope, dtype=torch.float32)
        return norm.square()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        slope: Tensor = ctx.saved_tensors[0]
        return slope * (2.0 * grads[0]).to(slope.dtype)


def zero_centred_penalty(slope: Tensor) -> Tensor:
    """Mean squared norm of the critic's gradient, of shape (rows, width): R1 and R2."""
    squares: Tensor = _SquaredNorm.apply(slope)  # type: ignore[no-untyped-call]
    return squares / len(slope)


def one_centred_penalty(slope: Tensor) -> Tensor:
    """Mean squared distance of the gradient's norm from 1: WGAN-GP's and DRAGAN's penalty."""
    norm = (slope.float().square().sum(dim=-1) + 1e-12).sqrt()
    return (norm - 1.0).square().mean()


def between(real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """Points drawn uniformly on the lines between paired rows, where WGAN-GP looks at the slope."""
    share = torch.rand(len(real), 1, generator=generator, device=real.device)
    return fake + share * (real - fake)


def around(real: Tensor, generator: torch.Generator) -> Tensor:
    """Real rows moved by normal noise, where DRAGAN looks at the slope."""
    noise = torch.randn(real.shape, generator=generator, device=real.device)
    return real + AROUND * real.std(unbiased=False) * noise


@dataclass(frozen=True, slots=True)
class Objective:
    """One adversarial objective and the settings it is at home with.

    Attributes
    ----------
    critic, generator : callable
        Losses of the two players from the scores of real and fake rows.
    penalty_at : {"ends", "between", "around"}
        Whether the gradient penalty is zero-centred on real and fake rows, one-centred between
        them, or one-centred around real ones.
    penalty_weight, learning_rate : float
        Defaults for `penalty` and `learning_rate`.
    betas : tuple of float
        Adam's decay rates.
    pack : int
        Rows that the critic judges together (PacGAN).
    critic_steps : int
        Moves of the critic before the generator's one.
    critic_widths : int
        How many times as wide as the generator the critic is.
    clip : float
        Bound of the critic's weights after each of its moves; 0 for none.
    conditional : bool
        Whether the game hands both players a condition vector and trains by sampling (CTGAN).
    scores_rows : bool
        Whether the critic's loss is a sum over rows, real and fake ones apart, and its penalty can
        be left to a spectral norm or to clipped weights: what private training asks for.
    """

    critic: PairLoss
    generator: PairLoss
    penalty_at: PenaltyPlace
    penalty_weight: float
    learning_rate: float
    betas: tuple[float, float] = (0.0, 0.99)
    pack: int = 1
    critic_steps: int = 1
    critic_widths: int = 2
    clip: float = 0.0
    conditional: bool = False
    scores_rows: bool = False


OBJECTIVES: dict[str, Objective] = {
    "relativistic": Objective(
        relativistic_critic,
        relativistic_generator,
        "ends",
        penalty_weight=3.0,
        learning_rate=1e-3,
        critic_steps=2,
        critic_widths=1,
    ),
    "minimax": Objective(
        classifier_critic,
        minimax_generator,
        "ends",
        penalty_weight=10.0,
        learning_rate=1e-3,
        scores_rows=True,
    ),
    "non-saturating": Objective(
        classifier_critic,
        non_saturating_generator,
        "ends",
        penalty_weight=10.0,
        learning_rate=1e-3,
        scores_rows=True,
    ),
    "least-squares": Objective(
        least_squares_critic,
        least_squares_generator,
        "ends",
        penalty_weight=10.0,
        learning_rate=1e-3,
        scores_rows=True,
    ),
    "hinge": Objective(
        hinge_critic,
        wasserstein_generator,
        "ends",
        penalty_weight=10.0,
        learning_rate=1e-3,
        scores_rows=True,
    ),
    "wgan-clip": Objective(
        wasserstein_critic,
        wasserstein_generator,
        "ends",
        penalty_weight=0.0,
        learning_rate=5e-4,
        critic_steps=3,
        clip=0.03,
        scores_rows=True,
    ),
    "wgan-gp": Objective(
        wasserstein_critic,
        wasserstein_generator,
        "between",
        penalty_weight=10.0,
        learning_rate=5e-4,
        critic_steps=3,
    ),
    "dragan": Objective(
        classifier_critic,
        non_saturating_generator,
        "around",
        penalty_weight=1.0,
        learning_rate=5e-4,
        critic_steps=2,
    ),
    "conditional": Objective(
        wasserstein_critic,
        wasserstein_generator,
        "between",
        penalty_weight=10.0,
        learning_rate=5e-4,
        betas=(0.5, 0.9),
        pack=10,
        conditional=True,
    ),
}
