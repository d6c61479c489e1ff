"""Columns that others determine: found without chance, kept exactly, conditioned and completed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import SynthGAN
from synthgan.cli.info import describe_data
from synthgan.data import blocks, dependencies
from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.overrides import read_overrides
from synthgan.errors import ConditionError, SchemaError

TEXT = pa.large_string()
Follows = dict[str, str]


def related(table: pa.Table, **said: Any) -> TableCodec:
    return TableCodec.fit([table], **said).relate([table])


def follows(codec: TableCodec) -> Follows:
    return {relation.child: relation.parent for relation in codec.relations}


def drawn(
    codec: TableCodec, rows: int = 2_000, where: dict[str, Any] | None = None, seed: int = 0
) -> pa.Table:
    """What comes out of codes that no network has seen: any of each, all alike."""
    rng = np.random.default_rng(seed)
    sizes = codec.layout.choice_sizes
    codes = (rng.random((rows, len(sizes))) * sizes).astype(np.int32)
    scalars = rng.uniform(-1, 1, (rows, codec.layout.n_scalars)).astype(np.float32)
    return codec.decode(EncodedMatrix(codes, scalars), rng, where=where)


def pairs(table: pa.Table, parent: str, child: str) -> set[tuple[Any, Any]]:
    rows = zip(table[parent].to_pylist(), table[child].to_pylist(), strict=True)
    return {(str(one), str(two)) for one, two in rows}


def rentals(rows: int = 4_000) -> pa.Table:
    """Hours of days, as rental companies count them: much is a function of the date."""
    rng = np.random.default_rng(5)
    day = np.sort(rng.integers(0, 180, rows))
    date = [dt.date(2011, 1, 1) + dt.timedelta(int(number)) for number in day]
    weekday = np.array([each.weekday() for each in date])
    return pa.table(
        {
            "season": pa.array(["winter", "spring"]).take(pa.array(day // 90)).cast(TEXT),
            "date": pa.array(date),
            "month": [each.month for each in date],
            "weekday": weekday.astype(np.int8),
            "workday": pa.array(weekday < 5),
            "hour": rng.integers(0, 24, rows),
            "riders": rng.poisson(30, rows),
        }
    )


def schools(rows: int = 900) -> pa.Table:
    """A degree and its number determine each other; the title is missing for one degree."""
    rng = np.random.default_rng(2)
    number = rng.choice([9, 10, 13, 14], rows, p=[0.4, 0.3, 0.2, 0.1])
    names = {9: "school", 10: "college", 13: "bachelor", 14: "master"}
    titles = {9: None, 10: None, 13: "B.", 14: "M."}
    return pa.table(
        {
            "age": rng.integers(18, 80, rows),
            "degree": pa.array([names[each] for each in number], TEXT).dictionary_encode(),
            "number": pa.array(number.astype(np.float32)),
            "title": pa.array([titles[each] for each in number], TEXT),
        }
    )


# finding


def test_a_bijection_keeps_its_first_column() -> None:
    assert follows(related(schools())) == {"number": "degree", "title": "degree"}
    other_way = schools().select(["title", "number", "degree", "age"])
    assert follows(related(other_way)) == {"title": "number", "degree": "number"}


def test_the_finest_parent_carries_them_all() -> None:
    expected = {"season": "date", "month": "date", "weekday": "date", "workday": "date"}
    codec = related(rentals())
    assert follows(codec) == expected
    # no network sees a weekday in one number for the date: such children keep their codes
    assert codec.layout == TableCodec.fit([rentals()]).layout


def test_chains_end_at_one_parent() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 40, 1_000)
    table = pa.table({"c": a // 20, "b": a // 4, "a": a, "d": rng.integers(0, 3, 1_000)})
    assert follows(related(table)) == {"c": "a", "b": "a"}


def test_a_chain_is_as_sure_as_its_links() -> None:
    """Of 35 rows in groups of 5 or 6, a and c alone might agree by chance; a and b, b and c not."""
    a = np.repeat(np.arange(6), [5, 6, 6, 6, 6, 6])
    table = pa.table({"a": a, "b": np.array([0, 0, 0, 1, 1, 2])[a], "c": a // 3})
    assert follows(related(table.select(["a", "c"]))) == {}
    assert follows(related(table)) == {"b": "a", "c": "a"}


def test_doubled_rows_are_no_relation() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.normal(size=300), "b": rng.integers(0, 90, 300)})
    table = pa.concat_tables([table, table])
    assert follows(related(table, rare_threshold=1)) == {}


def test_one_exception_is_enough() -> None:
    table = schools()
    number = table["number"].to_numpy().copy()
    number[-1] = 9 if number[-1] != 9 else 10
    table = table.set_column(2, "number", pa.array(number)).drop_columns(["title"])
    assert follows(related(table)) == {}


def test_a_missing_value_is_a_value() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 5, 500)
    parent = pa.array(a, mask=a == 4)
    table = pa.table({"a": parent, "b": pa.array(a % 2 == 0, mask=a == 1)})
    codec = related(table)
    assert follows(codec) == {"b": "a"}
    assert pairs(drawn(codec), "a", "b") == pairs(table, "a", "b")
    # the same without a value of its own for missing
    broken = pa.array([None if at == 7 else each for at, each in enumerate(table["b"].to_pylist())])
    assert follows(related(table.set_column(1, "b", broken))) == {}


def test_a_constant_is_no_relation() -> None:
    table = pa.table({"a": [1, 2, 3] * 100, "b": ["x"] * 300, "c": pa.nulls(300, pa.float64())})
    assert follows(related(table)) == {}


def test_identifiers_have_no_part() -> None:
    key = [f"K{number}" for number in range(400)]
    table = pa.table({"key": key, "half": [number % 2 for number in range(400)]})
    assert follows(related(table)) == {}


SKEWS: list[Callable[[np.random.Generator, int], np.ndarray]] = [
    lambda rng, rows: rng.integers(0, 2, rows),
    lambda rng, rows: rng.integers(0, 300, rows),
    lambda rng, rows: (rng.random(rows) < 0.01).astype(int),
    lambda rng, rows: rng.geometric(0.7, rows),
    lambda rng, rows: np.where(rng.random(rows) < 0.03, rng.integers(0, 90, rows), -1),
    lambda rng, rows: rng.zipf(1.5, rows).clip(max=10**6),
    lambda rng, rows: rng.normal(size=rows).round(1),
]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6),
    st.integers(5, 400),
    st.lists(st.sampled_from(range(len(SKEWS))), min_size=2, max_size=7),
    st.sampled_from([1, 2, 5]),
)
def test_nothing_is_found_in_independent_columns(
    seed: int, rows: int, skews: list[int], rare_threshold: int
) -> None:
    rng = np.random.default_rng(seed)
    table = pa.table({f"c{at}": SKEWS[skew](rng, rows) for at, skew in enumerate(skews)})
    said = {name: {"kind": "number"} for name in table.column_names}
    assert follows(related(table, overrides=said, rare_threshold=rare_threshold)) == {}


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10**6),
    st.integers(3, 30),
    st.integers(2, 6),
    st.sampled_from(["int", "text", "date", "float", "bool"]),
    st.lists(st.integers(0, 10**6), max_size=3),
    st.booleans(),
)
def test_a_planted_relation_is_found_and_kept(
    seed: int, values: int, images: int, kind: str, cuts: list[int], holes: bool
) -> None:
    rng = np.random.default_rng(seed)
    rows = 600
    a = rng.integers(0, values, rows)
    image = np.append(np.arange(images), rng.integers(0, images, values))[:values]
    b = image[a] % 2 if kind == "bool" else image[a]
    mask = (b == 1) & holes
    made = {
        "int": lambda: pa.array(b * 3, mask=mask),
        "text": lambda: pa.array([f"t{each}" for each in b], TEXT, mask=mask),
        "date": lambda: pa.array(b.astype(np.int32), pa.date32(), mask=mask),
        "float": lambda: pa.array(b / 7, mask=mask),
        "bool": lambda: pa.array(b == 1, mask=mask),
    }[kind]()
    table = pa.table({"a": a, "b": made, "noise": rng.normal(size=rows)})
    if len(set(b[np.isin(a, np.flatnonzero(np.bincount(a) >= 5))])) < 2:
        return
    codec = related(table)
    if values > images or kind == "bool":
        assert follows(codec) == {"b": "a"}
    new = drawn(codec, 500, seed=seed)
    assert new.schema.equals(table.schema)
    assert pairs(new, "a", "b") <= pairs(table, "a", "b")
    # cut in any way, in blocks of any size, the same is found
    edges = [0, *sorted(cut % (rows + 1) for cut in cuts), rows]
    parts = [table.slice(one, two - one) for one, two in pairwise(edges)][::-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS_AT_ONCE", 64)
        patch.setattr(dependencies, "FIRST_ROWS", 16)
        again = TableCodec.fit(parts).relate(parts)
    assert follows(again) == follows(codec)
    for one, two in zip(again.relations, codec.relations, strict=True):
        np.testing.assert_array_equal(one.places, two.places)


# protection


def hospital() -> pa.Table:
    """Few rows hold the wards 8 and 9, and the doctor of ward 9 works there alone."""
    ward = np.repeat([1, 2, 3, 8, 9], [900, 700, 500, 4, 3])
    doctor = np.where(ward == 9, "Dr. Only", np.where(ward % 2 == 1, "Dr. Odd", "Dr. Even"))
    return pa.table({"ward": pa.array([f"w{each}" for each in ward]), "doctor": doctor})


def test_only_what_enough_rows_back_is_in_the_map() -> None:
    table = hospital()
    codec = related(table)
    (relation,) = codec.relations
    counts = table["ward"].to_pandas().value_counts()
    levels = codec.encoders[0].levels.to_pylist()
    assert len(relation.places) == len(levels) == 3
    assert all(counts[level] >= 5 for level in levels)
    header, arrays = codec.to_state()
    everything = json.dumps(header).encode() + b"".join(each.tobytes() for each in arrays.values())
    assert b"Only" not in everything and b"w9" not in everything and b"Odd" in everything
    assert "Dr. Only" not in drawn(codec)["doctor"].to_pylist()


@pytest.mark.parametrize("exempt", [["ward"], ["doctor"], ["ward", "doctor"]])
def test_a_map_shows_no_more_than_both_columns_may(exempt: list[str]) -> None:
    overrides = {name: {"rare": False} for name in exempt}
    codec = related(hospital(), overrides=overrides)
    # the four rows of ward 8 may say "Dr. Even" only where neither column is protected; and were
    # the doctor alone exempt, the one of ward 9 would never be drawn
    assert follows(codec) == ({"doctor": "ward"} if len(exempt) == 2 else {})
    for relation in codec.relations:
        assert len(relation.places) == 5


def test_a_hidden_value_of_the_child_leaves_it_an_ordinary_column() -> None:
    a = np.repeat([0, 1, 2], [500, 400, 6])
    table = pa.table({"a": a, "b": np.where(a == 2, 7, a)})
    codec = related(table, overrides={"a": {"kind": "category"}}, rare_threshold=5)
    assert follows(codec) == {"b": "a"}
    # neither shall b lose its sevens nor a its twos
    codec = related(table, overrides={"a": {"kind": "category", "rare": False}}, rare_threshold=7)
    assert follows(codec) == {}


def test_a_child_that_would_lose_much_stays_by_itself() -> None:
    """A tenth of the rows lie in shops that are too rare to be shown, all in one town."""
    shop = np.concatenate([np.repeat(np.arange(9), 100), 100 + np.repeat(np.arange(25), 4)])
    town = np.where(shop < 100, shop % 3, 3)
    table = pa.table({"shop": [f"s{each}" for each in shop], "town": [f"t{each}" for each in town]})
    assert follows(related(table)) == {}
    few = table.slice(0, 908)
    assert follows(related(few)) == {}, "the town of two rare shops would never be drawn"
    elsewhere = pa.array([f"t{each}" for each in shop % 3])
    table = table.set_column(1, "town", elsewhere)
    assert follows(related(table.slice(0, 904))) == {"town": "shop"}
    one_town = pa.array([f"t{each}" for each in np.where(shop < 100, shop % 3, 2)])
    assert follows(related(table.set_column(1, "town", one_town))) == {}


@pytest.mark.parametrize("holes", [0, 3, 5])
def test_what_few_missing_cells_go_with_is_not_told(holes: int) -> None:
    """All values may be shown, but that the three rows without a ward lie on floor 1 may not."""
    ward = np.repeat([1, 2, 3, 0], [400, 300, 200, holes])
    table = pa.table({"ward": pa.array(ward, mask=ward == 0), "floor": ward % 2 + 1})
    assert follows(related(table)) == ({} if holes == 3 else {"floor": "ward"})


# in the codec


def test_a_child_has_no_codes_and_comes_back() -> None:
    table = schools()
    codec = related(table)
    plain = TableCodec.fit([table])
    assert codec.layout.width == plain.layout.width - 4 - 3
    assert codec.layout.column_choice("number") is None
    matrix = codec.encode([table.drop_columns(["number", "title"])], None)
    back = codec.decode(matrix, np.random.default_rng(0))
    assert back.schema.equals(table.schema)
    assert back.drop_columns(["age"]).to_pylist() == table.drop_columns(["age"]).to_pylist()


def test_every_drawn_row_keeps_every_relation() -> None:
    table = rentals()
    new = drawn(related(table))
    for child in ("season", "month", "weekday", "workday"):
        assert pairs(new, "date", child) <= pairs(table, "date", child)
    assert len(set(new["date"].to_pylist())) > 170


def test_a_date_is_moved_to_where_its_children_agree() -> None:
    """The networks' date is a few days off; the weekday, drawn as an option, is not."""
    table = rentals()
    codec = related(table)
    matrix = codec.encode([table], None)
    off = matrix.scalars.copy()
    date = codec.layout.column_scalar("date")
    off[:, date] += np.random.default_rng(0).normal(0, 0.01, len(off))
    new = codec.decode(EncodedMatrix(matrix.codes, off.clip(-1, 1)), np.random.default_rng(0))
    was, now = (each["date"].to_numpy().astype(int) for each in (table, new))
    assert (was == now).mean() > 0.9
    kept = codec.decode(matrix, np.random.default_rng(0))
    assert kept["date"].equals(table["date"]), "what agrees stays"
    for child in ("season", "month", "weekday", "workday"):
        same = pc.equal(new[child], table[child]).to_numpy()
        assert same.mean() > 0.999
        assert pairs(new, "date", child) <= pairs(table, "date", child)
    # a workday on a Sunday is no day at all: one of the two gives way, and the date is near
    free = matrix.codes.copy()
    workday = codec.layout.column_choice("workday")
    free[:, workday] = 1 - free[:, workday]
    odd = codec.decode(EncodedMatrix(free, matrix.scalars), np.random.default_rng(0))
    assert pairs(odd, "date", "workday") <= pairs(table, "date", "workday")
    assert np.abs(odd["date"].to_numpy().astype(int) - was).max() <= 6


