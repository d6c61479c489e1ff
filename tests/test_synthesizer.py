"""SynthGAN: fit, sample, complete, score, save and load, and every refusal on the way."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from rich.console import Console
from sklearn.exceptions import NotFittedError

from synthgan import SynthGAN, __version__
from synthgan.bundle import read_bundle, write_bundle
from synthgan.data.source import open_source
from synthgan.errors import (
    ConditionError,
    FileFormatError,
    InputNotFoundError,
    MemoryLimitError,
    MissingExtraError,
    OutputError,
    OutputExistsError,
    ParameterError,
    SchemaError,
    TableError,
    TrainingError,
)
from synthgan.estimators import fitting, memory
from synthgan.estimators.history import History, history_frame
from synthgan.estimators.progress import ProgressBar
from synthgan.evaluation.fidelity import fidelity
from synthgan.nets.objectives import OBJECTIVES

QUICK: dict[str, Any] = {
    "epochs": 1,
    "width": 16,
    "depth": 1,
    "batch_size": 50,
    "random_state": 0,
    "verbose": 0,
}
ROWS = 240


def people(rows: int = ROWS) -> pd.DataFrame:
    """One column of every kind, with missing values, unused levels and a rare town."""
    rng = np.random.default_rng(0)
    town = rng.choice(["Ulm", "Bonn", "Köln"], rows).astype(object)
    town[:2] = "Hidden Hollow"
    town[5:9] = None
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "height": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(170, 9, rows).round(1)),
            "sex": pd.Categorical(rng.choice(["f", "m"], rows), categories=["m", "f", "x"]),
            "town": pd.Series(town, dtype="str"),
            "born": pd.Timestamp("1980-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), "D"),
            "member": rng.random(rows) < 0.3,
            "key": [f"K{1000 + i}" for i in range(rows)],
        }
    )


def quick(**parameters: Any) -> SynthGAN:
    return SynthGAN(**(QUICK | parameters))


@pytest.fixture(scope="module")
def model() -> SynthGAN:
    return quick().fit(people())


@pytest.fixture
def trained_with(monkeypatch) -> dict[str, Any]:
    """What `train` was called with."""
    seen: dict[str, Any] = {}
    whole = fitting.train

    def train(matrix: Any, layout: Any, plan: Any, **more: Any) -> Any:
        seen.update(matrix=matrix, plan=plan, **more)
        return whole(matrix, layout, plan, **more)

    monkeypatch.setattr(fitting, "train", train)
    return seen


# fit


def test_fit_returns_itself_and_says_what_it_found():
    model = quick()
    table = people()
    assert model.fit(table) is model
    assert [column.kind for column in model.schema_] == [
        *("number", "number", "category", "category", "datetime", "boolean", "id"),
    ]
    assert model.n_features_in_ == 7
    assert model.feature_names_in_.tolist() == list(table.columns)
    assert model.seed_ == 0
    assert model.stopped_ == "epochs"
    assert {"step", "epoch", "seconds", "critic_loss", "generator_loss", "quality"} <= set(
        model.history_.columns
    )
    pd.testing.assert_frame_equal(table, people())


def test_y_is_ignored(model):
    same = quick().fit(people(), y=object())
    pd.testing.assert_frame_equal(same.sample(30), model.sample(30))


def test_a_second_fit_starts_anew():
    model = quick().fit(people())
    numbers = np.random.default_rng(1).normal(size=(80, 2))
    model.fit(numbers)
    assert model.n_features_in_ == 2
    assert not hasattr(model, "feature_names_in_")
    np.testing.assert_array_equal(model.sample(30), quick().fit(numbers).sample(30))


@pytest.mark.parametrize(
    "fault", [{"epochs": 0}, {"schema": {"aeg": "id"}}, {"device": "nowhere"}, {"table": "empty"}]
)
def test_a_fit_that_is_refused_changes_nothing(fault):
    table = people().head(0) if fault.pop("table", "") else people()
    fresh = quick(**fault)
    before = dict(vars(fresh))
    with pytest.raises((ParameterError, SchemaError, TableError)):
        fresh.fit(table)
    assert vars(fresh) == before
    fitted = quick().fit(people())
    drawn = fitted.sample(20)
    with pytest.raises((ParameterError, SchemaError, TableError)):
        fitted.set_params(**fault).fit(table)
    pd.testing.assert_frame_equal(fitted.sample(20), drawn)


def test_files_are_fitted_as_well(tmp_path, model):
    people().to_parquet(tmp_path / "people.parquet")
    for path in (tmp_path / "people.parquet", str(tmp_path / "people.parquet")):
        fitted = quick().fit(path)
        assert fitted.feature_names_in_.tolist() == list(people().columns)
        drawn = fitted.sample(30)
        assert isinstance(drawn, pa.Table)
        assert drawn["age"].to_pylist() == model.sample(30)["age"].tolist()
        assert fitted.score(path) == fitted.score(people())


def test_whole_numbers_as_names_come_home_and_can_be_named():
    table = people()[["age", "sex", "key"]].set_axis([10, 20, 30], axis=1)
    model = quick(schema={30: "drop"}).fit(table)
    drawn = model.sample(40, where={20: "f"})
    assert drawn.columns.tolist() == [10, 20]
    assert set(drawn[20]) == {"f"}
    assert not hasattr(model, "feature_names_in_")


def test_columns_of_constants_or_nothing_alone_can_be_learned():
    table = pd.DataFrame({"same": [7] * 30, "void": [np.nan] * 30})
    drawn = quick().fit(table).sample(9)
    assert drawn["same"].tolist() == [7] * 9
    assert drawn["void"].isna().all() and drawn["void"].dtype == np.float64


@pytest.mark.parametrize("schema", [None, {"note": "drop"}])
def test_identifiers_alone_can_be_learned_but_not_judged(schema, tmp_path):
    table = pd.DataFrame({"id": range(200)})
    if schema is not None:
        table["note"] = "dropped"
    model = quick(schema=schema).fit(table)
    assert model.stopped_ == "nothing to learn"
    drawn = model.sample(50)
    assert drawn["id"].is_unique and not set(drawn["id"]) & set(table["id"])
    with pytest.raises(TableError, match=r"column to judge by.*only ids.*'id' \(id\)"):
        model.score(table)
    model.save(tmp_path / "m.synthgan")
    same = SynthGAN.load(tmp_path / "m.synthgan")
    pd.testing.assert_frame_equal(same.sample(50), drawn)


@pytest.mark.parametrize("rows", [2, 3, 11])
@pytest.mark.parametrize("holdout", ["auto", 0.5])
def test_the_smallest_tables_can_be_learned(rows, holdout):
    table = pd.DataFrame(
        {"x": np.arange(rows) * 1.5, "y": ["a", "b"] * (rows // 2) + ["a"] * (rows % 2)}
    )
    drawn = quick(rare_threshold=1, holdout=holdout).fit(table).sample(20)
    assert drawn["x"].between(0, 1.5 * (rows - 1)).all()
    assert set(drawn["y"]) <= {"a", "b"}


def test_held_out_rows_are_not_trained_on(trained_with):
    quick(holdout=0.25).fit(people())
    assert trained_with["matrix"].rows == ROWS - ROWS // 4
    quick(holdout=0).fit(people())
    assert trained_with["matrix"].rows == ROWS
    quick().fit(people())
    assert trained_with["matrix"].rows == ROWS


def test_the_judge_sees_exactly_the_rows_that_training_does_not(monkeypatch, trained_with):
    judged = []
    whole = fitting.Judge.__init__

    def watch(self, codec, held, seed, members=None):
        judged.append(held)
        whole(self, codec, held, seed)

    monkeypatch.setattr(fitting.Judge, "__init__", watch)
    table = pd.DataFrame({"x": np.arange(200) % 8, "w": np.random.default_rng(0).normal(size=200)})
    model = quick(holdout=0.5, rare_threshold=1).fit(table)
    seen = model._model.codec.decode(trained_with["matrix"], np.random.default_rng(0))
    counts = np.bincount(seen["x"], minlength=8) + np.bincount(judged[0]["x"], minlength=8)
    assert counts.tolist() == [25] * 8


def test_quality_is_minus_the_error_on_held_out_rows(trained_with):
    model = quick(holdout=0.25).fit(people())
    found = trained_with["quality"](model._model.trained.sampler)
    assert -1 <= found.quality < 0 and 0 <= found.lost <= 1
    assert found == trained_with["quality"](model._model.trained.sampler)
    assert model.history_["quality"].dropna().between(-1, 0).all()


def test_max_seconds_covers_the_whole_call(trained_with):
    started = time.monotonic()
    model = quick(epochs=1_000_000, max_seconds=1.5).fit(people())
    assert time.monotonic() - started < 4
    assert model.stopped_ == "max_seconds"
    assert started < trained_with["deadline"] - 1.5 < started + 0.1


def test_max_seconds_that_end_before_training_are_refused(monkeypatch):
    whole = fitting.TableCodec.fit

    def slow(*args: Any, **more: Any) -> Any:
        time.sleep(0.06)
        return whole(*args, **more)

    monkeypatch.setattr(fitting.TableCodec, "fit", slow)
    model = quick(max_seconds=0.05)
    with pytest.raises(TrainingError, match=r"max_seconds=0.05 was over before training began"):
        model.fit(people())
    assert not hasattr(model, "schema_")


def test_rows_of_weight_zero_are_as_if_they_were_not_there():
    table = people()
    counts = table["town"].isin(["Ulm", "Köln"]).to_numpy()
    weighted = quick().fit(table, sample_weight=counts.astype(float))
    alone = quick().fit(table[counts], sample_weight=np.ones(counts.sum()))
    pd.testing.assert_frame_equal(weighted.sample(100), alone.sample(100))
    assert set(weighted.sample(500)["town"].dropna()) <= {"Ulm", "Köln"}


def test_weights_are_what_rows_are_drawn_by(trained_with):
    weights = np.arange(ROWS) % 4
    quick().fit(people(), sample_weight=weights.tolist())
    assert sorted(trained_with["matrix"].weights) == sorted(weights[weights > 0])


def test_weights_count_in_the_rows_that_judge():
    table = pd.DataFrame({"x": np.repeat([0.0, 1.0], 500)})
    rows = fitting.Rows(open_source(table), np.repeat([1.0, 9.0], 500))
    taken = rows.take(np.arange(1000), np.random.default_rng(0))
    assert taken.num_rows == 1000
    assert 0.87 < np.mean(taken["x"]) < 0.93


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ([1.0] * 5, r"shape \(240,\), found shape \(5,\)"),
        (np.ones((ROWS, 1)), r"found shape \(240, 1\)"),
        ([-1.0] + [1.0] * (ROWS - 1), r"found -1.0 in row 0"),
        ([1.0, math.nan] * (ROWS // 2), r"found nan in row 1 \(120 such rows\)"),
        ([0.0] * ROWS, "at least two rows with a weight above zero, found 0"),
        (["much"] * ROWS, "found list: could not convert"),
    ],
)
def test_impossible_weights_are_refused(weights, found):
    with pytest.raises(ParameterError, match=f"sample_weight: .*{found}"):
        quick().fit(people(), sample_weight=weights)


def test_callbacks_see_every_round_and_can_stop():
    records, others = [], []

    def stop_at_second(record):
        records.append(dict(record))
        return len(records) == 2

    model = quick(epochs=10_000, callbacks=[others.append, stop_at_second]).fit(people())
    assert model.stopped_ == "callback"
    assert len(records) == len(others) == len(model.history_) == 2
    assert records[0].keys() == set(model.history_.columns)
    single = []
    quick(callbacks=lambda record: single.append(record)).fit(people())
    assert single


def test_an_interrupt_in_training_keeps_the_model():
    def interrupt(record):
        raise KeyboardInterrupt

    model = quick(epochs=10_000, callbacks=interrupt).fit(people())
    assert model.stopped_ == "interrupted"
    assert model.sample(5).shape == (5, 7)


# Parameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objective", "relativistc"),
        ("objective", None),
        ("epochs", 0),
        ("epochs", 2.0),
        ("epochs", True),
        ("epochs", "often"),
        ("max_seconds", 0),
        ("max_seconds", -1.0),
        ("max_seconds", math.inf),
        ("max_seconds", "60"),
        ("batch_size", 1),
        ("batch_size", 0.5),
        ("schema", "age"),
        ("random_state", -1),
        ("random_state", 1.5),
        ("random_state", 2**63),
        ("random_state", np.random),
        ("device", 0),
        ("device", "nowhere"),
        ("verbose", -1),
        ("verbose", "yes"),
        ("rare_threshold", 0),
        ("learning_rate", 0.0),
        ("learning_rate", 2),
        ("learning_rate", math.nan),
        ("penalty", -0.1),
        ("width", 0),
        ("depth", 1.5),
        ("latent_size", "large"),
        ("precision", "float64"),
        ("critic_steps", 0),
        ("pack", "many"),
        ("critics", "auto"),
        ("critic_vote", "median"),
        ("minibatch_discrimination", 1),
        ("spectral_norm", None),
        ("dropout", 1.0),
        ("instance_noise", -0.1),
        ("feature_matching", "strong"),
        ("target", 1.5),
        ("target_weight", -1),
        ("holdout", 0.6),
        ("holdout", -0.1),
        ("callbacks", 3),
        ("callbacks", [print, 3]),
    ],
)
def test_a_value_out_of_range_is_refused_by_fit(name, value):
    with pytest.raises(ParameterError, match=rf"{name}: expected .*, found ") as caught:
        quick(**{name: value}).fit(people())
    assert repr(value)[:20] in str(caught.value)


def test_all_wrong_parameters_are_named_at_once():
    with pytest.raises(ParameterError) as caught:
        quick(objective="relativistc", epochs=-3, width="wide").fit(people())
    names = ["auto", *OBJECTIVES, "marginals", "pate"]
    assert str(caught.value) == (
        "SynthGAN: 3 problems\n"
        f"- objective: expected {' or '.join(map(repr, names))}, "
        "found 'relativistc' (str) (did you mean 'relativistic'?)\n"
        "- epochs: expected 'auto' or a whole number of at least 1, found -3 (int)\n"
        "- width: expected 'auto' or a whole number of at least 1, found 'wide' (str)"
    )


def test_every_parameter_refuses_what_nobody_would_expect():
    names = SynthGAN().get_params()
    for value in (np.array([1.0, 4.0]), b"auto"):
        with pytest.raises(ParameterError) as caught:
            SynthGAN(**dict.fromkeys(names, value)).fit(people())
        for name in names:
            assert f"- {name}: expected" in str(caught.value)


def test_numbers_of_numpy_are_numbers():
    model = quick(
        epochs=np.int32(1),
        learning_rate=np.float32(1e-3),
        holdout=np.float64(0.1),
        max_seconds=np.float32(60),
        rare_threshold=np.int8(5),
    )
    assert model.fit(people()).stopped_ == "epochs"


def test_an_unknown_parameter_is_named_with_the_nearest():
    with pytest.raises(ParameterError, match=r"'epoch' \(did you mean 'epochs'\?\)\nknown are"):
        SynthGAN(epoch=3)
    with pytest.raises(TypeError):
        SynthGAN("relativistic")


# sample


FRAMES = {
    "pandas": people,
    "polars": lambda: pl.from_pandas(people()),
    "pyarrow": lambda: pa.Table.from_pandas(people(), preserve_index=False),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("rows", [0, 1, 70])
def test_types_come_home(frame, rows):
    table = FRAMES[frame]()
    drawn = quick().fit(table).sample(rows)
    assert type(drawn) is type(table)
    assert len(drawn) == rows
    if frame == "pandas":
        pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)
        assert drawn["sex"].cat.categories.tolist() == ["m", "f", "x"]
        assert drawn.index.equals(pd.RangeIndex(rows))
    else:
        assert drawn.schema == table.schema


@pytest.mark.parametrize("rows", [0, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_arrays_come_home(dtype, rows):
    table = np.random.default_rng(0).normal(50, 20, (60, 3)).astype(dtype)
    drawn = quick().fit(table).sample(rows)
    assert isinstance(drawn, np.ndarray)
    assert drawn.dtype == table.dtype
    assert drawn.shape == (rows, 3)


def test_nothing_decodes_outside_of_what_was_seen(model):
    drawn, table = model.sample(2000), people()
    assert drawn["age"].between(table["age"].min(), table["age"].max()).all()
    assert set(drawn["town"].dropna()) == {"Ulm", "Bonn", "Köln"}
    assert (drawn["height"].dropna().round(1) == drawn["height"].dropna()).all()
    assert drawn["born"].dt.normalize().equals(drawn["born"])


def test_identifiers_are_new_and_unique(model):
    keys = model.sample(3000)["key"]
    assert keys.is_unique
    assert not set(keys) & set(people()["key"])


def test_dropped_columns_do_not_come_back():
    model = quick(schema={"town": "drop", "key": "drop"}).fit(people())
    assert model.sample(5).columns.tolist() == ["age", "height", "sex", "born", "member"]
    assert model.n_features_in_ == 7
    assert model.score(people()) == model.score(people().assign(town="anything"))


@pytest.mark.parametrize("rows", [-1, 2.5, 3.0, True, "3", None, np.float64(4)])
def test_a_number_of_rows_that_is_none_is_refused(model, rows):
    with pytest.raises(ParameterError, match="n_samples: expected a whole number of at least 0"):
        model.sample(rows)


def test_a_numpy_number_of_rows_is_one(model):
    assert len(model.sample(np.int64(3))) == 3
    assert len(model.sample()) == 1


def test_a_table_larger_than_memory_is_refused_at_once(model):
    with pytest.raises(
        MemoryLimitError, match=r"a sample of 10,000,000,000,000 rows needs about .* [TP]iB of"
    ):
        model.sample(10**13)
    with pytest.raises(MemoryError):
        model.sample(10**30)


def test_the_estimate_is_held_against_free_memory(model, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 100_000)
    with pytest.raises(MemoryLimitError, match=r"97\.7 KiB are free; sample fewer rows"):
        model.sample(2000)
    assert len(model.sample(20)) == 20
    with pytest.raises(MemoryLimitError, match="completing 2,000 rows"):
        model.complete(people(2000)[["age"]])
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert len(model.sample(2000)) == 2000


def test_the_estimate_is_near_the_truth(model):
    drawn = model.sample(5000)
    truth = drawn.memory_usage(deep=True).sum()
    assert truth < model._model.size_of(5000) < 12 * truth


@pytest.mark.parametrize("name", ["sample", "complete", "score", "score_samples", "save"])
def test_nothing_works_before_fit(name, tmp_path):
    model = SynthGAN()
    argument = {"sample": 1, "save": tmp_path / "m.synthgan"}.get(name, people())
    with pytest.raises(NotFittedError):
        getattr(model, name)(argument)
    assert list(tmp_path.iterdir()) == []


# where


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"sex": "f"}, lambda d: d["sex"] == "f"),
        ({"town": ["Ulm", "Bonn"]}, lambda d: d["town"].isin(["Ulm", "Bonn"])),
        ({"town": None}, lambda d: d["town"].isna()),
        ({"age": (30, 40)}, lambda d: d["age"].between(30, 40)),
        ({"age": (None, 30), "sex": "m"}, lambda d: (d["age"] <= 30) & (d["sex"] == "m")),
        ({"height": (170, None)}, lambda d: d["height"] >= 170),
        ({"height": None}, lambda d: d["height"].isna()),
        ({"born": ("1985-01-01", dt.datetime(1990, 1, 1))}, lambda d: d["born"].dt.year < 1991),
        ({"member": True}, lambda d: d["member"]),
        (
            {"member": False, "age": (50, 60), "sex": "f", "town": "Ulm", "height": (150, 190)},
            lambda d: (
                ~d["member"]
                & d["age"].between(50, 60)
                & (d["sex"] == "f")
                & (d["town"] == "Ulm")
                & d["height"].between(150, 190)
            ),
        ),
    ],
)
def test_every_row_meets_the_condition(model, where, holds):
    drawn = model.sample(60, where=where)
    assert len(drawn) == 60
    assert holds(drawn).all()
    pd.testing.assert_series_equal(drawn.dtypes, people().dtypes)


@pytest.mark.parametrize("where", [None, {}])
def test_no_condition_is_no_condition(model, where):
    pd.testing.assert_frame_equal(model.sample(20, where=where), model.sample(20))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"aeg": 3}, "'aeg'.*'age'"),
        ({"town": "Ulmm"}, "'town'.*'Ulmm'.*'Ulm'"),
        ({"town": "Hidden Hollow"}, "'town'.*'Hidden Hollow'"),
        ({"sex": None}, "'sex'"),
        ({"age": 1000}, "'age'.*1000"),
        ({"key": "K1001"}, "'key'"),
        ({"aeg": 3, "town": "Ulmm"}, "(?s)'aeg'.*'town'"),
        ([("age", 3)], "where: expected a dict {column: condition}, found list"),
        ("age=3", "where: expected a dict"),
    ],
)
@pytest.mark.parametrize("rows", [0, 5])
def test_a_condition_nobody_can_meet_is_refused_by_name(model, where, found, rows):
    with pytest.raises(ConditionError, match=found):
        model.sample(rows, where=where)


# complete


def holes() -> pd.DataFrame:
    """Rows of people with holes, an index of their own, in another order of columns."""
    rng = np.random.default_rng(9)
    table = people().iloc[20:100, [3, 0, 2, 1]].astype({"age": "float64"})
    table.index = pd.Index([f"row {i}" for i in range(80)], name="who")
    return table.mask(rng.random(table.shape) < 0.3)


def test_complete_fills_what_is_missing_and_touches_nothing_else(model):
    given = holes()
    filled = model.complete(given)
    pd.testing.assert_index_equal(filled.index, given.index)
    assert filled.columns.tolist() == people().columns.tolist()
    pd.testing.assert_series_equal(filled.dtypes, people().dtypes)
    for name in given.columns:
        kept = given[name].notna()
        assert (filled.loc[kept, name] == given.loc[kept, name]).all()
        assert filled[name].notna().all()
    assert filled["key"].is_unique
    pd.testing.assert_frame_equal(given, holes())


def test_given_cells_come_back_bit_for_bit(model):
    height = np.array([1.5e-300, -0.0, 170.123456789012345, 1e308, np.nan])
    filled = model.complete(pd.DataFrame({"height": height}))["height"].to_numpy()
    assert filled[:4].tobytes() == height[:4].tobytes()
    assert np.isfinite(filled[4])


def test_columns_that_are_not_given_may_be_missing(model):
    filled = model.complete(people()[["age"]])
    assert 0 < filled["height"].isna().mean() < 0.5


def test_ordered_categories_are_completed_with_their_levels_and_order():
    rng = np.random.default_rng(0)
    kind = pd.CategoricalDtype(["lo", "mid", "hi", "top"], ordered=True)
    size = pd.Series(rng.choice(["lo", "mid", "hi"], 120)).astype(kind)
    table = pd.DataFrame({"size": size.mask(rng.random(120) < 0.2), "x": rng.normal(size=120)})
    filled = quick().fit(table).complete(table.head(40))
    assert filled["size"].dtype == kind
    assert filled["size"].notna().all()
    kept = table["size"].head(40).notna()
    assert (filled["size"][kept] == table["size"].head(40)[kept]).all()


def test_given_identifiers_are_kept(model):
    filled = model.complete(pd.DataFrame({"key": ["mine", None, "K1001"]}))
    assert filled["key"].tolist()[::2] == ["mine", "K1001"]
    assert filled["key"].notna().all()


def test_rows_that_are_whole_come_back_whole(model):
    table = people().iloc[20:60].dropna()
    pd.testing.assert_frame_equal(model.complete(table), table)


def test_complete_follows_the_seed(model):
    given = holes()
    pd.testing.assert_frame_equal(model.complete(given), model.complete(given))
    first, second = (model.complete(given, random_state=seed) for seed in (1, 2))
    assert not first.equals(second)


def test_no_rows_are_completed_to_no_rows(model):
    filled = model.complete(holes().head(0))
    pd.testing.assert_series_equal(filled.dtypes, people().dtypes)
    assert len(filled) == 0


def test_pandas_rows_keep_their_index_whatever_was_fitted():
    filled = quick().fit(FRAMES["polars"]()).complete(holes())
    assert isinstance(filled, pd.DataFrame)
    pd.testing.assert_index_equal(filled.index, holes().index)


def test_arrays_are_completed_by_place():
    table = np.random.default_rng(0).normal(50, 20, (60, 3)).round(2)
    given = table[:9, :2].copy()
    given[::2, 1] = np.nan
    filled = quick().fit(table).complete(given)
    assert filled.shape == (9, 3)
    np.testing.assert_array_equal(filled[:, 0], given[:, 0])
    np.testing.assert_array_equal(filled[1::2, 1], given[1::2, 1])
    assert np.isfinite(filled).all()


def test_whole_numbers_as_names_can_be_completed():
    table = people()[["age", "sex"]].set_axis([10, 20], axis=1)
    filled = quick().fit(table).complete(table[[20]].head(4))
    assert filled.columns.tolist() == [10, 20]
    assert filled[20].tolist() == table[20].head(4).tolist()


@pytest.mark.parametrize("frame", ["polars", "pyarrow", "file"])
def test_completed_rows_have_the_frame_type_that_was_given(model, frame, tmp_path):
    given = holes().reset_index(drop=True)
    arrow = pa.Table.from_pandas(given, preserve_index=False)
    if frame == "file":
        given.to_parquet(tmp_path / "rows.parquet")
    rows = {"polars": pl.from_pandas(given), "pyarrow": arrow, "file": tmp_path / "rows.parquet"}
    filled = model.complete(rows[frame])
    assert isinstance(filled, pl.DataFrame if frame == "polars" else pa.Table)
    expected = model.complete(given)
    assert filled["age"].to_numpy().tolist() == expected["age"].tolist()
    assert list(filled["town"]) == expected["town"].tolist() or filled["town"].to_pylist() == (
        expected["town"].tolist()
    )


@pytest.mark.parametrize(
    ("rows", "error", "found"),
    [
        ({"aeg": [3]}, TableError, "'aeg'.*'age'"),
        ({"age": ["old"]}, TableError, "'age'.*expected int64"),
        ({"age": [30.5]}, TableError, "'age'"),
        ({"town": ["Ulmm", "Ulm", "Atlantis"]}, ConditionError, "'town'.*'Ulmm', 'Atlantis'"),
        ({"town": ["Hidden Hollow"]}, ConditionError, "'town'.*'Hidden Hollow'.*too rare"),
        ({"town": list("abcdefg")}, ConditionError, r"'e' and 2 more"),
        ({"sex": ["x"], "town": ["y"]}, ConditionError, "(?s)'sex'.*'town'"),
        ({"height": [math.inf]}, TableError, "'height'"),
        ([1, 2], TableError, "rows"),
    ],
)
def test_rows_that_cannot_be_completed_are_refused_by_name(model, rows, error, found):
    frame = pd.DataFrame(rows) if isinstance(rows, dict) else rows
    with pytest.raises(error, match=found):
        model.complete(frame)


def test_a_dropped_column_cannot_be_completed():
    model = quick(schema={"town": "drop"}).fit(people())
    with pytest.raises(TableError, match="'town' was dropped by the schema"):
        model.complete(people()[["age", "town"]])


# score, score_samples


def test_score_is_minus_the_mean_of_shape_and_trend_error(model):
    table = people()
    found = model.score(table, y=object())
    assert -1 < found < 0
    assert found == model.score(table)
    drawn = model._model.draw(1000, model._model.judging_seed())
    real = pa.Table.from_pandas(table, preserve_index=False)
    assert found == -fidelity(real, drawn, schema=model.schema_).error


def test_a_model_of_the_table_scores_better_than_one_of_another(model):
    other = people().assign(town="Ulm", sex=pd.Categorical(["m"] * ROWS, ["m", "f", "x"]), age=18)
    assert model.score(people()) > model.score(other)


def test_score_samples_gives_one_number_a_row(model):
    table = people()
    scores = model.score_samples(table)
    assert scores.shape == (ROWS,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, model.score_samples(table))
    np.testing.assert_array_equal(
        scores, model.score_samples(table.assign(key=lambda t: t["key"] + "!"))
    )


def test_unknown_levels_can_be_scored(model):
    assert np.isfinite(model.score_samples(people().assign(town="Atlantis"))).all()


@pytest.mark.parametrize("method", ["score", "score_samples"])
def test_other_columns_or_types_cannot_be_scored(model, method):
    with pytest.raises(TableError, match="'age'"):
        getattr(model, method)(people().assign(age="old"))
    with pytest.raises(TableError, match="yet now missing:\n- town"):
        getattr(model, method)(people().drop(columns="town"))


# save, load


def test_a_loaded_model_is_the_model_that_was_saved(model, tmp_path):
    path = tmp_path / "people.synthgan"
    model.save(path)
    again = SynthGAN.load(str(path))
    assert again.get_params() == model.get_params()
    assert again.schema_ == model.schema_
    assert (again.seed_, again.stopped_) == (model.seed_, model.stopped_)
    assert again.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    pd.testing.assert_frame_equal(again.history_, model.history_)
    pd.testing.assert_frame_equal(again.sample(80), model.sample(80))
    where = {"sex": "f", "age": (30, 50)}
    pd.testing.assert_frame_equal(
        again.sample(80, where=where, random_state=3), model.sample(80, where=where, random_state=3)
    )
    pd.testing.assert_frame_equal(again.complete(holes()), model.complete(holes()))
    np.testing.assert_array_equal(again.score_samples(people()), model.score_samples(people()))
    assert again.score(people()) == model.score(people())
    assert [file.name for file in tmp_path.iterdir()] == ["people.synthgan"]


def test_a_loaded_model_can_be_fitted_again(model, tmp_path):
    model.save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan").fit(people())
    pd.testing.assert_frame_equal(again.sample(20), model.sample(20))


@pytest.mark.parametrize("frame", ["polars", "pyarrow", "numpy"])
@pytest.mark.parametrize("objective", ["wgan-gp", "conditional"])
def test_every_frame_and_objective_survives_the_file(frame, objective, tmp_path):
    table = np.random.default_rng(0).normal(size=(60, 2)) if frame == "numpy" else FRAMES[frame]()
    model = quick(objective=objective).fit(table)
    model.save(tmp_path / "m.synthgan")
    first, again = model.sample(30), SynthGAN.load(tmp_path / "m.synthgan").sample(30)
    assert type(first) is type(again) is type(table)
    assert np.array_equal(first, again) if frame == "numpy" else first.equals(again)


def test_a_model_without_a_seed_stays_one_when_loaded(tmp_path):
    quick(random_state=None).fit(people()).save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan")
    assert not again.sample(40).equals(again.sample(40))


def test_parameters_that_no_file_can_hold_are_left_out(tmp_path):
    schema = {"age": {"kind": "number", "bounds": (np.int64(0), None)}, "born": "datetime"}
    model = quick(
        random_state=np.random.default_rng(0),
        callbacks=[lambda r: None],
        schema=schema,
        epochs=np.int64(1),
    ).fit(people())
    model.save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan")
    assert again.random_state is None and again.callbacks is None
    assert again.schema == {"age": {"kind": "number", "bounds": [0, None]}, "born": "datetime"}
    assert again.epochs == 1
    pd.testing.assert_frame_equal(again.sample(20), model.sample(20))
    again.fit(people())


def test_a_schema_by_numbers_as_names_can_be_saved_and_given_again(tmp_path):
    table = people()[["age", "sex"]].set_axis([0, 1], axis=1)
    model = quick(schema={np.int64(0): "category", 1: {"kind": "category"}}, rare_threshold=1)
    model.fit(table).save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan")
    assert again.schema == {"0": "category", "1": {"kind": "category"}}
    pd.testing.assert_frame_equal(again.sample(20), model.sample(20))
    assert [each.kind for each in again.fit(table).schema_] == ["category", "category"]
    json.dumps(model.describe())


def test_a_polars_model_without_polars_names_the_extra(monkeypatch):
    model = quick().fit(pl.from_pandas(people()[["age", "sex"]]))
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match=r"pip install synthgan\[polars\]"):
        model.sample(5)


def test_a_whole_schema_can_be_given_saved_and_given_again(model, tmp_path):
    same = quick(schema=model.schema_).fit(people())
    assert [c.kind for c in same.schema_] == [c.kind for c in model.schema_]
    same.save(tmp_path / "m.synthgan")
    SynthGAN.load(tmp_path / "m.synthgan").fit(people())


def test_the_file_holds_no_row_no_key_and_nothing_hidden(model, tmp_path):
    table = people()
    table["sex"] = table["sex"].cat.add_categories(["once"])
    table.loc[3, "sex"] = "once"
    fitted = quick().fit(table)
    fitted.save(tmp_path / "m.synthgan")
    content = (tmp_path / "m.synthgan").read_bytes()
    header = read_bundle(tmp_path / "m.synthgan")[0]
    assert b"Bonn" in content
    for hidden in ["Hidden Hollow", "once", *table["key"]]:
        assert hidden.encode() not in content, hidden
    assert header["version"] == __version__


@pytest.mark.parametrize("name", ["people.pkl", "people", "people.synthgan.zip"])
def test_another_suffix_is_refused(model, tmp_path, name):
    with pytest.raises(OutputError, match=r"\.synthgan"):
        model.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_overwritten_only_by_force(model, tmp_path):
    path = tmp_path / "m.synthgan"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputExistsError):
        model.save(path)
    assert path.read_text(encoding="utf-8") == "mine"
    model.save(path, force=True)
    assert SynthGAN.load(path).n_features_in_ == 7


def test_a_missing_folder_is_refused(model, tmp_path):
    with pytest.raises(OutputError, match="nowhere"):
        model.save(tmp_path / "nowhere" / "m.synthgan")


def test_what_is_no_model_is_refused(model, tmp_path):
    with pytest.raises(InputNotFoundError):
        SynthGAN.load(tmp_path / "m.synthgan")
    people().to_parquet(tmp_path / "people.parquet")
    with pytest.raises(FileFormatError):
        SynthGAN.load(tmp_path / "people.parquet")
    model.save(tmp_path / "m.synthgan")
    content = (tmp_path / "m.synthgan").read_bytes()
    (tmp_path / "cut.synthgan").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="cut short"):
        SynthGAN.load(tmp_path / "cut.synthgan")


def edited(path: Path, target: Path, **changes: Any) -> Path:
    header, arrays = read_bundle(path)
    write_bundle(target, header | changes, arrays)
    return target


def test_a_bundle_of_something_else_is_refused(model, tmp_path):
    path = tmp_path / "m.synthgan"
    model.save(path)
    with pytest.raises(FileFormatError, match="expected a SynthGAN, found 'Another'"):
        SynthGAN.load(edited(path, tmp_path / "other.synthgan", estimator="Another"))
    with pytest.raises(FileFormatError, match="does not fit together"):
        SynthGAN.load(edited(path, tmp_path / "odd.synthgan", codec={}))
    with pytest.raises(FileFormatError, match="does not fit together"):
        SynthGAN.load(edited(path, tmp_path / "odder.synthgan", parameters={"epoch": 3}))


def test_describe_is_json(model):
    found = model.describe()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [column["name"] for column in found["columns"]] == list(people().columns)
    assert found["version"] == __version__
    assert found["stopped"] == "epochs"
    assert found["plan"]["width"] == 16


# history, progress, memory


def test_the_history_shows_a_curve_in_notebooks():
    history = history_frame(
        [{"step": step, "quality": -1 / step if step % 2 else math.nan} for step in (1, 2, 3, 5)]
    )
    assert isinstance(history, History)
    shown = history._repr_html_()
    assert shown.count("<svg") == 1 and "best -0.2000" in shown and "<table" in shown
    assert "<svg" not in history.head(1)._repr_html_()
    assert type(history[history["step"] > 1]) is pd.DataFrame
    assert history["step"].dtype == np.int64


def record(**changes: float) -> dict[str, float]:
    return {
        "step": 50.0,
        "seconds": 10.0,
        "seconds_left": 65.0,
        "rows_per_second": 12_345.6,
        "critic_loss": 0.693,
        "generator_loss": 0.5,
        "quality": math.nan,
    } | changes


def test_the_progress_bar_says_pace_losses_quality_and_time_left():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=160)
    with ProgressBar(1, console) as bar:
        bar(record(quality=-0.0321))
        bar(record(seconds=20.0, seconds_left=5.0))
    text = stream.getvalue()
    for part in ("12,346 rows/s", "critic 0.693", "generator 0.500", "3.21%", "0:05 left"):
        assert part in text


@pytest.mark.parametrize(("verbose", "terminal"), [(0, True), (1, False)])
def test_the_progress_bar_is_silent_where_nobody_looks(verbose, terminal):
    stream = io.StringIO()
    with ProgressBar(verbose, Console(file=stream, force_terminal=terminal)) as bar:
        bar(record())
    assert stream.getvalue() == ""


def test_free_memory_is_what_the_machine_or_the_container_leaves(monkeypatch, tmp_path):
    found = memory.free_memory()
    assert found is None or found > 2**20
    meminfo, group = tmp_path / "meminfo", tmp_path / "group"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n", encoding="ascii")
    group.mkdir()
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CGROUP", group)
    assert memory.free_memory() == 2048 * 1024
    (group / "memory.max").write_text("1000000\n", encoding="ascii")
    (group / "memory.current").write_text("900000\n", encoding="ascii")
    (group / "memory.stat").write_text("anon 5\ninactive_file 50000\n", encoding="ascii")
    assert memory.free_memory() == 150_000
    (group / "memory.max").write_text("max\n", encoding="ascii")
    assert memory.free_memory() == 2048 * 1024


def test_free_memory_without_the_systems_own_count(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "none")
    monkeypatch.setattr(memory.os, "sysconf_names", {"SC_PAGE_SIZE": 30, "SC_PHYS_PAGES": 85})
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.get)
    assert memory.free_memory() == 4_096_000
    monkeypatch.setattr(memory.os, "sysconf_names", {})
    assert memory.free_memory() is None
