"""Tables in memory: checked, all problems at once, and made canonical."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from synthgan.data.source import Source, open_source
from synthgan.errors import SynthganError, TableError


def home_again(source: Source) -> Any:
    return source.home.restore(source.table())


def test_canonical_types() -> None:
    table = pa.table(
        {
            "text": pa.array(["a", None], pa.string_view()),
            "half": pa.array([1.5, None], pa.float16()),
            "time": pa.array([1, None], pa.time32("ms")),
            "day": pa.array([dt.date(2020, 1, 1), None], pa.date64()),
            "sum": pa.array([Decimal("1.25"), None], pa.decimal256(40, 2)),
            "none": pa.nulls(2),
            "codes": pa.array(["a", None]).dictionary_encode(),
        }
    )
    source = open_source(table)
    assert [str(each) for each in source.schema.types] == [
        "large_string",
        "float",
        "time64[us]",
        "date32[day]",
        "decimal128(38, 2)",
        "large_string",
        "dictionary<values=large_string, indices=int32, ordered=0>",
    ]
    assert home_again(source).schema.equals(table.schema)


def test_odd_encodings_are_read_as_their_values() -> None:
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(["a", "b"]))
    twice = pa.DictionaryArray.from_arrays([0, 1, 2], pa.array(["x", "x", None]))
    batch = pa.RecordBatch.from_arrays([runs, twice], ["runs", "twice"])
    source = open_source(batch)
    assert source.table().to_pydict() == {"runs": ["a", "a", "b"], "twice": ["x", "x", None]}
    assert source.table()["twice"].chunk(0).dictionary.to_pylist() == ["x"]
    assert source.schema.field("runs").type == pa.large_string()


def test_decimals_beyond_38_digits_are_refused() -> None:
    wide = pa.array([Decimal(10) ** 50, Decimal(1)], pa.decimal256(60, 0))
    with pytest.raises(TableError, match=r"column 'a' holds values beyond decimal128\(38, 0\)"):
        open_source(pa.table({"a": wide}))


def test_the_index_is_ignored() -> None:
    plain = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    indexed = plain.set_axis(pd.MultiIndex.from_tuples([(1, "p"), (2, "q"), (3, "r")]))
    assert open_source(indexed).table().equals(open_source(plain).table())
    assert_frame_equal(home_again(open_source(indexed)), plain)


def test_pandas_index_inside_an_arrow_table_is_ignored() -> None:
    frame = pd.DataFrame({"a": [1, None, 3]}, index=[7, 8, 9], dtype="Int64")
    source = open_source(pa.Table.from_pandas(frame))
    assert source.names == ["a"]
    assert_frame_equal(home_again(source).to_pandas(), frame.reset_index(drop=True))


def test_ordered_levels_are_in_every_chunk() -> None:
    small = pa.DictionaryArray.from_arrays([0, 1], ["low", "mid"], ordered=True)
    large = pa.DictionaryArray.from_arrays([0, 0], ["high"], ordered=True)
    source = open_source(pa.table({"size": pa.chunked_array([small, large])}))
    for chunk in source.chunks(1):
        assert chunk["size"].chunk(0).dictionary.to_pylist() == ["low", "mid", "high"]
    assert source.table()["size"].to_pylist() == ["low", "mid", "high", "high"]


def test_cast_to_the_types_of_another_table() -> None:
    fitted = open_source(pd.DataFrame({"n": [1, 2], "s": ["a", "b"], "f": [1.5, 2.5]}))
    types = dict(zip(fitted.schema.names, fitted.schema.types, strict=True))
    rows = open_source(pd.DataFrame({"s": [None, None], "n": [1.0, np.nan]}))
    got = rows.cast(types, partial=True)
    assert got.table().to_pydict() == {"n": [1, None], "s": [None, None]}
    assert got.schema == pa.schema({"n": pa.int64(), "s": pa.large_string()})
    with pytest.raises(TableError, match=r"missing: 'f'"):
        rows.cast(types)
    bad = open_source(pd.DataFrame({"n": [1.5, 2.5], "nn": [1, 2], "s": ["a", "b"]}))
    with pytest.raises(TableError, match=r"'nn' is unknown to the model \(did you mean 'n'"):
        bad.cast(types, partial=True)
    with pytest.raises(TableError, match=r"column 'n': expected int64, found double: Float value"):
        bad.cast({"n": pa.int64(), "nn": pa.int64(), "s": pa.large_string()})


def test_cast_into_categories() -> None:
    fitted = open_source(pd.DataFrame({"c": pd.Categorical(["a", "b"])}))
    rows = open_source(pd.DataFrame({"c": ["b", "new"]})).cast({"c": fitted.schema.field(0).type})
    assert rows.table()["c"].to_pylist() == ["b", "new"]


NULLS = [None, None]
DAY = dt.date(2020, 1, 1)
CASTS: list[tuple[list[Any], pa.DataType, list[Any] | str]] = [
    (NULLS, pa.duration("s"), NULLS),
    (NULLS, pa.decimal128(5, 2), NULLS),
    (NULLS, pa.dictionary(pa.int32(), pa.large_string()), NULLS),
    ([1.0, None], pa.int8(), [1, None]),
    ([1, 300], pa.int8(), "not in range"),
    ([1, 2], pa.large_string(), ["1", "2"]),
    ([1.5, 2.5], pa.large_string(), "a number cannot be taken for text"),
    (["1", "2"], pa.int64(), "text cannot be taken for a number"),
    ([True, False], pa.int64(), "true or false cannot be taken for a number"),
    ([DAY, None], pa.timestamp("us"), [dt.datetime(2020, 1, 1), None]),
    ([dt.datetime(2020, 1, 1), None], pa.date32(), [DAY, None]),
    ([dt.datetime(2020, 1, 1, 5), None], pa.date32(), "time of day are no dates"),
    ([dt.datetime(2020, 1, 1)] * 2, pa.timestamp("us", "UTC"), "with a time zone"),
]


@pytest.mark.parametrize(("values", "target", "want"), CASTS)
def test_casts(values: list[Any], target: pa.DataType, want: list[Any] | str) -> None:
    source = open_source(pa.table({"a": values}))
    if isinstance(want, str):
        with pytest.raises(TableError, match=f"column 'a': expected .*{want}"):
            source.cast({"a": target})
    else:
        got = source.cast({"a": target}).table()["a"]
        assert (got.type, got.to_pylist()) == (target, want)


BAD: list[tuple[Any, str]] = [
    (pd.DataFrame({"a": []}), r"expected at least 2 rows, found no rows"),
    (pd.DataFrame({"a": [1]}), r"found one row \(1 sample\)"),
    (pd.DataFrame(index=[1, 2]), r"no columns"),
    (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), r"column name 'a' occurs 2 times"),
    (pd.DataFrame([[1, 2], [3, 4]], columns=[1, "1"]), r"column name '1' occurs 2 times"),
    (pd.DataFrame([[1], [3]], columns=[1.5]), r"column name 1.5 is float"),
    (pd.DataFrame([[1], [3]], columns=[("a", "b")]), r"column name \('a', 'b'\) is tuple"),
    (pd.DataFrame([[1], [3]], columns=[True]), r"column name True is bool"),
    (pd.DataFrame({"a": [np.inf, 1]}), r"column 'a' holds infinity in 1 row;"),
    (pl.DataFrame({"a": [-np.inf, np.inf]}), r"column 'a' holds infinity in 2 rows"),
    (np.array([[np.inf, 1], [1, 1]]), r"column 'x0' holds infinity"),
    (pd.DataFrame({"a": [1, "x"]}), r"column 'a' mixes types: int \(1 row.*str \(1 row"),
    (pd.DataFrame({"a": [True, 1]}, dtype=object), r"column 'a' mixes types"),
    (pd.DataFrame({"a": [b"x", b"y"]}), r"column 'a' holds binary values"),
    (pd.DataFrame({"a": [[1], [2]]}), r"column 'a' holds nested values \(list\)"),
    (pd.DataFrame({"a": [{"k": 1}, {}]}), r"column 'a' holds nested values \(dict\)"),
    (pd.DataFrame({"a": [object(), object()]}), r"Python objects of type object"),
    (pd.DataFrame({"a": [1 + 1j, 2]}), r"Complex data not supported"),
    (pd.DataFrame({"a": [2**70, 1]}, dtype=object), r"whole numbers beyond 64 bits"),
    (pd.DataFrame({"a": ["\ud800", "x"]}, dtype=object), r"not valid Unicode"),
    (pd.DataFrame({"a": pd.period_range("2020", periods=2)}), r"\.dt\.to_timestamp"),
    (pd.DataFrame({"a": pd.interval_range(0, 2)}), r"\.astype\(str\)"),
    (pd.DataFrame({"a": pd.cut([1, 2], 2)}), r"column 'a' holds intervals"),
    (pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), r"column 'a' is sparse"),
    (pl.DataFrame({"a": [[1], [2]]}), r"column 'a' holds nested values \(.*list"),
    (pl.DataFrame({"a": [b"x", b"y"]}), r"column 'a' holds binary values"),
    (pl.DataFrame({"a": pl.Series([1, 2], dtype=pl.Int128)}), r"values of type Int128"),
    (pa.table({"a": [{"k": 1}, {"k": 2}]}), r"column 'a' holds nested values \(struct"),
    (pa.table({"a": pa.array([b"x", b"y"]).dictionary_encode()}), r"column 'a' holds binary"),
    (np.array([["2020"], ["2021"]], dtype="M8[Y]"), r"'x0' holds values that Arrow cannot hold"),
    (pd.DataFrame({"a": [Decimal("1e40"), Decimal("1e-40")]}), r"values that Arrow cannot hold"),
    (pd.DataFrame({"a": pd.Categorical([b"x", b"y"])}), r"column 'a' holds binary"),
    (pd.DataFrame({"a": [Decimal("Infinity"), Decimal(1)]}), r"column 'a' holds infinity"),
    (pd.DataFrame({"a": pd.Categorical([np.inf, 1.0])}), r"column 'a' holds infinity in 1 row"),
    (pd.DataFrame({"a": [dt.time(1, tzinfo=dt.UTC)] * 2}), r"times of day with a time zone"),
    (pa.table([[1, 2], [3, 4]], names=["a", "a"]), r"column name 'a' occurs 2 times"),
    (pa.table({"a": pa.array([b"ab", b"cd"], pa.binary(2))}), r"holds binary values"),
    (np.zeros(3), r"Expected 2D array, got 1D array instead"),
    (np.zeros((2, 2, 2)), r"got 3D array"),
    (np.zeros((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required"),
    (np.zeros((0, 3)), r"no rows \(0 samples\)"),
    (np.zeros((1, 3)), r"1 sample"),
    (np.array([[1 + 1j], [2]]), r"Complex data not supported"),
    (np.zeros((2, 1), dtype="V4"), r"expected an array of numbers, found dtype"),
    (np.ma.masked_array([[1.0], [2.0]]), r"masked"),
    ([[1, 2], [3]], r"rows of equal length"),
    ({"a": [1, 2]}, r"expected a pandas, polars or pyarrow table.*found dict"),
    (pd.Series([1, 2]), r"found Series"),
    (pl.DataFrame({"a": [1, 2]}).lazy(), r"found LazyFrame"),
    (None, r"found NoneType"),
    (3, r"found int"),
]


@pytest.mark.parametrize(("table", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_tables_are_refused(table: Any, words: str) -> None:
    with pytest.raises(TableError, match=words):
        open_source(table)


def test_sparse_matrices_are_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TableError, match="sparse"):
        open_source(sparse.csr_matrix(np.eye(3)))


def test_all_problems_are_said_at_once() -> None:
    frame = pd.DataFrame(
        {"a": [np.inf], "b": [-np.inf], "c": [[1]], "d": pd.Series([b"x"]), "ok": [1]}
    )
    with pytest.raises(TableError) as caught:
        open_source(frame, where="the training table")
    message = str(caught.value)
    assert message.startswith("the training table: 5 problems\n")
    for part in (
        "at least 2 rows",
        "'a' holds infinity",
        "'b' holds inf",
        "'c' holds",
        "'d' holds",
    ):
        assert part in message
    assert "'ok'" not in message


def test_errors_are_the_builtin_too() -> None:
    with pytest.raises(ValueError, match="no rows") as caught:
        open_source(np.zeros((0, 1)))
    assert isinstance(caught.value, SynthganError)


def test_dropped_columns_are_not_looked_at() -> None:
    frame = pd.DataFrame({"bad": [[1], [2]], "inf": [np.inf, 1], "ok": [1, 2]})
    for table in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        source = open_source(table, drop=["bad", "inf"])
        assert source.names == ["bad", "inf", "ok"]
        chunk = next(source.chunks())
        assert chunk["bad"].null_count == chunk["inf"].null_count == 2
        assert chunk["ok"].to_pylist() == [1, 2]
    back = source.home.restore(source.table().select(["ok"]))
    assert back.column_names == ["ok"]
    everything = open_source(frame, drop=list(frame.columns))
    assert everything.rows == sum(chunk.num_rows for chunk in everything.chunks(1)) == 2


def test_reading_files_loads_neither_polars_nor_torch(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,x\n2,y\n")
    code = (
        "import sys; from synthgan.data.source import open_source; source = open_source('a.csv');"
        "source.home.restore(source.table());"
        "print([name for name in ('polars', 'torch') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[]\n"


def test_mixed_zones_are_refused() -> None:
    aware = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    frame = pd.DataFrame({"a": pd.Series([aware, dt.datetime(2020, 1, 1)], dtype=object)})
    with pytest.raises(TableError, match="mixes time zones"):
        open_source(frame)


def test_the_caller_s_table_is_not_touched() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": pd.Categorical(["x", None])})
    before = frame.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = home_again(open_source(frame))
        back.loc[0, "a"] = 99.0
    assert_frame_equal(frame, before)
