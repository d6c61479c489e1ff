"""Encoders: what they give back, what they never emit, and conditions met in every row."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthgan.data import categories, number_summary
from synthgan.data.encoders import (
    CategoryEncoder,
    Encoder,
    IdEncoder,
    NumberEncoder,
    build_encoder,
    restore_encoder,
)
from synthgan.data.inference import infer_column
from synthgan.data.summaries import summarise
from synthgan.errors import ConditionError, SchemaError

TEXT = pa.large_string()
MOMENT = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1))
NUMBERS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(-1e6, 1e6, width=32),
    pa.float64(): st.floats(allow_nan=False, allow_infinity=False),
    pa.decimal128(9, 2): st.decimals(-9999, 9999, places=2),
    pa.date32(): st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    pa.timestamp("us"): MOMENT,
    pa.timestamp("s", "Europe/Berlin"): MOMENT.map(
        lambda value: value.replace(microsecond=0, tzinfo=dt.UTC)
    ),
    pa.duration("ms"): st.integers(-(10**9), 10**9),
    pa.time64("us"): st.times(),
}
LEVELS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    TEXT: st.text(max_size=4),
    pa.bool_(): st.booleans(),
    pa.int64(): st.integers(0, 5),
    pa.decimal128(5, 1): st.decimals(0, 1, places=1),
    pa.date32(): st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 5)),
    pa.float32(): st.sampled_from([0.5, -1.25]),
}


def encoder_of(array: pa.Array, threshold: int = 1, name: str = "x", **said: Any) -> Any:
    summary = summarise(array)
    said = said or {"kind": kind_of(array.type)}
    column = infer_column(name, array.type, summary, said, levels=declared(array))
    return build_encoder(column, summary, threshold)


def declared(array: pa.Array) -> pa.Array | None:
    ordered = pa.types.is_dictionary(array.type) and array.type.ordered
    return array.dictionary if ordered else None


def kind_of(found: pa.DataType) -> str:
    if pa.types.is_boolean(found):
        return "boolean"
    if found == TEXT or pa.types.is_dictionary(found):
        return "category"
    if pa.types.is_timestamp(found) or pa.types.is_date(found):
        return "datetime"
    return "duration" if pa.types.is_duration(found) or pa.types.is_time(found) else "number"


def there_and_back(encoder: Encoder, array: pa.Array, seed: int | None = 0) -> pa.Array:
    rng = None if seed is None else np.random.default_rng(seed)
    codes, scalar = encoder.encode(array, rng)
    return encoder.decode(codes, scalar, np.random.default_rng(1), rows=len(array))


def random_codes(
    encoder: Encoder, rows: int, seed: int = 0
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """What an untrained generator might draw."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, encoder.options, rows).astype(np.int32) if encoder.options else None
    if encoder.ranks is None:
        return codes, None
    return codes, np.clip(rng.normal(size=rows), -1, 1).astype(np.float32)


def drawn(encoder: Encoder, rows: int = 500, wanted: Any = ..., seed: int = 0) -> list[Any]:
    codes, scalar = random_codes(encoder, rows, seed)
    array = encoder.decode(codes, scalar, np.random.default_rng(seed), wanted, rows=rows)
    assert array.type == encoder.type
    assert len(array) == rows
    return array.to_pylist()


@st.composite
def number_columns(draw: st.DrawFn) -> pa.Array:
    found = draw(st.sampled_from(list(NUMBERS)))
    cells = st.none() | NUMBERS[found] if draw(st.booleans()) else NUMBERS[found]
    pool = draw(st.lists(cells, min_size=1, max_size=30))
    picked = draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=80))
    return pa.array([pool[at] for at in picked], found)


@st.composite
def category_columns(draw: st.DrawFn) -> pa.Array:
    found = draw(st.sampled_from(list(LEVELS)))
    array = pa.array(draw(st.lists(st.none() | LEVELS[found], min_size=1, max_size=60)), found)
    if found == TEXT and draw(st.booleans()):
        return array.dictionary_encode().cast(pa.dictionary(pa.int32(), TEXT))
    return array


@settings(deadline=None, max_examples=150)
@given(number_columns(), st.sampled_from([0, None]))
def test_numbers_come_back_as_they_were(array: pa.Array, seed: int | None) -> None:
    assert there_and_back(encoder_of(array), array, seed).equals(array)


@settings(deadline=None, max_examples=100)
@given(category_columns(), st.sampled_from([0, None]))
def test_categories_come_back_as_they_were(array: pa.Array, seed: int | None) -> None:
    back = there_and_back(encoder_of(array, kind=kind_of_category(array)), array, seed)
    assert back.type == array.type
    assert back.to_pylist() == array.to_pylist()


def kind_of_category(array: pa.Array) -> str:
    return "boolean" if pa.types.is_boolean(array.type) else "category"


@settings(deadline=None, max_examples=150)
@given(number_columns(), st.integers(1, 6), st.integers(0, 3))
def test_numbers_stay_inside_what_was_learned(array: pa.Array, threshold: int, seed: int) -> None:
    encoder = encoder_of(array, threshold)
    told = array.drop_null().to_pylist()
    values = [value for value in drawn(encoder, 60, seed=seed) if value is not None]
    assert not values or (min(told) <= min(values) and max(values) <= max(told))
    if not array.null_count:
        assert len(values) == 60


