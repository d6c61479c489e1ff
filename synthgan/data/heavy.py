"""Values that fill many rows of a column with too many different values to count each one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgan.data.text_hash import mix

CELLS = 4_096
_BITS = 64


@dataclass(frozen=True, eq=False)
class HeavyValues:
    """Combinatorial group testing (Cormode and Muthukrishnan 2005) over 64-bit order keys.

    Every key falls into one of `CELLS` cells by its hash. A cell counts its rows, and for each bit
    those whose key has the bit set. A key that holds most rows of its cell can be read off the
    bits. All are sums, so the order in which rows come does not matter.

    Attributes
    ----------
    totals : ndarray of int64 of shape (CELLS,)
        Rows in each cell.
    bits : ndarray of int64 of shape (64, CELLS)
        Rows in each cell whose key has the bit set.
    """

    totals: np.ndarray
    bits: np.ndarray

    @classmethod
    def of(cls, keys: np.ndarray, counts: np.ndarray) -> HeavyValues:
        """The sums of some keys with their counts."""
        plain, cells = keys.view(np.uint64), _cells(keys)
        # below 2**53 rows a double counts exactly
        weights = counts.astype(np.float64)
        bits = [
            np.bincount(cells, weights * ((plain >> np.uint64(bit)) & np.uint64(1)), CELLS)
            for bit in range(_BITS)
        ]
        totals = np.bincount(cells, weights, CELLS).astype(np.int64)
        return cls(totals, np.stack(bits).astype(np.int64))

    def merge(self, other: HeavyValues) -> HeavyValues:
        """The sums of both."""
        return HeavyValues(self.totals + other.totals, self.bits + other.bits)

    def found(self, least: float) -> tuple[np.ndarray, np.ndarray]:
        """Keys that hold at least `least` rows and most of their cell, and about how many.

        Returns
        -------
        keys, counts : ndarray of int64
            In the order of the keys; a count is never below the true one.
        """
        mostly = self.bits * 2 > self.totals
        shifts = np.arange(_BITS, dtype=np.uint64)[:, None]
        keys = np.bitwise_or.reduce(mostly.astype(np.uint64) << shifts, axis=0).view(np.int64)
        counts = np.where(mostly, self.bits, self.totals - self.bits).min(axis=0)
        real = (_cells(keys) == np.arange(CELLS)) & (counts >= least)
        real &= counts * 4 > self.totals * 3
        order = np.argsort(keys[real])
        return keys[real][order], counts[real][order]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HeavyValues):
            return NotImplemented
        return np.array_equal(self.totals, other.totals) and np.array_equal(self.bits, other.bits)

    __hash__ = None  # type: ignore[assignment]


def _cells(keys: np.ndarray) -> np.ndarray:
    return (mix(keys.view(np.uint64)) % np.uint64(CELLS)).astype(np.int64)
