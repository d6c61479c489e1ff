"""Wrapped learners that get new rows: decisions, delegation, pipelines, validation folds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import AugmentedClassifier, AugmentedRegressor, GANSampler, SynthGAN
from synthgan.errors import ParameterError
from synthgan.estimators.augmentation.recipes import Recipe

QUICK: dict[str, Any] = {
    "epochs": 1,
    "width": 8,
    "depth": 1,
    "latent_size": 4,
    "batch_size": 10,
    "rare_threshold": 1,
    "precision": "float32",
    "refine": False,
    "verbose": 0,
}


def classifier(learner: Any = None, **parameters: Any) -> AugmentedClassifier:
    learner = LogisticRegression() if learner is None else learner
    given = {"generator": SynthGAN(**QUICK), "random_state": 0, "folds": 3, **parameters}
    return AugmentedClassifier(learner, **given)


def regressor(**parameters: Any) -> AugmentedRegressor:
    given = {"generator": SynthGAN(**QUICK), "random_state": 0, "folds": 3, **parameters}
    return AugmentedRegressor(Ridge(), **given)


def mixed(rows: int = 240, positive: int = 40) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], [rows - positive, positive])
    rng.shuffle(y)
    frame = pd.DataFrame(
        {
            "amount": rng.gamma(2.0, 20.0, rows) + 30 * (y == "yes"),
            "gaps": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "shop": rng.choice(["a", "b", "c"], rows),
        }
    )
    return frame, y


def columns_learner() -> Pipeline:
    """A pipeline that needs the frame's own types and names."""
    numbers = make_column_selector(dtype_include="number")
    texts = make_column_selector(dtype_exclude="number")
    columns = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(), texts))
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5, random_state=0))


def expected_failures(model: Any) -> dict[str, str]:
    """Name of the check: the reason why it cannot hold."""
    if isinstance(model, AugmentedClassifier):
        return {}
    return {
        "check_sample_weight_equivalence_on_dense_data": "rows are counted when new ones are "
        "shared out: a row of weight 2 is one row, and two equal rows are two",
        "check_dtype_object": "a cell that holds a dict is refused as a table that cannot be "
        "learned, with the column's name; the check wants the TypeError of float()",
    }


CHECKED = [classifier(amount="auto"), regressor(amount=0.5)]


