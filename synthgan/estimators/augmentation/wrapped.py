"""AugmentedClassifier and AugmentedRegressor: learners that get new rows when they are fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from synthgan.estimators.augmentation.delegating import if_it_has
from synthgan.estimators.augmentation.recipes import ALL, MINORITY
from synthgan.estimators.augmentation.supply import LEAST_ROWS
from synthgan.estimators.augmentation.targets import CLASSES, INTERVALS, LEVELS, NUMBERS
from synthgan.estimators.augmentation.wrapping import Augmented, learner_of
from synthgan.estimators.parameters import Rule


class AugmentedClassifier(ClassifierMixin, Augmented):
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
    quality_filter : {"auto", None, "density", "label", "both"}, default "auto"
        Which rows are kept: "label" those that a model of the real rows gives to the class they
        were made for, "density" those that are likely among real rows of their class; "auto" is
        "label".
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
        quality_filter: str | None = "auto",
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

    @if_it_has("predict_proba", learner_of)
    def predict_proba(self, X: Any) -> Any:
        """Shares of the classes, as the fitted classifier gives them."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @if_it_has("predict_log_proba", learner_of)
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the shares of the classes, as the fitted classifier gives them."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @if_it_has("decision_function", learner_of)
    def decision_function(self, X: Any) -> Any:
        """Decision values, as the fitted classifier gives them."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)


class AugmentedRegressor(RegressorMixin, Augmented):
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
    quality_filter : {"auto", None, "density", "label", "both"}, default "auto"
        Which rows are kept; "auto" is None, and "label" goes by the interval that a model of the
        real rows predicts.
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
    _rules: ClassVar[Mapping[str, Rule]] = {**Augmented._rules, "intervals": INTERVALS}

    def __init__(
        self,
        estimator: Any,
        *,
        generator: Any = None,
        amount: Any = "auto",
        scoring: Any = None,
        intervals: Any = LEVELS,
        classes: str = ALL,
        quality_filter: str | None = "auto",
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
