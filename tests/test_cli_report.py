"""The command line: report, its table, its JSON, its bars and its exit codes."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthgan import evaluate
from synthgan.cli import app
from synthgan.errors import ParameterError
from synthgan.evaluation.report.figures import FIGURES
from synthgan.evaluation.result import HEADLINES, Evaluation

REPORTS = importlib.import_module("synthgan.cli.report")


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="synthgan")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(done: Any, code: int, *words: str) -> None:
    """Check that a command ended as it should: one error, no traceback, nothing on stdout."""
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def clients(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    return pd.DataFrame(
        {
            "client": [f"C{seed}{1000 + i}" for i in range(rows)],
            "age": age,
            "income": np.where(age + rng.normal(0, 15, rows) > 50, "high", "low"),
            "height": rng.normal(170, 10, rows).round(1),
        }
    )


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three small tables of one kind, and of one that lacks a column."""
    folder = tmp_path_factory.mktemp("tables")
    for seed, name in enumerate(("real", "synthetic", "holdout"), start=1):
        clients(40, seed).to_parquet(folder / f"{name}.parquet")
    clients(40, 4).drop(columns=["age", "height"]).to_csv(folder / "narrow.csv", index=False)
    return folder


@pytest.fixture
def folder(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder in a folder next to the tables."""
    for table in tables.iterdir():
        (tmp_path / table.name).symlink_to(table)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


BOTH = ("report", "../real.parquet", "../synthetic.parquet")

# What a judgement may look like: as small as the command line needs it.
FOUND: dict[str, Any] = {
    "metrics_version": "1",
    "tables": {
        "real": {"name": "real.parquet", "rows": 123_456, "rows_used": 90},
        "synthetic": {"name": "odd\nname.csv", "rows": 90, "rows_used": 90},
    },
    "fidelity": {"shape_error_pct": 1.25, "trend_error_pct": 2.5, "columns": {"age": {}}},
    "detection": {
        "boosted_auc": 0.75,
        "boosted_auc_holdout": None,
        "reason_holdout": "there is no holdout",
        "logistic": 0.5,
    },
    "utility": {"rmse": 123456.7},
    "risk": {
        "exact_copies": None,
        "exact_copies_reason": "nothing to copy",
        "closest_share": None,
        "rare_values": {"share": None},
        "reason": "too few rows",
    },
    "floors": {
        "bootstrap": {"fidelity": {"shape_error_pct": 0.5, "trend_error_pct": 0.625}},
        "smote": {"fidelity": {"shape_error_pct": 3.875, "trend_error_pct": None}},
    },
    "verdicts": {
        "fidelity": {"grade": "good", "text": "The columns are alike.", "reasons": ["1.25 | 0.5"]},
        "risk": {
            "grade": "unknown",
            "text": "Give a holdout to know.",
            "reasons": ["copies 3 % of 'a; b'", "membership AUC 0.6", "linkability 0 %"],
        },
    },
    "notes": ["synthetic: 2 columns were passed over: a, b", "not compared: odd\nname"],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What evaluate was asked, which answers at once and always the same."""
    asked: dict[str, Any] = {}

    def evaluate(real: Any, synthetic: Any, **options: Any) -> Evaluation:
        asked.update(real=real, synthetic=synthetic, **options)
        return Evaluation(FOUND)

    monkeypatch.setattr("synthgan.cli._evaluate", lambda: evaluate)
    monkeypatch.setattr(Evaluation, "_page", lambda self: "<!doctype html>")
    return asked


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a command gets as far as judging, or as a model."""

    def at_work(*args: Any, **more: Any) -> None:
        raise AssertionError("work was begun")

    monkeypatch.setattr("synthgan.cli._evaluate", at_work)
    monkeypatch.setattr("synthgan.cli._estimator", at_work)


# What is asked


def test_only_what_was_said_is_passed_on(folder, asked):
    assert run(*BOTH).exit_code == 0
    assert asked == {
        "real": Path("../real.parquet"),
        "synthetic": Path("../synthetic.parquet"),
        "holdout": None,
        "target": None,
        "schema": None,
        "provenance": None,
    }


def test_every_option_is_passed_on(folder, asked):
    Path("s.json").write_text('{"age": "number"}', encoding="utf-8")
    words = ("--holdout", "../holdout.parquet", "--target", "income", "--schema", "s.json")
    assert run(*BOTH, *words, "--random-state", 7, "--max-rows", 50).exit_code == 0
    assert asked["holdout"] == Path("../holdout.parquet")
    assert asked["target"] == "income"
    assert asked["schema"] == {"age": "number"}
    assert (asked["random_state"], asked["max_rows"]) == (7, 50)


def test_a_model_says_where_the_table_comes_from(folder, asked, monkeypatch):
    class Estimator:
        def __init__(self, path):
            self.path = path

        @classmethod
        def load(cls, path):
            return cls(path)

        def provenance(self):
            return {"model": {"file": self.path.name}, "seed": 3}

    monkeypatch.setattr("synthgan.cli._estimator", lambda: Estimator)
    Path("clients.synthgan").touch()
    assert run(*BOTH, "--model", "clients.synthgan").exit_code == 0
    assert asked["provenance"] == {"model": {"file": "clients.synthgan"}, "seed": 3}


# What is printed and written


def test_json_is_one_object_and_messages_go_elsewhere(folder, asked):
    done = run(*BOTH, "--json", "-o", "report.html")
    assert (done.exit_code, done.stderr) == (0, "wrote report.html\n")
    assert json.loads(done.stdout) == FOUND
    assert names(folder) == {"report.html"}
    assert Path("report.html").read_text(encoding="utf-8") == "<!doctype html>"


def test_a_json_file_holds_what_json_prints(folder, asked):
    done = run(*BOTH, "--json", "-q", "-o", "figures.json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert Path("figures.json").read_text(encoding="utf-8") == done.stdout


def test_the_table_holds_each_figure_beside_its_floors(folder, asked):
    done = run(*BOTH)
    assert (done.exit_code, done.stderr) == (0, "")
    assert names(folder) == set()
    lines = [line.split() for line in done.stdout.splitlines()]
    assert "bootstrap" in next(line for line in lines if "value" in line)
    shapes = next(line for line in lines if "shape" in line)
    assert shapes[0] == "fidelity"
    assert shapes[-3:] == ["1.250", "0.500", "3.875"]
    trends = next(line for line in lines if "trend" in line)
    assert trends[-3:] == ["2.500", "0.625", "-"]
    assert next(line for line in lines if "RMSE" in line)[-3] == "1.235e+05"
    assert "holdout" not in lines[3]


def test_what_is_printed_is_plain_and_says_the_verdicts(folder, asked):
    shown = run(*BOTH).stdout
    assert "\x1b" not in shown
    assert "real: real.parquet, 123,456 rows, 90 used\n" in shown
    assert "synthetic: 'odd\\nname.csv', 90 rows\n" in shown
    assert "fidelity: good. The columns are alike.\n  1.25 | 0.5\n" in shown


def test_a_verdict_is_followed_by_its_first_reasons_and_all_by_the_notes(folder, asked):
    *_, last = run(*BOTH).stdout.partition("risk: unknown. ")
    assert last == (
        "Give a holdout to know.\n  copies 3 % of 'a; b'\n  membership AUC 0.6\n\n"
        "note: synthetic: 2 columns were passed over: a, b\n"
        "note: 'not compared: odd\\nname'\n"
    )


@pytest.mark.parametrize(
    ("width", "floors"),
    [
        (59, ["independent"]),
        (60, ["holdout", "independent"]),
        (79, ["holdout", "bootstrap", "independent", "smote"]),
    ],
)
def test_the_holdout_is_the_last_floor_but_one_that_a_narrow_terminal_drops(
    folder, asked, monkeypatch, width, floors
):
    monkeypatch.setattr(REPORTS, "_WIDTH_OF_A_PIPE", width)
    monkeypatch.setitem(FOUND, "floors", {name: {} for name in REPORTS._FLOORS})
    heading = next(line for line in run(*BOTH).stdout.splitlines() if "value" in line)
    assert heading.split()[heading.split().index("value") + 1 :] == floors


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_a_narrow_terminal_is_enough(folder, asked, monkeypatch, width):
    monkeypatch.setattr(REPORTS, "_WIDTH_OF_A_PIPE", width)
    shown = run(*BOTH).stdout
    assert max(map(len, shown.splitlines())) <= width
    assert "1.250" in shown
    assert ("3.875" in shown) == (width >= 79)
    assert "…" not in shown


# Bars


def test_a_figure_at_its_bar_passes(folder, asked):
    bars = ("--fail-under", "detection.logistic=0.5", "--fail-over", "detection.boosted_auc=0.75")
    done = run(*BOTH, *bars, "--fail-over", "floors.smote.fidelity.shape_error_pct=4e0")
    assert (done.exit_code, done.stderr) == (0, "")


def test_every_failed_bar_has_its_line_after_the_report_is_written(folder, asked):
    done = run(
        *(*BOTH, "--json", "-q", "-o", "r.html", "--fail-under", "detection.logistic=0.501"),
        *("--fail-over", "fidelity.shape_error_pct=1.2", "--fail-over", "detection.boosted_auc=1"),
    )
    assert done.exit_code == 3
    assert done.stderr.splitlines() == [
        "error: --fail-under detection.logistic=0.501: found 0.5",
        "error: --fail-over fidelity.shape_error_pct=1.2: found 1.25",
    ]
    assert json.loads(done.stdout) == FOUND
    assert names(folder) == {"r.html"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("detection.boosted_auc_holdout", "there is no holdout"),
        ("risk.exact_copies", "nothing to copy"),
        ("risk.closest_share", "too few rows"),
        ("risk.rare_values.share", "too few rows"),
        ("floors.smote.fidelity.trend_error_pct", "no reason is known"),
    ],
)
@pytest.mark.parametrize("option", ["--fail-under", "--fail-over"])
def test_a_figure_that_was_not_taken_fails_its_bar_and_says_why(
    folder, asked, option, path, reason
):
    done = run(*BOTH, "-q", "--holdout", "../holdout.parquet", option, f"{path}=0")
    assert done.exit_code == 3
    assert done.stderr == f"error: {option} {path}=0: it could not be measured: {reason}\n"


@pytest.mark.parametrize("option", ["--fail-under", "--fail-over"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("detection.boosted_auc", ["FIGURE=NUMBER"]),
        ("detection.boosted_auc=low", ["FIGURE=NUMBER", "low"]),
        ("detection.boosted_auc=nan", ["FIGURE=NUMBER"]),
        ("detection.boosted_auc=", ["FIGURE=NUMBER"]),
        ("detection=0.5", ["FIGURE=NUMBER"]),
        ("=0.5", ["FIGURE=NUMBER"]),
        ("detecton.boosted_auc=0.5", ["detecton", "'detection'"]),
        ("settings.seed=0", ["settings.seed", "fidelity, "]),
        ("floors.somte.risk.closest_share=0.5", ["'smote'"]),
        ("floors.holdout.detection.boosted_auc=0.5", ["--holdout"]),
        ("utility.auc=0.8", ["--target"]),
        ("utility=0.8", ["FIGURE=NUMBER"]),
        ("fidelity.shap_error_pct=1", ["'shape_error_pct'", "found 'shap_error_pct'"]),
        ("risk.reason=0", ["risk.reason", "exact_copies, "]),
        ("floors.smote.risk.closest_shar=0", ["'closest_share'"]),
        ("floors.smote.floors.smote.risk=0", ["found 'floors'"]),
    ],
)
def test_a_bar_that_can_never_be_held_is_refused_before_any_work(
    folder, no_work, option, text, words
):
    refused(run(*BOTH, "-o", "report.html", option, text), 2, option, *words)
    assert names(folder) == set()


@pytest.mark.parametrize("floor", ["", "floors.smote."])
@pytest.mark.parametrize(
    "path",
    [
        "risk.closest_share",
        "risk.singling_out.multivariate.control_rate",
        "risk.membership.distance.auc",
        "risk.singling_out.univariate.risk",
        "risk.linkability.risk",
        "risk.attribute_inference.worst.risk",
        "risk.attribute_inference.columns.age.control_rate",
        "detection.boosted_auc_holdout",
        "detection.logistic_holdout",
    ],
)
def test_a_figure_against_unseen_rows_needs_a_holdout(folder, asked, monkeypatch, floor, path):
    bar = ("--fail-over", f"{floor}{path}=0.5")
    monkeypatch.setattr(Evaluation, "figure", lambda self, path: 0.5)
    assert run(*BOTH, "-q", *bar, "--holdout", "../holdout.parquet").exit_code == 0
    refused(run(*BOTH, *bar), 2, path, "no such figure without --holdout")


@pytest.mark.parametrize("path", sorted(FIGURES.keys() | HEADLINES.keys()))
def test_every_figure_that_has_a_name_can_have_a_bar(path):
    given = {"--holdout": "h", "--target": "t"}
    assert len(REPORTS.read_bars([f"{path}=0"], [f"floors.smote.{path}=0"], given)) == 2


def test_all_bars_that_are_none_come_in_one_error(folder, no_work):
    done = run(*BOTH, "--fail-under", "utility.auc=1", "--fail-over", "risk.closest_share")
    refused(done, 2, "2 problems", "--fail-under utility.auc", "--fail-over expected")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("fidelity.columns.agge.error_pct", "has no 'agge'; it has age"),
        ("fidelity.columns", "number"),
        ("detection.logistic_auc", "has no 'logistic_auc'"),
        ("fidelity.shape_error_pct.value", "shape_error_pct"),
    ],
)
def test_a_bar_for_no_figure_is_refused_when_all_is_written(folder, asked, path, word):
    done = run(*BOTH, "--json", "-q", "-o", "figures.json", "--fail-under", f"{path}=0")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: --fail-under")
    assert path in done.stderr
    assert word in done.stderr
    assert json.loads(done.stdout) == json.loads(Path("figures.json").read_text("utf-8"))


def test_a_path_to_no_figure_hides_no_failed_bar(folder, asked):
    done = run(
        *(*BOTH, "-q", "--fail-over", "fidelity.columns.no=1"),
        *("--fail-over", "detection.logistic=0.4", "--fail-over", "fidelity.columns.age=1"),
    )
    assert done.exit_code == 3
    failed, *others = done.stderr.splitlines()
    assert failed == "error: --fail-over detection.logistic=0.4: found 0.5"
    assert [other.split(":")[1] for other in others] == [
        " --fail-over fidelity.columns.no=1",
        " --fail-over fidelity.columns.age=1",
    ]


# Refusals


@pytest.mark.parametrize(
    "words",
    [
        ("report", "missing.parquet", "../synthetic.parquet"),
        ("report", "../real.parquet", "missing.parquet"),
        (*BOTH, "--holdout", "missing.parquet"),
        (*BOTH, "--schema", "missing.json"),
        (*BOTH, "--model", "missing.synthgan"),
    ],
)
def test_a_missing_input_is_refused_by_name(folder, no_work, words):
    refused(run(*words, "-o", "report.html"), 2, "no such file or folder", "missing.")
    assert names(folder) == set()


@pytest.mark.parametrize("name", ["report.html", "figures.json"])
def test_an_output_that_exists_is_refused_before_any_work(folder, no_work, name):
    Path(name).write_text("precious", encoding="utf-8")
    refused(run(*BOTH, "-o", name), 2, name, "--force")
    assert Path(name).read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("name", ["s.json", "../work/s.json", "link.json"])
def test_an_output_that_is_an_input_is_refused(folder, no_work, name):
    Path("s.json").write_text("{}", encoding="utf-8")
    Path("link.json").symlink_to("s.json")
    refused(run(*BOTH, "--schema", "s.json", "-o", name, "--force"), 2, name, "one of the inputs")
    assert Path("s.json").read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize("name", ["report.html", "figures.json"])
def test_force_overwrites(folder, asked, name):
    Path(name).write_text("old", encoding="utf-8")
    assert run(*BOTH, "-o", name, "--force").exit_code == 0
    assert Path(name).read_text(encoding="utf-8") != "old"


@pytest.mark.parametrize(
    ("name", "word"), [("report.pdf", ".html"), ("report", ".html"), ("nowhere/r.html", "nowhere")]
)
def test_an_output_that_cannot_be_is_refused_before_any_work(folder, no_work, name, word):
    refused(run(*BOTH, "-o", name), 2, name, word)


@pytest.mark.parametrize("name", ["report.html", "figures.json"])
def test_a_report_that_cannot_be_written_is_a_failed_run(folder, asked, monkeypatch, name):
    def full_disk(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    refused(run(*BOTH, "-o", name), 1, "No space left", name)
    assert names(folder) == set()


def test_an_interruption_says_what_is_written(folder, asked, monkeypatch):
    def interrupted(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(REPORTS, "print_evaluation", interrupted)
    done = run(*BOTH, "-q", "-o", "r.html")
    assert (done.exit_code, done.stderr) == (130, "error: interrupted; r.html is written\n")
    done = run(*BOTH, "-q")
    assert (done.exit_code, done.stderr) == (130, "error: interrupted; nothing was written\n")
    monkeypatch.setattr(REPORTS, "write_report", interrupted)
    done = run(*BOTH, "-q", "-o", "r.html", "--force")
    assert (done.exit_code, done.stderr) == (130, "error: interrupted; nothing was written\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (">/dev/full", "not all could be printed: No space left on device"),
        (">&-", "nothing could be printed: standard output is closed"),
    ],
)
@pytest.mark.parametrize("json_too", ["", "--json"])
def test_a_stdout_that_takes_nothing_is_a_failed_run(folder, target, problem, json_too):
    command = f'"$0" -m synthgan info ../real.parquet {json_too} {target}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (1, f"error: {problem}\n")


@pytest.mark.parametrize(
    "words", [("--max-rows", "1"), ("--max-rows", "all"), ("--random-state", "-1")]
)
def test_a_number_that_is_none_is_refused(folder, no_work, words):
    refused(run(*BOTH, *words), 2, words[0], repr(words[1]), "whole number")


# With real tables, judged in earnest


def test_columns_that_the_synthetic_table_lacks_are_named(folder):
    refused(run("report", "../real.parquet", "../narrow.csv", "-q"), 1, "'age'", "'height'")


@pytest.mark.parametrize("target", ["wealth", "client"])
def test_a_target_that_is_not_compared_is_refused(folder, target):
    done = run(*BOTH, "-q", "--target", target)
    refused(done, 2, "target", repr(target), "'age', 'income', 'height'")


def test_a_schema_decides_what_is_compared(folder):
    Path("s.json").write_text('{"age": "drop"}', encoding="utf-8")
    done = run(*BOTH, "-q", "--schema", "s.json", "--target", "age")
    refused(done, 2, "['income', 'height'], found 'age'")


REPORTED = ("fidelity", "manifold", "collapse", "detection", "utility", "risk", "floors")


def numbers(found: Any, path: str = "") -> list[str]:
    """The path of every number."""
    if isinstance(found, dict):
        parts = [numbers(value, f"{path}.{name}".lstrip(".")) for name, value in found.items()]
        return [each for part in parts for each in part]
    return [path] if isinstance(found, int | float) and not isinstance(found, bool) else []


def test_a_whole_report_loads_no_torch_unless_a_model_is_given(folder):
    code = (
        "import sys; from synthgan.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: print('torch' in sys.modules, file=sys.stderr)"
    )
    words = (*BOTH, "-q", "--json", "-o", "report.html", "--holdout", "../holdout.parquet")
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--target", "income", "--random-state", "5"],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "False\n")
    found = json.loads(done.stdout)
    assert found["tables"]["holdout"] == {"name": "holdout.parquet", "rows": 40, "rows_used": 40}
    assert found["settings"]["seed"] == 5
    bars = [f"{path}=0" for path in numbers(found) if path.partition(".")[0] in REPORTED]
    assert len(REPORTS.read_bars(bars, [], {"--holdout": "h", "--target": "t"})) == len(bars) > 99
    assert 0 < found["fidelity"]["shape_error_pct"] < 50
    assert 0 <= found["utility"]["auc"] <= 1
    page = Path("report.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "synthetic.parquet" in page


def test_numbers_of_numpy_are_plain_ones_in_the_json(folder):
    table = clients(30, 1)[["age"]]
    found = evaluate(table, table, random_state=np.int64(3), max_rows=np.int32(25))
    settings = json.loads(found.to_json())["settings"]
    assert (settings["seed"], settings["max_rows"]) == (3, 25)
    for wrong in (True, np.True_, 3.0):
        with pytest.raises(ParameterError, match="random_state"):
            evaluate(table, table, random_state=wrong)


def test_a_table_without_rows_is_refused_in_plain_words(folder):
    Path("empty.csv").write_text("age,income,height\n", encoding="utf-8")
    done = run("report", "../real.parquet", "empty.csv", "-q")
    refused(done, 1, "expected at least one row, found no rows")


def test_a_copy_is_told_by_its_bars(folder):
    bars = ("--fail-over", "fidelity.shape_error_pct=0", "--fail-over", "risk.exact_copies=0.5")
    done = run("report", "../real.parquet", "../real.parquet", "--json", "-q", *bars)
    assert json.loads(done.stdout)["risk"]["exact_copies"] == 1
    assert done.exit_code == 3
    assert done.stderr == "error: --fail-over risk.exact_copies=0.5: found 1\n"