@settings(deadline=None, max_examples=100)
@given(number_columns() | category_columns(), st.integers(1, 4))
def test_a_restored_encoder_is_the_same_bit_for_bit(array: pa.Array, threshold: int) -> None:
    try:
        encoder = encoder_of(array, threshold, kind=kind_of(array.type))
    except SchemaError:
        encoder = encoder_of(array, 1, kind=kind_of(array.type))
    header, arrays = encoder.to_state()
    again = restore_encoder(encoder.column, json.loads(json.dumps(header, allow_nan=False)), arrays)
    header_again, arrays_again = again.to_state()
    assert header_again == header
    assert arrays_again.keys() == arrays.keys()
    for name, values in arrays.items():
        assert values.tobytes() == arrays_again[name].tobytes()
    assert drawn(again, 40) == drawn(encoder, 40)
    assert again.describe() == encoder.describe()


def test_few_values_are_options_and_many_are_ranks() -> None:
    few = encoder_of(pa.array([1, 2, 3] * 10))
    assert (few.options, few.ranks) == (3, None)
    many = encoder_of(pa.array([*range(100)] * 2))
    assert (many.options, many.alive) == (0, None)
    assert many.ranks is not None
    spiked = encoder_of(pa.array([0] * 50 + [*range(1, 100)] + [None]))
    assert (spiked.spikes.tolist(), spiked.options, spiked.alive, spiked.null) == ([0], 3, 1, 2)


def test_a_scalar_is_zero_where_it_is_not_alive() -> None:
    array = pa.array([0.0] * 50 + [float(number) for number in range(1, 100)] + [None])
    codes, scalar = encoder_of(array).encode(array, np.random.default_rng(0))
    assert (scalar[codes != 1] == 0).all()
    assert codes.tolist() == [0] * 50 + [1] * 99 + [2]


def test_ranks_are_spread_evenly() -> None:
    rng = np.random.default_rng(0)
    kinds = {
        "smooth": rng.normal(size=20_000),
        "counts": rng.poisson(200, 20_000),
        "rounded": np.round(rng.lognormal(2, 1, 20_000), 1),
        "mixed": np.where(rng.random(20_000) < 0.3, 7.0, rng.gamma(2, 3, 20_000)),
        "wide": rng.integers(0, 10**12, 20_000),
    }
    for name, values in kinds.items():
        array = pa.array(values)
        codes, scalar = encoder_of(array, 5).encode(array, np.random.default_rng(1))
        ranks = np.sort(scalar if codes is None else scalar[codes == codes.max()])
        even = np.linspace(-1, 1, len(ranks))
        assert np.abs(ranks - even).max() < 0.02, name


def test_the_margin_is_kept_however_heavy_the_tail() -> None:
    values = np.random.default_rng(0).pareto(1.2, 20_000)
    encoder = encoder_of(pa.array(values), 5)
    ranks = np.linspace(-1, 1, 20_000).astype(np.float32)
    back = np.sort(encoder.decode(None, ranks, np.random.default_rng(0), rows=20_000).to_numpy())
    true = np.sort(values)
    for share in (0.001, 0.1, 0.5, 0.9, 0.99, 0.999):
        at = int(share * 20_000)
        assert back[at] == pytest.approx(true[at], rel=0.1 if share > 0.99 else 0.03)
    assert back[-1] == pytest.approx((true[-5] + true[-6]) / 2, rel=1e-6)
    assert back.mean() == pytest.approx(np.clip(true, None, true[-5]).mean(), rel=0.02)


def test_rare_values_are_not_emitted() -> None:
    common = [number % 50 for number in range(5_000)]
    array = pa.array([*common, 77, 77, 77, 77, -5, 200, 300])
    encoder = encoder_of(array, 5)
    assert encoder.protected == 4
    assert set(drawn(encoder, 5_000)) <= set(range(50))
    assert set(there_and_back(encoder, array).to_pylist()) <= set(range(50))
    assert set(drawn(encoder_of(array, 4), 5_000)) - set(range(50)) == {77}
    assert encoder_of(array, 1).protected == 0


def test_a_rare_value_between_others_of_a_small_table_is_not_emitted() -> None:
    array = pa.array([10, 20, 30, 40] * 12 + [50] * 11 + [33, 33, 33])
    assert set(drawn(encoder_of(array, 5), 1_000)) == {10, 20, 30, 40, 50}


def test_the_most_extreme_rows_are_not_reached() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=3_000))
    numbers = drawn(encoder_of(pa.array(values), 5), 20_000)
    assert min(numbers) == pytest.approx(values[4:6].mean())
    assert max(numbers) == pytest.approx(values[-6:-4].mean())


def test_a_table_smaller_than_the_threshold_gives_its_mean_away_at_most() -> None:
    assert set(drawn(encoder_of(pa.array([1.0, 3.0]), 5))) == {2.0}
    assert set(drawn(encoder_of(pa.array([1.0, None, None, None, None, None]), 5))) == {None}


def test_frequent_values_between_others_keep_their_share() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(50_000) < 0.015, 0.5, rng.random(50_000))
    encoder = encoder_of(pa.array(values), 5)
    assert encoder.options == 0
    ranks = np.linspace(-1, 1, 50_000).astype(np.float32)
    back = encoder.decode(None, ranks, rng, rows=50_000).to_numpy()
    assert np.mean(back == 0.5) == pytest.approx(0.015, abs=0.002)
    assert len(np.unique(back)) > 40_000


def test_gaps_stay_empty() -> None:
    rng = np.random.default_rng(0)
    # nothing lies between the spike and the rest
    values = np.where(rng.random(5_000) < 0.5, 0.0, 100 + rng.random(5_000))
    numbers = np.array(drawn(encoder_of(pa.array(values), 5), 3_000))
    assert ((numbers == 0) | (numbers > 100)).all()
    assert len(np.unique(numbers)) > 500


