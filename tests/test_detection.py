"""Detection: tables with known answers, and tables of every awkward shape."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.density_ratio import auc
from synthgan.evaluation.measures.detection import FEWEST_ROWS, auc_interval, detection
from synthgan.evaluation.reference import Reference

AUCS = ("boosted_auc", "boosted_auc_holdout", "logistic_auc", "logistic_auc_holdout")
FIGURES = (*AUCS, "logistic", "logistic_holdout")


def table(rows: int, seed: int, *, shift: float = 0.0) -> pa.Table:
    """A number, one with nulls and a category that hang on it, a moment, a flag, a free number."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    level = np.digitize(x + 0.3 * rng.normal(size=rows), [-1, 0, 1])
    return pa.table(
        {
            "x": x,
            "y": pa.array(2 * x + rng.normal(size=rows) / 5, mask=rng.random(rows) < 0.1),
            "day": pa.array(rng.integers(0, 900, rows).astype("datetime64[D]")),
            "level": pa.array(np.array(["a", "b", "c", "d"])[level].tolist()),
            "flag": rng.random(rows) < 0.4,
            "size": rng.normal(size=rows) + shift,
        }
    )


def shuffled(real: pa.Table, seed: int) -> pa.Table:
    """The table with every column drawn alone: the margins stay, all else goes."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {n: real[n].take(pa.array(rng.permutation(len(real)))) for n in real.schema.names}
    )


def judge(real: pa.Table, found: pa.Table, holdout: pa.Table | None = None) -> dict[str, Any]:
    reference = Reference(real, holdout, seed=0)
    result = detection(reference, reference.code(found))
    json.dumps(result, allow_nan=False)
    return result


def test_a_fresh_table_is_not_detected() -> None:
    result = judge(table(900, 0), table(900, 1), table(900, 2))
    assert result["rows"] == result["rows_holdout"] == 900
    for figure in AUCS:
        low, high = result[f"{figure}_interval"]
        assert low < result[figure] < high < low + 0.08
        assert 0.45 < result[figure] < 0.55
    assert min(result["logistic"], result["logistic_holdout"]) > 0.9
    assert {column["name"] for column in result["columns"]} == set(table(1, 0).column_names)


def test_a_copy_falls_below_half_against_what_it_copied_only() -> None:
    result = judge(table(900, 0), table(900, 0), table(900, 2))
    assert result["boosted_auc"] < 0.45 < result["boosted_auc_holdout"] < 0.55
    assert result["logistic"] == pytest.approx(1, abs=0.05)


def test_a_bootstrap_is_a_copy_to_the_real_table_and_repeats_itself_to_the_holdout() -> None:
    real = table(600, 0)
    rows = np.random.default_rng(1).integers(0, 600, 600)
    result = judge(real, real.take(rows), table(600, 2))
    assert result["boosted_auc"] < 0.5 < result["boosted_auc_holdout"] < 0.8
    assert result["logistic"] > 0.9


def test_independent_columns_are_seen_by_trees_and_hidden_from_margins() -> None:
    real = table(900, 0)
    result = judge(real, shuffled(table(900, 1), 2))
    assert result["boosted_auc"] > 0.9
    assert all(0.4 < column["auc_alone"] < 0.6 for column in result["columns"])
    order = [column["name"] for column in result["columns"]]
    assert set(order[:2]) == {"x", "y"}


def test_a_shifted_column_is_named_first() -> None:
    result = judge(table(900, 0), table(900, 1, shift=1.0), table(900, 2))
    assert min(result["boosted_auc"], result["boosted_auc_holdout"]) > 0.65
    # Two normals one deviation apart: Phi(1 / sqrt 2) = 0.76, so 1 - max(0, 2 AUC - 1) = 0.48.
    assert result["logistic_auc"] == pytest.approx(0.76, abs=0.03)
    assert result["logistic_auc_holdout"] == pytest.approx(0.76, abs=0.03)
    for side in ("", "_holdout"):
        low, high = result[f"logistic_auc{side}_interval"]
        assert 0.7 < low < result[f"logistic_auc{side}"] < high < 0.82
        expected = 2 - 2 * result[f"logistic_auc{side}"]
        assert result[f"logistic{side}"] == pytest.approx(expected)
    first, second = result["columns"][:2]
    assert first["name"] == "size" and first["importance"] > 0.15 > abs(second["importance"])
    assert first["auc_alone"] == pytest.approx(0.76, abs=0.04)


def test_levels_the_real_table_never_held_give_a_table_away() -> None:
    real = table(300, 0)
    place = real.column_names.index("level")
    found = table(300, 1).set_column(place, "level", pa.array(["new", None, "a"] * 100))
    first = judge(real, found)["columns"][0]
    assert first["name"] == "level" and first["auc_alone"] > 0.8


def test_nulls_give_a_table_away_to_the_logistic_model_too() -> None:
    real = pa.table({"x": np.random.default_rng(0).normal(size=300)})
    found = pa.table({"x": pa.array(np.arange(300.0) / 300, mask=np.arange(300) % 2 == 0)})
    assert judge(real, found)["logistic_auc"] > 0.7


def test_a_value_that_recurs_gives_a_column_away_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=600)
    result = judge(
        pa.table({"x": rng.normal(size=600)}), pa.table({"x": np.where(values > 0, 0.123, values)})
    )
    assert result["columns"][0]["auc_alone"] > 0.7


def test_floors_get_the_same_figures_and_no_more() -> None:
    reference = Reference(table(200, 0), table(300, 1), seed=3)
    found = reference.code(table(250, 2))
    whole, short = detection(reference, found), detection(reference, found, detail=False)
    assert set(short) == {*FIGURES, "rows", "rows_holdout"}
    assert short == {name: whole[name] for name in short}
    assert (short["rows"], short["rows_holdout"]) == (200, 250)
    assert detection(reference, found) == whole


def test_no_holdout() -> None:
    result = judge(table(60, 0), table(60, 1))
    for figure in ("boosted_auc_holdout", "logistic_auc_holdout"):
        assert result[figure] is result[f"{figure}_interval"] is None
        assert result[figure.removesuffix("_holdout")] is not None
    assert result["logistic_holdout"] is None
    assert result["reason_holdout"] == "there is no holdout"
    assert "reason" not in result and "rows_holdout" not in result


@pytest.mark.parametrize("rows", [1, 2, 5, 20, FEWEST_ROWS - 1])
def test_tables_too_small_have_a_reason_in_place_of_a_figure(rows: int) -> None:
    result = judge(table(200, 0), table(rows, 1), table(rows, 2))
    assert {result[figure] for figure in FIGURES} == {None}
    assert {result[f"{figure}_interval"] for figure in AUCS} == {None}
    assert result["columns"] == [] and result["rows"] == rows
    expected = f"{rows} rows of each table; at least {FEWEST_ROWS} are needed"
    assert result["reason"] == result["reason_holdout"] == expected


def test_the_fewest_rows_are_enough_to_see_a_difference() -> None:
    rows = np.arange(float(FEWEST_ROWS))
    result = judge(pa.table({"x": rows}), pa.table({"x": rows + 1_000}))
    assert result["boosted_auc"] == result["logistic_auc"] == 1


@pytest.mark.parametrize(
    "column",
    [
        pa.array([3.5] * 60),
        pa.array([None] * 60, pa.float64()),
        pa.array([None] * 60, pa.string()),
        pa.nulls(60),
        pa.array(["one"] * 60),
        pa.array([True] * 60),
        pa.array([dt.datetime(2020, 1, 1)] * 60),
    ],
    ids=str,
)
def test_a_column_with_nothing_to_see(column: pa.Array) -> None:
    """Alone it gives half of everything; beside another it leaves the figures finite."""
    alone = judge(pa.table({"c": column}), pa.table({"c": column}))
    assert alone["boosted_auc"] == alone["logistic_auc"] == 0.5 and alone["logistic"] == 1
    assert alone["columns"] == [{"name": "c", "auc_alone": 0.5, "importance": 0.0}]
    both = judge(
        pa.table({"c": column, "x": np.arange(60.0)}),
        pa.table({"c": column, "x": np.arange(60.0) + 100}),
    )
    assert both["boosted_auc"] == both["logistic_auc"] == 1
    assert both["columns"][0]["name"] == "x"


def test_categories_only_numbers_only_and_a_column_null_on_one_side() -> None:
    real, found = table(90, 0), table(90, 1)
    for names in (["level", "flag"], ["x", "size"]):
        assert 0.2 < judge(real.select(names), found.select(names))["boosted_auc"] < 0.8
    gone = pa.table({"x": pa.nulls(90, pa.float64())})
    for result in (judge(real.select(["x"]), gone), judge(gone, real.select(["x"]))):
        assert result["boosted_auc"] == result["logistic_auc"] == 1


def test_very_large_and_infinite_numbers() -> None:
    rng = np.random.default_rng(0)
    real = rng.choice([1.7e308, -1.7e308, 1.0], 90)
    result = judge(pa.table({"x": real}), pa.table({"x": np.where(real > 1, np.inf, -np.inf)}))
    assert 0.5 < result["boosted_auc"] <= 1


def test_a_thousand_levels_and_wide_tables() -> None:
    rng = np.random.default_rng(0)
    levels = [pa.table({"c": rng.integers(0, 1_000, 400).astype(str).tolist()}) for _ in range(2)]
    assert 0.4 < judge(*levels)["boosted_auc"] < 0.6
    wide = [pa.table({f"c{i}": rng.normal(size=40) for i in range(120)}) for _ in range(2)]
    assert len(judge(*wide)["columns"]) == 120


def test_the_interval_is_as_wide_as_the_draws_of_the_auc_itself() -> None:
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=200) + 1, rng.normal(size=150)) for _ in range(300)]
    spread = np.quantile([auc(*draw) for draw in draws], [0.025, 0.975])
    widths = [np.diff(auc_interval(*draw, rng=rng))[0] for draw in draws[:20]]
    assert np.mean(widths) == pytest.approx(spread[1] - spread[0], rel=0.15)
