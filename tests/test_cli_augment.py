"""``synthgan augment``: what it writes, and what it refuses before any work."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from synthgan.cli import app
from synthgan.cli.augment import read_strategy
from synthgan.errors import ParameterError

SHORT = ["--epochs", "1", "--set", "width=8", "--set", "depth=1", "--random-state", "0"]


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["augment", *map(str, words)], prog_name="synthgan")
    return done.exit_code, done.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    kinds = np.repeat(["fine", "fraud"], [80, 20])
    table = pa.table(
        {
            "amount": random.gamma(2.0, 20.0, 100),
            "kind": kinds,
            "shop": random.choice(["a", "b"], 100),
            "code": np.repeat([1, 2], [60, 40]),
        }
    )
    path = tmp_path / "data.parquet"
    pq.write_table(table, path)
    return path


def test_rows_are_added_below_and_marked(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "more.parquet"
    code, said = run(data, "--target", "kind", "-o", output, *SHORT)
    assert code == 0, said
    assert "'fraud': 60 rows generated" in said and "100 rows, and 60 synthetic ones" in said
    before, after = pq.read_table(data), pq.read_table(output)
    assert after.column_names == ["amount", "kind", "shop", "code", "synthetic"]
    assert after.slice(0, 100).drop_columns(["synthetic"]).equals(before)
    assert after["synthetic"].to_pylist() == [False] * 100 + [True] * 60
    assert Counter(after["kind"].to_pylist()) == {"fine": 80, "fraud": 80}


def test_rows_of_classes_that_are_numbers_without_a_mark(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "more.csv"
    words = ("--target", "code", "--strategy", "2=45", "--strategy", "1=61", "--no-mark", "-q")
    code, said = run(data, *words, "-o", output, "--quality-filter", "label", *SHORT)
    assert (code, said) == (0, "")
    after = pa_csv.read_csv(output)
    assert after.column_names == ["amount", "kind", "shop", "code"]
    assert Counter(after["code"].to_pylist()) == {1: 61, 2: 45}


def test_a_column_of_numbers_by_intervals(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "more.parquet"
    words = ("--target", "amount", "--task", "regression", "--mark", "new")
    code, said = run(data, *words, "-o", output, *SHORT)
    assert code == 0, said
    after = pq.read_table(output)
    assert after.num_rows == 200 and sum(after["new"].to_pylist()) == 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "kin"], "did you mean 'kind'"),
        (["--target", "kind", "--strategy", "frad=30"], "did you mean 'fraud"),
        (["--target", "kind", "--strategy", "fraud=many"], "whole number of rows of class 'fraud'"),
        (["--target", "kind", "--strategy", "minorty"], "did you mean 'minority'"),
        (["--target", "kind", "--mark", "shop"], "column 'shop' is in the table already"),
        (["--target", "kind", "--set", "widht=3"], "did you mean 'width'"),
        (["--target", "kind", "--quality-filter", "labels"], "did you mean 'label'"),
    ],
)
def test_what_is_refused(words: list[str], message: str, data: Path, tmp_path: Path) -> None:
    output = tmp_path / "more.parquet"
    code, said = run(data, *words, "-o", output)
    assert code == 2 and message in said, said
    assert not output.exists()


def test_strategies_are_read_as_words_ratios_and_classes() -> None:
    assert read_strategy(["not majority"], ["a"]) == "not majority"
    assert read_strategy(["a=b=3"], ["a=b"]) == {"a=b": 3}
    with pytest.raises(ParameterError, match="2 problems"):
        read_strategy(["minority", "a=1"], ["b"])
