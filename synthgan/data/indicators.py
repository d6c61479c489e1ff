"""Columns of which exactly one is 1 in every row: one category, dealt out over several columns.

A one-hot group says nothing that one column of categories would not say. No network draws forty
columns so that never two of them are 1. Folded into one choice they cost what one choice costs, and
every row has its one. The category is a column of the codec, not of the table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.categories import MOST_OPTIONS, CategoryEncoder
from synthgan.data.dependencies import MOST_CHANCE, find_relations
from synthgan.data.encoders import Encoder
from synthgan.data.numbers import NumberEncoder
from synthgan.data.relations import Relation, Relations
from synthgan.data.schema import Column
from synthgan.data.shown import shown_of
from synthgan.data.summaries import one_array

# two columns that complement each other follow one another already
LEAST_COLUMNS = 3
# more columns of 0 and 1 than these are not searched
MOST_COLUMNS = 1_000

_LAST_PART = re.compile(r"[._:= -][^._:= -]*$")


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Columns of 0 and 1 that are one category.

    Attributes
    ----------
    encoder : CategoryEncoder
        Of the category; its levels are names of columns.
    columns : tuple of str
        All of them; those whose 1 is too rare to be emitted are no levels.
    """

    encoder: CategoryEncoder
    columns: tuple[str, ...]

    @classmethod
    def of(cls, columns: Sequence[str], counts: Mapping[str, int], known: Collection[str]) -> Self:
        """The group of some columns.

        Parameters
        ----------
        columns : sequence of str
            In the order of the table.
        counts : mapping of str to int
            Rows in which each that may be emitted is 1.
        known : collection of str
            Names that the category must not have.
        """
        name = f"one of {len(columns)}: {columns[0]} to {columns[-1]}"
        while name in known:
            name += "'"
        about = Column(name, "category", "large_string", "exactly one of these columns is 1")
        levels = sorted(counts, key=lambda level: -counts[level])
        encoder = CategoryEncoder(
            about,
            pa.array(levels, pa.large_string()),
            np.array([counts[level] for level in levels], dtype=np.int64),
            missing=0,
            protected=len(columns) - len(levels),
        )
        return cls(encoder, tuple(columns))

    @property
    def name(self) -> str:
        """Of the category."""
        return self.encoder.column.name

    def relations(self, encoders: Mapping[str, Encoder]) -> list[Relation]:
        """What each column is, given the category."""
        levels = self.encoder.levels.to_pylist()
        made = []
        for place, level in enumerate(levels):
            ones = _place_of_one(encoders[level])
            places = np.full(len(levels), 1 - ones)
            places[place] = ones
            made.append(Relation(level, self.name, places))
        return made

    def cells(self, table: pa.Table) -> pa.Array:
        """The category of each row; null where not exactly one column is known to be 1."""
        ones = np.stack([_ones(one_array(table.column(name))) for name in self.columns])
        which = np.where(ones.sum(axis=0) == 1, ones.argmax(axis=0), -1)
        return pa.array(self.columns, pa.large_string()).take(pa.array(which, mask=which < 0))

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-safe header and arrays."""
        header, arrays = self.encoder.to_state()
        about = {"column": self.encoder.column.to_dict(), "columns": list(self.columns)}
        return about | {"encoder": header}, arrays

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The group that `to_state` described."""
        column = Column.from_dict(header["column"])
        encoder = CategoryEncoder.from_state(column, header["encoder"], arrays)
        return cls(encoder, tuple(header["columns"]))