def test_spikes_survive_beyond_the_exact_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_summary, "EXACT_VALUES", 2_000)
    rng = np.random.default_rng(0)
    values = np.where(rng.random(50_000) < 0.3, 123_456, rng.integers(0, 10**6, 50_000))
    array = pa.array(values)
    encoder = encoder_of(array, 5)
    assert encoder.spikes.tolist() == [123_456]
    codes, scalar = encoder.encode(array, rng)
    assert np.mean(codes == 0) == pytest.approx(np.mean(values == 123_456))
    back = encoder.decode(codes, scalar, rng, rows=50_000).to_numpy()
    assert np.abs(back - values)[np.argsort(values)][5:-5].max() < 3_000


@pytest.mark.parametrize(
    ("values", "found", "step"),
    [
        (np.round(np.random.default_rng(0).normal(size=5_000) * 50, 2), pa.float64(), 0.01),
        (np.round(np.random.default_rng(0).normal(size=5_000) * 50, 1), pa.float32(), 0.1),
        (np.random.default_rng(0).integers(0, 9_999, 5_000) * 1_000, pa.int64(), 1_000),
        (np.random.default_rng(0).integers(0, 9_999, 5_000), pa.int32(), 1),
    ],
)
def test_rounded_numbers_stay_rounded(values: np.ndarray, found: pa.DataType, step: float) -> None:
    encoder = encoder_of(pa.array(values).cast(found), 5)
    numbers = np.array(drawn(encoder, 3_000), dtype=np.float64)
    steps = numbers / step
    assert np.abs(steps - np.rint(steps)).max() < 1e-3
    assert len(np.unique(numbers)) > 500


def test_decimals_are_exact_in_decimal_columns() -> None:
    cents = np.random.default_rng(0).integers(0, 10**7, 3_000)
    array = pa.array([Decimal(int(cent)) / 100 for cent in cents], pa.decimal128(12, 2))
    numbers = drawn(encoder_of(array, 5), 1_000)
    assert all(number == round(number, 2) and isinstance(number, Decimal) for number in numbers)


def test_times_keep_their_clock() -> None:
    rng = np.random.default_rng(0)
    days = rng.integers(0, 5_000, 4_000)
    midnight = pa.array(days * 86_400).cast(pa.timestamp("s"))
    zoned = pa.compute.assume_timezone(midnight, "Europe/Berlin").cast(
        pa.timestamp("ms", "Europe/Berlin")
    )
    for array in (midnight, zoned):
        moments = drawn(encoder_of(array, 5), 2_000)
        assert {moment.time() for moment in moments} == {dt.time(0)}
        assert len(set(moments)) > 1_000
    weekly = pa.array((days * 7 + 3).astype(np.int32)).view(pa.date32())
    assert len({day.weekday() for day in drawn(encoder_of(weekly, 5), 500)}) == 1


def test_whole_numbers_above_two_to_the_53_keep_every_bit() -> None:
    base = 2**60 + 1
    array = pa.array([base + 2 * number for number in range(3_000)])
    numbers = drawn(encoder_of(array, 5), 2_000)
    assert all(number % 2 == 1 for number in numbers)
    few = pa.array([2**63 - 1, 2**63 - 2, -(2**63)] * 9)
    assert set(drawn(encoder_of(few, 5))) == set(few.to_pylist())
    huge = pa.array([2**64 - 1 - number for number in range(2_000)], pa.uint64())
    assert min(drawn(encoder_of(huge, 5), 500)) >= 2**64 - 2_000


def test_declared_decimals_and_bounds_are_kept() -> None:
    rng = np.random.default_rng(0)
    array = pa.array(rng.normal(size=2_000).round(3))
    numbers = drawn(encoder_of(array, 5, kind="number", decimals=1), 2_000)
    assert all(round(number, 1) == number for number in numbers)
    encoder = encoder_of(array, 5, kind="number", decimals=0, bounds=(-3.9, 3.9))
    assert set(drawn(encoder, 2_000)) <= {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0}
    assert there_and_back(encoder, array).to_pylist().count(0.0) > 500
    even = pa.array(np.random.default_rng(0).uniform(-1.9, 1.9, 2_000))
    encoder = encoder_of(even, 5, kind="number", decimals=0, bounds=(-1.9, 1.9))
    assert set(there_and_back(encoder, even).to_pylist()) == {-1.0, 0.0, 1.0}
    assert encoder.support == (-1.0, 1.0)


def test_empty_and_constant_columns_have_no_code() -> None:
    for array in (
        pa.nulls(9, pa.float64()),
        pa.nulls(9, TEXT),
        pa.nulls(9, pa.bool_()),
        pa.array([5] * 9),
        pa.array(["a"] * 9, TEXT),
        pa.array([True] * 9),
    ):
        encoder = encoder_of(array)
        assert (encoder.options, encoder.ranks) == (0, None)
        assert drawn(encoder, 9) == array.to_pylist()
    half = pa.array([5, None] * 9)
    assert encoder_of(half).options == 2
    assert there_and_back(encoder_of(half), half).equals(half)


