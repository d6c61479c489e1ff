"""Anomaly scores: their sign, what they take, what they explain, files and determinism."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from synthgan import GANOutlierDetector, SynthGAN
from synthgan.anomaly.members import AUTO_SCORES, SCORES
from synthgan.errors import (
    FileFormatError,
    InputNotFoundError,
    OutputExistsError,
    ParameterError,
    TableError,
)

QUICK: dict[str, Any] = {
    "epochs": 20,
    "width": 32,
    "depth": 1,
    "latent_size": 8,
    "batch_size": 100,
    "precision": "float32",
    "refine": False,
    "holdout": 0,
    "verbose": 0,
}


def quick(**parameters: Any) -> GANOutlierDetector:
    return GANOutlierDetector(random_state=0, **parameters)


def with_generator(**parameters: Any) -> GANOutlierDetector:
    return quick(generator=SynthGAN(**QUICK), **parameters)


def mixed(rows: int = 500, seed: int = 0) -> pd.DataFrame:
    """A table in which town and price follow size, with gaps, a flag, a date and an identifier."""
    rng = np.random.default_rng(seed)
    size = rng.normal(100, 20, rows).round(1)
    frame = pd.DataFrame(
        {
            "id": [f"H{100_000 + 7 * each}" for each in range(rows)],
            "size": size,
            "price": (size * 3 + rng.normal(0, 10, rows)).round(),
            "town": np.where(size > 100, "Ulm", "Bonn"),
            "sold": rng.random(rows) < 0.5,
            "built": pd.Timestamp("1990-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), "D"),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "price"] = np.nan
    return frame


@pytest.fixture(scope="module")
def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Normal rows, and rows of which the last hundred are a shifted cluster."""
    rng = np.random.default_rng(1)
    factor = np.array([[1.0, 0.6, 0.0], [0.0, 0.8, 0.3], [0.0, 0.0, 1.0]])
    normal = rng.normal(size=(600, 3)) @ factor
    fresh = rng.normal(size=(100, 3)) @ factor
    shifted = rng.normal(size=(100, 3)) * 0.3 + np.array([4.0, -4.0, 4.0])
    return normal, np.concatenate([fresh, shifted])


@pytest.fixture(scope="module")
def every(clusters) -> GANOutlierDetector:
    return with_generator(scores=list(SCORES)).fit(clusters[0])


@pytest.fixture(scope="module")
def fitted() -> GANOutlierDetector:
    return with_generator().fit(mixed())


@pytest.mark.parametrize("name", SCORES)
def test_each_score_is_higher_for_normal_rows_than_for_a_shifted_cluster(every, clusters, name):
    scores = every.member_scores(clusters[1])[name]
    assert roc_auc_score(np.repeat([1, 0], 100), scores) > 0.75


def test_the_mean_is_higher_for_normal_rows_and_predict_agrees(every, clusters):
    rows = clusters[1]
    scores, verdicts = every.score_samples(rows), every.predict(rows)
    assert roc_auc_score(np.repeat([1, 0], 100), scores) > 0.95
    assert (verdicts[:100] == 1).mean() > 0.85 and (verdicts[100:] == -1).mean() > 0.95
    np.testing.assert_allclose(every.decision_function(rows), scores - every.offset_)


def test_a_clump_of_odd_rows_in_the_fitted_table_is_found(clusters):
    normal, judged = clusters
    table = np.concatenate([normal, judged[100:160]])
    detector = quick(contamination=0.1).fit(table)
    scores = detector.score_samples(table)
    assert roc_auc_score(np.repeat([1, 0], [600, 60]), scores) > 0.95
    assert (detector.predict(table) == -1).sum() == pytest.approx(66, abs=2)


@pytest.mark.parametrize("name", ["critic", "isolation"])
def test_one_score_alone_is_its_member(clusters, name):
    detector = with_generator(scores=name).fit(clusters[0])
    assert detector.scores_ == (name,)
    alone = detector.member_scores(clusters[1])[name]
    np.testing.assert_allclose(detector.score_samples(clusters[1]), alone)


