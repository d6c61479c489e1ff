"""Training on a GPU: the recorded step is the step, and models come home to the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN
from synthgan.data.codec import TableCodec
from synthgan.data.source import open_source
from synthgan.nets.objectives import OBJECTIVES
from synthgan.training.games import TableGame
from synthgan.training.plan import Plan
from synthgan.training.replay import WARM_UP_CALLS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

RATE = 1e-3
STEPS = 4 * WARM_UP_CALLS


@pytest.fixture(scope="module")
def table(adult_path: Path) -> pd.DataFrame:
    return pd.read_parquet(adult_path).head(3_000)


TOGETHER: dict[str, Any] = {
    "critic_steps": 2,
    "pack": 2,
    "critics": 2,
    "critic_vote": "hardest",
    "minibatch_discrimination": True,
    "spectral_norm": True,
    "dropout": 0.2,
    "instance_noise": 0.1,
    "feature_matching": 1.0,
    "target": "income",
}


def new_game(table: pd.DataFrame, objective: str, **options: Any) -> TableGame:
    source = open_source(table)
    codec = TableCodec.fit(source.chunks())
    matrix = codec.encode(source.chunks(), np.random.default_rng(0))
    plan = Plan(objective=objective, precision="float32", **options)
    return TableGame(
        matrix, codec.layout, plan.resolve(matrix.rows, codec.layout, "cuda"), 0, "cuda"
    )


@pytest.mark.parametrize("options", [{}, TOGETHER], ids=["plain", "all options"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_recorded_step_is_the_step(
    table: pd.DataFrame, objective: str, options: dict[str, Any]
) -> None:
    recorded, plain = (new_game(table, objective, **options) for _ in range(2))
    plain._moves = plain._play
    rates = [RATE * (1 + step) / STEPS for step in range(STEPS)]
    losses = [[game.step(rate) for rate in rates] for game in (recorded, plain)]
    for ours, theirs in zip(*losses, strict=True):
        for name, value in ours.items():
            torch.testing.assert_close(value, theirs[name], rtol=2e-2, atol=2e-3)
    states = [game.snapshot() for game in (recorded, plain)]
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=2e-2, atol=2e-3)


def test_every_step_draws_anew_and_moves(table: pd.DataFrame) -> None:
    game = new_game(table, "relativistic")
    seen = [game.step(RATE)["critic_loss"] for _ in range(STEPS)]
    assert len({float(loss) for loss in seen}) == STEPS


def test_a_recorded_game_goes_back_to_a_snapshot_and_on(table: pd.DataFrame) -> None:
    game = new_game(table, "relativistic")
    for _ in range(STEPS):
        game.step(RATE)
    before = game.snapshot()
    for _ in range(STEPS):
        game.step(RATE)
    game.restore(before)
    assert all(torch.equal(value, before[name]) for name, value in game.snapshot().items())
    losses = game.step(RATE)
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())
    weights = {name: value for name, value in before.items() if name.startswith("generator.")}
    after = game.snapshot()
    assert not any(torch.equal(after[name], value) for name, value in weights.items())


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_model_comes_home(table: pd.DataFrame, objective: str, tmp_path: Path) -> None:
    model = SynthGAN(objective=objective, epochs=5, device="cuda", verbose=0, random_state=0)
    model.fit(table).save(tmp_path / "model.synthgan")
    loaded = SynthGAN.load(tmp_path / "model.synthgan")
    pd.testing.assert_frame_equal(model.sample(500), loaded.sample(500))
    assert loaded.sample(50, where={"income": ">50K"})["income"].eq(">50K").all()
