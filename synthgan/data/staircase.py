"""The learned distribution of a number: a monotone relation between ranks and values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_KNOTS = 1_000
MOST_ATOMS = 400
ATOM_SHARE = 0.001
# a column whose repeated values cover this share of its rows takes no other values
DISCRETE_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Staircase:
    """Knots of a monotone, piecewise linear relation between rank and value.

    An atom, a value that many rows share, is two knots of one value: a level piece. Between atoms
    the values rise through means of neighbouring ones, so that no knot but an atom is anybody's.

    Attributes
    ----------
    ranks : ndarray of shape (knots,)
        From 0 to 1, not falling.
    values : ndarray of shape (knots,)
        Not falling.
    discrete : bool
        Whether only the atoms are values, and nothing between them.
    """

    ranks: np.ndarray
    values: np.ndarray
    discrete: bool

    def at(self, ranks: np.ndarray) -> np.ndarray:
        """Values at ranks in [0, 1], of the same shape."""
        if not self.discrete:
            return np.interp(ranks, self.ranks, self.values)
        index = np.searchsorted(self.ranks[1::2], ranks, side="right")
        return self.values[::2][np.minimum(index, len(self.values) // 2 - 1)]

    def rank_range(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest rank of each value; alike where it is no atom."""
        first = np.searchsorted(self.values, values, side="left")
        inside = np.minimum(first, len(self.values) - 1)
        exact = self.values[inside] == values
        between = self.ranks[inside]
        if not exact.all():
            between = np.where(exact, between, self._between(first, values))
        last = self._last_alike()[inside]
        return between, np.where(exact, self.ranks[last], between)

    def _between(self, first: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Ranks of values that are no knot, on the line between their neighbours."""
        right = np.clip(first, 1, len(self.values) - 1) if len(self.values) > 1 else first * 0
        left = np.maximum(right - 1, 0)
        rise = self.values[right] - self.values[left]
        share = np.divide(
            values - self.values[left], rise, out=np.zeros(len(values)), where=rise > 0
        )
        return np.asarray(
            self.ranks[left] + np.clip(share, 0, 1) * (self.ranks[right] - self.ranks[left])
        )

    def _last_alike(self) -> np.ndarray:
        """Of each knot, the last one with its value."""
        return np.searchsorted(self.values, self.values, side="right") - 1

    @property
    def atoms(self) -> np.ndarray:
        """The values that have a level piece."""
        return self.values[:-1][self.values[:-1] == self.values[1:]]


def build_staircase(
    values: np.ndarray, counts: np.ndarray, threshold: int, knots: int = MOST_KNOTS
) -> Staircase | None:
    """Learn a staircase.

    Parameters
    ----------
    values : ndarray of shape (distinct,)
        Sorted distinct values.
    counts : ndarray of shape (distinct,)
        Rows of each.
    threshold : int
        Values seen in fewer rows are no atoms, knots are means of at least as many rows, and the
        `threshold` - 1 most extreme rows at either end are not reached.
    knots : int
        Knots at most, about.

    Returns
    -------
    Staircase or None
        None if there is nothing to learn from.
    """
    if not len(values):
        return None
    common = counts >= max(threshold, 1)
    if len(values) <= knots and counts[common].sum() >= DISCRETE_SHARE * counts.sum():
        return _atoms_only(values[common], counts[common])
    values = _inner(values, counts, threshold)
    rows = counts.sum()
    atoms = _atoms(counts, max(threshold, 2, ATOM_SHARE * rows))
    ends = np.cumsum(counts) / rows
    starts = ends - counts / rows
    group = _groups(counts, atoms, max(threshold, -(-counts[~atoms].sum() // (knots - 2 * atoms.sum()))))
    middle, mean = _means(values, counts, starts, ends, group, threshold)
    ranks = np.concatenate([[0.0], starts[atoms], ends[atoms], middle, [1.0]])
    heights = np.concatenate([values[:1], values[atoms], values[atoms], mean, values[-1:]])
    order = np.lexsort((heights, ranks))
    return Staircase(ranks[order], np.maximum.accumulate(heights[order]), discrete=False)


def _atoms_only(values: np.ndarray, counts: np.ndarray) -> Staircase:
    edges = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    edges[-1] = 1.0
    ranks = np.stack([edges[:-1], edges[1:]], axis=1).ravel()
    return Staircase(ranks, np.repeat(values, 2), discrete=True)


def _inner(values: np.ndarray, counts: np.ndarray, threshold: int) -> np.ndarray:
    """Values drawn in so far that the few most extreme rows are not reached."""
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    inner = values[(below >= threshold) & (above >= threshold)]
    if not len(inner):
        middle = np.average(values, weights=counts)
        return np.full(len(values), middle)
    return np.clip(values, inner[0], inner[-1])


def _atoms(counts: np.ndarray, least: float) -> np.ndarray:
    """Which values are atoms: the most frequent ones that enough rows share."""
    atoms = counts >= least
    if atoms.sum() > MOST_ATOMS:
        atoms &= counts > np.sort(counts)[-MOST_ATOMS - 1]
    return atoms


def _groups(counts: np.ndarray, atoms: np.ndarray, size: int) -> np.ndarray:
    """A number per value: neighbours of about `size` rows with no atom between; -1 for atoms."""
    mass = np.where(atoms, 0, counts)
    within = (np.cumsum(mass) - mass // 2) // max(size, 1)
    stretch = np.cumsum(atoms)
    label = np.cumsum((np.diff(within, prepend=-1) != 0) | (np.diff(stretch, prepend=0) != 0))
    return np.where(atoms, -1, label)


def _means(
    values: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    group: np.ndarray,
    threshold: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Middle rank and mean value of the groups that hold enough rows."""
    free = group >= 0
    if not free.any():
        return np.empty(0), np.empty(0)
    labels, first, inverse = np.unique(group[free], return_index=True, return_inverse=True)
    rows = np.bincount(inverse, weights=counts[free])
    mean = np.bincount(inverse, weights=counts[free] * values[free]) / rows
    last = np.append(first[1:], free.sum()) - 1
    middle = (starts[free][first] + ends[free][last]) / 2
    enough = rows >= threshold
    return middle[enough], mean[enough]
