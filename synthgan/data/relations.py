"""Columns that follow another one: derived from it, conditioned and completed through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.encoders import Encoder
from synthgan.data.problems import listed
from synthgan.data.shown import Shown, ShownLevels, shown_of
from synthgan.data.summaries import one_array
from synthgan.data.wanted import Chosen
from synthgan.errors import ConditionError

_NAMED_VALUES = 5
# stands for a cell that is to be filled
_OPEN = -2
# groups of a tie: any value may be, or the drawn one stays
ANY, AS_IT_IS = -1, -2


@dataclass(frozen=True, eq=False, slots=True)
class Relation:
    """A column that is a function of another one.

    Attributes
    ----------
    child, parent : str
        The column that follows, and the one that it follows.
    places : ndarray of shape (parent values,)
        Where among the child's values that one stands which goes with each of the parent's.
    """

    child: str
    parent: str
    places: np.ndarray


@dataclass(frozen=True, eq=False, slots=True)
class Tie:
    """What the empty cells of a parent may become, given the cells of its children.

    Attributes
    ----------
    parent : str
        The column.
    group : ndarray of shape (rows,)
        Number of the row's own line in `allowed`; or ANY, or AS_IT_IS.
    allowed : ndarray of bool of shape (groups, parent values)
        Which places among the parent's values agree.
    """

    parent: str
    group: np.ndarray
    allowed: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """What some rows allow, of shape (rows, parent values)."""
        group = self.group[rows]
        return np.asarray(self.allowed[np.maximum(group, 0)] | (group < 0)[:, None])

    def allows(self, places: np.ndarray) -> np.ndarray:
        """Which rows allow the values at their places, of shape (rows,)."""
        met = self.allowed[np.maximum(self.group, 0), places]
        return np.asarray(met | (self.group < 0))


class Relations:
    """All relations of a table; a parent follows no other column.

    Parameters
    ----------
    relations : iterable of Relation
        At most one for each child.
    encoders : mapping of str to Encoder
        Those of all columns, by name.
    """

    def __init__(self, relations: Iterable[Relation], encoders: Mapping[str, Encoder]) -> None:
        self._of = {relation.child: relation for relation in relations}
        self._shown: dict[str, Shown] = {}
        for relation in self:
            for name in (relation.child, relation.parent):
                shown = shown_of(encoders[name])
                assert shown is not None
                self._shown[name] = shown

    def __iter__(self) -> Iterator[Relation]:
        return iter(self._of.values())

    def __len__(self) -> int:
        return len(self._of)

    def __contains__(self, child: object) -> bool:
        return child in self._of

    def is_folded(self, name: str) -> bool:
        """Whether a column has no codes: its parent's options tell all that there is to it."""
        return name in self._of and not self._shown[self._of[name].parent].is_scalar

    @property
    def scalar_parents(self) -> list[str]:
        """Parents whose values are no options: their children have codes too, and are mended."""
        parents = dict.fromkeys(relation.parent for relation in self)
        return [parent for parent in parents if self._shown[parent].is_scalar]

    def shown(self, name: str) -> Shown:
        """The values of a parent or child that come out one by one."""
        return self._shown[name]

    def __getitem__(self, child: str) -> Relation:
        return self._of[child]

    def children(self, parent: str) -> list[Relation]:
        """The relations of a parent."""
        return [relation for relation in self if relation.parent == parent]

    def places(self, name: str, array: pa.Array) -> np.ndarray:
        """Where cells of a parent or child stand among the values that it shows."""
        return self._shown[name].places(array)

    def has_null(self, name: str) -> bool:
        """Whether the last place of a parent or child stands for missing."""
        return self._shown[name].null is not None

    def derive(self, child: str, parent: pa.Array) -> pa.Array:
        """The child's cells beside cells of its parent that were decoded."""
        relation = self._of[child]
        places = self.places(relation.parent, parent)
        return self._shown[child].take(relation.places.take(places))

    def broken(self, table: pa.Table) -> np.ndarray:
        """How many relations each row contradicts, of shape (rows,).

        A value of a parent that is not shown says nothing of its children.
        """
        broken = np.zeros(table.num_rows, dtype=np.int64)
        for relation in self:
            parent, child = (
                self.places(name, one_array(table.column(name)))
                for name in (relation.parent, relation.child)
            )
            broken += (parent >= 0) & (relation.places.take(parent, mode="clip") != child)
        return broken

    def unknown(self, child: str, array: pa.Array) -> np.ndarray:
        """Which cells hold a category that is not shown; of numbers the nearest is meant."""
        shown = self._shown[child]
        if not isinstance(shown, ShownLevels):
            return np.zeros(len(array), dtype=bool)
        return np.asarray(array.is_valid()) & (shown.places(array) < 0)

    def settle(self, where: Mapping[str, Any]) -> dict[str, Any]:
        """Say of parents what conditions say of their children.

        Parameters
        ----------
        where : mapping
            Conditions, each of which can be met by itself.

        Returns
        -------
        dict
            Conditions on columns that follow none, and on children with codes of their own; those
            on parents as `Chosen`, with what is said of their children in them.

        Raises
        ------
        ConditionError
            If no value of a parent meets all that is said of it and of its children.
        """
        parents = dict.fromkeys(
            self._of[name].parent if name in self else name for name in where if name in self._shown
        )
        settled = {name: wanted for name, wanted in where.items() if not self.is_folded(name)}
        problems = []
        for parent in parents:
            names = [parent, *(relation.child for relation in self.children(parent))]
            said = {name: where[name] for name in names if name in where}
            chosen = self._chosen(parent, said)
            if not chosen.any():
                problems.append(self._impossible(parent, said))
            settled[parent] = Chosen.of(chosen, self.has_null(parent))
        if problems:
            raise ConditionError(problems[0] if len(problems) == 1 else listed("where", problems))
        return settled

    def wishes(self, settled: Mapping[str, Any], rows: int) -> list[Tie]:
        """Settled conditions on parents, said of each row."""
        group = np.zeros(rows, dtype=np.int64)
        chosen = ((name, settled[name]) for name in self.scalar_parents if name in settled)
        return [Tie(name, group, each.places(self.has_null(name))[None]) for name, each in chosen]

    def _chosen(self, parent: str, said: Mapping[str, Any]) -> np.ndarray:
        """Which places among the parent's values meet all conditions."""
        chosen = np.ones(self._shown[parent].count, dtype=bool)
        for name, wanted in said.items():
            meets = self._shown[name].chosen(wanted)
            chosen &= meets if name == parent else meets[self._of[name].places]
        return chosen

    def _impossible(self, parent: str, said: Mapping[str, Any]) -> str:
        found = " and ".join(f"{name!r}: {wanted!r}" for name, wanted in said.items())
        children = [name for name in said if name != parent]
        follow = f"{' and '.join(map(repr, children))} follow{'s' * (len(children) == 1)}"
        text = f"no row meets {found}: {follow} {parent!r}, of which no learned value fits"
        if parent not in said:
            return f"{text}; change one of them"
        given = {parent: said[parent]}
        here = np.unique(self._of[children[0]].places[self._chosen(parent, given)])
        values = self._shown[children[0]].take(here[:_NAMED_VALUES]).to_pylist()
        more = ", ..." if len(here) > _NAMED_VALUES else ""
        return f"{text}; with {said[parent]!r} it is {', '.join(map(repr, values))}{more}"

    def ties(self, given: pa.Table) -> list[Tie]:
        """What may fill the empty cells of parents so that the children given are no contradiction.

        Parameters
        ----------
        given : pyarrow.Table
            Rows to be completed, with some of the columns.
        """
        parents = dict.fromkeys(relation.parent for relation in self)
        return [self._tie(parent, given) for parent in parents]

    def _tie(self, parent: str, given: pa.Table) -> Tie:
        known = [each for each in self.children(parent) if each.child in given.column_names]
        is_given = parent in given.column_names
        empty = np.ones(given.num_rows, dtype=bool)
        if is_given:
            empty = np.asarray(one_array(given.column(parent)).is_null())
        group, rows = np.where(empty, ANY, AS_IT_IS), np.flatnonzero(empty)
        if not known or not len(rows):
            return Tie(parent, group, np.ones((1, self._shown[parent].count), dtype=bool))
        cells = [self._cells(each.child, one_array(given.column(each.child))) for each in known]
        patterns, line = np.unique(np.stack(cells, axis=1)[rows], axis=0, return_inverse=True)
        allowed = np.stack([self._allowed(parent, known, each, is_given) for each in patterns])
        group[rows] = np.where(allowed.all(axis=1), ANY, np.arange(len(patterns)))[line.ravel()]
        return Tie(parent, group, allowed)

    def _cells(self, child: str, array: pa.Array) -> np.ndarray:
        """Places of a child's cells, _OPEN where they are empty."""
        places = self._shown[child].places(array, nearest=True)
        return np.where(np.asarray(array.is_null()), _OPEN, places)

    def _allowed(
        self, parent: str, known: list[Relation], cells: np.ndarray, is_given: bool
    ) -> np.ndarray:
        """Which of the parent's values agree with one row's children; all, if none can.

        An empty cell is filled with another null only where nothing else agrees.
        """
        told = np.ones(self._shown[parent].count, dtype=bool)
        filled = np.ones_like(told)
        null = self._shown[parent].null
        if is_given and null is not None:
            filled[null] = False
        for relation, cell in zip(known, cells, strict=True):
            if cell != _OPEN:
                told &= relation.places == cell
            elif (nothing := self._shown[relation.child].null) is not None:
                filled &= relation.places != nothing
        wishes = (told & filled, told, np.ones_like(told))
        return next(wish for wish in wishes if wish.any())
