"""Rows of many classes out of draws without a condition: each class is dealt its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from synthgan.streams import seed_for

# rows that are drawn once more for what a class still misses: beyond, a condition costs less
_MOST_AGAIN = 20_000
# tries to come to a number that is one of chance, and how many more rows than it takes on average
_TRIES, _AMPLE = 3, 1.2


class Deals:
    """Rows that wait for their class to ask.

    Parameters
    ----------
    draw : callable
        ``draw(rows, seed)`` gives rows of all classes, as the generator has them.
    column : str
        The one that says of which class a row is.
    classes : mapping of int to str
        What each class that may ask is called there, by its number.
    seed : int
        Decides all draws.
    """

    def __init__(
        self,
        draw: Callable[[int, int], pa.Table],
        column: str,
        classes: Mapping[int, str],
        seed: int,
    ) -> None:
        self._draw, self._column, self._seed = draw, column, seed
        self._classes, self._waiting = dict(classes), dict[int, pa.Table]()
        self._rows, self._turn = 0, 0
        self._found = dict.fromkeys(classes, 0)

    def deal(self, rows: int) -> None:
        """Draw rows, and let them wait for their classes."""
        made = self._draw(rows, seed_for(self._seed, self._turn))
        labels = made.column(self._column).cast(pa.string())
        for code, label in self._classes.items():
            own = made.filter(pc.equal(labels, label))
            before = [self._waiting[code]] if code in self._waiting else []
            self._waiting[code] = joined([*before, own])
            self._found[code] += own.num_rows
        self._rows, self._turn = self._rows + made.num_rows, self._turn + 1

    def take(self, code: int, rows: int) -> pa.Table:
        """At most so many rows of a class; fewer where a condition costs less than more draws."""
        for _ in range(_TRIES):
            missing, found = rows - self._waiting[code].num_rows, self._found[code]
            if missing <= 0 or not found:
                break
            again = math.ceil(_AMPLE * missing * self._rows / found)
            if again > _MOST_AGAIN:
                break
            self.deal(again)
        waiting = self._waiting[code]
        self._waiting[code] = waiting.slice(rows)
        return waiting.slice(0, rows)


def joined(tables: list[pa.Table]) -> pa.Table:
    """Rows of one table after those of the other, whatever levels each one came with."""
    return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
