"""How much likelier a row is among generated rows than among rows drawn evenly from a wide box.

The boosted log density ratio to a known, flat density is the log density itself, up to a constant
(Hastie, Tibshirani and Friedman, "The elements of statistical learning", section 14.2.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthgan.anomaly.scale import Scale
from synthgan.boosting import Cases, Growth, Trees, grow

# flat rows for each generated one, and how far the box reaches beyond the quantiles, as a share
FLAT, REACH = 2, 0.2
HELD = 5
GROWTH = Growth(rate=0.15, leaves=15, least_rows=20, least_curvature=1.0, patience=5, most=80)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Density:
    """Trees that tell generated rows from flat ones.

    Parameters
    ----------
    trees : Trees
        Log-odds of a generated row.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows, numbers = rng.normal(size=(900, 2)), np.array([False, False])
    >>> scale = Scale.learn(rows, numbers, np.array([0, 0]))
    >>> density = Density.learn(rows, scale, rng)
    >>> near, far = density.oddness(np.array([[0.0, 0.0], [9.0, -9.0]]))
    >>> bool(near < far)
    True
    """

    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    @classmethod
    def learn(
        cls, rows: Floats, scale: Scale, rng: np.random.Generator, deadline: float | None = None
    ) -> Self:
        """Learn from generated marks of shape (n, columns)."""
        flat = flat_rows(scale, FLAT * len(rows), rows, rng)
        cases = Cases(
            np.concatenate([rows, flat]),
            np.repeat([1, 0], [len(rows), len(flat)]),
            np.repeat([float(FLAT), 1.0], [len(rows), len(flat)]),
        )
        order = rng.permutation(len(cases.rows))
        held, train = (cases.take(part) for part in np.split(order, [len(order) // HELD]))
        trees = grow(
            train,
            held,
            scale.categorical,
            growth=GROWTH,
            seed=int(rng.integers(2**31)),
            deadline=deadline,
        )
        return cls(trees)

    def oddness(self, rows: Floats) -> Floats:
        """Minus the log density ratio, of shape (n,); higher is odder."""
        return np.asarray(-self.trees.scores(rows))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays."""
        return {"columns": self.trees.columns}, {"trees": self.trees.to_bytes()}

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(Trees.from_bytes(arrays["trees"], int(header["columns"])))


def flat_rows(scale: Scale, count: int, rows: Floats, rng: np.random.Generator) -> Floats:
    """Rows drawn evenly from a box around the given ones, of shape (count, columns).

    Each level of a category is as likely as any other, and gaps are as frequent as in the table.
    """
    made = np.empty((count, rows.shape[1]))
    for number in range(rows.shape[1]):
        if scale.categorical[number]:
            made[:, number] = rng.integers(0, scale.levels[number] + 1, count)
        else:
            knots = scale.knots[number]
            low, high = knots[0], knots[-1]
            known = rows[~np.isnan(rows[:, number]), number]
            if len(known):
                low, high = min(low, known.min()), max(high, known.max())
            margin = REACH * (high - low) or scale.spread[number]
            made[:, number] = rng.uniform(low - margin, high + margin, count)
    made[rng.random(made.shape) < scale.missing] = np.nan
    return made
