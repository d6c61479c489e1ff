"""Encoded rows: drawn by number, with and without weights."""

from __future__ import annotations

import numpy as np
import pytest

from synthgan.data.matrix import EncodedMatrix


def matrix(rows: int, weights: np.ndarray | None = None) -> EncodedMatrix:
    codes = np.arange(rows)[:, None]
    return EncodedMatrix(codes, (codes / 10).astype(np.float32), weights)


def test_rows_stay_together() -> None:
    some = matrix(10, np.arange(10.0)).take([7, 2])
    assert some.codes.ravel().tolist() == [7, 2]
    assert some.scalars.ravel().tolist() == pytest.approx([0.7, 0.2])
    assert some.weights is not None
    assert some.weights.tolist() == [7.0, 2.0]


def test_matrices_are_put_one_after_another() -> None:
    whole = EncodedMatrix.concat([matrix(3), matrix(2)])
    assert whole.codes.ravel().tolist() == [0, 1, 2, 0, 1]
    assert whole.weights is None
    weighted = EncodedMatrix.concat([matrix(1, np.ones(1)), matrix(2, np.zeros(2))])
    assert weighted.weights is not None
    assert weighted.weights.tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match="weights in all parts or in none"):
        EncodedMatrix.concat([matrix(3), matrix(2, np.ones(2))])


def test_parts_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        EncodedMatrix(np.zeros((3, 1)), np.zeros((2, 1)))


def test_rows_are_held_out_once() -> None:
    rest, held = matrix(20).holdout(5, np.random.default_rng(0))
    assert sorted([*held.tolist(), *rest.codes.ravel().tolist()]) == list(range(20))
    assert len(held) == 5
