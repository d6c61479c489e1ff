"""Attacks with known answers: copies, fresh rows, tables of every awkward shape."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.attacks import attacks
from synthgan.evaluation.attacks.attribute_inference import is_right, secrets
from synthgan.evaluation.attacks.neighbours import nearest
from synthgan.evaluation.attacks.queries import (
    AT_LEAST,
    EQUAL,
    KNOWN,
    NULL,
    UNEQUAL,
    Population,
    Queries,
    distinct,
)
from synthgan.evaluation.attacks.rates import Count, figures
from synthgan.evaluation.attacks.singling_out import control_count
from synthgan.evaluation.reference import Reference

KINDS = ("univariate", "multivariate")


def people(rows: int, seed: int) -> pa.Table:
    """Numbers, one with nulls, categories with nulls, a moment, a flag."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pa.table(
        {
            "x": x,
            "y": pa.array(x + rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "age": rng.integers(17, 90, rows),
            "town": pa.array(
                np.array(["Ulm", "Bonn", "Kiel", "Rom"])[rng.integers(0, 4, rows)].tolist(),
                mask=rng.random(rows) < 0.1,
            ),
            "day": pa.array(rng.integers(0, 9_000, rows).astype("datetime64[D]")),
            "flag": rng.random(rows) < 0.3,
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(people(600, 0), people(400, 1), target="flag", seed=0)


def four(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of all four attacks."""
    single = result["singling_out"]
    worst = result["attribute_inference"]["worst"]
    return [*(single[kind] for kind in KINDS), result["linkability"], worst]


def test_a_copy_is_caught_by_every_attack(reference: Reference) -> None:
    result = attacks(reference, reference.real)
    for found in four(result):
        assert found["risk"] > 0.5
        assert found["risk_interval"][0] > 0.4
        assert found["rate"] > found["baseline_rate"]


def test_fresh_rows_are_caught_by_none(reference: Reference) -> None:
    result = attacks(reference, reference.code(people(600, 2)))
    for found in four(result)[:3]:
        assert found["risk_interval"][0] < 0.05
    inferred = result["attribute_inference"]["columns"].values()
    assert np.mean([found["risk"] for found in inferred]) < 0.1


def test_some_leaked_rows_lie_between(reference: Reference) -> None:
    leaked = pa.concat_tables([people(600, 0).slice(0, 300), people(300, 3)])
    fresh = attacks(reference, reference.code(people(600, 2)))
    some = attacks(reference, reference.code(leaked))
    whole = attacks(reference, reference.real)
    for kind in KINDS:
        low, middle, high = (each["singling_out"][kind]["risk"] for each in (fresh, some, whole))
        assert low < middle < high


def test_the_same_seed_gives_the_same_figures(reference: Reference) -> None:
    again = Reference(people(600, 0), people(400, 1), target="flag", seed=0)
    other = Reference(people(600, 0), people(400, 1), target="flag", seed=1)
    found = attacks(reference, reference.code(people(500, 2)))
    assert found == attacks(again, again.code(people(500, 2)))
    assert found != attacks(other, other.code(people(500, 2)))


def test_without_a_holdout_there_is_no_risk_and_a_reason() -> None:
    reference = Reference(people(200, 0), seed=0)
    for found in four(attacks(reference, reference.code(people(200, 2)))):
        assert found["rate"] is not None
        assert found["risk"] is found["control_rate"] is None
        assert "holdout" in found["reason"]


def test_a_floor_has_the_same_paths(reference: Reference) -> None:
    found = reference.code(people(300, 2))
    whole, floor = attacks(reference, found), attacks(reference, found, detail=False)
    for ours, theirs in zip(four(floor), four(whole), strict=True):
        assert ours.keys() == theirs.keys()
        assert ours["attacks"] <= theirs["attacks"]


AWKWARD = {
    "two rows": pa.table({"n": [1, 2], "town": ["Ulm", "Bonn"]}),
    "one row": pa.table({"n": [1], "town": ["Ulm"]}),
    "one column": pa.table({"n": [1.0, 2.5, 3.0, None]}),
    "one constant column": pa.table({"n": [1, 1, 1]}),
    "all null": pa.table({"n": pa.array([None] * 5, pa.float64()), "m": [1, 2, 3, 4, 5]}),
    "null type": pa.table({"n": pa.nulls(5), "m": [1, 2, 3, 4, 5]}),
    "no numbers": pa.table({"a": ["x", "y", None, "x"], "b": [True, False, True, None]}),
    "no categories": pa.table({"a": [1.5, 2.5, None], "b": [1, 2, 3]}),
    "huge": pa.table({"a": [-1.7e308, 1.7e308, 0.0], "b": [1, 2, 3]}),
    "moments": pa.table(
        {
            "at": [dt.datetime(2020, 1, 1), None, dt.datetime(2024, 5, 5)],
            "span": [dt.timedelta(1), dt.timedelta(2), None],
            "on": [True, False, True],
        }
    ),
    "wide": pa.table({f"c{i}": [i, i + 1, i * 2 % 7] for i in range(200)}),
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("held", [True, False])
def test_awkward_tables_get_figures_or_reasons(name: str, held: bool) -> None:
    table = AWKWARD[name]
    reference = Reference(table, table if held else None, seed=0)
    for detail in (True, False):
        result = attacks(reference, reference.code(table), detail=detail)
        json.dumps(result, allow_nan=False)
        for found in four(result):
            assert found["rate"] is not None or found["reason"]


def test_queries_treat_nulls_as_no_value() -> None:
    nan = np.nan
    rows = Population(np.array([[1.0, 0.0], [nan, 0.0], [3.0, nan], [3.0, 1.0]]))

    def count(*conditions: tuple[int, int, float]) -> int:
        columns, kinds, values = (np.array([part]) for part in zip(*conditions, strict=True))
        return int(rows.counts(Queries(columns, kinds, values.astype(float)))[0])

    assert count((0, UNEQUAL, 1.0)) == 2
    assert count((0, KNOWN, 0.0)) == 3
    assert count((0, NULL, 0.0)) == 1
    assert count((0, AT_LEAST, 3.0), (1, EQUAL, 1.0)) == 1
    assert count((0, AT_LEAST, 3.0), (1, NULL, 0.0)) == 1
    assert count((0, UNEQUAL, 3.0), (1, UNEQUAL, 1.0)) == 1


def test_distinct_rows_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, (500, 3)).astype(float)
    assert len(distinct(values)) == len(np.unique(values, axis=0))


def test_nearest_is_that_of_a_plain_count() -> None:
    reference = Reference(people(40, 0), seed=0)
    found, real = reference.code(people(30, 1)), reference.real
    views = np.array([[True] * 6, [True, True, True, False, True, False]])
    ours = nearest(found, real, views)
    for view, seen in enumerate(views):
        for row in range(real.rows):
            apart = np.zeros(found.rows)
            for place in np.flatnonzero(seen):
                here, there = found.prepared[place], real.prepared[place]
                if here.values is None or there.values is None:
                    apart += here.codes != there.codes[row]
                    continue
                width = np.ptp(
                    np.concatenate([v[~np.isnan(v)] for v in (here.values, there.values)])
                )
                gaps = np.abs(here.values - there.values[row]) / width
                nulls = np.isnan(here.values) & np.isnan(there.values[row])
                apart += np.where(nulls, 0.0, np.where(np.isnan(gaps), 1.0, gaps))
            assert apart[ours[row, view]] == pytest.approx(apart.min(), abs=1e-5)


def test_a_category_that_the_real_table_never_held_equals_nothing() -> None:
    reference = Reference(pa.table({"town": ["Ulm", "Bonn"], "n": [-1.5, 2.5]}), seed=0)
    other = reference.code(pa.table({"town": ["Rom", None], "n": [-1.52, 2.7]}))
    assert is_right(other, np.array([0, 1]), other, 0).tolist() == [False, True]
    # Within 5 % of the guess, below zero too.
    assert is_right(other, np.array([0, 1]), reference.real, 1).tolist() == [True, False]


def test_moments_that_come_as_text_are_no_easier_to_guess() -> None:
    days = np.arange(0, 3_600, 36).astype("datetime64[D]")
    reference = Reference(pa.table({"day": pa.array(days).cast(pa.timestamp("us"))}), seed=0)
    real, rows = reference.real, np.arange(100)
    text = reference.code(pa.table({"day": np.roll(days, 6).astype(str).tolist()}))
    moments = reference.code(pa.table({"day": pa.array(np.roll(days, 6)).cast(pa.timestamp("us"))}))
    assert not is_right(text, rows, real, 0).any()
    assert not is_right(moments, rows, real, 0).any()
    assert is_right(text, np.roll(rows, -6), real, 0).all()


def test_the_target_is_the_first_secret_and_constants_are_none() -> None:
    table = people(50, 0).append_column("same", pa.array([1] * 50))
    places = secrets(Reference(table, target="flag", seed=0))
    assert places[0] == table.column_names.index("flag")
    assert sorted(places) == list(range(6))


def test_a_shorter_holdout_gives_the_same_control_on_average() -> None:
    rng = np.random.default_rng(0)
    weights = rng.uniform(0, 2e-3, 40_000)
    real, long = rng.binomial(1_000, weights), rng.binomial(1_000, weights)
    same = control_count(real, 1_000, long, 1_000)
    short = control_count(real, 1_000, rng.binomial(250, weights), 250)
    longer = control_count(real, 1_000, rng.binomial(3_000, weights), 3_000)
    expected = same.successes / same.attacks
    assert short.successes / short.attacks == pytest.approx(expected, abs=0.02)
    assert longer.successes / longer.attacks == pytest.approx(expected, abs=0.02)
    assert short.attacks == 10_000


def test_risk_is_what_the_main_attack_wins_of_what_the_control_leaves() -> None:
    found = figures(Count(75_000, 100_000), Count(0, 100_000), Count(50_000, 100_000))
    assert found["risk"] == pytest.approx(0.5, abs=1e-4)
    assert found["risk_interval"][0] < 0.5 < found["risk_interval"][1]
    none = figures(Count(1, 10), Count(0, 10), Count(9, 10))
    assert none["risk"] == 0
