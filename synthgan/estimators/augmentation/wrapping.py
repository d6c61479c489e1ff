"""What wraps a learner: new rows in `fit` only, and everything else the learner's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.metrics import check_scoring
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from synthgan.errors import ParameterError
from synthgan.estimators.augmentation.deciding import decide
from synthgan.estimators.augmentation.delegating import if_it_has
from synthgan.estimators.augmentation.generators import least_rows
from synthgan.estimators.augmentation.quality import QUALITY_FILTER, filter_for
from synthgan.estimators.augmentation.recipes import ALL, MINORITY, Recipe, weight_argument
from synthgan.estimators.augmentation.supply import Supply
from synthgan.estimators.augmentation.tables import as_given, rows_of, take_rows
from synthgan.estimators.augmentation.targets import (
    LEVELS,
    read_target,
)
from synthgan.estimators.augmentation.tasks import Decision, Task, draw
from synthgan.estimators.base import TableEstimator, check_weights
from synthgan.estimators.parameters import AUTO, Rule, real, whole, word
from synthgan.estimators.randomness import RANDOM_STATE, seed_from
from synthgan.streams import seed_for

BALANCE = "balance"
_SUPPLY = 400


def learner_of(model: Any) -> Any:
    """The fitted learner, if there is one: only it knows what it can do."""
    return getattr(model, "estimator_", model.estimator)


class Augmented(MetaEstimatorMixin, TableEstimator):
    """What both have in common; a child says its task and its scoring."""

    _task: ClassVar[str]
    _scoring: ClassVar[str]
    _rules: ClassVar[Mapping[str, Rule]] = {
        "estimator": Rule("an estimator with fit", lambda value: hasattr(value, "fit")),
        "amount": AUTO | word(BALANCE) | real("a share of at least 0", 0),
        "scoring": Rule(
            "None, the name of a scorer or a callable",
            lambda value: value is None or isinstance(value, str) or callable(value),
        ),
        "classes": word(MINORITY, ALL),
        "quality_filter": QUALITY_FILTER,
        "synthetic_weight": real("a number above 0", 0, open_low=True),
        "redraws": whole(0, 100),
        "folds": whole(2),
        "rare_threshold": whole(1),
        "random_state": RANDOM_STATE,
    }

    estimator: Any
    generator: Any
    amount: Any
    scoring: Any
    classes: str
    quality_filter: str | None
    synthetic_weight: float
    redraws: int
    folds: int
    rare_threshold: int
    random_state: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Decide on new rows, and fit the learner with them.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            What the learner takes; where rows are generated, a pandas or polars frame, an Arrow
            table or an array.
        y : array-like of shape (n_samples,)
            What is predicted.
        sample_weight : array-like of shape (n_samples,), optional
            How much each real row counts; the learner has to take weights.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ParameterError
            For parameters out of range, and for weights where the learner takes none.
        TableError
            For a table that a generator cannot learn, or a `y` that does not fit it.
        """
        self._check_parameters()
        X, y = as_given(X, "X"), as_given(y, "y")
        able = weight_argument(self.estimator) is not None
        if not able and (sample_weight is not None or self.synthetic_weight != 1):
            asked = "sample_weight" if sample_weight is not None else "synthetic_weight"
            raise ParameterError(
                f"{asked}: expected None or 1, since fit of {type(self.estimator).__name__} takes "
                "no sample_weight; leave it out, or take another estimator"
            )
        weights = check_weights(sample_weight, rows_of(X))
        if weights is not None and not weights.all():
            kept = np.flatnonzero(weights)
            X, y, weights = take_rows(X, kept), take_rows(y, kept), weights[kept]
        decision = Decision(Recipe())
        if self.amount != 0:
            least = least_rows(self.rare_threshold, self.generator)
            levels = getattr(self, "intervals", LEVELS)
            target = read_target(y, rows_of(X), task=self._task, intervals=levels, least=least)
            task = Task(self.estimator, X, target, weights, seed_from(self.random_state))
            decision = self._decide(task)
            self.estimator_ = task.train(decision.recipe, decision.drawn, y)
        else:
            given = {} if weights is None else {str(weight_argument(self.estimator)): weights}
            self.estimator_ = clone(self.estimator).fit(X, y, **given)
        self.generator_ = None if decision.supply is None else decision.supply.generator
        scoring = self.scoring if self.scoring is not None else self._scoring
        name = scoring if isinstance(scoring, str) else type(scoring).__name__
        self.augmentation_report_ = {"scoring": name, **decision.to_dict()}
        return self

    def _decide(self, task: Task) -> Decision:
        least, redraws = least_rows(self.rare_threshold, self.generator), int(self.redraws)

        def supply(shown: Task) -> Supply:
            seed = seed_for(task.seed, _SUPPLY)
            return Supply(
                shown.X,
                shown.target,
                self.generator,
                seed,
                least=least,
                sample_weight=shown.weights,
            )

        if self.amount == "auto":
            scorer = check_scoring(
                self.estimator, scoring=self.scoring if self.scoring is not None else self._scoring
            )
            weight = float(self.synthetic_weight)
            return decide(
                task, scorer, int(self.folds), supply, synthetic_weight=weight, redraws=redraws
            )
        balanced = self.amount == BALANCE
        recipe = Recipe(
            classes=self.classes,
            way=1.0 if balanced else 0.0,
            share=0.0 if balanced else float(self.amount),
            quality_filter=filter_for(self.quality_filter, self._task),
            synthetic_weight=float(self.synthetic_weight),
        )
        if not recipe.wanted(task.target.counts):
            return Decision(Recipe(), reason="the classes are of one size already")
        source = supply(task)
        drawn = draw(source, recipe, task.target.counts, task.seed, redraws)
        return Decision(recipe, source, drawn, reason=f"as amount={self.amount!r} says")

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Columns of `X`, as the fitted learner says."""
        return int(self._fitted("n_features_in_"))

    @property
    def feature_names_in_(self) -> Any:  # type: ignore[override]
        """Names of the columns of `X`, as the fitted learner says."""
        return self._fitted("feature_names_in_")

    def _fitted(self, name: str) -> Any:
        owner = type(self).__name__
        if not hasattr(self, "estimator_"):
            raise AttributeError(f"{owner!r} object has no attribute {name!r} before fit")
        return getattr(self.estimator_, name)

    @if_it_has("predict", learner_of)
    def predict(self, X: Any) -> Any:
        """Predict, as the fitted learner does."""
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @if_it_has("score", learner_of)
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score, as the fitted learner does."""
        check_is_fitted(self)
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self.estimator_.score(X, y, **given))

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what it would hear from the learner."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.input_tags.sparse = False
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.target_tags.required = True
        tags.target_tags.positive_only = inner.target_tags.positive_only
        return tags
