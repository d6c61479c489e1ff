"""The command line: fit, sample, complete and info."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import synthgan
from synthgan.cli import app
from synthgan.data.source import open_source

QUICK = ("--epochs", "2", "--random-state", "0", "--set", "width=16", "--set", "depth=1")


def run(*words: Any) -> Any:
    """Run a command line in this process; stdout, stderr and exit code are in the result."""
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="synthgan")


def people(rows: int = 300) -> pd.DataFrame:
    """Make a table with a number, two categories, a date, a flag, an identifier, and gaps."""
    rng = np.random.default_rng(0)
    sizes = ["S", "M", "L"]
    age = rng.integers(18, 80, rows)
    frame = pd.DataFrame(
        {
            "person": [f"P{100_000 + 7 * i}" for i in range(rows)],
            "age": age,
            "income": np.where(age + rng.normal(0, 20, rows) > 50, ">50K", "<=50K"),
            "size": pd.Categorical(rng.choice(sizes, rows), categories=sizes, ordered=True),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "member": rng.random(rows) < 0.3,
            "height": rng.normal(170, 10, rows).round(1),
        }
    )
    frame.loc[rng.random(rows) < 0.2, "height"] = np.nan
    return frame


def names(folder: Path) -> set[str]:
    """Name everything in a folder, hidden temporary files too."""
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with a table and a model of it, made on the command line."""
    folder = tmp_path_factory.mktemp("workshop")
    people().to_parquet(folder / "people.parquet")
    done = run("fit", folder / "people.parquet", "-o", folder / "people.synthgan", *QUICK)
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture
def model(workshop):
    return workshop / "people.synthgan"


def read(path):
    return open_source(path, min_rows=0).table().to_pandas()


def python(*words, **more):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, encoding="utf-8", **more
    )


# fit


