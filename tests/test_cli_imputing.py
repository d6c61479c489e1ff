"""``synthgan impute`` and ``synthgan clean``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthgan.cli import app


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="synthgan")


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    frame = pd.DataFrame(
        {"x": x, "y": x + 0.1 * rng.normal(size=300), "s": np.where(x > 0, "p", "m")}
    )
    frame["z"] = x + 0.1 * rng.normal(size=300)
    frame.loc[5, "y"] = 70.0
    frame.loc[::6, "z"] = np.nan
    path = tmp_path / "data.parquet"
    frame.to_parquet(path)
    return path


def test_impute_fills_and_changes_nothing_else(data, tmp_path):
    full = tmp_path / "full.parquet"
    words = ("--epochs", 2, "--rounds", 1, "--random-state", 0)
    done = run("impute", data, "-o", full, *words)
    assert done.exit_code == 0, done.stderr
    assert f"wrote {full}: 300 rows" in done.stderr
    before, after = pd.read_parquet(data), pd.read_parquet(full)
    assert not after.isna().any().any()
    known = before["z"].notna()
    pd.testing.assert_series_equal(before["z"][known], after["z"][known])
    drawn = tmp_path / "drawn.csv"
    done = run("impute", data, "-o", drawn, *words, "--sample-posterior", "--add-indicator")
    assert done.exit_code == 0, done.stderr
    assert "missingindicator_z" in pd.read_csv(drawn)


def test_impute_writes_over_nothing_and_not_over_its_input(data, tmp_path):
    assert run("impute", data, "-o", data, "--force").exit_code == 2
    assert run("impute", tmp_path / "none.parquet", "-o", tmp_path / "o.parquet").exit_code == 2
    done = run("impute", data, "-o", tmp_path / "full.parquet", "--rounds", -1)
    assert done.exit_code == 2 and "at least 0" in done.stderr


def test_clean_writes_the_table_and_the_log(data, tmp_path):
    table, log = tmp_path / "clean.parquet", tmp_path / "changes.csv"
    done = run("clean", data, "-o", table, "--log", log, "--random-state", 0)
    assert done.exit_code == 0, done.stderr
    changes = pd.read_csv(log)
    assert ((changes["row"] == 5) & (changes["column"] == "y")).any()
    assert pd.read_parquet(table).loc[5, "y"] < 5
    assert f"{len(changes)} cells in" in done.stderr and done.stdout == ""


def test_without_a_log_the_changes_are_printed(data, tmp_path):
    done = run("clean", data, "-o", tmp_path / "clean.parquet", "--random-state", 0)
    assert done.stdout.startswith("row,column,old,new,chance,why,applied")
    assert "5,y,70.0," in done.stdout


def test_proposing_writes_no_table(data, tmp_path):
    log = tmp_path / "changes.csv"
    done = run("clean", data, "--propose-only", "--log", log, "--random-state", 0)
    assert done.exit_code == 0 and "would be changed" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data.parquet", "changes.csv"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "-o: expected the file"),
        (("--propose-only", "-o", "a.csv"), "is not written"),
        (("-o", "a.csv", "--log", "a.csv"), "expected two files"),
        (("-o", "a.csv", "--fdr", "3"), "fdr"),
    ],
)
def test_clean_says_what_it_needs(data, words, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = run("clean", data, *words)
    assert done.exit_code == 2 and message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data.parquet"}
