"""What the critic of a trained pair sees in a row: its score, and its last hidden layer.

A critic is trained on the table's own rows and on generated ones alone. Of rows unlike both it may
say anything, and may well call them more real than real (PyOD's SO_GAAL and MO_GAAL rank by such a
score, the wrong way round). What can be trusted is that an unusual row gets an unusual score, on
either side, and an unusual hidden layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.features import CriticFeatures
from synthgan.training import Trained
from synthgan.training.rows import one_hot_rows

ROWS_AT_ONCE = 16_384
# how far the covariance of the hidden layer is drawn to that of independent units
SHRINKAGE = 0.1

Floats = NDArray[np.float64]


@torch.no_grad()
def seen(trained: Trained, matrix: EncodedMatrix) -> tuple[Floats, Floats]:
    """Scores of shape (n,) and hidden layers of shape (n, units) of encoded rows."""
    if trained.layout.width == 0:
        # a table of constants: its critic was never asked
        return np.zeros(matrix.rows), np.zeros((matrix.rows, 1))
    scores, hidden = [np.zeros(0)], []
    for start in range(0, matrix.rows, ROWS_AT_ONCE):
        part = matrix.take(slice(start, start + ROWS_AT_ONCE))
        score, layer = judged(trained, as_rows(trained, part))
        scores.append(score.double().numpy())
        hidden.append(layer.double().numpy())
    return np.concatenate(scores), np.concatenate(hidden) if hidden else np.zeros((0, 0))


def as_rows(trained: Trained, matrix: EncodedMatrix) -> Tensor:
    """Encoded rows as the networks see them; unknown cells are zero."""
    offsets = torch.as_tensor(trained.layout.choice_offsets[: matrix.codes.shape[1]])
    codes, scalars = torch.as_tensor(matrix.codes), torch.as_tensor(matrix.scalars)
    return one_hot_rows(codes, scalars.nan_to_num(), offsets, trained.layout)


def judged(trained: Trained, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean score of the critics, and their hidden layers side by side, for rows of a layout."""
    shown = CriticFeatures(trained.layout, trained.plan.scalar_bins)(rows)
    pack = trained.plan.pack
    # conditional critics also see a condition vector: an empty one asks for nothing
    context = trained.networks.input_size // pack - shown.shape[1]
    shown = torch.nn.functional.pad(shown, (0, context)).repeat(1, pack)
    found = [member.judge(shown) for member in trained.networks.members]
    score = torch.stack([each for each, _ in found]).mean(dim=0)
    return score, torch.cat([layer.float() for _, layer in found], dim=1)


@dataclass(frozen=True, slots=True)
class CriticView:
    """What is usual in scores and hidden layers.

    Attributes
    ----------
    middle : float
        Median score of the rows learned.
    centre, spread : ndarray of shape (units,)
        Mean and standard deviation of each hidden unit.
    precision : ndarray of shape (units, units)
        Inverse of the shrunk correlations of the units.
    """

    middle: float
    centre: Floats
    spread: Floats
    precision: Floats

    @classmethod
    def learn(cls, scores: Floats, hidden: Floats) -> Self:
        """Learn from scores of shape (n,) and hidden layers of shape (n, units)."""
        centre, spread = hidden.mean(axis=0), hidden.std(axis=0)
        spread = np.where(spread > 1e-9, spread, 1.0)
        near = (hidden - centre) / spread
        together = near.T @ near / max(len(hidden), 1)
        shrunk = (1.0 - SHRINKAGE) * together + SHRINKAGE * np.eye(len(centre))
        return cls(float(np.median(scores)), centre, spread, np.linalg.inv(shrunk))

    def unusual_score(self, scores: Floats) -> Floats:
        """How far a score is from the usual one, of shape (n,); higher is odder."""
        return np.abs(scores - self.middle)

    def distance(self, hidden: Floats) -> Floats:
        """Logarithm of Mahalanobis' distance of hidden layers, of shape (n,); higher is odder.

        Lee et al., "A simple unified framework for detecting out-of-distribution samples and
        adversarial attacks", 2018.
        """
        near = (hidden - self.centre) / self.spread
        squares = np.einsum("ij,ij->i", near @ self.precision, near)
        return np.asarray(0.5 * np.log(squares / max(len(self.centre), 1) + 1e-4))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        names = ("centre", "spread", "precision")
        return {"middle": self.middle}, {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(float(header["middle"]), **arrays)