def test_fit_names_the_model_after_the_data_in_the_working_folder(workshop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("fit", workshop / "people.parquet", *QUICK)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "wrote people.synthgan" in done.stderr
    assert names(tmp_path) == {"people.synthgan"}


def test_quiet_says_nothing(workshop, tmp_path):
    done = run("fit", workshop / "people.parquet", "-q", "-o", tmp_path / "m.synthgan", *QUICK)
    assert (done.exit_code, done.output) == (0, "")
    done = run("sample", tmp_path / "m.synthgan", "-n", 5, "-o", tmp_path / "new.csv", "-q")
    assert (done.exit_code, done.output) == (0, "")


def test_parameters_reach_the_estimator(workshop, tmp_path, monkeypatch):
    seen = {}

    class Spy(synthgan.SynthGAN):
        def fit(self, X, y=None, sample_weight=None):
            seen.update(self.get_params())
            raise synthgan.SynthganError("seen")

    monkeypatch.setattr(synthgan, "SynthGAN", Spy)
    schema = tmp_path / "schema.json"
    schema.write_text('{"age": {"kind": "number", "bounds": [0, null]}}', encoding="utf-8")
    done = run(
        *("fit", workshop / "people.parquet", "-o", tmp_path / "m.synthgan", "-v"),
        *("--max-seconds", 12.5, "--epochs", 3, "--objective", "wgan-gp", "--batch-size", "auto"),
        *("--schema", schema, "--rare-threshold", 2, "--random-state", 7, "--device", "cpu"),
        *("--critic-steps", 2, "--pack", "auto", "--critics", 2, "--critic-vote", "hardest"),
        *("--spectral-norm", "--minibatch-discrimination", "--dropout", 0.1),
        *("--instance-noise", 0.2, "--feature-matching", 1, "--target", 7, "--target-weight", 0.5),
        *("--set", "learning-rate=1e-3", "--set", "latent_size=auto", "--set", "holdout=0.2"),
    )
    assert (done.exit_code, done.stderr) == (1, "error: seen\n")
    expected = {
        "max_seconds": 12.5,
        "epochs": 3,
        "objective": "wgan-gp",
        "batch_size": "auto",
        "schema": {"age": {"kind": "number", "bounds": [0, None]}},
        "rare_threshold": 2,
        "random_state": 7,
        "device": "cpu",
        "critic_steps": 2,
        "pack": "auto",
        "critics": 2,
        "critic_vote": "hardest",
        "spectral_norm": True,
        "minibatch_discrimination": True,
        "dropout": 0.1,
        "instance_noise": 0.2,
        "feature_matching": 1,
        "target": "7",
        "target_weight": 0.5,
        "learning_rate": 1e-3,
        "latent_size": "auto",
        "holdout": 0.2,
        "verbose": 2,
    }
    assert {name: seen[name] for name in expected} == expected


def test_ctrl_c_keeps_the_model_as_it_stands(workshop, tmp_path, monkeypatch):
    from synthgan.training.games import TableGame

    whole, steps = TableGame.step, []

    def interrupted(self, learning_rate, progress):
        steps.append(1)
        if len(steps) == 60:
            raise KeyboardInterrupt
        return whole(self, learning_rate, progress)

    monkeypatch.setattr(TableGame, "step", interrupted)
    target = tmp_path / "m.synthgan"
    done = run(
        "fit", workshop / "people.parquet", "-o", target, "--epochs", 1000, "--set", "width=16"
    )
    assert done.exit_code == 0, done.stderr
    assert "interrupted" in done.stderr
    assert f"wrote {target}" in done.stderr
    assert run("sample", target, "-n", 5, "-o", tmp_path / "new.csv").exit_code == 0


def test_ctrl_c_without_a_model_leaves_no_file(workshop, tmp_path, monkeypatch):
    def interrupted(self, *args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthgan.SynthGAN, "fit", interrupted)
    done = run("fit", workshop / "people.parquet", "-o", tmp_path / "m.synthgan")
    assert done.exit_code == 130
    assert done.stderr == "error: interrupted; nothing was written\n"
    assert names(tmp_path) == set()


# sample


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow", "feather", "jsonl", "ndjson"])
def test_sample_writes_what_the_suffix_says(model, tmp_path, suffix):
    target = tmp_path / f"new.{suffix}"
    done = run("sample", model, "-n", 20, "-o", target)
    assert (done.exit_code, done.stdout) == (0, "")
    table = read(target)
    assert len(table) == 20
    assert list(table.columns) == list(people(2).columns)
    assert names(tmp_path) == {target.name}


def test_sample_draws_a_thousand_rows_unless_told_otherwise(model, tmp_path):
    assert run("sample", model, "-o", tmp_path / "new.parquet").exit_code == 0
    assert len(read(tmp_path / "new.parquet")) == 1000


def test_sample_of_no_rows_is_an_empty_table_of_the_right_types(model, tmp_path):
    run("sample", model, "-n", 3, "-o", tmp_path / "some.parquet")
    assert run("sample", model, "-n", 0, "-o", tmp_path / "none.parquet").exit_code == 0
    some, none = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("some", "none"))
    assert none.num_rows == 0
    assert none.schema.equals(some.schema)


def test_the_same_seed_gives_the_same_rows(model, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        run("sample", model, "-n", 50, "-o", tmp_path / f"{name}.csv", "--random-state", seed)
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        (["age=30:40"], lambda t: t["age"].between(30, 40)),
        (["age=:25", "income=<=50K"], lambda t: (t["age"] <= 25) & (t["income"] == "<=50K")),
        (["income=>50K", "member=yes"], lambda t: (t["income"] == ">50K") & t["member"]),
        (["size=M:L"], lambda t: t["size"].isin(["M", "L"])),
        (["size=S|L"], lambda t: t["size"].isin(["S", "L"])),
        (["height="], lambda t: t["height"].isna()),
        (
            ["joined=2020-06-01:2020-12-31"],
            lambda t: t["joined"].between("2020-06-01", "2020-12-31"),
        ),
    ],
)
def test_every_row_meets_the_conditions(model, tmp_path, conditions, met):
    words = [word for condition in conditions for word in ("--where", condition)]
    done = run("sample", model, "-n", 40, "-o", tmp_path / "new.parquet", *words)
    assert done.exit_code == 0, done.stderr
    table = read(tmp_path / "new.parquet")
    assert len(table) == 40
    assert met(table).all()