class GroupSearch:
    """Counts of how often columns of 0 and 1 are 1 together, and the groups that they show.

    Parameters
    ----------
    encoders : sequence of Encoder
        Those of all columns that are kept, in the table's order.

    Examples
    --------
    >>> from synthgan.data.codec import TableCodec
    >>> table = pa.table({"a": [1, 0, 0] * 40, "b": [0, 1, 0] * 40, "c": [0, 0, 1] * 40})
    >>> search = GroupSearch(TableCodec.fit([table]).encoders)
    >>> for block in search.watch([table]): pass
    >>> group, = search.groups(())
    >>> group.name, group.columns, group.cells(table)[1].as_py()
    ('one of 3: a to c', ('a', 'b', 'c'), 'b')
    """

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        self._encoders = {encoder.column.name: encoder for encoder in encoders}
        self.names = [name for name, each in self._encoders.items() if _is_indicator(each)]
        if not LEAST_COLUMNS <= len(self.names) <= MOST_COLUMNS:
            self.names = []
        self._together = np.zeros((len(self.names), len(self.names)))
        self._rows = 0

    def watch(self, blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The blocks as they come, counted."""
        for block in blocks:
            self._rows += block.num_rows
            if self.names:
                cells = [_ones(one_array(block.column(name))) for name in self.names]
                ones = np.stack(cells).astype(np.float32)
                # exact below 2^24 rows, and blocks are far shorter
                self._together += ones @ ones.T
            yield block

    def groups(self, taken: Iterable[str]) -> list[Group]:
        """All groups of columns other than those that are `taken`."""
        out = set(taken)
        left = [number for number, name in enumerate(self.names) if name not in out]
        found: list[list[int]] = []
        for stem in dict.fromkeys(_stem(self.names[number]) for number in left):
            alike = [number for number in left if _stem(self.names[number]) == stem]
            if self._is_group(alike):
                found.append(alike)
        left = [number for number in left if not any(number in group for group in found)]
        start = 0
        while start < len(left):
            run = self._run(left[start:])
            if self._is_group(run):
                found.append(run)
            start += len(run) if run in found else 1
        return [self._group(group) for group in sorted(found)]

    def _run(self, numbers: Sequence[int]) -> list[int]:
        """The first columns, as long as they exclude each other and some row is left."""
        run: list[int] = []
        for number in numbers:
            if self._together[number, run].any() or self._count(run) >= self._rows:
                break
            run.append(number)
        return run

    def _count(self, numbers: Sequence[int]) -> float:
        return float(self._together[numbers, numbers].sum())

    def _is_group(self, numbers: Sequence[int]) -> bool:
        if not LEAST_COLUMNS <= len(numbers) <= MOST_OPTIONS:
            return False
        together = self._together[np.ix_(numbers, numbers)]
        ones = np.diag(together)
        if ones.sum() != self._rows or together.sum() != self._rows:
            return False
        if sum(self._is_shown(number) for number in numbers) < 2:
            return False
        shares = ones / self._rows
        alone = np.prod(1.0 - shares) * (shares / (1.0 - shares)).sum()
        return bool(self._rows * math.log(max(alone, 1e-300)) <= math.log(MOST_CHANCE))

    def _is_shown(self, number: int) -> bool:
        shown = shown_of(self._encoders[self.names[number]])
        return shown is not None and shown.count == 2

    def _group(self, numbers: Sequence[int]) -> Group:
        counts = {
            self.names[number]: int(self._together[number, number])
            for number in numbers
            if self._is_shown(number)
        }
        return Group.of([self.names[number] for number in numbers], counts, self._encoders)


def with_groups(table: pa.Table, groups: Iterable[Group]) -> pa.Table:
    """The table and, behind it, the categories all of whose columns it has."""
    for group in groups:
        if group.name not in table.column_names and set(group.columns) <= set(table.column_names):
            table = table.append_column(group.name, group.cells(table))
    return table


def broken(relations: Relations, groups: Iterable[Group], table: pa.Table) -> np.ndarray:
    """How many relations each row of a table contradicts, of shape (rows,)."""
    table = with_groups(table, groups)
    found = relations.broken(table)
    for group in groups:
        found += np.asarray(table.column(group.name).is_null())
    return found


def find_structure(
    blocks: Iterable[pa.Table], encoders: Sequence[Encoder], rare_threshold: int
) -> tuple[list[Relation], list[Group]]:
    """Find in one pass what follows what, and the columns that are one category together.

    Parameters
    ----------
    blocks, encoders, rare_threshold
        As of `find_relations`.

    Returns
    -------
    list of Relation
        Those to the categories too.
    list of Group
        The categories.
    """
    search = GroupSearch(encoders)
    watched = search.watch(blocks)
    found = find_relations(watched, encoders, rare_threshold)
    if search.names:
        for _ in watched:
            # the relations may have been settled before the last rows
            pass
    groups = search.groups(relation.child for relation in found)
    by_name = {encoder.column.name: encoder for encoder in encoders}
    own = {each.child: each for group in groups for each in group.relations(by_name)}
    # a parent follows no other column: what follows a column of a group follows the category
    through = [_composed(each, own[each.parent]) if each.parent in own else each for each in found]
    return [*through, *own.values()], groups


def _composed(relation: Relation, parent: Relation) -> Relation:
    return Relation(relation.child, parent.parent, relation.places[parent.places])


def _is_indicator(encoder: Encoder) -> bool:
    """Whether a column holds 0 and 1 alone, and may be looked up from others."""
    if encoder.column.follows is False or encoder.distinct != 2 or encoder.missing:
        return False
    if isinstance(encoder, NumberEncoder):
        shown = encoder.shown.tolist()
        # where one of two values is hidden, the other one is 0
        return encoder.ranks is None and shown in ([0, 1], [0])
    if not isinstance(encoder, CategoryEncoder):
        return False
    return sorted(encoder.levels.to_pylist(), key=str) in ([False, True], [0, 1])


def _place_of_one(encoder: Encoder) -> int:
    if isinstance(encoder, CategoryEncoder):
        return int(np.argmax([bool(level) for level in encoder.levels.to_pylist()]))
    return 1


def _ones(array: pa.Array) -> np.ndarray:
    """Where a column of 0 and 1 is known to be something else than 0, of shape (rows,)."""
    if not pat.is_boolean(array.type):
        array = pc.not_equal(array, pa.scalar(0).cast(array.type))
    return np.asarray(array.fill_null(False))


def _stem(name: str) -> str:
    """What the name of a column shares with those beside it: all but its number or last part.

    Examples
    --------
    >>> _stem("Soil_Type40"), _stem("color_red"), _stem("color=red"), _stem("red")
    ('Soil_Type', 'color', 'color', 'red')
    """
    shorter = name.rstrip("0123456789")
    if shorter == name:
        shorter = _LAST_PART.sub("", name)
    return shorter or name
