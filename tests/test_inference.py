"""Which kind a column is taken for, why, and what of the user's word is refused."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgan.data.inference import infer_column
from synthgan.data.schema import Column
from synthgan.data.source import open_source
from synthgan.data.summaries import summarise
from synthgan.errors import SchemaError


def infer(values: Any, said: dict[str, Any] | None = None, name: str = "x", **more: Any) -> Column:
    source = open_source(pd.DataFrame({name: values}), min_rows=0)
    array = source.table()[name]
    return infer_column(name, array.type, summarise(array), said, **more)


def kind_of(values: Any, name: str = "x") -> str:
    return infer(values, name=name).kind


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def shuffled(first: int, rows: int) -> np.ndarray:
    return rng().permutation(np.arange(first, first + rows))


KINDS: list[tuple[Any, str, str]] = [
    ([1, 2, 2, None], "number", "whole numbers, 2 distinct values"),
    ([1.25, 2.5, None], "number", "numbers with at most 2 decimals, 2 distinct values"),
    ([1.5, 2.0], "number", "numbers with at most 1 decimal, 2 distinct values"),
    ([1 / 3, 2 / 3], "number", "numbers, 2 distinct values"),
    ([7, 7, 7], "number", "whole numbers, 1 distinct value"),
    ([Decimal("1.20"), Decimal("2.50")], "number", "numbers with at most 1 decimal"),
    ([True, False], "boolean", "true or false"),
    (pd.array([True, None], dtype="boolean"), "boolean", "true or false"),
    (["a", "b", "a"], "category", "text, 2 distinct values"),
    (pd.Categorical(["a", "b"]), "category", "a categorical in the table"),
    (pd.Categorical([3, 4]), "category", "a categorical in the table"),
    (pd.Categorical(["a"], ordered=True), "category", "an ordered categorical in the table"),
    (pd.to_datetime(["2020-01-01", "2021-01-01"]), "datetime", "moments in"),
    ([dt.date(2020, 1, 1), dt.date(2021, 1, 1)], "datetime", "dates"),
    (pd.to_timedelta(["1h", "2h"]), "duration", "lengths of time in"),
    ([dt.time(1), dt.time(2)], "duration", "times of day"),
    ([None, None], "category", "no values"),
    ([np.nan, np.nan], "number", "no values"),
    (pd.array([None, None], dtype="Int64"), "number", "no values"),
    (pd.to_datetime([None, None]), "datetime", "no values"),
    (pd.array([None, None], dtype="boolean"), "boolean", "no values"),
]


@pytest.mark.parametrize(("values", "kind", "reason"), KINDS)
def test_kinds_and_reasons(values: Any, kind: str, reason: str) -> None:
    column = infer(values)
    assert (column.kind, column.reason[: len(reason)]) == (kind, reason)
    assert column.bounds is column.decimals is None
    assert column.rare


IDS: list[tuple[str, Any]] = [
    ("row", shuffled(1, 500)),
    ("row", shuffled(10_000, 500)),
    ("customer_id", rng().choice(10**9, 30, replace=False)),
    ("CustomerId", rng().choice(10**9, 30, replace=False)),
    ("ID", shuffled(0, 25).astype(float)),
    ("order number", 10**7 + rng().choice(10**7, 50, replace=False)),
    ("key", [str(uuid.UUID(int=each)) for each in range(1, 40)]),
    ("mail", [f"someone.{each}@example.com" for each in range(100)]),
    ("nearly", [f"A-{min(each, 199):05d}" for each in range(201)]),
    ("row", [None, *shuffled(1, 500)]),
]


@pytest.mark.parametrize(("name", "values"), IDS)
def test_identifiers(name: str, values: Any) -> None:
    column = infer(values, name=name)
    assert column.kind == "id", column.reason
    assert "differ" in column.reason


NOT_IDS: list[tuple[str, Any, str]] = [
    ("fnlwgt", rng().choice(10**6, 1000, replace=False), "number"),
    ("year", np.arange(1990, 2020), "number"),
    ("reading", rng().normal(size=500), "number"),
    ("id", np.repeat(np.arange(50), 2), "number"),
    ("id", np.arange(5), "number"),
    ("acid", rng().choice(10**6, 50, replace=False), "number"),
    ("number", rng().choice(10**6, 50, replace=False), "number"),
    ("name", ["x", "y", "z"], "category"),
    ("word", [f"w{each % 60}" for each in range(100)], "category"),
]


@pytest.mark.parametrize(("name", "values", "kind"), NOT_IDS)
def test_measurements_are_no_identifiers(name: str, values: Any, kind: str) -> None:
    assert kind_of(values, name) == kind


def test_long_tables_of_keys_and_measurements() -> None:
    rows = 150_000
    assert kind_of(shuffled(1, rows), "row") == "id"
    assert kind_of(rng().integers(0, rows, rows), "row") == "number"
    assert kind_of(rng().choice(2 * rows, rows, replace=False), "row") == "id"
    assert kind_of(rng().integers(0, 10**9, rows), "salary") == "number"


def test_long_tables_of_keys_with_nulls_are_floats() -> None:
    keys = np.array([np.nan, *shuffled(1, 150_000)])
    assert kind_of(keys, "row") == "id"
    assert kind_of(np.array([np.nan, *rng().integers(0, 150_000, 150_000)]), "row") == "number"


def test_text_that_looks_like_dates_says_so() -> None:
    days = [f"2020-{1 + each // 28:02d}-{1 + each % 28:02d} 10:00" for each in range(200)]
    assert infer(days).kind == "id"
    assert "look like dates" in infer(days).reason
    assert "look like dates" in infer(["2020-01-01", "2020-01-02"]).reason
    assert "dates" not in infer(["2020-01-01", "x"]).reason


def test_long_codes_are_identifiers() -> None:
    assert kind_of([f"{each:0128x}" for each in range(50)]) == "id"


TEXT = [f"the parcel number {each} came late and it was wet" for each in range(60)]


def test_free_text_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"column 'notes' is free text .*\{'notes': 'drop'\}"):
        infer(TEXT, name="notes")
    for kind in ("drop", "category", "id"):
        column = infer(TEXT, {"kind": kind}, name="notes")
        assert (column.kind, column.reason) == (kind, "declared by the user")
    assert kind_of(TEXT[:3] * 20) == "category"


DECLARED: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    ([1, 2], {"kind": "category"}, {"kind": "category"}),
    ([1, 2], {"kind": "category", "levels": (2, 1), "ordered": True}, {"levels": (2, 1)}),
    ([0, 1], {"kind": "boolean"}, {"kind": "boolean", "levels": (0, 1)}),
    ([1.5, 2.5], {"bounds": (0, None), "decimals": 1}, {"bounds": (0.0, None), "decimals": 1}),
    (pd.to_datetime(["2020"]), {"bounds": ("2019-01-01", None)}, {"kind": "datetime"}),
    (
        [dt.date(2020, 1, 1)],
        {"bounds": ("2020-01-01",) * 2},
        {"bounds": (dt.date(2020, 1, 1),) * 2},
    ),
    ([dt.timedelta(hours=1)], {"bounds": (0, 7200)}, {"kind": "duration"}),
    (["a", "b"], {"rare": False}, {"rare": False, "kind": "category"}),
    (["a"], {"kind": "category", "levels": ("b", "a")}, {"levels": ("b", "a"), "ordered": False}),
    ([5, 6], {"kind": "id"}, {"kind": "id", "reason": "declared by the user"}),
    ([None, None], {"kind": "drop"}, {"kind": "drop"}),
    (pd.Categorical(["a"]), {"kind": "id"}, {"kind": "id"}),
    (pd.Categorical([1.5, 2.5]), {"kind": "category", "levels": (1.5, 2.5)}, {"ordered": False}),
]


@pytest.mark.parametrize(("values", "said", "want"), DECLARED)
def test_the_user_decides(values: Any, said: dict[str, Any], want: dict[str, Any]) -> None:
    column = infer(values, said)
    assert {key: getattr(column, key) for key in want} == want
    assert Column.from_dict(column.to_dict()) == column


def test_ordered_categoricals_keep_all_levels() -> None:
    values = pd.Categorical(["low"], categories=["low", "mid", "high"], ordered=True)
    levels = pa.array(["low", "mid", "high"])
    column = infer(values, levels=levels)
    assert (column.levels, column.ordered) == (("low", "mid", "high"), True)
    assert not infer(values, {"ordered": False}, levels=levels).ordered


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (["a"], {"kind": "number"}, "declared number, but holds text .* declare category"),
    ([True], {"kind": "number"}, "declared number, but holds true and false"),
    (pd.Categorical([1]), {"kind": "number"}, "declared number, but holds a categorical"),
    (["2020-01-01"], {"kind": "datetime"}, "declared datetime, but holds text"),
    ([3], {"kind": "duration"}, "declared duration, but holds numbers"),
    ([0, 1, 2], {"kind": "boolean"}, "declared boolean, but holds numbers"),
    (["yes", "no"], {"kind": "boolean"}, "declared boolean, but holds text"),
    ([1.5], {"kind": "id"}, "declared id, but holds numbers"),
    (pd.to_datetime(["2020"]), {"kind": "id"}, "declared id, but holds times"),
    (["a"], {"bounds": (0, 1)}, "bounds belongs to kind number .* taken for category"),
    ([1], {"levels": (1, 2)}, "levels belongs to kind category, but the column was taken for num"),
    ([1], {"bounds": ("a", None)}, "bounds: 'a' is not a value of type int64"),
    ([1, 5, 9, 9], {"bounds": (2, 8)}, "1 rows lie below and 2 above the bounds"),
    ([dt.date(2020, 1, 1)], {"bounds": (None, "2019-01-01")}, "0 rows lie below and 1 above"),
    (pd.to_datetime(["2020"]), {"bounds": ("2021-01-01", "2020-01-01")}, "low <= high"),
    (["a", "b", "c"], {"kind": "category", "levels": ("a",)}, "2 values beyond those .*'b', 'c'"),
    ([1, 2], {"kind": "category", "levels": (1,)}, "1 values beyond those declared: 2"),
    (["a"], {"kind": "category", "levels": (1,)}, "levels: 1 is not a value of type large_string"),
    (["a"], {"kind": "category", "ordered": True}, "expected the levels in their order"),
]


@pytest.mark.parametrize(("values", "said", "words"), REFUSED)
def test_what_does_not_fit_is_refused(values: Any, said: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemaError, match=rf"column 'x': .*{words}"):
        infer(values, said)


def test_reasons_tell_no_values() -> None:
    for values in ([987654, 123456], ["secret"], [dt.date(1987, 6, 5)]):
        shown = infer(values).reason
        assert not any(part in shown for part in ("987654", "123456", "secret", "1987"))
