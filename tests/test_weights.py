"""Weights of a network in one piece: Adam, rounding, snapshots."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from synthgan.nets.critics import MLPCritic
from synthgan.training.players import initialise
from synthgan.training.weights import ALIGNMENT, Weights, flatten, view

BETAS = (0.0, 0.99)


def net() -> MLPCritic:
    return initialise(MLPCritic(5, 8, 2), 0)


def rows() -> torch.Tensor:
    return torch.randn(20, 5, generator=torch.Generator().manual_seed(1))


def loss(critic: nn.Module) -> torch.Tensor:
    return (critic(rows()) - 1.0).square().mean()


def test_a_step_is_that_of_adam_on_each_weight() -> None:
    whole, single = net(), net()
    weights = Weights(whole, torch.tensor(0.01), BETAS, torch.float32)
    adam = torch.optim.Adam(single.parameters(), 0.01, BETAS)
    for _ in range(5):
        weights.descend(loss(whole))
        adam.zero_grad()
        loss(single).backward()
        adam.step()
    for mine, theirs in zip(whole.parameters(), single.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_weights_are_views_that_start_aligned() -> None:
    critic = net()
    before = [weight.detach().clone() for weight in critic.parameters()]
    flat = flatten(critic)
    view(critic, flat)
    assert all(map(torch.equal, before, critic.parameters()))
    starts = [weight.data_ptr() - flat.data_ptr() for weight in critic.parameters()]
    assert all(start % (4 * ALIGNMENT) == 0 for start in starts)


def test_steps_too_small_for_bfloat16_add_up() -> None:
    critic = net()
    weights = Weights(critic, torch.tensor(1e-5), BETAS, torch.bfloat16)
    before = weights.master.clone()
    for _ in range(40):
        weights.descend(loss(critic))
    assert critic.score.weight.dtype == torch.bfloat16
    moved = (weights.master - before)[before != 0].abs()
    assert 1e-4 < float(moved.median()) < 1e-3
    released = weights.release()
    assert all(weight.dtype == torch.float32 for weight in released.parameters())
    assert torch.equal(flatten(released), weights.master)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_snapshot_comes_back_with_a_fresh_start(dtype: torch.dtype) -> None:
    critic = initialise(MLPCritic(5, 8, 2, spectral_norm=True), 0)
    weights = Weights(critic, torch.tensor(0.01), BETAS, dtype)
    weights.descend(loss(critic))
    kept = weights.snapshot()
    scores, alone = critic(rows()).detach(), deepcopy(kept)
    weights.descend(loss(critic))
    critic.score.iterate()
    assert not torch.equal(critic(rows()), scores)
    weights.restore(kept)
    assert torch.equal(critic(rows()), scores)
    assert all(torch.equal(value, alone[name]) for name, value in weights.snapshot().items())


def test_clipped_weights_lie_within_the_bound() -> None:
    critic = net()
    weights = Weights(critic, torch.tensor(0.01), BETAS, torch.bfloat16)
    weights.clip(0.0625)
    assert max(float(weight.detach().abs().max()) for weight in critic.parameters()) == 0.0625
