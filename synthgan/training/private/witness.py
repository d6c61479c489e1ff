"""A strong attacker: who sees counts, tables and slopes as bought, and knows all other rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from synthgan.data.cell_map import WHOLE, CellMap
from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.private import Question
from synthgan.data.summaries import one_array
from synthgan.training.private.clipping import RowSlopes

Floats = NDArray[np.float64]
# canaries and known rows, as a codec writes them that learned from all rows that were inside
Encode = Callable[[TableCodec, EncodedMatrix], tuple[EncodedMatrix, EncodedMatrix]]
# by how much less the variance of noise is than was said, to attackers of several kinds
TRUSTS = (1.0, 1e6)


class Witness:
    """Tells canaries by the noisy answers that it is shown.

    An answer is a sum over rows with Gaussian noise. Without what the known rows add, it is linear
    in which canaries were in it, so that of each answer there is a best linear estimate of that
    (Gauss and Markov). The estimates of all answers are added up, each by its precision.

    Parameters
    ----------
    canaries, known : Table
        Rows that may be inside, and rows that certainly are.
    encode : callable
        How they are written, once that was learned.

    Attributes
    ----------
    scores : dict
        How much each canary looks as if it were inside, of shape (canaries,), to attackers of
        several kinds: who trusts that noise is as large as was said (1), and who suspects that
        there is hardly any.
    """

    canaries: EncodedMatrix
    known: EncodedMatrix

    def __init__(self, canaries: pa.Table, known: pa.Table, encode: Encode) -> None:
        self._made, self._certain, self._encode = canaries, known, encode
        self.scores: dict[float, Floats] = {trust: np.zeros(canaries.num_rows) for trust in TRUSTS}

    def meets(self, codec: TableCodec, matrix: EncodedMatrix) -> None:
        """Learn how rows are written."""
        self.canaries, self.known = self._encode(codec, matrix)

    def saw_counts(self, question: Question, told: Floats, deviation: float) -> None:
        """Look at the noisy histogram of a column, of shape (cells,).

        Canaries of one cell add the same to it, and those of two cells nothing in common: what can
        be told of a canary is what can be told of how many there are in its cell.
        """
        made, certain = (
            one_array(table.column(question.column)) for table in (self._made, self._certain)
        )
        places, sharing = question.cell_of(made), question.counts(made)
        counted = places >= 0
        spread, alike, apart = np.zeros((3, len(places)))
        spread[: np.count_nonzero(sharing)] = sharing[sharing > 0]
        alike[counted] = sharing[places[counted]]
        apart[counted] = (told - question.counts(certain) - sharing / 2.0)[places[counted]]
        for trust, scores in self.scores.items():
            weight = trust / deviation**2
            found = weight * apart / (weight * alike + _doubt(0.5))
            scores += _gained(weight * spread, 0.5) * found

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
        # whether one is in it falls on either side of that chance
        apart = along - chance * gram.sum(axis=1)
        spread, ways = np.linalg.eigh(gram)
        turned, spread = ways.T @ apart, np.maximum(spread, 0.0)
        for trust, scores in self.scores.items():
            weight = trust / deviation**2
            found = ways @ (weight * turned / (weight * spread + _doubt(chance)))
            scores += _gained(weight * spread, chance) * found

    def saw_tables(self, cells: CellMap, told: Floats, deviation: float) -> None:
        """Look at the tables of all pairs of cells, in rows, of shape (classes, cells, cells)."""
        rest = np.where(cells.apart, told - cells.tables(self.known), 0.0)
        counted = cells.shares(self.canaries)
        shares, classes = counted / WHOLE, cells.classes(counted)
        total, squares = np.zeros((2, len(shares), len(shares)))
        for column in np.unique(np.delete(cells.column, cells.by)):
            own = shares[:, cells.column == column]
            alike = own @ own.T
            total += alike
            squares += alike**2
        # the sum over pairs of columns of products is half the square less the squares
        gram = classes.T @ classes * (total**2 - squares) / 2.0
        along = [
            own * ((shares @ each) * shares).sum(axis=1)
            for own, each in zip(classes, rest, strict=True)
        ]
        self._saw(np.sum(along, axis=0), gram, deviation, 0.5)

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


def _doubt(chance: float) -> float:
    """The precision of what is known of a canary before anything is seen."""
    return 1.0 / (chance * (1.0 - chance))


def _gained(precision: Floats, chance: float) -> float:
    """The precision that an answer adds to a canary's, by what it says along each direction."""
    return float(len(precision) / np.sum(1.0 / (precision + _doubt(chance))) - _doubt(chance))
