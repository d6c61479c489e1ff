"""Membership inference: a leaking generator is caught, an honest one is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.density_ratio import auc
from synthgan.evaluation.measures.membership import (
    ATTACKS,
    _auc_error,
    _true_positives,
    membership,
)
from synthgan.evaluation.reference import Reference


def people(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    age = rng.integers(17, 90, rows)
    return pa.table(
        {
            "age": age,
            "size": age / 10 + rng.normal(size=rows),
            "pay": pa.array(rng.gamma(2, 1000, rows), mask=rng.random(rows) < 0.1),
            "town": np.array(["Ulm", "Bonn", "Trier"])[rng.integers(0, 3, rows)],
            "flag": rng.random(rows) < 0.3,
        }
    )


def with_noise(table: pa.Table, seed: int, share: float) -> pa.Table:
    """The same rows, each number moved by a share of its spread, every tenth town redrawn."""
    rng = np.random.default_rng(seed)
    moved = {name: table.column(name) for name in table.column_names}
    for name in ("age", "size", "pay"):
        values = table.column(name).to_numpy().astype(float)
        noise = rng.normal(scale=share * np.nanstd(values), size=len(values))
        moved[name] = pa.array(values + noise, from_pandas=True)
    towns = np.array(table.column("town").to_pylist())
    redrawn = rng.random(len(towns)) < 0.1
    moved["town"] = pa.array(np.where(redrawn, rng.permutation(towns), towns))
    return pa.table(moved)


def attacked(
    real: pa.Table, found: pa.Table, holdout: pa.Table | None, *, seed: int = 0, detail: bool = True
) -> dict[str, Any]:
    reference = Reference(real, holdout, seed=seed)
    result = membership(reference, reference.code(found), detail=detail)
    json.dumps(result, allow_nan=False)
    return result


@pytest.mark.parametrize("detail", [True, False])
def test_training_rows_returned_with_noise_are_caught(detail: bool) -> None:
    real, holdout = people(400, 0), people(400, 1)
    found = attacked(real, with_noise(real, 2, 0.05), holdout, detail=detail)
    assert found["splits"] == (5 if detail else 1)
    for name in ATTACKS:
        low, high = found[name]["auc_interval"]
        assert 0.6 < low < found[name]["auc"] < high
        assert found[name]["auc"] > 0.7
        # One split asks for a hundred non-members: where the highest of them lies is chance.
        assert found[name]["tpr_at_1pct_fpr"] > 0.02 or not detail


def test_a_fresh_real_sample_is_not_flagged() -> None:
    real, holdout, fresh = (people(500, seed) for seed in range(3, 6))
    found = attacked(real, fresh, holdout)
    for name in ATTACKS:
        low, high = found[name]["auc_interval"]
        assert low <= 0.5 <= high and high - low < 0.25
        assert found[name]["tpr_at_1pct_fpr"] < 0.06
    assert found["splits"] == 5
    assert found["rows"] == {
        "members": 250,
        "non_members": 250,
        "synthetic": 500,
        "population": 250,
    }


def test_a_copy_is_recognised_row_by_row() -> None:
    real, holdout = people(200, 0), people(200, 1)
    found = attacked(real, real, holdout)["distance"]
    assert found["auc"] > 0.999 and found["tpr_at_1pct_fpr"] > 0.99
    assert found["auc_interval"][1] == 1


def test_a_leak_in_part_is_seen_by_the_calibrated_distance() -> None:
    real, holdout, fresh = (people(600, seed) for seed in range(3))
    part = pa.concat_tables(
        [with_noise(real.slice(0, 300), 3, 0.05), fresh.slice(0, 300)], promote_options="permissive"
    )
    low, _ = attacked(real, part, holdout)["calibrated_distance"]["auc_interval"]
    assert low > 0.52


@pytest.mark.parametrize("shift", [0, 1e6])
def test_independent_columns_reveal_nobody_shifted_or_not(shift: float) -> None:
    real, holdout, other = (people(200, seed) for seed in range(3))
    rng = np.random.default_rng(3)
    shuffled = {n: other.column(n).take(rng.permutation(200)) for n in other.column_names}
    shuffled["size"] = pa.array(shuffled["size"].to_numpy() + shift)
    found = attacked(real, pa.table(shuffled), holdout)
    for name in ("distance", "calibrated_distance"):
        assert found[name]["auc_interval"][0] < 0.52


def test_a_holdout_that_holds_members_does_not_hide_the_leak() -> None:
    """Non-members that stand in the real table too are nobody's mistake: they are not asked."""
    real, other = people(400, 0), people(200, 1)
    holdout = pa.concat_tables([real.slice(0, 200), other, other])
    found = attacked(real, real, holdout)
    assert found["distance"]["auc"] > 0.999
    assert 60 < found["rows"]["non_members"] <= 100


