"""Imputation: given cells stay, types come home, holes are filled by what the rest says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from synthgan import GANImputer, SynthGAN
from synthgan.errors import SynthganWarning, TableError

QUICK: dict[str, Any] = {"epochs": 3, "width": 16, "depth": 1, "latent_size": 4, "verbose": 0}


def quick(**given: Any) -> GANImputer:
    return GANImputer(**{"generator": SynthGAN(**QUICK), "rounds": 1, "random_state": 0, **given})


def mixed(rows: int = 120) -> pd.DataFrame:
    """A table of many types in which everything depends on x."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=rows)
    days = np.abs(x * 100).astype(int)
    frame = pd.DataFrame(
        {
            "x": x,
            "near": (3.0 * x + 0.2 * rng.normal(size=rows)).astype("float32"),
            "count": pd.array(np.abs(x * 10).astype(int), dtype="Int64"),
            "sign": np.where(x > 0, "plus", "minus"),
            "level": pd.Categorical(
                np.where(x > 1, "high", np.where(x < -1, "low", "mid")),
                categories=["low", "mid", "high", "never"],
                ordered=True,
            ),
            "flag": pd.array(x > 0, dtype="boolean"),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D"),
            "same": "one",
        },
        index=[f"r{number}" for number in range(rows)],
    )
    return frame