def test_many_levels_share_buckets_by_frequency() -> None:
    rng = np.random.default_rng(0)
    numbers = np.minimum(rng.exponential(150, 40_000).astype(int), 999)
    array = pa.array([f"level {number}" for number in numbers], TEXT)
    encoder = encoder_of(array, 5)
    assert isinstance(encoder, CategoryEncoder)
    assert encoder.options == categories.OWN_OPTIONS + categories.BUCKETS
    back = there_and_back(encoder, array)
    true, made = (np.bincount([int(t[6:]) for t in a.to_pylist()]) for a in (array, back))
    assert np.abs(true[:900] - made[:900]).sum() / 40_000 < 0.1
    sizes = np.bincount(encoder.encode(array, rng)[0], minlength=encoder.options)
    tail = sizes[categories.OWN_OPTIONS :]
    assert tail.max() < 2 * tail.min()
    frequent = {f"level {number}" for number in np.flatnonzero(np.bincount(numbers) >= 5)}
    assert set(back.to_pylist()) <= frequent


def test_levels_seen_too_rarely_give_their_share_to_the_others() -> None:
    array = pa.array(["a"] * 60 + ["b"] * 30 + ["c"] * 4 + ["d"] * 5 + [None] * 3, TEXT)
    encoder = encoder_of(array, 5)
    assert (encoder.levels.to_pylist(), encoder.protected) == (["a", "b", "d"], 1)
    codes, _ = encoder.encode(array, None)
    assert codes[90:94].tolist() == [-1] * 4
    codes, _ = encoder.encode(pa.array(["c"] * 2_000, TEXT), np.random.default_rng(0))
    shares = np.bincount(codes, minlength=3) / 2_000
    assert shares[:3] == pytest.approx(np.array([60, 30, 5]) / 95, abs=0.04)
    codes, _ = encoder.encode(pa.array([None], TEXT), None)
    assert codes.tolist() == [encoder.null]


def test_a_category_with_nothing_to_emit_is_refused() -> None:
    array = pa.array([f"name {number}" for number in range(30)], TEXT)
    with pytest.raises(SchemaError, match=r"'x'.*30.*fewer than 5.*rare.*rare_threshold=1.*drop"):
        encoder_of(array, 5)
    assert len(encoder_of(array, 1).levels) == 30


def test_a_category_with_nothing_but_missing_cells_to_emit_comes_out_missing() -> None:
    array = pa.array([f"name {number}" for number in range(30)] + [None], TEXT)
    encoder = encoder_of(array, 5)
    assert (encoder.is_hidden, encoder.protected, encoder.options) == (True, 30, 0)
    assert there_and_back(encoder, array).null_count == 31
    assert not encoder_of(array, 1).is_hidden
    assert not encoder_of(pa.nulls(31, TEXT), 5).is_hidden


def test_dictionaries_keep_all_declared_levels_in_order() -> None:
    levels = pa.array(["low", "middle", "high", "unused"], TEXT)
    codes = pa.array([2, 0, 0, None, 2, 1] * 5, pa.int32())
    array = pa.DictionaryArray.from_arrays(codes, levels, ordered=True)
    encoder = encoder_of(array, 5)
    back = there_and_back(encoder, array)
    assert back.dictionary.equals(levels)
    assert back.to_pylist() == array.to_pylist()
    assert set(drawn(encoder, 200, ("middle", None))) == {"middle", "high"}
    assert set(drawn(encoder, 200, (None, "low"))) == {"low"}
    with pytest.raises(ConditionError, match="no level that was learned"):
        encoder.region(("unused", None))
    with pytest.raises(ConditionError, match="did you mean 'middle'"):
        encoder.region(("midle", None))


@st.composite
def conditions(draw: st.DrawFn) -> tuple[pa.Array, Any]:
    """A column of numbers and a condition that some of its rows meet."""
    array = draw(number_columns())
    told = array.drop_null().to_pylist()
    if not told or (array.null_count and draw(st.booleans())):
        return array, None if array.null_count else ...
    low, high = sorted([draw(st.sampled_from(told)), draw(st.sampled_from(told))])
    several = draw(st.lists(st.sampled_from(told), min_size=1, max_size=4))
    choices = [low, (low, high), (low, None), (None, high), several]
    if array.null_count:
        choices.append([low, None])
    return array, draw(st.sampled_from(choices))


