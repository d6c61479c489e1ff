"""Completing rows: cells that are not given are lent by generated rows that agree with the rest.

Hot-deck imputation with a deck that never runs out: the donors are rows of the model, so nobody's
cells are copied, and what is lent together was generated together. How much a given column counts
is what it tells about the missing ones: the mutual information between the two in the deck.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.relations import Tie

NEAREST = 10
ROWS_AT_ONCE = 256
# a wide table gets a smaller deck: cells of 4 bytes, and rows at least
MOST_CELLS = 32_000_000
LEAST_DECK = 2_048
BINS = 16
# a column that tells nothing still decides between donors that are otherwise alike
LEAST_WEIGHT = 1e-3


class Donors:
    """A deck of generated rows that lend their cells.

    Parameters
    ----------
    deck : EncodedMatrix
        Generated rows.
    layout : Layout
        What they are made of.
    """

    def __init__(self, deck: EncodedMatrix, layout: Layout) -> None:
        features = layout.n_options + 2 * layout.n_scalars
        self.deck = deck.take(slice(0, max(LEAST_DECK, MOST_CELLS // max(features, 1))))
        deck, self.layout = self.deck, layout
        names = dict.fromkeys(span.column for span in layout.spans)
        self.columns = list(names)
        self._binned = np.stack([self._bin(deck, name) for name in self.columns], axis=1)
        self._information = self._pairwise_information()
        self._features = torch.as_tensor(self._embed(deck, np.ones(len(self.columns))))

    def fill(
        self,
        given: EncodedMatrix,
        rng: np.random.Generator,
        ties: Sequence[tuple[Tie, np.ndarray]] = (),
    ) -> EncodedMatrix:
        """A copy of `given` whose unknown codes and scalars are lent by donors.

        Parameters
        ----------
        given : EncodedMatrix
            Codes -1 and scalars nan where a cell is to be filled in.
        rng : numpy.random.Generator
            Chooses among the nearest donors.
        ties : sequence of (Tie, ndarray of shape (deck,))
            What a column may become in each row, and where among its values the deck's lie; a donor
            that would break a tie lends only where all would.
        """
        codes, scalars = given.codes.copy(), given.scalars.copy()
        known = np.stack([self._is_known(given, name) for name in self.columns], axis=1)
        patterns, pattern_of = np.unique(known, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            rows = np.flatnonzero(pattern_of.ravel() == number)
            if pattern.all():
                continue
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                barred = self._barred(some, ties)
                donors = self._choose(given.take(some), pattern, rng, barred)
                self._lend(codes, scalars, some, donors, pattern)
        return EncodedMatrix(codes, scalars)

    def _barred(self, rows: np.ndarray, ties: Sequence[tuple[Tie, np.ndarray]]) -> Tensor | None:
        """Which donors may not lend, of shape (rows, deck); None if all may."""
        if all((tie.group[rows] < 0).all() for tie, _ in ties):
            return None
        barred = np.zeros((len(rows), self.deck.rows), dtype=bool)
        for tie, places in ties:
            barred |= ~tie.of(rows)[:, places]
        barred[barred.all(axis=1)] = False
        return torch.as_tensor(barred) if barred.any() else None

    def _choose(
        self,
        rows: EncodedMatrix,
        known: np.ndarray,
        rng: np.random.Generator,
        barred: Tensor | None,
    ) -> np.ndarray:
        """One donor for each row, drawn among its nearest; of shape (rows,)."""
        if not known.any() and barred is None:
            return rng.integers(0, self.deck.rows, rows.rows)
        weights = (
            np.where(known, self._relevance(known), 0.0) if known.any() else np.zeros(len(known))
        )
        query = self._embed(rows, weights, query=True)
        likeness = torch.as_tensor(query) @ self._features.T
        # donors that are exactly alike must not be taken in the order of the deck
        stream = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        likeness += torch.rand(likeness.shape, generator=stream).mul_(1e-4 * weights.max() or 1.0)
        count = min(NEAREST, self.deck.rows)
        lenders: int | np.ndarray = count
        if barred is None:
            nearest = likeness.topk(count, dim=1, sorted=False).indices.numpy()
        else:
            likeness.masked_fill_(barred, -torch.inf)
            nearest = likeness.topk(count, dim=1).indices.numpy()
            lenders = np.minimum(count, (~barred).sum(dim=1).numpy())
        chosen: np.ndarray = nearest[np.arange(rows.rows), rng.integers(0, lenders, rows.rows)]
        return chosen

    def _relevance(self, known: np.ndarray) -> np.ndarray:
        """Weights of shape (columns,): what each column tells about those that are missing."""
        told = self._information[:, ~known].sum(axis=1)
        scale = told[known].max()
        return np.asarray(told / scale if scale > 0 else np.ones_like(told)) + LEAST_WEIGHT

    def _embed(self, matrix: EncodedMatrix, weights: np.ndarray, query: bool = False) -> np.ndarray:
        """Features whose inner products are weighted agreements: of shape (rows, features).

        One-hot codes count where they agree; a pair of live scalars a, b counts -(a - b)^2, which
        is the inner product of (2a, -1) and (b, b^2) but for a term of the query's own.
        """
        layout = self.layout
        column = {name: number for number, name in enumerate(self.columns)}
        shape = (matrix.rows, layout.n_options + 2 * layout.n_scalars)
        features = np.zeros(shape, dtype=np.float32)
        rows = np.arange(matrix.rows)
        for choice, span in enumerate(layout.choices):
            known = matrix.codes[:, choice] >= 0
            place = layout.choice_offsets[choice] + matrix.codes[:, choice]
            features[rows[known], place[known]] = weights[column[span.column]]
        for scalar, span in enumerate(layout.scalars):
            value = np.nan_to_num(matrix.scalars[:, scalar])
            weight = weights[column[span.column]] * self._alive(matrix, scalar)
            place = layout.n_options + 2 * scalar
            features[:, place] = weight * (2 * value if query else value)
            features[:, place + 1] = weight * (-1.0 if query else value**2)
        return features

    def _alive(self, matrix: EncodedMatrix, scalar: int) -> np.ndarray:
        choice = int(self.layout.gate_choice[scalar])
        if choice < 0:
            return np.ones(matrix.rows, dtype=bool)
        return np.asarray(matrix.codes[:, choice] == self.layout.gate_option[scalar])

    def _bin(self, matrix: EncodedMatrix, name: str) -> np.ndarray:
        """One small whole number per row that says roughly what the column holds."""
        choice, scalar = self.layout.column_choice(name), self.layout.column_scalar(name)
        code = np.zeros(matrix.rows, np.int64) if choice is None else matrix.codes[:, choice]
        if scalar is None:
            return np.asarray(code, dtype=np.int64)
        place = ((matrix.scalars[:, scalar] + 1.0) * 0.5 * BINS).astype(np.int64)
        place = np.where(self._alive(matrix, scalar), np.clip(place, 0, BINS - 1), 0)
        return np.asarray(code.astype(np.int64) * BINS + place)

    def _pairwise_information(self) -> np.ndarray:
        """Mutual information of all pairs of columns in the deck, in nats, less its bias."""
        count = len(self.columns)
        table = np.zeros((count, count))
        for a in range(count):
            for b in range(a):
                table[a, b] = table[b, a] = mutual_information(
                    self._binned[:, a], self._binned[:, b]
                )
        return table

    def _is_known(self, given: EncodedMatrix, name: str) -> np.ndarray:
        choice, scalar = self.layout.column_choice(name), self.layout.column_scalar(name)
        if choice is not None:
            return np.asarray(given.codes[:, choice] >= 0)
        assert scalar is not None
        return np.asarray(np.isfinite(given.scalars[:, scalar]))

    def _lend(
        self,
        codes: np.ndarray,
        scalars: np.ndarray,
        rows: np.ndarray,
        donors: np.ndarray,
        known: np.ndarray,
    ) -> None:
        missing = {name for name, told in zip(self.columns, known, strict=True) if not told}
        for choice, span in enumerate(self.layout.choices):
            if span.column in missing:
                codes[rows, choice] = self.deck.codes[donors, choice]
        for scalar, span in enumerate(self.layout.scalars):
            if span.column in missing:
                scalars[rows, scalar] = self.deck.scalars[donors, scalar]


def mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information of two columns of small whole numbers, in nats, at least 0.

    The plug-in estimate less Miller and Madow's bias term (1955).
    """
    width = int(b.max()) + 1
    joint = np.bincount(a * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width)
    rows = len(a)
    cells = joint[joint > 0] / rows
    sides = [joint.sum(axis=1), joint.sum(axis=0)]
    entropies = [-(p * np.log(p)).sum() for p in (side[side > 0] / rows for side in sides)]
    plain = sum(entropies) + (cells * np.log(cells)).sum()
    used = [np.count_nonzero(side) for side in sides]
    bias = (np.count_nonzero(joint) - sum(used) + 1) / (2 * rows)
    return float(max(0.0, plain - bias))
