"""Many small trees asked at once: a mask of leaves for each value of a feature, and AND.

A split rules out the leaves on the side where a row does not go. So each value of a feature rules
out certain leaves of every tree, which are found once and kept as bits; what all features of a row
leave over is the one leaf that the row reaches in each tree. Rows and trees are then columns of
plain numbers, and nothing branches (after QuickScorer: Lucchese et al., "QuickScorer: a fast
algorithm to rank documents with additive ensembles of regression trees", SIGIR 2015). The answers
are those of walking the trees, but for the last bits of a sum in single precision, and are no other
however many rows are asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan.tree_text import Split, Tree

# a bit of a mask of 32 is the sign
MOST_LEAVES = 31
# leaves that a mask of 16 bits has room for
_FEW_LEAVES = 15
# features of few values are looked up together, up to so many combinations
_MOST_TOGETHER = 256
# beyond these, walking the trees one by one is faster
MOST_TABLES, MOST_BYTES = 64, 32 << 20
# cells of a block of rows and trees, so that it stays in the processor's cache
_BLOCK_CELLS = 1 << 16
_WORD = 32
_MANTISSA_BITS, _EXPONENT_OF_ONE = 23, 127

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a feature's values are numbered: by category, or by the thresholds that they exceed."""

    feature: int
    bounds: Floats | None
    count: int

    def places(self, rows: Floats) -> Places:
        values = rows[:, self.feature]
        last = self.count - 1
        if self.bounds is None:
            known = (values >= 0) & (values < last)
            return np.where(known, values, last).astype(np.intp)
        places = np.searchsorted(self.bounds, np.ascontiguousarray(values))
        places[np.isnan(values)] = last
        return places


@dataclass(frozen=True, slots=True)
class _Table:
    """Masks of all trees, of shape (combinations, trees), for each combination of some features."""

    asked: tuple[_Asked, ...]
    masks: NDArray[Any]

    def places(self, rows: Floats) -> Places:
        first, *others = self.asked
        places = first.places(rows)
        for each in others:
            places *= each.count
            places += each.places(rows)
        return places

    def with_other(self, other: _Table) -> _Table:
        """One table for both: its combinations are those of the two."""
        masks = self.masks[:, np.newaxis] & other.masks
        return _Table((*self.asked, *other.asked), masks.reshape(-1, masks.shape[-1]))