def meets(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        low, high = wanted
        return (
            value is not None and (low is None or value >= low) and (high is None or value <= high)
        )
    return value in wanted if isinstance(wanted, list) else value == wanted


@settings(deadline=None, max_examples=250)
@given(conditions(), st.integers(0, 5))
def test_conditions_on_numbers_are_met_in_every_row(
    condition: tuple[pa.Array, Any], seed: int
) -> None:
    array, wanted = condition
    encoder = encoder_of(array)
    values = drawn(encoder, 60, wanted, seed)
    if wanted is not ...:
        assert all(meets(value, wanted) for value in values)
        assert set(values) <= set(array.to_pylist())


@settings(deadline=None, max_examples=150)
@given(conditions())
@example((pa.array([None, -(2**63)]), None))
@example((pa.array([None, 2**63 - 1]), None))
def test_rows_that_meet_a_condition_lie_in_its_region(condition: tuple[pa.Array, Any]) -> None:
    array, wanted = condition
    if wanted is ...:
        return
    encoder = encoder_of(array)
    region = encoder.region(wanted)
    codes, scalar = encoder.encode(array, np.random.default_rng(0))
    rows = np.array([meets(value, wanted) for value in array.to_pylist()])
    if codes is not None:
        assert region.options is not None
        assert len(region.options) == encoder.options
        assert region.options[codes[rows]].all()
        if not isinstance(wanted, list):
            assert not region.options[codes[~rows]].all() or rows.all() or scalar is not None
    if scalar is not None and region.intervals is not None:
        alive = rows if codes is None else rows & (codes == encoder.alive)
        lows, highs = np.array(region.intervals).T
        assert (lows[1:] > highs[:-1]).all()
        told = scalar[alive][:, None]
        assert ((told >= lows - 1e-6) & (told <= highs + 1e-6)).any(axis=1).all()


@settings(deadline=None, max_examples=200)
@given(conditions(), st.integers(2, 6), st.integers(0, 3), st.sampled_from([0, None]))
def test_protection_and_conditions_go_together(
    condition: tuple[pa.Array, Any], threshold: int, seed: int, encoding: int | None
) -> None:
    array, wanted = condition
    encoder = encoder_of(array, threshold)
    rng = None if encoding is None else np.random.default_rng(encoding)
    codes, scalar = encoder.encode(array, rng)
    assert codes is None or ((codes >= 0) & (codes < encoder.options)).all()
    assert scalar is None or (np.abs(scalar) <= 1).all()
    back = encoder.decode(codes, scalar, np.random.default_rng(0), rows=len(array))
    if encoder.learned is not None:
        assert back.null_count == array.null_count
        told = array.drop_null().to_pylist()
        assert all(min(told) <= value <= max(told) for value in back.drop_null().to_pylist())
    try:
        values = drawn(encoder, 60, wanted, seed)
    except ConditionError:
        return
    assert wanted is ... or all(meets(value, wanted) for value in values)


@pytest.mark.parametrize(
    "wanted",
    [(0.2, 0.3), (0.2, None), (None, -1.5), 0.251, [0.25, -1.2, None], None, (-0.004, 0.004)],
)
def test_conditions_inside_a_continuous_column(wanted: Any) -> None:
    rng = np.random.default_rng(0)
    array = pa.array(rng.normal(size=4_000).round(3), mask=rng.random(4_000) < 0.1)
    values = drawn(encoder_of(array, 5), 2_000, wanted)
    if isinstance(wanted, list):
        assert set(values) == set(wanted)
    else:
        assert all(meets(value, wanted) for value in values)
    if isinstance(wanted, tuple):
        # spread over the whole range, not crowded at its ends
        ends = sum(value in (min(values), max(values)) for value in values)
        assert len(set(values)) == 1 or ends < 1_000


def test_the_ends_of_a_condition_need_not_be_values_of_the_column() -> None:
    thousands = pa.array(np.random.default_rng(0).integers(0, 5_000, 4_000) * 1_000)
    encoder = encoder_of(thousands, 5)
    assert set(drawn(encoder, 200, (1_500_500, 1_502_900))) == {1_501_000, 1_502_000}
    with pytest.raises(ConditionError, match="nothing that was learned"):
        encoder.region((1_500_001, 1_500_999))
    with pytest.raises(ConditionError, match="1500500"):
        encoder.region(1_500_500)
    rounded = pa.array(np.random.default_rng(0).normal(size=4_000).round(3).astype(np.float32))
    values = drawn(encoder_of(rounded, 5), 200, (0.2513, 0.2535))
    assert {round(value, 3) for value in values} == {0.252, 0.253}


def test_a_condition_on_spikes_keeps_their_shares() -> None:
    array = pa.array([0] * 600 + [10] * 200 + list(range(20, 120)) * 2)
    encoder = encoder_of(array, 1)
    values = np.array(drawn(encoder, 6_000, (0, 30)))
    assert set(values) == {0, 10, *range(20, 31)}
    region = encoder.region((0, 10))
    assert region.options.tolist() == [True, True, False]
    assert region.intervals is None


def test_values_of_about_the_same_weight_are_no_spikes_but_one_that_stands_out_is() -> None:
    degrees = [value for value in range(20) for _ in range(40 + value)]
    assert not len(encoder_of(pa.array(degrees), 5).spikes)
    assert encoder_of(pa.array(degrees + [7] * 800), 5).spikes.tolist() == [7]
    assert encoder_of(pa.array(degrees + [-1] * 5_000 + [99] * 600), 5).spikes.tolist() == [-1, 99]


def test_values_of_a_list_have_an_interval_each() -> None:
    array = pa.array(np.random.default_rng(0).normal(size=4_000))
    encoder = encoder_of(array, 5)
    wanted = [-1.0, 0.0, 1.0]
    intervals = encoder.region(wanted).intervals
    assert len(intervals) == 3
    assert all(high - low < 0.01 for low, high in intervals)
    scalar = np.repeat(np.array([np.mean(each) for each in intervals], np.float32), 50)
    rng = np.random.default_rng(0)
    values = encoder.decode(None, scalar, rng, wanted, rows=len(scalar)).to_pylist()
    assert values == np.repeat(wanted, 50).tolist()
    near = encoder.region([0.0, 0.0001, 1.0])
    assert len(near.intervals) == 2
    assert set(drawn(encoder, 4_000, [0.0, 0.0001, 1.0])) == {0.0, 0.0001, 1.0}
    assert len(encoder.region((-1.0, 1.0)).intervals) == 1


def test_values_of_a_list_keep_the_ranks_they_have() -> None:
    rng = np.random.default_rng(0)
    ages = rng.choice(np.arange(18, 90), 8_000)
    encoder = encoder_of(pa.array(ages), 5)
    codes, scalar = encoder.encode(pa.array(ages), rng)
    inside = np.isin(ages, (60, 61, 80))
    codes = None if codes is None else codes[inside]
    back = encoder.decode(codes, scalar[inside], rng, [60, 61, 80], rows=int(inside.sum()))
    assert back.to_pylist() == ages[inside].tolist()


def test_values_of_a_narrow_range_are_spread() -> None:
    array = pa.array(np.random.default_rng(0).normal(size=4_000))
    for low, high in ((0.2, 0.2005), (-0.0001, 0.0001), (1.0, 1.002)):
        values = np.array(drawn(encoder_of(array, 5), 1_000, (low, high)))
        assert ((values >= low) & (values <= high)).all()
        assert np.isin(values, (low, high)).mean() < 0.1
        quarters = low + (high - low) * np.array([0.25, 0.75])
        found = np.quantile(values, [0.25, 0.75])
        assert found == pytest.approx(quarters, abs=0.1 * (high - low))


@pytest.mark.parametrize("rows", [9, 10, 11, 12, 13, 101, 4_000])
def test_no_stored_point_of_a_protected_column_is_a_row(rows: int) -> None:
    values = np.random.default_rng(0).normal(size=rows)
    encoder = encoder_of(pa.array(values), 5)
    stored = [encoder.spikes] if encoder.ranks is None else [encoder.spikes, encoder.ranks.points]
    assert not np.isin(np.concatenate(stored), values).any()


@settings(deadline=None, max_examples=100)
@given(category_columns(), st.integers(0, 5), st.data())
def test_conditions_on_categories_are_met_in_every_row(
    array: pa.Array, seed: int, data: st.DataObject
) -> None:
    encoder = encoder_of(array, kind=kind_of_category(array))
    told = list(dict.fromkeys(array.to_pylist()))
    wanted = data.draw(st.lists(st.sampled_from(told), min_size=1, max_size=3))
    assert set(drawn(encoder, 80, wanted, seed)) <= set(wanted)
    assert set(drawn(encoder, 30, wanted[0], seed)) == {wanted[0]}
    region = encoder.region(wanted)
    codes, _ = encoder.encode(array, None)
    if codes is not None:
        inside = np.array([value in wanted for value in array.to_pylist()])
        assert (region.options[codes] == inside).all()


def test_a_condition_on_a_level_inside_a_bucket() -> None:
    array = pa.array([f"level {number % 700}" for number in range(7_000)], TEXT)
    encoder = encoder_of(array, 5)
    assert set(drawn(encoder, 300, "level 650")) == {"level 650"}
    assert set(drawn(encoder, 300, ["level 650", "level 3"])) == {"level 650", "level 3"}
    assert encoder.region("level 650").options.sum() == 1


@pytest.mark.parametrize(
    ("array", "wanted", "words"),
    [
        (pa.array([17, 18, 90] * 9), 57, ["'x'", "57", "17 to 90", "18 and 90"]),
        (pa.array([17, 18, 90] * 9), (91, None), ["17 to 90"]),
        (pa.array([17, 18, 90] * 9), (19, 89), ["nothing that was learned"]),
        (pa.array([17, 18, 90] * 9), (30, 20), ["low <= high"]),
        (pa.array([17, 18, 90] * 9), (1, 2, 3), ["(low, high)"]),
        (pa.array([17, 18, 90] * 9), None, ["no cell was missing"]),
        (pa.array([17, 18, 90] * 9), "old", ["'old'", "int64"]),
        (pa.array([17, 18, 90] * 9), 17.5, ["17.5", "int64"]),
        (pa.array([17, 18, 90] * 9), [], ["at least one value"]),
        (pa.array([17, 18, 90] * 9), {"low": 1}, ["(low, high) tuple"]),
        (pa.array([17, 18, 90] * 9), 300, ["300"]),
        (pa.array([1.5, 2.5] * 9), float("inf"), ["inf"]),
        (pa.array(["Ulm", "Bonn"] * 9, TEXT), "Bon", ["did you mean 'Bonn'"]),
        (pa.array(["Ulm", "Bonn"] * 9, TEXT), "Köln", ["too rare", "known are 'Bonn', 'Ulm'"]),
        (pa.array(["Ulm", "Bonn"] * 9, TEXT), ("Bonn", "Ulm"), ["needs an order"]),
        (pa.array(["Ulm", "Bonn"] * 9, TEXT), 5, ["5"]),
        (pa.array(["Ulm", "Bonn"] * 9, TEXT), None, ["no cell was missing"]),
        (pa.array([True, False] * 9), "yes", ["'yes'"]),
        (pa.nulls(9, pa.int64()), 5, ["every cell is missing"]),
        (pa.nulls(9, TEXT), "a", ["every cell is missing"]),
    ],
)
def test_a_condition_that_cannot_be_met_says_why(
    array: pa.Array, wanted: Any, words: list[str]
) -> None:
    encoder = encoder_of(array)
    for ask in (encoder.region, lambda asked: drawn(encoder, 5, asked)):
        with pytest.raises(ConditionError) as refusal:
            ask(wanted)
        for word in ["'x'", *words]:
            assert word in str(refusal.value)


def test_all_problems_of_a_list_are_told() -> None:
    with pytest.raises(ConditionError) as refusal:
        encoder_of(pa.array(["a", "b"] * 9, TEXT)).region(["a", "c", "d"])
    assert "'c'" in str(refusal.value)
    assert "'d'" in str(refusal.value)


@pytest.mark.parametrize(
    "wanted",
    [
        np.int8(20),
        np.array([20, 30]),
        {20, 30},
        range(20, 31, 10),
        (19.5, 30.5),
        (float("nan"), 30),
        (-(10**30), 30),
    ],
)
def test_conditions_come_in_many_types(wanted: Any) -> None:
    assert set(drawn(encoder_of(pa.array([20, 30, 40] * 9)), 90, wanted)) <= {20, 30}


def test_moments_are_asked_for_to_the_nanosecond() -> None:
    pd = pytest.importorskip("pandas")
    ticks = np.array([10**18 + 1, 10**18 + 2, 10**18 + 3] * 9)
    array = pa.array(ticks).cast(pa.timestamp("ns"))
    wanted = pd.Timestamp(10**18 + 2)
    assert {value.value for value in drawn(encoder_of(array), 50, wanted)} == {10**18 + 2}
    assert {value.value for value in drawn(encoder_of(array), 50, wanted.asm8)} == {10**18 + 2}
    assert set(drawn(encoder_of(pa.array([None, 1, 2] * 9)), 20, pd.NA)) == {None}
    assert set(drawn(encoder_of(pa.array([None, 1, 2] * 9)), 20, pd.NaT)) == {None}


@pytest.mark.parametrize(
    ("found", "low", "high"),
    [
        (pa.timestamp("s"), np.datetime64("1970-01-01T00:00:01.9"), "1970-01-01T00:00:03.9"),
        (pa.timestamp("s"), "1970-01-01T00:00:01.9", dt.datetime(1970, 1, 1, 0, 0, 3, 5)),
        (pa.timestamp("s"), "1970-01-01T00:00:01.000000001", None),
        (pa.timestamp("s", "UTC"), "1970-01-01T01:00:01.000000001+01:00", "1970-01-01T00:00:03Z"),
        (pa.timestamp("ns"), "1970-01-01T00:00:00.000000002", "1970-01-01T00:00:00.000000003"),
        (pa.duration("s"), np.timedelta64(1_900, "ms"), 3.9),
        (pa.duration("s"), 1.5, np.timedelta64(3_999_999, "us")),
    ],
)
def test_ends_between_two_ticks_are_drawn_in(found: pa.DataType, low: Any, high: Any) -> None:
    array = pa.array([1, 2, 3] * 9).cast(found)
    encoder = encoder_of(array)
    values = pa.array(drawn(encoder, 90, (low, high)), found).cast(pa.int64()).to_pylist()
    assert set(values) == {2, 3}


def test_text_is_read_to_the_nanosecond() -> None:
    array = pa.array([10**18 + 1, 10**18 + 2] * 9).cast(pa.timestamp("ns"))
    encoder = encoder_of(array)
    assert encoder.region("2001-09-09T01:46:40.000000002").options.tolist() == [False, True]
    with pytest.raises(ConditionError, match="0999"):
        encoder.region("0999-01-01")


def test_dates_are_asked_for_as_text() -> None:
    days = pa.array(np.arange(15_000, 16_000, dtype=np.int32)).view(pa.date32())
    wanted = ("2012-01-01", "2012-01-31")
    values = drawn(encoder_of(days, 5), 500, wanted)
    assert {(value.year, value.month) for value in values} == {(2012, 1)}
    assert set(drawn(encoder_of(days, 5), 50, "2012-02-29")) == {dt.date(2012, 2, 29)}


# identifiers ------------------------------------------------------------------------------------


def identifiers(array: pa.Array, rows: int, first_row: int = 0) -> list[Any]:
    encoder = encoder_of(array, 5, kind="id")
    assert isinstance(encoder, IdEncoder)
    assert (encoder.encode(array, None), encoder.options) == ((None, None), 0)
    made = encoder.decode(None, None, np.random.default_rng(0), rows=rows, first_row=first_row)
    assert made.type == array.type
    return made.to_pylist()


RNG = np.random.default_rng(7)
IDS = {
    "running": ([f"user_{number}" for number in range(500)], r"user_\d{3,}"),
    "padded": ([f"R{number:05d}" for number in range(500)], r"R\d{5}"),
    "tail": ([f"{number:06d}-DE" for number in range(500)], r"\d{6}-DE"),
    "hex": ([f"{number:016x}" for number in RNG.integers(0, 2**62, 2_000)], r"[0-9a-f]{16}"),
    "uuid": (
        [
            f"{a:08x}-{b:04x}-4{c:03x}-8{c:03x}-{a:012x}"
            for a, b, c in RNG.integers(0, 4_096, (999, 3))
        ],
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
    ),
    "digits": ([f"{number:09d}" for number in RNG.integers(0, 10**9, 2_000)], r"\d{9}"),
    "plates": (
        [f"{chr(65 + a)}{chr(65 + b)} {c:04d}" for a, b, c in RNG.integers(0, 26, (900, 3))],
        r"[A-Z]{2} \d{4,}",
    ),
    "lengths": (
        ["".join(map(str, RNG.integers(0, 9, n % 9 + 3))) + "x" for n in range(400)],
        r".*",
    ),
    "not ascii": ([f"Straße {chr(0x4E00 + number)}" for number in range(300)], r".*"),
    "one of each": ([chr(97 + number) for number in range(26)], r".+"),
}


@pytest.mark.parametrize("name", IDS)
def test_identifiers_are_new_unique_and_in_the_pattern(name: str) -> None:
    texts, pattern = IDS[name]
    array = pa.array(list(dict.fromkeys(texts)), TEXT)
    made = identifiers(array, 30_000)
    assert len(set(made)) == 30_000
    assert not set(made) & set(texts)
    matched = pa.compute.match_substring_regex(pa.array(made), f"^{pattern}$")
    assert pa.compute.all(matched).as_py()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=60, unique=True))
