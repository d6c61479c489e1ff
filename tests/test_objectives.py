"""Objectives: losses with known values, penalties with known slopes."""

from __future__ import annotations

import math

import pytest
import torch

from synthgan.nets.objectives import (
    OBJECTIVES,
    between,
    one_centred_penalty,
    zero_centred_penalty,
)

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0])


def test_relativistic_losses_by_hand() -> None:
    objective = OBJECTIVES["relativistic"]
    softplus = lambda x: math.log1p(math.exp(x))  # noqa: E731
    assert float(objective.critic(REAL, FAKE)) == pytest.approx((softplus(-1) + softplus(3)) / 2)
    assert float(objective.generator(REAL, FAKE)) == pytest.approx((softplus(1) + softplus(-3)) / 2)


@pytest.mark.parametrize("name", ["wgan-gp", "conditional"])
def test_wasserstein_losses_by_hand(name: str) -> None:
    objective = OBJECTIVES[name]
    assert float(objective.critic(REAL, FAKE)) == 1.0
    assert float(objective.generator(REAL, FAKE)) == -2.0


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_players_pull_in_opposite_directions(name: str) -> None:
    objective = OBJECTIVES[name]
    fake = FAKE.clone().requires_grad_()
    up = torch.autograd.grad(objective.critic(REAL, fake), fake)[0]
    down = torch.autograd.grad(objective.generator(REAL, fake), fake)[0]
    assert (up > 0).all() and (down < 0).all()


def test_penalties_by_hand() -> None:
    slope = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert float(zero_centred_penalty(slope)) == 13.0
    assert float(one_centred_penalty(slope)) == pytest.approx(8.0)


def test_points_between_lie_on_the_lines() -> None:
    real, fake = torch.zeros(100, 2), torch.tensor([[1.0, 2.0]]).repeat(100, 1)
    points = between(real, fake, torch.Generator().manual_seed(0))
    torch.testing.assert_close(points[:, 1], 2 * points[:, 0])
    assert points[:, 0].min() >= 0 and points[:, 0].max() <= 1 and points[:, 0].std() > 0.2


def test_ctgan_game_packs_and_conditions() -> None:
    assert OBJECTIVES["conditional"].conditional and OBJECTIVES["conditional"].pack == 10