def with_holes(frame: pd.DataFrame, share: float = 0.2, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    holed = frame.copy()
    for name in holed:
        gone = rng.random(len(holed)) < share
        holed[name] = holed[name].where(~gone)
    return holed


def assert_given_cells_stay(given: pd.DataFrame, full: pd.DataFrame) -> None:
    for name in given:
        known = given[name].notna().to_numpy()
        pd.testing.assert_series_equal(given[name][known], full[name][known], check_exact=True)


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(with_holes(mixed()))


@pytest.mark.parametrize("draws", [False, True])
def test_given_cells_never_change_and_types_come_home(draws):
    given = with_holes(mixed())
    before = given.copy(deep=True)
    full = quick(sample_posterior=draws).fit_transform(given)
    pd.testing.assert_frame_equal(given, before, check_exact=True)
    assert_given_cells_stay(given, full)
    assert not full.isna().any().any()
    assert list(full.dtypes) == list(given.dtypes)
    assert full.index.equals(given.index)


def test_holes_are_filled_by_what_the_rest_says():
    truth = mixed(400)
    given = with_holes(truth)
    full = quick().fit_transform(given)
    hole = (given["near"].isna() & given["x"].notna()).to_numpy()
    error = np.sqrt(np.mean((truth["near"] - full["near"])[hole] ** 2)) / truth["near"].std()
    assert error < 0.5
    hole = (given["sign"].isna() & given["x"].notna()).to_numpy()
    assert (truth["sign"] == full["sign"])[hole].mean() > 0.85


def test_the_game_alone_beats_the_mean():
    truth = mixed(400)
    given = with_holes(truth)
    game = SynthGAN(epochs=150, batch_size=50, width=32, latent_size=4, verbose=0)
    full = GANImputer(generator=game, rounds=0, random_state=0).fit_transform(given)
    hole = given["near"].isna().to_numpy()
    error = np.sqrt(np.mean((truth["near"] - full["near"])[hole] ** 2)) / truth["near"].std()
    assert error < 0.7


def test_other_rows_and_patterns_than_those_of_the_fit():
    imputer = quick().fit(mixed())
    given = with_holes(mixed(50), share=0.5, seed=9)
    assert imputer.indicator_features_.size == 0
    full = imputer.transform(given)
    assert_given_cells_stay(given, full)
    assert not full.isna().any().any()


def test_a_row_is_filled_alike_whatever_comes_with_it(fitted):
    given = with_holes(mixed(), seed=4)
    whole = fitted.transform(given)
    part = fitted.transform(given.iloc[10:13])
    pd.testing.assert_frame_equal(whole.iloc[10:13], part, rtol=1e-6)


def test_rows_and_columns_of_which_nothing_is_known(fitted):
    given = with_holes(mixed(20))
    given.iloc[:2] = with_holes(mixed(2), share=1.0)
    given["sign"] = pd.Series([None] * 20, index=given.index, dtype=object)
    full = fitted.transform(given)
    assert not full.isna().any().any()
    assert set(full["sign"]) <= {"plus", "minus"}


def test_a_category_that_the_fit_has_not_seen_stays(fitted):
    given = with_holes(mixed(30))
    given.iloc[4, given.columns.get_loc("sign")] = "neither"
    assert fitted.transform(given)["sign"].iloc[4] == "neither"


def test_a_column_of_which_nothing_was_ever_known_stays_and_is_told():
    given = with_holes(mixed()).assign(nothing=None)
    with pytest.warns(SynthganWarning, match="'nothing' stay missing"):
        full = quick().fit_transform(given)
    assert full["nothing"].isna().all() and not full.drop(columns="nothing").isna().any().any()


def test_identifiers_with_holes_stay_and_are_told():
    given = with_holes(mixed())
    given["key"] = [f"K{7 * number:05d}" for number in range(len(given))]
    given.iloc[::5, given.columns.get_loc("key")] = None
    given["order"] = pd.array(np.arange(len(given)), dtype="Int64")
    given.iloc[::7, given.columns.get_loc("order")] = pd.NA
    with pytest.warns(SynthganWarning, match="'key' stay missing"):
        full = quick().fit_transform(given)
    pd.testing.assert_series_equal(full["key"], given["key"])
    assert not full.drop(columns="key").isna().any().any()


def test_several_draws_differ_in_the_holes_alone_and_repeat():
    given = with_holes(mixed())
    imputer = quick(sample_posterior=True).fit(given)
    draws = [imputer.set_params(random_state=seed).transform(given) for seed in (1, 2, 1)]
    pd.testing.assert_frame_equal(draws[0], draws[2])
    hole = given["near"].isna().to_numpy()
    assert (draws[0]["near"] != draws[1]["near"])[hole].mean() > 0.5
    assert_given_cells_stay(given, draws[1])


def test_draws_keep_the_spread_that_means_lose():
    rng = np.random.default_rng(0)
    truth = pd.DataFrame({"a": rng.normal(size=600), "b": rng.normal(size=600)})
    given = truth.copy()
    given.loc[:299, "b"] = np.nan
    means = quick().fit_transform(given)["b"][:300]
    drawn = quick(sample_posterior=True).fit_transform(given)["b"][:300]
    assert means.std() < 0.5 < 0.75 < drawn.std() < 1.25
    assert set(drawn) <= set(given["b"].dropna())


def test_the_same_seed_gives_the_same_cells():
    given = with_holes(mixed(120))
    twice = [quick().fit_transform(given) for _ in range(2)]
    pd.testing.assert_frame_equal(*twice, check_exact=True)


def test_numpy_polars_and_arrow_tables_come_home():
    given = with_holes(mixed()[["x", "near"]])
    array = given.to_numpy(dtype=np.float32)
    made = quick().fit_transform(array)
    assert made.dtype == np.float32 and not np.isnan(made).any()
    known = ~np.isnan(array)
    np.testing.assert_array_equal(made[known], array[known])

    frame = pl.from_pandas(with_holes(mixed()).reset_index(drop=True), nan_to_null=True)
    full = quick(add_indicator=True).fit_transform(frame)
    assert full.columns[: frame.width] == frame.columns
    assert full.select(frame.columns).dtypes == frame.dtypes
    assert sum(full.null_count().row(0)) == 0
    assert full["missingindicator_x"].to_list() == frame["x"].is_null().to_list()

    table = pa.table({"a": [1.5, None, 2.5] * 30, "b": pa.array(["u", "v", None] * 30)})
    full = quick().fit_transform(table)
    assert full.schema.equals(table.schema) and full["b"].null_count == 0


def test_an_array_after_a_frame_goes_by_place():
    given = with_holes(mixed()[["x", "near"]])
    imputer = quick().fit(given)
    with pytest.warns(SynthganWarning, match="valid feature names"):
        made = imputer.transform(given.to_numpy(dtype=np.float64))
    np.testing.assert_allclose(made, imputer.transform(given).to_numpy(), rtol=1e-6)


def test_a_file_is_filled_too(tmp_path):
    path = tmp_path / "gaps.parquet"
    with_holes(mixed()).to_parquet(path, index=False)
    full = quick().fit_transform(path)
    assert isinstance(full, pa.Table) and full["near"].null_count == 0


def test_schema_and_whole_numbers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"rooms": pd.array(rng.integers(1, 9, 100), dtype="Int64")})
    frame["code"] = [f"c{number}" for number in range(100)]
    frame["size"] = frame["rooms"].astype(float) * 20
    frame.loc[::4, ["rooms", "code"]] = None
    game = SynthGAN(**QUICK, schema={"code": "drop"})
    full = quick(generator=game).fit_transform(frame)
    assert str(full["rooms"].dtype) == "Int64" and full["rooms"].between(1, 8).all()
    pd.testing.assert_series_equal(full["code"], frame["code"])


def test_other_types_are_refused_by_name(fitted):
    given = with_holes(mixed(20))
    with pytest.raises(TableError, match="'x'"):
        fitted.transform(given.assign(x="text"))
    with pytest.raises(TableError, match="yet now missing"):
        fitted.transform(given[["x"]])
