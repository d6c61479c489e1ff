"""The codec: whole tables to codes and back, however they come in chunks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan.data import blocks, level_summary, number_summary
from synthgan.data.codec import TableCodec
from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.source import open_source
from synthgan.errors import ConditionError, SchemaError, SynthganWarning, TableError
from synthgan.evaluation import fidelity

TEXT = pa.large_string()


def mixed(rows: int = 600, seed: int = 0) -> pa.Table:
    """A column of every kind, most with missing cells, under odd names."""
    rng = np.random.default_rng(seed)

    def gaps(share: float = 0.1) -> np.ndarray:
        return rng.random(rows) < share

    grades = pa.array(["low", "middle", "high", "unused"], TEXT)
    grade = pa.array(rng.integers(0, 3, rows).astype(np.int32), mask=gaps())
    amount = np.where(rng.random(rows) < 0.5, 0.0, rng.lognormal(3, 1, rows).round(2))
    days = pa.array(rng.integers(0, 3_000, rows) * 86_400).cast(pa.timestamp("s"))
    return pa.table(
        {
            "age in years": pa.array(rng.integers(17, 91, rows).astype(np.int8)),
            "amount": pa.array(amount, mask=gaps()),
            "höhe\n(m)": pa.array(rng.normal(size=rows).astype(np.float32), mask=gaps()),
            "large": pa.array(rng.integers(2**60, 2**61, rows)),
            "price": pa.array(rng.integers(0, 9_999, rows) / 100).cast(pa.decimal128(9, 2)),
            "day": pc.assume_timezone(days, "Europe/Berlin"),
            "date": pa.array(rng.integers(0, 9_000, rows).astype(np.int32)).view(pa.date32()),
            "time": pa.array(rng.integers(0, 86_400, rows) * 10**6).cast(pa.time64("us")),
            "wait": pa.array(rng.integers(0, 900, rows), mask=gaps()).cast(pa.duration("ms")),
            "town": pa.array(
                [["Ulm", "Köln", "東京"][at] for at in rng.integers(0, 3, rows)], TEXT
            ),
            "grade": pa.DictionaryArray.from_arrays(grade, grades, ordered=True),
            "member": pa.array(rng.random(rows) < 0.3, mask=gaps()),
            "key": pa.array([f"K-{number:05d}" for number in range(rows)], TEXT),
            "empty": pa.nulls(rows, pa.float64()),
            "same": pa.array(["x"] * rows, TEXT),
        }
    )


def in_chunks(table: pa.Table, cuts: list[int]) -> list[pa.Table]:
    edges = [0, *sorted(cut % (table.num_rows + 1) for cut in cuts), table.num_rows]
    return [table.slice(a, b - a) for a, b in pairwise(edges)]


def same_state(one: TableCodec, two: TableCodec) -> None:
    (header, arrays), (header_two, arrays_two) = one.to_state(), two.to_state()
    assert header == header_two
    assert arrays.keys() == arrays_two.keys()
    for name, values in arrays.items():
        assert values.dtype == arrays_two[name].dtype
        assert values.tobytes() == arrays_two[name].tobytes()


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(0, 10**6), max_size=5), st.randoms(), st.booleans())
def test_any_split_in_any_order_gives_the_same_codec(
    cuts: list[int], shuffle: Any, sketched: bool
) -> None:
    table = mixed(300)
    parts = in_chunks(table, cuts)
    shuffle.shuffle(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS_AT_ONCE", 64)
        if sketched:
            patch.setattr(number_summary, "EXACT_VALUES", 50)
            patch.setattr(level_summary, "EXACT_LEVELS", 50)
        codec = TableCodec.fit(parts)
        patch.setattr(blocks, "ROWS_AT_ONCE", 10**6)
        same_state(codec, TableCodec.fit([table]))


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(0, 10**6), max_size=5))
def test_codes_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    table = mixed(300)
    codec = TableCodec.fit([table])
    whole = codec.encode([table], np.random.default_rng(0))
    parts = codec.encode(in_chunks(table, cuts), np.random.default_rng(0))
    assert np.array_equal(whole.codes, parts.codes)
    assert np.array_equal(whole.scalars, parts.scalars)


def test_chunks_may_have_dictionaries_of_their_own() -> None:
    parts = [pa.table({"x": pa.array(each, TEXT).dictionary_encode()}) for each in ("abaa", "cab")]
    codec = TableCodec.fit(parts, rare_threshold=1)
    back = codec.decode(codec.encode(parts, None), np.random.default_rng(0))
    assert back.column("x").to_pylist() == list("abaacab")


def test_a_table_comes_back_in_its_types() -> None:
    table = mixed()
    codec = TableCodec.fit([table])
    back = codec.decode(codec.encode([table], np.random.default_rng(0)), np.random.default_rng(1))
    assert back.schema.equals(table.schema)
    for name in table.column_names:
        assert back.column(name).null_count == table.column(name).null_count, name
    for name in ("town", "grade", "member", "empty", "same"):
        assert back.column(name).to_pylist() == table.column(name).to_pylist(), name
    assert not set(back.column("key").to_pylist()) & set(table.column("key").to_pylist())


def test_a_real_table_comes_back_nearly_as_it_was(adult: pa.Table) -> None:
    source = open_source(adult)
    codec = TableCodec.fit(source.chunks())
    matrix = codec.encode(source.chunks(), np.random.default_rng(0))
    back = codec.decode(matrix, np.random.default_rng(1))
    found = fidelity(source.table(), back, schema=codec.schema)
    # of 1,000 rows, values that fewer than five hold are some per cent
    assert found.shape_error < 0.015
    assert found.trend_error < 0.02
    codec = TableCodec.fit(source.chunks(), rare_threshold=1)
    matrix = codec.encode(source.chunks(), np.random.default_rng(0))
    back = codec.decode(matrix, np.random.default_rng(1))
    assert fidelity(source.table(), back, schema=codec.schema).shape_error < 1e-6
    assert codec.layout.width < 200


def test_layout_and_codes_fit_together() -> None:
    table = mixed()
    codec = TableCodec.fit([table])
    matrix = codec.encode([table], np.random.default_rng(0))
    layout = codec.layout
    assert isinstance(layout, Layout)
    assert matrix.codes.dtype == np.int16
    assert matrix.codes.shape == (600, len(layout.choices))
    assert ((matrix.codes >= 0) & (matrix.codes < layout.choice_sizes)).all()
    assert matrix.scalars.dtype == np.float32
    assert (np.abs(matrix.scalars) <= 1).all()
    for scalar in range(layout.n_scalars):
        gate = layout.gate_choice[scalar]
        if gate >= 0:
            shut = matrix.codes[:, gate] != layout.gate_option[scalar]
            assert (matrix.scalars[shut, scalar] == 0).all()
            assert layout.choices[gate].column == layout.scalars[scalar].column


def test_a_restored_codec_is_the_same_bit_for_bit() -> None:
    table = mixed()
    codec = TableCodec.fit([table])
    header, arrays = codec.to_state()
    again = TableCodec.from_state(json.loads(json.dumps(header, allow_nan=False)), arrays)
    same_state(codec, again)
    assert again.layout == codec.layout
    assert again.schema == codec.schema
    assert again.describe() == codec.describe()
    matrix = codec.encode([table], np.random.default_rng(0))
    assert np.array_equal(again.encode([table], np.random.default_rng(0)).scalars, matrix.scalars)
    drawn = (each.decode(matrix, np.random.default_rng(2), first_row=7) for each in (codec, again))
    assert next(drawn).equals(next(drawn))


def test_the_state_holds_no_whole_column() -> None:
    rng = np.random.default_rng(0)
    rows = 20_000
    table = pa.table(
        {
            "smooth": rng.normal(size=rows),
            "whole": rng.integers(0, 10**9, rows),
            "rounded": rng.lognormal(5, 2, rows).round(2),
            "code": pa.array([f"{number:012x}" for number in rng.integers(0, 2**48, rows)], TEXT),
        }
    )
    header, arrays = TableCodec.fit([table]).to_state()
    assert sum(values.nbytes for values in arrays.values()) < 3 * 1_200 * 24 + 5_000
    assert max(len(values) for values in arrays.values()) < 1_200
    points = {name: values for name, values in arrays.items() if name.endswith("points")}
    assert len(points) == 3
    # apart from the ends no quantile is the value of a row
    for column, values in zip(("smooth", "whole"), list(points.values()), strict=False):
        known = set(table.column(column).to_pylist())
        assert sum(value in known for value in values.tolist()) <= 4
    assert len(json.dumps(header)) < 6_000


Checks = dict[str, tuple[Any, Callable[[Any], bool]]]
CONDITIONS: list[Checks] = [
    {"town": ("Köln", lambda v: v == "Köln")},
    {"age in years": ((30, 40), lambda v: 30 <= v <= 40), "member": (True, lambda v: v is True)},
    {"amount": (0, lambda v: v == 0), "höhe\n(m)": ((0, None), lambda v: v >= 0)},
    {
        "amount": ((5, 50), lambda v: 5 <= v <= 50),
        "town": (["Ulm", "東京"], lambda v: v in ("Ulm", "東京")),
        "grade": (("middle", None), lambda v: v in ("middle", "high")),
    },
    {
        "day": (("1973-01-01", None), lambda v: v.year >= 1973),
        "date": (("1980-01-01", "1985-12-31"), lambda v: 1980 <= v.year <= 1985),
        "wait": (None, lambda v: v is None),
    },
    {
        "price": ((10, 20), lambda v: 10 <= v <= 20),
        "time": (("08:00", "12:00"), lambda v: dt.time(8) <= v <= dt.time(12)),
        "large": ((2**60 + 2**59, None), lambda v: v >= 2**60 + 2**59),
    },
    {"empty": (None, lambda v: v is None), "same": ("x", lambda v: v == "x")},
    {
        "member": ([False, None], lambda v: not v),
        "wait": ((0.1, 0.5), lambda v: 0.1 <= v.total_seconds() <= 0.5),
        "age in years": ([20, 30, 40], lambda v: v in (20, 30, 40)),
    },
]


@pytest.mark.parametrize("checks", CONDITIONS)
def test_conditions_are_met_whatever_the_codes(checks: Checks) -> None:
    where = {name: wanted for name, (wanted, _) in checks.items()}
    codec = TableCodec.fit([mixed()])
    rng = np.random.default_rng(3)
    sizes = codec.layout.choice_sizes
    codes = (rng.random((500, len(sizes))) * sizes).astype(np.int32)
    scalars = np.clip(rng.normal(size=(500, codec.layout.n_scalars)), -1, 1).astype(np.float32)
    table = codec.decode(EncodedMatrix(codes, scalars), rng, where=where)
    assert table.num_rows == 500
    regions = dict(codec.regions(where))
    assert list(regions) == list(where)
    again = codec.encode([table], None)
    for name, (_, check) in checks.items():
        assert all(check(value) for value in table.column(name).to_pylist()), name
        choice = codec.layout.column_choice(name)
        if choice is not None:
            assert regions[name].options[again.codes[:, choice]].all()


def test_all_problems_of_a_condition_are_told_at_once() -> None:
    codec = TableCodec.fit([mixed()], overrides={"same": "drop"})
    where = {"towm": "Ulm", "town": "Berlin", "amount": (10**6, None), "key": 1, "same": "x"}
    with pytest.raises(ConditionError) as refusal:
        codec.regions(where)
    message = str(refusal.value)
    words = ["5 problems", "did you mean 'town'", "'Berlin'", "'amount'", "identifiers", "dropped"]
    assert [word for word in words if word not in message] == []
    empty = EncodedMatrix(np.zeros((0, len(codec.layout.choices)), np.int16), np.zeros((0, 9)))
    with pytest.raises(ConditionError, match="5 problems"):
        codec.decode(empty, np.random.default_rng(0), where=where)


def test_all_problems_of_a_table_are_told_at_once() -> None:
    rng = np.random.default_rng(0)
    words = [" ".join(["word"] * 6 + [str(number)]) for number in rng.integers(0, 10**9, 50)]
    table = pa.table(
        {
            "note": pa.array(words, TEXT),
            "name": pa.array([f"n{number}" for number in range(50)], TEXT),
            "n": range(50),
        }
    )
    with pytest.raises(SchemaError) as refusal:
        TableCodec.fit([table], overrides={"name": "category", "n": {"kind": "boolean"}})
    message = str(refusal.value)
    for part in ("3 problems", "'note' is free text", "'name': each of its 50", "'n'"):
        assert part in message
    with pytest.raises(SchemaError, match="did you mean 'note'"):
        TableCodec.fit([table], overrides={"nota": "drop"})


def test_the_users_word_counts() -> None:
    table = pa.table(
        {
            "a": pa.array([1, 2, 3, 3] * 30),
            "b": pa.array(["x"] * 118 + ["y", "z"], TEXT),
            "c": pa.array(["x"] * 118 + ["y", "z"], TEXT),
            "d": range(120),
            "e": pa.array([0, 1] * 60),
        }
    )
    overrides = {
        "a": "category",
        "b": {"rare": False},
        "c": {"kind": "category", "levels": ["z", "y", "x"], "ordered": True},
        "d": "drop",
        "e": "boolean",
    }
    codec = TableCodec.fit([table], overrides=overrides)
    assert [column.kind for column in codec.schema] == [
        "category",
        "category",
        "category",
        "drop",
        "boolean",
    ]
    assert codec.layout.choice_sizes.tolist() == [3, 3, 3, 2]
    back = codec.decode(codec.encode([table], None), np.random.default_rng(0))
    assert back.equals(table.drop_columns(["d"]))
    hidden = TableCodec.fit([table], overrides={"c": {"kind": "category"}})
    assert {each["name"]: each["hidden"] for each in hidden.describe()}["c"] == 2
    ordered = codec.decode(
        codec.encode([table], None), np.random.default_rng(0), where={"c": ("y", "x")}
    )
    assert set(ordered.column("c").to_pylist()) == {"x", "y"}


def test_rare_levels_of_an_ordered_dictionary_are_kept_as_levels_but_not_emitted() -> None:
    levels = pa.array(["a", "b", "c"], TEXT)
    codes = pa.array([0] * 50 + [2] * 50 + [1], pa.int32())
    table = pa.table({"x": pa.DictionaryArray.from_arrays(codes, levels, ordered=True)})
    codec = TableCodec.fit([table])
    back = codec.decode(codec.encode([table], np.random.default_rng(0)), np.random.default_rng(0))
    column = back.column("x").combine_chunks()
    assert column.dictionary.equals(levels)
    assert set(column.to_pylist()) == {"a", "c"}


def test_columns_may_be_missing_where_that_is_said() -> None:
    table = mixed()
    codec = TableCodec.fit([table])
    some = table.select(["town", "amount", "key"])
    with pytest.raises(TableError, match="'age in years'"):
        codec.encode([some], None)
    matrix = codec.encode([some], None, partial=True)
    whole = codec.encode([table], None)
    layout = codec.layout
    for number, span in enumerate(layout.choices):
        expected = whole.codes[:, number] if span.column in some.column_names else -1
        assert (matrix.codes[:, number] == expected).all()
    for number, span in enumerate(layout.scalars):
        if span.column == "amount":
            assert np.array_equal(matrix.scalars[:, number], whole.scalars[:, number])
        else:
            assert np.isnan(matrix.scalars[:, number]).all()


def test_no_rows_are_a_table_of_the_right_types() -> None:
    table = mixed()
    codec = TableCodec.fit([table])
    matrix = codec.encode([], None)
    assert matrix.rows == 0
    assert codec.decode(matrix, np.random.default_rng(0)).schema.equals(table.schema)
    with pytest.raises(TableError, match="at least one row"):
        TableCodec.fit([])


def test_what_was_unknown_when_fitting_can_still_be_scored() -> None:
    table = pa.table({"n": [*range(50)] * 2, "t": pa.array(["a", "b"] * 50, TEXT)})
    codec = TableCodec.fit([table])
    odd = pa.table({"n": [-5, 999, None], "t": pa.array(["c", None, "a"], TEXT)})
    matrix = codec.encode([odd], None)
    assert matrix.codes.ravel().tolist() == [-1, -1, 0]
    assert np.isfinite(matrix.scalars).all()
    assert matrix.scalars.ravel()[:2] == pytest.approx([-1, 1], abs=0.05)


def test_identifiers_go_on_from_block_to_block() -> None:
    codec = TableCodec.fit([mixed()])
    sizes, scalars = codec.layout.choice_sizes, codec.layout.n_scalars
    block = EncodedMatrix(np.zeros((10, len(sizes)), np.int16), np.zeros((10, scalars), np.float32))
    rng = np.random.default_rng(0)
    keys = [
        key
        for start in (0, 10, 20)
        for key in codec.decode(block, rng, first_row=start).column("key").to_pylist()
    ]
    assert len(set(keys)) == 30
    twice = EncodedMatrix.concat([block, block])
    assert codec.decode(twice, rng).column("key").to_pylist() == keys[:20]


def test_a_description_is_json_and_can_be_said_back() -> None:
    table = mixed()
    codec = TableCodec.fit([table], overrides={"same": "drop"})
    told = json.loads(json.dumps(codec.describe(), allow_nan=False, ensure_ascii=False))
    assert [each["name"] for each in told] == table.column_names
    keys = {"kind", "type", "reason", "distinct", "missing", "values", "hidden"}
    assert all(keys <= each.keys() for each in told)
    about = {each["name"]: each for each in told}
    assert about["town"]["values"] == "Ulm, 東京, Köln" or "Köln" in about["town"]["values"]
    assert about["amount"]["missing"] == pytest.approx(0.1, abs=0.05)
    assert about["age in years"]["distinct"] == 74
    assert about["member"]["hidden"] == 0
    kinds = {each["name"]: each["kind"] for each in told}
    again = TableCodec.fit([table], overrides=kinds)
    assert {column.name: column.kind for column in again.schema} == kinds


def test_columns_of_rare_categories_come_out_missing_after_a_warning() -> None:
    rare = pa.array(["Ex", "Gd", "Fa"] + [None] * 97)
    table = pa.table({"a": [1, 2] * 50, "pool": rare, "fence": ["x", None] * 50})
    table = table.append_column("roof", pa.array([1, 2, 3] + [None] * 97))
    said = r"columns 'pool' \(3 .*'roof' \(3 .*5 rows.*'pool': {'rare': False}.*'pool': 'drop'"
    with pytest.warns(SynthganWarning, match=said) as told:
        codec = TableCodec.fit([table])
    assert len(told) == 1 and "'fence'" not in str(told[0].message)
    back = codec.decode(codec.encode([table], np.random.default_rng(0)), np.random.default_rng(0))
    assert back.column("pool").null_count == back.column("roof").null_count == 100
    assert back.schema.field("pool").type == codec.schema["pool"].arrow_type
    hidden = {each["name"]: each["hidden"] for each in codec.describe()}
    assert hidden == {"a": 0, "pool": 3, "fence": 0, "roof": 3}
    with pytest.warns(SynthganWarning, match="column 'roof'"):
        codec = TableCodec.fit([table], overrides={"pool": {"rare": False}})
    codes = codec.encode([table], np.random.default_rng(0))
    kept = codec.decode(codes, np.random.default_rng(0)).column("pool")
    assert kept.to_pylist() == rare.to_pylist()


def test_rare_threshold_one_hides_nothing() -> None:
    table = mixed(200)
    codec = TableCodec.fit([table], rare_threshold=1)
    assert all(each["hidden"] == 0 for each in codec.describe())
    back = codec.decode(codec.encode([table], None), np.random.default_rng(0))
    assert back.drop_columns(["key"]).equals(table.drop_columns(["key"]))


def test_decoding_repeats_with_its_seed() -> None:
    names = pa.array([f"level {number % 900}" for number in range(9_000)], TEXT)
    table = pa.table({"x": names})
    codec = TableCodec.fit([table])
    matrix = codec.encode([table], np.random.default_rng(0))
    one, two, other = (codec.decode(matrix, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)
