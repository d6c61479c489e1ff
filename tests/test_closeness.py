"""Copies and distances: known tables, an independent count, and tables with nothing to measure."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.measures.closeness import affordable, closeness
from synthgan.evaluation.reference import Reference


def mixed_table(rows: int, seed: int) -> pa.Table:
    """Three numbers (one whole, one with nulls), a category with nulls, a boolean, a date."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    names = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, rows)]
    return pa.table(
        {
            "x": x,
            "y": pa.array(x + rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "n": rng.integers(0, 40, rows),
            "name": pa.array(names.tolist(), mask=rng.random(rows) < 0.2),
            "flag": rng.random(rows) < 0.3,
            "day": pa.array(rng.integers(0, 1000, rows).astype("datetime64[D]")),
        }
    )


def with_noise(table: pa.Table, seed: int, scale: float = 0.01) -> pa.Table:
    """The same rows with a little noise on their first number."""
    noise = np.random.default_rng(seed).normal(scale=scale, size=table.num_rows)
    return table.set_column(0, "x", pa.array(table.column("x").to_numpy() + noise))


def measured(real: pa.Table, found: pa.Table, holdout: pa.Table | None = None) -> dict[str, Any]:
    reference = Reference(real, holdout)
    result = closeness(reference, reference.code(found))
    json.dumps(result, allow_nan=False)
    return result


def test_a_copy_a_near_copy_and_a_fresh_sample() -> None:
    real, holdout, fresh = (mixed_table(600, seed) for seed in range(3))
    copy = measured(real, real, holdout)
    assert copy["exact_copies"] == 1 and copy["exact_copies_rows"] == 600
    assert copy["near_copies"] == 1 and copy["closest_share"] > 0.99
    assert copy["dcr"]["median"] == copy["nndr"]["median"] == 0

    leaked = measured(real, with_noise(real, 3), holdout)
    assert leaked["exact_copies"] == 0
    assert leaked["near_copies"] > 0.95 and leaked["closest_share"] > 0.95
    honest, unseen = measured(real, fresh, holdout), measured(real, holdout)
    assert leaked["dcr"]["p05"] < leaked["dcr"]["median"] < unseen["dcr"]["p05"]
    assert leaked["nndr"]["median"] < 0.1 < 0.6 < unseen["nndr"]["median"]
    assert honest["exact_copies"] == unseen["exact_copies"] == honest["exact_copies_real"] == 0
    assert abs(honest["near_copies"] - unseen["near_copies"]) < 0.04
    assert abs(honest["near_copies"] - honest["near_copies_fresh"]) < 0.04
    assert honest["dcr"]["median"] == pytest.approx(unseen["dcr"]["median"], rel=0.1)
    low, high = honest["closest_share_interval"]
    assert low < 0.5 < high and high - low < 0.2
    assert honest["holdout_overlap"] is None


@pytest.mark.parametrize("columns", [["x"], ["x", "name"], ["x", "y", "n", "day"]])
def test_fresh_rows_come_as_near_as_real_ones_that_were_left_out(columns: list[str]) -> None:
    """With one number half of all fresh rows lie at a third of the way to the next, or nearer."""
    real, fresh = (mixed_table(2_000, seed).select(columns) for seed in range(2))
    found = measured(real, fresh)
    assert found["near_copies_fresh_rows"] == 1_000
    assert abs(found["near_copies"] - found["near_copies_fresh"]) < 0.06
    if columns == ["x"]:
        assert 0.45 < found["near_copies_fresh"] < 0.6


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_one_row_over_and_over_is_no_sure_sign_of_copying(value: float) -> None:
    real, holdout = mixed_table(400, 0), mixed_table(400, 1)
    row = real.select(["x", "n"]).slice(0, 1).set_column(0, "x", pa.array([value]))
    repeated = pa.concat_tables([row] * 400)
    found = measured(*(each.select(["x", "n"]) for each in (real, repeated, holdout)))
    low, high = found["closest_share_interval"]
    assert found["closest_share"] in (0, 0.5, 1) and high - low > 0.5


def test_nulls_where_the_real_column_has_none_are_far_from_every_row() -> None:
    real = mixed_table(300, 0).select(["x", "n"])
    empty = pa.table({name: pa.nulls(300, pa.float64()) for name in real.column_names})
    assert measured(real, empty)["dcr"]["p05"] > 0.7


def test_a_shifted_table_is_far_from_every_real_row() -> None:
    real, holdout, fresh = (mixed_table(300, seed) for seed in range(3))
    far = fresh.set_column(3, "name", pa.array(["elsewhere"] * 300))
    shifted = measured(real, far, holdout)
    assert shifted["dcr"]["p05"] >= 1  # one level less in common, at the least
    assert shifted["near_copies"] < measured(real, holdout)["near_copies"] + 0.02


def test_copies_in_part_are_counted() -> None:
    real, holdout, fresh = (mixed_table(400, seed) for seed in range(3))
    part = pa.concat_tables([real.slice(0, 100), fresh.slice(0, 300)])
    found = measured(real, part, holdout)
    assert found["exact_copies"] == 0.25 and found["exact_copies_rows"] == 100
    assert 0.25 <= found["near_copies"] < 0.35
    assert found["closest_share"] > 0.55


def test_rows_equal_by_chance_are_no_copies_of_anybody() -> None:
    """With eight kinds of rows every row has twins: equal rows, but nobody is meant."""
    rng = np.random.default_rng(0)
    tables = [pa.table({k: rng.random(300) < 0.5 for k in "abc"}) for _ in range(3)]
    found = measured(*tables)
    assert found["exact_copies"] == found["exact_copies_real"] == 1
    assert found["near_copies"] == 0 and found["nndr"]["median"] == 1
    assert found["closest_share"] == 0.5
    assert found["holdout_overlap"] is None


def test_a_holdout_that_repeats_real_rows_is_called_out() -> None:
    real, other = mixed_table(200, 0), mixed_table(200, 1)
    holdout = pa.concat_tables([real.slice(0, 50), other.slice(0, 150)])
    found = measured(real, other, holdout)
    assert found["holdout_overlap"].startswith("25.0% of the holdout's rows")


def test_the_closest_share_is_what_a_plain_count_gives() -> None:
    """One number, distinct: ranks among the real values, taken by hand."""
    rng = np.random.default_rng(0)
    real, found, holdout = rng.normal(size=(3, 50))
    result = measured(*(pa.table({"x": values}) for values in (real, found, holdout)))
    ordered = np.sort(real)

    def rank(values: Any) -> Any:
        return np.interp(values, ordered, (np.arange(50) + 0.5) / 50, left=0, right=1)

    gaps = [
        np.abs(rank(value) - rank(holdout)).min() - np.abs(rank(value) - rank(real)).min()
        for value in found
    ]
    expected = np.mean([0.5 if abs(gap) < 1e-6 else float(gap > 0) for gap in gaps])
    assert result["closest_share"] == pytest.approx(expected)


def test_near_copies_need_a_row_three_times_nearer() -> None:
    real = pa.table({"x": np.arange(100.0)})
    far = measured(real, pa.table({"x": [10.0, 11.0]}))
    assert far["near_copies"] == 1 and far["nndr"]["p05"] == 0
    # Whole numbers are compared rounded, so that 10.4 is 10.
    assert measured(real, pa.table({"x": [10.4]}))["exact_copies"] == 1
    # Between two real values: as far from one as from the other.
    between = measured(pa.table({"x": np.arange(100) + 0.25}), pa.table({"x": [10.75]}))
    assert between["near_copies"] == 0 and between["nndr"]["median"] == pytest.approx(1, rel=1e-4)


def test_keys_are_equal_where_rows_are() -> None:
    table = pa.table(
        {
            "x": [0.0, -0.0, None, None, 1.0, 1.0],
            "when": [dt.datetime(2020, 1, 1)] * 4 + [None, dt.datetime(2020, 1, 2)],
            "c": ["a", "a", "a", None, "a", "a"],
        }
    )
    keys = Reference(table).real.keys
    assert keys[0] == keys[1]
    assert len(set(keys[1:].tolist())) == 5
    swapped = Reference(pa.table({"a": [1, 2], "b": [2, 1]}))
    assert len(set(swapped.real.keys.tolist())) == 2


def test_a_level_that_the_real_table_lacks_is_no_copy() -> None:
    real = pa.table({"c": ["a", "b", None]})
    assert measured(real, pa.table({"c": ["z", "a", None, "y"]}))["exact_copies"] == 0.5


def test_without_a_holdout_the_reason_is_said() -> None:
    found = measured(mixed_table(100, 0), mixed_table(100, 1))
    assert found["closest_share"] is None and found["closest_share_interval"] is None
    assert found["closest_share_reason"] == "no holdout was given"
    assert found["near_copies"] is not None and found["near_copies_fresh"] is not None


def test_floors_get_every_figure_at_the_same_path() -> None:
    reference = Reference(mixed_table(200, 0), mixed_table(200, 1))
    found = reference.code(mixed_table(200, 2))
    floor = closeness(reference, found, detail=False)
    assert floor == {name: closeness(reference, found)[name] for name in floor}
    assert list(floor) == ["exact_copies", "near_copies", "closest_share", "dcr", "nndr"]
    assert list(floor["dcr"]) == list(floor["nndr"]) == ["p05", "median"]


def test_no_floor_stands_among_the_figures() -> None:
    text = json.dumps(measured(*(mixed_table(50, seed) for seed in range(3))))
    assert "_holdout" not in text and "holdout_p05" not in text


def test_the_seed_decides_every_draw() -> None:
    tables = [mixed_table(300, seed) for seed in range(3)]
    assert measured(*tables) == measured(*tables)


@pytest.mark.parametrize("rows", [1, 2, 3, 20])
@pytest.mark.parametrize(
    "columns",
    [
        ["x"],
        ["name"],
        ["x", "y", "n", "day"],
        ["name", "flag"],
        ["x", "y", "n", "name", "flag", "day"],
    ],
)
def test_tiny_tables_give_figures_or_none(rows: int, columns: list[str]) -> None:
    tables = [mixed_table(rows, seed).select(columns) for seed in range(3)]
    found = measured(*tables)
    assert 0 <= found["closest_share"] <= 1
    assert (found["near_copies"] is None) == (rows == 1)
    assert ("near_copies_reason" in found) == (rows == 1)
    assert (found["dcr"]["median"] is None) == (found["nndr"]["p05"] is None) == (rows == 1)
    assert (found["near_copies_fresh"] is None) == (rows < 3)
    assert ("near_copies_fresh_reason" in found) == (rows < 3)
    measured(*tables[:2])


def test_constant_and_empty_columns_are_measured() -> None:
    empty = pa.table({"none": pa.nulls(30, pa.float64()), "no": pa.nulls(30, pa.string())})
    constant = pa.table({"one": [1] * 30, "same": ["a"] * 30})
    for table in (empty, constant):
        found = measured(table, table, table)
        assert found["exact_copies"] == 1 and found["near_copies"] == 0
        assert found["closest_share"] == 0.5


def test_wide_points_are_fewer() -> None:
    assert affordable(200_000, 100, 6e9, most=4_000, least=500) == (500, 120_000)
    assert affordable(50, 10_000, 1e4, most=100, least=10) == (10, 2)