def test_many_values_of_a_child_are_no_order_to_its_parent() -> None:
    """A child that is one scalar itself says where about its parent lies, not exactly which."""
    rng = np.random.default_rng(0)
    day = rng.integers(0, 200, 5_000)
    table = pa.table({"day": day, "price": rng.permutation(200)[day], "up": 3 * day})
    codec = related(table)
    assert follows(codec) == {"price": "day", "up": "day"}
    matrix = codec.encode([table], None)
    off = (matrix.scalars + rng.normal(0, 0.02, matrix.scalars.shape)).clip(-1, 1)
    new = codec.decode(EncodedMatrix(matrix.codes, off.astype(np.float32)), rng)
    assert pairs(new, "day", "price") <= pairs(table, "day", "price")
    assert (new["up"].to_numpy() == 3 * new["day"].to_numpy()).all()
    assert np.abs(new["day"].to_numpy() - day).mean() < 3


def test_missing_dates_have_children_too() -> None:
    rng = np.random.default_rng(1)
    day = rng.integers(0, 60, 3_000)
    table = pa.table(
        {
            "day": pa.array(day, mask=day == 59),
            "part": pa.array(day // 15, mask=day > 56),
            "even": pa.array(day % 2 == 0),
        }
    )
    codec = related(table)
    assert follows(codec) == {"part": "day", "even": "day"}
    for child in ("part", "even"):
        assert pairs(drawn(codec), "day", child) <= pairs(table, "day", child)
    assert set(drawn(codec, 300, {"part": None})["day"].to_pylist()) == {57, 58, None}
    assert set(drawn(codec, 300, {"part": None, "even": True})["day"].to_pylist()) == {58}
    assert set(drawn(codec, 300, {"day": None})["even"].to_pylist()) == {False}


def test_types_of_children_come_home() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 6, 700)
    levels = pa.array(["low", "high", "none", "unused"], TEXT)
    codes = pa.array((a % 3).astype(np.int32))
    moments = pa.array(a * 86_400 * 10**9 + 1).cast(pa.timestamp("ns", "Europe/Berlin"))
    table = pa.table(
        {
            "a": pa.array(a.astype(np.uint64) + 2**63),
            "grade": pa.DictionaryArray.from_arrays(codes, levels, ordered=True),
            "moment": moments,
            "wait": pa.array(a * 10**9 + 7).cast(pa.duration("ns")),
            "price": pa.array(a / 4 + 0.1).cast(pa.decimal128(9, 2)),
            "share": pa.array((a / 7).astype(np.float32)),
            "clock": pa.array(a * 3_600).cast(pa.int32()).cast(pa.time32("s")),
        }
    )
    codec = related(table)
    assert set(follows(codec)) == set(table.column_names[1:])
    back = codec.decode(codec.encode([table], None), np.random.default_rng(0))
    assert back.schema.equals(table.schema)
    assert back.combine_chunks().equals(table.combine_chunks())
    assert back["grade"].chunk(0).dictionary.equals(levels)
    # the moment as parent: what a condition says of it is exact to the nanosecond
    turned = related(table.select(["moment", "a"]))
    assert follows(turned) == {"a": "moment"}
    chosen = drawn(turned, 50, {"a": 2**63 + 3})
    assert set(chosen["moment"].cast(pa.int64()).to_pylist()) == {3 * 86_400 * 10**9 + 1}


