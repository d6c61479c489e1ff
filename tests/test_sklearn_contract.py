"""The contract with scikit-learn: its own checks, clone, pipelines and grid search."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import SynthGAN
from synthgan.errors import ParameterError

# rare_threshold: scikit-learn's tables have a dozen rows, in which every value is rare
QUICK: dict[str, Any] = {
    "epochs": 1,
    "width": 8,
    "depth": 1,
    "latent_size": 4,
    "batch_size": 10,
    "rare_threshold": 1,
    "precision": "float32",
    "random_state": 0,
    "verbose": 0,
}


# Name of the check: the reason why it cannot hold. None at present, and pytest is strict.
EXPECTED_FAILURES: dict[str, str] = {}


def small(rows: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({"x": rng.normal(size=rows), "y": rng.choice(["a", "b"], rows)})


@parametrize_with_checks(
    [SynthGAN(**QUICK)], expected_failed_checks=lambda model: EXPECTED_FAILURES, xfail_strict=True
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_constructor_only_stores():
    given = {name: object() for name in SynthGAN().get_params()}
    assert vars(SynthGAN(**given)) == given


def test_clone_keeps_parameters_and_forgets_the_fit():
    rng = np.random.default_rng(0)
    model = SynthGAN(**QUICK, schema={"y": "category"}).fit(small())
    model.set_params(random_state=rng)
    twin = clone(model)
    assert not hasattr(twin, "schema_")
    assert twin.get_params()["schema"] == {"y": "category"}
    assert twin.random_state is not rng
    with pytest.raises(NotFittedError):
        twin.sample(1)


def test_a_fitted_model_survives_pickle():
    model = SynthGAN(**QUICK).fit(small())
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(model.sample(20), again.sample(20))


def test_set_params_names_the_nearest_parameter_and_changes_nothing():
    model = SynthGAN(epochs=3)
    with pytest.raises(ParameterError, match=r"'epoch' \(did you mean 'epochs'\?\)"):
        model.set_params(epochs=4, epoch=5)
    assert model.epochs == 3


def test_set_params_refuses_parameters_of_parameters():
    with pytest.raises(ParameterError, match="'estimator'"):
        SynthGAN().set_params(estimator__epochs=3)


def test_at_the_end_of_a_pipeline():
    table = np.random.default_rng(0).normal(3.0, 2.0, (60, 2))
    pipeline = Pipeline([("scale", StandardScaler()), ("gan", SynthGAN(**QUICK))]).fit(table)
    assert pipeline.score_samples(table).shape == (60,)
    assert -1 <= pipeline.score(table) <= 0
    drawn = pipeline.named_steps["gan"].sample(200)
    assert np.abs(drawn).max() <= np.abs(StandardScaler().fit_transform(table)).max()


def test_after_a_step_that_gives_frames():
    upper = FunctionTransformer(lambda X: X.assign(y=X["y"].str.upper()))
    pipeline = Pipeline([("upper", upper), ("gan", SynthGAN(**QUICK))]).fit(small())
    assert set(pipeline.named_steps["gan"].sample(50)["y"]) <= {"A", "B"}


def test_grid_search_over_objectives_needs_no_scoring():
    grid = {"objective": ["relativistic", "wgan-gp"]}
    search = GridSearchCV(SynthGAN(**QUICK), grid, cv=2, error_score="raise").fit(small())
    scores = search.cv_results_["mean_test_score"]
    assert search.best_params_["objective"] == grid["objective"][int(np.argmax(scores))]
    assert search.best_score_ == scores.max() <= 0
    assert search.best_estimator_.sample(3).shape == (3, 2)


def test_tags_say_what_is_accepted():
    tags = get_tags(SynthGAN())
    assert tags.estimator_type == "density_estimator"
    assert not tags.target_tags.required
    accepted = tags.input_tags
    assert accepted.allow_nan and accepted.categorical and accepted.string
    assert not accepted.sparse


def test_other_names_or_another_order_are_refused_in_scikit_learns_words():
    model = SynthGAN(**QUICK).fit(small())
    for method in (model.score, model.score_samples):
        with pytest.raises(ValueError, match="must be in the same order"):
            method(small()[["y", "x"]])
        with pytest.raises(ValueError, match=r"unseen at fit time:\n- z\n.*now missing:\n- y"):
            method(small().rename(columns={"y": "z"}))
        with pytest.raises(ValueError, match="yet now missing"):
            method(small()[["x"]])


def test_an_array_after_a_frame_is_read_by_place_and_warned_about():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    model = SynthGAN(**QUICK).fit(frame)
    with pytest.warns(UserWarning, match="does not have valid feature names") as caught:
        scores = model.score_samples(frame.to_numpy())
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(scores, model.score_samples(frame))
    unnamed = SynthGAN(**QUICK).fit(frame.to_numpy())
    with pytest.warns(UserWarning, match="fitted without feature names"):
        unnamed.score_samples(frame)
