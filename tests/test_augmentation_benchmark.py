"""The suite of augmentation: tables as stated, cells kept, a page with who is ahead of whom."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in [n for n in sys.modules if n.split(".")[0] in ("augmentation", "augmenting")]:
        monkeypatch.delitem(sys.modules, name)
    return importlib.import_module("augmentation")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    classes = np.repeat(["h", "g"], [400, 800])
    frame = pd.DataFrame({"x": random.normal(size=1200) + (classes == "h"), "class": classes})
    frame.to_parquet(tmp_path / "magic.parquet")
    frame["town"] = random.choice(["a", None], 1200)
    frame.to_parquet(tmp_path / "german_credit.parquet")
    return tmp_path


def test_a_table_has_the_share_that_is_stated(bench: ModuleType, data: Path) -> None:
    table = bench.load("magic_2", data, 250)
    # twice the rows of others, since the small class has so few
    assert table.y.value_counts().tolist() == [490, 10] and table.rare == [1]
    again = bench.load("magic_2", data, 250)
    pd.testing.assert_frame_equal(table.X, again.X)


def test_cells_are_kept_and_written_as_a_page(
    bench: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    words = ["--data", str(data), "--rows", "300", "--tables", "german_credit", "--folds", "2"]
    words += ["--learners", "logistic", "--results", str(results)]
    methods = ["none", "class_weights", "random_over", "smotenc", "adasyn"]
    assert bench.main([*words, "--methods", *methods]) == 0
    cells = sorted(results.glob("*.json"))
    assert len(cells) == 10
    scores = [json.loads(cell.read_text()).get("scores", {}) for cell in cells]
    assert all(0 <= score <= 1 for each in scores for score in each.values())
    before = [cell.stat().st_mtime_ns for cell in cells]
    assert bench.main([*words, "--methods", *methods]) == 0
    assert [cell.stat().st_mtime_ns for cell in cells] == before, "done cells are kept"
    # a result of ours as the runner writes it
    made = json.loads(cells[0].read_text())
    made |= {"method": "auto", "told": "auc", "fold": 0, "scores": {"auc": 0.75}}
    (results / "made.json").write_text(json.dumps(made))
    assert bench.main(["--write", "--rows", "300", "--results", str(results)]) == 0
    page = (results / "augmentation.md").read_text()
    assert "## F1 of the rare classes" in page
    found = [json.loads(cell.read_text()) for cell in cells]
    auc = {m: [100 * c["scores"]["auc"] for c in found if c["method"] == m] for m in methods[:4]}
    usual, peer = max(np.mean(auc["none"]), np.mean(auc["class_weights"])), np.mean(auc["smotenc"])
    # of two folds the median is the mean
    first, second = (f"{75 - each:+.1f} ({75 - each:+.1f})" for each in (usual, peer))
    assert f"| german_credit | {first} | {second} |" in page
    capsys.readouterr()
