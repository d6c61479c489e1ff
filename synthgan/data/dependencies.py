"""Which columns are functions of others: found pair by pair, without exception and not by chance.

A functional dependency (Codd 1970) of one column on another, as discovery algorithms look for it
(TANE, Huhtala et al. 1999), on the values that may be shown alone. Most pairs are refuted by the
first thousand rows, and a column in no pair that is left is not read again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from synthgan.data.encoders import Encoder
from synthgan.data.relations import Relation
from synthgan.data.shown import Shown, shown_of
from synthgan.data.summaries import one_array

# A relation that independent columns would show more often than this is none.
MOST_CHANCE = 1e-9
# How far the shares of a column's values may move because some of its parent's are hidden.
MOST_LOST = 0.01
# Rows of a parent's value in the mean: with fewer, a table of doubled rows would only be copied.
LEAST_ROWS = 5
MOST_VALUES = 2_000
FIRST_ROWS, MOST_ROWS = 1 << 10, 1 << 16

Pair = tuple[str, str]


def find_relations(
    blocks: Iterable[pa.Table], encoders: Sequence[Encoder], rare_threshold: int
) -> list[Relation]:
    """Find the columns that another column determines.

    A column follows another one if in all rows each value of the other, missing being one, goes
    with one value of it; if chance would not do that; and if what goes with a value is backed by
    `rare_threshold` rows. Only values that are emitted count, and none of them may get lost. There
    are no circles: a parent follows none, the finest parents come first, and of two columns that
    determine each other the first one in the table is the parent.

    Parameters
    ----------
    blocks : iterable of pyarrow.Table
        The rows that the encoders learned.
    encoders : sequence of Encoder
        Those of all columns that are kept, in the table's order.
    rare_threshold : int
        Rows that must back each value of a parent, unless both columns are exempt.

    Returns
    -------
    list of Relation
        In the order of the children.

    Examples
    --------
    >>> from synthgan.data.codec import TableCodec
    >>> table = pa.table({"town": ["Ulm", "Rome"] * 40, "land": ["D", "I"] * 40})
    >>> relation, = find_relations([table], TableCodec.fit([table]).encoders, 5)
    >>> relation.parent, relation.child, relation.places
    ('town', 'land', array([1, 0]))
    """
    search = _Search(encoders)
    for part in _parts(blocks):
        search.see(part)
        if not search.maps:
            return []
    return search.relations(rare_threshold)


def _parts(blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows in parts that grow: what few rows refute is not held against many."""
    size = FIRST_ROWS
    for block in blocks:
        start = 0
        while start < block.num_rows:
            yield block.slice(start, size)
            start += size
            size = min(4 * size, MOST_ROWS)


def log_chance(groups: np.ndarray, shares: np.ndarray) -> float:
    """Logarithm of the chance that an independent column is constant within each group.

    Parameters
    ----------
    groups : ndarray of shape (groups,)
        Their rows.
    shares : ndarray of shape (values,)
        Shares of the column's values.

    Examples
    --------
    >>> round(math.exp(log_chance(np.array([2, 3]), np.array([0.5, 0.5]))), 6)
    0.125
    """
    sizes, times = np.unique(groups, return_counts=True)
    logs = np.log(shares[shares > 0])
    return float(times @ np.logaddexp.reduce(sizes[:, None] * logs, axis=1))