@pytest.mark.parametrize("table", [schools, rentals, hospital])
def test_a_restored_codec_keeps_the_same(table: Callable[[], pa.Table]) -> None:
    codec = related(table())
    header, arrays = codec.to_state()
    again = TableCodec.from_state(json.loads(json.dumps(header, allow_nan=False)), arrays)
    assert follows(again) == follows(codec) != {}
    assert again.layout == codec.layout and again.schema == codec.schema
    assert again.describe() == codec.describe()
    assert drawn(again).equals(drawn(codec))


def test_a_state_without_relations_has_none() -> None:
    header, arrays = TableCodec.fit([schools()]).to_state()
    assert "follows" not in json.dumps(header) and not any("follows" in name for name in arrays)
    assert follows(TableCodec.from_state(header, arrays)) == {}


def test_the_schema_says_what_follows_what(tmp_path: Path) -> None:
    codec = related(schools())
    assert codec.schema["number"].follows == "degree"
    assert "3 distinct values" not in repr(codec.schema)
    assert "at most 0 decimals" not in codec.schema["number"].reason
    assert "; follows 'degree'" in repr(codec.schema)
    assert "; follows &#x27;degree&#x27;" in codec.schema._repr_html_()
    assert {each["name"]: each.get("follows") for each in codec.describe()} == {
        "age": None,
        "degree": None,
        "number": "degree",
        "title": "degree",
    }
    # the words of one table are no order for the next
    (tmp_path / "schema.json").write_text(codec.schema.to_json())
    for said in (codec.schema, read_overrides(tmp_path / "schema.json")):
        assert related(schools(), overrides=said).schema["number"].follows == "degree"
        assert TableCodec.fit([schools()], overrides=said).schema["number"].follows is None


