"""Shape and trend error: known cases, an independent count, and properties."""

from __future__ import annotations

import datetime as dt
import importlib
import time
from collections import Counter
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from synthgan.data.schema import Schema
from synthgan.errors import TableError
from synthgan.evaluation import METRICS_VERSION, FidelityReference, fidelity

# The package's function of that name hides the module.
FIDELITY = importlib.import_module("synthgan.evaluation.fidelity")
LIMITS = settings(deadline=None, max_examples=40)


def mixed_table(rows: int, seed: int, levels: int = 4) -> pa.Table:
    """Two numbers (one whole, one with nulls), a category with nulls, a boolean, a date."""
    rng = np.random.default_rng(seed)
    age = rng.integers(17, 90, rows)
    size = rng.normal(age / 10.0, 1)
    names = np.array([f"level {i}" for i in range(levels)])[rng.integers(0, levels, rows)]
    return pa.table(
        {
            "age": age,
            "size": pa.array(size, mask=rng.random(rows) < 0.1),
            "name": pa.array(names.tolist(), mask=rng.random(rows) < 0.2),
            "flag": rng.random(rows) < 0.3,
            "day": pa.array((rng.integers(0, 1000, rows)).astype("datetime64[D]")),
        }
    )


def naive_pair(real: pd.DataFrame, synthetic: pd.DataFrame, first: str, second: str) -> float:
    """Pair-trend error counted with dictionaries, straight from its definition."""

    def cells(frame: pd.DataFrame) -> Counter[tuple[Any, ...]]:
        columns = []
        for name in (first, second):
            if pd.api.types.is_numeric_dtype(real[name]) and real[name].dtype != bool:
                edges = np.linspace(real[name].min(), real[name].max(), 11)
                columns.append(
                    [
                        None if np.isnan(v) else int(min(max((edges <= v).sum() - 1, 0), 9))
                        for v in frame[name].astype(float)
                    ]
                )
            else:
                columns.append([None if pd.isna(v) else str(v) for v in frame[name]])
        return Counter(zip(*columns, strict=True))

    a, b = cells(real), cells(synthetic)
    return sum(abs(a[k] / len(real) - b[k] / len(synthetic)) for k in {*a, *b}) / 2


def test_equal_tables_have_no_error() -> None:
    table = mixed_table(300, 0)
    result = fidelity(table, table)
    assert result.error == result.shape_error == result.trend_error == 0
    assert list(result.columns) == table.column_names
    assert list(result.pairs) == list(combinations(table.column_names, 2))


def test_known_errors() -> None:
    real = pa.table({"x": [0.0, 1.0, 2.0, 3.0], "c": ["a", "a", "b", None]})
    synthetic = pa.table({"x": [3.0, 2.0, 9.0, 9.0], "c": ["a", "b", "b", "new"]})
    result = fidelity(real, synthetic)
    assert result.columns == {"x": 0.5, "c": 0.5}
    # Bins of x: 0, 3, 6, 9; synthetic (9, a), (6, b), (9, b), (9, new): only (6, b) is shared.
    assert result.pairs == {("x", "c"): 0.75}
    assert (result.shape_error, result.trend_error, result.error) == (0.5, 0.75, 0.625)


def test_agrees_with_an_independent_count() -> None:
    real, synthetic = mixed_table(400, 1), mixed_table(250, 2, levels=6)
    result = fidelity(real, synthetic)
    frames = real.drop(["day"]).to_pandas(), synthetic.drop(["day"]).to_pandas()
    for name in ("age", "size"):
        expected = ks_2samp(frames[0][name].dropna(), frames[1][name].dropna()).statistic
        assert result.columns[name] == pytest.approx(expected)
    for first, second in combinations(["age", "size", "name", "flag"], 2):
        if (first, second) == ("age", "size"):
            correlations = [frame["age"].corr(frame["size"]) for frame in frames]
            expected = abs(correlations[0] - correlations[1]) / 2
        else:
            expected = naive_pair(*frames, first, second)
        assert result.pairs[first, second] == pytest.approx(expected), (first, second)


