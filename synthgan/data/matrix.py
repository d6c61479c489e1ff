"""Encoded rows in memory: whole-number codes and scalars, drawn by row number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class EncodedMatrix:
    """The encoded rows of a table.

    Parameters
    ----------
    codes : ndarray of shape (rows, choices)
        Options by number; -1 is unknown.
    scalars : ndarray of shape (rows, scalars)
        Numbers in [-1, 1]; nan is unknown.
    weights : ndarray of shape (rows,) or None
        How likely each row is to be drawn; None for all alike.

    Raises
    ------
    ValueError
        If the parts have different numbers of rows.

    Examples
    --------
    >>> matrix = EncodedMatrix(np.array([[0], [2], [1]]), np.zeros((3, 1), np.float32))
    >>> matrix.take([2, 0]).codes.ravel()
    array([1, 0])
    """

    def __init__(
        self, codes: np.ndarray, scalars: np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        lengths = {len(codes), len(scalars), len(codes if weights is None else weights)}
        if len(lengths) > 1:
            raise ValueError(f"expected parts of one length, found {sorted(lengths)} rows")
        self.codes, self.scalars, self.weights = codes, scalars, weights

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.codes)

    def take(self, index: Any) -> EncodedMatrix:
        """The rows of an index or slice."""
        weights = None if self.weights is None else self.weights[index]
        return EncodedMatrix(self.codes[index], self.scalars[index], weights)

    def holdout(self, rows: int, rng: np.random.Generator) -> tuple[EncodedMatrix, np.ndarray]:
        """The matrix without `rows` random rows, and the numbers of those, in order."""
        held = np.sort(rng.permutation(self.rows)[:rows])
        stays = np.ones(self.rows, dtype=bool)
        stays[held] = False
        return self.take(stays), held

    @classmethod
    def concat(cls, parts: Sequence[EncodedMatrix]) -> EncodedMatrix:
        """Rows of several matrices, one after another.

        Raises
        ------
        ValueError
            If some parts have weights and some have none.
        """
        weights = [part.weights for part in parts if part.weights is not None]
        if weights and len(weights) < len(parts):
            raise ValueError("expected weights in all parts or in none")
        return cls(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.scalars for part in parts]),
            np.concatenate(weights) if weights else None,
        )