def test_the_generator_is_cloned_and_never_changed():
    generator = SynthGAN(**QUICK)
    before = generator.get_params()
    detector = GANOutlierDetector(generator=generator, random_state=3).fit(mixed(120))
    assert generator.get_params() == before and not hasattr(generator, "schema_")
    assert detector.generator_ is not generator and detector.generator_.random_state is not None
    assert detector.generator is generator


def test_no_generator_is_trained_where_no_score_asks_for_one(tmp_path):
    table = mixed(150)
    detector = quick(schema={"sold": "drop"}).fit(table)
    assert detector.generator_ is None and detector.scores_ == AUTO_SCORES
    assert detector.schema_["sold"].kind == "drop"
    asked = quick(scores="generated").fit(table.head(60))
    assert isinstance(asked.generator_, SynthGAN)
    detector.save(tmp_path / "plain.synthgan")
    again = GANOutlierDetector.load(tmp_path / "plain.synthgan")
    np.testing.assert_array_equal(detector.score_samples(table), again.score_samples(table))
    pd.testing.assert_frame_equal(detector.explain(table), again.explain(table))


def test_parameters_of_the_generator_are_reached_by_name():
    detector = with_generator().set_params(generator__epochs=7)
    assert detector.generator.epochs == 7
    assert clone(detector).generator.epochs == 7


def test_mixed_columns_gaps_and_levels_never_seen(fitted):
    table = mixed(60, seed=5)
    odd = table.copy()
    odd["town"] = "Atlantis"
    odd.loc[:30, "price"] = np.nan
    odd["size"] = 900.0
    assert np.isfinite(fitted.score_samples(odd)).all()
    assert fitted.score_samples(odd).max() < np.median(fitted.score_samples(table))


def test_polars_and_arrow_give_the_same_scores_as_pandas(fitted):
    polars = pytest.importorskip("polars")
    table = mixed(50, seed=6)
    expected = fitted.score_samples(table)
    np.testing.assert_allclose(fitted.score_samples(polars.from_pandas(table)), expected)


def test_rows_are_judged_each_by_itself(fitted):
    table = mixed(80, seed=7)
    whole = fitted.score_samples(table)
    alone = np.concatenate([fitted.score_samples(table.iloc[[row]]) for row in range(5)])
    np.testing.assert_allclose(whole[:5], alone, atol=1e-5)


def test_explain_names_the_cell_that_was_changed_and_what_was_expected(fitted):
    table = mixed(40, seed=8).set_index(np.arange(1000, 1040))
    big = table["size"].gt(110)
    row = table.index[big][0]
    table.loc[row, "price"] = 60.0
    found = fitted.explain(table)
    assert list(found.columns) == ["row", "column", "value", "expected", "surprise"]
    assert set(found["row"]) <= set(table.index)
    mine = found[found["row"] == row]
    first = mine.iloc[0]
    assert "price" in set(mine["column"]) and first["surprise"] >= 3
    price = mine[mine["column"] == "price"].iloc[0]
    assert price["value"] == 60 and abs(price["expected"] - table.loc[row, "size"] * 3) < 60
    assert (
        found.groupby("row", sort=False)["surprise"]
        .apply(lambda s: s.is_monotonic_decreasing)
        .all()
    )


def test_explain_names_a_category_that_contradicts_the_row(fitted):
    table = mixed(200, seed=9)
    wrong = np.flatnonzero(table["size"] > 125)[0]
    table.loc[wrong, "town"] = "Bonn"
    found = fitted.explain(table, least=2.0)
    mine = found[(found["row"] == wrong) & (found["column"] == "town")]
    assert mine["expected"].tolist() == ["Ulm"] and mine["value"].tolist() == ["Bonn"]


