"""The refiner: from a pool of generated rows to fewer and better ones."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthgan.boosting import Trees
from synthgan.data.codec import TableCodec
from synthgan.data.features import Features
from synthgan.data.matrix import EncodedMatrix
from synthgan.density_ratio import LearnedRatio, Round
from synthgan.raking import Rake
from synthgan.refinement.conditionals import Conditional, redrawable
from synthgan.selection import select

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Refiner:
    """A cascade over generated rows: weigh and choose, redraw cells, weigh and choose again.

    Attributes
    ----------
    features : Features
        What its trees look at.
    first : LearnedRatio or None
        Weighs the pool.
    conditionals : tuple of Conditional
        Redraw columns, in the order of the table; each sees what was redrawn before it.
    last : LearnedRatio or None
        Weighs what comes out of that.
    """

    features: Features
    first: LearnedRatio | None = None
    conditionals: tuple[Conditional, ...] = ()
    last: LearnedRatio | None = None

    @property
    def trees(self) -> int:
        """How many trees there are."""
        ratios = [each.trees for each in (self.first, self.last) if each is not None]
        return sum(ratios) + sum(each.trees.count for each in self.conditionals)

    @property
    def is_idle(self) -> bool:
        """Whether it changes nothing."""
        return self.first is None and not self.conditionals and self.last is None

    def refine(
        self,
        pool: EncodedMatrix,
        wanted: int,
        rng: np.random.Generator,
        *,
        bound: Collection[str] = (),
        threads: int = 1,
    ) -> EncodedMatrix:
        """Make `wanted` refined rows of a pool, or as many as it has.

        Parameters
        ----------
        pool : EncodedMatrix
            Generated rows.
        wanted : int
            How many rows to keep.
        rng : numpy.random.Generator
            Decides which, and the cells that are redrawn.
        bound : collection of str
            Columns whose cells stay as they are.
        threads : int, default 1
            How many the trees may use.

        Returns
        -------
        EncodedMatrix
            In random order.
        """
        kept = wanted if self.last is None else between(pool.rows, wanted)
        rows, pool = self.choose(pool, kept, rng, threads=threads)
        pool = self.redraw(rows, pool, rng, bound=bound, threads=threads)
        weights = np.ones(pool.rows)
        if self.last is not None and pool.rows > wanted:
            weights = self.last.weights(rows, threads)
        return pool.take(select(weights, wanted, rng))

    def choose(
        self, pool: EncodedMatrix, kept: int, rng: np.random.Generator, *, threads: int = 1
    ) -> tuple[Floats, EncodedMatrix]:
        """The first choice: features and codes of `kept` rows, or of as many as there are."""
        rows = self.features.of(pool)
        weights = np.ones(pool.rows)
        if self.first is not None and pool.rows > kept:
            weights = self.first.weights(rows, threads)
        chosen = select(weights, kept, rng)
        return rows[chosen], pool.take(chosen)

    def redraw(
        self,
        rows: Floats,
        pool: EncodedMatrix,
        rng: np.random.Generator,
        *,
        bound: Collection[str] = (),
        threads: int = 1,
    ) -> EncodedMatrix:
        """The rows with some cells drawn anew; their features follow in place."""
        codes = pool.codes.copy()
        pool = EncodedMatrix(codes, pool.scalars)
        for conditional in self.conditionals:
            column = conditional.column
            if column.name not in bound:
                codes[:, column.choice] = conditional.redraw(rows, rng, threads)
                rows[:, column.feature] = self.features.column(column.feature, pool)
        return pool

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header, and the trees as packed text."""
        header: dict[str, Any] = {"conditionals": []}
        arrays: dict[str, NDArray[Any]] = {}
        for name, ratio in (("first", self.first), ("last", self.last)):
            header[name] = None if ratio is None else _ratio_to_dict(ratio)
            for number, each in enumerate(() if ratio is None else ratio.rounds):
                for side, trees in zip("ab", each.pair, strict=True):
                    arrays[f"{name}.{number}{side}"] = trees.to_bytes()
                arrays[f"{name}.{number}.edges"] = each.rake.edges
                arrays[f"{name}.{number}.logs"] = each.rake.logs
        for conditional in self.conditionals:
            number = conditional.column.feature
            header["conditionals"].append({"feature": number, "gain": conditional.gain})
            arrays[f"conditional.{number}"] = conditional.trees.to_bytes()
        return header, arrays

    @classmethod
    def from_state(
        cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], codec: TableCodec
    ) -> Self:
        """The refiner that `to_state` described.

        Raises
        ------
        ValueError, KeyError
            If a part is damaged or does not fit the table.
        """
        features = Features(codec)
        width = len(features.names)
        first, last = (
            _ratio_from(header[name], name, arrays, features) for name in ("first", "last")
        )
        columns = {column.feature: column for column in redrawable(features)}
        conditionals = []
        for told in header["conditionals"]:
            column = columns[told["feature"]]
            trees = Trees.from_bytes(arrays[f"conditional.{column.feature}"], width)
            if trees.classes != column.options:
                raise ValueError(f"conditional of {column.name!r}: other options than the column's")
            conditionals.append(Conditional(column, trees, told["gain"]))
        return cls(features, first, tuple(conditionals), last)


def between(pool: int, wanted: int) -> int:
    """How many rows of a pool the first choice leaves to the last one: as strict as each other.

    Examples
    --------
    >>> between(400, 100)
    200
    """
    return max(wanted, round(math.sqrt(pool * wanted)))


def _ratio_to_dict(ratio: LearnedRatio) -> dict[str, Any]:
    return {
        "gains": list(ratio.gains),
        "highest": [each.highest for each in ratio.rounds],
        "effective": ratio.effective,
    }


def _ratio_from(
    told: Mapping[str, Any] | None,
    name: str,
    arrays: Mapping[str, NDArray[Any]],
    features: Features,
) -> LearnedRatio | None:
    if told is None:
        return None
    rounds = []
    for number in range(len(told["gains"])):
        first, second = (
            Trees.from_bytes(arrays[f"{name}.{number}{side}"], len(features.names)) for side in "ab"
        )
        if (first.classes, second.classes) != (2, 2):
            raise ValueError(f"ratio {name!r}: expected trees of two classes")
        edges, logs = (arrays[f"{name}.{number}.{part}"] for part in ("edges", "logs"))
        rake, highest = Rake(edges, logs, features.categorical), float(told["highest"][number])
        rounds.append(Round((first, second), rake, highest))
    return LearnedRatio(tuple(rounds), tuple(told["gains"]), told["effective"])