@pytest.mark.parametrize("kind", [int, float, bool])
def test_a_boolean_of_any_type_takes_any_word_of_truth(tmp_path, kind):
    table = pd.DataFrame({"b": np.arange(200) % 2, "x": np.arange(200) % 7}).astype({"b": kind})
    table.to_parquet(tmp_path / "t.parquet")
    (tmp_path / "s.json").write_text('{"b": "boolean"}', encoding="utf-8")
    words = ("-o", tmp_path / "m.synthgan", "--schema", tmp_path / "s.json")
    assert run("fit", tmp_path / "t.parquet", *words, *QUICK).exit_code == 0
    for word, expected in (("1", 1), ("true", 1), ("no", 0)):
        words = ("-n", 20, "-o", tmp_path / "new.parquet", "--where", f"b={word}", "--force")
        done = run("sample", tmp_path / "m.synthgan", *words)
        assert done.exit_code == 0, done.stderr
        assert set(read(tmp_path / "new.parquet")["b"]) == {expected}


# complete


def test_complete_leaves_given_cells_and_fills_the_rest(model, tmp_path):
    (tmp_path / "gaps.csv").write_text("income,age\n>50K,\n,30\n<=50K,41\n", encoding="utf-8")
    done = run("complete", model, tmp_path / "gaps.csv", "-o", tmp_path / "full.csv")
    assert done.exit_code == 0, done.stderr
    full = read(tmp_path / "full.csv")
    assert set(full.columns) == set(people(2).columns)
    assert full["income"].tolist()[::2] == [">50K", "<=50K"]
    assert full["age"].tolist()[1:] == [30, 41]
    assert full[["income", "age"]].notna().all().all()


def test_an_output_that_is_an_input_is_refused(model, tmp_path):
    part = tmp_path / "rows" / "gaps.parquet"
    part.parent.mkdir()
    people(5)[["age"]].to_parquet(part)
    before = part.read_bytes()
    for rows in (part, part.parent):
        done = run("complete", model, rows, "-o", part, "--force")
        assert done.exit_code == 2
        assert "one of the inputs" in done.stderr
    assert part.read_bytes() == before
    done = run("complete", model, part.parent, "-o", part.parent / "full.csv")
    assert done.exit_code == 0, done.stderr


# info


def test_info_of_a_model_as_json_is_one_object(model):
    done = run("info", model, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["what"], found["version"]) == ("model", synthgan.__version__)
    assert [column["name"] for column in found["columns"]] == list(people(2).columns)
    assert all(column["reason"] for column in found["columns"])
    assert found["stopped"] == "epochs"
    assert found["training"]["step"] > 0


def test_info_of_a_table_as_json_shows_what_an_override_does(workshop, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"age": "category", "person": "drop"}', encoding="utf-8")
    plain = json.loads(run("info", workshop / "people.parquet", "--json").stdout)
    other = json.loads(
        run("info", workshop / "people.parquet", "--json", "--schema", schema).stdout
    )
    kinds, others = (
        {column["name"]: column["kind"] for column in found["columns"]} for found in (plain, other)
    )
    assert kinds == {
        "person": "id",
        "age": "number",
        "income": "category",
        "size": "category",
        "joined": "datetime",
        "member": "boolean",
        "height": "number",
    }
    assert others == {**kinds, "age": "category", "person": "drop"}
    assert plain["rows"] == 300


def test_what_info_prints_is_a_schema_file(workshop, tmp_path):
    printed = tmp_path / "schema.json"
    printed.write_text(run("info", workshop / "people.parquet", "--json").stdout, encoding="utf-8")
    again = run("info", workshop / "people.parquet", "--json", "--schema", printed)
    first, second = (
        json.loads(text) for text in (printed.read_text(encoding="utf-8"), again.stdout)
    )
    assert [c["kind"] for c in first["columns"]] == [c["kind"] for c in second["columns"]]


