"""Ways to train a learner on a table: as it is, with classes weighed, with new rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import has_fit_parameter

from synthgan.estimators.augmentation.strategies import (
    in_proportion,
    to_the_smallest,
    towards_balance,
)
from synthgan.estimators.augmentation.targets import CLASSES

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MINORITY, ALL = "minority", "all"


@dataclass(frozen=True)
class Recipe:
    """One way to train a learner.

    Attributes
    ----------
    weighing : float
        How much classes are weighed: 0 not at all, 1 so that all count the same, 0.5 half the way
        there, in ratios.
    classes : {"minority", "all"}
        Which classes get new rows.
    way : float
        How far new rows bring the small classes towards the largest one, in ratios.
    share : float
        New rows over real rows; counts where `way` is 0.
    quality_filter : {None, "density", "label", "both"}
        Which new rows are kept.
    synthetic_weight : float
        Weight of a new row beside a real one of its class.
    shared : bool
        Whether the new rows of a class share the weight that its real rows have alone, so that they
        add shapes and no weight.
    """

    weighing: float = 0.0
    classes: str = MINORITY
    way: float = 0.0
    share: float = 0.0
    quality_filter: str | None = None
    synthetic_weight: float = 1.0
    shared: bool = False

    @property
    def is_synthetic(self) -> bool:
        """Whether there are new rows in it."""
        return self.way > 0 or self.share > 0

    @property
    def needs_weights(self) -> bool:
        """Whether the learner has to take weights."""
        return self.weighing > 0 or self.synthetic_weight != 1 or self.shared

    def wanted(self, counts: Counts) -> dict[int, int]:
        """New rows of each class, by its number."""
        if self.way > 0:
            return towards_balance(counts, self.way)
        rows = round(self.share * int(counts.sum()))
        if self.classes == ALL:
            return in_proportion(counts, rows)
        return to_the_smallest(counts, rows)

    def weights(self, counts: Counts, codes: Counts, made: Counts, given: Floats | None) -> Floats:
        """Weights of real rows, then of new ones, of shape (rows + new rows,).

        Parameters
        ----------
        counts : array of int of shape (n_classes,)
            Real rows of each class.
        codes, made : array of int
            Class of each real and of each new row.
        given : array of shape (rows,), optional
            The caller's own weights of the real rows.

        Examples
        --------
        >>> codes = np.array([0, 0, 0, 1])
        >>> Recipe(weighing=1.0).weights(np.array([3, 1]), codes, codes[:0], None).round(2)
        array([0.67, 0.67, 0.67, 2.  ])
        """
        own = np.ones(len(codes)) if given is None else given
        mass = np.bincount(codes, own, minlength=len(counts))
        present = mass > 0
        even = mass.sum() / present.sum()
        each = np.where(present, (even / np.where(present, mass, 1.0)) ** self.weighing, 0.0)
        # so that weighing changes what the classes weigh and not what all rows do
        each *= mass.sum() / (each * mass).sum()
        new = each * np.divide(mass, counts, out=np.zeros(len(counts)), where=counts > 0)
        new *= self.synthetic_weight
        if self.shared and len(made):
            added = np.bincount(made, minlength=len(counts)) * self.synthetic_weight
            kept = np.where(counts > 0, counts / np.maximum(counts + added, 1e-12), 1.0)
            each, new = each * kept, new * kept
        return np.concatenate([own * each[codes], new[made]])

    def in_words(self) -> str:
        """What is done, for people to read.

        Examples
        --------
        >>> Recipe().in_words(), Recipe(weighing=1.0).in_words()
        ('nothing', 'class weights')
        >>> Recipe(way=1.0, quality_filter="label").in_words()
        'synthetic rows of the small classes until all are as large, filtered'
        """
        words = []
        if self.way > 0:
            until = "until all are as large" if self.way == 1 else f"{self.way:.0%} of the way"
            words.append(f"synthetic rows of the small classes {until}")
        elif self.share > 0:
            whose = "all classes" if self.classes == ALL else "the small classes"
            words.append(f"synthetic rows of {whose}, {self.share:.0%} of the real ones")
        if self.quality_filter is not None:
            words.append("filtered")
        if self.synthetic_weight != 1:
            words.append(f"each of weight {self.synthetic_weight:g}")
        if self.shared:
            words.append("that add no weight to their class")
        if self.weighing > 0:
            words.append("class weights" if self.weighing == 1 else "class weights, half")
        return ", ".join(words) or "nothing"


NOTHING = Recipe()


def weighing_recipes(task: str, takes_weights: bool) -> list[Recipe]:
    """What can be done without new rows, nothing first."""
    if task != CLASSES or not takes_weights:
        return [NOTHING]
    return [NOTHING, Recipe(weighing=1.0), Recipe(weighing=0.5)]


def synthetic_recipes(task: str, base: Recipe, takes_weights: bool, weight: float) -> list[Recipe]:
    """What new rows could add to a way without them.

    Parameters
    ----------
    task : str
        What is predicted.
    base : Recipe
        The best way without new rows.
    takes_weights : bool
        Whether the learner does.
    weight : float
        Of a new row beside a real one.
    """
    more: dict[str, Any] = {"synthetic_weight": weight}
    if task != CLASSES:
        return [
            Recipe(way=0.5, **more),
            Recipe(way=1.0, **more),
            Recipe(classes=ALL, share=1.0, **more),
            Recipe(classes=ALL, share=1.0, quality_filter="density", **more),
        ]
    # rows that are not filtered were rarely better: one way without a filter is enough
    kept: dict[str, Any] = {**more, "quality_filter": "label"}
    found = [
        Recipe(way=0.5, **kept),
        Recipe(way=1.0, **kept),
        Recipe(way=1.0, **more),
        Recipe(base.weighing, classes=ALL, share=1.0, **kept),
    ]
    if takes_weights:
        found.append(Recipe(base.weighing, way=1.0, shared=True, **kept))
    return found


def weight_argument(learner: Any) -> str | None:
    """The argument by which a learner's `fit` takes weights of rows; None if it takes none.

    Of a pipeline it is that of the last step, unless a step before it changes the rows.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_argument(make_pipeline("passthrough", LogisticRegression()))
    'logisticregression__sample_weight'
    >>> weight_argument(KNeighborsClassifier()) is None
    True
    """
    steps = getattr(learner, "steps", None)
    if isinstance(steps, list) and steps:
        name, last = steps[-1]
        inner = None if last is None or isinstance(last, str) else weight_argument(last)
        if inner is None or any(hasattr(step, "fit_resample") for _, step in steps):
            return None
        return f"{name}__{inner}"
    return "sample_weight" if has_fit_parameter(learner, "sample_weight") else None
