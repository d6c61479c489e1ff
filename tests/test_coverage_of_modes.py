"""Planted tables whose small parts a generator might lose."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.errors import SynthganWarning

ADULT = Path(__file__).parent.parent / "examples" / "data" / "adult.parquet"
ROWS = 4_000
SMALL = {"width": 64, "batch_size": 200, "random_state": 0, "verbose": 0, "precision": "float32"}


def grid(rows: int = ROWS, spread: float = 0.05) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    centres = rng.integers(-2, 3, (rows, 2))
    points = centres + rng.normal(0, spread, (rows, 2))
    return pd.DataFrame(points, columns=["x", "y"])


def modes(points: pd.DataFrame, spread: float = 0.05) -> int:
    """Modes with at least a quarter of their fair share within three standard deviations."""
    near = points.round()
    close = ((points - near).pow(2).sum(axis=1) <= (3 * spread) ** 2) & (near.abs() <= 2).all(
        axis=1
    )
    counts = near[close].astype(int).value_counts()
    return int((counts >= len(points) / 25 / 4).sum())


def with_a_rare_class(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rare = rng.random(rows) < 0.005
    amount = np.where(rare, rng.normal(9, 0.5, rows), rng.normal(0, 1, rows))
    return pd.DataFrame({"kind": np.where(rare, "fraud", "fair"), "amount": amount})


@pytest.mark.slow
def test_all_modes_of_a_grid_are_drawn() -> None:
    table = grid()
    assert modes(table) == 25
    model = SynthGAN(epochs=30, **SMALL).fit(table)
    assert modes(model.sample(ROWS, random_state=1)) >= 24


@pytest.mark.slow
def test_a_class_of_half_a_percent_keeps_its_share() -> None:
    table = with_a_rare_class()
    real = int((table["kind"] == "fraud").sum())
    drawn = SynthGAN(epochs=60, **SMALL).fit(table).sample(ROWS, random_state=1)
    # four standard deviations of the difference of two counts of that size
    for found in (drawn["kind"] == "fraud", drawn["amount"] > 5):
        assert 0 < found.sum() < real + 4 * (2 * real) ** 0.5
    assert abs((drawn["kind"] == "fraud").sum() - real) < 4 * (2 * real) ** 0.5


@pytest.mark.slow
def test_a_rate_ten_times_too_high_ends_in_a_usable_model_and_a_warning() -> None:
    table = pd.read_parquet(ADULT).sample(2_000, random_state=0)
    with pytest.warns(SynthganWarning, match="learning_rate=0.01 is 10 times"):
        model = SynthGAN(epochs=60, learning_rate=1e-2, refine=False, **SMALL).fit(table)
    # an untrained generator draws each column rightly and no two of them together
    untrained = SynthGAN(epochs=1, learning_rate=1e-9, refine=False, **SMALL).fit(table)
    assert model.score(table) > 0.75 * untrained.score(table)
