"""Options of the game: each changes training, all go together, and old model files know none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN
from synthgan.bundle import read_bundle, write_bundle
from synthgan.data.layout import Layout, Span
from synthgan.data.matrix import EncodedMatrix
from synthgan.errors import ParameterError
from synthgan.nets.objectives import OBJECTIVES
from synthgan.training import Plan, Trained, train
from synthgan.training.games import TableGame

LAYOUT = Layout(
    [
        Span("a", "choice", 3),
        Span("b", "choice", 2),
        Span("b", "scalar", 1, (1, 1)),
        Span("c", "scalar"),
    ]
)
SMALL: dict[str, Any] = {"width": 16, "depth": 2, "latent_size": 8, "batch_size": 60}
OPTIONS: dict[str, dict[str, Any]] = {
    "critic_steps": {"critic_steps": 1},
    "pack": {"pack": 4},
    "minibatch_discrimination": {"minibatch_discrimination": True},
    "critics": {"critics": 2},
    "hardest": {"critics": 2, "critic_vote": "hardest"},
    "feature_matching": {"feature_matching": 1.0},
    "target": {"target": "b", "target_weight": 2.0},
    "scalar target": {"target": "c"},
    "instance_noise": {"instance_noise": 0.2},
    "spectral_norm": {"spectral_norm": True},
    "dropout": {"dropout": 0.3},
}
TOGETHER: dict[str, Any] = {
    name: value for option in OPTIONS.values() for name, value in option.items()
}
NEW = {*TOGETHER, "critic_vote"}


def made(rows: int = 600, seed: int = 0) -> EncodedMatrix:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.choice(3, rows, p=[0.7, 0.25, 0.05]), rng.integers(0, 2, rows)], axis=1)
    alive = np.where(codes[:, 1] == 1, rng.uniform(-1, 1, rows), 0)
    scalars = np.stack([alive, codes[:, 0] / 2 - 0.5], 1)
    return EncodedMatrix(codes.astype(np.int16), scalars.astype(np.float32))


def plan(objective: str = "relativistic", **options: Any) -> Plan:
    return Plan(objective, **({"epochs": 2, "precision": "float32"} | SMALL | options))


def learned(**options: Any) -> Trained:
    return train(made(), LAYOUT, plan(**options), seed=1)


def weights(trained: Trained) -> np.ndarray:
    return trained.to_state()[1]["generator.leave.weight"]


def people(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    town = rng.choice(["Ulm", "Bonn", "Köln"], rows)
    return pd.DataFrame({"age": rng.integers(18, 80, rows), "town": town, "key": "constant"})


@pytest.fixture(scope="module")
def without() -> np.ndarray:
    return weights(learned())


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_changes_training_and_repeats(name: str, without: np.ndarray) -> None:
    before = torch.random.get_rng_state()
    first, again = (learned(**OPTIONS[name]) for _ in range(2))
    assert np.isfinite(weights(first)).all() and not np.array_equal(weights(first), without)
    assert np.array_equal(weights(first), weights(again))
    assert np.array_equal(first.score(made()), again.score(made()))
    assert torch.equal(before, torch.random.get_rng_state())


def test_options_that_are_off_change_nothing(without: np.ndarray) -> None:
    off = {"critic_steps": 2, "pack": 1, "critic_vote": "hardest", "target_weight": 9.0}
    assert np.array_equal(weights(learned(**off)), without)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_all_options_go_with_every_objective(objective: str, precision: str) -> None:
    trained = learned(objective=objective, precision=precision, **TOGETHER)
    drawn, scores = trained.sampler.draw(50, 0), trained.score(made())
    assert np.isfinite(drawn.scalars).all() and np.isfinite(scores).all()
    assert trained.stopped == "epochs" and len(scores) == 600
    assert all(np.isfinite(record["generator_loss"]) for record in trained.history)


@pytest.mark.parametrize("options", [{}, TOGETHER], ids=["plain", "all"])
def test_state_comes_back_with_every_option(options: dict[str, Any]) -> None:
    trained = learned(**options)
    back = Trained.from_state(*trained.to_state(), LAYOUT)
    assert back.plan == trained.plan
    assert np.array_equal(trained.score(made()), back.score(made()))
    # a row's score does not hang on the rows beside it
    few = EncodedMatrix(made().codes[:3], made().scalars[:3])
    np.testing.assert_allclose(back.score(few), back.score(made())[:3], rtol=1e-4, atol=1e-5)


def game(**options: Any) -> TableGame:
    return TableGame(made(), LAYOUT, plan(**options).resolve(600, LAYOUT), 0, "cpu")


def test_clipped_weights_stay_within_their_bound() -> None:
    clipped = game(objective="wgan-clip")
    clipped.step(1e-2)
    largest = max(weight.abs().max().item() for weight in clipped.critic.parameters())
    assert largest == pytest.approx(OBJECTIVES["wgan-clip"].clip)


def test_the_generator_answers_to_all_critics_or_to_the_hardest() -> None:
    answers = {}
    for vote in ("mean", "hardest"):
        several = game(critics=3, critic_vote=vote)
        rows = several.features(several.rows[torch.arange(120)])
        real, fake = rows.chunk(2)
        each = [several._answer_to(critic, real, fake).item() for critic in several.critic.members]
        answers[vote] = several._answer(real, fake).item(), each
    assert answers["mean"][0] == pytest.approx(np.mean(answers["mean"][1]))
    assert answers["hardest"][0] == pytest.approx(max(answers["hardest"][1]))


def test_noise_falls_to_nothing_over_the_run() -> None:
    noisy = game(instance_noise=0.5)
    rows = noisy.rows[torch.arange(600)]
    for progress, expected in ((0.0, 0.5), (0.8, 0.1), (1.0, 0.0)):
        noisy.step(1e-3, progress)
        moved = noisy._shown(rows, None)[:, : rows.shape[1]] - rows
        assert float(moved.std()) == pytest.approx(expected, rel=0.05, abs=1e-6)


def test_a_target_is_learned_from_real_rows_and_goes_back_with_the_rest() -> None:
    aimed = game(target="a")
    before = aimed.snapshot()
    assert any(name.startswith("predictor.") for name in before)
    for _ in range(3):
        aimed.step(1e-2)
    aimed.restore(before)
    assert all(torch.equal(value, before[name]) for name, value in aimed.snapshot().items())


def test_packs_and_moves_follow_the_objective_unless_said() -> None:
    assert plan("conditional").resolve(600, LAYOUT).pack == 10
    assert plan("conditional", pack=2).resolve(600, LAYOUT).pack == 2
    assert plan("wgan-gp").resolve(600, LAYOUT).critic_steps == 3
    assert plan("wgan-gp", critic_steps=1).resolve(600, LAYOUT).critic_steps == 1
    assert plan(pack=7).resolve(600, LAYOUT).batch_size == 56


@pytest.mark.parametrize("target", ["towm", "key", 0])
def test_a_target_that_is_no_column_to_learn_is_refused(target: Any) -> None:
    with pytest.raises(ParameterError, match="target: expected a column of the table that varies"):
        SynthGAN(target=target, epochs=1, verbose=0).fit(people())


def test_a_target_goes_by_the_name_that_the_frame_has() -> None:
    table = people().drop(columns="key")
    model = SynthGAN(target=1, epochs=1, verbose=0, **SMALL)
    assert model.fit(table.set_axis([0, 1], axis=1))._model.trained.plan.target == "1"


@pytest.mark.parametrize("objective", ["relativistic", "conditional"])
def test_files_of_earlier_versions_still_load(objective: str, tmp_path: Path) -> None:
    model = SynthGAN(objective=objective, epochs=1, random_state=0, verbose=0, **SMALL)
    model.fit(people()).save(tmp_path / "new.synthgan")
    header, arrays = read_bundle(tmp_path / "new.synthgan")
    for place in (header["trained"]["plan"], header["parameters"]):
        for name in NEW:
            del place[name]
    write_bundle(tmp_path / "old.synthgan", header, arrays)
    old = SynthGAN.load(tmp_path / "old.synthgan")
    pd.testing.assert_frame_equal(old.sample(50), model.sample(50))
    np.testing.assert_array_equal(old.score_samples(people()), model.score_samples(people()))
    assert old._model.trained.plan == model._model.trained.plan


def test_the_default_meets_every_mode_of_a_grid() -> None:
    rng = np.random.default_rng(0)
    points = rng.integers(0, 5, (2_000, 2)) + rng.normal(0.0, 0.05, (2_000, 2))
    model = SynthGAN(width=64, depth=2, batch_size=200, epochs=33, random_state=0, verbose=0)
    drawn = model.fit(pd.DataFrame(points, columns=["x", "y"])).sample(2_000).to_numpy()
    modes = np.rint(drawn).clip(0, 4)
    near = np.linalg.norm(drawn - modes, axis=1) < 0.15
    counts = np.bincount((modes[near] @ [5, 1]).astype(int), minlength=25)
    assert near.mean() > 0.9 and (counts > 2_000 / 25 / 4).sum() >= 24
