"""Lost categories, clusters and regions are named; what chance explains is not."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info, threadpool_limits

from synthgan.evaluation.measures.collapse import collapse
from synthgan.evaluation.measures.lost import compare
from synthgan.evaluation.measures.regions import PAIRS, Regions
from synthgan.evaluation.measures.wording import number_in_words
from synthgan.evaluation.reference import Reference

KINDS = ("categories", "clusters", "regions")


def towns(rows: int, seed: int) -> pa.Table:
    """25 Gaussian clusters on a grid, and a category that is independent of them."""
    rng = np.random.default_rng(seed)
    row, column = rng.integers(0, 5, (2, rows))
    return pa.table(
        {
            "x": 10 * column + rng.normal(size=rows),
            "y": 10 * row + rng.normal(size=rows),
            "town": rng.choice(["Ulm", "Bonn", "Trier"], rows, p=[0.55, 0.4, 0.05]),
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(towns(4_000, 0))


def judged(real: Any, synthetic: Any, **options: Any) -> dict[str, Any]:
    reference = real if isinstance(real, Reference) else Reference(pa.table(real))
    return collapse(reference, reference.code(pa.table(synthetic)), **options)


def without(table: pa.Table, lost: Any) -> pa.Table:
    return table.filter(pa.array(~np.asarray(lost)))


def texts(figures: dict[str, Any], kind: str) -> list[str]:
    return [each["text"] for each in figures[kind]["lost"]]


@pytest.mark.parametrize("made", ["copy", "bootstrap", "fresh", "few"])
def test_real_samples_lose_nothing(reference: Reference, made: str) -> None:
    index = np.random.default_rng(1).integers(0, 4_000, 4_000)
    table = {
        "copy": towns(4_000, 0),
        "bootstrap": towns(4_000, 0).take(pa.array(index)),
        "fresh": towns(4_000, 1),
        "few": towns(100, 2),
    }[made]
    figures = judged(reference, table)
    assert figures["share_lost"] == 0
    assert all(figures[kind]["lost_parts"] == len(figures[kind]["lost"]) == 0 for kind in KINDS)
    if made == "copy":
        assert all(figures[kind]["missing"] == 0 for kind in KINDS)


@pytest.mark.parametrize("rows", [500, 2_000, 8_000])
def test_what_chance_misses_is_expected(rows: int) -> None:
    real, made = (np.random.default_rng(seed).zipf(1.5, n) for seed, n in ((0, 2_000), (1, rows)))
    found = judged({"c": real.astype(str)}, {"c": made.astype(str)})["categories"]
    assert found["missing"] == pytest.approx(found["missing_by_chance"], rel=0.25)
    assert found["missing"] > 50 and found["lost_parts"] == 0


def test_a_missing_category_and_a_missing_cluster_are_named(reference: Reference) -> None:
    table = towns(4_200, 1)
    x, y, town = (table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names)
    hole = (np.abs(x - 30) < 5) & (np.abs(y - 10) < 5)
    figures = judged(reference, without(table, hole | (town == "Trier")))
    assert texts(figures, "categories") == ["town = Trier"]
    category = figures["categories"]["lost"][0]
    assert (category["column"], category["level"], category["synthetic_pct"]) == (
        "town",
        "Trier",
        0,
    )
    assert category["real_pct"] == pytest.approx(5, abs=1)
    assert set(figures["regions"]["lost"][0]["columns"]) == {"x", "y"}
    assert 0.07 < figures["share_lost"] < 0.1


def test_a_missing_cluster_is_described() -> None:
    real, made = (towns(rows, seed).select(["x", "y"]) for rows, seed in ((4_000, 0), (4_000, 1)))
    x, y = (made.column(name).to_numpy() for name in "xy")
    figures = judged(real, without(made, (np.abs(x - 30) < 5) & (np.abs(y - 10) < 5)))["clusters"]
    assert 1 <= figures["missing"] == figures["lost_parts"] <= 4
    assert figures["missing_by_chance"] < 0.01
    assert 0.015 < figures["share_lost"] < 0.045
    for lost in figures["lost"]:
        assert set(lost["columns"]) == {"x", "y"}
        assert re.search(r"x (2[789]|3[0123])", lost["text"]), lost["text"]
        assert re.search(r"y ([789]|1[0123])", lost["text"]), lost["text"]


def test_a_small_category_is_missed_by_chance_only() -> None:
    real = {"c": ["rare"] * 2 + ["common"] * 998}
    figures = judged(real, {"c": ["common"] * 100})
    assert (figures["categories"]["missing"], figures["categories"]["lost_parts"]) == (1, 0)
    assert 0.7 < figures["categories"]["missing_by_chance"] < (10 / 11) ** 2
    assert figures["share_lost"] == 0


def test_far_too_few_rows_are_as_good_as_none() -> None:
    real = {"c": ["rare"] * 100 + ["common"] * 900}
    few = judged(real, {"c": ["rare"] * 4 + ["common"] * 996})["categories"]
    assert (few["missing"], few["lost_parts"], few["share_lost"]) == (0, 1, 0.1)
    assert few["lost"][0]["synthetic_pct"] == 0.4
    assert judged(real, {"c": ["rare"] * 20 + ["common"] * 980})["categories"]["lost_parts"] == 0


def test_lost_combinations_are_regions() -> None:
    rng = np.random.default_rng(5)
    sex, job = rng.integers(0, 2, (2, 2_000))
    real = pa.table({"sex": sex.astype(str), "job": job.astype(str), "n": rng.normal(size=2_000)})
    figures = judged(real, without(real, (sex == 1) & (job == 0)))
    assert texts(figures, "regions")[0] == "sex = 1 and job = 0"
    assert figures["categories"]["lost"] == []
    assert figures["regions"]["share_lost"] == pytest.approx(0.25, abs=0.03)
    assert figures["regions"]["pairs"] == 3


def test_lost_parts_of_a_range_are_regions_said_once() -> None:
    x = np.arange(1_000)
    other = np.random.default_rng(6).integers(0, 3, 1_000).astype(str)
    real = pa.table({"x": x, "c": other})
    figures = judged(real, real.filter(pa.array(x < 800)))
    assert sorted(texts(figures, "regions")) == ["x 800 to 899", "x 900 to 999"]
    assert figures["regions"]["share_lost"] == pytest.approx(0.2, abs=0.001)


def test_dates_are_said_as_dates() -> None:
    days = np.array([datetime(2020, 1, 1) + timedelta(days=i) for i in range(1_000)])
    figures = judged({"d": days}, {"d": days[:900]})
    assert texts(figures, "regions") == ["d 2022-06-19 to 2022-09-26"]


def test_lost_nulls_are_categories() -> None:
    real = {"x": pa.array([None, 1.5] * 100), "c": pa.array([None, "a"] * 100)}
    figures = judged(real, {"x": [1.5] * 100, "c": ["a"] * 100})
    assert sorted(texts(figures, "categories")) == ["c = null", "x = null"]
    assert figures["categories"]["share_lost"] == 0.5
    assert figures["regions"]["lost"] == []


def test_a_constant_generator_loses_nearly_all(reference: Reference) -> None:
    figures = judged(reference, towns(1, 0).take(pa.array([0] * 4_000)))
    assert figures["share_lost"] > 0.9
    assert figures["clusters"]["lost_parts"] >= 40
    assert all(len(figures[kind]["lost"]) <= 20 for kind in KINDS)
    shares = [each["real_pct"] for each in figures["clusters"]["lost"]]
    assert len(shares) == 20 and shares == sorted(shares, reverse=True)


def test_a_shifted_table_loses_its_own_place(reference: Reference) -> None:
    table = towns(4_000, 1)
    moved = table.set_column(0, "x", pa.array(table.column("x").to_numpy() + 100))
    assert judged(reference, moved)["share_lost"] > 0.7


def test_independent_columns_lose_no_category(reference: Reference) -> None:
    x = np.random.default_rng(7).normal(size=3_000)
    real = pa.table({"x": x, "y": x, "sign": np.where(x > 0, "+", "-")})
    rng = np.random.default_rng(8)
    mixed = {n: real.column(n).take(pa.array(rng.permutation(3_000))) for n in real.column_names}
    assert judged(real, mixed)["categories"]["missing"] == 0


def test_figures_are_the_same_for_the_same_seed_and_without_detail(reference: Reference) -> None:
    table = towns(500, 1).take(pa.array([0] * 300))
    full, plain = judged(reference, table), judged(reference, table, detail=False)
    assert judged(Reference(towns(4_000, 0)), table) == full
    for kind in KINDS:
        assert len(full[kind].pop("lost")) > 0
    assert full == plain


def test_clusters_are_found_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads add up in the order they finish, so that two would find other centres each time."""
    threads: list[int] = []

    class Watched(KMeans):
        def fit(self, *args: Any, **options: Any) -> KMeans:
            threads.extend(pool["num_threads"] for pool in threadpool_info())
            return super().fit(*args, **options)

    monkeypatch.setattr("synthgan.evaluation.measures.collapse.KMeans", Watched)
    with threadpool_limits(2):
        two = judged(Reference(towns(2_000, 0)), towns(500, 1))
    with threadpool_limits(1):
        one = judged(Reference(towns(2_000, 0)), towns(500, 1))
    assert set(threads) == {1} and one == two


