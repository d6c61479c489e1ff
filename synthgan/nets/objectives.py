"""The adversarial objectives: pure functions on scores and slopes, one table of them.

Sources: relativistic pairing, Jolicoeur-Martineau 2018; with zero-centred penalties on real and on
fake rows (R1, R2), Mescheder et al. 2018 and Huang et al. 2024, "The GAN is dead; long live the
GAN!"; WGAN-GP, Gulrajani et al. 2017; the conditional game, Xu et al. 2019 ("Modeling tabular data
using conditional GAN") with PacGAN's packing, Lin et al. 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

PairLoss = Callable[[Tensor, Tensor], Tensor]


def relativistic_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Mean softplus(D(fake) - D(real)) over pairs of scores, each of shape (rows,)."""
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss with the sides exchanged."""
    return softplus(real - fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Mean D(fake) - mean D(real): minus the estimated earth mover's distance."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the mean score of fake rows."""
    return -fake.mean()


def zero_centred_penalty(slope: Tensor) -> Tensor:
    """Mean squared norm of the critic's gradient, of shape (rows, width): R1 and R2."""
    return slope.square().sum(dim=1).mean()


def one_centred_penalty(slope: Tensor) -> Tensor:
    """Mean squared distance of the gradient's norm from 1: WGAN-GP's penalty."""
    norm = (slope.square().sum(dim=1) + 1e-12).sqrt()
    return (norm - 1.0).square().mean()


def between(real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """Points drawn uniformly on the lines between paired rows, where WGAN-GP looks at the slope."""
    share = torch.rand(len(real), 1, generator=generator, device=real.device)
    return fake + share * (real - fake)


@dataclass(frozen=True, slots=True)
class Objective:
    """One adversarial objective and the settings it is at home with.

    Attributes
    ----------
    critic, generator : callable
        Losses of the two players from the scores of real and fake rows.
    penalty_at : {"ends", "between"}
        Whether the gradient penalty is zero-centred on real and fake rows, or one-centred between.
    penalty_weight, learning_rate : float
        Defaults for `penalty` and `learning_rate`.
    betas : tuple of float
        Adam's decay rates.
    pack : int
        Rows that the critic judges together (PacGAN).
    critic_steps : int
        Moves of the critic before the generator's one.
    conditional : bool
        Whether the game hands both players a condition vector and trains by sampling (CTGAN).
    """

    critic: PairLoss
    generator: PairLoss
    penalty_at: Literal["ends", "between"]
    penalty_weight: float
    learning_rate: float
    betas: tuple[float, float] = (0.0, 0.99)
    pack: int = 1
    critic_steps: int = 1
    conditional: bool = False


OBJECTIVES: dict[str, Objective] = {
    "relativistic": Objective(
        relativistic_critic, relativistic_generator, "ends", penalty_weight=10.0, learning_rate=1e-3
    ),
    "wgan-gp": Objective(
        wasserstein_critic,
        wasserstein_generator,
        "between",
        penalty_weight=10.0,
        learning_rate=5e-4,
        critic_steps=3,
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
