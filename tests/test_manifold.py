"""Precision, recall and their kin: known answers, the definitions by plain loops, edge cases."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.measures import manifold as module
from synthgan.evaluation.measures.manifold import FIGURES, K, manifold
from synthgan.evaluation.reference import Reference


def mixed(rows: int, seed: int) -> pa.Table:
    """Two close numbers, one with nulls, and a category that follows them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pa.table(
        {
            "x": x,
            "y": pa.array(x + 0.1 * rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "c": np.where(x > 0.5, "high", np.where(x > -0.5, "middle", "low")),
        }
    )


def independent(table: pa.Table, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {n: table.column(n).take(pa.array(rng.permutation(len(table)))) for n in table.column_names}
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(mixed(1_000, 0))


def judged(reference: Reference, table: pa.Table, **options: Any) -> dict[str, Any]:
    return manifold(reference, reference.code(table), **options)


def test_a_copy(reference: Reference) -> None:
    figures = judged(reference, mixed(1_000, 0))
    assert [figures[n] for n in ("precision", "recall", "coverage", "authenticity")] == [1, 1, 1, 0]
    assert figures["density"] >= 1
    assert figures["alpha_precision"] > 0.99 and figures["beta_recall"] > 0.95
    assert (figures["rows"], figures["k"]) == (1_000, 5)
    assert figures["embedding"] == reference.embedding.text


def test_a_fresh_real_sample(reference: Reference) -> None:
    figures = judged(reference, mixed(1_000, 1))
    assert min(figures[n] for n in ("precision", "recall", "coverage", "alpha_precision")) > 0.92
    assert 0.9 < figures["density"] < 1.1
    assert 0.4 < figures["beta_recall"] < 0.6 and 0.2 < figures["authenticity"] < 0.6


def test_a_bootstrap(reference: Reference) -> None:
    index = np.random.default_rng(2).integers(0, 1_000, 1_000)
    figures = judged(reference, mixed(1_000, 0).take(pa.array(index)))
    assert (figures["precision"], figures["authenticity"]) == (1, 0)
    assert figures["recall"] > 0.9


def test_independent_columns(reference: Reference) -> None:
    figures = judged(reference, independent(mixed(1_000, 1), 3))
    assert figures["precision"] < 0.5 and figures["coverage"] < 0.7 and figures["density"] < 0.4
    assert figures["beta_recall"] < 0.3 and figures["authenticity"] > 0.8


def test_a_shifted_table(reference: Reference) -> None:
    table = mixed(1_000, 1)
    moved = table.set_column(0, "x", pa.array(table.column("x").to_numpy() + 3))
    figures = judged(reference, moved)
    assert figures["precision"] < 0.3 and figures["alpha_precision"] < 0.75


def test_half_of_the_table_is_precise_but_recalls_half(reference: Reference) -> None:
    table = mixed(2_200, 1)
    figures = judged(reference, table.filter(pa.array(table.column("x").to_numpy() > 0)))
    assert figures["precision"] > 0.9 and 0.4 < figures["recall"] < 0.7
    assert figures["coverage"] < 0.65 and figures["alpha_precision"] < 0.95


def test_the_definitions_by_plain_loops() -> None:
    reference = Reference(mixed(60, 4))
    found = reference.code(mixed(60, 5))
    real, made = (
        reference.embedding.transform(coded).astype(np.float64) for coded in (reference.real, found)
    )
    figures = manifold(reference, found)

    def gaps(point: Any, points: Any) -> Any:
        return np.sqrt(((points - point) ** 2).sum(axis=1))

    def closest(point: Any, points: Any) -> int:
        return int(
            (gaps(point, points) ** 2).astype(np.float32).argmin()
        )  # of equal ones the first

    reach = [np.sort(gaps(p, real))[K] for p in real]
    synthetic_reach = [np.sort(gaps(p, made))[K] for p in made]
    inside = np.array([gaps(p, made) <= r + 1e-6 for p, r in zip(real, reach, strict=True)])
    reverse = np.array([gaps(p, made) <= np.array(synthetic_reach) + 1e-6 for p in real])
    assert figures["precision"] == pytest.approx(inside.any(axis=0).mean())
    assert figures["recall"] == pytest.approx(reverse.any(axis=1).mean())
    assert figures["density"] == pytest.approx(inside.sum() / K / 60)
    assert figures["coverage"] == pytest.approx(inside.any(axis=1).mean())
    authentic = [
        gaps(p, real).min() > np.sort(gaps(real[closest(p, real)], real))[1] + 1e-6 for p in made
    ]
    assert figures["authenticity"] == pytest.approx(np.mean(authentic))
    levels = np.linspace(0, 1, 30)
    radii = np.quantile(gaps(real.mean(axis=0), real), levels)
    curve = np.array([(gaps(real.mean(axis=0), made) <= r + 1e-6).mean() for r in radii])
    score = 1 - np.abs(curve - levels).sum() / levels.sum()
    assert figures["alpha_precision"] == pytest.approx(score)
    near = np.array([gaps(p, made).min() <= np.sort(gaps(p, real))[1] + 1e-6 for p in real])
    depth = gaps(made.mean(axis=0), made)[[closest(p, made) for p in real]]
    curve = np.array([(near & (depth <= r + 1e-6)).mean() for r in np.quantile(depth, levels)])
    score = 1 - np.abs(curve - levels).sum() / levels.sum()
    assert figures["beta_recall"] == pytest.approx(score)


def test_balls_hold_their_rim_so_that_equal_rows_count() -> None:
    table = pa.table({"c": ["a"] * 30 + ["b"] * 30})
    figures = judged(Reference(table), table)
    assert figures["precision"] == figures["recall"] == figures["coverage"] == 1
    lost = judged(Reference(table), pa.table({"c": ["a"] * 60}))
    assert (lost["precision"], lost["recall"], lost["coverage"]) == (1, 0.5, 0.5)


def test_curves_rise_and_are_detail_only(reference: Reference) -> None:
    found = reference.code(mixed(500, 6))
    full, plain = manifold(reference, found), manifold(reference, found, detail=False)
    curves = full.pop("curves")
    assert full == plain
    for name in ("alpha_precision", "beta_recall"):
        assert len(curves[name]) == len(curves["levels"]) == 30
        assert all(first <= second for first, second in pairwise(curves[name]))


def test_rows_are_bounded_and_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 80)
    first, again, other = (
        judged(Reference(mixed(300, 0), seed=seed), mixed(200, 1)) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert first["rows"] == 80


EDGES = {
    "constant": {"x": [1.0] * 12},
    "all null": {"x": pa.array([None] * 12, pa.float64()), "c": pa.array([None] * 12, pa.string())},
    "no numbers": {"c": list("abcabcabcabc"), "b": [True, False] * 6},
    "no categories": {"x": list(range(12)), "d": pa.array(range(12), pa.timestamp("s"))},
}


@pytest.mark.parametrize("name", EDGES)
def test_any_table_gets_its_figures(name: str) -> None:
    table = pa.table(EDGES[name])
    figures = judged(Reference(table), table)
    json.dumps(figures, allow_nan=False)
    assert figures["precision"] == figures["recall"] == figures["coverage"] == 1


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows_say_so(rows: int) -> None:
    figures = judged(Reference(mixed(50, 0)), mixed(rows, 1))
    assert all(figures[name] is None for name in FIGURES)
    assert "at least 6 rows" in figures["reason"] and figures["rows"] == rows


def test_six_rows_are_enough() -> None:
    assert judged(Reference(mixed(6, 0)), mixed(9, 1))["precision"] is not None
