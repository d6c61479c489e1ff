"""What a critic sees of a row."""

import torch

from synthgan.data.layout import Layout, Span
from synthgan.nets.features import TAIL_BINS, CriticFeatures

LAYOUT = Layout([Span("a", "choice", 3), Span("b", "scalar"), Span("c", "scalar")])


def rows(*scalars: tuple[float, float]) -> torch.Tensor:
    return torch.tensor([[1.0, 0.0, 0.0, *each] for each in scalars])


def test_bins_rise_one_after_the_other() -> None:
    seen = CriticFeatures(LAYOUT, bins=4)(rows((-1.0, 1.0), (-0.25, 0.75)))
    low, high = [0] * 12, [1] * 12
    middle, late = [1] * 5 + [0.5] + [0] * 6, [1] * 8 + [0] * 4
    assert seen.tolist() == [
        [1, 0, 0, -1, 1, *low, *high],
        [1, 0, 0, -0.25, 0.75, *middle, *late],
    ]


def test_rare_rows_at_an_end_fill_bins_of_their_own() -> None:
    features = CriticFeatures(Layout([Span("b", "scalar")]), bins=16)
    common, rare = features(torch.tensor([[0.95], [0.995]]))
    assert float((rare - common)[1:].sum()) > 2.5


def test_a_scalar_reaches_one_bin_at_a_time() -> None:
    scalars = rows((0.1, -0.6)).requires_grad_()
    CriticFeatures(LAYOUT, bins=8)(scalars)[:, LAYOUT.width :].sum().backward()
    # bins are 8 / 2 as steep as the scalar
    assert scalars.grad is not None and scalars.grad.tolist() == [[0, 0, 0, 4, 4]]


def test_without_bins_or_scalars_rows_stay_as_they_are() -> None:
    plain = rows((0.5, 0.5))
    assert CriticFeatures(LAYOUT, bins=0)(plain) is plain
    codes = torch.eye(3)
    assert CriticFeatures(Layout([Span("a", "choice", 3)]), bins=16)(codes) is codes
    assert CriticFeatures(LAYOUT, bins=16).width == 5 + 2 * (16 + 2 * TAIL_BINS)
