"""Boosted trees telling two matrices apart: known densities, folds, edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from synthgan.density_ratio import FOLDS, auc, density_ratio, stratified_folds
from synthgan.errors import TableError

NUMBER, CATEGORY = np.array([False]), np.array([True])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def normal(rows: int, columns: int, seed: int) -> NDArray[np.float64]:
    return rng(seed).normal(size=(rows, columns))


@pytest.mark.parametrize("levels", [2, 5, 1_000_000])
def test_auc_is_the_one_of_the_roc_curve(levels: int) -> None:
    first, second = rng(1).integers(0, levels, 70), rng(2).integers(0, levels, 40) - levels / 9
    labels = np.repeat([1, 0], [70, 40])
    expected = roc_auc_score(labels, np.concatenate([first, second]))
    assert auc(first.astype(float), second) == pytest.approx(expected, abs=1e-12)


def test_folds_share_every_table_evenly() -> None:
    folds = stratified_folds((30, 9), rng=rng())
    assert np.bincount(folds[:30]).tolist() == [10, 10, 10]
    assert np.bincount(folds[30:]).tolist() == [3, 3, 3]


def test_the_ratio_of_two_normal_densities() -> None:
    first, second = normal(3_000, 1, 0) + 0.5, normal(3_000, 1, 1) - 0.5
    found = density_ratio(first, second, NUMBER, rng=rng())
    # log N(x; 0.5, 1) - log N(x; -0.5, 1) = x; no AUC is above Phi(1 / sqrt 2) = 0.76.
    assert 0.72 < found.auc < 0.77
    assert np.corrcoef(found.first, first[:, 0])[0, 1] > 0.8


def test_the_ratio_knows_nothing_of_the_tables_sizes() -> None:
    first, second = rng(0).integers(0, 2, (600, 1)), rng(1).integers(0, 2, (3_000, 1))
    found = density_ratio(first.astype(float), second.astype(float), CATEGORY, rng=rng())
    assert np.abs(found.first).max() < 0.3
    assert (len(found.first), len(found.second)) == (600, 3_000)


def test_rows_of_one_kind_are_not_told_apart_but_copies_show() -> None:
    first, second = normal(1_500, 4, 0), normal(1_500, 4, 1)
    categorical = np.zeros(4, dtype=bool)
    assert density_ratio(first, second, categorical, rng=rng()).auc == pytest.approx(0.5, abs=0.03)
    assert density_ratio(first, first.copy(), categorical, rng=rng()).auc < 0.45


def test_categories_are_no_numbers() -> None:
    """Even against odd codes: one split on a category, none that a number would need fewer of."""
    codes = rng(0).integers(0, 127, (2_000, 1)) * 2.0
    assert density_ratio(codes, codes + 1, CATEGORY, rng=rng()).auc > 0.97
    assert density_ratio(codes, codes[::-1], CATEGORY, rng=rng()).auc < 0.52


def test_importance_finds_what_only_two_columns_show_together() -> None:
    first = normal(1_500, 3, 0)
    first[:, 1] = first[:, 0] + 0.1 * first[:, 1]
    second = np.column_stack([first[:, 0], rng(1).permutation(first[:, 1]), normal(1_500, 1, 2)])
    found = density_ratio(first, second, np.zeros(3, dtype=bool), rng=rng())
    importance = found.importance(800, rng=rng())
    assert found.auc > 0.9
    assert (importance[:2] > 0.2).all() and abs(importance[2]) < 0.05


def test_importance_of_rows_of_one_table_only_is_nothing() -> None:
    found = density_ratio(normal(60, 2, 0), normal(60, 2, 1), np.zeros(2, dtype=bool), rng=rng())
    assert found.importance(1, rng=rng()).tolist() == [0, 0]


def test_the_same_seed_gives_the_same_scores() -> None:
    tables = normal(300, 3, 0), normal(200, 3, 1)
    categorical = np.zeros(3, dtype=bool)
    one, two, other = (density_ratio(*tables, categorical, rng=rng(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(one.first, two.first)
    np.testing.assert_array_equal(one.second, two.second)
    np.testing.assert_array_equal(one.importance(90, rng=rng()), two.importance(90, rng=rng()))
    assert not np.array_equal(one.first, other.first)


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_nothing_to_see_is_half(value: float) -> None:
    table = np.full((90, 2), value)
    found = density_ratio(table, table, np.zeros(2, dtype=bool), rng=rng())
    assert found.auc == 0.5
    assert found.importance(50, rng=rng()).tolist() == [0, 0]


def test_nulls_tell() -> None:
    first, second = normal(300, 1, 0), normal(300, 1, 1)
    second[::2] = np.nan
    assert 0.7 < density_ratio(first, second, NUMBER, rng=rng()).auc < 0.8


def test_fewer_rows_than_folds() -> None:
    with pytest.raises(TableError, match="the second table: expected at least 3 rows, found 2"):
        density_ratio(np.zeros((FOLDS, 1)), np.zeros((FOLDS - 1, 1)), NUMBER, rng=rng())
    assert density_ratio(np.zeros((3, 1)), np.ones((3, 1)), NUMBER, rng=rng()).auc == 0.5
