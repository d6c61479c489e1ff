"""How unlikely each cell is, given the rest of its row; and what was to be expected instead.

One model for each column, learned from all others: boosted trees give the chances of a category's
levels, or the expected rank of a number; how far ranks fall from what is expected is counted on
rows that the trees have not seen. A dependency network (Heckerman et al., JMLR 2000), as in
`synthgan.refinement.conditionals`, here over every column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthgan.anomaly.scale import Scale
from synthgan.boosting import Cases, Growth, Trees, grow
from synthgan.bundle import part

# rows to learn from, columns to learn, and rows held back, one in so many
MOST_ROWS, HELD = 4_000, 3
NUMBERS = Growth(rate=0.2, leaves=8, least_rows=20, least_curvature=0.1, patience=3, most=25)
LEVELS = Growth(rate=0.3, leaves=8, least_rows=20, least_curvature=1.0, patience=3, most=12)
# expected ranks are put into so many groups, each with so many quantiles of what came true
GROUPS, QUANTILES = 16, 65

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cells:
    """What is odd about the cells of rows, each of shape (rows, columns).

    Attributes
    ----------
    surprise : ndarray
        Minus the log chance of a cell as odd as this one, given the others of its row.
    expected : ndarray
        The mark that was to be expected.
    """

    surprise: Floats
    expected: Floats


class ColumnModel:
    """What a column should be, given the others.

    Parameters
    ----------
    number : int
        The column.
    trees : Trees
        Over all columns; they never ask the column's own.
    edges : ndarray of shape (GROUPS - 1,)
        Where the groups of expected ranks divide.
    centres : ndarray of shape (GROUPS,)
        The middle of each group.
    came : ndarray of shape (GROUPS, QUANTILES)
        Quantiles of the ranks that came true in each group.
    """

    def __init__(
        self, number: int, trees: Trees, edges: Floats, centres: Floats, came: Floats
    ) -> None:
        self.number, self.trees = number, trees
        self.edges, self.centres, self.came = edges, centres, came

    def judge(self, rows: Floats, ranks: Floats, scale: Scale) -> tuple[Floats, Floats]:
        """Surprise and expected mark of the column's cells, each of shape (n,)."""
        if scale.categorical[self.number]:
            return self._levels(rows, scale)
        told = self.trees.scores(rows)
        group = np.searchsorted(self.edges, told)
        given = np.nan_to_num(ranks[:, self.number], nan=0.5)
        surprise = np.zeros(len(rows))
        steps = np.linspace(0.0, 1.0, QUANTILES)
        for each, came in enumerate(self.came):
            here = group == each
            below = _share_below(given[here], came, steps)
            surprise[here] = -np.log(np.maximum(2.0 * np.minimum(below, 1.0 - below), 0.5 / 1000))
        surprise[np.isnan(rows[:, self.number])] = 0.0
        rank = np.interp(told, self.centres, self.came[:, QUANTILES // 2])
        knots = scale.knots[self.number]
        return surprise, np.interp(rank, np.linspace(0.0, 1.0, len(knots)), knots)

    def _levels(self, rows: Floats, scale: Scale) -> tuple[Floats, Floats]:
        chances = self.trees.probabilities(rows)
        own = rows[:, self.number]
        known = ~np.isnan(own)
        place = np.where(known, own, 0.0).astype(int)
        inside = place < chances.shape[1]
        told = chances[np.arange(len(rows)), np.where(inside, place, 0)]
        # a level that is not among those learned is as likely as one that was seen half a time
        told = np.where(inside, told, 0.5 / max(scale.rows, 1))
        rarer = np.where(chances <= told[:, np.newaxis], chances, 0.0).sum(axis=1)
        surprise = np.where(known, -np.log(np.maximum(np.maximum(rarer, told), 1e-4)), 0.0)
        return surprise, chances.argmax(axis=1).astype(np.float64)


class Surprise:
    """Models of all columns that the others say something about.

    Parameters
    ----------
    scale : Scale
        What is usual in each column.
    models : sequence of ColumnModel
        One for each column that can be learned.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> first = rng.normal(size=2000)
    >>> rows = np.stack([first, first + rng.normal(size=2000) / 10], axis=1)
    >>> scale = Scale.learn(rows, np.array([False, False]), np.array([0, 0]))
    >>> cells = Surprise.learn(rows, scale, rng).cells(np.array([[1.0, 1.0], [1.0, -1.0]]))
    >>> (cells.surprise[1] > cells.surprise[0] + 1).tolist()
    [True, True]
    """

    def __init__(self, scale: Scale, models: list[ColumnModel]) -> None:
        self.scale, self.models = scale, models

    @classmethod
    def learn(
        cls, rows: Floats, scale: Scale, rng: np.random.Generator, deadline: float | None = None
    ) -> Self:
        """Learn from marks of shape (n, columns)."""
        if len(rows) > MOST_ROWS:
            rows = rows[rng.permutation(len(rows))[:MOST_ROWS]]
        ranks, models = scale.ranks(rows), []
        for number in range(rows.shape[1] if rows.shape[1] > 1 else 0):
            model = _learn_column(number, rows, ranks, scale, rng, deadline)
            if model is not None:
                models.append(model)
        return cls(scale, models)

    def cells(self, rows: Floats) -> Cells:
        """Judge every cell of marks of shape (n, columns).

        A column that the others say nothing about is judged by itself, and expected to be at its
        middle.
        """
        scale, ranks = self.scale, self.scale.ranks(rows)
        surprise = scale.tails(rows)
        expected = np.broadcast_to(scale.usual, rows.shape).copy()
        for model in self.models:
            found = model.judge(rows, ranks, scale)
            surprise[:, model.number], expected[:, model.number] = found
        return Cells(surprise, expected)

    def oddness(self, rows: Floats) -> Floats:
        """Mean surprise of the cells of rows, of shape (n,); higher is odder."""
        return np.asarray(self.cells(rows).surprise.mean(axis=1))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays, without the scale."""
        arrays: dict[str, NDArray[Any]] = {}
        for model in self.models:
            arrays |= {
                f"{model.number}.trees": model.trees.to_bytes(),
                f"{model.number}.edges": model.edges,
                f"{model.number}.centres": model.centres,
                f"{model.number}.came": model.came,
            }
        return {"models": [model.number for model in self.models]}, arrays

    @classmethod
    def from_state(
        cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], scale: Scale
    ) -> Self:
        """The reverse of `to_state`."""
        models = []
        for number in header["models"]:
            own = part(arrays, f"{number}.")
            trees = Trees.from_bytes(own["trees"], len(scale.categorical))
            parts = (own[name] for name in ("edges", "centres", "came"))
            models.append(ColumnModel(int(number), trees, *parts))
        return cls(scale, models)


def _learn_column(
    number: int,
    rows: Floats,
    ranks: Floats,
    scale: Scale,
    rng: np.random.Generator,
    deadline: float | None,
) -> ColumnModel | None:
    """A model of one column; None where it does not vary, or has too few rows."""
    known = np.flatnonzero(~np.isnan(rows[:, number]))
    seen, is_category = rows[known], bool(scale.categorical[number])
    if len(known) < 4 * HELD or len(np.unique(seen[:, number])) < 2:
        return None
    cut = np.split(rng.permutation(len(known)), [len(known) // HELD])
    masked = seen.copy()
    # trees never split on what does not vary
    masked[:, number] = 0.0
    seed = int(rng.integers(2**31))
    if is_category:
        classes = max(int(seen[:, number].max()) + 1, 2)
        parts = [Cases(masked[each], seen[each, number].astype(int)) for each in cut]
        trees = grow(
            parts[1],
            parts[0],
            scale.categorical,
            classes=classes,
            growth=LEVELS,
            seed=seed,
            deadline=deadline,
        )
        nothing = np.zeros(0)
        return ColumnModel(number, trees, nothing, nothing, np.zeros((0, QUANTILES)))
    target = ranks[known, number]
    held, train = (_both_ways(masked[each], target[each]) for each in cut)
    trees = grow(train, held, scale.categorical, growth=NUMBERS, seed=seed, deadline=deadline)
    told, came = trees.scores(masked[cut[0]]), target[cut[0]]
    return ColumnModel(number, trees, *_groups(told, came))


def _both_ways(rows: Floats, ranks: Floats) -> Cases:
    """Each row as above and as below, weighted by its rank: the odds are those of the mean rank."""
    labels = np.repeat([1, 0], len(rows))
    return Cases(np.concatenate([rows, rows]), labels, np.concatenate([ranks, 1.0 - ranks]))


def _groups(told: Floats, came: Floats) -> tuple[Floats, Floats, Floats]:
    """Edges and middles of groups of expected ranks, and quantiles of what came true in each."""
    count = int(np.clip(len(told) // 40, 1, GROUPS))
    edges = np.unique(np.quantile(told, np.linspace(0, 1, count + 1)[1:-1]))
    group = np.searchsorted(edges, told)
    # equal predictions can leave a group empty: then the one above begins at its edge
    taken = np.unique(group)
    edges = edges[taken[:-1]] if len(taken) > 1 else edges[:0]
    parts = [came[group == each] for each in taken]
    centres = np.array([np.median(told[group == each]) for each in taken])
    steps = np.linspace(0, 1, QUANTILES)
    return edges, centres, np.stack([np.quantile(each, steps) for each in parts])


def _share_below(values: Floats, came: Floats, steps: Floats) -> Floats:
    """Share of what came true that lies below each value, ties by half; never quite 0 or 1."""
    left = np.searchsorted(came, values, "left") / len(came)
    right = np.searchsorted(came, values, "right") / len(came)
    share = (left + right) / 2.0
    # beyond all that came true the chance falls with the distance
    beyond = np.maximum(np.maximum(came[0] - values, values - came[-1]), 0.0)
    margin = 0.5 / len(came) * np.exp(-10.0 * beyond)
    return np.asarray(np.clip(share, margin, 1.0 - margin))
