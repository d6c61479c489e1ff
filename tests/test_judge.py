"""The benchmarks' judge tells good tables from bad ones, each figure in its own direction."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

JUDGE = Path(__file__).parent.parent / "benchmarks" / "judge.py"


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    specification = importlib.util.spec_from_file_location("judge", JUDGE)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def table(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(rows) < 0.1, np.nan, x),
            "n": rng.integers(0, 20, rows),
            "c": rng.choice(["a", "b", None], rows),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, rows), "D"),
        }
    )
    frame["y"] = np.where(x + 0.3 * rng.normal(size=rows) > 0, "yes", "no")
    return frame


def test_a_table_of_the_same_kind_and_a_spoilt_one(judge: ModuleType) -> None:
    real, good, holdout, test = (table(600, seed) for seed in range(4))
    bad = good.assign(x=good["x"].to_numpy()[::-1] + 1)
    given = {"test": test, "target": "y", "holdout": holdout}
    first, second = judge.judge(real, good, **given), judge.judge(real, bad, **given)
    assert 0.4 < first["boosted_auc"] < 0.6 < 0.75 < second["boosted_auc"]
    assert 0.4 < first["boosted_auc_holdout"] < 0.6 < 0.75 < second["boosted_auc_holdout"]
    assert first["logistic"] > 0.8 > second["logistic"]
    assert first["utility_auc"] > 0.9 > second["utility_auc"]
    assert 0.45 < first["closest_share"] < 0.55
    assert first["shape_error"] < 0.06 < second["shape_error"]
    assert judge.judge(real, real, holdout=holdout)["closest_share"] > 0.9


def test_figures_without_their_table_are_left_out(judge: ModuleType) -> None:
    figures = judge.judge(table(90, 0), table(80, 1))
    assert set(figures) == {"shape_error", "trend_error", "boosted_auc", "logistic"}
    with pytest.raises(ValueError, match="target 'n': expected a category"):
        judge.judge(table(90, 0), table(80, 1), test=table(50, 2), target="n")


def test_types_are_brought_together(judge: ModuleType) -> None:
    real = pd.DataFrame(
        {"n": [1, 2, 3], "many": [f"v{i}" for i in range(3)], "b": [True, False, None]}
    )
    other = pd.DataFrame(
        {"b": ["True", "False", "True"], "n": [1.2, np.nan, 2.9], "many": ["v0", None, "new"]}
    )
    tables = judge.align(real=real, synthetic=other)
    assert list(tables["synthetic"].columns) == ["n", "many", "b"]
    np.testing.assert_array_equal(tables["synthetic"]["n"], [1.0, np.nan, 3.0])
    assert tables["synthetic"]["many"].tolist() == ["v0", judge.NULL, "new"]
    assert (tables["real"].dtypes == tables["synthetic"].dtypes).all()


def test_the_command_line_prints_json(judge: ModuleType, tmp_path: Path) -> None:
    for name, seed in {"real": 0, "new": 1, "test": 2}.items():
        table(90, seed).to_parquet(tmp_path / f"{name}.parquet")
    words = [sys.executable, JUDGE, "real.parquet", "new.parquet", "--test", "test.parquet"]
    done = subprocess.run(
        [*words, "--target", "y", "--json"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures.pop("metrics_version") == "1"
    assert all(0 <= value <= 1 for value in figures.values()) and "utility_auc" in figures
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 2