def test_a_column_can_be_learned_by_itself() -> None:
    codec = related(schools(), overrides={"number": {"follows": False}})
    assert follows(codec) == {"title": "degree"}
    assert codec.schema["number"].to_dict()["follows"] is False
    assert "follows: False" in codec.schema._repr_html_()
    again = related(schools(), overrides=codec.schema)
    assert again.schema["number"].follows is False
    assert follows(related(schools(), overrides={"number": {"follows": True}})) == {
        "number": "degree",
        "title": "degree",
    }
    with pytest.raises(SchemaError, match="follows expected true or false, found 'degree'"):
        related(schools(), overrides={"number": {"follows": "degree"}})


def test_info_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from synthgan.cli.info import print_description

    pq.write_table(schools(), tmp_path / "schools.parquet")
    found = describe_data(tmp_path / "schools.parquet", None, None)
    print_description({"file": "schools.parquet", **found}, as_json=False)
    assert "; follows 'degree'" in capsys.readouterr().out


def test_adult_has_one_relation(adult: pa.Table) -> None:
    assert follows(related(adult.cast(adult.schema))) == {"education-num": "education"}


# conditions


def met(codec: TableCodec, where: dict[str, Any]) -> pa.Table:
    table = drawn(codec, 600, where)
    names = {name for name, _ in codec.regions(where)}
    assert names <= {span.column for span in codec.layout.spans}
    return table


