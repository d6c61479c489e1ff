"""Chained conditionals: column after column told by boosted trees, from a game's start.

Each column's trees see the other columns with their holes as filled so far, as in chained equations
(van Buuren and Groothuis-Oudshoorn, "mice", 2011) and missForest (Stekhoven and Buehlmann, 2012).
Later rounds are averaged with what was there before, which takes half of the noise out of what
trees of one round say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthgan.imputation.cells import Cells
from synthgan.imputation.trees import ColumnTrees, can_grow, grow_column
from synthgan.selection import drawn_options

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# weight of what a later round says
NEW = 0.5
# passes that draw each cell given what was drawn for the others
DRAWING_ROUNDS = 3
# donors of a drawn number: known cells that were told nearly the same
DONORS = 10


class Filling:
    """Rows while they are filled: what is known, and what is told of the rest.

    Parameters
    ----------
    floats : ndarray of shape (rows, columns)
        Cells, NaN where there is a hole.
    told : list of ndarray
        Of each column expected values, or shares of options.
    categorical : ndarray of bool of shape (columns,)
        Which columns are categories.
    """

    def __init__(self, floats: Floats, told: list[Floats], categorical: Mask) -> None:
        self.known, self._categorical = ~np.isnan(floats), categorical
        self.told, self.rows = list(told), floats.copy()
        for number in range(len(told)):
            self._write(number)

    def _write(self, number: int) -> None:
        self.put(number, likeliest(self.told[number], bool(self._categorical[number])))

    def put(self, number: int, values: Floats) -> None:
        """Fill the holes of a column."""
        holes = ~self.known[:, number]
        self.rows[holes, number] = values[holes]

    def others(self, number: int) -> Floats:
        """All columns but one, of shape (rows, columns - 1)."""
        return np.delete(self.rows, number, axis=1)

    def hear(self, number: int, told: Floats, weight: float) -> None:
        """Take what trees say of a column, averaged with what was said before."""
        self.told[number] = (1.0 - weight) * self.told[number] + weight * told
        self._write(number)


@dataclass(frozen=True, slots=True)
class Donors:
    """Known numbers in the order of what was told of them, each of shape (donors,)."""

    told: Floats
    values: Floats

    def draw(self, told: Floats, rng: np.random.Generator) -> Floats:
        """One value for each, of a known cell that was told about the same (Rubin 1986)."""
        last = max(len(self.told) - DONORS, 0)
        first = np.clip(np.searchsorted(self.told, told) - DONORS // 2, 0, last)
        place = first + rng.integers(0, min(DONORS, len(self.told)), len(told))
        return np.asarray(self.values[place])


@dataclass(slots=True)
class Chain:
    """Trees of all rounds, each a list of columns with their trees.

    Attributes
    ----------
    rounds : list of list of (int, ColumnTrees)
        In the order they are asked.
    donors : dict of int to Donors
        Of numbers: what draws are taken from.
    """

    rounds: list[list[tuple[int, ColumnTrees]]] = field(default_factory=list)
    donors: dict[int, Donors] = field(default_factory=dict)

    def run(self, filling: Filling, threads: int = 1) -> None:
        """Tell every hole as the fit did, round after round."""
        heard: set[int] = set()
        for links in self.rounds:
            for number, trees in links:
                holes = ~filling.known[:, number]
                if holes.any():
                    told = filling.told[number].copy()
                    told[holes] = trees.tell(filling.others(number)[holes], threads)
                    filling.hear(number, told, NEW if number in heard else 1.0)
                heard.add(number)

    def draw(
        self, filling: Filling, cells: Cells, rng: np.random.Generator, threads: int = 1
    ) -> None:
        """Replace what was told by draws: cells given cells that were drawn themselves."""
        latest = {number: trees for links in self.rounds for number, trees in links}
        for _ in range(DRAWING_ROUNDS):
            for number in range(len(cells.names)):
                holes = ~filling.known[:, number]
                if not holes.any():
                    continue
                told = filling.told[number].copy()
                if number in latest:
                    told[holes] = latest[number].tell(filling.others(number)[holes], threads)
                values = np.zeros(len(told))
                if cells.categorical[number]:
                    values[holes] = drawn_options(told[holes], rng)
                else:
                    values[holes] = self.donors[number].draw(told[holes, 0], rng)
                filling.put(number, values)


def learn_chain(
    cells: Cells,
    filling: Filling,
    rounds: int,
    proposed: Callable[[int], Floats],
    *,
    seed: int,
    threads: int = 1,
) -> Chain:
    """Grow the trees of a chain, and fill with them on the way.

    Columns without holes are learned in the last round alone, for rows that come later.

    Parameters
    ----------
    cells : Cells
        The columns.
    filling : Filling
        The rows of the fit, with a start for each hole; filled better afterwards.
    rounds : int
        How many; 0 leaves the start as it is.
    proposed : callable
        Of a column: what the game proposes for its known cells, were they hidden.
    seed : int
        Decides every tree.
    threads : int, default 1
        How many LightGBM may use.
    """
    chain, heard = Chain(), set()
    holes = (~filling.known).sum(axis=0)
    order = [int(each) for each in np.argsort(holes, kind="stable")]
    for turn in range(rounds):
        links = []
        for number in order:
            if not holes[number] and turn < rounds - 1:
                continue
            trees = _grow(cells, filling, number, seed + turn, threads)
            if trees is None:
                continue
            links.append((number, trees))
            if holes[number]:
                told = trees.tell(filling.others(number), threads)
                filling.hear(number, told, NEW if number in heard else 1.0)
            heard.add(number)
        chain.rounds.append(links)
    _find_donors(chain, cells, filling, proposed, threads)
    return chain


def _grow(
    cells: Cells, filling: Filling, number: int, seed: int, threads: int
) -> ColumnTrees | None:
    known, options = filling.known[:, number], int(cells.options[number])
    labels = filling.rows[known, number]
    if not can_grow(labels, options, len(cells.names) - 1):
        return None
    others = filling.others(number)[known]
    categorical = np.delete(cells.categorical, number)
    return grow_column(others, labels, categorical, options, seed=seed, threads=threads)


def _find_donors(
    chain: Chain,
    cells: Cells,
    filling: Filling,
    proposed: Callable[[int], Floats],
    threads: int,
) -> None:
    """Of numbers: known cells with what is told of them by trees that did not learn from them."""
    latest = {number: trees for links in chain.rounds for number, trees in links}
    for number in np.flatnonzero(~cells.categorical).tolist():
        known = filling.known[:, number]
        values = filling.rows[known, number]
        if number in latest:
            held = latest[number].held
            rows = filling.others(number)[known][held]
            values, told = values[held], latest[number].tell(rows, threads)[:, 0]
        else:
            told = proposed(number)[known, 0]
        order = np.argsort(told, kind="stable")
        chain.donors[number] = Donors(told[order], values[order])


def likeliest(told: Floats, category: bool) -> Floats:
    """The expected value, or the likeliest option, of shape (rows,)."""
    return told.argmax(axis=1).astype(np.float64) if category else told[:, 0]
