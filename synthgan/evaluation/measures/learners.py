"""The learners that are trained on either table, with the same settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from synthgan.evaluation.columns import Floats
from synthgan.evaluation.measures.targets import Rows, Task

NAMES = BOOSTED, LINEAR, FOREST = "boosted_trees", "linear", "random_forest"

# Rounds of boosting; with three classes or more a round is a tree for each of them.
ROUNDS, MANY_CLASSES_ROUNDS = 150, 50
# Without it the leaves of a class with few rows run away, and with them every class's shares.
MANY_CLASSES_L2 = 1.0
FOREST_TREES, FOREST_TREE_ROWS = 50, 5_000
# Levels of a category that the linear model tells apart.
LINEAR_LEVELS = 32
# The linear model and the forest gain little from more rows.
SMALL_ROWS = 10_000

Predict = Callable[[Floats], Floats]


def fit(name: str, task: Task, rows: Rows, categorical: NDArray[np.bool_], seed: int) -> Predict:
    """Train one learner.

    Parameters
    ----------
    name : str
        One of `NAMES`: gradient-boosted trees on native categories; logistic or ridge regression
        on standardised numbers and one-hot categories; a random forest.
    task : Task
        What is predicted.
    rows : Rows
        At least one row, in random order; all but the boosted trees use the first 10,000.
    categorical : array of bool of shape (n_features,)
        Which features are tree codes.
    seed : int
        Of the learner.

    Returns
    -------
    callable
        Takes features of shape (n, n_features); returns the share of each class, of shape
        (n, n_classes), or the numbers predicted, of shape (n,).

    Examples
    --------
    >>> task = Task("regression", 1, lambda coded: coded)
    >>> rows = Rows(np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 2.0]), 0)
    >>> fit("linear", task, rows, np.array([False]), seed=0)(np.array([[1.0]]))
    array([1.])
    """
    most = len(rows.labels) if name == BOOSTED else SMALL_ROWS
    features, labels = rows.features[:most], rows.labels[:most]
    # The boosted trees cannot bin a column without a value.
    features = np.where(np.isnan(features).all(axis=0), 0.0, features)
    model = _model(name, task, labels, categorical, seed)
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)
    if not task.classes:
        return lambda x: np.asarray(model.predict(x), dtype=np.float64)
    return lambda x: _shares(model, x, len(task.classes))


def _shares(model: Any, features: Floats, classes: int) -> Floats:
    """Share of every class of the task, zero for those that the model has not seen."""
    shares = np.zeros((len(features), classes))
    shares[:, model.classes_.astype(np.int64)] = model.predict_proba(features)
    return shares


def _model(name: str, task: Task, labels: Floats, categorical: NDArray[np.bool_], seed: int) -> Any:
    if task.classes and labels.min() == labels.max():
        return DummyClassifier(strategy="prior")
    if name == LINEAR:
        return _linear(task, categorical)
    return (_booster if name == BOOSTED else _forest)(task, labels, categorical, seed)


def _booster(task: Task, labels: Floats, categorical: NDArray[np.bool_], seed: int) -> Any:
    if not task.classes:
        return HistGradientBoostingRegressor(
            max_iter=ROUNDS, categorical_features=categorical, random_state=seed
        )
    # Stopping early needs two rows of each class: one to learn from, one to watch.
    lone = np.unique(labels, return_counts=True)[1].min() < 2
    two = len(task.classes) == 2
    return HistGradientBoostingClassifier(
        max_iter=ROUNDS if two else MANY_CLASSES_ROUNDS,
        l2_regularization=0.0 if two else MANY_CLASSES_L2,
        categorical_features=categorical,
        early_stopping=False if lone else "auto",
        random_state=seed,
    )


def _linear(task: Task, categorical: NDArray[np.bool_]) -> Any:
    """Logistic or ridge regression on standardised numbers and one-hot categories."""
    filled = SimpleImputer(add_indicator=True, keep_empty_features=True)
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=LINEAR_LEVELS)
    inputs = ColumnTransformer(
        [
            ("numbers", make_pipeline(filled, StandardScaler()), np.flatnonzero(~categorical)),
            ("levels", one_hot, np.flatnonzero(categorical)),
        ]
    )
    return make_pipeline(inputs, LogisticRegression(max_iter=300) if task.classes else Ridge())


def _forest(task: Task, labels: Floats, _: NDArray[np.bool_], seed: int) -> Any:
    kind = RandomForestClassifier if task.classes else RandomForestRegressor
    return kind(
        FOREST_TREES,
        max_samples=min(FOREST_TREE_ROWS, len(labels)),
        max_features="sqrt" if task.classes else 1 / 3,
        min_samples_leaf=3,
        random_state=seed,
    )
