"""Critics: slopes as autograd finds them in every variant, norms, spreads, several together."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from synthgan.nets.critics import CriticPanel, MLPCritic, SpectralLinear
from synthgan.training.players import initialise

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "spectral": {"spectral_norm": True},
    "dropout": {"dropout": 0.4},
    "spread": {"sees_spread": True},
    "all": {"spectral_norm": True, "dropout": 0.4, "sees_spread": True},
}


def stream(seed: int = 2) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def critic_of(variant: str, size: int = 7, depth: int = 3) -> MLPCritic:
    return initialise(MLPCritic(size, 16, depth, **VARIANTS[variant]), 0)


def some_rows(rows: int = 10, size: int = 7) -> torch.Tensor:
    return torch.randn(rows, size, generator=stream(), requires_grad=True)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sides", [1, 2])
def test_the_slope_is_what_autograd_finds(variant: str, depth: int, sides: int) -> None:
    critic, rows = critic_of(variant, depth=depth), some_rows()
    masks = critic.masks(len(rows), stream(5))
    score, slope = critic.score_and_slope(rows, masks, sides)
    plain = critic.judge(rows, masks, sides)[0]
    torch.testing.assert_close(score, plain)
    (expected,) = torch.autograd.grad(plain.sum(), rows, create_graph=True)
    torch.testing.assert_close(slope, expected)
    ours, slow = (
        torch.autograd.grad(found.square().sum(), critic.layers[0].weight, retain_graph=True)[0]
        for found in (slope, expected)
    )
    torch.testing.assert_close(ours, slow)


@pytest.mark.parametrize("variant", VARIANTS)
def test_slopes_of_some_rows_are_those_of_all(variant: str) -> None:
    critic, rows = critic_of(variant), some_rows(12)
    masks = critic.masks(len(rows), stream(5))
    score, slope = critic.score_and_slope(rows, masks, 2)
    some_score, some_slope = critic.score_and_slope(rows, masks, 2, every=3)
    torch.testing.assert_close(some_score, score)
    # the spread of a batch ties every row to every score
    every = 3 if critic.spread is None else 1
    assert len(some_slope) == 12 // every
    torch.testing.assert_close(some_slope, slope[::every])


def test_the_slope_of_a_pack_is_that_of_all_its_rows() -> None:
    critic, rows = critic_of("all", size=6), some_rows(8, 3)
    masks = critic.masks(4, stream(5))
    slope = critic.score_and_slope(rows.reshape(4, -1), masks)[1]
    (expected,) = torch.autograd.grad(critic.judge(rows.reshape(4, -1), masks)[0].sum(), rows)
    torch.testing.assert_close(slope.reshape(8, 3), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_slope_is_taken_in_bfloat16_too(variant: str) -> None:
    critic, rows = critic_of(variant), some_rows(40)
    masks = critic.masks(len(rows), stream(5))
    exact = critic.score_and_slope(rows, masks)[1]
    for weight in critic.parameters():
        weight.data = weight.data.bfloat16()
    score, slope = critic.score_and_slope(rows, masks)
    assert score.dtype == torch.float32 and slope.dtype == torch.bfloat16
    assert (slope - exact).abs().mean() < 0.05 * exact.abs().mean()
    slope.square().sum().backward()
    assert all(torch.isfinite(w.grad).all() for w in critic.parameters() if w.grad is not None)


def test_spectral_norms_are_one_and_follow_the_weights() -> None:
    critic = critic_of("spectral")
    layers = [each for each in critic.modules() if isinstance(each, SpectralLinear)]
    assert len(layers) == 4
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.kernel(), 2).item() == pytest.approx(1.0, rel=0.02)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=stream()))
        for _ in range(60):
            layer.iterate()
        assert torch.linalg.matrix_norm(layer.kernel(), 2).item() == pytest.approx(1.0, rel=0.02)


def test_dropout_silences_its_share_and_keeps_the_mean() -> None:
    masks = critic_of("dropout").masks(5_000, stream())
    assert masks is not None and masks.shape == (3, 5_000, 16)
    assert float((masks == 0).float().mean()) == pytest.approx(0.4, abs=0.01)
    assert float(masks.mean()) == pytest.approx(1.0, abs=0.02)
    assert critic_of("plain").masks(5, stream()) is None


def test_a_critic_that_sees_the_spread_tells_a_collapsed_batch() -> None:
    critic, rows = critic_of("spread"), some_rows(64)
    same = rows[:1].expand(64, -1)
    plain = critic_of("plain")
    assert (plain(rows)[0] - plain(same)[0]).abs() < 1e-6
    assert (critic(rows)[0] - critic(same)[0]).abs() > 1e-3
    halves = critic.judge(torch.cat([rows, same]), None, 2)[0]
    torch.testing.assert_close(halves, torch.cat([critic(rows), critic(same)]))


def test_rows_scored_alone_are_seen_among_real_ones() -> None:
    critic, rows = critic_of("spread"), some_rows(64)
    critic.settle(rows)
    together = critic(rows)
    critic.eval()
    torch.testing.assert_close(critic(rows), together)
    torch.testing.assert_close(critic(rows[:1]), together[:1])
    alone, slope = critic.score_and_slope(rows)
    (expected,) = torch.autograd.grad(critic(rows).sum(), rows)
    torch.testing.assert_close(slope, expected)
    torch.testing.assert_close(alone, together)


def test_several_critics_differ_and_score_by_their_mean() -> None:
    members = [initialise(MLPCritic(7, 16, 2), seed) for seed in range(3)]
    panel, rows = CriticPanel(members), some_rows()
    assert panel.members == members and panel.input_size == 7
    torch.testing.assert_close(panel(rows), sum(member(rows) for member in members) / 3)
    for one, other in itertools.combinations(members, 2):
        assert not torch.equal(one(rows), other(rows))
