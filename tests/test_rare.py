"""Rare-value disclosure: what few real rows hold, counted by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.measures.rare import MOST_PAIRS, rare_values
from synthgan.evaluation.reference import Reference


def seen(real: pa.Table, found: pa.Table, holdout: pa.Table | None = None) -> dict[str, Any]:
    reference = Reference(real, holdout)
    result = rare_values(reference, reference.code(found))
    json.dumps(result, allow_nan=False)
    return result


def surveys(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "town": [f"town {k}" for k in np.floor(rng.exponential(6, rows))],
            "job": pa.array(
                [f"job {k}" for k in rng.poisson(3, rows)], mask=rng.random(rows) < 0.1
            ),
            "pay": pa.array(np.floor(rng.exponential(50, rows)), mask=rng.random(rows) < 0.1),
            "size": rng.normal(size=rows),
            "day": pa.array(rng.integers(0, 200, rows).astype("datetime64[D]")),
        }
    )


def test_levels_that_few_rows_hold_are_counted() -> None:
    real = pa.table({"town": ["Ulm"] * 5 + ["Bonn"] * 4 + ["Trier", "Worms", None]})
    holdout = pa.table({"town": ["Ulm", "Worms"]})
    found = seen(real, pa.table({"town": ["Bonn", "Bonn", "Ulm", "Rom", None, "Trier"]}), holdout)
    levels = found["levels"]
    assert (levels["rare"], levels["found"]) == (3, 2)
    # A third of the six rows: of two Bonns 1 - (2/3)^2 stay, of one Trier 1/3.
    assert levels["share"] == pytest.approx((5 / 9 + 1 / 3) / 3)
    assert found["rows"] == 2
    assert found["columns"] == [{"name": "town", **levels}]


def test_numbers_and_the_ends_of_their_range_are_counted() -> None:
    days = [dt.date(2020, 1, 1)] * 8 + [dt.date(2020, 3, 1)]
    real = pa.table({"n": [1, 2, 2, 2, 2, 2, 7, 9, None], "day": days})
    inside = pa.table({"n": [9, 2, 3], "day": [dt.date(2020, 3, 1), dt.date(2020, 2, 1), None]})
    found = seen(real, inside, holdout=real)
    assert (found["numbers"]["rare"], found["numbers"]["found"]) == (4, 2)
    by_name = {column["name"]: column for column in found["columns"]}
    assert by_name["n"]["ends"] == {"rare": 2, "found": 1}
    assert by_name["day"]["ends"] == {"rare": 1, "found": 1}
    assert by_name["n"]["share"] == pytest.approx(1 / 3)
    # Beyond the range is not its end.
    beyond = seen(real, pa.table({"n": [0, 99], "day": days[:2]}))
    assert {c["name"]: c["ends"]["found"] for c in beyond["columns"]} == {"n": 0, "day": 0}


@pytest.mark.parametrize(
    ("found", "same"), [([7, 7], 1), ([6, 7], 1), ([7, 8], 1), ([6, 7, 8], 0), ([6, 8], 0)]
)
def test_a_range_of_one_value_has_one_end(found: list[int], same: int) -> None:
    real = pa.table({"n": [7, 7, 7, None, None]})
    (column,) = seen(real, pa.table({"n": found}))["columns"]
    assert column["ends"] == {"rare": 1, "found": same}


def test_pairs_of_common_levels_that_are_rare_together() -> None:
    pairs = [("f", "Ulm")] * 10 + [("m", "Bonn")] * 10 + [("f", "Bonn"), ("m", "Worms")]
    real = pa.table({"sex": [a for a, _ in pairs], "town": [b for _, b in pairs]})
    found = seen(real, pa.table({"sex": ["f", "f", "m"], "town": ["Bonn", "Ulm", "Worms"]}))
    # Worms is rare by itself, so that only (f, Bonn) counts.
    assert found["pairs"]["rare"] == found["pairs"]["found"] == 1
    assert found["pairs"]["pairs_used"] == found["pairs"]["pairs_total"] == 1
    without = seen(real, pa.table({"sex": ["m"], "town": ["Worms"]}))["pairs"]
    assert (without["rare"], without["found"]) == (1, 0)


def test_pairs_are_those_of_a_plain_count() -> None:
    real, found = (surveys(400, seed).select(["town", "job"]) for seed in range(2))
    real = real.append_column("sex", pa.array(np.random.default_rng(0).random(400) < 0.1))
    found = found.append_column("sex", pa.array(np.random.default_rng(1).random(400) < 0.1))
    rare = present = 0
    for first, second in combinations(real.column_names, 2):
        columns = [real.column(name).to_pylist() for name in (first, second)]
        held = [Counter(column) for column in columns]
        cells = Counter(zip(*columns, strict=True))
        shown = set(zip(*(found.column(n).to_pylist() for n in (first, second)), strict=True))
        for (a, b), count in cells.items():
            common = a is not None and b is not None and min(held[0][a], held[1][b]) >= 5
            rare += common and count < 5
            present += common and count < 5 and (a, b) in shown
    pairs = seen(real, found)["pairs"]
    assert rare > 20
    assert (pairs["rare"], pairs["found"], pairs["pairs_used"]) == (rare, present, 3)


def test_a_copy_shows_all_and_a_fresh_sample_what_chance_does() -> None:
    real, holdout, fresh = (surveys(1_000, seed) for seed in range(3))
    copy, honest, floor = (seen(real, found, holdout) for found in (real, fresh, holdout))
    for group in ("levels", "numbers", "pairs"):
        assert copy[group]["rare"] > 5
        assert copy[group]["share"] == 1
        assert floor[group]["share"] < 0.8
        assert abs(honest[group]["share"] - floor[group]["share"]) < 0.25
    assert honest["numbers"]["share"] < 0.2


@pytest.mark.parametrize("rows", [200, 1_000, 5_000])
def test_shares_do_not_grow_with_the_table(rows: int) -> None:
    real, holdout, fresh = (surveys(size, seed) for seed, size in enumerate((1_000, 200, rows)))
    found, floor = seen(real, fresh, holdout), seen(real, holdout, holdout)
    assert found["rows"] == floor["rows"] == 200
    for group in ("levels", "pairs"):
        assert abs(found[group]["share"] - floor[group]["share"]) < 0.2
    assert seen(real, fresh)["rows"] == min(rows, 1_000)


def test_no_value_is_named() -> None:
    secret = pa.table({"name": ["x"] * 9 + ["Rumpelstilzchen"], "n": [0.0] * 9 + [424242.5]})
    text = json.dumps(seen(secret, secret, secret))
    assert "Rumpel" not in text and "424242" not in text


def test_floors_get_every_share_at_the_same_path() -> None:
    reference = Reference(surveys(300, 0), surveys(300, 1))
    found = reference.code(surveys(300, 2))
    whole = rare_values(reference, found)
    groups = ("levels", "numbers", "pairs")
    assert rare_values(reference, found, detail=False) == {
        **{group: {"share": whole[group]["share"]} for group in groups},
        "rows": 300,
    }
    assert all(whole[group]["share"] is not None for group in groups)


def test_nothing_rare_is_none() -> None:
    real = pa.table({"c": ["a", "b"] * 10, "d": ["a", "b"] * 10, "n": [1, 2] * 10})
    found = seen(real, real, real)
    for group in ("levels", "numbers", "pairs"):
        assert found[group]["rare"] == found[group]["found"] == 0
        assert found[group]["share"] is None
    assert found["columns"] == []


@pytest.mark.parametrize("rows", [1, 2, 20])
@pytest.mark.parametrize("columns", [["town"], ["size"], ["town", "job"], ["pay", "day"]])
def test_tiny_tables_are_measured(rows: int, columns: list[str]) -> None:
    tables = [surveys(rows, seed).select(columns) for seed in range(3)]
    assert seen(*tables)["rows"] == rows
    copy = seen(tables[0], tables[0])
    assert copy["levels"]["share"] in (None, 1.0) and copy["numbers"]["share"] in (None, 1.0)


def test_empty_and_constant_columns_are_measured() -> None:
    table = pa.table(
        {
            "no": pa.nulls(9, pa.string()),
            "none": pa.nulls(9, pa.float64()),
            "one": [1.0] * 9,
            "same": [True] * 9,
        }
    )
    found = seen(table, table, table)
    assert found["pairs"]["pairs_total"] == 1 and found["pairs"]["pairs_used"] == 0
    assert found["columns"] == []


def test_many_columns_pair_some() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({f"c{k}": np.array(["a", "b"])[rng.integers(0, 2, 30)] for k in range(40)})
    pairs = seen(table, table)["pairs"]
    assert pairs["pairs_used"] == MOST_PAIRS < pairs["pairs_total"] == 780
