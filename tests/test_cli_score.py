"""The command line: score."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthgan import GANOutlierDetector
from synthgan.cli import app


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="synthgan")


def people(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    return pd.DataFrame(
        {
            "age": age,
            "income": np.where(age > 45, ">50K", "<=50K"),
            "height": rng.normal(170, 10, rows).round(1),
        }
    )


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a table, and rows of which the first is odd."""
    monkeypatch.chdir(tmp_path)
    people(300, 0).to_parquet("normal.parquet")
    judged = people(40, 1)
    judged.loc[0, ["age", "height"]] = [79, 20.0]
    judged.to_csv("new.csv", index=False)
    return tmp_path


def test_a_table_is_learned_its_rows_judged_and_the_detector_kept(desk):
    done = run(
        "score", "normal.parquet", "new.csv", "-o", "scored.parquet", "--report", "odd.html",
        "--save-model", "people.synthgan", "--random-state", "0",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "wrote scored.parquet: 40 rows" in done.stderr and "wrote odd.html" in done.stderr
    scored = pd.read_parquet("scored.parquet")
    assert list(scored.columns) == ["age", "income", "height", "score", "is_odd", "oddest_column"]
    assert scored["score"].idxmin() == 0 and scored["is_odd"][0]
    assert scored["oddest_column"][0] == "height"
    assert (desk / "odd.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    detector = GANOutlierDetector.load("people.synthgan")
    np.testing.assert_allclose(detector.score_samples("new.csv"), scored["score"])
    again = run("score", "people.synthgan", "new.csv", "-o", "again.csv", "-q")
    assert again.exit_code == 0 and not again.stderr
    assert pd.read_csv("again.csv")["is_odd"].tolist() == scored["is_odd"].tolist()


def test_columns_of_these_names_are_kept(desk):
    people(300, 0).rename(columns={"height": "score"}).to_parquet("normal.parquet")
    people(40, 1).rename(columns={"height": "score"}).to_parquet("new.parquet")
    done = run("score", "normal.parquet", "new.parquet", "-o", "s.parquet", "--novelty")
    assert done.exit_code == 0, done.stderr
    assert list(pd.read_parquet("s.parquet").columns)[2:4] == ["score", "score_"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["normal.parquet", "missing.csv", "-o", "s.csv"], 2, "no such file or folder: missing"),
        (["normal.parquet", "new.csv", "-o", "new.csv", "--force"], 2, "one of the inputs"),
        (["normal.parquet", "new.csv", "-o", "s.pdf"], 2, ".parquet"),
        (["normal.parquet", "new.csv", "-o", "s.csv", "--report", "r.pdf"], 2, ".html"),
        (["normal.parquet", "new.csv", "-o", "s.csv", "--score", "critc"], 2, "'critic'"),
        (["normal.parquet", "new.csv", "-o", "s.csv", "--contamination", "2"], 2, "contamination"),
        (["normal.parquet", "narrow.csv", "-o", "s.csv"], 1, "height"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(desk, words, code, said):
    people(20, 2)[["age", "income"]].to_csv("narrow.csv", index=False)
    before = {path.name for path in desk.iterdir()}
    done = run("score", *words)
    assert done.exit_code == code and said in done.stderr, done.stderr
    assert {path.name for path in desk.iterdir()} == before


def test_options_of_learning_are_refused_beside_a_detector(desk):
    GANOutlierDetector(scores="isolation", random_state=0).fit("normal.parquet").save("d.synthgan")
    done = run("score", "d.synthgan", "new.csv", "-o", "s.csv", "--novelty")
    assert done.exit_code == 2 and "for a table to learn from" in done.stderr