def test_a_condition_on_a_child_is_one_on_its_parent() -> None:
    codec = related(schools())
    table = met(codec, {"number": (10, 13)})
    assert set(table["degree"].to_pylist()) == {"college", "bachelor"}
    assert set(table["number"].to_pylist()) == {10, 13}
    assert set(met(codec, {"title": None})["degree"].to_pylist()) == {"school", "college"}
    assert set(met(codec, {"title": ["M.", None]})["number"].to_pylist()) == {9, 10, 14}


def test_conditions_on_parent_and_child_are_both_met() -> None:
    codec = related(rentals())
    where = {"date": ("2011-02-10", None), "weekday": [0, 6], "workday": False, "hour": (6, 9)}
    for row in met(codec, where).to_pylist():
        assert row["date"] >= dt.date(2011, 2, 10) and row["weekday"] == 6 == row["date"].weekday()
        assert row["workday"] is False and 6 <= row["hour"] <= 9
    dates = met(codec, {"season": "spring", "month": 4})["date"].to_pylist()
    assert {(each.month, each >= dt.date(2011, 4, 1)) for each in dates} == {(4, True)}


def test_children_with_codes_are_conditioned_by_themselves() -> None:
    """The parent is moved to what they are, so it need not be drawn there by chance as well."""
    codec = related(rentals())
    assert [name for name, _ in codec.regions({"weekday": 2, "month": 3})] == ["weekday", "month"]
    days = ("2011-02-01", "2011-02-20")
    regions = dict(codec.regions({"weekday": 2, "date": days}))
    assert set(regions) == {"weekday", "date"} and len(regions["date"].intervals) == 1


