"""The imputer's contract with scikit-learn: its own checks, pipelines, column transformers."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import GANImputer, SynthGAN
from synthgan.errors import ParameterError

QUICK: dict[str, Any] = {
    "epochs": 1,
    "width": 8,
    "depth": 1,
    "latent_size": 4,
    "batch_size": 10,
    "precision": "float32",
    "verbose": 0,
}

# Name of the check: the reason why it cannot hold. pytest is strict about them.
EXPECTED_FAILURES: dict[str, str] = {}


def quick(**given: Any) -> GANImputer:
    return GANImputer(**{"generator": SynthGAN(**QUICK), "rounds": 1, "random_state": 0, **given})


def holed(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = rng.normal(size=rows)
    frame = pd.DataFrame({"x": x, "z": 2.0 * x + 0.1 * rng.normal(size=rows)})
    frame["y"] = np.where(x > 0, "a", "b")
    frame.loc[::7, "z"] = np.nan
    frame.loc[3::9, "y"] = None
    return frame


@parametrize_with_checks(
    [quick()], expected_failed_checks=lambda imputer: EXPECTED_FAILURES, xfail_strict=True
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_constructor_only_stores():
    given = {name: object() for name in GANImputer().get_params(deep=False)}
    assert vars(GANImputer(**given)) == given


def test_the_generator_is_cloned_and_never_changed():
    generator = SynthGAN(**QUICK, random_state=3)
    before = generator.get_params()
    imputer = GANImputer(generator=generator, rounds=1, random_state=0).fit(holed())
    assert imputer.generator is generator and generator.get_params() == before
    assert not hasattr(generator, "schema_")
    assert clone(imputer).generator is not generator


def test_grid_search_reaches_the_generators_parameters():
    table, labels = holed()[["x", "z"]], np.tile([0, 1], 60)
    search = GridSearchCV(
        make_pipeline(quick(), LogisticRegression()),
        {"ganimputer__rounds": [0, 1], "ganimputer__generator__width": [8]},
        cv=2,
        error_score="raise",
    ).fit(table, labels)
    assert set(search.best_params_) == {"ganimputer__rounds", "ganimputer__generator__width"}


def test_in_a_pipeline_under_cross_validation():
    table = holed()
    labels = (table["x"] > 0).astype(int)
    table.loc[::5, "x"] = np.nan
    model = make_pipeline(quick(), StandardScaler(), LogisticRegression())
    assert cross_val_score(model, table[["x", "z"]], labels, cv=3).mean() > 0.8


def test_before_a_column_transformer_that_needs_full_columns():
    steps = ColumnTransformer([("hot", OneHotEncoder(), ["y"]), ("as is", "passthrough", ["x"])])
    pipeline = Pipeline([("impute", quick()), ("columns", steps)])
    made = pipeline.set_output(transform="default").fit_transform(holed())
    assert made.shape == (120, 3)


def test_within_a_column_transformer():
    steps = ColumnTransformer([("impute", quick(add_indicator=True), ["z", "y"])], remainder="drop")
    steps.set_output(transform="pandas")
    made = steps.fit_transform(holed())
    assert list(made.columns) == [
        "impute__z",
        "impute__y",
        "impute__missingindicator_z",
        "impute__missingindicator_y",
    ]
    assert not made.isna().any().any()


def test_set_output_gives_the_frame_that_was_asked_for():
    array = holed()[["x", "z"]].to_numpy()
    imputer = quick(add_indicator=True).set_output(transform="pandas").fit(array)
    made = imputer.transform(array)
    assert list(made.columns) == list(imputer.get_feature_names_out())
    assert list(made.columns) == ["x0", "x1", "missingindicator_x1"]
    np.testing.assert_array_equal(made["missingindicator_x1"], np.isnan(array[:, 1]))


def test_a_fitted_imputer_survives_pickle():
    imputer = quick().fit(holed())
    again = pickle.loads(pickle.dumps(imputer))
    pd.testing.assert_frame_equal(again.transform(holed()), imputer.transform(holed()))


def test_tags_say_what_is_accepted():
    tags = get_tags(GANImputer())
    assert tags.input_tags.allow_nan and tags.input_tags.categorical and tags.input_tags.string


def test_parameters_are_checked_all_at_once_in_fit():
    with pytest.raises(ParameterError) as caught:
        GANImputer(rounds=-1, sample_posterior="yes", generator="gan").fit(holed())
    for name in ("rounds", "sample_posterior", "generator"):
        assert name in str(caught.value)
    with pytest.raises(ParameterError, match="target='y'"):
        quick(generator=SynthGAN(**QUICK, target="y")).fit(holed())
    with pytest.raises(NotFittedError):
        quick().transform(holed())
