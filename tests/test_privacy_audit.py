"""Audits: bounds that an attack gives, held by honest fits and broken by mistakes in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from typer.testing import CliRunner

from synthgan import Privacy, SynthGAN, audit_privacy
from synthgan.cli import app
from synthgan.cli.exits import BAR_MISSED, USAGE
from synthgan.data import private as private_data
from synthgan.data.private import Question
from synthgan.errors import ParameterError
from synthgan.privacy.audit import Audit, lower_bound, p_value
from synthgan.privacy.noise import Noise
from synthgan.training.private import noisy_critic
from synthgan.training.private.clipping import RowSlopes
from synthgan.training.private.witness import Witness

# a small table: there is much noise in it
pytestmark = pytest.mark.filterwarnings("ignore:the noise of")
SOON: dict[str, Any] = {"epochs": 3, "batch_size": 64, "width": 16, "verbose": 0}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"n{i}": random.normal(size=600).round(1) for i in range(3)}
    columns |= {f"k{i}": random.choice(["a", "b"], 600) for i in range(5)}
    return pd.DataFrame(columns)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.5, 1e-6), (2.0, 1e-5), (6.0, 0.0)])
def test_an_attack_at_the_limit_is_not_refuted(epsilon: float, delta: float) -> None:
    """Randomised response is the best attack there can be: the bound stays below, and gets near."""
    random = np.random.default_rng(1)
    bounds = []
    for _ in range(20):
        inside = random.random(4000) < 0.5
        told = np.where(random.random(4000) < 1 / (1 + np.exp(-epsilon)), inside, ~inside)
        bounds.append(lower_bound(told + 0.001 * random.random(4000), inside, epsilon, delta))
    assert sum(each.passed for each in bounds) >= 18
    assert np.median([each.lower_bound for each in bounds]) > 0.6 * min(epsilon, 4.5)


def test_p_values_fall_with_right_guesses_and_rise_with_epsilon() -> None:
    values = [p_value(1000, 200, right, 1.0, 1e-6) for right in range(100, 200, 10)]
    assert values == sorted(values, reverse=True)
    assert p_value(1000, 200, 170, 0.5, 1e-6) < p_value(1000, 200, 170, 2.0, 1e-6)
    assert p_value(1000, 200, 170, 0.5, 1e-2) > p_value(1000, 200, 170, 0.5, 0.0)
    # all of a coin's guesses right: 2 ** -10
    assert p_value(10, 10, 10, 0.0, 0.0) == pytest.approx(2.0**-10)


def audited(frame: pd.DataFrame, objective: str = "marginals", **given: Any) -> Audit:
    model = SynthGAN(privacy=Privacy(**{"epsilon": 1.0, **given}), objective=objective, **SOON)
    return audit_privacy(model, frame, canaries=200, random_state=0)


@pytest.mark.parametrize("objective", ["marginals", "hinge"])
def test_an_honest_fit_passes(frame: pd.DataFrame, objective: str) -> None:
    found = audited(frame, objective)
    assert found.passed and found.claimed <= 1.0 and found.canaries == 200
    assert found.to_dict()["passed"]


def test_noise_that_is_off_is_caught(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Noise, "whole", lambda self, count, deviation: np.zeros(count, np.int64))
    assert not audited(frame).passed


def test_noise_that_is_off_on_counts_of_columns_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    levels = [f"place {number}" for number in range(300)]
    columns = {name: random.choice(levels, 600) for name in ("home", "work")}
    frame = pd.DataFrame({**columns, "pay": random.lognormal(7, 1, 600).round(2)})
    schema = {name: {"kind": "category", "levels": levels} for name in columns}
    model = SynthGAN(privacy=Privacy(epsilon=1.0), schema=schema, **SOON)
    assert audit_privacy(model, frame, canaries=200, random_state=0).passed
    monkeypatch.setattr(private_data, "noisy", lambda counts, deviation, noise: counts)
    assert not audit_privacy(model, frame, canaries=200, random_state=0).passed


def test_what_counts_tell_is_what_their_products_tell() -> None:
    """The short way for cells that share nothing is the long way for any answer."""
    values = pa.array(np.random.default_rng(0).integers(0, 40, 300))
    question = Question("cells", "a", lambda column: np.asarray(column) - 5, 35)
    rows = pa.table({"a": values})
    counts, long = Witness(rows[:60], rows[60:], _nothing), Witness(rows[:60], rows[60:], _nothing)
    told = question.counts(values) + np.arange(35) % 3 - 1
    counts.saw_counts(question, told, 2.0)
    places = question.cell_of(values[:60])
    alike = ((places[:, None] == places) & (places >= 0)).astype(float)
    rest = np.append(told - question.counts(values[60:]), 0)
    # -1 is the last place, which nobody is counted in
    long._saw(np.where(places < 0, 0, rest[places]).astype(float), alike, 2.0, 0.5)
    for trust, scores in counts.scores.items():
        np.testing.assert_allclose(scores, long.scores[trust], rtol=1e-6, atol=1e-9)


def _nothing(codec: Any, matrix: Any) -> Any:
    raise AssertionError("no table was learned")


def test_noise_that_is_off_on_slopes_is_caught(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Noise, "real", lambda self, count, deviation: np.zeros(count, np.float32))
    assert not audited(frame, "hinge").passed


def test_clipping_that_is_off_is_caught(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noisy_critic, "FIRST_LENGTH", 0.02)
    monkeypatch.setattr(noisy_critic, "FOLLOWING", 0.0)
    assert audited(frame, "hinge").passed
    monkeypatch.setattr(RowSlopes, "kept", lambda self, length: torch.ones(len(self.norms())))
    assert not audited(frame, "hinge").passed


def test_audits_need_a_budget_of_single_rows(frame: pd.DataFrame) -> None:
    with pytest.raises(ParameterError, match="no budget"):
        audit_privacy(SynthGAN(**SOON), frame)
    with pytest.raises(ParameterError, match="unit='k0'"):
        audit_privacy(SynthGAN(privacy=Privacy(epsilon=1.0, unit="k0"), **SOON), frame)


def test_the_command_line_fits_tells_and_attacks(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, model, drawn = (str(tmp_path / name) for name in ("t.parquet", "m.synthgan", "s.parquet"))
    frame.to_parquet(data)
    run = CliRunner().invoke
    fitted = run(app, ["fit", data, "-o", model, "--epsilon", "1", "--epochs", "2"])
    assert fitted.exit_code == 0, fitted.output
    assert "private: epsilon" in fitted.output and "it protects every row" in fitted.output
    told = run(app, ["info", model])
    assert "bought: tables of all pairs of columns, noise" in told.output
    assert run(app, ["sample", model, "-n", "300", "-o", drawn]).exit_code == 0
    report = ["report", data, drawn, "--model", model, "--privacy", "--random-state", "0"]
    found = run(app, report)
    assert found.exit_code == 0, found.output
    assert "audit: " in found.output and "keep this page with the data" in found.output
    monkeypatch.setattr(Noise, "whole", lambda self, count, deviation: np.zeros(count, np.int64))
    assert run(app, report).exit_code == BAR_MISSED


def test_the_command_line_says_what_is_missing(frame: pd.DataFrame, tmp_path: Path) -> None:
    data, model = str(tmp_path / "t.parquet"), str(tmp_path / "m.synthgan")
    frame.to_parquet(data)
    run = CliRunner().invoke
    alone = run(app, ["fit", data, "-o", model, "--unit", "k0", "--public-rows"])
    assert alone.exit_code == USAGE and "--unit, --public-rows" in alone.output
    assert run(app, ["fit", data, "-o", model, "--epsilon", "0"]).exit_code == USAGE
    assert not Path(model).exists()
    SynthGAN(**SOON).fit(frame).save(model)
    for given in (
        ["report", data, data, "--privacy"],
        ["report", data, data, "--privacy", "--model", model],
    ):
        refused = run(app, given)
        assert refused.exit_code == USAGE and "--privacy" in refused.output