class TreeMasks:
    """Trees as tables of masks.

    Parameters
    ----------
    tables : sequence of _Table
        At least one.
    values : ndarray of float32 of shape (trees, leaves)
        Of each leaf.
    outputs : int
        Sums that are wanted: one, or one for each class, of whose trees `values` holds one after
        another.
    """

    def __init__(self, tables: Sequence[_Table], values: NDArray[np.float32], outputs: int) -> None:
        self._tables, self._outputs = tuple(tables), outputs
        trees, leaves = values.shape
        self._values = values.ravel()
        # the exponent of a float of one bit is the bit's number, and this
        self._first = (np.arange(trees) * leaves - _EXPONENT_OF_ONE).astype(np.int32)
        self._trees = trees

    @classmethod
    def build(cls, trees: Sequence[Tree], outputs: int = 1) -> TreeMasks | None:
        """Find the masks; None where there would be too many, or trees are too large.

        Parameters
        ----------
        trees : sequence of Tree
            Those of a round of boosting one after another, one for each output.
        outputs : int, default 1
            How many sums there are.

        Examples
        --------
        >>> from synthgan.tree_text import Split, Tree
        >>> tree = Tree((Split(0, 2.5, None, True, ~0, ~1),), np.array([-1.0, 1.0]))
        >>> TreeMasks.build([tree]).scores(np.array([[2.0], [3.0], [np.nan]]))
        array([[-1.],
               [ 1.],
               [-1.]])
        """
        ordered = [tree for output in range(outputs) for tree in trees[output::outputs]]
        leaves = max(len(tree.values) for tree in ordered)
        if leaves > MOST_LEAVES:
            return None
        values = np.zeros((len(ordered), leaves), dtype=np.float32)
        splits: dict[tuple[int, bool], list[tuple[int, Split, int, int]]] = defaultdict(list)
        for number, tree in enumerate(ordered):
            values[number, : len(tree.values)] = tree.values
            for split, left, right in _sides(tree):
                key = (split.feature, split.category is not None)
                splits[key].append((number, split, left, right))
        full = np.array([(1 << len(tree.values)) - 1 for tree in ordered])
        dtype = np.uint16 if leaves <= _FEW_LEAVES else np.int32
        tables = [_Table((_Asked(0, None, 1),), full[np.newaxis].astype(dtype))]
        for (feature, is_category), found in splits.items():
            make = _category_table if is_category else _number_table
            asked, masks = make(feature, found, full)
            tables.append(_Table((asked,), masks.astype(dtype)))
        tables = _together(tables)
        size = sum(each.masks.nbytes for each in tables)
        if len(tables) > MOST_TABLES or size > MOST_BYTES:
            return None
        return cls(tables, values, outputs)

    def scores(self, rows: Floats) -> Floats:
        """Sums of the leaves that rows of shape (n, columns) reach, of shape (n, outputs)."""
        places = [table.places(rows) for table in self._tables]
        found = np.empty((len(rows), self._outputs))
        step = max(_BLOCK_CELLS // self._trees, 1)
        shape = (min(step, len(rows)), self._trees)
        masks, more = (np.empty(shape, self._tables[0].masks.dtype) for _ in range(2))
        floats, leaves = np.empty(shape, np.float32), np.empty(shape, np.intp)
        for start in range(0, len(rows), step):
            count = min(step, len(rows) - start)
            here = slice(start, start + count)
            left, other = masks[:count], more[:count]
            for number, (table, place) in enumerate(zip(self._tables, places, strict=True)):
                # places lie inside; "clip" only spares numpy a copy of what it writes
                np.take(table.masks, place[here], 0, out=other if number else left, mode="clip")
                if number:
                    np.bitwise_and(left, other, out=left)
            leaf, reached = leaves[:count], floats[:count]
            reached[...] = left
            bits = reached.view(np.int32)
            np.right_shift(bits, _MANTISSA_BITS, out=bits)
            np.add(bits, self._first, out=bits)
            leaf[...] = bits
            np.take(self._values, leaf, out=reached, mode="clip")
            found[here] = reached.reshape(count, self._outputs, -1).sum(axis=2)
        return found


def _sides(tree: Tree) -> list[tuple[Split, int, int]]:
    """Each split with the leaves on its left and on its right, as bits."""
    lefts, rights = [0] * len(tree.splits), [0] * len(tree.splits)
    for number in reversed(range(len(tree.splits))):
        for sides, child in (
            (lefts, tree.splits[number].left),
            (rights, tree.splits[number].right),
        ):
            sides[number] = 1 << ~child if child < 0 else lefts[child] | rights[child]
    return list(zip(tree.splits, lefts, rights, strict=True))


def _category_table(
    feature: int, found: Sequence[tuple[int, Split, int, int]], full: NDArray[np.int64]
) -> tuple[_Asked, NDArray[np.int64]]:
    sets = [_members(split) for _, split, _, _ in found]
    # the last line is for any other category, and for none
    count = max(int(each.max(initial=-1)) for each in sets) + 2
    masks = np.repeat(full[np.newaxis], count, axis=0)
    for (number, _, left, right), members in zip(found, sets, strict=True):
        goes_left = np.zeros(count, dtype=bool)
        goes_left[members] = True
        masks[:, number] &= np.where(goes_left, ~right, ~left)
    return _Asked(feature, None, count), masks


def _members(split: Split) -> NDArray[np.int64]:
    assert split.category is not None
    bits = (split.category[:, np.newaxis] >> np.arange(_WORD)) & 1
    return np.flatnonzero(bits)


def _number_table(
    feature: int, found: Sequence[tuple[int, Split, int, int]], full: NDArray[np.int64]
) -> tuple[_Asked, NDArray[np.int64]]:
    bounds = np.unique([split.threshold for _, split, _, _ in found])
    # behind what exceeds all bounds lies what is missing
    count = len(bounds) + 2
    masks = np.repeat(full[np.newaxis], count, axis=0)
    for number, split, left, right in found:
        goes_left = np.arange(count) <= np.searchsorted(bounds, split.threshold)
        goes_left[-1] = split.null_left
        masks[:, number] &= np.where(goes_left, ~right, ~left)
    return _Asked(feature, bounds, count), masks


def _together(tables: list[_Table]) -> list[_Table]:
    """The same in fewer tables: a look-up costs more than a longer table, up to a point."""
    waiting = sorted(tables, key=lambda table: len(table.masks))
    done: list[_Table] = []
    while waiting:
        table = waiting.pop(0)
        while waiting and len(table.masks) * len(waiting[0].masks) <= _MOST_TOGETHER:
            table = table.with_other(waiting.pop(0))
        done.append(table)
    return done
