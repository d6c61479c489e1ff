"""The benchmark runner, with toy methods on a toy table: what is kept, stopped, shown."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

METHOD = """# /// script
# dependencies = []
# ///
from pathlib import Path

def fit(frame, *, seed, notes, broken=False):
    with Path(notes).open("a") as file:
        file.write(f"{seed} ")
    if broken:
        raise ValueError("cannot | will not")
    return frame

def sample(model, rows, *, seed):
    return model.sample(rows, replace=True, random_state=seed)
"""

JUDGE = """
import json, sys
from pathlib import Path

order = json.loads(Path(sys.argv[1]).read_text())
found = {"metrics_version": "VERSION", "floors": {}, "figures": {"detection.logistic": 1}}
Path(order["figures"]).write_text(json.dumps(found))
"""

SUITES = """
[tables.toy]
real = "toy.parquet"
holdout_share = 0.25
target = "y"

[methods.copier]
script = "{script}"
settings = {{ notes = "{notes}" }}

[methods.broken]
script = "{script}"
settings = {{ notes = "{notes}", broken = true }}

[methods.author]
published = {{ toy = "published.parquet" }}

[suites.small]
about = "A toy"
tables = ["toy"]
methods = ["copier", "author"]
seeds = [3]
"""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def toy(rows: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    n = [None if i % 9 == 0 else int(v) for i, v in enumerate(rng.integers(0, 40, rows))]
    return pa.table({"x": x, "n": n, "y": np.where(x > 0, "yes", "no")})


class Place:
    """A folder with a suites file, a method, a table, and the runner's own folders."""

    def __init__(self, folder: Path, run: ModuleType) -> None:
        self.folder, self.run = folder, run
        pq.write_table(toy(96), folder / "toy.parquet")
        pq.write_table(toy(72, seed=1), folder / "published.parquet")
        self.script, self.notes = folder / "method.py", folder / "notes.txt"
        self.script.write_text(METHOD)
        self.suites = folder / "suites.toml"
        self.suites.write_text(SUITES.format(script=self.script, notes=self.notes))

    def __call__(self, *options: str) -> int:
        places = {name: self.folder / name for name in ("results", "work", "envs")}
        named = [f"--{name}={path}" for name, path in places.items()]
        given = ["--suites", str(self.suites), "--suite", "small", "--data", str(self.folder)]
        return int(self.run.main([*given, *named, *options]))

    def record(self, cell: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (self.folder / "results" / "small" / f"{cell}.json").read_text()
        )
        return found

    def fits(self) -> int:
        return len(self.notes.read_text().split()) if self.notes.exists() else 0


@pytest.fixture
def place(tmp_path: Path, load: Callable[[str], ModuleType]) -> Place:
    return Place(tmp_path, load("run"))


