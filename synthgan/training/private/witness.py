"""A strong attacker: who sees tables and slopes as they were bought, and knows all other rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from synthgan.data.cell_map import WHOLE, CellMap
from synthgan.data.matrix import EncodedMatrix
from synthgan.training.private.clipping import RowSlopes

Floats = NDArray[np.float64]
# by how much less the variance of noise is than was said, to attackers of several kinds
TRUSTS = (1.0, 1e6)


class Witness:
    """Tells canaries by the noisy answers that it is shown.

    An answer is a sum over rows with Gaussian noise. Without what the known rows add, it is linear
    in which canaries were in it, so that of each answer there is a best linear estimate of that
    (Gauss and Markov). The estimates of all answers are added up, each by its precision.

    Parameters
    ----------
    canaries, known : EncodedMatrix
        Rows that may be inside, and rows that certainly are.

    Attributes
    ----------
    scores : dict
        How much each canary looks as if it were inside, of shape (canaries,), to attackers of
        several kinds: who trusts that noise is as large as was said (1), and who suspects that
        there is hardly any.
    """

    def __init__(self, canaries: EncodedMatrix, known: EncodedMatrix) -> None:
        self.canaries, self.known = canaries, known
        self.scores: dict[float, Floats] = {trust: np.zeros(canaries.rows) for trust in TRUSTS}

    def _saw(self, along: Floats, gram: Floats, deviation: float, chance: float) -> None:
        """Take an answer to account.

        Parameters
        ----------
        along, gram : array of shape (canaries,), (canaries, canaries)
            Products of the answer with what each canary would add, and of that with each other.
        deviation : float
            Of the noise, as it is said to be.
        chance : float
            With which a canary is in the answer, as far as is known.
        """
        coins = 1.0 / (chance * (1.0 - chance))
        # whether one is in it falls on either side of that chance
        apart = along - chance * gram.sum(axis=1)
        spread, ways = np.linalg.eigh(gram)
        turned = ways.T @ apart
        for trust, scores in self.scores.items():
            weight = trust / deviation**2
            sure = weight * np.maximum(spread, 0.0) + coins
            gained = len(along) / np.sum(1.0 / sure) - coins
            scores += gained * (ways @ (weight * turned / sure))

    def saw_tables(self, cells: CellMap, told: Floats, deviation: float) -> None:
        """Look at the tables of all pairs of cells, in rows, of shape (cells, cells)."""
        rest = np.where(cells.apart, told - cells.tables(self.known), 0.0)
        shares = cells.shares(self.canaries) / WHOLE
        total, squares = np.zeros((2, len(shares), len(shares)))
        for column in range(cells.columns):
            own = shares[:, cells.column == column]
            alike = own @ own.T
            total += alike
            squares += alike**2
        # the sum over pairs of columns of products is half the square less the squares
        gram = (total**2 - squares) / 2.0
        self._saw(((shares @ rest) * shares).sum(axis=1), gram, deviation, 0.5)

    def saw_slopes(
        self,
        slopes_of: Callable[[EncodedMatrix], RowSlopes],
        length: float,
        drawn: NDArray[np.int64],
        rate: float,
        told: Sequence[Tensor],
        deviation: float,
    ) -> None:
        """Look at one noisy sum of the clipped slopes of the rows that were drawn.

        Which of the known rows were drawn the attacker knows too: they are drawn one by one, so
        that it tells nothing of the canaries.
        """
        known = slopes_of(self.known.take(drawn[drawn < self.known.rows]))
        expected = known.total(known.kept(length))
        rest = [one - two for one, two in zip(told, expected, strict=True)]
        slopes = slopes_of(self.canaries)
        weights = slopes.kept(length)
        along = (slopes.along(rest) * weights).double().numpy()
        gram = (slopes.gram() * weights[:, None] * weights).double().numpy()
        self._saw(along, gram, deviation, rate / 2.0)