@parametrize_with_checks(CHECKED, expected_failed_checks=expected_failures, xfail_strict=True)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_everything_but_fit_is_the_learners_own() -> None:
    X, y = mixed()
    model = classifier(columns_learner(), amount="balance").fit(X, y)
    inner = model.estimator_
    np.testing.assert_array_equal(model.predict_proba(X), inner.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), inner.predict(X))
    np.testing.assert_array_equal(model.decision_function(X), inner.decision_function(X))
    assert not hasattr(model, "predict_log_proba"), "the trees have none either"
    assert model.score(X, y) == inner.score(X, y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.n_features_in_ == 3
    assert model.feature_names_in_.tolist() == ["amount", "gaps", "shop"]
    assert get_tags(model).estimator_type == "classifier"
    assert get_tags(regressor()).estimator_type == "regressor"


def test_what_the_learner_cannot_do_is_not_there() -> None:
    assert not hasattr(classifier(LinearSVC()), "predict_proba")
    assert hasattr(classifier(LinearSVC()), "decision_function")
    assert not hasattr(classifier(KNeighborsClassifier()), "decision_function")
    assert not hasattr(classifier(), "transform")
    assert hasattr(classifier(), "predict_log_proba")
    assert not hasattr(classifier(), "classes_")


class Witness(ClassifierMixin, BaseEstimator):
    """Notes what it was fitted on."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Witness:
        self.X_, self.y_, self.weights_ = X, y, sample_weight
        self.classes_, self.n_features_in_ = np.unique(y), X.shape[1]
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize(
    ("amount", "parameters", "added"),
    [
        (0, {}, {}),
        ("balance", {}, {"yes": 160}),
        (0.25, {}, {"yes": 60}),
        (0.25, {"classes": "all"}, {"no": 50, "yes": 10}),
        (1.0, {}, {"no": 40, "yes": 200}),
        ("balance", {"quality_filter": "both"}, {"yes": 160}),
    ],
)
def test_amounts_are_met_exactly(amount: Any, parameters: Any, added: dict[str, int]) -> None:
    X, y = mixed()
    model = classifier(Witness(), amount=amount, **parameters).fit(X, y)
    seen = model.estimator_
    assert seen.weights_ is None
    pd.testing.assert_frame_equal(seen.X_[:240].reset_index(drop=True), X)
    new = seen.y_[240:].tolist()
    assert {label: new.count(label) for label in set(new)} == added
    report = model.augmentation_report_
    assert {each["label"]: each["rows"] for each in report["added"]} == added
    assert report["rows_added"] == sum(added.values())
    assert (model.generator_ is None) == (not added)
    json.dumps(report)


def test_synthetic_rows_weigh_what_they_are_said_to() -> None:
    X, y = mixed()
    model = classifier(Witness(), amount="balance", synthetic_weight=0.25).fit(X, y)
    weights = model.estimator_.weights_
    np.testing.assert_allclose(weights, np.repeat([1.0, 0.25], [240, 160]))
    model.fit(X, y, sample_weight=np.where(y == "yes", 2.0, 1.0))
    np.testing.assert_allclose(model.estimator_.weights_[240:], 0.5)


def test_weights_without_a_learner_for_them_are_refused() -> None:
    X, y = mixed()
    X = X[["amount"]]
    with pytest.raises(ParameterError, match="fit of KNeighborsClassifier takes no sample_weight"):
        classifier(KNeighborsClassifier(), synthetic_weight=0.5).fit(X, y)
    with pytest.raises(ParameterError, match="sample_weight: expected None"):
        classifier(KNeighborsClassifier()).fit(X, y, sample_weight=np.ones(240))


def test_weights_that_are_shared_keep_what_a_class_weighs() -> None:
    codes, made = np.array([0] * 8 + [1] * 2), np.array([1] * 6)
    recipe = Recipe(weighing=1.0, way=1.0, shared=True, synthetic_weight=0.5)
    weights = recipe.weights(np.array([8, 2]), codes, made, None)
    mass = np.bincount(np.concatenate([codes, made]), weights)
    np.testing.assert_allclose(mass, [5.0, 5.0])
    assert weights[-1] == pytest.approx(weights[8] / 2)


def test_auto_says_what_it_found_and_takes_no_rows_that_chance_explains() -> None:
    X, y = mixed()
    model = classifier(columns_learner()).fit(X, y)
    report = model.augmentation_report_
    tried = [each for each in report["candidates"] if "better_by" in each]
    assert len(report["candidates"]) - len(tried) == 3 and len(tried) >= 4
    sure = [each for each in tried if each["better_by"] > each["needed"]]
    assert bool(report["rows_added"]) == bool(sure)
    assert report["scoring"] == "balanced_accuracy" and report["decision"] in report["words"]
    json.dumps(report)


def test_auto_takes_class_weights_where_they_are_what_is_asked_for() -> None:
    # fewer rows of a class than new rows are judged on
    X, y = mixed(400, 18)
    model = classifier(LogisticRegression(), scoring="balanced_accuracy").fit(X[["amount"]], y)
    assert model.augmentation_report_["decision"] == "class weights"
    assert "synthetic rows were not tried" in model.augmentation_report_["words"]
    model.set_params(scoring="accuracy").fit(X[["amount"]], y)
    assert model.augmentation_report_["decision"] == "nothing"


class Helped(ClassifierMixin, BaseEstimator):
    """Predicts well only if classes are even in what it is fitted on."""

    def fit(self, X: Any, y: Any) -> Helped:
        self.classes_, counts = np.unique(y, return_counts=True)
        self.even_, self.n_features_in_ = counts.min() > 0.8 * counts.max(), X.shape[1]
        return self

    def predict(self, X: Any) -> Any:
        known = np.where(np.asarray(X)[:, 0] > 0, *self.classes_[::-1])
        return known if self.even_ else np.full(len(X), self.classes_[0])


def test_auto_takes_rows_that_help() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [200, 60])
    X = np.column_stack(
        [np.where(y == 1, 1.0, -1.0) + rng.normal(0, 0.1, 260), rng.normal(size=260)]
    )
    model = classifier(Helped()).fit(X, y)
    report = model.augmentation_report_
    assert report["rows_added"] == 140 and model.estimator_.even_
    assert "more than chance explains" in report["words"]
    assert len(np.unique(model.predict(X))) == 2


def test_auto_with_too_few_rows_to_judge_does_nothing() -> None:
    X, y = mixed(60, 2)
    model = classifier(columns_learner()).fit(X, y)
    assert model.augmentation_report_["decision"] == "nothing"
    assert "fewer than two classes" in model.augmentation_report_["words"]


def test_regression_by_intervals() -> None:
    X, _ = mixed()
    y = X["amount"] * 2 + 1
    model = regressor(amount="balance").fit(X[["amount"]], y)
    assert model.augmentation_report_["rows_added"] == 240
    assert model.score(X[["amount"]], y) > 0.5
    auto = regressor().fit(X[["amount"]], y)
    assert auto.augmentation_report_["decision"] == "nothing"
    assert len(auto.augmentation_report_["candidates"]) == 4


class Spy(SynthGAN):
    """Remembers the rows that any of its kind was fitted on."""

    seen: list[set[float]]

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        type(self).seen.append(set(X.column("amount").to_pylist()))
        return super().fit(X, y, sample_weight)


def test_validation_folds_are_never_touched() -> None:
    X, y = mixed(150, 60)
    folds = KFold(3, shuffle=True, random_state=0)
    for amount in ("balance", "auto"):
        Spy.seen = []
        model = classifier(columns_learner(), generator=Spy(**QUICK), amount=amount)
        cross_val_score(model, X, y, cv=folds)
        assert len(Spy.seen) == 3, "one generator for each outer fit"
        for seen, (_, held) in zip(Spy.seen, folds.split(X), strict=True):
            assert not seen & set(X["amount"].iloc[held])


def test_what_auto_judges_the_generator_has_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthgan.estimators.augmentation import deciding

    judged: list[set[float]] = []
    whole = deciding.Trial

    def trial(answers: Any, X: Any, y: Any, scorer: Any) -> Any:
        judged.append(set(X["amount"]))
        return whole(answers, X, y, scorer)

    monkeypatch.setattr(deciding, "Trial", trial)
    X, y = mixed()
    Spy.seen = []
    classifier(columns_learner(), generator=Spy(**QUICK)).fit(X, y)
    assert len(Spy.seen) == 1
    with_rows = [rows for rows in judged if len(rows) < 240]
    assert len(with_rows) == 6 and all(len(rows) == 120 for rows in with_rows)
    assert not any(rows & Spy.seen[0] for rows in with_rows)
    assert len(Spy.seen[0]) == 120


def test_in_a_grid_search_and_in_parallel() -> None:
    X, y = mixed(150, 60)
    learner = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["shop"]), remainder="passthrough"),
        DecisionTreeClassifier(random_state=0),
    )
    model = Pipeline([("augmented", classifier(learner))])
    grid = {
        "augmented__estimator__decisiontreeclassifier__max_depth": [1, 3],
        "augmented__amount": [0, "balance"],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X.fillna(0), y)
    assert len(search.cv_results_["params"]) == 4
    assert search.predict(X.fillna(0)).shape == (150,)
    alone = cross_val_score(classifier(learner, amount="balance"), X.fillna(0), y, cv=2)
    together = cross_val_score(
        classifier(learner, amount="balance"), X.fillna(0), y, cv=2, n_jobs=2
    )
    np.testing.assert_array_equal(alone, together)


def test_clones_are_unfitted_and_the_same_seed_decides_the_same() -> None:
    X, y = mixed()
    model = classifier(columns_learner(), amount="balance", quality_filter="label").fit(X, y)
    twin = clone(model)
    assert not hasattr(twin, "estimator_") and twin.estimator is not model.estimator
    np.testing.assert_array_equal(twin.fit(X, y).predict_proba(X), model.predict_proba(X))
    auto, again = (classifier(columns_learner()).fit(X, y).augmentation_report_ for _ in "ab")
    assert {**auto, "seconds": 0} == {**again, "seconds": 0}


def test_in_imbalanced_learns_pipeline() -> None:
    from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline

    X, y = mixed(150, 40)
    sampler = GANSampler(generator=SynthGAN(**QUICK), random_state=0)
    model = make_imbalanced_pipeline(sampler, columns_learner())
    model.fit(X, y)
    assert model.predict(X).shape == (150,), "nothing is resampled where it predicts"
    scores = cross_val_score(model, X, y, cv=2, scoring="balanced_accuracy")
    assert ((scores > 0) & (scores <= 1)).all()
    grid = {"gansampler__sampling_strategy": [0.5, "minority"]}
    GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    inside = classifier(make_imbalanced_pipeline(sampler, columns_learner()), amount="balance")
    assert inside.fit(X, y).predict(X).shape == (150,)


def test_wrong_parameters_are_refused_all_at_once() -> None:
    X, y = mixed()
    model = classifier(amount="balanced", folds=1, quality_filter="lable")
    with pytest.raises(ParameterError, match=r"(?s)did you mean 'balance'.*'label'.*folds: "):
        model.fit(X, y)
    with pytest.raises(ParameterError, match="did you mean 'amount'"):
        classifier().set_params(amont=1)
