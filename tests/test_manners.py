"""Manners and bad input: a refusal says what, where and what to do, and leaves no file behind."""

from __future__ import annotations

import ast
import json
import logging
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import synthgan
from synthgan import errors
from synthgan.cli import app

SOURCES = sorted(Path(synthgan.__file__).parent.rglob("*.py"))


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="synthgan")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def table(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "town": rng.choice(["Ulm", "Bonn", "Köln"], rows),
            "key": [f"K{1000 + i}" for i in range(rows)],
        }
    )


def quick(**parameters: Any) -> synthgan.SynthGAN:
    return synthgan.SynthGAN(epochs=1, width=16, depth=1, random_state=0, verbose=0, **parameters)


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(table())


@pytest.fixture(scope="module")
def model_file(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "towns.synthgan"
    fitted.save(path)
    return path


@pytest.fixture
def no_work(monkeypatch):
    """Fail if a command gets as far as an estimator."""

    def at_work(*args: Any, **more: Any) -> None:
        raise AssertionError("work was begun")

    monkeypatch.setattr("synthgan.cli._estimator", at_work)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder, with a table next to it."""
    table().to_parquet(tmp_path / "towns.parquet")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def refused(done: Any, code: int, *words: str) -> None:
    """Check that a command ended as it should: one error, no traceback, nothing on stdout."""
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


# Bad input: files


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "missing.parquet"),
        ("fit", "missing.parquet", "--force"),
        ("sample", "missing.synthgan", "-o", "new.csv"),
        ("complete", "missing.synthgan", "../towns.parquet", "-o", "new.csv"),
        ("complete", "../towns.parquet", "missing.parquet", "-o", "new.csv"),
        ("info", "missing.parquet"),
        ("info", "../towns.parquet", "--schema", "missing.json"),
        ("fit", "../towns.parquet", "--schema", "missing.json"),
    ],
)
def test_a_missing_input_is_refused_by_name(folder, no_work, words):
    refused(run(*words), 2, "no such file or folder", "missing.")
    assert names(folder) == set()


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("fit", "../towns.parquet"), "towns.synthgan"),
        (("fit", "../towns.parquet", "-o", "m.synthgan"), "m.synthgan"),
        (("sample", "../towns.parquet", "-o", "new.csv"), "new.csv"),
        (("complete", "../towns.parquet", "../towns.parquet", "-o", "new.csv"), "new.csv"),
    ],
)
def test_an_output_that_exists_is_refused_before_any_work(folder, no_work, words, output):
    (folder / output).write_text("precious", encoding="utf-8")
    refused(run(*words), 2, output, "--force")
    assert (folder / output).read_text(encoding="utf-8") == "precious"
    assert names(folder) == {output}


def test_force_overwrites(folder, model_file):
    (folder / "new.csv").write_text("old", encoding="utf-8")
    assert run("sample", model_file, "-n", 5, "-o", "new.csv", "--force").exit_code == 0
    assert len(pd.read_csv("new.csv")) == 5


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "../towns.parquet", "-o", "nowhere/m.synthgan"),
        ("sample", "../towns.parquet", "-o", "nowhere/new.csv"),
        ("complete", "../towns.parquet", "../towns.parquet", "-o", "nowhere/new.csv"),
    ],
)
def test_a_missing_output_folder_is_refused_before_any_work(folder, no_work, words):
    refused(run(*words), 2, "nowhere", "does not exist")
    assert names(folder) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "../towns.parquet", "-o", "m.parquet"),
        ("fit", "../towns.parquet", "-o", "m"),
        ("sample", "../towns.parquet", "-o", "new.xlsx"),
        ("sample", "../towns.parquet", "-o", "new"),
    ],
)
def test_an_output_of_an_unknown_suffix_is_refused_before_any_work(folder, no_work, words):
    refused(run(*words), 2, words[-1])
    assert names(folder) == set()


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather", "jsonl"])
@pytest.mark.parametrize("command", ["fit", "info"])
def test_a_table_that_is_not_what_its_name_says_is_refused(folder, command, suffix):
    (folder / f"odd.{suffix}").write_bytes(b"\x00\x01 this is none of these \xff")
    refused(run(command, f"odd.{suffix}"), 1, f"odd.{suffix}")
    assert names(folder) == {f"odd.{suffix}"}


def test_a_table_of_an_unknown_suffix_is_refused(folder):
    (folder / "table.xlsx").write_bytes(b"PK")
    for command in ("fit", "info"):
        refused(run(command, "table.xlsx"), 1, "table.xlsx", ".parquet")


def damaged(path: Path, how: str) -> bytes:
    content = path.read_bytes()
    if how == "cut":
        return content[: len(content) // 2]
    if how == "changed":
        return content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:]
    return table().to_csv().encode() if how == "foreign" else b""


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("cut", "cut short"),
        ("changed", "damaged"),
        ("foreign", "not a model"),
        ("empty", "not a model"),
    ],
)
def test_a_model_that_cannot_be_trusted_is_refused(folder, model_file, how, word):
    (folder / "bad.synthgan").write_bytes(damaged(model_file, how))
    refused(run("sample", "bad.synthgan", "-o", "new.csv"), 1, "bad.synthgan", word)
    refused(run("info", "bad.synthgan", "--json"), 1, "bad.synthgan", word)
    assert names(folder) == {"bad.synthgan"}


def test_a_table_is_no_model(folder):
    refused(run("sample", "../towns.parquet", "-o", "new.csv"), 1, "not a model")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_output_that_fails_after_the_work_is_a_failed_run(
    folder, model_file, monkeypatch, suffix
):
    def full_disk(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    done = run("sample", model_file, "-q", "-o", f"new{suffix}")
    refused(done, 1, "No space left", f"new{suffix}")
    words = ("-q", "--epochs", 1, "--set", "width=16", "--set", "depth=1")
    refused(run("fit", "../towns.parquet", "-o", "m.synthgan", *words), 1, "No space left")
    assert names(folder) == set()


# Bad input: tables


def inner(**columns: Any) -> pd.DataFrame:
    return table().assign(**columns)


BAD_TABLES = {
    "no rows": (table(0), ["row"]),
    "one row": (table(1), ["row"]),
    "no columns": (pd.DataFrame(index=range(5)), ["column"]),
    "infinities": (inner(speed=[np.inf, -np.inf] + [1.5] * 118), ["'speed'", "infin"]),
    "nested": (inner(tags=[["a", "b"]] * 120), ["'tags'", "list"]),
    "bytes": (inner(blob=[b"a"] * 120), ["'blob'", "binary"]),
    "free text": (
        inner(
            note=[
                f"On day {i} we met {i * 7919 % 997} and spoke of {i * 31} things"
                for i in range(120)
            ]
        ),
        ["'note'", "drop", "category", "id"],
    ),
}
BAD_FRAMES = {
    "duplicate names": (pd.DataFrame([[1, 2]] * 9, columns=["a", "a"]), ["'a'"]),
    "mixed types": (inner(mess=["a", 1] * 60), ["'mess'", "str", "int"]),
    "names of no kind": (pd.DataFrame([[1, 2]] * 9, columns=[("a", 1), None]), ["None"]),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_table_that_cannot_be_learned_is_refused(folder, case):
    bad, words = BAD_TABLES[case]
    bad.to_parquet(folder / "bad.parquet", index=False)
    refused(run("fit", "bad.parquet"), 1, *words)
    refused(run("info", "bad.parquet"), 1, *words)
    assert names(folder) == {"bad.parquet"}


@pytest.mark.parametrize("case", [*BAD_TABLES, *BAD_FRAMES])
def test_a_frame_that_cannot_be_learned_is_refused(case):
    bad, words = {**BAD_TABLES, **BAD_FRAMES}[case]
    with pytest.raises(errors.SynthganError) as caught:
        quick().fit(bad)
    for word in words:
        assert word in str(caught.value)


def test_mixed_types_in_a_file_are_refused(folder):
    rows = [{"a": 1, "b": 1}, {"a": "x", "b": 2}] * 10
    (folder / "bad.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    refused(run("fit", "bad.jsonl"), 1, "bad.jsonl")
    assert names(folder) == {"bad.jsonl"}


def test_all_problems_of_a_table_come_in_one_error():
    with pytest.raises(errors.TableError) as caught:
        quick().fit(inner(speed=np.inf, tags=[["a"]] * 120))
    assert "'speed'" in str(caught.value)
    assert "'tags'" in str(caught.value)


def test_a_schema_that_does_not_fit_is_refused(folder):
    Path("s.json").write_text('{"agee": "number", "town": "numbr", "key": {"bound": 1}}', "utf-8")
    done = run("fit", "../towns.parquet", "--schema", "s.json")
    refused(done, 1, "'agee'", "'age'", "'numbr'", "'number'", "'bound'", "'bounds'")
    Path("s.json").write_text("{", encoding="utf-8")
    refused(run("info", "../towns.parquet", "--schema", "s.json"), 1, "s.json", "JSON")
    assert names(folder) == {"s.json"}


# Bad input: parameters and conditions


@pytest.mark.parametrize("rows", ["-1", "1.5", "many", "1e3"])
def test_a_number_of_rows_that_is_none_is_refused(folder, no_work, rows):
    refused(
        run("sample", "../towns.parquet", "-o", "new.csv", "-n", rows),
        2,
        repr(rows),
        "whole number",
    )
    assert names(folder) == set()


@pytest.mark.parametrize("rows", [-1, 1.5, "many", None, True])
def test_a_number_of_rows_that_is_none_is_refused_in_python(fitted, rows):
    with pytest.raises(errors.ParameterError, match="n_samples"):
        fitted.sample(rows)


def test_a_sample_that_does_not_fit_in_memory_is_refused_at_once(folder, model_file):
    done = run("sample", model_file, "-o", "new.csv", "-n", 10**12)
    refused(done, 1, "TiB", "free")
    assert names(folder) == set()


def test_sampling_before_fit_is_refused():
    from sklearn.exceptions import NotFittedError

    for use in (
        lambda model: model.sample(5),
        lambda model: model.complete(table()),
        lambda model: model.save("never.synthgan"),
        lambda model: model.score(table()),
    ):
        with pytest.raises(NotFittedError):
            use(quick())
    assert not Path("never.synthgan").exists()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("tonw=Ulm", ["'tonw'", "'town'"]),
        ("town=Um", ["'town'", "'Um'", "'Ulm'"]),
        ("town=", ["'town'"]),
        ("age=500", ["'age'", "500"]),
        ("age=500:", ["'age'", "500"]),
        ("age=old", ["'age'", "'old'"]),
        ("key=K1000", ["'key'"]),
    ],
)
def test_a_condition_nobody_can_meet_is_refused_by_name(folder, model_file, condition, words):
    done = run("sample", model_file, "-o", "new.csv", "-n", 5, "--where", condition)
    refused(done, 1, *words)
    assert names(folder) == set()


def test_a_condition_that_is_none_is_refused(folder, no_work):
    refused(
        run("sample", "../towns.parquet", "-o", "new.csv", "--where", "age"),
        2,
        "COLUMN=VALUE",
        "'age'",
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--set", "epoch=5"), ["'epoch'", "'epochs'"]),
        (("--set", "epochs"), ["NAME=VALUE", "'epochs'"]),
        (("--set", "schema=x"), ["schema", "--schema"]),
        (("--set", "width=16", "--set", "width=17"), ["width", "twice"]),
        (("--epochs", "3", "--set", "epochs=4"), ["epochs", "--epochs"]),
        (("--epoch", "3"), ["--epoch"]),
        (("--epochs", "-3"), ["epochs", "-3"]),
        (("--epochs", "often"), ["epochs", "'often'"]),
        (("--max-seconds", "0"), ["max_seconds", "0"]),
        (("--max-seconds", "soon"), ["max_seconds", "'soon'"]),
        (("--objective", "relativistc"), ["objective", "'relativistic'"]),
        (("--rare-threshold", "0"), ["--rare-threshold", "'0'"]),
        (("--batch-size", "0.5"), ["batch_size", "0.5"]),
        (("--random-state", "-1"), ["--random-state", "'-1'"]),
        (("--device", "cuba"), ["device", "'cuba'"]),
        (("--set", "holdout=1.5"), ["holdout", "1.5"]),
        (("--set", "learning_rate=-1"), ["learning_rate", "-1"]),
    ],
)
def test_a_parameter_that_is_wrong_is_refused(folder, words, found):
    refused(run("fit", "../towns.parquet", *words), 2, *found)
    assert names(folder) == set()


def test_unknown_names_are_refused_in_python_too():
    with pytest.raises(errors.ParameterError, match="'epochs'"):
        synthgan.SynthGAN(epoch=3)


# Accepted


def test_odd_columns_are_accepted(folder):
    odd = table().rename(columns={"age": "how old?", "town": "zwei\nZeilen", "key": "ключ = 鍵"})
    odd["nothing"] = pd.Series([None] * len(odd), dtype="string")
    odd["void"] = np.nan
    odd["same"] = 7
    odd.to_parquet("odd.parquet")
    words = ("--epochs", 1, "--set", "width=16", "--random-state", 0)
    done = run("fit", "odd.parquet", *words)
    assert done.exit_code == 0, done.stderr
    where = ("--where", "zwei\nZeilen=Köln", "--where", "how old?=30:40")
    done = run("sample", "odd.synthgan", "-n", 9, "-o", "new.parquet", *where)
    assert done.exit_code == 0, done.stderr
    new = pd.read_parquet("new.parquet")
    assert list(new.columns) == list(odd.columns)
    assert new["nothing"].isna().all()
    assert new["void"].isna().all()
    assert (new["same"] == 7).all()
    assert (new["zwei\nZeilen"] == "Köln").all()
    assert new["how old?"].between(30, 40).all()
    shown = run("info", "odd.synthgan")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "ключ = 鍵" in shown.stdout
    assert "'zwei\\nZeilen'" in shown.stdout


def test_a_sample_of_no_rows_has_the_types_of_the_table(fitted):
    nothing = fitted.sample(0)
    assert nothing.shape == (0, 3)
    assert list(nothing.dtypes) == list(table().dtypes)


# Manners


def test_the_library_does_not_print():
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", None)
            assert called != "print", f"{source}:{node.lineno}"


def test_fit_and_sample_say_nothing_when_verbose_is_zero(capfd):
    quick().fit(table()).sample(5)
    assert capfd.readouterr() == ("", "")


def test_the_library_logs_under_its_own_name_and_leaves_logging_alone(fitted, caplog):
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("synthgan").handlers)
    before = (logging.getLogger().level, list(logging.getLogger().handlers))
    with caplog.at_level(logging.DEBUG):
        quick().fit(table())
    assert (logging.getLogger().level, list(logging.getLogger().handlers)) == before
    ours = [record.name for record in caplog.records if "synthgan" in record.pathname]
    assert set(ours) <= {"synthgan"}


def test_a_command_leaves_logging_and_warnings_as_they_were(folder):
    import warnings

    logger = logging.getLogger("synthgan")
    before = (logger.level, list(logger.handlers), warnings.showwarning)
    run("info", "../towns.parquet", "-v")
    assert (logger.level, list(logger.handlers), warnings.showwarning) == before


def test_warnings_and_log_go_to_stderr_as_plain_lines(folder, monkeypatch):
    import warnings

    def speak(*args: Any) -> dict[str, Any]:
        warnings.warn("first", errors.SynthganWarning, stacklevel=2)
        logging.getLogger("synthgan").warning("second %d", 2)
        logging.getLogger("synthgan").info("third")
        logging.getLogger("synthgan").debug("fourth")
        return {"columns": []}

    monkeypatch.setattr("synthgan.cli.info.describe_data", speak)
    loud = "warning: first\nwarning: second 2\n"
    for words, expected in [
        ((), loud + "third\n"),
        (("-v",), loud + "third\nfourth\n"),
        (("-q",), loud),
    ]:
        done = run("info", "../towns.parquet", "--json", *words)
        assert done.stderr == expected
        assert json.loads(done.stdout)["columns"] == []


def test_errors_are_the_builtins_a_user_would_expect():
    expected = {
        "TableError": ValueError,
        "ParameterError": ValueError,
        "InputNotFoundError": FileNotFoundError,
        "OutputExistsError": FileExistsError,
        "MemoryLimitError": MemoryError,
        "TrainingError": RuntimeError,
    }
    for name, builtin in expected.items():
        assert issubclass(getattr(errors, name), (builtin, errors.SynthganError))
        assert issubclass(getattr(errors, name), builtin)
        assert issubclass(getattr(errors, name), errors.SynthganError)
    assert issubclass(synthgan.SynthganWarning, UserWarning)


def test_the_package_says_what_it_is(project_root):
    assert (Path(synthgan.__file__).parent / "py.typed").is_file()
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    assert project["requires-python"] == ">=3.11"
    assert project["scripts"] == {"synthgan": "synthgan.cli:main"}
    extras = project["optional-dependencies"]
    tools = {"pytest", "ruff", "mypy", "hypothesis", "import-linter"}
    assert not tools & set(" ".join(extras["all"]).replace("[", " ").replace("]", " ").split())


def test_schema_and_history_show_themselves_in_notebooks(fitted):
    assert fitted.schema_._repr_html_().startswith("<table>")
    assert "<table" in fitted.history_._repr_html_()


def test_files_are_read_and_written_as_utf8_whatever_the_locale(tmp_path):
    towns = {"kind": "category", "levels": ["Köln", "Ulm", "Bonn"]}
    table().to_csv(tmp_path / "towns.csv", index=False, encoding="utf-8")
    (tmp_path / "s.json").write_text(json.dumps({"town": towns}, ensure_ascii=False), "utf-8")
    code = "import sys; from synthgan.cli import app; app(sys.argv[1:])"
    flags = ("-X", "utf8=0", "-X", "warn_default_encoding", "-W", "always::EncodingWarning")
    done = subprocess.run(
        [sys.executable, *flags, "-c", code, "info", "towns.csv", "--schema", "s.json", "--json"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"},
    )
    warned = done.stderr.decode("utf-8").splitlines()
    assert done.returncode == 0, warned
    assert not [line for line in warned if "EncodingWarning" in line and "synthgan" in line]
    columns = {column["name"]: column for column in json.loads(done.stdout)["columns"]}
    assert columns["town"]["levels"] == towns["levels"]
