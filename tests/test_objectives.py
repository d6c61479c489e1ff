"""Objectives: losses with known values, penalties with known slopes."""

from __future__ import annotations

import math

import pytest
import torch

from synthgan.nets.objectives import (
    AROUND,
    OBJECTIVES,
    around,
    between,
    one_centred_penalty,
    zero_centred_penalty,
)

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_relativistic_losses_by_hand() -> None:
    objective = OBJECTIVES["relativistic"]
    assert float(objective.critic(REAL, FAKE)) == pytest.approx((softplus(-1) + softplus(3)) / 2)
    assert float(objective.generator(REAL, FAKE)) == pytest.approx((softplus(1) + softplus(-3)) / 2)


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "dragan"])
def test_losses_of_a_classifier_by_hand(name: str) -> None:
    objective = OBJECTIVES[name]
    told = (softplus(-2) + softplus(0)) / 2 + (softplus(1) + softplus(3)) / 2
    assert float(objective.critic(REAL, FAKE)) == pytest.approx(told)
    caught, passed = (softplus(1) + softplus(3)) / 2, (softplus(-1) + softplus(-3)) / 2
    expected = -caught if name == "minimax" else passed
    assert float(objective.generator(REAL, FAKE)) == pytest.approx(expected)


def test_minimax_is_flat_where_the_critic_wins_and_non_saturating_is_not() -> None:
    fake = torch.tensor([-9.0], requires_grad=True)
    slopes = [
        float(torch.autograd.grad(OBJECTIVES[name].generator(REAL, fake), fake)[0])
        for name in ("minimax", "non-saturating")
    ]
    assert slopes == [pytest.approx(-1.234e-4, rel=1e-3), pytest.approx(-0.99988, rel=1e-3)]


def test_least_squares_by_hand() -> None:
    objective = OBJECTIVES["least-squares"]
    assert float(objective.critic(REAL, FAKE)) == 0.5 * ((1 + 1) / 2 + (1 + 9) / 2)
    assert float(objective.generator(REAL, FAKE)) == 0.5 * (0 + 4) / 2


def test_hinge_by_hand() -> None:
    objective = OBJECTIVES["hinge"]
    assert float(objective.critic(REAL, FAKE)) == (0 + 1) / 2 + (2 + 4) / 2
    assert float(objective.critic(torch.tensor([1.5]), torch.tensor([-1.5]))) == 0.0
    assert float(objective.generator(REAL, FAKE)) == -2.0


@pytest.mark.parametrize("name", ["wgan-clip", "wgan-gp", "conditional"])
def test_wasserstein_losses_by_hand(name: str) -> None:
    objective = OBJECTIVES[name]
    assert float(objective.critic(REAL, FAKE)) == 1.0
    assert float(objective.generator(REAL, FAKE)) == -2.0


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_players_pull_in_opposite_directions(name: str) -> None:
    objective = OBJECTIVES[name]
    fake = torch.tensor([0.25, 0.5], requires_grad=True)
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


def test_points_around_lie_half_a_deviation_off() -> None:
    real = torch.tensor([[0.0, 2.0]]).repeat(10_000, 1)
    moved = around(real, torch.Generator().manual_seed(0)) - real
    torch.testing.assert_close(moved.std(dim=0), torch.full((2,), AROUND), rtol=0.02, atol=0.0)
    assert abs(float(moved.mean())) < 0.01


def test_only_clipped_weights_go_without_a_slope() -> None:
    assert {name for name, each in OBJECTIVES.items() if each.clip} == {"wgan-clip"}
    assert {name for name, each in OBJECTIVES.items() if not each.penalty_weight} == {"wgan-clip"}


def test_ctgan_game_packs_and_conditions() -> None:
    assert OBJECTIVES["conditional"].conditional and OBJECTIVES["conditional"].pack == 10


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_penalty_pulls_along_the_slope(dtype: torch.dtype) -> None:
    slope = torch.tensor([[3.0, 4.0], [0.0, 1.0]], dtype=dtype, requires_grad=True)
    penalty = zero_centred_penalty(slope)
    assert penalty.dtype == torch.float32
    (3.0 * penalty).backward()
    assert slope.grad is not None and slope.grad.dtype == dtype
    torch.testing.assert_close(slope.grad, 3.0 * slope.detach())
