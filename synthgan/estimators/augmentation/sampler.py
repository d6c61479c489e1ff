"""GANSampler: rows of small classes added to a table, as imbalanced-learn's over-samplers do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import Tags

from synthgan.data.source import open_source
from synthgan.errors import TableError
from synthgan.estimators.augmentation.generators import least_rows
from synthgan.estimators.augmentation.quality import QUALITY_FILTER, filter_for
from synthgan.estimators.augmentation.strategies import STRATEGY, wanted_rows
from synthgan.estimators.augmentation.supply import LEAST_ROWS, Drawn, Supply
from synthgan.estimators.augmentation.tables import as_given, column_like, put_below, take_rows
from synthgan.estimators.augmentation.targets import (
    CLASSES,
    INTERVALS,
    LEVELS,
    NUMBERS,
    Target,
    read_target,
)
from synthgan.estimators.base import TableEstimator, is_named
from synthgan.estimators.parameters import AUTO, Rule, whole, word
from synthgan.estimators.randomness import RANDOM_STATE, seed_from
from synthgan.streams import seed_for

TASK = AUTO | word(CLASSES, NUMBERS)
_SAMPLING = 200


class GANSampler(TableEstimator):
    """Add rows of the smaller classes to a table, drawn from a generative network.

    An over-sampler in the manner of imbalanced-learn, whose pipeline takes it as a step; it does
    not need imbalanced-learn itself. One generator learns `X` joined with `y`, and new rows of a
    class are drawn from it under the condition that they are of that class. Columns may be of mixed
    types and have missing values.

    Parameters
    ----------
    generator : estimator or None, default None
        A `SynthGAN` with the parameters wanted; it is cloned, never changed. The clone sees all
        classes as often and, unless it has a `target`, is trained to tell them as real rows do.
        None takes one that is trained for a shorter time and hides no rare values.
    sampling_strategy : str, float, dict or callable, default "auto"
        Which classes get new rows, and how many; met exactly. "minority" brings the smallest class
        to the size of the largest one, "not minority" all but the smallest one, "not majority" (or
        "auto") and "all" every class. A float is the rows of the smaller over those of the larger
        of two classes, when all is done. A dict has the rows wanted of each class, when all is
        done; a callable makes such a dict of `y`. Intervals of numbers are classes that go by their
        number, from 0, in a dict and in what a callable is given.
    task : {"auto", "classification", "regression"}, default "auto"
        Whether `y` holds classes or numbers; "auto" takes whole numbers for classes.
    intervals : int or sequence of float, default (0.1, 0.3, 0.7, 0.9)
        Of numbers: so many intervals of the same width, or the shares of the rows that lie below
        each border. The default levels both ends with the middle.
    quality_filter : {"auto", None, "density", "label", "both"}, default "auto"
        Which rows are kept: "label" those that a model of the real rows gives to the class they
        were made for, "density" those that are likely among real rows of their class. "auto" is
        "label" for classes and None for numbers.
    redraws : int, default 3
        How often rows that are not kept are drawn again; then the best of them are taken.
    rare_threshold : int, default 3
        Classes of fewer rows are not generated; their real rows are repeated, with a warning. So
        are classes that the generator hides by its own `rare_threshold`.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides everything random; a generator that has a `random_state` keeps that one.

    Attributes
    ----------
    sampling_strategy_ : dict
        How many rows each class got.
    generator_ : estimator or None
        The fitted generator; None if no rows were needed of it.
    classes_ : list
        The classes, in order; of numbers the intervals as pairs of their ends.
    synthetic_ : ndarray of bool of shape (n_rows_after,)
        Which rows of the last `fit_resample` are new.
    sample_indices_ : ndarray of int of shape (n_rows_after,)
        The row of `X` that each row is, or repeats; -1 for generated rows.
    augmentation_report_ : list of dict
        For each class that got rows: how many, whether they were generated or repeated, and how
        many passed the filter.
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are text.

    See Also
    --------
    synthgan.AugmentedClassifier : Finds out whether new rows help, and wraps a learner.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from synthgan import GANSampler, SynthGAN
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"amount": rng.gamma(2, 50, 200), "shop": rng.choice(["a", "b"], 200)})
    >>> y = np.repeat(["fine", "fraud"], [180, 20])
    >>> sampler = GANSampler(generator=SynthGAN(epochs=1, verbose=0), random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> X_more.shape, int((y_more == "fraud").sum()), int(sampler.synthetic_.sum())
    ((360, 2), 180, 160)
    """

    _rules: ClassVar[Mapping[str, Rule]] = {
        "sampling_strategy": STRATEGY,
        "task": TASK,
        "intervals": INTERVALS,
        "quality_filter": QUALITY_FILTER,
        "redraws": whole(0, 100),
        "rare_threshold": whole(1),
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        *,
        generator: Any = None,
        sampling_strategy: Any = "auto",
        task: str = "auto",
        intervals: Any = LEVELS,
        quality_filter: str | None = "auto",
        redraws: int = 3,
        rare_threshold: int = LEAST_ROWS,
        random_state: Any = None,
    ) -> None:
        self.generator = generator
        self.sampling_strategy = sampling_strategy
        self.task = task
        self.intervals = intervals
        self.quality_filter = quality_filter
        self.redraws = redraws
        self.rare_threshold = rare_threshold
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the table, and settle how many rows each class will get.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            A pandas or polars frame, an Arrow table, or an array.
        y : array-like of shape (n_samples,)
            The class, or the number, of each row.

        Returns
        -------
        self
            The fitted sampler; `fit_resample` does this too.

        Raises
        ------
        ParameterError
            For parameters out of range, and a strategy that does not fit `y`.
        TableError
            For a table that cannot be learned, or a `y` that does not fit it.
        """
        self._learn(as_given(X, "X"), as_given(y, "y"))
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Learn the table, and add rows to it.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            A pandas or polars frame, an Arrow table, or an array.
        y : array-like of shape (n_samples,)
            The class, or the number, of each row.

        Returns
        -------
        X_more : table of shape (n_rows_after, n_features)
            The rows of `X` as they were, then the new ones, in the type of `X`; a pandas index is
            fresh.
        y_more : array-like of shape (n_rows_after,)
            Their targets, in the type of `y`.

        Raises
        ------
        ParameterError
            For parameters out of range, and a strategy that does not fit `y`.
        TableError
            For a table that cannot be learned, or a `y` that does not fit it.
        """
        X, y = as_given(X, "X"), as_given(y, "y")
        supply, wanted, seed = self._learn(X, y)
        drawn = supply.draw(
            wanted,
            seed_for(seed, _SAMPLING),
            quality_filter=filter_for(self.quality_filter, supply.target.task),
            redraws=int(self.redraws),
        )
        rows = len(supply)
        self.synthetic_ = np.arange(rows + len(drawn.codes)) >= rows
        self.sample_indices_ = np.concatenate([np.arange(rows), drawn.origins])
        self.augmentation_report_ = drawn.account
        return augmented(X, y, supply.target, drawn)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn: mixed columns with missing values, and a target that is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _learn(self, X: Any, y: Any) -> tuple[Supply, dict[int, int], int]:
        self._check_parameters()
        source = open_source(X)
        task = None if self.task == "auto" else self.task
        least = least_rows(self.rare_threshold, self.generator)
        target = read_target(y, source.rows, task=task, intervals=self.intervals, least=least)
        wanted = wanted_of(self.sampling_strategy, target, y)
        seed = seed_from(self.random_state)
        supply = Supply(source, target, self.generator, seed, least=least)
        if any(rows and code not in supply.too_rare for code, rows in wanted.items()):
            supply.fit()
        self._set_features(source.names, is_named(X))
        self.classes_ = target.labels
        self.generator_ = supply.generator
        names = target.labels if target.task == CLASSES else range(len(target.labels))
        self.sampling_strategy_ = {names[code]: rows for code, rows in wanted.items()}
        return supply, wanted, seed


def wanted_of(strategy: Any, target: Target, y: Any) -> dict[int, int]:
    """How many rows each class of a target gets; intervals go by their number.

    Raises
    ------
    TableError
        If there is one class only.
    """
    if len(target.labels) < 2:
        raise TableError(
            "y: needs to have more than 1 class to have something to balance, got 1 class: "
            f"{target.labels[0]!r}"
        )
    by_name = target.task == CLASSES
    labels = target.labels if by_name else list(range(len(target.labels)))
    return wanted_rows(strategy, labels, target.counts, y if by_name else target.codes)


def augmented(X: Any, y: Any, target: Target, drawn: Drawn) -> tuple[Any, Any]:
    """A table and its target with new rows below, both in the types they have."""
    table = drawn.table.tolist() if isinstance(X, list) else drawn.table
    if not len(drawn.codes):
        nothing = np.empty(0, dtype=np.int64)
        return put_below(X, take_rows(X, nothing)), put_below(y, take_rows(y, nothing))
    if target.task == CLASSES:
        first = np.unique(target.codes, return_index=True)[1]
        return put_below(X, table), put_below(y, take_rows(y, first[drawn.codes]))
    return put_below(X, table), put_below(y, column_like(y, drawn.values))
