"""Trees by masks: the same leaves as LightGBM reaches, whatever stands in a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthgan import tree_masks
from synthgan.boosting import Cases, Growth, Trees, grow
from synthgan.tree_masks import TreeMasks
from synthgan.tree_text import Split, Tree

CATEGORICAL = np.array([False, False, True, True, False, True])
GROWTH = Growth(rate=0.1, leaves=31, least_rows=5, patience=30, most=20)


def rows(count: int, seed: int) -> np.ndarray:
    """Numbers with ties, with and without missing ones; categories of 2, 40 and 300 levels."""
    rng = np.random.default_rng(seed)
    found = np.column_stack(
        [
            rng.normal(size=count),
            rng.integers(-3, 4, count) * rng.integers(0, 2, count),
            rng.integers(0, 2, count),
            rng.integers(0, 40, count),
            rng.normal(size=count).round(1),
            np.minimum(rng.exponential(30, count), 299) // 1,
        ]
    )
    found[rng.random(count) < 0.2, 0] = np.nan
    return found


def grown(classes: int, growth: Growth = GROWTH) -> Trees:
    def cases(count: int, seed: int) -> Cases:
        found = rows(count, seed)
        known = np.nan_to_num(found, nan=1.5)
        told = (known[:, 0] > 0) + found[:, 3] % 3 + found[:, 5] % 2 + (found[:, 4] > 0.3)
        return Cases(found, told.astype(int) * classes // 6)

    return grow(cases(4_000, 0), cases(500, 1), CATEGORICAL, classes=classes, growth=growth)


def grown_numbers(growth: Growth = GROWTH) -> Trees:
    def cases(count: int, seed: int) -> Cases:
        found = rows(count, seed)
        told = 3 * np.nan_to_num(found[:, 0], nan=1.5) + found[:, 3] % 3
        return Cases(found, np.where(np.arange(count) % 10, told, told + 1e4))

    return grow(cases(4_000, 0), cases(500, 1), CATEGORICAL, classes=0, growth=growth)


def odd_rows() -> np.ndarray:
    """What generated rows may hold and the learned ones did not."""
    found = rows(400, 5)
    rng = np.random.default_rng(6)
    for column in range(found.shape[1]):
        odd = [np.nan, -1.0, 1e9, 0.0, -1e300]
        found[rng.random(len(found)) < 0.3, column] = rng.choice(odd[: 4 if column < 2 else 5])
    return found


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("leaves", [31, 15, 4])
def test_masks_reach_the_leaves_that_lightgbm_reaches(classes: int, leaves: int) -> None:
    trees = grown(classes, Growth(0.1, leaves, 5, patience=30, most=20))
    assert trees._masks is not None and trees.count > 10
    for asked in (rows(3_000, 2), odd_rows(), rows(1, 3), rows(0, 3)):
        walked = trees.walked(asked) if len(asked) else np.zeros((0, classes)[: 1 + (classes > 2)])
        np.testing.assert_allclose(trees.scores(asked), walked, rtol=0, atol=2e-5)
    assert np.ptp(trees.scores(rows(3_000, 2))) > 0.5


def test_a_row_says_the_same_among_any_others(monkeypatch: pytest.MonkeyPatch) -> None:
    trees, asked = grown(3), rows(700, 4)
    whole = trees.scores(asked)
    np.testing.assert_array_equal(trees.scores(asked[100:103]), whole[100:103])
    monkeypatch.setattr(tree_masks, "_BLOCK_CELLS", 64)
    np.testing.assert_array_equal(trees.scores(asked), whole)


@pytest.mark.parametrize("limit", ["MOST_TABLES", "MOST_BYTES", "MOST_LEAVES"])
def test_where_masks_are_too_many_the_trees_are_walked(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, asked = grown(3), rows(200, 4)
    by_masks = trees.scores(asked)
    monkeypatch.setattr(tree_masks, limit, 1)
    back = Trees.from_bytes(trees.to_bytes(), trees.columns)
    assert back._masks is None
    np.testing.assert_array_equal(back.scores(asked, 2), back.walked(asked))
    np.testing.assert_allclose(back.scores(asked), by_masks, rtol=0, atol=2e-5)


def test_trees_without_a_split_have_one_leaf() -> None:
    masks = TreeMasks.build([Tree((), np.array([0.5])), Tree((), np.array([-2.0]))], outputs=2)
    assert masks is not None
    np.testing.assert_array_equal(masks.scores(np.zeros((3, 1))), [[0.5, -2.0]] * 3)


def test_missing_numbers_go_where_the_split_says() -> None:
    for null_left, leaf in ((True, 1.0), (False, 2.0)):
        tree = Tree((Split(0, 0.0, None, null_left, ~0, ~1),), np.array([1.0, 2.0]))
        masks = TreeMasks.build([tree])
        assert masks is not None
        assert masks.scores(np.array([[np.nan]])).item() == leaf
        assert masks.scores(np.array([[0.0], [1e-9]])).ravel().tolist() == [1.0, 2.0]


def test_numbers_are_told_by_their_mean_or_their_median() -> None:
    wild = Growth(rate=0.2, leaves=15, least_rows=20, patience=5, most=60)
    mean, median = grown_numbers(wild), grown_numbers(replace(wild, median=True))
    assert mean.classes == median.classes == 0
    asked = rows(2_000, 2)
    told = 3 * np.nan_to_num(asked[:, 0], nan=1.5) + asked[:, 3] % 3
    assert abs(mean.scores(asked).mean() - told.mean()) > 500
    assert np.abs(median.scores(asked) - told).mean() < 0.5
    for trees in (mean, median):
        walked = trees.walked(asked)
        assert trees.scores(asked) == pytest.approx(walked, rel=1e-5, abs=1e-3)
        again = Trees.from_bytes(trees.to_bytes(), len(CATEGORICAL))
        assert again.classes == 0 and (again.scores(asked) == trees.scores(asked)).all()


def test_a_tree_sees_its_share_of_the_columns_and_rows() -> None:
    few = grown(2, replace(GROWTH, columns=0.2, rows=0.5))
    whole = grown(2)
    for tree in few._trees:
        assert len({split.feature for split in tree.splits}) <= 1
    assert any(len({split.feature for split in tree.splits}) > 1 for tree in whole._trees)
    assert (
        few.to_bytes().tobytes()
        == grown(2, replace(GROWTH, columns=0.2, rows=0.5)).to_bytes().tobytes()
    )