def test_dates_are_numbers_whatever_their_unit() -> None:
    table = mixed_table(300, 3)
    coarse = table.set_column(4, "day", table["day"].cast(pa.timestamp("ns")))
    assert fidelity(table, coarse).error == 0
    later = pa.array([day + dt.timedelta(days=400) for day in table["day"].to_pylist()])
    assert 0.3 < fidelity(table, table.set_column(4, "day", later)).columns["day"] < 0.5


@pytest.mark.parametrize(
    "values",
    [
        [Decimal("1.50"), Decimal("2.50"), None],
        [dt.time(1, 2), dt.time(3, 4), None],
        [dt.timedelta(days=1), dt.timedelta(seconds=1), None],
        [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2021, 1, 1, tzinfo=dt.UTC), None],
    ],
    ids=["decimal", "time", "duration", "zoned"],
)
def test_every_number_type_is_binned(values: list[Any]) -> None:
    array = pa.array(values)
    real = pa.table({"x": array, "y": ["a", "b", "c"]})
    result = fidelity(real, pa.table({"x": array.take(pa.array([0, 0, 2])), "y": real["y"]}))
    assert result.columns == {"x": 0.5, "y": 0.0}
    assert result.pairs == {("x", "y"): pytest.approx(1 / 3)}


def test_whole_numbers_are_compared_rounded() -> None:
    real = pa.table({"n": [1, 2, 3]})
    assert fidelity(real, pa.table({"n": [1.2, 1.9, 3.4]})).error == 0
    continuous = pa.table({"n": [1.0, 2.0, 3.5]})
    assert fidelity(continuous, pa.table({"n": [1.2, 1.9, 3.4]})).error > 0


def test_nulls_are_dropped_in_shapes_and_kept_in_trends() -> None:
    real = pa.table({"x": [1.0, 2.0, None, None], "c": ["a", "a", "b", "b"]})
    moved = pa.table({"x": [1.0, None, 2.0, None], "c": ["a", "a", "b", "b"]})
    result = fidelity(real, moved)
    assert result.columns == {"x": 0.0, "c": 0.0}
    assert result.pairs == {("x", "c"): 0.5}


def test_a_column_that_lost_all_its_values_is_all_wrong() -> None:
    some, none = pa.table({"x": [1.0, 2.0]}), pa.table({"x": pa.array([None, None], pa.float64())})
    assert fidelity(some, none).columns == fidelity(none, some).columns == {"x": 1.0}
    assert fidelity(none, none).columns == {"x": 0.0}


def test_constants_have_no_correlation() -> None:
    real = pa.table({"x": [1.0, 2.0, 3.0], "k": [7, 7, 7]})
    assert fidelity(real, real).error == 0
    varied = pa.table({"x": [1.0, 2.0, 3.0], "k": [7, 8, 9]})
    assert fidelity(real, varied).pairs == {("x", "k"): 0.5}


def test_constants_are_not_counted_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    # Without its last row x moves by 1e-9 of its range; y does not know the last row.
    x, y = np.append(np.arange(49.0), 1e9), np.append(rng.normal(size=49), np.nan)
    null = np.full(50, np.nan)
    constants = [np.full(50, 7.0), np.where(rng.random(50) < 0.3, np.nan, -1e300), null]
    columns = [constants[0], x, constants[1], y, rng.normal(size=50), constants[2]]
    one_by_one = FIDELITY._correlation
    expected = np.array([[one_by_one(first, second) for second in columns] for first in columns])
    asked = []

    def counted(first: Any, second: Any) -> float:
        asked.append((first, second))
        return float(one_by_one(first, second))

    monkeypatch.setattr(FIDELITY, "_correlation", counted)
    found = FIDELITY.correlations(columns)
    assert found == pytest.approx(expected, abs=1e-7)
    assert (found[[0, 2, 5]] == 0).all() and (found[:, [0, 2, 5]] == 0).all()
    assert found[1, 3] == found[3, 1] == expected[1, 3]
    assert len(asked) == 1