def test_neighbouring_values_are_one_interval() -> None:
    codec = related(rentals())
    days = [dt.date(2011, 2, day) for day in (1, 2, 3, 9, 10)]
    ((_, region),) = codec.regions({"date": days})
    assert len(region.intervals) == 2


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"degree": "master", "number": 9}, r"'number' follows 'degree'.* with 'master' it is 14"),
        ({"number": 9, "title": "M."}, r"'number' and 'title' follow 'degree'.*change one of them"),
        ({"number": 9.5}, r"'number'.*9.5 was not learned"),
        ({"degree": "doctor", "number": 99}, r"2 problems"),
    ],
)
def test_conditions_that_contradict_a_relation_are_refused(
    where: dict[str, Any], words: str
) -> None:
    codec = related(schools())
    for ask in (codec.regions, lambda asked: drawn(codec, 5, asked)):
        with pytest.raises(ConditionError, match=words):
            ask(where)


# the whole way

QUICK: dict[str, Any] = {"epochs": 2, "width": 16, "depth": 1, "batch_size": 60, "verbose": 0}


@pytest.fixture(scope="module")
def model() -> SynthGAN:
    return SynthGAN(**QUICK, random_state=0).fit(schools())


@pytest.fixture(scope="module")
def riding() -> SynthGAN:
    return SynthGAN(**QUICK, random_state=0).fit(rentals(1_800).to_pandas())


