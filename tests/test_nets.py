"""Networks: heads that make real-looking rows, slopes without double backward, no global state."""

from __future__ import annotations

import pytest
import torch

from synthgan.data.layout import Layout, Span
from synthgan.nets.heads import TEMPERATURE, RowHeads, draw_gumbel, gumbel_from_normal
from synthgan.nets.mlp import MLPGenerator
from synthgan.training.players import initialise

LAYOUT = Layout(
    [
        Span("a", "choice", 3),
        Span("b", "choice", 2),
        Span("b", "scalar", 1, (1, 1)),
        Span("c", "scalar"),
    ]
)


def raw_and_noise(rows: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(3)
    raw = torch.randn(rows, LAYOUT.width, generator=stream)
    return raw, draw_gumbel(rows, LAYOUT.n_options, stream, "cpu")


def test_heads_make_one_hot_choices_and_shut_gates() -> None:
    raw, gumbel = raw_and_noise()
    rows = RowHeads(LAYOUT)(raw, gumbel)
    for start, end in ((0, 3), (3, 5)):
        span = rows[:, start:end]
        assert torch.equal(span.sum(dim=1), torch.ones(len(rows)))
        assert set(span.unique().tolist()) == {0.0, 1.0}
        assert torch.equal(
            span.argmax(1), (raw + torch.nn.functional.pad(gumbel, (0, 2)))[:, start:end].argmax(1)
        )
    alive = rows[:, 4] == 1.0
    assert alive.any() and not alive.all()
    assert (rows[~alive, 5] == 0.0).all() and (rows[alive, 5] == torch.tanh(raw[alive, 5])).all()
    assert torch.equal(rows[:, 6], torch.tanh(raw[:, 6]))


def test_heads_pass_the_gradient_of_a_softmax_straight_through() -> None:
    raw, gumbel = raw_and_noise(5)
    weight = torch.randn(5, LAYOUT.n_options, generator=torch.Generator().manual_seed(1))
    ours = raw[:, :5].clone().requires_grad_()
    RowHeads(LAYOUT).rows(ours + gumbel, torch.zeros(5, 2))[:, :5].mul(weight).sum().backward()
    slow = raw[:, :5].clone().requires_grad_()
    parts = ((slow + gumbel) / TEMPERATURE).split([3, 2], dim=1)
    torch.cat([p.softmax(dim=1) for p in parts], dim=1).mul(weight).sum().backward()
    torch.testing.assert_close(ours.grad, slow.grad)


@pytest.mark.parametrize("spans", [[Span("a", "choice", 3)], [Span("c", "scalar")]])
def test_heads_take_tables_of_one_sort_of_column(spans: list[Span]) -> None:
    layout = Layout(spans)
    rows = RowHeads(layout)(torch.zeros(4, layout.width), torch.zeros(4, layout.n_options))
    assert rows.shape == (4, layout.width)


def test_gumbel_noise_has_its_mean_either_way() -> None:
    stream = torch.Generator().manual_seed(0)
    normal = torch.randn(200_000, generator=stream)
    for noise in (gumbel_from_normal(normal), draw_gumbel(200_000, 1, stream, "cpu")):
        assert torch.isfinite(noise).all()
        assert abs(float(noise.mean()) - 0.5772) < 0.01
        assert abs(float(noise.var()) - 1.6449) < 0.03
    assert torch.isfinite(gumbel_from_normal(torch.tensor([-9.0, 9.0]))).all()


@pytest.mark.parametrize("shift", [0.0, 300.0, -300.0])
def test_options_chosen_by_one_number_have_the_law_of_the_softmax(shift: float) -> None:
    """One row of raw outputs many times: drawn shares against probabilities, by both ways."""
    raw, _ = raw_and_noise(1)
    raw[0, 1] = -50.0
    raw[:, :3] += shift
    rows, stream = 200_000, torch.Generator().manual_seed(0)
    many = raw.expand(rows, -1)
    heads = RowHeads(LAYOUT)
    codes, scalars = heads.choose(many, torch.rand(rows, 2, generator=stream))
    slow = heads(many, draw_gumbel(rows, LAYOUT.n_options, stream, "cpu"))
    for number, part in enumerate(torch.split(raw[0, :5], [3, 2])):
        expected = part.softmax(dim=0)
        found = torch.bincount(codes[:, number], minlength=len(part)) / rows
        by_gumbel = slow[:, :5].split([3, 2], dim=1)[number].mean(dim=0)
        error = 4.5 * (expected * (1 - expected) / rows).sqrt() + 1e-6
        assert ((found - expected).abs() < error).all()
        assert ((by_gumbel - expected).abs() < error).all()
    assert torch.equal(scalars[:, 0] != 0, codes[:, 1] == 1)
    assert (scalars[:, 1] == torch.tanh(raw[0, 6])).all()
    # choices of one row are drawn apart from each other
    both = ((codes[:, 0] == 0) & (codes[:, 1] == 0)).float().mean()
    apart = (codes[:, 0] == 0).float().mean() * (codes[:, 1] == 0).float().mean()
    assert abs(float(both - apart)) < 4.5 * 0.5 / rows**0.5


def test_the_ends_of_a_choice_are_options_of_it() -> None:
    raw = torch.tensor([[-200.0, 0.0, -200.0, 0.0, -200.0, 0.5, 0.5]]).expand(2, -1)
    codes, _ = RowHeads(LAYOUT).choose(raw, torch.tensor([[0.0, 0.0], [1 - 2**-24, 1 - 2**-24]]))
    assert codes.tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize("spans", [[Span("a", "choice", 3)], [Span("c", "scalar")]])
def test_tables_of_one_sort_of_column_are_chosen_too(spans: list[Span]) -> None:
    layout = Layout(spans)
    codes, scalars = RowHeads(layout).choose(
        torch.zeros(4, layout.width), torch.zeros(4, len(layout.choices))
    )
    assert codes.shape == (4, len(layout.choices)) and scalars.shape == (4, layout.n_scalars)


def test_building_networks_leaves_the_global_stream_alone() -> None:
    before = torch.random.get_rng_state()
    first, second = (initialise(MLPGenerator(LAYOUT, 8, 16, 2), 5) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.isfinite(a).all() and torch.equal(a, b)