def test_many_columns_have_a_bounded_number_of_pairs() -> None:
    rng = np.random.default_rng(0)
    reference = Reference(pa.table({f"c{i}": rng.normal(size=20) for i in range(60)}))
    regions = Regions(reference.real, np.random.default_rng(1))
    assert len(set(regions.pairs)) == len(regions.pairs) == PAIRS


def test_the_tail_is_a_bound_and_exact_for_none() -> None:
    # 2 ** -14 is just under one percent of a hundredth, 2 ** -13 is not.
    real = np.full(100, 14)
    assert compare(real, np.zeros(100, dtype=np.int64), (5_000, 5_000)).lost.all()
    assert not compare(real - 1, np.zeros(100, dtype=np.int64), (5_000, 5_000)).lost.any()
    # One row of twenty expected: P(binomial(21, 1/2) <= 1) is 1e-5, the bound 4e-5.
    assert compare(np.array([20]), np.array([1]), (500, 500)).lost.all()
    assert not compare(np.array([20, 20] * 200), np.array([1, 1] * 200), (500, 500)).lost.any()


def test_numbers_in_words() -> None:
    assert number_in_words(3.0, pa.float64()) == "3"
    assert number_in_words(1e12, pa.int64()) == "1e+12"
    assert number_in_words(3_723e6, pa.time64("us")) == "01:02:03"
    assert number_in_words(-2 * 86_400e6, pa.duration("s")) == "-2 days"
    assert number_in_words(float("inf"), pa.timestamp("s")) == "inf"


EDGES: dict[str, dict[str, Any]] = {
    "one row": {"x": [1.0], "c": ["a"]},
    "two rows": {"x": [1.0, None], "c": ["a", None]},
    "constant": {"x": [1.0] * 30, "c": ["a"] * 30},
    "all null": {"x": pa.array([None] * 30, pa.float64()), "c": pa.array([None] * 30, "string")},
    "no numbers": {"c": list("abcabcabcabc"), "b": [True, False, None] * 4},
    "no categories": {"x": range(60), "d": pa.array(range(60), "date32")},
    "many levels": {"c": [str(i) for i in range(500)]},
}


@pytest.mark.parametrize("name", EDGES)
def test_any_table_gets_its_figures(name: str) -> None:
    figures = judged(EDGES[name], EDGES[name])
    json.dumps(figures, allow_nan=False)
    assert figures["share_lost"] == 0
    assert all(figures[kind]["missing"] == 0 for kind in KINDS)


def test_levels_only_the_synthetic_table_holds_are_no_part() -> None:
    figures = judged({"b": [True] * 50 + [False] * 50}, {"b": ["maybe"] * 100})
    assert sorted(texts(figures, "categories")) == ["b = false", "b = true"]
    assert figures["share_lost"] == 1
