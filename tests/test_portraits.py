"""Data of the pictures: shared bins, levels, associations, the map; known answers and edges."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.bins import bins_of, nice_width
from synthgan.evaluation.columns import NumberColumn
from synthgan.evaluation.portraits import MOST_COLUMNS, MOST_LEVELS, MOST_PAIRED, portraits
from synthgan.evaluation.reference import Reference

NORMAL = np.random.default_rng(0).normal(size=(2, 2_000))


def pictures(real: dict[str, Any], synthetic: dict[str, Any]) -> dict[str, Any]:
    reference = Reference(pa.table(real), seed=0)
    made = portraits(reference, reference.code(pa.table(synthetic)))
    json.dumps(made, allow_nan=False)
    return made


def bins(values: Any) -> Any:
    array = pa.chunked_array([pa.array(values)])
    found = bins_of(NumberColumn("x", array), array.type)
    assert found is not None
    return found


def test_whole_numbers_have_a_bin_each() -> None:
    column = pictures({"n": [1, 1, 2, 5]}, {"n": [1, 2, 2, 9]})["columns"]["n"]
    assert column["labels"] == ["1", "2", "3", "4", "5"]
    assert column["real"] == [0.5, 0.25, 0, 0, 0.25]
    assert column["synthetic"] == [0.25, 0.5, 0, 0, 0.25]


def test_bins_hold_every_value_and_nulls_stand_apart() -> None:
    real = pa.array(NORMAL[0], mask=np.arange(2_000) % 10 == 0)
    column = pictures({"x": real}, {"x": NORMAL[1] * 9})["columns"]["x"]
    assert 15 <= len(column["labels"]) <= 34
    assert column["null"] == [0.1, 0.0]
    assert sum(column["real"]) == pytest.approx(0.9, abs=1e-4)
    assert sum(column["synthetic"]) == pytest.approx(1, abs=1e-4)
    assert column["labels"][0].endswith("or less") and column["labels"][-1].endswith("or more")
    assert column["synthetic"][0] > 0.3


def test_bins_pass_over_the_tails() -> None:
    values = np.concatenate([np.arange(1_000.0), [1e9]])
    assert bins(values).edges[-1] < 1_100


def test_large_whole_numbers_share_round_bins() -> None:
    found = bins(np.arange(16, 90))
    assert found.labels[0] == "15 to 19"
    assert [text for _, text in found.ticks] == ["20", "40", "60", "80"]


@pytest.mark.parametrize(
    ("step", "first"),
    [
        (dt.timedelta(seconds=2), "2024-01-31T22:00:00 to 2024-01-31T22:00:05"),
        (dt.timedelta(hours=1), "2024-01-31T21:00 to 2024-02-01T00:00"),
        (dt.timedelta(days=10), "2024-01 to 2024-02"),
        (dt.timedelta(days=700), "2020 to 2025"),
    ],
)
def test_moments_have_readable_iso_labels(step: dt.timedelta, first: str) -> None:
    start = dt.datetime(2024, 1, 31, 22)
    found = bins([start + i * step for i in range(70)])
    assert found.labels[0] == first
    assert len(found.labels) <= 34


def test_times_and_spans_have_readable_labels() -> None:
    assert bins([dt.time(8), dt.time(9), dt.time(10)]).labels[0] == "08:00 to 08:05"
    assert bins([dt.timedelta(hours=i) for i in range(40)]).labels[0] == "0 h to 2 h"


def test_extreme_numbers_are_cut_somewhere() -> None:
    for values in (
        [1e300, -1e300],
        [1.7e308, -1.7e308],
        [1.7e308, -1.7e308, 0.5],
        [1e308, 1.79e308],
        [0.5, 1.79e308],
        [5e-324, 1.0],
        [5e-324, 1e-323],
        [1e18, 1e18 + 256],
    ):
        found = bins(values)
        assert len(found.labels) == len(found.edges) - 1 >= 1
        assert np.isfinite(found.edges).all() and (found.edges[1:] > found.edges[:-1]).all()
        assert all(0 <= place <= 1 for place, _ in found.ticks)
        assert sum(found.shares(np.array(values), len(values))) == pytest.approx(1, abs=1e-4)


def test_a_range_that_no_float_can_say_is_one_bin() -> None:
    made = pictures({"n": [-1.7e308, 1.7e308]}, {"n": [-1.7e308, 1.0, None, 1.7e308]})
    column = made["columns"]["n"]
    assert column["labels"] == ["-1.7e+308 to 1.7e+308"]
    assert column["ticks"] == [[0.0, "-1.7e+308"], [1.0, "1.7e+308"]]
    assert (column["real"], column["synthetic"]) == ([1.0], [0.75])


def test_nice_widths() -> None:
    assert [nice_width(w) for w in (0.011, 0.2, 2.1, 26, 51)] == [0.02, 0.2, 2.5, 50, 100]


def test_levels_by_frequency_with_the_rest_together() -> None:
    levels = [f"level {i:02d}" for i in range(20) for _ in range(40 - i)]
    made = pictures({"c": [*levels, None]}, {"c": ["level 00", "level 19", "new", None]})
    column = made["columns"]["c"]
    assert column["labels"] == [f"level {i:02d}" for i in range(MOST_LEVELS)]
    assert column["synthetic"][0] == 0.25
    assert column["other"][1] == column["unseen"] == column["null"][1] == 0.25
    assert (column["other_levels"], column["levels"]) == (8, 20)
    total = sum(column["real"]) + column["other"][0] + column["null"][0]
    assert total == pytest.approx(1, abs=1e-4)


def test_long_levels_are_cut() -> None:
    column = pictures({"c": ["x" * 500, "y"]}, {"c": ["y"]})["columns"]["c"]
    assert max(map(len, column["labels"])) == 80


def test_copy_has_equal_associations() -> None:
    table = {"x": NORMAL[0], "up": NORMAL[0] > 0, "other": NORMAL[1]}
    found = pictures(table, table)["associations"]
    assert found["real"] == found["synthetic"]
    assert found["names"] == ["x", "up", "other"] and found["numbers"] == [True, False, True]


def test_associations_of_known_tables() -> None:
    town = np.where(NORMAL[0] > 0, "Ulm", "Bonn")
    real = {"x": NORMAL[0], "y": -2 * NORMAL[0], "town": town, "twin": town, "coin": NORMAL[1] > 0}
    names = ["x", "y", "town", "twin", "coin"]
    found = pictures(real, {**real, "twin": NORMAL[1] > 0})["associations"]
    matrix = np.array(found["real"])
    assert found["names"] == names
    assert np.array_equal(matrix, matrix.T) and (np.diag(matrix) == 1).all()
    assert matrix[0, 1] == pytest.approx(-1)
    assert matrix[2, 3] == pytest.approx(1, abs=0.01)
    assert matrix[0, 2] > 0.8 and abs(matrix[2, 4]) < 0.05
    # Every level of the synthetic twin is unseen: it goes with nothing.
    assert found["synthetic"][2][3] == 0


def test_many_levels_are_no_association() -> None:
    rng = np.random.default_rng(1)
    codes = {name: rng.integers(0, 200, 2_000).astype(str) for name in ("a", "b")}
    assert pictures(codes, codes)["associations"]["real"][0][1] < 0.05


def test_map_is_the_same_for_the_same_rows() -> None:
    table = {"x": NORMAL[0][:300], "y": NORMAL[1][:300], "c": NORMAL[0][:300] > 0}
    made = pictures(table, table)["map"]
    assert len(made["real"]) == len(made["synthetic"]) == 300
    assert sorted(made["real"]) == sorted(made["synthetic"])
    assert 0 < made["explained"][1] <= made["explained"][0] <= 1
    assert "one-hot" in made["embedding"]


def test_map_is_bounded_and_shows_a_shift() -> None:
    made = pictures({"x": NORMAL[0], "y": NORMAL[1]}, {"x": NORMAL[0] + 9, "y": NORMAL[1] + 9})
    real, synthetic = np.array(made["map"]["real"]), np.array(made["map"]["synthetic"])
    assert real.shape == synthetic.shape == (800, 2)
    assert np.abs(real.mean(axis=0) - synthetic.mean(axis=0)).max() > 0.3


def test_same_seed_same_pictures() -> None:
    table = {"x": NORMAL[0], "c": NORMAL[1] > 0}
    assert pictures(table, table) == pictures(table, table)


def test_wide_tables_show_their_worst_columns() -> None:
    rng = np.random.default_rng(2)
    names = [f"c{i}" for i in range(MOST_COLUMNS + 20)]
    real = {name: rng.normal(size=30) for name in names}
    synthetic = {name: values + (9 if name == "c7" else 0) for name, values in real.items()}
    made = pictures(real, synthetic)
    assert len(made["columns"]) == MOST_COLUMNS and "c7" in made["columns"]
    assert made["columns_chosen"] == "the 200 of 220 columns with the largest error"
    found = made["associations"]
    assert len(found["names"]) == len(found["real"]) == MOST_PAIRED and "c7" in found["names"]
    assert found["chosen"] == "the 50 of 220 columns with the largest error"


@pytest.mark.parametrize(
    "column",
    [
        pa.array([None, None], pa.float64()),
        pa.array([None, None], pa.string()),
        pa.array([1.5, 1.5]),
        pa.array(["a", "a"]),
        pa.array([True, None]),
        pa.array([dt.datetime(2024, 1, 1), None]),
        pa.array([dt.timedelta(0), dt.timedelta(0)]),
    ],
)
def test_edges(column: pa.Array) -> None:
    for table in ({"x": column}, {"x": column, "y": column, "z": pa.array([1, 2])}):
        made = pictures(table, table)
        assert made["columns"]["x"]["real"] == made["columns"]["x"]["synthetic"]
        assert len(made["map"]["real"]) == 2


def test_one_row() -> None:
    made = pictures({"x": [1.0], "c": ["a"]}, {"x": [2.0], "c": ["b"]})
    assert made["columns"]["c"]["unseen"] == 1.0