def test_identifiers_of_any_text_are_new_and_unique(texts: list[str]) -> None:
    made = identifiers(pa.array(texts, TEXT), 300)
    assert len(set(made)) == 300
    assert not set(made) & set(texts)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=60, unique=True),
    st.sampled_from([pa.int32(), pa.int64(), pa.float64()]),
)
def test_identifiers_of_whole_numbers_are_new_and_unique(
    numbers: list[int], found: pa.DataType
) -> None:
    made = identifiers(pa.array(numbers).cast(found), 300)
    assert len(set(made)) == 300
    assert not set(made) & set(numbers)


def test_an_identifier_is_a_function_of_its_row() -> None:
    for array in (pa.array(IDS["hex"][0], TEXT), pa.array(range(100, 200))):
        whole = identifiers(array, 100)
        assert whole[40:] == identifiers(array, 60, first_row=40)


def test_identifiers_go_on_where_a_pattern_has_no_more_room() -> None:
    numbers = np.random.default_rng(0).integers(0, 10**8, 1_000)
    texts = [f"{number:08d}" for number in dict.fromkeys(numbers.tolist())]
    encoder = encoder_of(pa.array(texts, TEXT), kind="id")
    room = encoder.patterns[0].room
    made = encoder.decode(None, None, RNG, rows=200, first_row=room - 100).to_pylist()
    assert len(set(made)) == 200
    assert {len(text) for text in made[:100]} == {8}
    assert min(len(text) for text in made[100:]) > 8
    assert not set(made) & set(texts)


