"""A learner with its rows, the ways in which it is trained, and what was decided for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from synthgan.estimators.augmentation.recipes import Recipe, weight_argument
from synthgan.estimators.augmentation.sampler import augmented
from synthgan.estimators.augmentation.supply import Drawn, Supply
from synthgan.estimators.augmentation.tables import Rows, take_rows
from synthgan.estimators.augmentation.targets import Target
from synthgan.streams import seed_for

# the random stream of new rows
_DRAWING = 500


@dataclass
class Task:
    """A learner, and what it learns.

    Attributes
    ----------
    learner : estimator
        Cloned for each fit.
    X : table
        As the caller gave it.
    target : Target
        What is predicted.
    weights : array of shape (rows,), optional
        The caller's weights.
    seed : int
        Decides everything random that is not the learner's own.
    """

    learner: Any
    X: Any
    target: Target
    weights: NDArray[np.float64] | None
    seed: int

    def of(self, rows: Rows) -> Task:
        """The same task on some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        X, target = take_rows(self.X, rows), self.target.take(rows)
        return Task(self.learner, X, target, weights, self.seed)

    def train(self, recipe: Recipe, drawn: Drawn | None, y: Any = None) -> Any:
        """A clone of the learner, trained in one way; `y` is the target in the caller's type."""
        y = self.target.values if y is None else y
        X, made = self.X, np.empty(0, dtype=np.int64)
        if drawn is not None and len(drawn.codes):
            X, y = augmented(X, y, self.target, drawn)
            made = drawn.codes
        given = {}
        if recipe.needs_weights or self.weights is not None:
            argument = weight_argument(self.learner)
            assert argument is not None
            target = self.target
            given[argument] = recipe.weights(target.counts, target.codes, made, self.weights)
        return clone(self.learner).fit(X, y, **given)


@dataclass
class Decision:
    """How a learner is trained, and what that rests on.

    Attributes
    ----------
    recipe : Recipe
        The way.
    supply : Supply or None
        Where its new rows come from.
    drawn : Drawn or None
        These rows.
    candidates : list of dict
        What was tried: `what`, `score`, `judged_rows`; with new rows also `better_by`, the
        `standard_error` of that, and how much would have been `needed`.
    reason : str
        Why it was decided so.
    """

    recipe: Recipe
    supply: Supply | None = None
    drawn: Drawn | None = None
    candidates: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """What was decided and why, as plain data."""
        added = [] if self.drawn is None else self.drawn.account
        words = (
            f"{self.recipe.in_words()}: {self.reason}" if self.reason else (self.recipe.in_words())
        )
        return {
            "decision": self.recipe.in_words(),
            "recipe": asdict(self.recipe),
            "candidates": self.candidates,
            "added": added,
            "rows_added": sum(each["rows"] for each in added),
            "reason": self.reason,
            "words": words,
            "seconds": self.seconds,
        }


def draw(
    supply: Supply, recipe: Recipe, counts: NDArray[np.int64], seed: int, redraws: int
) -> Drawn:
    """The new rows of a way, for so many real rows of each class."""
    wanted = recipe.wanted(counts)
    path = seed_for(seed, _DRAWING)
    return supply.draw(wanted, path, quality_filter=recipe.quality_filter, redraws=redraws)