def test_a_sample_keeps_every_relation(model: SynthGAN, tmp_path: Path) -> None:
    assert model.schema_["number"].follows == "degree"
    new = model.sample(1_000)
    assert new.schema.equals(schools().schema)
    for child in ("number", "title"):
        assert pairs(new, "degree", child) <= pairs(schools(), "degree", child)
    model.save(tmp_path / "schools.synthgan")
    again = SynthGAN.load(tmp_path / "schools.synthgan")
    assert again.sample(300).equals(model.sample(300))
    assert again.schema_ == model.schema_
    assert model.describe()["columns"][2]["follows"] == "degree"


def test_a_sample_meets_what_is_said_of_children(riding: SynthGAN) -> None:
    new = riding.sample(200, where={"weekday": 2, "month": (2, 3), "hour": (8, 12)})
    assert isinstance(new, pd.DataFrame)
    assert all(each.weekday() == 2 and each.month in (2, 3) for each in new["date"])
    assert new["hour"].between(8, 12).all() and (new["weekday"] == 2).all()
    assert new["date"].nunique() > 4
    with pytest.raises(ConditionError, match="follow 'date', of which no learned value fits"):
        riding.sample(5, where={"season": "winter", "month": 6})


def test_a_given_child_decides_its_empty_parent(riding: SynthGAN) -> None:
    rng = np.random.default_rng(3)
    given = pd.DataFrame(
        {
            "weekday": rng.integers(0, 7, 300).astype(np.int8),
            "season": np.where(rng.random(300) < 0.4, None, "spring"),
            "riders": rng.integers(20, 40, 300),
        }
    )
    filled = riding.complete(given)
    pd.testing.assert_series_equal(filled["weekday"], given["weekday"])
    pd.testing.assert_series_equal(filled["riders"], given["riders"])
    told = given["season"].notna()
    assert (filled["season"][told] == "spring").all() and filled.notna().all().all()
    learned = rentals(1_800)
    for child in ("season", "month", "weekday", "workday"):
        table = pa.Table.from_pandas(filled[["date", child]])
        assert pairs(table, "date", child) <= pairs(learned, "date", child)
    assert filled["date"].nunique() > 60
    # cells of the parent that were given stay, the others agree with their children
    given["date"] = np.where(rng.random(300) < 0.5, None, filled["date"])
    again = riding.complete(given)
    kept = given["date"].notna()
    assert (again["date"][kept] == given["date"][kept]).all()
    assert [each.weekday() for each in again["date"]] == given["weekday"].tolist()


