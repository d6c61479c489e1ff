"""Utility: known answers on both sides, and tables that cannot teach."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.measures.targets import CLASSIFICATION, REGRESSION, task
from synthgan.evaluation.measures.utility import utility
from synthgan.evaluation.reference import Reference


def people(rows: int, seed: int) -> pa.Table:
    """A category and a number that decide a boolean and a price, and a column of noise."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows)
    town = rng.integers(0, 3, rows)
    score = 2 * size + town + 0.3 * rng.normal(size=rows)
    return pa.table(
        {
            "size": size,
            "town": np.array(["Bonn", "Trier", "Ulm"])[town].tolist(),
            "noise": rng.normal(size=rows),
            "rich": score > 1,
            "grade": np.array(["a", "b", "c", "d"])[np.digitize(score, [-1, 1, 3])].tolist(),
            "price": 100 * score,
        }
    )


def independent(table: pa.Table, seed: int = 7) -> pa.Table:
    """The same columns, each shuffled by itself."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {n: table.column(n).take(rng.permutation(table.num_rows)) for n in table.column_names}
    )


def judged(real: pa.Table, found: pa.Table, target: str | None, **settings: Any) -> dict[str, Any]:
    """Utility of a table, checked to be strict JSON."""
    detail = settings.pop("detail", True)
    reference = Reference(real, target=target, **settings)
    result = utility(reference, reference.code(found), detail=detail)
    json.dumps(result, allow_nan=False)
    return result


REAL, FRESH = people(600, seed=1), people(500, seed=2)
PAIR = ["size", "town", "noise"]


def test_a_copy_is_worth_what_the_real_table_is() -> None:
    result = judged(REAL.select([*PAIR, "rich"]), REAL, "rich", holdout=FRESH)
    assert result["task"] == CLASSIFICATION
    assert result["real"]["auc"] > 0.95
    for figures in result["learners"].values():
        assert figures["auc"] == pytest.approx(figures["real"]["auc"], abs=0.02)
        assert figures["macro_f1"] == pytest.approx(figures["real"]["macro_f1"], abs=0.05)
    assert set(result["learners"]) == {"boosted_trees", "linear", "random_forest"}
    assert result["importance_agreement"] > 0.8
    assert result["importances"][0]["name"] == "size"
    assert result["rows"] == {"real": 600, "synthetic": 600, "test": 500}
    assert "500 rows of the holdout" in result["tested_on"]


def test_independent_columns_teach_nothing() -> None:
    real = REAL.select([*PAIR, "rich"])
    result = judged(real, independent(real), "rich", holdout=FRESH)
    for figures in result["learners"].values():
        assert abs(figures["auc"] - 0.5) < 0.2
        assert figures["real"]["auc"] > 0.95
    assert result["macro_f1"] < 0.65


def test_turned_labels_teach_the_opposite() -> None:
    real = REAL.select([*PAIR, "rich"])
    turned = real.set_column(3, "rich", pa.array([not v.as_py() for v in real.column("rich")]))
    result = judged(real, turned, "rich", holdout=FRESH)
    for figures in result["learners"].values():
        assert figures["auc"] < 0.05


def test_the_event_is_the_last_class_and_the_auc_counts_pairs() -> None:
    """One column of known scores: 0, 1, 1, 2 with events at 1 and 2 win 3.5 pairs of 4."""
    rng = np.random.default_rng(3)
    x = np.repeat([0.0, 1.0, 2.0], 200)
    events = rng.random(600) < np.repeat([0.1, 0.5, 0.9], 200)
    real = pa.table({"x": x, "y": np.where(events, "yes", "no").tolist()})
    test = pa.table({"x": [0.0, 1.0, 1.0, 2.0], "y": ["no", "no", "yes", "yes"]})
    result = judged(real, real, "y", holdout=test)
    assert result["classes"] == ["no", "yes"]
    assert [each["auc"] for each in result["learners"].values()] == [0.875] * 3


def test_a_linear_table_is_learned_by_the_linear_model_exactly() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(700, 2))
    y = 1000 + 30 * x[:, 0] - 40 * x[:, 1] + rng.normal(size=700)
    table = pa.table({"a": x[:, 0], "b": x[:, 1], "y": y})
    result = judged(table.slice(0, 500), table.slice(0, 500), "y", holdout=table.slice(500))
    linear = result["learners"]["linear"]
    assert result["task"] == REGRESSION
    assert linear["rmse"] == pytest.approx(1.0, abs=0.15)
    assert linear["r2"] == pytest.approx(1 - linear["rmse"] ** 2 / y[500:].var(), abs=1e-6)
    assert linear["rmse"] < result["rmse"] < 15
    # A guess of the mean misses by the deviation of the target.
    noise = judged(
        table.slice(0, 500), independent(table.slice(0, 500)), "y", holdout=table.slice(500)
    )
    assert noise["learners"]["linear"]["r2"] == pytest.approx(0, abs=0.1)
    assert noise["learners"]["linear"]["rmse"] == pytest.approx(y[500:].std(), rel=0.1)


def test_importances_agree_by_rank() -> None:
    real = REAL.select([*PAIR, "price"])
    swapped = REAL.select(["noise", "town", "size", "price"]).rename_columns(real.column_names)
    same = judged(real, FRESH, "price", holdout=FRESH)["importance_agreement"]
    other = judged(real, swapped, "price", holdout=FRESH)
    assert same > 0.8 > 0.5 > other["importance_agreement"]
    by_name = {each["name"]: each for each in other["importances"]}
    assert by_name["size"]["real"] > 0.5 > by_name["size"]["synthetic"]


def test_many_classes() -> None:
    real = REAL.select([*PAIR, "grade"])
    result = judged(real, FRESH, "grade", holdout=FRESH)
    assert result["classes"] == ["a", "b", "c", "d"]
    assert result["auc"] > 0.9
    assert result["macro_f1"] > 0.75
    assert judged(real, independent(real), "grade", holdout=FRESH)["auc"] < 0.65


def stations(rows: int, seed: int) -> pa.Table:
    """Four numbers round the middle of a class, eight of noise; three classes have few rows."""
    rng = np.random.default_rng(seed)
    station = rng.choice(8, p=[0.4, 0.4, 0.1, 0.05, 0.04, 0.005, 0.003, 0.002], size=rows)
    middles = 2 * np.random.default_rng(0).normal(size=(8, 4))
    numbers = np.hstack([rng.normal(middles[station]), rng.normal(size=(rows, 8))])
    columns = {f"x{place}": column for place, column in enumerate(numbers.T)}
    return pa.table({**columns, "station": [f"s{each}" for each in station]})


@pytest.mark.parametrize("seed", [2, 7])
def test_classes_with_few_rows_do_not_make_the_trees_diverge(seed: int) -> None:
    real = stations(3_000, seed)
    result = judged(real, real, "station", holdout=stations(3_000, seed=seed + 100), detail=False)
    assert result["auc"] > 0.9


def test_classes_that_the_synthetic_table_lacks_are_named_and_missed() -> None:
    real = REAL.select([*PAIR, "grade"])
    kept = real.filter(pa.array([v.as_py() in "ab" for v in real.column("grade")]))
    result = judged(real, kept, "grade", holdout=FRESH)
    assert result["missing_classes"] == ["c", "d"]
    assert result["macro_f1"] < 0.55
    only = real.filter(pa.array([v.as_py() == "b" for v in real.column("grade")]))
    single = judged(real, only, "grade", holdout=FRESH)
    assert single["auc"] == 0.5
    assert single["importance_agreement"] == 0.0


def test_nulls_and_unknown_classes_of_the_target_are_dropped_and_counted() -> None:
    real = REAL.select([*PAIR, "grade"])
    grades = real.column("grade").to_pylist()
    found = real.set_column(3, "grade", pa.array([None] * 50 + ["?"] * 30 + grades[80:]))
    result = judged(real, found, "grade", holdout=FRESH)
    assert result["dropped_rows"] == {"real": 0, "synthetic": 80, "test": 0}
    assert result["rows"]["synthetic"] == 520
    nothing = real.set_column(3, "grade", pa.array([None] * 600, pa.string()))
    result = judged(real, nothing, "grade", holdout=FRESH)
    assert result["auc"] is None and result["real"]["auc"] > 0.9
    assert "no usable row" in result["reason"]


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["b", "a", None, "b"], CLASSIFICATION, ("a", "b")),
        ([True, False, True, None], CLASSIFICATION, ("false", "true")),
        ([1, 0, 1, 0], CLASSIFICATION, ("0", "1")),
        ([3.0, 1.0, 2.0] * 5, CLASSIFICATION, ("1", "2", "3")),
        ([3, 1, 2], REGRESSION, ()),
        ([0.5, 1.5] * 20, REGRESSION, ()),
        (list(range(11)) * 10, REGRESSION, ()),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)] * 9, REGRESSION, ()),
        ([None, None], CLASSIFICATION, ()),
    ],
)
def test_the_target_decides_the_task(
    values: list[Any], kind: str, classes: tuple[str, ...]
) -> None:
    found = task(Reference(pa.table({"y": values})).real, "y")
    assert (found.kind, found.classes) == (kind, classes)


def test_classes_beyond_the_most_frequent_count_as_one() -> None:
    values = [f"k{i:02}" for i in range(30) for _ in range(40 - i)]
    real = Reference(pa.table({"y": values})).real
    found = task(real, "y")
    assert found.classes == ("(all others)", *(f"k{i:02}" for i in range(19)))
    assert found.label(real).max() == 19
    assert (found.label(real) == 0).sum() == sum(40 - i for i in range(19, 30))


def test_whole_numbers_as_classes_take_synthetic_numbers_rounded() -> None:
    flags = [int(v.as_py()) for v in REAL.column("rich")]
    real = REAL.select(PAIR).append_column("flag", pa.array(flags))
    drawn = np.array(flags) + np.random.default_rng(5).uniform(-0.4, 0.4, len(flags))
    drawn[:10] = 7
    result = judged(real, real.set_column(3, "flag", pa.array(drawn)), "flag")
    assert result["classes"] == ["0", "1"]
    assert result["auc"] > 0.95
    assert result["dropped_rows"]["synthetic"] + result["rows"]["synthetic"] == 480


def test_days_are_the_unit_of_dates() -> None:
    days = np.random.default_rng(6).integers(0, 1000, 400)
    day = (np.datetime64("2020-01-01") + days).astype("datetime64[D]")
    table = pa.table({"x": days.astype(float), "day": pa.array(day)})
    result = judged(table, table, "day")
    assert result["task"] == REGRESSION
    assert 0.5 < result["rmse"] < 40
    assert result["learners"]["linear"]["r2"] > 0.999


def test_without_a_holdout_it_says_who_has_seen_the_test_rows() -> None:
    result = judged(REAL.select([*PAIR, "rich"]), FRESH, "rich")
    assert result["rows"] == {"real": 480, "synthetic": 480, "test": 120}
    assert "the generator has seen them" in result["tested_on"]


def test_floors_get_the_same_headline_and_nothing_else() -> None:
    real = REAL.select([*PAIR, "rich"])
    reference = Reference(real, FRESH, target="rich")
    found = reference.code(FRESH)
    short, long = utility(reference, found, detail=False), utility(reference, found)
    assert short == {name: long[name] for name in ("task", "target", "auc", "macro_f1")}
    assert utility(reference, found) == long


@pytest.mark.parametrize(
    ("real", "target", "reason"),
    [
        ({"x": [1.0, 2.0], "y": ["a", "b"]}, None, "no target"),
        ({"x": [1.0, 2.0], "y": ["a", "b"]}, "z", "no compared column"),
        ({"y": ["a", "b", "a"]}, "y", "no column to predict"),
        ({"x": [1.0, 2.0, 3.0], "y": ["a", "a", "a"]}, "y", "one class"),
        ({"x": [1.0, 2.0], "y": pa.array([None, None], pa.string())}, "y", "no test row"),
        ({"x": [1.0, 2.0], "y": pa.array([None, None], pa.float64())}, "y", "no test row"),
        ({"x": [1.0], "y": ["a"]}, "y", "one class"),
        ({"x": [1.0], "y": [0.5]}, "y", "no usable row"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(
    real: dict[str, Any], target: str | None, reason: str
) -> None:
    result = judged(pa.table(real), pa.table(real), target)
    assert reason in result["reason"]
    assert [result.get("auc"), result.get("rmse")] == [None, None]


@pytest.mark.parametrize("rows", [2, 3, 8, 20])
@pytest.mark.parametrize("target", ["rich", "grade", "price"])
def test_tiny_tables_survive(rows: int, target: str) -> None:
    for holdout in (None, people(rows, seed=9)):
        result = judged(people(rows, seed=8), people(30, seed=2), target, holdout=holdout)
        assert result["task"] in (CLASSIFICATION, REGRESSION)


def test_odd_columns_survive() -> None:
    """Constants, nothing but nulls, huge numbers, levels never seen, and far-off targets."""
    rows = 120
    rng = np.random.default_rng(10)
    real = pa.table(
        {
            "constant": [1.0] * rows,
            "empty": pa.array([None] * rows, pa.float64()),
            "empty text": pa.array([None] * rows, pa.string()),
            "huge": rng.normal(size=rows) * 1e300,
            "text": [f"t{i}" for i in range(rows)],
            "flag": rng.random(rows) < 0.5,
            "y": rng.normal(size=rows),
        }
    )
    strange = pa.table(
        {
            "constant": [float("nan")] * rows,
            "empty": [3.0] * rows,
            "empty text": ["?"] * rows,
            "huge": [-1e308] * rows,
            "text": [f"u{i}" for i in range(rows)],
            "flag": pa.array([None] * rows, pa.bool_()),
            "y": [1e200] * rows,
        }
    )
    for target, kind in (("y", REGRESSION), ("huge", REGRESSION), ("flag", CLASSIFICATION)):
        assert judged(real, strange, target)["task"] == kind
