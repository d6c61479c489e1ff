"""The detector's contract with scikit-learn: its own checks, pipelines and grid search."""

from __future__ import annotations

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone, is_outlier_detector
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import GANOutlierDetector, SynthGAN

# Name of the check: the reason why it cannot hold. None at present, and pytest is strict.
EXPECTED_FAILURES: dict[str, str] = {}


def shifted() -> tuple[np.ndarray, np.ndarray]:
    """Rows, and 0 for those of a shifted cluster."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(150, 2)), rng.normal(size=(10, 2)) + 6])
    order = rng.permutation(160)
    return rows[order], np.repeat([1, 0], [150, 10])[order]


@parametrize_with_checks(
    [GANOutlierDetector(random_state=0)],
    expected_failed_checks=lambda detector: EXPECTED_FAILURES,
    xfail_strict=True,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_constructor_only_stores():
    given = {name: object() for name in GANOutlierDetector().get_params()}
    assert vars(GANOutlierDetector(**given)) == given


def test_clone_keeps_the_generators_parameters_and_forgets_the_fit():
    detector = GANOutlierDetector(generator=SynthGAN(epochs=3), scores="isolation", random_state=0)
    twin = clone(detector.fit(shifted()[0]))
    assert twin.generator.epochs == 3 and twin.generator is not detector.generator
    assert not hasattr(twin, "offset_")


def test_tags_say_what_it_is():
    tags = get_tags(GANOutlierDetector())
    assert is_outlier_detector(GANOutlierDetector())
    assert tags.input_tags.allow_nan and tags.input_tags.categorical and tags.input_tags.string


def test_fit_predict_is_fit_then_predict():
    rows, _ = shifted()
    detector = GANOutlierDetector(contamination=0.1, random_state=0)
    np.testing.assert_array_equal(detector.fit_predict(rows), detector.predict(rows))
    assert (detector.predict(rows) == -1).sum() == 16


def test_at_the_end_of_a_pipeline():
    rows, labels = shifted()
    steps = [("scale", StandardScaler()), ("odd", GANOutlierDetector(random_state=0))]
    pipeline = Pipeline(steps).fit(rows)
    assert roc_auc_score(labels, pipeline.score_samples(rows)) > 0.95
    assert set(pipeline.predict(rows)) == {-1, 1}


def test_grid_search_over_scores():
    rows, labels = shifted()
    search = GridSearchCV(
        GANOutlierDetector(random_state=0),
        {"scores": ["isolation", "tails"], "novelty": [True, False]},
        scoring=lambda detector, X, y: roc_auc_score(y, detector.score_samples(X)),
        cv=2,
        error_score="raise",
    ).fit(pd.DataFrame(rows, columns=["a", "b"]), labels)
    assert search.best_score_ > 0.9


def test_a_fitted_detector_goes_to_workers():
    rows, _ = shifted()
    detector = GANOutlierDetector(random_state=0).fit(rows)
    parts = Parallel(n_jobs=2, prefer="threads")(
        delayed(detector.score_samples)(part) for part in np.array_split(rows, 2)
    )
    np.testing.assert_allclose(np.concatenate(parts), detector.score_samples(rows), atol=1e-6)