def test_a_rare_value_that_its_row_explains_is_set_against_the_usual_one() -> None:
    rng = np.random.default_rng(0)
    town = np.where(rng.random(2_000) < 0.02, "Ulm", "Bonn")
    table = pd.DataFrame({"town": town, "zip": np.where(town == "Ulm", 89.0, 53.0)})
    table["zip"] += rng.normal(size=len(table))
    found = GANOutlierDetector(random_state=0).fit(table).explain(table[town == "Ulm"], cells=2)
    towns = found[found["column"] == "town"]
    assert len(towns) > 10
    assert set(towns["value"]) == {"Ulm"} and set(towns["expected"]) == {"Bonn"}


def test_explain_gives_an_empty_frame_where_nothing_is_odd(fitted):
    found = fitted.explain(mixed(10, seed=10), least=50.0)
    assert found.empty and "surprise" in found.columns


def test_what_explain_and_report_are_asked_for_is_checked(fitted):
    with pytest.raises(ParameterError, match="cells: expected a whole number of at least 1"):
        fitted.explain(mixed(10), cells=0)
    with pytest.raises(ParameterError, match="rows: expected a whole number of at least 1"):
        fitted.report(mixed(10), rows=0)


def test_a_file_gives_the_same_scores_and_explanations(fitted, tmp_path):
    path = tmp_path / "houses.synthgan"
    fitted.save(path)
    again = GANOutlierDetector.load(path)
    table = mixed(60, seed=11)
    np.testing.assert_array_equal(fitted.score_samples(table), again.score_samples(table))
    np.testing.assert_array_equal(fitted.predict(table), again.predict(table))
    pd.testing.assert_frame_equal(fitted.explain(table), again.explain(table))
    assert again.get_params()["generator__epochs"] == QUICK["epochs"]
    assert again.offset_ == fitted.offset_ and again.scores_ == (*AUTO_SCORES, "generated")
    with pytest.raises(OutputExistsError):
        fitted.save(path)


def test_every_score_goes_through_a_file(every, clusters, tmp_path):
    every.save(tmp_path / "every.synthgan")
    again = GANOutlierDetector.load(tmp_path / "every.synthgan")
    expected = every.member_scores(clusters[1])
    pd.testing.assert_frame_equal(expected, again.member_scores(clusters[1]))


def test_a_file_of_another_estimator_is_refused(fitted, tmp_path):
    fitted.generator_.save(tmp_path / "generator.synthgan")
    with pytest.raises(FileFormatError, match="expected a GANOutlierDetector, found 'SynthGAN'"):
        GANOutlierDetector.load(tmp_path / "generator.synthgan")
    fitted.save(tmp_path / "detector.synthgan")
    with pytest.raises(FileFormatError, match="expected a SynthGAN"):
        SynthGAN.load(tmp_path / "detector.synthgan")
    with pytest.raises(InputNotFoundError):
        GANOutlierDetector.load(tmp_path / "nothing.synthgan")


def test_a_file_holds_no_row_of_the_table(clusters, tmp_path):
    from synthgan.bundle import read_bundle

    table = clusters[0]
    detector = with_generator(scores=[name for name in SCORES if name != "inversion"]).fit(table)
    detector.save(tmp_path / "d.synthgan")
    _, arrays = read_bundle(tmp_path / "d.synthgan")
    points = detector._learned.scale.points(table)
    for name, array in arrays.items():
        if array.ndim == 2 and array.shape[1] == table.shape[1] and array.dtype.kind == "f":
            for rows in (table, points):
                gaps = np.abs(array[:, np.newaxis] - rows[np.newaxis]).max(axis=2)
                assert gaps.min() > 1e-6, name


def test_a_fitted_detector_survives_pickle(fitted):
    table = mixed(30, seed=12)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(fitted.score_samples(table), again.score_samples(table))