def test_a_rare_child_is_met_where_no_donor_has_its_parent(
    model: SynthGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthgan import sampling

    monkeypatch.setattr(sampling, "BLOCK_ROWS", 1)
    monkeypatch.setattr(sampling, "DONOR_BLOCKS", 1)
    monkeypatch.setattr(sampling, "LEAST_DONORS", 1)
    given = pa.table({"number": pa.array([9, 10, 13, 14] * 20, pa.float32())})
    filled = model.complete(given)
    names = {"school": 9, "college": 10, "bachelor": 13, "master": 14}
    assert [names[each] for each in filled["degree"].to_pylist()] == given["number"].to_pylist()


def test_a_child_follows_a_given_parent(model: SynthGAN) -> None:
    given = schools().select(["degree"]).slice(0, 60)
    filled = model.complete(given)
    assert filled["number"].to_pylist() == schools()["number"].to_pylist()[:60]
    assert filled["title"].to_pylist() == schools()["title"].to_pylist()[:60]


def test_a_given_date_decides_its_children(riding: SynthGAN) -> None:
    given = rentals(1_800).to_pandas()[["date"]]
    shown = given.groupby("date")["date"].transform("size") >= 5
    given = given[shown].iloc[::9]
    filled = riding.complete(given)
    assert [each.weekday() for each in given["date"]] == filled["weekday"].tolist()
    assert [each.month for each in given["date"]] == filled["month"].tolist()


def test_given_cells_are_untouched_even_if_they_contradict(model: SynthGAN) -> None:
    given = pa.table(
        {
            "degree": pa.array(["master", None, None], TEXT).dictionary_encode(),
            "number": pa.array([9, 9, 9], pa.float32()),
            "title": pa.array([None, "M.", None], TEXT),
        }
    )
    filled = model.complete(given)
    assert filled["degree"].to_pylist()[0] == "master"
    assert filled["degree"].to_pylist()[2] == "school"
    assert filled["number"].to_pylist() == [9, 9, 9]
    assert filled["title"].to_pylist() == ["M.", "M.", None]


def test_an_unknown_child_is_refused_as_any_category(model: SynthGAN) -> None:
    with pytest.raises(ConditionError, match=r"'title': the model does not know 'Dr\.'"):
        model.complete(pa.table({"title": pa.array(["Dr."], TEXT)}))
    # of numbers the nearest is meant, and the cell stays
    filled = model.complete(pa.table({"number": pa.array([13.4], pa.float32())}))
    assert filled["degree"].to_pylist() == ["bachelor"]
    assert filled["number"][0].as_py() == pytest.approx(13.4)


def test_an_empty_child_is_filled_where_that_is_possible(model: SynthGAN) -> None:
    filled = model.complete(pa.table({"title": pa.nulls(50, TEXT)}))
    assert set(filled["title"].to_pylist()) <= {"B.", "M."}


def test_rows_that_break_a_relation_score_below_all_others(model: SynthGAN) -> None:
    table = schools().slice(0, 100)
    number = table["number"].to_numpy().copy()
    number[:30] = np.where(number[:30] == 9, 14, 9)
    broken = table.set_column(2, "number", pa.array(number))
    scores = model.score_samples(broken)
    assert scores[:30].max() < scores[30:].min() - 1_000
    np.testing.assert_array_equal(scores[30:], model.score_samples(table)[30:])
    # a row's score is its own, whatever stands beside it
    np.testing.assert_allclose(model.score_samples(broken.slice(0, 5)), scores[:5])
    # the title contradicts as well
    twice = broken.set_column(3, "title", pa.array(["no such"] * 100, TEXT))
    assert model.score_samples(twice)[:30].max() < scores[:30].min() - 1_000