def test_correlation_keeps_its_digits_far_from_zero() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=500)
    b = a + rng.normal(size=500)
    real = pa.table({"a": a * 1e-3 + 1e6, "b": b * 1e300})
    synthetic = pa.table({"a": a[::-1] * 1e-3 + 1e6, "b": b * 1e300})
    expected = abs(np.corrcoef(a, b)[0, 1] - np.corrcoef(a[::-1], b)[0, 1]) / 2
    assert fidelity(real, synthetic).pairs["a", "b"] == pytest.approx(expected, abs=1e-6)


def test_correlation_over_shared_rows_that_hardly_vary() -> None:
    # Without its last row x moves by 1e-9 of its range; y does not know the last row.
    x = pa.array([0.0, 1.0, 2.0, 3.0, 1e9])
    real = pa.table({"x": x, "y": [0.0, 1.0, 2.0, 3.0, None]})
    synthetic = pa.table({"x": x, "y": [3.0, 2.0, 1.0, 0.0, None]})
    assert fidelity(real, synthetic).pairs["x", "y"] == pytest.approx(1)


def test_the_largest_floats_do_no_harm() -> None:
    huge = pa.table({"x": [-1.7e308, 0.0, 1.7e308, None], "y": [5e-324, 0.0, 1.0, 2.0]})
    assert fidelity(huge, huge).error == pytest.approx(0, abs=1e-9)
    assert 0 <= fidelity(huge, huge.slice(1)).error <= 1


def test_many_levels_are_counted_over_the_cells_that_occur() -> None:
    rng = np.random.default_rng(5)
    texts = np.array([f"t{i}" for i in range(500)])

    def table(rows: int) -> pa.Table:
        return pa.table({name: texts[rng.integers(0, 500, rows)] for name in ("a", "b")})

    real, synthetic = table(2_000), table(1_000)
    expected = naive_pair(real.to_pandas(), synthetic.to_pandas(), "a", "b")
    assert fidelity(real, synthetic).pairs["a", "b"] == pytest.approx(expected)


def test_the_schema_says_what_is_what() -> None:
    real = pa.table({"key": [1, 2, 3, 4], "code": [1, 1, 5, 5], "x": [1.0, 2.0, 3.0, 4.0]})
    synthetic = pa.table({"code": [1.0, 5.0, 5.0, 5.0], "x": [1.0, 2.0, 3.0, 4.0]})
    kinds = {"key": "id", "code": "category", "x": "number"}
    types = {name: str(real.schema.field(name).type) for name in real.column_names}
    schema = Schema.from_dict(
        {
            "columns": [
                {"name": name, "kind": kind, "type": types[name], "reason": "declared"}
                for name, kind in kinds.items()
            ]
        }
    )
    result = fidelity(real, synthetic, schema=schema)
    assert result.columns == {"code": 0.25, "x": 0.0}
    with pytest.raises(TableError, match="missing are \\['key'\\]"):
        fidelity(real, synthetic)
    with pytest.raises(TableError, match="only ids"):
        fidelity(real.select(["key"]), synthetic, schema=schema)


def test_frames_and_files_are_tables_too(tmp_path: Path) -> None:
    table = mixed_table(100, 6).drop(["day"])
    path = tmp_path / "table.csv"
    table.to_pandas().to_csv(path, index=False)
    for other in (table.to_pandas(), pl.from_arrow(table), path):
        assert fidelity(table, other).error == pytest.approx(0, abs=1e-12), type(other)


