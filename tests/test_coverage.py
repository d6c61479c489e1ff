"""Triples, missing values, ranges and categories: known answers and edge cases."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.fidelity import fidelity
from synthgan.evaluation.measures import triples as triples_module
from synthgan.evaluation.measures.coverage import coverage
from synthgan.evaluation.measures.triples import triples
from synthgan.evaluation.reference import Reference


def judged(real: Any, synthetic: Any, **options: Any) -> dict[str, Any]:
    reference = Reference(pa.table(real))
    return coverage(reference, reference.code(pa.table(synthetic)), **options)


def parity(rows: int, seed: int, *, kept: bool = True) -> dict[str, Any]:
    """Three coins of which each two are independent, while the third is the parity of the rest."""
    rng = np.random.default_rng(seed)
    a, b, coin = rng.integers(0, 2, (3, rows))
    c = (a + b) % 2 if kept else coin
    return {"a": a.astype(str), "b": b.astype(str), "c": c.astype(str)}


def test_a_copy_has_no_errors() -> None:
    table = parity(200, 0) | {"x": pa.array([None, 1.0] * 100), "y": np.arange(200)}
    found = judged(table, table)
    assert found["triples"]["error_pct"] == 0
    assert found["missing"]["error_pct"] == found["missing"]["patterns_error_pct"] == 0
    assert found["coverage"]["boundary_adherence"] == found["coverage"]["category_coverage"] == 1
    assert found["coverage"]["outside_pct"] == found["coverage"]["unseen_pct"] == 0
    assert found["coverage"]["rounded"] == {}


def test_triples_see_what_pairs_cannot() -> None:
    real, broken = parity(4_000, 0), parity(4_000, 1, kept=False)
    assert fidelity(pa.table(real), pa.table(broken)).trend_error < 0.03
    found = judged(real, broken)["triples"]
    assert found["error_pct"] == pytest.approx(50, abs=3)
    assert found["worst"] == [["a", "b", "c", found["error_pct"]]]
    assert judged(real, parity(4_000, 1))["triples"]["error_pct"] < 3


def test_triples_are_total_variation_of_codes_of_numbers_nulls_and_levels() -> None:
    real = {"x": [0.0, 10.0, None, 10.0], "c": ["a", "b", None, "b"], "d": ["u"] * 4}
    made = {"x": [0.4, 9.6, None, 0.0], "c": ["a", "b", None, "new"], "d": ["u"] * 4}
    assert judged(real, made)["triples"]["error_pct"] == 25


def test_triples_are_sampled_and_the_worst_listed() -> None:
    rng = np.random.default_rng(0)
    table = {f"c{i}": rng.integers(0, 9, 60).astype(str) for i in range(12)}
    table["c11"] = np.array(["same"] * 60)
    found = judged(table, table | {"c11": np.array(["other"] * 60)})["triples"]
    assert (found["total"], found["used"], found["rows"]) == (comb(12, 3), 100, 60)
    assert len(found["worst"]) == 20
    assert all(names[2] == "c11" and error == 100 for *names, error in found["worst"])
    assert len({tuple(names) for *names, _ in found["worst"]}) == 20


def test_every_triple_has_its_place() -> None:
    places = [triples_module._unranked(rank) for rank in range(comb(7, 3))]
    assert sorted(places) == list(combinations(range(7), 3))


def test_sparse_counting_is_dense_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    tables = [
        pa.table({f"c{i}": rng.integers(0, 4 + i, 300).astype(str) for i in range(4)})
        for _ in range(2)
    ]
    reference = Reference(tables[0])
    found = reference.code(tables[1])
    dense = triples(reference, found)
    monkeypatch.setattr(triples_module, "_DENSE_CELLS", 0)
    assert triples(reference, found)["error_pct"] == pytest.approx(dense["error_pct"])
    assert dense["error_pct"] > 5


def test_two_columns_have_no_triple() -> None:
    found = judged({"a": ["x"], "b": ["y"]}, {"a": ["x"], "b": ["y"]})["triples"]
    assert found["error_pct"] is None and "three columns" in found["reason"]


def test_null_shares() -> None:
    real = {"x": [1.0, None, 2.0, 3.0], "c": ["a", "b", None, None]}
    made = {"x": [1.0, 1.0, 2.0, 3.0], "c": ["a", None, None, None]}
    found = judged(real, made)["missing"]
    assert found["error_pct"] == 25
    assert found["columns"]["x"] == {
        "real_pct": 25,
        "synthetic_pct": 0,
        "difference_pct": -25,
        "similarity": 0.75,
    }
    assert found["columns"]["c"]["difference_pct"] == 25


def test_patterns_see_columns_that_are_null_together() -> None:
    real = {"x": [None, None, 1.0, 1.0], "c": [None, None, "a", "a"]}
    made = {"x": [None, None, 1.0, 1.0], "c": ["a", None, None, "a"]}
    found = judged(real, made)["missing"]
    assert (found["error_pct"], found["patterns_error_pct"]) == (0, 50)
    shares = {tuple(p["columns"]): (p["real_pct"], p["synthetic_pct"]) for p in found["patterns"]}
    assert shares == {("x", "c"): (50, 25), (): (50, 25), ("x",): (0, 25), ("c",): (0, 25)}


def test_patterns_of_many_columns() -> None:
    names = [f"c{i}" for i in range(95)]
    real = {
        name: pa.array([1.0, 2.0], mask=np.array([False, i == 90])) for i, name in enumerate(names)
    }
    made = real | {"c3": pa.array([1.0, None]), "c90": pa.array([1.0, 2.0])}
    found = judged(real, made)["missing"]
    assert found["patterns_error_pct"] == 50
    assert sorted(p["columns"] for p in found["patterns"]) == [[], ["c3"], ["c90"]]


def test_ranges_by_hand() -> None:
    found = judged({"x": [0.5, 5.0, 10.5]}, {"x": [1.5, 5.0, 8.5, 11.0]})["coverage"]
    column = found["columns"]["x"]
    # From 1.5 to 11 of 0.5 to 10.5: a tenth is missing below; one of four values is outside.
    assert column["range_coverage"] == found["range_coverage"] == pytest.approx(0.9)
    assert column["boundary_adherence"] == found["boundary_adherence"] == 0.75
    assert column["outside_pct"] == 25
    assert (column["real"], column["synthetic"]) == (["0.5", "10.5"], ["1.5", "11"])


def test_boundary_adherence_counts_nulls_where_the_real_column_has_none() -> None:
    made = {"x": [0.5, None, 9.0, None]}
    without = judged({"x": [0.0, 1.5]}, made)["coverage"]["columns"]["x"]
    having = judged({"x": [0.0, 1.5, None]}, made)["coverage"]["columns"]["x"]
    assert (without["boundary_adherence"], having["boundary_adherence"]) == (0.25, 0.5)
    assert without["outside_pct"] == having["outside_pct"] == 50


def test_categories_by_hand() -> None:
    made = {"c": ["a", "new", None, "a"]}
    without = judged({"c": ["a", "b", "c"]}, made)["coverage"]["columns"]["c"]
    having = judged({"c": ["a", "b", "c", None]}, made)["coverage"]["columns"]["c"]
    assert without["category_coverage"] == having["category_coverage"] == pytest.approx(1 / 3)
    assert (without["category_adherence"], having["category_adherence"]) == (0.5, 0.75)
    assert without["unseen_pct"] == having["unseen_pct"] == 25
    assert (without["real_levels"], without["covered_levels"]) == (3, 1)


def test_fractions_in_whole_number_columns_are_flagged() -> None:
    real = {"n": [1, 2, 3, 4], "x": [0.5, 1.0, 2.0, 3.0]}
    found = judged(real, {"n": [1.2, 2.0, 4.4, None], "x": [0.7, 1.1, 2.2, 2.9]})["coverage"]
    assert found["rounded"] == {"n": pytest.approx(200 / 3)}
    # 4.4 is compared as 4, which is inside.
    assert found["columns"]["n"]["outside_pct"] == 0


def test_dates_and_spans_of_time() -> None:
    days = [datetime(2020, 1, day) for day in (1, 11)]
    real = {"d": days, "t": pa.array([0, 7_200], pa.duration("s"))}
    made = {"d": [datetime(2020, 1, 6), datetime(2021, 1, 1, 12)], "t": real["t"]}
    columns = judged(real, made)["coverage"]["columns"]
    assert columns["d"]["range_coverage"] == pytest.approx(0.5)
    assert columns["d"]["real"] == ["2020-01-01", "2020-01-11"]
    assert columns["d"]["synthetic"][1] == "2021-01-01 12:00:00"
    assert columns["t"]["real"] == ["0 seconds", "7200 seconds"]


def test_what_cannot_be_taken_says_why() -> None:
    null = pa.array([None, None], pa.float64())
    nothing = pa.array([None, None], pa.string())
    found = judged(
        {"x": null, "c": nothing, "k": [1.0, 1.0]},
        {"x": [1.0, 2.0], "c": ["a", None], "k": [1.0, 2.0]},
    )["coverage"]
    assert found["columns"]["x"] == {
        "range_coverage": None,
        "reason": "the real column is all null",
    }
    assert found["columns"]["c"]["category_coverage"] is None
    assert found["columns"]["c"]["unseen_pct"] == 50
    assert found["columns"]["k"]["range_coverage"] is None
    assert found["columns"]["k"]["boundary_adherence"] == 0.5
    assert "constant" in found["columns"]["k"]["reason"]
    assert found["range_coverage"] is None
    empty = judged({"x": [1.0, 2.0]}, {"x": null})["coverage"]["columns"]["x"]
    assert empty["range_coverage"] == empty["boundary_adherence"] == 0
    assert "all null" in empty["reason"] and empty["synthetic"] is None


def test_a_shifted_table_leaves_the_range() -> None:
    x = np.random.default_rng(0).uniform(0, 1, 500)
    found = judged({"x": x}, {"x": x + 0.5})["coverage"]
    assert found["range_coverage"] == pytest.approx(0.5, abs=0.02)
    assert found["boundary_adherence"] == pytest.approx((x <= x.max() - 0.5).mean())


EDGES: dict[str, dict[str, Any]] = {
    "one row": {"x": [1.0]},
    "constant": {"x": [1.0] * 9, "c": ["a"] * 9, "n": [2] * 9},
    "all null": {"x": pa.array([None] * 9, pa.float64()), "c": pa.array([None] * 9, pa.string())},
    "no numbers": {"c": list("abcabcabc"), "b": [True, False, None] * 3, "d": ["x"] * 9},
    "no categories": {"x": range(9), "y": [0.5, None, 2.0] * 3, "t": pa.array(range(9), "date32")},
    "huge": {"x": [-1.7e308, 1.7e308, 0.0], "y": [0.0, 1e-300, 1.0]},
}


@pytest.mark.parametrize("name", EDGES)
def test_any_table_gets_its_figures(name: str) -> None:
    found = judged(EDGES[name], EDGES[name])
    json.dumps(found, allow_nan=False)
    assert found["missing"]["patterns_error_pct"] == 0
    assert found["triples"]["error_pct"] in (0, None)


def test_detail_adds_only_detail() -> None:
    real, made = parity(300, 0), parity(300, 1)
    full, plain = judged(real, made), judged(real, made, detail=False)
    for name, extra in {
        "triples": ["worst"],
        "missing": ["columns", "patterns"],
        "coverage": ["columns"],
    }.items():
        assert full[name] == plain[name] | {key: full[name][key] for key in extra}
        assert not set(extra) & set(plain[name])
