"""Losses beside the game: feature gaps by hand, a predictor that finds what its target follows."""

from __future__ import annotations

import math

import pytest
import torch

from synthgan.data.layout import Layout, Span
from synthgan.nets.auxiliary import TargetPredictor, contradiction, feature_gap
from synthgan.training.players import initialise

LAYOUT = Layout(
    [
        Span("a", "choice", 3),
        Span("b", "choice", 2),
        Span("b", "scalar", 1, (1, 1)),
        Span("c", "scalar"),
    ]
)


def some_rows(count: int = 300, seed: int = 0) -> torch.Tensor:
    """Rows in which b follows a, and c does too."""
    code = torch.randint(0, 3, (count,), generator=torch.Generator().manual_seed(seed))
    a = torch.nn.functional.one_hot(code, 3).float()
    b = torch.nn.functional.one_hot((code == 2).long(), 2).float()
    return torch.cat([a, b, 0.5 * b[:, 1:], (code[:, None] - 1.0)], dim=1)


def test_feature_gap_by_hand() -> None:
    real, fake = torch.tensor([[0.0, 1.0], [2.0, 1.0]]), torch.tensor([[3.0, 1.0], [3.0, 5.0]])
    # means (1, 1) and (3, 3), deviations (1, 0) and (0, 2)
    assert float(feature_gap(real, fake)) == pytest.approx((4 + 4) / 2 + (1 + 4) / 2, rel=1e-3)
    assert float(feature_gap(real, real)) == 0.0


def test_only_more_error_than_on_real_rows_is_paid_for() -> None:
    errors = torch.tensor([0.3, 0.7])
    assert float(contradiction(errors[1], errors[0])) == pytest.approx(0.4)
    assert float(contradiction(errors[0], errors[1])) == 0.0


@pytest.mark.parametrize("column", ["a", "b", "c"])
def test_a_predictor_does_not_see_its_own_column(column: str) -> None:
    predictor = initialise(TargetPredictor(LAYOUT, column), 0)
    own = {"a": [0, 1, 2], "b": [3, 4, 5], "c": [6]}[column]
    assert torch.nonzero(predictor.others == 0).flatten().tolist() == own


@pytest.mark.parametrize(("column", "before"), [("a", math.log(3)), ("b", math.log(2)), ("c", 0.6)])
def test_a_predictor_learns_what_its_target_follows(column: str, before: float) -> None:
    predictor, rows = initialise(TargetPredictor(LAYOUT, column), 0), some_rows()
    optimiser = torch.optim.Adam(predictor.parameters(), 1e-2)
    assert predictor.error(rows).item() > 0.5 * before
    for _ in range(100):
        optimiser.zero_grad()
        predictor.error(rows).backward()
        optimiser.step()
    assert predictor.error(rows).item() < (0.5 if column == "a" else 0.05) * before
    wrong = torch.cat([rows[:, :3], rows[:, 3:].flip(0)], dim=1)
    assert contradiction(predictor.error(wrong), predictor.error(rows)).item() > 0.1


def test_a_scalar_counts_only_where_it_is_alive() -> None:
    predictor, rows = initialise(TargetPredictor(LAYOUT, "b"), 0), some_rows()
    moved = rows.clone()
    moved[:, 5] = torch.where(rows[:, 4] == 1, rows[:, 5], 9.0)
    assert predictor.error(moved).item() == predictor.error(rows).item()
    moved[:, 5] = torch.where(rows[:, 4] == 1, 9.0, rows[:, 5])
    assert predictor.error(moved).item() > predictor.error(rows).item()


def test_unknown_targets_cost_nothing() -> None:
    predictor, rows = initialise(TargetPredictor(LAYOUT, "a"), 0), some_rows()
    rows[:, :3] = 0.0
    assert predictor.error(rows).item() == 0.0