def test_the_same_seed_gives_the_same_scores_and_another_one_others(clusters):
    one, two, other = (
        GANOutlierDetector(generator=SynthGAN(**QUICK), random_state=seed)
        .fit(clusters[0][:200])
        .score_samples(clusters[1])
        for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_no_global_random_state_is_read_or_changed(clusters):
    import torch

    np.random.seed(3)
    torch.manual_seed(3)
    numpy_before, torch_before = np.random.get_state()[1].copy(), torch.random.get_rng_state()
    with_generator(scores=["encoder", "isolation"]).fit(clusters[0][:150]).score_samples(
        clusters[1]
    )
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    assert torch.equal(torch.random.get_rng_state(), torch_before)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"scores": "criticc"}, r"scores: expected .* \(did you mean 'critic'\?\)"),
        ({"scores": []}, "scores: expected"),
        ({"scores": ["critic", "critic"]}, "scores: expected"),
        ({"contamination": 0.7}, "contamination: expected"),
        ({"contamination": "some"}, "contamination: expected"),
        ({"generator": 3}, "generator: expected"),
        ({"novelty": 2}, "novelty: expected"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        GANOutlierDetector(**parameters).fit(mixed(60))


def test_a_table_without_a_column_that_can_be_odd_is_refused():
    table = pd.DataFrame({"id": [f"H{100_000 + 7 * each}" for each in range(60)]})
    with pytest.raises(TableError, match="found only ids and dropped columns: 'id'"):
        quick().fit(table)


def test_a_constant_column_and_a_table_of_constants():
    table = mixed(150)[["size", "town"]].assign(unit="EUR", version=2)
    detector = quick().fit(table)
    changed = table.assign(version=3)
    assert detector.score_samples(changed).max() < np.median(detector.score_samples(table))
    constants = with_generator(scores=list(SCORES)).fit(
        pd.DataFrame({"a": [1.0] * 40, "b": ["x"] * 40})
    )
    assert np.isfinite(constants.score_samples(pd.DataFrame({"a": [2.0], "b": ["x"]}))).all()


def test_contradicted_relations_make_a_row_odd():
    rng = np.random.default_rng(0)
    town = rng.choice(["Ulm", "Bonn", "Rom"], 400)
    country = np.where(town == "Rom", "Italy", "Germany")
    table = pd.DataFrame({"town": town, "country": country, "x": rng.normal(size=400)})
    detector = quick().fit(table)
    wrong = table.head(20).assign(country="Italy", town="Ulm")
    assert (detector.predict(wrong) == -1).all()
    assert detector.report(wrong).result["ranked"][0]["breaches"] > 0


def test_novelty_takes_all_rows_for_normal(clusters):
    normal, judged = clusters
    detector = quick(novelty=True).fit(normal)
    assert roc_auc_score(np.repeat([1, 0], 100), detector.score_samples(judged)) > 0.95


def test_the_report_is_one_page_that_says_what_was_found(fitted, tmp_path):
    table = mixed(120, seed=13)
    table.loc[5, "price"] = 9_000.0
    table["town"] = table["town"].replace("Ulm", "<b>Rom</b>")
    account = fitted.report(table, rows=20)
    result = account.result
    assert len(result["ranked"]) == 20 and result["rows"] == 120
    scores = [each["score"] for each in result["ranked"]]
    assert scores == sorted(scores)
    assert result["drift"][0]["column"] == "town" and result["drift"][0]["distance"] > 0.3
    assert sum(result["histogram"]["table"]) == pytest.approx(1)
    assert sum(result["histogram"]["fitted"]) == pytest.approx(1)
    account.to_html(tmp_path / "odd.html")
    page = (tmp_path / "odd.html").read_text(encoding="utf-8")
    assert "<b>Rom</b>" not in page and "&lt;b&gt;Rom&lt;/b&gt;" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page
    assert account._repr_html_().startswith("<iframe")
    with pytest.raises(OutputExistsError):
        account.to_html(tmp_path / "odd.html")


def test_drift_is_small_where_nothing_moved(fitted):
    drift = {each["column"]: each for each in fitted.report(mixed(500, seed=14)).result["drift"]}
    assert max(each["distance"] for each in drift.values()) < 0.15
    moved = fitted.report(mixed(500, seed=14).assign(size=lambda f: f["size"] + 30)).result["drift"]
    assert moved[0]["column"] == "size" and moved[0]["distance"] > 0.4
