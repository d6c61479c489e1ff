"""A fitted model judged by a table: report and provenance of the estimator."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from typer.testing import CliRunner

from synthgan import SynthGAN
from synthgan.cli import app
from synthgan.errors import ParameterError, TableError
from synthgan.evaluation.result import Evaluation


def quick(**parameters: Any) -> SynthGAN:
    return SynthGAN(epochs=1, width=8, depth=1, random_state=0, verbose=0, **parameters)


def visits(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    stay = rng.integers(1, 20, rows)
    return pd.DataFrame(
        {
            "visit": [f"V{seed}{1000 + i}" for i in range(rows)],
            "stay": stay,
            "ward": rng.choice(["north", "south", "west"], rows),
            "cost": (stay * 100 + rng.normal(0, 50, rows)).round(2),
            "note": "as usual",
        }
    )


@pytest.fixture(scope="module")
def fitted() -> SynthGAN:
    return quick(schema={"note": "drop"}).fit(visits(80))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the evaluation was asked, which answers at once."""
    asked: dict[str, Any] = {}

    def evaluate(real: Any, synthetic: Any, **options: Any) -> Evaluation:
        asked.update(real=real, synthetic=synthetic, **options)
        return Evaluation({})

    home = importlib.import_module("synthgan.evaluation.evaluate")
    monkeypatch.setattr(home, "evaluate", evaluate)
    return asked


# Provenance


def test_provenance_is_strict_json_and_says_it_all(fitted):
    found = fitted.provenance()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["model"] == fitted.describe()
    assert found["seed"] == 0
    assert len(found["history"]) == len(fitted.history_)
    assert found["history"][-1]["step"] == fitted.history_["step"].iloc[-1]


def test_provenance_survives_the_file(fitted, tmp_path):
    fitted.save(tmp_path / "m.synthgan")
    assert SynthGAN.load(tmp_path / "m.synthgan").provenance() == fitted.provenance()


# What the evaluation is asked


def test_as_many_rows_as_the_table_has_are_judged_in_the_terms_of_the_fit(fitted, asked):
    fitted.report(visits(70, seed=1))
    assert (asked["real"].num_rows, asked["synthetic"].num_rows) == (70, 70)
    assert asked["real"].schema == asked["synthetic"].schema
    assert asked["schema"] == {
        "visit": "id",
        "stay": "number",
        "ward": "category",
        "cost": "number",
    }
    assert asked["holdout"] is None
    assert asked["target"] is None
    assert asked["provenance"] == fitted.provenance()
    assert "max_rows" not in asked


def test_what_is_said_is_passed_on(fitted, asked):
    fitted.report(visits(50), n_samples=30, holdout=visits(40, seed=1), target="ward", max_rows=25)
    assert asked["synthetic"].num_rows == 30
    assert asked["holdout"].column("stay").to_pylist() == visits(40, seed=1)["stay"].tolist()
    assert (asked["target"], asked["max_rows"]) == ("ward", 25)


def test_the_seed_decides_the_sample_and_the_judgement(fitted, asked):
    seen = []
    for seed in (7, 7, 8, np.random.default_rng(5)):
        fitted.report(visits(50), random_state=seed)
        seen.append((asked["random_state"], asked["synthetic"]))
    assert [each[0] for each in seen[:3]] == [7, 7, 8]
    assert 0 <= seen[3][0] < 2**32
    assert seen[0][1] == seen[1][1]
    assert seen[0][1] != seen[2][1]
    drawn = fitted.sample(50, random_state=7)
    assert seen[0][1].column("cost").to_pylist() == drawn["cost"].tolist()


def test_columns_named_by_numbers_can_be_the_target(asked):
    frame = visits(60)[["stay", "ward"]].set_axis([0, 1], axis=1)
    quick().fit(frame).report(frame, target=1)
    assert asked["target"] == asked["real"].column_names[1]


# Refusals


@pytest.mark.parametrize("rows", [0, -1, 1.5, "many", True])
def test_a_number_of_rows_that_is_none_is_refused(fitted, asked, rows):
    with pytest.raises(ParameterError, match="n_samples"):
        fitted.report(visits(50), n_samples=rows)
    assert asked == {}


def test_another_table_is_refused(fitted, asked):
    with pytest.raises(TableError, match="ward"):
        fitted.report(visits(50).drop(columns="ward"))
    with pytest.raises(TableError, match="ward"):
        fitted.report(visits(50), holdout=visits(50).drop(columns="ward"))
    assert asked == {}


def test_a_report_before_fit_is_refused():
    for use in (lambda model: model.report(visits(9)), lambda model: model.provenance()):
        with pytest.raises(NotFittedError):
            use(quick())


# Judged in earnest


@pytest.fixture(scope="module")
def judged(fitted) -> Evaluation:
    return fitted.report(visits(40), holdout=visits(40, seed=2), target="ward", random_state=1)


def test_the_figures_are_those_of_the_sample(judged):
    compared = {column["name"]: column["compared"] for column in judged.result["columns"]}
    assert compared == {"visit": False, "stay": True, "ward": True, "cost": True}
    assert judged.result["tables"]["synthetic"]["rows"] == 40
    assert judged.result["settings"]["seed"] == 1
    assert 0 < judged.figure("fidelity.shape_error_pct") < 100
    assert judged.figure("risk.exact_copies") == 0
    assert judged.result["provenance"]["seed"] == 0


def test_a_report_shows_itself_in_a_notebook_and_as_a_page(judged, tmp_path):
    assert "SynthGAN" in judged._repr_html_()
    judged.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "SynthGAN" in page
    assert "relativistic" in page


@pytest.mark.parametrize("target", ["wards", "visit", "note"])
def test_a_target_that_is_not_compared_is_refused(fitted, target):
    with pytest.raises(ParameterError, match=f"target.*'cost'.*{target!r}"):
        fitted.report(visits(80), target=target)


def test_the_command_line_takes_the_model_for_its_provenance(fitted, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted.save("visits.synthgan")
    visits(40).to_parquet("real.parquet")
    fitted.sample(40, random_state=1).to_parquet("new.parquet")
    Path("s.json").write_text('{"note": "drop"}', encoding="utf-8")
    words = ["report", "real.parquet", "new.parquet", "--model", "visits.synthgan", "--json", "-q"]
    done = CliRunner().invoke(app, [*words, "--schema", "s.json"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["provenance"] == fitted.provenance()


def test_what_is_no_model_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    visits(80).to_parquet("real.parquet")
    words = ["report", "real.parquet", "real.parquet", "--model", "real.parquet", "-o", "r.html"]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "error: " in done.stderr and "not a model" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"real.parquet"}
