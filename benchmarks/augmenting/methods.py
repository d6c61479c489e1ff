"""Learners, and the ways to make them heed small classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from synthgan import AugmentedClassifier, GANSampler

LEARNERS = ("boosting", "logistic", "forest")
METRICS = ("balanced_accuracy", "minority_f1", "auc")

NUMBERS = make_column_selector(dtype_include="number")
TEXTS = make_column_selector(dtype_exclude="number")


def learner(name: str, seed: int) -> Pipeline:
    """A pipeline from a frame with text and missing values to a classifier."""
    filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    if name == "logistic":
        hot = make_pipeline(
            SimpleImputer(strategy="constant", fill_value="missing"),
            OneHotEncoder(handle_unknown="ignore", min_frequency=5),
        )
        columns = make_column_transformer((filled, NUMBERS), (hot, TEXTS))
        return make_pipeline(columns, LogisticRegression(max_iter=2000))
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    if name == "forest":
        columns = make_column_transformer((filled, NUMBERS), (codes, TEXTS))
        return make_pipeline(columns, RandomForestClassifier(100, random_state=seed))
    columns = make_column_transformer(("passthrough", NUMBERS), (codes, TEXTS))
    return make_pipeline(columns, HistGradientBoostingClassifier(random_state=seed))


def scorer(metric: str, rare: list[int], classes: int) -> Any:
    """A metric as scikit-learn's scorers are; F1 is the mean over the rare classes."""
    if metric == "balanced_accuracy":
        return get_scorer("balanced_accuracy")
    if metric == "auc":
        return get_scorer("roc_auc" if classes == 2 else "roc_auc_ovr")
    return make_scorer(f1_score, labels=rare, average="macro", zero_division=0)


def none(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    return model.fit(X, y)


def class_weights(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    weights = compute_sample_weight("balanced", y)
    return model.fit(X, y, **{f"{model.steps[-1][0]}__sample_weight": weights})


def random_over(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    from imblearn.over_sampling import RandomOverSampler

    return model.fit(*RandomOverSampler(random_state=seed).fit_resample(X, y))


def smotenc(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    """SMOTE where there are no categories; gaps are filled first, since it takes none."""
    from imblearn.over_sampling import SMOTE, SMOTENC

    filled = _filled(X)
    texts = [column for column in X if X[column].dtype == object]
    near = min(5, int(y.value_counts().min()) - 1)
    sampler = SMOTE(k_neighbors=near, random_state=seed)
    if texts:
        sampler = SMOTENC(texts, k_neighbors=near, random_state=seed)
    return model.fit(*sampler.fit_resample(filled, y))


def adasyn(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    """On what the last step of the learner sees, since it takes numbers only."""
    from imblearn.over_sampling import ADASYN

    columns = model[0].fit(X, y)
    seen = columns.transform(X)
    seen = np.asarray(seen.todense()) if hasattr(seen, "todense") else seen
    near = min(5, int(y.value_counts().min()) - 1)
    sampler = ADASYN(n_neighbors=near, random_state=seed)
    model[-1].fit(*sampler.fit_resample(np.nan_to_num(seen, nan=-3.0), y))
    return model


def gan_balance(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    """Our rows until all classes are as large, whether they help or not."""
    return model.fit(*GANSampler(random_state=seed).fit_resample(X, y))


def auto(model: Pipeline, X: pd.DataFrame, y: pd.Series, seed: int, goal: Any) -> Any:
    """Ours: it finds out what helps, by the metric that it is judged by."""
    return AugmentedClassifier(model, scoring=goal, random_state=seed).fit(X, y)


METHODS: dict[str, Callable[[Pipeline, pd.DataFrame, pd.Series, int, Any], Any]] = {
    "none": none,
    "class_weights": class_weights,
    "random_over": random_over,
    "smotenc": smotenc,
    "adasyn": adasyn,
    "gan_balance": gan_balance,
    "auto": auto,
}
# methods that are run once for each metric, since they are told it
TOLD = ("auto",)


def _filled(X: pd.DataFrame) -> pd.DataFrame:
    filled = {}
    for name, column in X.items():
        filled[name] = column.fillna("missing" if column.dtype == object else column.median())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pd.DataFrame(filled).fillna(0.0)
