"""Columns and schemas: JSON round trips, what the user may say, and how it is refused."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan.data.arrow_types import canonical_type, own_value, type_from_text
from synthgan.data.schema import (
    KINDS,
    Column,
    Schema,
    dropped,
    parse_overrides,
    read_overrides,
)
from synthgan.errors import FileFormatError, InputNotFoundError, SchemaError

UNITS = st.sampled_from(["s", "ms", "us", "ns"])
SCALARS = st.one_of(
    st.sampled_from(
        [
            *(pa.null(), pa.bool_(), pa.string(), pa.large_string(), pa.string_view()),
            *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64()),
            *(pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64()),
            *(pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
        ]
    ),
    st.builds(pa.timestamp, UNITS, st.sampled_from([None, "UTC", "Europe/Berlin", "+05:30"])),
    st.builds(pa.duration, UNITS),
    st.builds(pa.decimal128, st.integers(1, 38), st.integers(-5, 10)),
    st.builds(pa.decimal256, st.integers(39, 76), st.integers(0, 10)),
)
TYPES = SCALARS | st.builds(
    pa.dictionary, st.sampled_from([pa.int8(), pa.uint32(), pa.int64()]), SCALARS, st.booleans()
)


@settings(deadline=None)
@given(TYPES)
def test_types_come_back_from_their_text(found: pa.DataType) -> None:
    assert type_from_text(str(found)) == found
    canonical = canonical_type(found)
    assert canonical_type(canonical) == canonical


@pytest.mark.parametrize("text", ["", "int65", "list<item: int64>", "timestamp[h]", "struct<>"])
def test_unknown_type_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name of an Arrow column type"):
        type_from_text(text)


NOON = dt.datetime(2013, 1, 1, 12)
OWN: list[tuple[Any, pa.DataType, Any]] = [
    (3, pa.int64(), 3),
    (np.int8(3), pa.int8(), 3),
    (3.0, pa.int64(), 3),
    (3, pa.float64(), 3.0),
    (np.float32(0.5), pa.float32(), 0.5),
    ("1.20", pa.decimal128(5, 2), Decimal("1.20")),
    ("a", pa.large_string(), "a"),
    (np.True_, pa.bool_(), True),
    ("2013-01-01", pa.date32(), dt.date(2013, 1, 1)),
    (NOON, pa.date32(), dt.date(2013, 1, 1)),
    (np.datetime64("2013-01-01T12"), pa.timestamp("s"), NOON),
    (pd.Timestamp(NOON), pa.timestamp("ns"), NOON),
    (dt.date(2013, 1, 1), pa.timestamp("us"), dt.datetime(2013, 1, 1)),
    ("2013-01-01 12:00", pa.timestamp("ms"), NOON),
    ("2013-01-01T12:00", pa.timestamp("us", "Europe/Berlin"), NOON),
    ("2013-01-01T12:00+01:00", pa.timestamp("us", "+01:00"), NOON),
    (90, pa.duration("ns"), dt.timedelta(seconds=90)),
    (pd.Timedelta("90s"), pa.duration("ns"), dt.timedelta(seconds=90)),
    (np.timedelta64(90, "s"), pa.duration("ns"), dt.timedelta(seconds=90)),
    ("12:30", pa.time64("us"), dt.time(12, 30)),
    ("a", pa.dictionary(pa.int32(), pa.large_string()), "a"),
]


@pytest.mark.parametrize(("value", "found", "own"), OWN)
def test_own_values(value: Any, found: pa.DataType, own: Any) -> None:
    got = own_value(value, found)
    assert (got.replace(tzinfo=None) if isinstance(got, dt.datetime) else got) == own
    assert type(got) is type(own)


def test_a_moment_without_a_zone_is_local() -> None:
    zoned = pa.timestamp("us", "Europe/Berlin")
    assert own_value("2013-07-01", zoned) == dt.datetime(
        2013, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")
    )
    assert own_value("2013-07-01T00:00+00:00", zoned).hour == 2


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *[("3", pa.int64()), (3.5, pa.int64()), (True, pa.int64()), ("x", pa.float64())],
        *[(3, pa.large_string()), (1, pa.bool_()), ("soon", pa.date32()), (3, pa.date32())],
        *[("2013-01-01T00:00+01:00", pa.timestamp("s")), ("x", pa.duration("s"))],
        *[("25:00", pa.time64("us")), ("x", pa.decimal128(5, 2)), (float("nan"), pa.int64())],
    ],
)
def test_foreign_values_are_refused(value: Any, found: pa.DataType) -> None:
    with pytest.raises(ValueError, match="is not a value of type"):
        own_value(value, found)


def columns() -> st.SearchStrategy[Column]:
    text = st.text(max_size=8)
    number = st.floats(allow_nan=False, allow_infinity=False, width=32)
    day = st.dates()
    return st.one_of(
        st.builds(
            Column,
            text,
            st.sampled_from(KINDS),
            st.just("double"),
            text,
            bounds=st.none() | st.tuples(st.none() | number, st.none() | number),
            decimals=st.none() | st.integers(0, 9),
            rare=st.booleans(),
        ),
        st.builds(
            Column,
            text,
            st.just("datetime"),
            st.just("date32[day]"),
            text,
            bounds=st.tuples(day, day),
        ),
        st.builds(
            Column,
            text,
            st.just("category"),
            st.just("dictionary<values=large_string, indices=int32, ordered=1>"),
            text,
            levels=st.lists(text, min_size=1, unique=True).map(tuple),
            ordered=st.booleans(),
        ),
    )


@settings(deadline=None)
@given(st.lists(columns(), max_size=4, unique_by=lambda each: each.name))
def test_schemas_come_back_from_json(made: list[Column]) -> None:
    schema = Schema(tuple(made))
    assert Schema.from_json(schema.to_json()) == schema
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict(), allow_nan=False))) == schema
    assert schema.names == [each.name for each in schema]
    assert len(schema) == len(made)
    assert [schema[each.name] for each in made] == made
    assert [each for each in made if each.kind == "drop"] == [
        each for each in made if each not in schema.kept
    ]


def test_a_schema_cannot_be_changed() -> None:
    schema = Schema((Column("a", "number", "int64", "why"),))
    with pytest.raises(AttributeError):
        schema.columns = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        schema["a"].kind = "id"  # type: ignore[misc]
    with pytest.raises(KeyError):
        schema["b"]
    assert "a" in schema
    assert "b" not in schema


def test_shown_schemas() -> None:
    column = Column("<a\nb>", "number", "int64", "why & how", bounds=(0, None), rare=False)
    schema = Schema((column, Column("c", "drop", "double", "x")))
    assert schema._repr_html_().count("<tr>") == 3
    assert "&lt;a\nb&gt;" in schema._repr_html_()
    assert "bounds: [0, None], rare: False" in schema._repr_html_()
    assert "why &amp; how" in schema._repr_html_()
    assert repr(schema).splitlines() == [
        "Schema of 2 columns",
        r"  '<a\nb>'  number  int64   why & how",
        "  c         drop    double  x",
    ]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"columns": [{"name": "a"}]}', "nonsense"])
def test_unreadable_schemas_are_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="expected"):
        Schema.from_json(text)


NAMES = ["age", "income", "3", "born"]


def test_overrides_in_one_form() -> None:
    said = {
        "age": "number",
        3: {"kind": "category", "levels": ["a", "b"], "ordered": True, "rare": None},
        "born": {"bounds": ("2000-01-01", None)},
        "income": {"rare": False},
    }
    assert parse_overrides(said, NAMES) == {
        "age": {"kind": "number"},
        "3": {"kind": "category", "levels": ("a", "b"), "ordered": True},
        "born": {"bounds": ("2000-01-01", None)},
        "income": {"rare": False},
    }
    assert parse_overrides(None, NAMES) == parse_overrides({}, NAMES) == {}


def test_a_schema_is_an_override() -> None:
    schema = Schema(
        (
            Column("age", "number", "int64", "why", bounds=(0, 120), decimals=0),
            Column("born", "drop", "date32[day]", "why"),
        )
    )
    assert parse_overrides(schema, NAMES) == {
        "age": {"kind": "number", "bounds": (0, 120), "decimals": 0},
        "born": {"kind": "drop"},
    }
    assert dropped(schema) == ["born"]


def test_dropped_columns_are_known_before_the_table() -> None:
    assert dropped({"a": "drop", "b": {"kind": "drop"}, "c": "id", 4: "drop"}) == ["a", "b", "4"]
    assert dropped(None) == dropped("nonsense") == []  # type: ignore[arg-type]


BAD_OVERRIDES: list[tuple[Any, str]] = [
    ({"agee": "number"}, r"column 'agee' is not in the table \(did you mean 'age'\?\)"),
    ({"age": "numbr"}, r"found 'numbr' \(did you mean 'number'\?\)"),
    ({"age": 3}, r"expected a kind or a dict .* found int"),
    ({"age": {"bound": (0, 1)}}, r"unknown key 'bound' \(did you mean 'bounds'\?\)"),
    ({"age": {"kind": None, "bounds": 3}}, r"bounds expected \(low, high\)"),
    ({"age": {"bounds": (1, 2, 3)}}, r"bounds expected \(low, high\)"),
    ({"age": {"bounds": "12"}}, r"bounds expected \(low, high\)"),
    ({"age": {"bounds": (0, float("inf"))}}, r"bounds expected \(low, high\), finite"),
    ({"age": {"bounds": (0, True)}}, r"bounds expected"),
    ({"age": {"bounds": (2, 1)}}, r"expected low <= high"),
    ({"age": {"bounds": (2, "a")}}, r"two values of one sort"),
    ({"age": {"decimals": -1}}, r"whole number from 0 to 15, found -1"),
    ({"age": {"decimals": 1.5}}, r"whole number from 0 to 15"),
    ({"age": {"decimals": True}}, r"whole number from 0 to 15"),
    ({"age": {"levels": "ab"}}, r"levels expected a list"),
    ({"age": {"levels": []}}, r"list of different values"),
    ({"age": {"levels": ["a", "a"]}}, r"list of different values"),
    ({"age": {"levels": ["a", None]}}, r"without null"),
    ({"age": {"levels": [["a"]]}}, r"single values"),
    ({"age": {"ordered": 1}}, r"ordered expected true or false"),
    ({"age": {"rare": "no"}}, r"rare expected true or false"),
    ({"age": {"kind": "category", "bounds": (0, 1)}}, r"bounds belongs to kind number or"),
    ({"age": {"kind": "number", "levels": ["a"]}}, r"levels belongs to kind category"),
    (["age"], r"expected a dict .* found list"),
]


@pytest.mark.parametrize(("said", "words"), BAD_OVERRIDES)
def test_bad_overrides_are_refused(said: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=rf"schema: .*{words}"):
        parse_overrides(said, NAMES)


def test_all_override_problems_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        parse_overrides({"x": "number", "age": {"kind": "nope", "rare": 3}}, NAMES)
    assert str(caught.value).startswith("schema: 3 problems\n- column 'x'")


def test_schema_files(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('\ufeff{"age": {"kind": "number", "bounds": [0, null]}}', encoding="utf-8")
    assert parse_overrides(read_overrides(path), NAMES) == {
        "age": {"kind": "number", "bounds": (0, None)}
    }
    schema = Schema((Column("born", "datetime", "date32[day]", "w", bounds=(None, None)),))
    path.write_text(schema.to_json(), encoding="utf-8")
    assert parse_overrides(read_overrides(path), NAMES) == parse_overrides(schema, NAMES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected JSON"),
        (b"{", "expected JSON"),
        (b"[1]", "expected a JSON object, found list"),
        (b'{"a": "id", "a": "drop"}', "said twice: 'a'"),
        (b"\xff\xfe\x00", "expected UTF-8"),
    ],
)
def test_bad_schema_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "schema.json"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"schema\.json': .*{words}"):
        read_overrides(path)


def test_missing_schema_file(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"nope\.json' does not exist"):
        read_overrides(tmp_path / "nope.json")