def test_a_holdout_much_smaller_than_the_real_table_is_fair() -> None:
    """Common rows leave members and non-members alike, however many more real rows there are."""

    def towns(rows: int, seed: int) -> pa.Table:
        rng = np.random.default_rng(seed)
        return pa.table({"n": np.floor(rng.exponential(40, rows)), "m": rng.integers(0, 9, rows)})

    found = attacked(towns(4_000, 0), towns(1_000, 1), towns(300, 2))
    low, high = found["distance"]["auc_interval"]
    assert low <= 0.5 <= high


def test_without_a_holdout_or_rows_to_ask_the_reason_is_said() -> None:
    real = people(50, 0)
    for detail in (True, False):
        found = attacked(real, real, None, detail=detail)
        assert found["reason"] == "no holdout was given"
        assert all(found[name]["auc"] is None for name in ATTACKS)
        assert all(found[name]["tpr_at_1pct_fpr"] is None for name in ATTACKS)
    same = pa.table({"flag": [True, False] * 50})
    found = attacked(same, same, same)
    assert found["reason"].startswith("expected at least 10 real and 20 holdout rows")
    assert found["reason"].endswith("found 0 and 0")


@pytest.mark.parametrize("rows", [1, 2, 19, 30])
@pytest.mark.parametrize("columns", [["size"], ["town"], ["age", "flag"], ["pay", "town"]])
def test_tiny_tables_give_figures_or_none(rows: int, columns: list[str]) -> None:
    tables = [people(rows, seed).select(columns) for seed in range(3)]
    found = attacked(*tables)
    for name in ATTACKS:
        assert (found[name]["auc"] is None) == ("reason" in found)
    enough = rows == 30 and columns != ["town"]
    assert ("reason" not in found) == enough


def test_one_synthetic_row_and_empty_columns_are_survived() -> None:
    real, holdout = (
        people(60, seed).append_column("none", pa.nulls(60, pa.float64())) for seed in range(2)
    )
    found = attacked(real, real.slice(0, 1), holdout)
    assert 0 <= found["distance"]["auc"] <= 1


def test_the_seed_decides_every_draw() -> None:
    real, found, holdout = (people(60, seed) for seed in range(3))
    assert attacked(real, found, holdout) == attacked(real, found, holdout)
    assert attacked(real, found, holdout) != attacked(real, found, holdout, seed=1)


def test_true_positives_at_one_percent() -> None:
    others = np.arange(200.0)
    assert _true_positives(np.array([196.0, 197.0, 197.5, 198.0]), others) == 0.5
    assert _true_positives(np.array([1.0, 2.0]), np.array([1.0, 1.0])) == 0.5
    assert _true_positives(np.zeros(9), np.zeros(9)) == 0


def test_the_error_of_an_auc_is_that_of_repeated_draws() -> None:
    rng = np.random.default_rng(0)
    areas = [auc(rng.normal(0.5, 1, 60), rng.normal(0, 1, 40)) for _ in range(1_000)]
    assert _auc_error(float(np.mean(areas)), 60, 40) == pytest.approx(np.std(areas), rel=0.15)
