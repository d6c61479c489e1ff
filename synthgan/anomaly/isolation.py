"""How soon random cuts set a row apart from others: an isolation forest that is plain arrays.

Liu, Ting and Zhou, "Isolation forest", ICDM 2008. scikit-learn's own forest cannot be kept in a
file without pickle; this one is three arrays, and no number in them is a row's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

TREES, SAMPLE, DEPTH = 200, 256, 8
# rows that pass the trees together, so that they stay in the processor's cache
_CHUNK_ROWS = 8_192
_EULER = 0.5772156649015329

Floats = NDArray[np.float64]


class Isolation:
    """A forest of random cuts, each tree over a small sample.

    Parameters
    ----------
    columns : ndarray of int of shape (trees, 2**DEPTH - 1)
        The column each inner node cuts, the root first, then level by level.
    cuts : ndarray of shape (trees, 2**DEPTH - 1)
        Where: larger values go right. Infinite where a node is not divided.
    lengths : ndarray of shape (trees, 2**DEPTH)
        Expected number of cuts that set apart a row which ends in each leaf.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> forest = Isolation.learn(rng.normal(size=(500, 2)), rng)
    >>> near, far = forest.oddness(np.array([[0.0, 0.0], [6.0, -6.0]]))
    >>> bool(far > near)
    True
    """

    def __init__(self, columns: NDArray[Any], cuts: Floats, lengths: Floats) -> None:
        self.columns, self.cuts, self.lengths = columns, cuts, lengths

    @classmethod
    def learn(cls, rows: Floats, rng: np.random.Generator, trees: int = TREES) -> Self:
        """Grow trees over rows of shape (n, columns) without gaps."""
        size = min(SAMPLE, len(rows))
        grown = [_tree(rows[rng.permutation(len(rows))[:size]], rng) for _ in range(trees)]
        columns, cuts, lengths = (np.stack(part) for part in zip(*grown, strict=True))
        return cls(columns, cuts, lengths / _usual_length(size))

    def oddness(self, rows: Floats) -> Floats:
        """Higher is odder, of shape (n,); 1 is set apart at once, 1/2 as late as usual."""
        found = np.empty(len(rows))
        for start in range(0, len(rows), _CHUNK_ROWS):
            part = slice(start, start + _CHUNK_ROWS)
            found[part] = self._lengths(np.ascontiguousarray(rows[part].T))
        return np.asarray(2.0**-found)

    def _lengths(self, columns: Floats) -> Floats:
        """Mean length of the way through all trees, of the rows of transposed columns."""
        count = columns.shape[1]
        total, each, flat = np.zeros(count), np.arange(count), columns.ravel()
        for asked, cuts, lengths in zip(self.columns, self.cuts, self.lengths, strict=True):
            starts = asked.astype(np.int64) * count
            place = np.zeros(count, dtype=np.int64)
            for _ in range(DEPTH):
                right = flat.take(starts.take(place) + each) > cuts.take(place)
                place = 2 * place + 1 + right
            total += lengths.take(place - (2**DEPTH - 1))
        return total / len(self.columns)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        return {}, {"columns": self.columns, "cuts": self.cuts, "lengths": self.lengths}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(arrays["columns"], arrays["cuts"], arrays["lengths"])


def _tree(rows: Floats, rng: np.random.Generator) -> tuple[NDArray[Any], Floats, Floats]:
    """Column and cut of each inner node, and the length of the way to each leaf."""
    inner = 2**DEPTH - 1
    columns, cuts = np.zeros(inner, dtype=np.int32), np.full(inner, np.inf)
    lengths = np.zeros(inner + 1)
    waiting = [(0, 0, np.arange(len(rows)))]
    while waiting:
        node, depth, here = waiting.pop()
        found = rows[here]
        low, high = found.min(axis=0), found.max(axis=0)
        varies = np.flatnonzero(high > low)
        if depth == DEPTH or not len(varies):
            # an undivided node sends all rows left, to one leaf below it
            leaf = ((node + 1) << (DEPTH - depth)) - 1 - inner
            lengths[leaf] = depth + _usual_length(len(here))
            continue
        column = int(varies[rng.integers(len(varies))])
        cut = float(low[column] + rng.random() * (high[column] - low[column]))
        if cut >= high[column]:
            # two values next to each other: rounding would put all rows to the left
            cut = float(low[column])
        columns[node], cuts[node] = column, cut
        right = found[:, column] > cut
        waiting += [(2 * node + 2, depth + 1, here[right]), (2 * node + 1, depth + 1, here[~right])]
    return columns, cuts, lengths


def _usual_length(rows: int) -> float:
    """Cuts that random cutting of so many rows takes on average to set one apart.

    Examples
    --------
    >>> _usual_length(1), round(_usual_length(256), 2)
    (0.0, 10.24)
    """
    if rows <= 2:
        return float(max(rows - 1, 0))
    return float(2.0 * (np.log(rows - 1) + _EULER) - 2.0 * (rows - 1) / rows)
