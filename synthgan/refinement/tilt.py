"""Rows weighed by the pairs of their cells: what brings a sample to tables that were bought."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthgan.data.cell_map import WHOLE, CellMap
from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.selection import select

Floats = NDArray[np.float64]

# weights are told apart down to that many nats below the largest
DEPTH = 30.0


@dataclass(frozen=True, slots=True)
class Tilt:
    """Chooses rows by weights ``exp(sum of what its pairs of cells and its options are worth)``.

    Attributes
    ----------
    cells : CellMap
        The cells.
    pairs : array of shape (classes or 1, cells, cells)
        What each pair of cells is worth to rows of a class, in nats.
    options : array of shape (n_options,)
        What each option is worth.
    """

    cells: CellMap
    pairs: NDArray[np.float32]
    options: NDArray[np.float32]

    def weights(self, pool: EncodedMatrix) -> Floats:
        """Of rows, of shape (rows,), the largest 1."""
        worth = np.concatenate([self._worth(part) for part in self.cells.parts(pool)])
        firsts = self.cells.layout.choice_offsets
        for choice, first in enumerate(firsts):
            worth += self.options[pool.codes[:, choice].astype(np.int64) + first]
        return weights_of(worth)

    def _worth(self, part: Floats) -> Floats:
        shares, worth = (part / WHOLE).astype(np.float32), np.zeros(len(part))
        for own, pairs in zip(self.cells.classes(part), self.pairs, strict=True):
            worth += own * ((shares @ pairs) * shares).sum(axis=1, dtype=np.float64)
        return worth

    def refine(
        self,
        pool: EncodedMatrix,
        wanted: int,
        rng: np.random.Generator,
        *,
        bound: Collection[str] = (),
        threads: int = 1,
    ) -> EncodedMatrix:
        """Choose `wanted` rows of a pool, as `Refiner.refine` does; no cell changes."""
        if pool.rows <= wanted:
            return pool
        return pool.take(select(self.weights(pool), wanted, rng))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header, and arrays."""
        return {}, {"pairs": self.pairs, "options": self.options, **self.cells.to_arrays()}

    @classmethod
    def from_state(
        cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], codec: TableCodec
    ) -> Self:
        """The tilt that `to_state` described.

        Raises
        ------
        ValueError, KeyError
            If a part is damaged or does not fit the table.
        """
        cells = CellMap.from_arrays(codec.layout, arrays)
        pairs, options = arrays["pairs"], arrays["options"]
        fits = pairs.shape[1:] == (cells.cells, cells.cells) and len(pairs) == cells.table_classes
        if not fits or options.shape != (codec.layout.n_options,):
            raise ValueError("tilt: other cells than the table's")
        return cls(cells, pairs, options)


def weights_of(worth: Floats) -> Floats:
    """Weights of rows by what they are worth in nats, the largest 1."""
    return np.asarray(np.exp(np.maximum(worth - worth.max(initial=-np.inf), -DEPTH)))