@pytest.mark.parametrize("what", ["people.parquet", "people.synthgan"])
def test_info_shows_a_row_for_each_column(workshop, what):
    done = run("info", workshop / what)
    assert (done.exit_code, done.stderr) == (0, "")
    for column in people(2).columns:
        assert column in done.stdout
    assert "…" not in done.stdout


def test_info_says_how_many_values_are_hidden(tmp_path):
    table = pd.DataFrame({"town": ["Ulm"] * 30 + ["Bonn"] * 20 + ["Aach"], "n": range(51)})
    table.to_parquet(tmp_path / "towns.parquet")
    found = json.loads(run("info", tmp_path / "towns.parquet", "--json").stdout)
    assert found["columns"][0]["hidden"] == 1
    words = ("info", tmp_path / "towns.parquet", "--json", "--rare-threshold", 1)
    assert json.loads(run(*words).stdout)["columns"][0]["hidden"] == 0


def test_info_says_when_there_was_nothing_to_learn(tmp_path):
    pd.DataFrame({"id": range(200)}).to_parquet(tmp_path / "t.parquet")
    done = run("fit", tmp_path / "t.parquet", "-o", tmp_path / "m.synthgan", *QUICK)
    assert done.exit_code == 0, done.stderr
    assert "not trained: there was nothing to learn" in run("info", tmp_path / "m.synthgan").stdout


def test_the_table_is_described_by_the_threshold_that_it_would_be_learned_by(workshop):
    found = json.loads(run("info", workshop / "people.parquet", "--json").stdout)
    assert found["rare_threshold"] == synthgan.SynthGAN().rare_threshold


def test_a_model_has_its_own_schema(model):
    done = run("info", model, "--rare-threshold", 1)
    assert done.exit_code == 2
    assert "a model has its own" in done.stderr


# the program


def test_version_and_help_load_nothing_heavy():
    code = (
        "import sys; from synthgan.cli import app\n"
        "heavy = {'torch', 'pandas', 'pyarrow', 'sklearn'}\n"
        "try: app(sys.argv[1:])\n"
        "finally: print(*heavy & set(sys.modules), file=sys.stderr)"
    )
    for words in (["--version"], ["--help"], ["fit", "--help"], ["sample", "--help"]):
        done = python("-c", code, *words)
        assert (done.returncode, done.stderr) == (0, "\n"), words


def test_info_of_a_table_loads_no_torch(workshop):
    code = (
        "import sys; from synthgan.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: print('torch' in sys.modules, file=sys.stderr)"
    )
    done = python("-c", code, "info", str(workshop / "people.parquet"), "--json")
    assert (done.returncode, done.stderr) == (0, "False\n")


def test_the_module_is_the_program():
    done = python("-m", "synthgan", "--version")
    assert (done.returncode, done.stdout) == (0, f"synthgan {synthgan.__version__}\n")
    done = python("-m", "synthgan", "fit", "nowhere.parquet")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")


def test_no_command_shows_the_help():
    done = run()
    assert done.exit_code == 2
    for command in ("fit", "sample", "complete", "report", "score", "info"):
        assert command in done.output


def test_debug_shows_where_an_error_happened(tmp_path):
    (tmp_path / "bad.synthgan").write_bytes(b"not a model")
    words = ("info", tmp_path / "bad.synthgan")
    assert "Traceback" not in run(*words).output
    assert "Traceback" in run(*words, "--debug").stderr


def test_an_unforeseen_error_is_one_line_too(model, tmp_path, monkeypatch):
    def broken(self, *args, **more):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(synthgan.SynthGAN, "sample", broken)
    done = run("sample", model, "-o", tmp_path / "new.csv")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ZeroDivisionError: by zero\n")
    assert "Traceback" not in done.stderr