def test_identifiers_beyond_the_exact_limit_are_longer_than_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synthgan.data.level_summary.EXACT_LEVELS", 100)
    texts = [f"{number:08x}" for number in range(5_000)]
    made = identifiers(pa.array(texts, TEXT), 1_000)
    assert len(set(made)) == 1_000
    assert min(map(len, made)) > 8
    assert all(set(text) <= set("0123456789abcdef") for text in made)


def test_numbers_at_the_end_of_their_type() -> None:
    made = identifiers(pa.array([127, 126, 125], pa.int8()), 200)
    assert len(set(made)) == 200
    assert not set(made) & {127, 126, 125}
    large = [2**64 - 1, 2**64 - 3, 0]
    made = identifiers(pa.array(large, pa.uint64()), 200)
    assert len(set(made)) == 200
    assert not set(made) & set(large)
    with pytest.raises(SchemaError, match="fill the whole of int8"):
        encoder_of(pa.array(range(-128, 128), pa.int8()), kind="id")
    with pytest.raises(SchemaError, match="252 new identifiers fit into int8"):
        identifiers(pa.array([127, 126, 125, 124], pa.int8()), 300)


@pytest.mark.parametrize(
    ("numbers", "found", "rows"),
    [
        (range(500), pa.decimal128(3, 0), 499),
        (range(500), pa.decimal128(5, 2), 499),
        (range(100), pa.decimal128(38, 0), 500),
        (range(2**24 - 300, 2**24), pa.float32(), 500),
        (range(2**25, 2**25 + 2_000, 4), pa.float32(), 500),
        (range(-(2**25), -(2**25) + 2_000, 4), pa.float32(), 500),
    ],
)
def test_identifiers_are_whole_numbers_that_the_type_can_hold(
    numbers: range, found: pa.DataType, rows: int
) -> None:
    array = pa.array([float(each) for each in numbers]).cast(found)
    for said in ({}, {"kind": "id"}):
        column = infer_column("id", found, summarise(array), said)
        assert column.kind == "id"
        encoder = build_encoder(column, summarise(array), 5)
        made = encoder.decode(None, None, np.random.default_rng(0), rows=rows).to_pylist()
        assert len(set(made)) == rows
        assert not set(made) & set(array.to_pylist())


