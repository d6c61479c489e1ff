"""Tables in the real table's terms: codes, points, roles, and rows read within a bound."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgan.errors import SchemaError, TableError
from synthgan.evaluation.coding import TREE_LEVELS, Coder
from synthgan.evaluation.columns import LevelColumn, NumberColumn, as_floats, from_floats
from synthgan.evaluation.embedding import LEAST_LEVELS, Embedding, nearest
from synthgan.evaluation.measures.closeness import closeness
from synthgan.evaluation.measures.detection import detection
from synthgan.evaluation.measures.membership import membership
from synthgan.evaluation.reading import MOST_CELLS, read_sampled
from synthgan.evaluation.reference import Reference
from synthgan.evaluation.roles import infer_roles


def test_a_matrix_keeps_numbers_and_codes_categories() -> None:
    coder = Coder(pa.table({"n": [1.5, None, 3.0], "town": ["Ulm", None, "Ulm"]}))
    made = coder.real.matrix()
    assert np.array_equal(made[:, 0], [1.5, np.nan, 3.0], equal_nan=True)
    assert made[0, 1] == made[2, 1] == 0
    unseen = coder.code(pa.table({"n": [1], "town": ["Rom"]})).matrix()[0, 1]
    assert len({made[0, 1], made[1, 1], unseen}) == 3


def test_tree_codes_of_many_levels_stay_below_255_and_keep_the_frequent_apart() -> None:
    frequent = [f"often{i}" for i in range(TREE_LEVELS)] * 6
    rare = [f"four times {i}" for i in range(100)] * 4
    coder = Coder(pa.table({"level": [*rare, *frequent]}))
    codes = coder.real.matrix()[:, 0]
    assert codes.max() < 255
    assert len(set(codes[400:])) == TREE_LEVELS
    assert len(set(codes[:400])) == 1


@pytest.mark.parametrize("levels", [300, 2_000])
def test_fresh_rows_are_no_further_from_holdout_than_from_real_rows(levels: int) -> None:
    # New levels of a long-tailed category, and new numbers, must not set fresh rows apart.
    rng = np.random.default_rng(levels)
    shares = rng.dirichlet(np.full(levels, 0.3))

    def fresh() -> pa.Table:
        codes = rng.choice(levels, 3_000, p=shares)
        return pa.table({"level": [f"l{c}" for c in codes], "n": rng.normal(size=3_000)})

    reference = Reference(fresh(), fresh(), seed=0)
    found = reference.code(fresh())
    low, high = closeness(reference, found)["closest_share_interval"]
    assert low <= 0.5 <= high
    assert 0.45 < membership(reference, found)["distance"]["auc"] < 0.55
    assert detection(reference, found, detail=False)["boosted_auc"] < 0.55


def test_taking_rows_keeps_table_values_and_codes_together() -> None:
    real = Coder(pa.table({"n": [1.0, 2.0, 3.0], "b": [True, False, None]})).real
    taken = real.take(np.array([False, True, True]))
    assert taken.table.column("n").to_pylist() == [2.0, 3.0]
    assert np.array_equal(taken.matrix(), real.matrix()[1:])
    assert taken.column("b") == 1
    with pytest.raises(ValueError, match="not in list"):
        taken.column("c")


def test_columns_are_found_by_name_and_missing_ones_named() -> None:
    coder = Coder(pa.table({"a": [1, 2], "b": ["x", "y"]}))
    assert coder.code(pa.table({"b": ["y"], "z": [0], "a": [2]})).names == ["a", "b"]
    with pytest.raises(TableError, match=r"the holdout: .* missing are \['b'\]"):
        coder.code(pa.table({"a": [1]}), where="the holdout")
    with pytest.raises(TableError, match="the synthetic table: expected at least one row"):
        coder.code(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None, 3], pa.int16()),
        pa.array([1.5, None, -2.0], pa.float32()),
        pa.array([dt.date(1920, 2, 29), None], pa.date32()),
        pa.array([dt.datetime(2020, 1, 1, 3, tzinfo=dt.UTC)], pa.timestamp("ms", tz="Asia/Tokyo")),
        pa.array([dt.timedelta(days=-1), None], pa.duration("s")),
        pa.array([dt.time(23, 59, 1), None], pa.time32("s")),
        pa.array([1, None], pa.decimal128(6, 2)),
        pa.array([2**64 - 2**11, None, 0], pa.uint64()),
    ],
)
def test_numbers_find_the_way_back_to_their_type(values: pa.Array) -> None:
    column = pa.chunked_array([values])
    assert from_floats(as_floats(column), values.type).to_pylist() == values.to_pylist()


def test_points_are_ranks_and_one_hot_vectors_as_stated() -> None:
    real = Coder(pa.table({"n": [10.0, 20.0, 20.0, None], "town": ["a", "b", "a", None]}))
    points = Embedding(real.real).transform(
        real.code(pa.table({"n": [20.0, None, 99.0, -1.0], "town": ["b", None, "c", "a"]}))
    )
    assert points[:, 0] == pytest.approx([2 / 3, 0.5, 1.0, 0.0])
    assert points[:, 1].tolist() == [0, 1, 0, 0]
    assert points[:, 2:].tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def test_ranks_grow_between_real_values() -> None:
    real = Coder(pa.table({"n": [0.0, 10.0, 20.0, 20.0]}))
    new = real.code(pa.table({"n": [0.0, 5.0, 10.0, 20.0, 15.0]}))
    ranks = Embedding(real.real).transform(new)[:, 0]
    assert ranks == pytest.approx([0.125, 0.25, 0.375, 0.75, 0.5625])


def test_the_width_of_points_is_bounded() -> None:
    names = [f"c{i}" for i in range(200)]
    levels = [f"l{i}" for i in range(60)] * 6
    real = Coder(pa.table({name: levels for name in names})).real
    assert Embedding(real).transform(real).shape[1] == 200 * (LEAST_LEVELS + 2)


def test_spellings_of_another_tool_find_the_real_levels() -> None:
    real = pa.table({"b": [True, False], "t": ["True", "False"], "n": [1, 2], "c": ["1", "2"]})
    coder = Coder(real.set_column(2, "n", real["n"].cast(pa.int8()).dictionary_encode()))
    other = pa.table(
        {"b": ["True", "false"], "t": [True, False], "n": [0.999999, 2.0], "c": [1, 2]}
    )
    assert np.array_equal(coder.code(other).matrix(), coder.real.matrix())


@pytest.mark.parametrize(
    ("real", "spelt", "foreign"),
    [
        (pa.array([True, False, None]), ["True", "False", None], "maybe"),
        (pa.array([1, 20, None]), ["01", "0020", None], "1.5"),
        (pa.array([dt.date(2020, 1, 1), None]), ["2020-01-01", None], "soon"),
    ],
    ids=["boolean", "whole", "date"],
)
def test_a_level_that_cannot_be_read_leaves_the_others_readable(
    real: pa.Array, spelt: list[str | None], foreign: str
) -> None:
    column = LevelColumn("c", pa.chunked_array([real]))
    found = pa.chunked_array([spelt, [foreign, *spelt, foreign]])
    codes = column.prepare(found).codes.tolist()
    known, unseen = column.real.codes.tolist(), column.size - 1
    assert codes == [*known, unseen, *known, unseen]
    keys = column.keys(found).tolist()
    own = column.keys(pa.chunked_array([real])).tolist()
    assert keys[: len(own)] == own
    assert keys[len(own)] == keys[-1] and keys[-1] not in own


def test_text_moments_are_read_and_others_named() -> None:
    coder = Coder(pa.table({"day": [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)]}))
    found = coder.code(pa.table({"day": ["2020-01-01", "2020-01-02 00:00:00"]}))
    assert np.array_equal(found.matrix(), coder.real.matrix())
    with pytest.raises(TableError, match=r"'day': expected moments .*timestamp.* found string"):
        coder.code(pa.table({"day": ["yesterday", "today"]}))


def test_text_without_an_offset_is_utc_as_moments_without_a_zone_are() -> None:
    moments = [dt.datetime(2020, 1, 1, 5, tzinfo=dt.UTC), dt.datetime(2020, 7, 2, tzinfo=dt.UTC)]
    coder = Coder(pa.table({"t": pa.array(moments, pa.timestamp("us", tz="Asia/Tokyo"))}))
    for spelt in (
        pa.array([moment.replace(tzinfo=None) for moment in moments]),
        pa.array(["2020-01-01T05:00:00", "2020-07-02"]),
        pa.array(["2020-01-01T05:00:00", "2020-07-02"]).dictionary_encode(),
        pa.array(["2020-01-01T05:00:00Z", "2020-07-02T02:00:00+02:00"]),
    ):
        assert np.array_equal(coder.code(pa.table({"t": spelt})).matrix(), coder.real.matrix())


FAMILIES = {
    "number": [pa.array([1, 2]), pa.array([1.5, 2.0]), pa.array([True, False])],
    "moment": [
        pa.array([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)]),
        pa.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC)] * 2, pa.timestamp("ms", tz="UTC")),
        pa.array([dt.date(2020, 1, 1), dt.date(2020, 1, 2)]),
    ],
    "time of day": [pa.array([dt.time(1), dt.time(2)]), pa.array([1, 2], pa.time32("s"))],
    "duration": [pa.array([dt.timedelta(1), None]), pa.array([1, 2], pa.duration("ns"))],
}


@pytest.mark.parametrize("real", FAMILIES)
@pytest.mark.parametrize("found", FAMILIES)
def test_only_numbers_of_one_family_are_compared(real: str, found: str) -> None:
    for other in FAMILIES[found]:
        column = NumberColumn("x", pa.chunked_array([FAMILIES[real][0]]))
        if real == found:
            assert len(column.prepare(pa.chunked_array([other])).codes) == 2
            continue
        with pytest.raises(TableError, match=r"'x': expected .* as in the real table, found"):
            column.prepare(pa.chunked_array([other]))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_without_values_is_of_any_family(family: str) -> None:
    some, none = (pa.chunked_array([each]) for each in (FAMILIES[family][0], pa.nulls(2)))
    assert np.isnan(NumberColumn("x", some).prepare(none).values).all()
    assert len(NumberColumn("x", none).prepare(some).codes) == 2


def test_nearest_gives_distances_in_order() -> None:
    rows, others = np.float32([[0, 0]]), np.float32([[3, 4], [1, 0], [0, 2]])
    distances, index = nearest(rows, others, 3)
    assert distances[0] == pytest.approx([1, 2, 5])
    assert index[0].tolist() == [1, 2, 0]


def test_roles_leave_out_ids_and_free_text_with_the_reason() -> None:
    rows = 60
    table = pa.table(
        {
            "key": pa.array(range(rows)),
            "note": [f"a note of more than four words, number {i}" for i in range(rows)],
            "age": pa.array([20 + i % 7 for i in range(rows)]),
        }
    )
    roles = infer_roles(table, {"key": "id"})
    assert [column.kind for column in roles] == ["id", "drop", "number"]
    assert [column.reason for column in roles][:2] == ["declared by the user", "free text"]
    assert infer_roles(table, {"note": "category"})["note"].kind == "category"
    with pytest.raises(SchemaError, match="nokey"):
        infer_roles(table, {"nokey": "id"})


def test_a_long_file_is_sampled_without_being_whole_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"n": np.arange(100_000)}), path)
    sampled = read_sampled(path, "the real table", most_rows=500, seed=3)
    drawn = sampled.table.column("n").to_numpy()
    assert sampled.to_dict() == {"name": "long.parquet", "rows": 100_000, "rows_used": 500}
    assert len(set(drawn)) == 500
    assert (np.diff(drawn) > 0).all()
    assert abs(drawn.mean() - 50_000) < 6_000
    again = read_sampled(path, "the real table", most_rows=500, seed=3).table
    assert again.equals(sampled.table)
    assert not read_sampled(path, "X", most_rows=500, seed=4).table.equals(sampled.table)


def test_wide_tables_keep_fewer_rows() -> None:
    names = [f"c{i}" for i in range(1_000)]
    table = pa.table({name: np.zeros(MOST_CELLS // 1_000 + 5, dtype=np.int8) for name in names})
    sampled = read_sampled(table, "the real table", most_rows=200_000, seed=0)
    assert sampled.table.num_rows == MOST_CELLS // 1_000


def test_a_reference_splits_without_a_holdout_and_draws_by_stream(adult: pa.Table) -> None:
    reference = Reference(adult, seed=5)
    train, test = reference.test
    assert (train.rows, test.rows) == (800, 200)
    assert reference.draw(train, 10, 1).table.equals(reference.draw(train, 10, 1).table)
    assert not reference.draw(train, 10, 1).table.equals(reference.draw(train, 10, 2).table)
    held = reference.with_holdout(test)
    assert held.test == (reference.real, test)
    assert reference.holdout is None
    assert reference.test[1] is test
