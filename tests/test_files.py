"""Table files: read as what they are, refused as what they are not, written whole or not at all."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from synthgan.data.files import TABLE_SUFFIXES
from synthgan.data.source import check_output, open_source, write_table
from synthgan.errors import (
    FileFormatError,
    InputNotFoundError,
    OutputError,
    OutputExistsError,
    SynthganError,
    TableError,
)

ADULT = Path(__file__).parents[1] / "examples" / "data" / "adult.parquet"

MIXED = pa.table(
    {
        "whole": pa.array([1, None, 3], pa.int64()),
        "real": pa.array([1.5, None, -2.0]),
        "flag": pa.array([True, None, False]),
        "text": pa.array(["a, b", None, 'ü"\n<'], pa.string()),
        "day": pa.array([dt.date(2020, 1, 1), None, dt.date(1999, 12, 31)]),
        "moment": pa.array([dt.datetime(2020, 1, 1, 5), None, None], pa.timestamp("s")),
        "name with,\nodd 年": pa.array([1, 2, 3], pa.int64()),
    }
)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_every_format_comes_home(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix.upper() if suffix == '.csv' else suffix}"
    write_table(MIXED, path)
    source = open_source(path)
    back = source.home.restore(source.table())
    assert back.to_pydict() == MIXED.to_pydict()
    # Parquet has no timestamps in whole seconds.
    wanted = MIXED.schema if suffix != ".parquet" else pq.read_schema(path)
    assert [each.type for each in back.schema] == [each.type for each in wanted]
    assert source.rows == 3
    assert sum(chunk.num_rows for chunk in source.chunks(2)) == 3
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_every_format_writes_every_type(tmp_path: Path, suffix: str) -> None:
    table = pa.table(
        {
            "time": pa.array([dt.time(1, 2, 3), None]),
            "span": pa.array([dt.timedelta(seconds=90), None], pa.duration("us")),
            "sum": pa.array([Decimal("1.20"), None]),
            "level": pa.array(["x", None]).dictionary_encode(),
            "zoned": pa.array([0, None], pa.timestamp("us", "Europe/Berlin")),
            "small": pa.array([1, None], pa.int8()),
            "fine": pa.array([1, None], pa.timestamp("ns")),
            "all null": pa.nulls(2),
        }
    )
    path = tmp_path / f"table{suffix}"
    write_table(table, path)
    back = open_source(path).table()
    assert back.column_names == table.column_names
    assert [column.null_count for column in back.columns] == [1] * 7 + [2]
    if suffix in (".parquet", ".arrow", ".feather"):
        source = open_source(path)
        assert source.home.restore(source.table()).equals(table)


def test_frames_are_written(tmp_path: Path) -> None:
    pandas = pd.DataFrame({"a": [1, 2], 3: ["x", None]}, index=[7, 8])
    for place, frame in enumerate((pandas, pl.from_pandas(pandas.rename(columns=str)))):
        write_table(frame, tmp_path / f"{place}.csv")
        assert (tmp_path / f"{place}.csv").read_text() == '"a","3"\n1,"x"\n2,\n'
    write_table(np.array([[1.5, 2.0]]), tmp_path / "array.csv")
    assert (tmp_path / "array.csv").read_text() == '"x0","x1"\n1.5,2\n'


def test_pandas_dtypes_survive_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None, 3], dtype="Int16"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "c": pd.Categorical(["x", None, "y"], categories=["z", "y", "x"], ordered=True),
            "t": pd.to_datetime(["2020-01-01", None, "2021-01-01"]).tz_localize("Europe/Berlin"),
        },
        index=[5, 6, 7],
    )
    frame.to_parquet(tmp_path / "in.parquet")
    source = open_source(tmp_path / "in.parquet")
    assert source.names == ["n", "b", "c", "t"]
    write_table(source.home.restore(source.table()), tmp_path / "out.parquet")
    back = pd.read_parquet(tmp_path / "out.parquet")
    assert_frame_equal(back, frame.reset_index(drop=True))


def test_a_named_index_is_a_column_of_the_file(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=pd.Index([8, 9], name="k")).to_parquet(tmp_path / "x.parquet")
    assert open_source(tmp_path / "x.parquet").names == ["a", "k"]


def test_large_parquet_is_read_by_chunks(tmp_path: Path) -> None:
    rows = 1_000_000
    table = pa.table({"a": np.arange(rows), "x": np.linspace(0, 1, rows)})
    pq.write_table(table, tmp_path / "big.parquet", row_group_size=50_000)
    source = open_source(tmp_path / "big.parquet")
    before = pa.total_allocated_bytes()
    most = 0
    for chunk in source.chunks(10_000):
        assert chunk.num_rows <= 10_000
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < table.nbytes / 2
    assert source.table().equals(table)


def test_folder_of_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    (folder / "year=2021").mkdir(parents=True)
    (folder / "year=2020").mkdir()
    (folder / "_log").mkdir()
    pq.write_table(pa.table({"a": pa.array([1, 2], pa.int32())}), folder / "year=2020/x.parquet")
    pq.write_table(pa.table({"a": pa.array([3, None])}), folder / "year=2021/y.parquet")
    write(folder / "_log" / "z.parquet", "not a table")
    write(folder / "_SUCCESS", "")
    source = open_source(folder)
    assert source.rows == 4
    assert source.table().to_pydict() == {"a": [1, 2, 3, None], "year": [2020, 2020, 2021, 2021]}
    assert source.schema.field("a").type == pa.int64()


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"holds no \.parquet files"):
        open_source(tmp_path)
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x", "y"]}), tmp_path / "2.parquet")
    with pytest.raises(TableError, match=r"2\.parquet does not fit the files before it"):
        open_source(tmp_path)
    write(tmp_path / "0.parquet", "a,b\n")
    write(tmp_path / "3.parquet", "a,b\n")
    with pytest.raises(FileFormatError, match=r"(?s)2 problems.*0\.parquet.*3\.parquet"):
        open_source(tmp_path)


def test_csv_types_come_from_all_rows(tmp_path: Path) -> None:
    rows = 250_000
    late = {"number": "1.5", "text": "x", "null": "7", "date": "soon"}
    head = "number,text,null,date\n"
    body = "".join(f"{place},{place},,2020-01-01\n" for place in range(rows))
    source = open_source(write(tmp_path / "late.csv", head + body + ",".join(late.values())))
    assert [str(each) for each in source.schema.types] == [
        "double",
        "large_string",
        "int64",
        "large_string",
    ]
    assert source.rows == rows + 1
    last = source.table().slice(rows).to_pylist()[0]
    assert last == {"number": 1.5, "text": "x", "null": 7, "date": "soon"}


def test_csv_flavours(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '\ufeffa;b c;"d;\ne"\r\n1;"x;\ny";\r\n2;NA;2020-01-02\r\n')
    source = open_source(path)
    assert source.table().to_pydict() == {
        "a": [1, 2],
        "b c": ["x;\ny", None],
        "d;\ne": [None, dt.date(2020, 1, 2)],
    }
    quoted = open_source(write(tmp_path / "q.csv", '"n","s"\n"1","a"\n"","b"\n"3","c"\n'))
    assert quoted.table().to_pydict() == {"n": [1, None, 3], "s": ["a", "b", "c"]}


def test_json_lines_types_come_from_all_rows(tmp_path: Path) -> None:
    lines = ['{"a": 1, "d": "2020-01-01"}'] * 50_000 + ['{"a": 2.5, "d": null, "late": "x"}']
    source = open_source(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [str(each) for each in source.schema.types] == ["double", "date32[day]", "large_string"]
    assert source.table()["late"].null_count == 50_000


BAD_FILES: list[tuple[str, str | bytes, type[SynthganError], str]] = [
    ("csv.parquet", "a,b\n1,2\n", FileFormatError, "expected a Parquet file .* found text"),
    ("parquet.csv", ADULT.read_bytes(), FileFormatError, "expected text .* found a Parquet file"),
    ("excel.csv", b"PK\x03\x04rest", FileFormatError, "found a zip archive or an Excel"),
    ("parquet.arrow", ADULT.read_bytes(), FileFormatError, "an Arrow file .* found a Parquet"),
    ("bytes.csv", b"a,b\n\0\0\1", FileFormatError, "found binary data"),
    ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), FileFormatError, "found UTF-16 text"),
    ("cut.parquet", ADULT.read_bytes()[:50_000], FileFormatError, "cannot be read"),
    ("cut.arrow", b"ARROW1\0\0", FileFormatError, "cannot be read"),
    ("empty.csv", "", TableError, "empty file: it holds no columns and no rows"),
    ("empty.parquet", "", TableError, "empty file"),
    ("empty.jsonl", "", TableError, "empty file"),
    ("header.csv", "a,b\n", TableError, "found no rows"),
    ("one.csv", "a,b\n1,2\n", TableError, "found one row"),
    ("blank.csv", "\n\n", SynthganError, "no columns|cannot be read"),
    ("blank.jsonl", "\n", TableError, "no columns"),
    ("twice.csv", "a,a\n1,2\n3,4\n", TableError, "column name 'a' occurs 2 times"),
    ("ragged.csv", "a,b\n1,2\n3\n", FileFormatError, "Expected 2 columns, got 1"),
    ("latin.csv", "a,b\n1,é\n2,é\n".encode("latin-1"), FileFormatError, "UTF-8 .* column 'b'"),
    ("head.csv", "a,é\n1,2\n2,3\n".encode("latin-1"), FileFormatError, "UTF-8"),
    ("inf.csv", "a,b\n1,inf\n2,3\n", TableError, "column 'b' holds infinity in 1 row"),
    ("mixed.jsonl", '{"a": 1}\n{"a": "x"}\n', TableError, "'a' mixes types: number and string"),
    ("nested.jsonl", '{"a": [1]}\n{"a": [2]}\n', TableError, "column 'a' holds nested values"),
    ("array.jsonl", '[{"a": 1}]\n', FileFormatError, "cannot be read"),
    ("text.jsonl", "hello\n", FileFormatError, "cannot be read"),
    ("table.xlsx", "x", FileFormatError, r"found suffix '\.xlsx'"),
    ("table.parqet", "x", FileFormatError, r"did you mean '\.parquet'"),
    ("table", "x", FileFormatError, "found suffix ''"),
]


@pytest.mark.parametrize(("name", "content", "error", "words"), BAD_FILES)
def test_bad_files_are_refused(
    tmp_path: Path, name: str, content: str | bytes, error: type[SynthganError], words: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(error, match=rf"(?s){words}") as caught:
        open_source(path)
    assert name in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nope\.csv' does not exist"):
        open_source(tmp_path / "nope.csv")


def test_damage_found_while_reading_names_the_file(tmp_path: Path) -> None:
    table = pa.table({"a": [str(each) for each in range(50_000)]})
    path = tmp_path / "bad.parquet"
    pq.write_table(table, path, compression="snappy")
    content = bytearray(path.read_bytes())
    content[2_000:40_000] = b"\xff" * 38_000
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"bad\.parquet"):
        open_source(path).table()


def test_dropped_columns_of_a_file_are_not_read(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"a": [[1], [2]], "b": [1.0, np.inf], "c": [1, 2]}), tmp_path / "x.parquet"
    )
    source = open_source(tmp_path / "x.parquet", drop=["a", "b"])
    assert source.table().to_pydict() == {"a": [None, None], "b": [None, None], "c": [1, 2]}


def test_outputs_are_checked_before_any_work(tmp_path: Path) -> None:
    there = write(tmp_path / "there.csv", "old")
    cases: list[tuple[Path, dict[str, Any], type[Exception], str]] = [
        (tmp_path / "no" / "x.csv", {}, OutputError, "folder .* does not exist"),
        (tmp_path, {}, OutputError, "found a folder"),
        (tmp_path / "x.cvs", {"suffixes": TABLE_SUFFIXES}, OutputError, r"did you mean '\.csv'"),
        (there, {}, OutputExistsError, "exists already"),
        (there, {}, FileExistsError, "--force"),
    ]
    for path, options, error, words in cases:
        with pytest.raises(error, match=words):
            check_output(path, **options)
    check_output(there, force=True)
    check_output(tmp_path / "new.model")
    with pytest.raises(OutputExistsError):
        write_table(MIXED, there)
    assert there.read_text() == "old"
    write_table(MIXED, there, force=True)
    assert there.read_text() != "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="not writable"):
        check_output(tmp_path / "x.csv")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    nested = pa.table({"a": [[1], [2]]})
    old = write(tmp_path / "x.csv", "old")
    with pytest.raises(SynthganError, match=r"x\.csv.*cannot be written"):
        write_table(nested, old, force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"]
    assert old.read_text() == "old"
    with pytest.raises(TableError, match="found dict"):
        write_table({"a": [1]}, tmp_path / "y.csv")
    assert not (tmp_path / "y.csv").exists()


def test_adult() -> None:
    source = open_source(ADULT)
    assert (source.rows, len(source.names)) == (32_561, 15)
    assert source.home.restore(source.table()).equals(pq.read_table(ADULT))
