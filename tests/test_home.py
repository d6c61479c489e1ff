"""Tables come home: every dtype, null, level, zone and name as the caller had it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from synthgan.data.home import Home
from synthgan.data.source import Source, open_source

UNITS = ["s", "ms", "us", "ns"]
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "+05:30"]
ROWS = st.integers(2, 12)
ODD_NAMES = ["a b", "line\nbreak", "年齢", "ü'\"<b>", "", " ", "0", "name,with;marks", "😀"]

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))
dates = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))
spans = st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999))
clock = st.times()
decimals = st.decimals(-1000, 1000, places=2)


def whole(dtype: str) -> st.SearchStrategy[int]:
    info = np.iinfo(dtype)
    return st.integers(int(info.min), int(info.max))


def real(width: int) -> st.SearchStrategy[float]:
    return st.floats(width=width, allow_nan=False, allow_infinity=False)


def home_again(source: Source) -> Any:
    """The table back from its canonical form, by a home that went through JSON."""
    plain = json.loads(json.dumps(source.home.to_dict(), allow_nan=False))
    assert Home.from_dict(plain).to_dict() == source.home.to_dict()
    return Home.from_dict(plain).restore(source.table())


SMALL = pa.dictionary(pa.int8(), pa.string())
WHOLE = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    **{name: whole(name) for name in WHOLE},
    **{f"float{width}": real(width) for width in (16, 32, 64)},
    "bool": st.booleans(),
    ">i4": whole("int32"),
    ">f8": real(64),
}
NULLABLE: dict[str, st.SearchStrategy[Any]] = {
    **{name.replace("i", "I").replace("u", "U"): whole(name) for name in WHOLE},
    "Float32": real(32),
    "Float64": real(64),
    "boolean": st.booleans(),
    "str": words,
    "string[python]": words,
    "string[pyarrow]": words,
}
ARROW_TYPES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    *((getattr(pa, name)(), whole(name)) for name in WHOLE),
    (pa.float32(), real(32)),
    (pa.float64(), real(64)),
    (pa.bool_(), st.booleans()),
    (pa.string(), words),
    (pa.large_string(), words),
    (pa.date32(), dates),
    (pa.date64(), dates),
    (pa.time32("s"), clock.map(lambda each: each.replace(microsecond=0))),
    (pa.time64("us"), clock),
    (pa.time64("ns"), clock),
    (pa.decimal128(12, 2), decimals),
    *((pa.timestamp(unit), whole("int32")) for unit in UNITS),
    *((pa.timestamp("us", zone), whole("int32")) for zone in ZONES),
    *((pa.duration(unit), whole("int32")) for unit in UNITS),
]
OBJECTS: list[st.SearchStrategy[Any]] = [
    *(words, st.booleans(), whole("int64"), real(64), dates, moments, spans, clock, decimals),
    st.datetimes(timezones=st.just(ZoneInfo("Asia/Kathmandu")), min_value=dt.datetime(1990, 1, 1)),
    moments.map(pd.Timestamp),
    spans.map(pd.Timedelta),
]


@st.composite
def values_of(draw: st.DrawFn, each: st.SearchStrategy[Any], rows: int, null: Any) -> list[Any]:
    return draw(st.lists(each | st.just(null), min_size=rows, max_size=rows))


@st.composite
def moment_series(draw: st.DrawFn, rows: int) -> pd.Series:
    unit = draw(st.sampled_from(UNITS))
    ticks = draw(st.lists(whole("int32"), min_size=rows, max_size=rows))
    gone = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    kind = draw(st.sampled_from(["datetime64", "timedelta64"]))
    series = pd.Series(np.array(ticks).astype(f"{kind}[{unit}]")).mask(gone)
    if kind == "datetime64" and draw(st.booleans()):
        series = series.dt.tz_localize("UTC").dt.tz_convert(draw(st.sampled_from(ZONES)))
    return series


@st.composite
def categorical_series(draw: st.DrawFn, rows: int) -> pd.Series:
    each = draw(st.sampled_from([words, whole("int16"), real(32), st.booleans(), moments]))
    levels = draw(st.lists(each, min_size=1, max_size=6, unique=True))
    codes = draw(st.lists(st.integers(-1, len(levels) - 1), min_size=rows, max_size=rows))
    dtype = pd.CategoricalDtype(levels, ordered=draw(st.booleans()))
    return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))


@st.composite
def pandas_series(draw: st.DrawFn, rows: int) -> pd.Series:
    sort = draw(st.sampled_from(["plain", "nullable", "arrow", "object", "moment", "category"]))
    if sort == "plain":
        name = draw(st.sampled_from(sorted(PLAIN)))
        null = float("nan") if "f" in name else 0
        return pd.Series(np.array(draw(values_of(PLAIN[name], rows, null)), dtype=name))
    if sort == "nullable":
        name = draw(st.sampled_from(sorted(NULLABLE)))
        return pd.Series(draw(values_of(NULLABLE[name], rows, None)), dtype=name)
    if sort == "arrow":
        kind, each = draw(st.sampled_from(ARROW_TYPES))
        array = pa.array(draw(values_of(each, rows, None)), type=kind)
        return pd.Series(pd.arrays.ArrowExtensionArray(array))
    if sort == "object":
        each = draw(st.sampled_from(OBJECTS))
        null = draw(st.sampled_from([None, float("nan"), pd.NA, pd.NaT]))
        return pd.Series(draw(values_of(each, rows, null)), dtype=object)
    return draw(moment_series(rows) if sort == "moment" else categorical_series(rows))


@st.composite
def pandas_frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(ROWS)
    label = st.sampled_from(ODD_NAMES) | st.integers(1, 9) | words
    labels = draw(st.lists(label, min_size=1, max_size=5, unique_by=str))
    frame = pd.DataFrame({place: draw(pandas_series(rows)) for place in range(len(labels))})
    frame.columns = pd.Index(labels, name=draw(st.sampled_from([None, "field"])))
    return frame


def same_objects(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """Python objects are of the same type, and nulls are the same null."""
    for place in range(left.shape[1]):
        if left.iloc[:, place].dtype == object:
            pairs = zip(left.iloc[:, place], right.iloc[:, place], strict=True)
            assert all(type(a) is type(b) or isinstance(b, dt.datetime) for a, b in pairs)


@settings(deadline=None, max_examples=150)
@given(pandas_frames(), st.integers(1, 5))
def test_pandas_comes_home(frame: pd.DataFrame, step: int) -> None:
    shuffled = frame.set_axis(np.arange(len(frame))[::-1] * 3)
    source = open_source(shuffled)
    back = home_again(source)
    assert_frame_equal(back, frame, check_exact=True, check_freq=False)
    same_objects(back, frame)
    assert pa.concat_tables(source.chunks(step)).equals(source.table())
    kept = source.home.restore(source.table(), index=shuffled.index)
    assert_frame_equal(kept, shuffled, check_exact=True)


POLARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    *((getattr(pl, name.replace("i", "I").replace("uI", "UI")), whole(name)) for name in WHOLE),
    (pl.Float32, real(32)),
    (pl.Float64, real(64)),
    (pl.Boolean, st.booleans()),
    (pl.String, words),
    (pl.Date, dates),
    (pl.Time, clock),
    (pl.Decimal(12, 2), decimals),
    (pl.Null, st.none()),
    (pl.Categorical, st.sampled_from(["x", "y", "ü"])),
    (pl.Enum(["y", "x", "unused"]), st.sampled_from(["x", "y"])),
    *((pl.Datetime(unit), moments) for unit in UNITS[1:]),
    (pl.Datetime("us", "Europe/Berlin"), whole("int32")),
    *((pl.Duration(unit), spans) for unit in UNITS[1:]),
]


@st.composite
def polars_frames(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(ROWS)
    labels = draw(st.lists(st.sampled_from(ODD_NAMES) | words, min_size=1, unique=True, max_size=5))
    made = []
    for label in labels:
        dtype, each = draw(st.sampled_from(POLARS))
        made.append(pl.Series(label, draw(values_of(each, rows, None)), dtype=dtype, strict=False))
    return pl.DataFrame(made)


@settings(deadline=None, max_examples=150)
@given(polars_frames())
def test_polars_comes_home(frame: pl.DataFrame) -> None:
    back = home_again(open_source(frame))
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)


@st.composite
def arrow_tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(ROWS)
    labels = draw(st.lists(st.sampled_from(ODD_NAMES) | words, min_size=1, unique=True, max_size=5))
    arrays, fields = [], []
    for label in labels:
        kind, each = draw(st.sampled_from(ARROW_TYPES))
        array = pa.array(draw(values_of(each, rows, None)), type=kind)
        sort = draw(st.sampled_from(["plain", "dictionary", "ordered", "chunked", "ends"]))
        if sort in ("dictionary", "ordered"):
            array = array.dictionary_encode().cast(pa.dictionary(pa.int8(), kind))
            array = pa.DictionaryArray.from_arrays(
                array.indices, array.dictionary, ordered=sort == "ordered"
            )
        if sort == "chunked":
            array = pa.chunked_array([array.slice(0, 1), array.slice(1)])
        arrays.append(array)
        fields.append(pa.field(label, array.type, nullable=array.null_count > 0))
    return pa.table(arrays, schema=pa.schema(fields))


@settings(deadline=None, max_examples=150)
@given(arrow_tables())
def test_arrow_comes_home(table: pa.Table) -> None:
    back = home_again(open_source(table))
    assert back.schema == table.schema
    assert back.to_pydict() == table.to_pydict()


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_arrays_come_home(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PLAIN)))
    shape = data.draw(st.tuples(ROWS, st.integers(1, 4)))
    cells = data.draw(values_of(PLAIN[name], shape[0] * shape[1], 0))
    values = np.array(cells, dtype=name).reshape(shape)
    back = home_again(open_source(values))
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1.5, "a"], [None, "b"]], dtype=object),
        np.array([["a", "bb"], ["c", "d"]]),
        np.array([["2020-01-01"], ["2021-02-03"]], dtype="datetime64[D]"),
        np.array([[1], [2]], dtype="timedelta64[ms]"),
        np.array([[1.5, np.nan], [2.5, 3.5]], dtype=np.longdouble),
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.arange(12.0).reshape(3, 4)[:, ::2],
    ],
)
def test_other_arrays_come_home(values: np.ndarray) -> None:
    source = open_source(values)
    assert source.names == [f"x{place}" for place in range(values.shape[1])]
    back = home_again(source)
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


def test_lists_of_rows_are_arrays() -> None:
    back = home_again(open_source([[1, 2.5], [3, 4.5]]))
    np.testing.assert_array_equal(back, np.array([[1.0, 2.5], [3.0, 4.5]]))
    mixed = open_source([[1, "a"], [2, "b"]])
    assert mixed.schema == pa.schema({"x0": pa.int64(), "x1": pa.large_string()})
    assert home_again(mixed).tolist() == [[1, "a"], [2, "b"]]


@pytest.mark.parametrize(
    "levels",
    [
        [dt.date(2020, 1, 1), dt.date(2019, 1, 1)],
        [Decimal("1.20"), Decimal("-3.00")],
        [dt.timedelta(1), dt.timedelta(2)],
        [dt.time(1), dt.time(2)],
    ],
)
def test_levels_of_any_sort_come_home(levels: list[Any]) -> None:
    dtype = pd.CategoricalDtype(pd.Index(levels, dtype=object), ordered=True)
    frame = pd.DataFrame({"c": pd.Series(levels[:1] * 2, dtype=dtype)})
    assert_frame_equal(home_again(open_source(frame)), frame)


def test_dictionary_types_at_home_have_room_for_new_levels() -> None:
    table = pa.table({"c": pa.array(["a", "b"]).dictionary_encode().cast(SMALL)})
    home = open_source(table).home
    few = home.restore(pa.table({"c": pa.array(["c", None], pa.large_string())}))
    assert few.schema.field("c").type == SMALL
    many = home.restore(pa.table({"c": pa.array(map(str, range(200)), pa.large_string())}))
    assert many.schema.field("c").type == pa.dictionary(pa.int32(), pa.string())
    assert many["c"].to_pylist() == [str(each) for each in range(200)]


def test_empty_arrow_tables_come_home() -> None:
    table = pa.table({"c": pa.chunked_array([], SMALL), "t": pa.chunked_array([], pa.string())})
    source = open_source(table, min_rows=0)
    assert home_again(source).schema == table.schema
    assert home_again(source).num_rows == 0


@pytest.mark.parametrize("null", [float("nan"), None])
@pytest.mark.parametrize("make", [pl.DataFrame, pa.table])
def test_nan_is_missing_and_comes_home(make: Any, null: float | None) -> None:
    cells = [1.0, null, 3.0]
    frame = make({"a": cells})
    source = open_source(frame)
    assert source.table()["a"].null_count == 1
    back = home_again(source)["a"].to_pylist() if make is pa.table else home_again(source)["a"]
    assert [type(each) for each in back] == [type(each) for each in cells]


def test_nulls_that_were_not_there_widen() -> None:
    frame = pd.DataFrame(
        {"i": np.array([1, 2], "int8"), "b": [True, False], "d": pd.to_datetime(["2020", "2021"])}
    )
    source = open_source(frame)
    back = source.home.restore(source.table().take(pa.array([1, None])))
    assert back.dtypes.astype(str).tolist() == ["float64", "object", str(frame["d"].dtype)]
    assert back.isna().sum().tolist() == [1, 1, 1]
    array = open_source(np.array([[1], [2]]))
    wide = array.home.restore(array.table().take(pa.array([0, None])))
    assert wide.dtype == np.float64


def test_empty_tables_keep_their_types() -> None:
    frame = pd.DataFrame({"i": [1, 2], "c": pd.Categorical(["a", "b"]), "s": ["x", None]})
    source = open_source(frame)
    back = source.home.restore(source.schema.empty_table())
    assert back.dtypes.tolist() == frame.dtypes.tolist()
    assert len(back) == 0
    assert open_source(frame.iloc[:0], min_rows=0).table().num_rows == 0
    assert home_again(open_source(np.empty((0, 2)), min_rows=0)).shape == (0, 2)


def test_order_and_subset_of_columns() -> None:
    frame = pd.DataFrame({3: [1, 2], "z": [3, 4], "a": [5, 6]})
    source = open_source(frame)
    back = source.home.restore(source.table().select(["a", "3"]))
    assert list(back.columns) == [3, "a"]


def test_hidden_levels_leave_the_home() -> None:
    dtype = pd.CategoricalDtype(["common", "rare", "unused"])
    source = open_source(pd.DataFrame({"c": pd.Series(["common", "rare"], dtype=dtype)}))
    home = source.home.keep_levels({"c": pa.array(["common"])})
    assert "rare" not in json.dumps(home.to_dict())
    back = home.restore(source.table().slice(0, 1))
    assert back["c"].cat.categories.tolist() == ["common", "unused"]
    made_anew = home.restore(pa.table({"c": pa.array(["other"], pa.large_string())}))
    assert made_anew["c"].tolist() == ["other"]
