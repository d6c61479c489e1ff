"""AugmentedClassifier and AugmentedRegressor: learners that get new rows when they are fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.metrics import check_scoring
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from synthgan.errors import ParameterError
from synthgan.estimators.augmentation.deciding import Decision, Task, decide, draw
from synthgan.estimators.augmentation.delegating import if_it_has
from synthgan.estimators.augmentation.quality import QUALITY_FILTER
from synthgan.estimators.augmentation.recipes import ALL, MINORITY, Recipe, weight_argument
from synthgan.estimators.augmentation.supply import LEAST_ROWS, Supply, least_rows
from synthgan.estimators.augmentation.tables import as_given, rows_of, take_rows
from synthgan.estimators.augmentation.targets import (
    CLASSES,
    INTERVALS,
    LEVELS,
    NUMBERS,
    read_target,
)
from synthgan.estimators.base import TableEstimator, check_weights
from synthgan.estimators.parameters import AUTO, Rule, real, whole, word
from synthgan.estimators.randomness import RANDOM_STATE, seed_for, seed_from

BALANCE = "balance"
_SUPPLY = 400


def _learner(model: Any) -> Any:
    """The fitted learner, if there is one: only it knows what it can do."""
    return getattr(model, "estimator_", model.estimator)


class _Augmented(MetaEstimatorMixin, TableEstimator):
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
        self.augmentation_report_ = {"scoring": str(scoring), **decision.to_dict()}
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
            quality_filter=self.quality_filter,
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

    @if_it_has("predict", _learner)
    def predict(self, X: Any) -> Any:
        """Predict, as the fitted learner does."""
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @if_it_has("score", _learner)
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


class AugmentedClassifier(ClassifierMixin, _Augmented):
    """Fit a classifier with new rows, if they help it; wraps any classifier of scikit-learn.

    Rows are added in `fit` only, so that in a pipeline, in cross-validation and in a grid search
    nothing that is judged is ever touched. Everything else is the wrapped classifier's own.

    Parameters
    ----------
    estimator : classifier
        Cloned, never changed. `X` reaches it in the type in which it came, so that it may be a
        pipeline with a `ColumnTransformer`.
    generator : estimator or None, default None
        A `SynthGAN` with the parameters wanted; it is cloned, never changed. None takes one that is
        trained for a shorter time and hides no rare values.
    amount : "auto", "balance" or float, default "auto"
        "balance" brings all classes to the size of the largest one. A float is the number of new
        rows as a share of the real ones; 0 adds none. "auto" finds out what `scoring` says of
        nothing, class weights (where the classifier takes `sample_weight`), and synthetic rows in
        some amounts, filtered and not, of the small classes and of all; `classes` and
        `quality_filter` are then decided too. It decides on synthetic rows only if they are better
        by more than chance explains.
    scoring : str, callable or None, default None
        What "auto" goes by; None is balanced accuracy. Choose what you will judge by.
    classes : {"minority", "all"}, default "minority"
        With a float: whether the rows go to the smallest classes first, or to all classes in
        proportion.
    quality_filter : {None, "density", "label", "both"}, default None
        Which rows are kept: "density" those that are likely among real rows of their class,
        "label" those that a model of the real rows gives to the class they were made for.
    synthetic_weight : float, default 1.0
        Weight of a synthetic row beside a real one of its class.
    redraws : int, default 3
        How often rows that are not kept are drawn again; then the best of them are taken.
    folds : int, default 5
        Folds in which "auto" judges.
    rare_threshold : int, default 3
        Classes of fewer rows are not generated; their real rows are repeated, with a warning.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides everything random but what the classifier does; a generator that has a
        `random_state` keeps that one.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.
    generator_ : estimator or None
        The generator of the rows that were added; None if none were.
    augmentation_report_ : dict
        What was decided and why, as plain data: `decision`, `candidates` with their scores,
        `added` rows of each class, and all of it in `words`.
    classes_ : ndarray
        As of the fitted classifier; so are `n_features_in_` and `feature_names_in_`.

    See Also
    --------
    synthgan.GANSampler : Adds rows to a table.

    Notes
    -----
    How "auto" stays honest with one generator: see `synthgan.estimators.augmentation.deciding`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from synthgan import AugmentedClassifier, SynthGAN
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = np.repeat([0, 1], [180, 20])
    >>> X[y == 1] += 1.5
    >>> generator = SynthGAN(epochs=1, verbose=0)
    >>> model = AugmentedClassifier(
    ...     LogisticRegression(), generator=generator, amount="balance", random_state=0
    ... ).fit(X, y)
    >>> model.augmentation_report_["rows_added"], model.predict(X).shape
    (160, (200,))
    """

    _task: ClassVar[str] = CLASSES
    _scoring: ClassVar[str] = "balanced_accuracy"

    def __init__(
        self,
        estimator: Any,
        *,
        generator: Any = None,
        amount: Any = "auto",
        scoring: Any = None,
        classes: str = MINORITY,
        quality_filter: str | None = None,
        synthetic_weight: float = 1.0,
        redraws: int = 3,
        folds: int = 5,
        rare_threshold: int = LEAST_ROWS,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.generator = generator
        self.amount = amount
        self.scoring = scoring
        self.classes = classes
        self.quality_filter = quality_filter
        self.synthetic_weight = synthetic_weight
        self.redraws = redraws
        self.folds = folds
        self.rare_threshold = rare_threshold
        self.random_state = random_state

    @property
    def classes_(self) -> Any:
        """The classes, as the fitted classifier says."""
        return self._fitted("classes_")

    @if_it_has("predict_proba", _learner)
    def predict_proba(self, X: Any) -> Any:
        """Shares of the classes, as the fitted classifier gives them."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @if_it_has("predict_log_proba", _learner)
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the shares of the classes, as the fitted classifier gives them."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @if_it_has("decision_function", _learner)
    def decision_function(self, X: Any) -> Any:
        """Decision values, as the fitted classifier gives them."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)


class AugmentedRegressor(RegressorMixin, _Augmented):
    """Fit a regressor with new rows, if they help it; wraps any regressor of scikit-learn.

    As `AugmentedClassifier`, with intervals of the target in place of classes.

    Parameters
    ----------
    estimator : regressor
        Cloned, never changed.
    generator : estimator or None, default None
        A `SynthGAN` with the parameters wanted; None takes one that is trained for a shorter time.
    amount : "auto", "balance" or float, default "auto"
        "balance" brings all intervals to the size of the largest one. A float is the number of new
        rows as a share of the real ones; 0 adds none. "auto" finds out whether synthetic rows make
        `scoring` higher by more than chance explains.
    scoring : str, callable or None, default None
        What "auto" goes by; None is R2.
    intervals : int or sequence of float, default (0.1, 0.3, 0.7, 0.9)
        So many intervals of the same width, or the shares of the rows that lie below each border.
    classes : {"minority", "all"}, default "all"
        With a float: whether the rows go to the smallest intervals first, or to all in proportion.
    quality_filter : {None, "density", "label", "both"}, default None
        Which rows are kept; "label" goes by the interval that a model of the real rows predicts.
    synthetic_weight : float, default 1.0
        Weight of a synthetic row beside a real one.
    redraws : int, default 3
        How often rows that are not kept are drawn again; then the best of them are taken.
    folds : int, default 5
        Folds in which "auto" judges.
    rare_threshold : int, default 3
        Intervals of fewer rows are not generated; their real rows are repeated, with a warning.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides everything random but what the regressor does.

    Attributes
    ----------
    estimator_ : regressor
        The fitted clone; `n_features_in_` and `feature_names_in_` are its own.
    generator_ : estimator or None
        The generator of the rows that were added; None if none were.
    augmentation_report_ : dict
        What was decided and why, as plain data and in `words`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from synthgan import AugmentedRegressor, SynthGAN
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> model = AugmentedRegressor(
    ...     Ridge(), generator=SynthGAN(epochs=1, verbose=0), amount=0.5, random_state=0
    ... ).fit(X, X[:, 0])
    >>> model.augmentation_report_["rows_added"]
    100
    """

    _task: ClassVar[str] = NUMBERS
    _scoring: ClassVar[str] = "r2"
    _rules: ClassVar[Mapping[str, Rule]] = {**_Augmented._rules, "intervals": INTERVALS}

    def __init__(
        self,
        estimator: Any,
        *,
        generator: Any = None,
        amount: Any = "auto",
        scoring: Any = None,
        intervals: Any = LEVELS,
        classes: str = ALL,
        quality_filter: str | None = None,
        synthetic_weight: float = 1.0,
        redraws: int = 3,
        folds: int = 5,
        rare_threshold: int = LEAST_ROWS,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.generator = generator
        self.amount = amount
        self.scoring = scoring
        self.intervals = intervals
        self.classes = classes
        self.quality_filter = quality_filter
        self.synthetic_weight = synthetic_weight
        self.redraws = redraws
        self.folds = folds
        self.rare_threshold = rare_threshold
        self.random_state = random_state
