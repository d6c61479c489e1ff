"""Summaries merge: any split into chunks, in any order, says the same of a column."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan.data import level_summary, number_summary, text_hash
from synthgan.data.summaries import (
    LevelSummary,
    NumberSummary,
    summarise,
)

BERLIN = pa.timestamp("s", "Europe/Berlin")
MOMENT = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1))
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(allow_nan=False, allow_infinity=False, width=32),
    pa.float64(): st.floats(allow_nan=False, allow_infinity=False),
    pa.decimal128(9, 2): st.decimals(-9999, 9999, places=2),
    pa.date32(): st.dates(),
    pa.timestamp("us"): MOMENT,
    BERLIN: MOMENT.map(lambda value: value.replace(microsecond=0, tzinfo=dt.UTC)),
    pa.duration("ms"): st.integers(-(10**9), 10**9),
    pa.time64("us"): st.times(),
    pa.bool_(): st.booleans(),
    pa.large_string(): st.text(max_size=6),
}


@st.composite
def split_columns(draw: st.DrawFn, most: int = 40) -> tuple[pa.Array, list[pa.Array]]:
    """A column with nulls, and the same cells in chunks, shuffled."""
    found = draw(st.sampled_from(list(VALUES)))
    values = draw(st.lists(st.none() | VALUES[found], max_size=most))
    cuts = sorted(draw(st.lists(st.integers(0, len(values)), max_size=4)))
    parts = [values[a:b] for a, b in zip([0, *cuts], [*cuts, len(values)], strict=True)]
    parts = draw(st.permutations(parts))
    if found == pa.large_string() and draw(st.booleans()):
        whole = pa.array(values, found).dictionary_encode()
        return whole, [pa.array(part, found).dictionary_encode() for part in parts]
    return pa.array(values, found), [pa.array(part, found) for part in parts]


def merged(parts: list[pa.Array]) -> Any:
    return reduce(lambda a, b: a.merge(b), map(summarise, parts))


@settings(deadline=None, max_examples=200)
@given(split_columns())
def test_any_split_in_any_order_gives_the_same_summary(
    column: tuple[pa.Array, list[pa.Array]],
) -> None:
    whole, parts = column
    assert merged(parts) == summarise(whole)
    assert summarise(pa.chunked_array(parts, whole.type)) == summarise(whole)


@settings(deadline=None, max_examples=200)
@given(split_columns(), st.integers(2, 8))
def test_also_beyond_the_exact_limit(column: tuple[pa.Array, list[pa.Array]], limit: int) -> None:
    whole, parts = column
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_summary, "EXACT_VALUES", limit)
        patch.setattr(level_summary, "EXACT_LEVELS", limit)
        summary = merged(parts)
        assert summary == summarise(whole)
    assert summary.exact == (len(cells_of(whole)) <= limit)
    assert len(summary.counts) <= limit
    if isinstance(summary, NumberSummary):
        assert summary.counts.sum() == summary.rows - summary.missing


@settings(deadline=None, max_examples=100)
@given(split_columns())
def test_an_exact_summary_counts_every_value(column: tuple[pa.Array, list[pa.Array]]) -> None:
    whole, _ = column
    summary = summarise(whole)
    assert (summary.rows, summary.missing) == (len(whole), whole.null_count)
    assert summary.exact
    counted = cells_of(whole)
    assert sorted(summary.counts.tolist()) == sorted(counted.values())
    if isinstance(summary, LevelSummary):
        assert dict(zip(summary.levels.to_pylist(), summary.counts, strict=True)) == counted


def cells_of(array: pa.Array) -> Counter[Any]:
    """How often each value occurs; 0.0 and -0.0 are one."""
    return Counter(array.drop_null().to_pylist())


def test_equality_sees_every_difference() -> None:
    base = summarise(pa.array([1.5, 2.5, None]))
    others = ([1.5, 2.5], [1.5, 2.5, 2.5], [1.5, 2.25, None], [1.5, 3.5, None], [1, 2, None])
    assert all(base != summarise(pa.array(other)) for other in others)
    texts = summarise(pa.array(["a", "b"]))
    assert texts == summarise(pa.array(["b", "a"]))
    for other in (["a", "a", "b"], ["a", "c"], ["a", "b", None]):
        assert texts != summarise(pa.array(other))
    assert base != texts


def test_a_sketch_knows_counts_and_ends_of_its_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 10_000, 5_000)
    monkeypatch.setattr(number_summary, "EXACT_VALUES", 100)
    summary = summarise(pa.array(values))
    assert isinstance(summary, NumberSummary)
    assert (summary.lowest, summary.highest) == (values.min(), values.max())
    # the stated error: a bucket is at most range / (limit / 2) wide
    assert 1 << summary.shift <= 10_000 / 50
    # of whole numbers the order keys are the numbers themselves
    for low, high, count in zip(summary.lows, summary.highs, summary.counts, strict=True):
        inside = values[(values >= low) & (values <= high)]
        assert (count, low, high) == (len(inside), inside.min(), inside.max())
    assert summary.ranges()[2].sum() == 5_000


@pytest.mark.parametrize("spike", [0.0, 0.5013, -3.7])
def test_a_value_that_fills_its_bucket_is_found(
    monkeypatch: pytest.MonkeyPatch, spike: float
) -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(20_000) < 0.1, spike, rng.normal(size=20_000))
    monkeypatch.setattr(number_summary, "EXACT_VALUES", 500)
    summary = summarise(pa.array(values))
    assert isinstance(summary, NumberSummary)
    lows, highs, counts = summary.ranges()
    here = (lows == spike) & (highs == spike)
    true = np.count_nonzero(values == spike)
    assert counts[here].sum() == pytest.approx(true, abs=20)
    assert counts.sum() == 20_000
    assert (lows[1:] > highs[:-1]).all()


def test_whole_numbers_keep_every_bit() -> None:
    values = [2**63 - 1, 2**63 - 2, 2**53 + 1, 2**53, -(2**63)]
    summary = summarise(pa.array(values))
    assert isinstance(summary, NumberSummary)
    assert summary.values.tolist() == sorted(values)
    large = summarise(pa.array([2**64 - 1, 0, 2**63], pa.uint64()))
    assert isinstance(large, NumberSummary)
    assert large.values.tolist() == [0, 2**63, 2**64 - 1]
    assert large.highest == 2**64 - 1


@pytest.mark.parametrize(
    ("values", "found", "decimals"),
    [
        ([1.0, 2.0], pa.float64(), 0),
        ([0.1, 2.25], pa.float64(), 2),
        ([0.1, 2.25], pa.float32(), 2),
        ([1e6 + 0.01, 19.99], pa.float64(), 2),
        ([1 / 3], pa.float64(), None),
        ([0.285, 1.005], pa.float64(), 3),
        ([5], pa.int64(), 0),
    ],
)
def test_decimals_are_the_fewest_that_reproduce_all(
    values: list[float], found: pa.DataType, decimals: int | None
) -> None:
    summary = summarise(pa.array(values, found))
    assert isinstance(summary, NumberSummary)
    assert summary.decimals == decimals


def test_steps_are_those_of_all_differences() -> None:
    weekly = summarise(pa.array([3, 17, 10 + 7 * 10]))
    assert isinstance(weekly, NumberSummary)
    assert weekly.fineness.step == 7
    noon = [dt.datetime(2024, month, 1, 12) for month in (1, 7)]
    local = pa.compute.assume_timezone(pa.array(noon, pa.timestamp("s")), "Europe/Berlin")
    summary = summarise(local)
    assert isinstance(summary, NumberSummary)
    assert summary.fineness.step % 86_400 == 86_400 - 3_600
    assert summary.fineness.local_step % 86_400 == 0


def test_texts_are_described() -> None:
    summary = summarise(pa.array(["user_1", "user_22", "user_22", None, "a b c"]))
    assert isinstance(summary, LevelSummary)
    assert summary.mean_length == pytest.approx((6 + 7 + 7 + 5) / 4)
    assert summary.mean_words == pytest.approx((1 + 1 + 1 + 3) / 4)
    assert summary.lengths == {5, 6, 7}
    assert summary.max_length == 7
    assert summary.prefix == ""
    assert summarise(pa.array(["user_1", "user_22"])).prefix == "user_"  # type: ignore[union-attr]


def test_negative_zero_is_zero_and_nan_is_missing() -> None:
    summary = summarise(pa.array([0.0, -0.0, float("nan")]))
    assert (summary.counts.tolist(), summary.missing) == ([2], 1)


def test_every_type_has_its_summary() -> None:
    for found in VALUES:
        expected = LevelSummary if found in (pa.bool_(), pa.large_string()) else NumberSummary
        assert isinstance(summarise(pa.array([], found)), expected)


def test_summaries_of_different_columns_do_not_merge() -> None:
    with pytest.raises(ValueError, match="float64"):
        summarise(pa.array([1.0])).merge(summarise(pa.array([1])))  # type: ignore[arg-type]


def test_the_hash_is_the_same_for_ever() -> None:
    levels = pa.array(["", "a", "b", "ab", "ä"])
    found = text_hash.hashes(levels)
    assert found.tolist() == [
        16294208416658607535,
        4674354892695073079,
        7160181103218014169,
        2216477204754315653,
        83657044964886988,
    ]
    # a slice hashes like the levels themselves
    assert (text_hash.hashes(levels.slice(2)) == found[2:]).all()


def test_the_sample_of_levels_is_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_summary, "EXACT_LEVELS", 1_000)
    texts = pa.array([f"name {number}" for number in range(10_000)])
    summary = summarise(texts)
    assert isinstance(summary, LevelSummary)
    numbers = [int(level.split()[1]) for level in summary.levels.to_pylist()]
    assert np.mean(numbers) == pytest.approx(5_000, abs=400)