@pytest.fixture
def judge(place: Place, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The worker of the second phase, quick and open to changes."""
    workers = place.folder / "workers"
    workers.mkdir()
    shutil.copy(BENCHMARKS / "suite" / "generate.py", workers)
    version = load("suite.cells").METRICS_VERSION
    (workers / "judge.py").write_text(JUDGE.replace("VERSION", version))
    for name in ("phases", "records"):
        monkeypatch.setattr(load(f"suite.{name}"), "PHASES", workers)
    return workers / "judge.py"


def test_a_suite_is_run_once_and_goes_on_where_it_stopped(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place("--generate-only") == 0
    made = place.record("toy.copier.3")["generate"]
    assert made["status"] == "done" and made["rows"] == 72 and made["threads"] == 1
    assert made["peak_mib"] > 10 and made["fit"]["wall_seconds"] >= 0
    assert "judge" not in place.record("toy.copier.3")
    capsys.readouterr()
    assert place("--list") == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["toy.copier.3", "rows:", "done", "figures:", "to", "do"],
        ["toy.author.0", "rows:", "published", "figures:", "to", "do"],
    ]
    assert place() == 0
    figures = place.record("toy.copier.3")["judge"]["figures"]
    assert figures["risk.exact_copies"] == 1 and figures["fidelity.shape_error_pct"] < 20
    author = place.record("toy.author.0")
    assert "generate" not in author and author["judge"]["figures"]["risk.exact_copies"] == 0
    page = (place.folder / "results" / "small.md").read_text()
    assert "| toy | copier |" in page and "| toy | *floor: the holdout* |" in page
    capsys.readouterr()
    # The rows are not needed once they were judged.
    (place.folder / "work" / "small" / "toy.copier.3.parquet").unlink()
    assert place() == 0 and place.fits() == 1
    assert "..." not in capsys.readouterr().out
    # The same rows keep their figures, others have none yet.
    place.script.write_text(METHOD + "\nCHANGED = True\n")
    assert place("--generate-only") == 0 and place.fits() == 2
    assert place.record("toy.copier.3")["judge"]["figures"] == figures
    place.script.write_text(METHOD.replace("random_state=seed", "random_state=seed + 1"))
    assert place("--generate-only") == 0 and place.fits() == 3
    assert "judge" not in place.record("toy.copier.3")


def test_only_the_rows_of_the_record_are_judged(
    place: Place, judge: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place("--methods", "copier") == 0
    record = place.record("toy.copier.3")
    rows = place.folder / "work" / "small" / "toy.copier.3.parquet"
    pq.write_table(toy(72, seed=5), rows)
    assert place("--methods", "copier") == 0 and place.record("toy.copier.3") == record
    judge.write_text(judge.read_text() + "# changed")
    for _ in ("others", "none"):
        capsys.readouterr()
        assert place("--methods", "copier", "--judge-only") == 0
        assert "toy.copier.3: its rows are not here" in capsys.readouterr().out
        assert place.record("toy.copier.3") == record
        rows.unlink(missing_ok=True)


def test_a_changed_judge_judges_again_what_stays_in_the_table_till_then(
    place: Place, judge: Path
) -> None:
    assert place() == 0
    judge.write_text(judge.read_text().replace('logistic": 1', 'logistic": 1, "risk.new": 0.25'))
    assert place("--write") == 0
    page = (place.folder / "results" / "small.md").read_text()
    assert "| toy | copier |" in page and "| toy | author |" in page
    assert place() == 0 and place.fits() == 1
    for cell in ("toy.copier.3", "toy.author.0"):
        assert place.record(cell)["judge"]["figures"]["risk.new"] == 0.25


def test_the_table_shows_the_seeds_of_the_suite_and_names_cells_of_earlier_code(
    place: Place,
) -> None:
    options = ["--generate-only", "--methods", "copier", "--limit-seconds", "0.01"]
    line = "Made with an earlier version of the code than this one: copier on toy."
    page = place.folder / "results" / "small.md"
    for seed in ("3", "4"):
        assert place(*options, "--seeds", seed) == 0 and place.record(f"toy.copier.{seed}")
    assert "; seed 3; " in page.read_text() and line not in page.read_text()
    place.script.write_text(METHOD + "\nCHANGED = True\n")
    assert place("--write") == 0 and line in page.read_text()
    assert place(*options) == 0 and line not in page.read_text()
    path = place.folder / "results" / "small" / "toy.copier.3.json"
    record = place.record("toy.copier.3")
    del record["generate"]["code"]
    path.write_text(json.dumps(record))
    assert place("--write") == 0 and line in page.read_text()


def test_a_cell_past_its_limit_did_not_finish(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--generate-only", "--methods", "copier"]
    assert place(*options, "--limit-seconds", "0.01") == 0
    assert place.record("toy.copier.3")["generate"]["status"] == "did not finish"
    page = (place.folder / "results" / "small.md").read_text()
    assert "| toy | copier | did not finish in 0.000166667 min |" in page
    capsys.readouterr()
    assert place(*options, "--limit-seconds", "0.005") == 0
    assert "..." not in capsys.readouterr().out
    assert place(*options, "--limit-seconds", "100") == 0
    assert place.record("toy.copier.3")["generate"]["status"] == "done"


def test_a_failed_cell_says_why_and_is_tried_again(place: Place) -> None:
    for count in (1, 2):
        assert place("--generate-only", "--methods", "broken") == 0 and place.fits() == count
    entry = place.record("toy.broken.3")["generate"]
    assert (entry["status"], entry["reason"]) == ("failed", "ValueError: cannot | will not")


def test_a_package_of_another_version_is_refused(place: Place) -> None:
    place.script.write_text(METHOD.replace("[]", '["pandas==0.0.1"]'))
    options = ["--generate-only", "--methods", "copier"]
    assert place(*options, "--python", f"copier={sys.executable}") == 0 and place.fits() == 0
    reason = place.record("toy.copier.3")["generate"]["reason"]
    assert reason.startswith("expected pandas==0.0.1 in") and pd.__version__ in reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--suite", "none"], "expected one of the suites small, found 'none'"),
        (["--tables", "none"], "expected one of the tables toy, found 'none'"),
        (["--data", "nowhere"], "no such file; --data must name the folder"),
        (["--python", "other=python"], "--python: other is no method of this suite"),
    ],
)
def test_what_is_not_there_is_named(
    place: Place, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert place(*options) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--judge-only"], ["--list"]])
def test_a_published_table_that_is_missing_is_named(
    place: Place, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    path = place.folder / "published.parquet"
    path.unlink()
    assert place("--methods", "author", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: no such file; --data must name the folder")


def test_an_environment_is_made_once_with_the_torch_of_the_project(
    tmp_path: Path, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = load("suite.environments")
    commands: list[list[str]] = []

    def note(command: list[Any], *, check: bool) -> None:
        commands.append([str(word) for word in command])
        if "venv" in command:
            command[-1].mkdir(parents=True)

    monkeypatch.setattr(environments.subprocess, "run", note)
    needs = environments.Needs(["package==1.2"], [], ["unwanted"])
    python = environments.interpreter(needs, "name", tmp_path)
    assert environments.interpreter(needs, "name", tmp_path) == python
    venv, install, removal = commands
    assert python == Path(venv[-1]) / "bin" / "python"
    assert install[-1] == "package==1.2" and removal[-1] == "unwanted"
    (pin,) = Path(install[install.index("-c") + 1]).read_text().split()
    assert pin.startswith("torch==")
    other = environments.Needs(["package==1.3"], [], [])
    assert environments.interpreter(other, "name", tmp_path) != python
    monkeypatch.setattr(environments, "torch_pin", lambda: "torch==0.1")
    assert environments.interpreter(needs, "name", tmp_path) != python
    nothing = environments.Needs([], [], [])
    assert environments.interpreter(nothing, "name", tmp_path) == Path(sys.executable)


def test_a_stopped_phase_leaves_no_process(
    tmp_path: Path, load: Callable[[str], ModuleType]
) -> None:
    note = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {note}; wait"
    with (tmp_path / "log").open("w") as log:
        status = load("suite.phases")._run(["sh", "-c", script], {}, log, 1)
    assert status == "did not finish"
    state = Path("/proc") / note.read_text().strip() / "stat"
    for _ in range(100):
        if not state.exists() or ") Z" in state.read_text():
            return
        time.sleep(0.02)
    pytest.fail("a process of the phase still runs")


def test_the_key_follows_what_decides_the_rows(
    place: Place, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    records, plan = load("suite.records"), load("suite.plan")
    parts = load("suite.tables").Parts(place.folder, place.folder, 72, "r", "h")

    def key(threads: int = 1, seed: int = 3, real: str = "r", **settings: Any) -> str:
        method = plan.MethodPlan("m", script=str(place.script), settings=settings)
        cell = plan.Cell("small", plan.TablePlan("toy"), method, seed)
        changed = load("dataclasses").replace(parts, real_print=real)
        return str(records.generate_key(cell, changed, threads))

    changed = [key(threads=2), key(seed=4), key(real="other"), key(epochs=2)]
    place.script.write_text(METHOD + "\n")
    changed.append(key())
    peer = METHOD.replace("[]", '["pandas==0.0.1"]')
    place.script.write_text(peer)
    changed.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(load("suite.environments"), "torch_pin", lambda: "torch==0.1")
        changed.append(key())
        place.script.write_text(METHOD)
        assert key() not in changed and key() == key()
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda name: "0.1")
        changed.append(key())
    assert key() not in changed and len(set(changed)) == 8


def test_the_key_of_our_own_rows_follows_our_sources(load: Callable[[str], ModuleType]) -> None:
    records, environments = load("suite.records"), load("suite.environments")
    names = environments.read_needs(BENCHMARKS / "methods" / "synthgan.py").decided_by
    whole = records.sources_print(names)
    assert whole != records.sources_print([name for name in names if name != "sampling.py"])
    assert records.sources_print([]) == ""


def test_the_sources_that_decide_our_rows_are_those_that_a_fit_imports(
    load: Callable[[str], ModuleType],
) -> None:
    script = "import sys, synthgan; synthgan.SynthGAN\n" + (
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'synthgan'))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    first, *others = map(Path, ran.stdout.split())
    files = {str(path.relative_to(first.parent)) for path in [first, *others]}
    names = load("suite.environments").read_needs(BENCHMARKS / "methods" / "synthgan.py").decided_by
    left_out = {
        file
        for file in files
        if not any(Path(file).match(name) or file.split("/")[0] == name for name in names)
    }
    # of these a fit without a budget and without a limit on membership asks nothing
    idle = ("privacy/", "estimators/private/", "evaluation/attacks/", "evaluation/measures/")
    assert {file for file in left_out if not file.startswith(idle)} == {
        "__init__.py",
        "bundle.py",
        "errors.py",
        "evaluation/__init__.py",
        "evaluation/version.py",
    }
    measures = {Path(file).name for file in left_out if file.startswith("evaluation/measures/")}
    assert measures == {"__init__.py", "closeness.py", "membership.py"}


def test_a_source_that_is_not_there_is_named(load: Callable[[str], ModuleType]) -> None:
    with pytest.raises(ValueError, match=r"'nowhere\.py'"):
        load("suite.records").sources_print(["data", "nowhere.py"])


def test_a_split_is_whole_and_always_the_same(
    place: Place, load: Callable[[str], ModuleType]
) -> None:
    plan, tables = load("suite.plan").TablePlan, load("suite.tables")
    cut = plan("toy", real="toy.parquet", holdout_share=0.25)
    (real, holdout), again = (tables.load(cut, place.folder) for _ in range(2))
    assert (real.num_rows, holdout.num_rows) == (72, 24) and (real, holdout) == again
    both = pa.concat_tables([real, holdout]).sort_by("x")
    assert both.equals(toy(96).sort_by("x").combine_chunks().select(both.column_names))
    assert tables.fingerprint(real) == tables.fingerprint(again[0]) != tables.fingerprint(holdout)
    medical = plan("b", sklearn="breast_cancer", holdout_share=0.3)
    real, holdout = tables.load(medical, None)
    assert real.num_rows + holdout.num_rows == 569
    assert set(real["diagnosis"].to_pylist()) == {"benign", "malignant"}


def test_rows_go_home_in_the_real_types(load: Callable[[str], ModuleType]) -> None:
    schema = pa.schema(
        {
            "n": pa.int64(),
            "x": pa.float64(),
            "b": pa.bool_(),
            "s": pa.string(),
            "t": pa.timestamp("ms"),
        }
    )
    day = pd.Timestamp("2020-02-03")
    frame = pd.DataFrame(
        {
            "t": [day, pd.NaT],
            "s": pd.Categorical(["a", None]),
            "b": ["True", "False"],
            "x": [1, 2],
            "n": [2.6, np.nan],
            "extra": [0, 0],
        }
    )
    assert load("suite.generate").conform(frame, schema).to_pylist() == [
        {"n": 3, "x": 1.0, "b": True, "s": "a", "t": day},
        {"n": None, "x": 2.0, "b": False, "s": None, "t": None},
    ]


def record(method: str, seed: int, auc: float, version: str, **made: Any) -> dict[str, Any]:
    figures = {
        "fidelity.shape_error_pct": 100 * (auc - 0.5),
        "detection.boosted_auc": auc,
        "detection.boosted_auc_interval": [auc - 0.01, auc + 0.01],
        "utility.rmse": 50 * auc,
        "utility.real.rmse": 20.0,
    }
    entry = {
        "status": "done",
        "threads": 1,
        "machine": {"cpu": "A chip", "cores": 1, "memory_gib": 8},
        "fit": {"wall_seconds": 100.4, "cpu_seconds": 90.0},
        "sample": {"wall_seconds": 0.52, "cpu_seconds": 0.5},
        "peak_mib": 1234.0,
        "packages": {"torch": "2.9", method: "1.0"},
    }
    judged = {"status": "done", "metrics_version": version, "figures": figures}
    judged["floors"] = {"holdout": {"detection.boosted_auc": 0.499}}
    judged["rows"] = {"real": 72, "synthetic": 72, "holdout": 24}
    return {
        "table": "toy",
        "method": method,
        "seed": seed,
        "generate": entry | made,
        "judge": judged,
    }


def test_the_page_shows_medians_reasons_and_what_is_missing(
    tmp_path: Path, load: Callable[[str], ModuleType]
) -> None:
    markdown, plan, records = (load(f"suite.{n}") for n in ("markdown", "plan", "records"))
    version = markdown.METRICS_VERSION
    written = [record("ours", seed, auc, version) for seed, auc in enumerate((0.6, 0.7, 0.62))]
    written += [
        record("one", 0, 0.8, version),
        record("slow", 0, 0, version, status="did not finish", limit_seconds=1800),
        record("bad", 0, 0, version, status="failed", reason="a | b"),
        record("old", 0, 0.6, "0"),
        record("far", 0, 0.9, version, machine={"cpu": "B", "cores": 2, "memory_gib": 8}),
    ]
    for each in written:
        name = f"toy.{each['method']}.{each['seed']}.json"
        records.write_record(tmp_path / "small" / name, each)
    names = ("ours", "one", "slow", "bad", "old", "far", "never")
    methods = [plan.MethodPlan(name, script="copula.py") for name in names]
    suite = plan.Suite("small", "A toy", [plan.TablePlan("toy", real="toy")], methods, [0, 1, 2])
    page = markdown.write_markdown(suite, tmp_path).read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| toy")]
    shown = {row[1]: row for row in rows}
    assert shown["ours"][2] == "12.00 [10.00, 20.00]" and shown["ours"][3] == ""
    assert shown["ours"][4] == "0.620 [0.600, 0.700]"
    assert shown["ours"][7] == "RMSE 31 [30, 35] (20)"
    assert shown["ours"][9:] == ["100 / 90", "0.5", "1,234 |"]
    assert shown["one"][4] == "0.800 [0.790, 0.810]"
    assert shown["slow"][2] == "did not finish in 30 min"
    assert "failed: a \\| b" in page
    assert shown["*floor: the holdout*"][4] == "0.499"
    assert "Not run yet: old on toy, never on toy." in page
    assert "`python benchmarks/run.py --suite small --data DIR --threads 1`" in page
    assert "72 training rows, 24 holdout rows" in page
    assert "bad 1.0, far 1.0, one 1.0, ours 1.0, slow 1.0, torch 2.9" in page
    assert "1 core of A chip, 1 thread, 8 GiB" in page and "Seconds are not comparable" in page


def test_every_suite_of_ours_is_sound(load: Callable[[str], ModuleType]) -> None:
    import tomllib

    plan, environments = load("suite.plan"), load("suite.environments")
    path = BENCHMARKS / "suites.toml"
    for name in tomllib.loads(path.read_text())["suites"]:
        suite = plan.read_suite(path, name)
        cells = list(suite.cells())
        assert len({cell.name for cell in cells}) == len(cells)
        for method in suite.methods:
            assert bool(method.script) != bool(method.published) and method.about
            if method.script:
                needs = environments.read_needs(BENCHMARKS / "methods" / method.script)
                assert all(len(each.split("==")) == 2 for each in needs.requirements)