def test_categories_are_compared_by_their_text() -> None:
    real = pa.table({"c": pa.array(["a", "b", "b"]).dictionary_encode()})
    plain = pa.table({"c": pa.chunked_array([["b"], ["a", "b"]])})
    assert fidelity(real, plain).error == fidelity(plain, real).error == 0
    numbers = pa.table({"c": pa.array([4, 5, 5])})
    coded = pa.table({"c": pa.array([5, 4, 5]).dictionary_encode()})
    assert fidelity(numbers, coded).error == fidelity(coded, numbers).error == 0
    booleans = pa.table({"c": [True, False]})
    assert fidelity(booleans, pa.table({"c": [0, 1]})).error == 0


def test_bad_tables_are_refused() -> None:
    table = pa.table({"x": [1.0, 2.0], "c": ["a", "b"]})
    with pytest.raises(TableError, match="synthetic table: expected at least one row"):
        fidelity(table, table.slice(0, 0))
    with pytest.raises(TableError, match="real table: expected at least one row"):
        fidelity(table.slice(0, 0), table)
    with pytest.raises(TableError, match="missing are \\['x', 'c'\\]"):
        fidelity(table, pa.table({"y": [1]}))
    with pytest.raises(TableError, match=r"column 'x': expected numbers.*found string"):
        fidelity(table, pa.table({"x": ["a", "b"], "c": ["a", "b"]}))


def test_to_dict_is_json_and_names_its_version() -> None:
    result = fidelity(pa.table({"x": [1, 2], "c": ["a", "b"]}), pa.table({"x": [2], "c": ["b"]}))
    assert result.to_dict() == {
        "metrics_version": METRICS_VERSION,
        "shape_error": 0.5,
        "trend_error": 0.5,
        "columns": {"x": 0.5, "c": 0.5},
        "pairs": [["x", "c", 0.5]],
    }


def test_one_reference_serves_many_tables() -> None:
    real = mixed_table(200, 7)
    reference = FidelityReference(real)
    for seed in (8, 9):
        synthetic = mixed_table(150, seed)
        assert reference.compare(synthetic) == fidelity(real, synthetic)


def test_adult_halves_are_close_and_shuffled_columns_are_not(adult: pa.Table) -> None:
    halves = fidelity(adult.slice(0, 500), adult.slice(500))
    assert halves.shape_error < 0.06
    rng = np.random.default_rng(0)
    shuffled = pa.table(
        {name: adult[name].take(rng.permutation(adult.num_rows)) for name in adult.column_names}
    )
    result = fidelity(adult, shuffled)
    assert result.shape_error == pytest.approx(0, abs=1e-12)
    assert result.trend_error > 2 * fidelity(adult, adult).trend_error + 0.05


def test_fast_enough_to_steer_a_fit(adult_path: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(adult_path).slice(0, 20_000)
    started = time.process_time()
    fidelity(table.slice(0, 10_000), table.slice(10_000))
    assert time.process_time() - started < 0.3


tables = st.integers(1, 40).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            "x": st.lists(
                st.none() | st.floats(-1e6, 1e6),
                min_size=rows,
                max_size=rows,
            ),
            "n": st.lists(st.none() | st.integers(-5, 5), min_size=rows, max_size=rows),
            "c": st.lists(st.none() | st.sampled_from("abcde"), min_size=rows, max_size=rows),
        }
    )
)
TYPES = pa.schema({"x": pa.float64(), "n": pa.int8(), "c": pa.string()})


@LIMITS
@given(tables, tables, st.randoms(use_true_random=False))
def test_errors_lie_in_bounds_and_order_does_not_matter(
    real: dict[str, list[Any]], synthetic: dict[str, list[Any]], random: Any
) -> None:
    a, b = (pa.table(columns, schema=TYPES) for columns in (real, synthetic))
    result = fidelity(a, b)
    errors = [*result.columns.values(), *result.pairs.values()]
    assert all(0 <= error <= 1 for error in errors)
    assert fidelity(a, a).error == pytest.approx(0, abs=1e-9)
    order = list(range(b.num_rows))
    random.shuffle(order)
    shuffled = fidelity(a, b.take(order))
    assert shuffled.columns == pytest.approx(result.columns)
    assert shuffled.pairs == pytest.approx(result.pairs, abs=1e-6)