def test_identifiers_may_be_missing() -> None:
    array = pa.array(["R1", None, "R3", "R4"] * 1, TEXT)
    encoder = encoder_of(array, kind="id")
    codes, scalar = encoder.encode(array, None)
    assert (codes.tolist(), scalar, encoder.options, encoder.null) == ([0, 1, 0, 0], None, 2, 1)
    made = encoder.decode(codes, None, RNG, rows=4).to_pylist()
    assert [text is None for text in made] == [False, True, False, False]
    assert encoder.region(None).options.tolist() == [False, True]
    assert encoder.decode(codes, None, RNG, None, rows=4).null_count == 4
    for wanted in ("R1", ["R1", None], ("R1", None)):
        with pytest.raises(ConditionError, match="made anew"):
            encoder.region(wanted)
    with pytest.raises(ConditionError, match="no cell was missing"):
        encoder_of(pa.array(["R1", "R2"], TEXT), kind="id").region(None)


def test_no_learned_identifier_is_stored() -> None:
    texts = IDS["hex"][0]
    header, arrays = encoder_of(pa.array(texts, TEXT), kind="id").to_state()
    assert arrays == {}
    stored = json.dumps(header)
    assert not any(text in stored for text in texts)
    assert len(stored) < 2_000


def test_a_category_of_dictionary_identifiers_keeps_its_type() -> None:
    array = pa.array([f"R{number}" for number in range(50)], TEXT).dictionary_encode()
    array = array.cast(pa.dictionary(pa.int32(), TEXT))
    assert len(set(identifiers(array, 70))) == 70


def test_number_encoder_is_what_numbers_get() -> None:
    assert isinstance(encoder_of(pa.array([1.5, 2.5])), NumberEncoder)