class _Search:
    """Pairs of columns that no row has refuted yet, and what each parent's value goes with."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        every = {encoder.column.name: shown_of(encoder) for encoder in encoders}
        self.shown: dict[str, Shown] = {
            name: shown
            for name, shown in every.items()
            if shown is not None and 2 <= shown.count <= MOST_VALUES
        }
        parents = [name for name, shown in self.shown.items() if shown.discrete]
        children = [name for name, shown in self.shown.items() if shown.column.follows is not False]
        self.maps: dict[Pair, np.ndarray] = {
            (parent, child): np.full(self.shown[parent].count, -1)
            for parent in parents
            for child in children
            if parent != child
        }
        self.counts = {
            name: np.zeros(shown.count, dtype=np.int64) for name, shown in self.shown.items()
        }
        self.rows = 0

    def see(self, part: pa.Table) -> None:
        """Refute pairs by some more rows."""
        self.rows += part.num_rows
        places: dict[str, np.ndarray] = {}
        hidden: dict[str, np.ndarray] = {}
        for name in dict.fromkeys(name for pair in self.maps for name in pair):
            found = self.shown[name].places(one_array(part.column(name)))
            places[name] = found.astype(np.intp, copy=False)
            hidden[name] = np.flatnonzero(found < 0)
            known = found[found >= 0] if len(hidden[name]) else places[name]
            self.counts[name] += np.bincount(known, minlength=len(self.counts[name]))
        self.maps = {
            (parent, child): known
            for (parent, child), known in self.maps.items()
            if not (places[parent][hidden[child]] >= 0).any()
            and _agree(known, places[parent], places[child], hidden[parent])
        }

    def relations(self, rare_threshold: int) -> list[Relation]:
        """What is left at the end, without chance and circles."""
        names = list(self.shown)
        fit, sure = np.zeros((2, len(names), len(names)), dtype=bool)
        for pair in self.maps:
            at = names.index(pair[0]), names.index(pair[1])
            fit[at] = self._fits(pair, rare_threshold)
            sure[at] = fit[at] and not self._by_chance(pair)
        parents = _parents(
            _closed(sure, fit), np.array([each.count for each in self.shown.values()])
        )
        pairs = [(names[parent], names[child]) for child, parent in sorted(parents.items())]
        return [Relation(child, parent, self.maps[parent, child]) for parent, child in pairs]

    def _shares(self, pair: Pair) -> np.ndarray:
        """Shares of the child's values where the parent's value is shown."""
        parent, child = pair
        counts, size = self.counts[parent], self.shown[child].count
        made = np.bincount(self.maps[pair], weights=counts, minlength=size)
        return np.asarray(made / counts.sum())

    def _by_chance(self, pair: Pair) -> bool:
        groups, shares = self.counts[pair[0]], self._shares(pair)
        # within a group all rows but the first repeat a value, at most the commonest
        least = (groups.sum() - len(groups)) * math.log(shares.max())
        limit = math.log(MOST_CHANCE)
        return least > limit and log_chance(groups, shares) > limit

    def _fits(self, pair: Pair, rare_threshold: int) -> bool:
        """Whether enough rows back each value, and the child loses no value and few rows."""
        parent, child = self.shown[pair[0]], self.shown[pair[1]]
        backing, seen = self.counts[pair[0]], self.counts[pair[1]]
        public = not (parent.column.rare or child.column.rare)
        if backing.min() < (1 if public else rare_threshold) or backing.mean() < LEAST_ROWS:
            return False
        shares = self._shares(pair)
        rows = int(seen.sum()) if child.whole else self.rows
        lost = 1.0 - np.minimum(seen / rows, shares).sum()
        return bool(shares.all()) and bool(lost <= MOST_LOST)


def _agree(known: np.ndarray, parent: np.ndarray, child: np.ndarray, hidden: np.ndarray) -> bool:
    """Whether rows agree with what is known of a pair; what they add is written into it."""
    if len(hidden):
        shown = parent >= 0
        parent, child = parent[shown], child[shown]
    told = known.take(parent)
    if (told == child).all():
        return True
    fresh = told < 0
    known[parent[fresh]] = child[fresh]
    return bool((known.take(parent) == child).all())


def _closed(sure: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """With A -> B and B -> C also A -> C, wherever that one fits: no chance has made it."""
    while True:
        more = sure | ((sure.astype(np.int64) @ sure > 0) & fit)
        if (more == sure).all():
            return sure
        sure = more


def _parents(determines: np.ndarray, counts: np.ndarray) -> dict[int, int]:
    """One parent for each child, by number: the finest first, else the first in the table."""
    parents: dict[int, int] = {}
    for parent in np.argsort(-counts, kind="stable").tolist():
        if parent in parents:
            continue
        for child in np.flatnonzero(determines[parent]).tolist():
            if child not in parents and child not in parents.values():
                parents[child] = parent
    return parents
