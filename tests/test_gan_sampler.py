"""GANSampler: strategies met exactly, types kept, classes of a row or two, imbalanced-learn."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import GANSampler, SynthGAN
from synthgan.errors import ParameterError, SynthganWarning, TableError
from synthgan.estimators.augmentation.dealing import Deals
from synthgan.estimators.augmentation.strategies import to_the_smallest, wanted_rows

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

EXPECTED_FAILURES: dict[str, str] = {}


def generator(**changed: Any) -> SynthGAN:
    return SynthGAN(**{**QUICK, **changed})


def sampler(**parameters: Any) -> GANSampler:
    return GANSampler(**{"generator": generator(), "random_state": 0, **parameters})


def mixed(rows: int = 120) -> pd.DataFrame:
    """Columns of many kinds, one of which has the name that the target would get."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": rng.normal(size=rows),
            "whole": rng.integers(0, 50, rows),
            "gaps": np.where(rng.random(rows) < 0.2, np.nan, rng.random(rows)),
            "level": pd.Categorical(rng.choice(list("xyz"), rows), categories=list("wxyz")),
            "target": rng.choice(["u", "v"], rows),
            "day": pd.date_range("2020-01-01", periods=rows),
            "flag": rng.random(rows) > 0.5,
        },
        index=np.arange(rows) + 7,
    )


def labels(sizes: dict[Any, int]) -> np.ndarray:
    return np.repeat(list(sizes), list(sizes.values()))


SIZES = {"A": 90, "B": 22, "C": 8}


@parametrize_with_checks(
    [sampler()], expected_failed_checks=lambda model: EXPECTED_FAILURES, xfail_strict=True
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "strategy",
    [
        *("minority", "not minority", "not majority", "all", "auto"),
        {"B": 30},
        {"B": 22, "C": 100},
        lambda y: {"A": int((y == "A").sum()) + 3},
    ],
)
@pytest.mark.parametrize("sizes", [SIZES, {"A": 20, "B": 20, "C": 5}, {"A": 5, "B": 20, "C": 5}])
def test_strategies_mean_what_they_mean_in_imbalanced_learn(strategy: Any, sizes: Any) -> None:
    from imblearn.utils import check_sampling_strategy

    y = labels(sizes)
    names, counts = np.unique(y, return_counts=True)
    try:
        expected = check_sampling_strategy(strategy, y, "over-sampling")
    except ValueError:
        with pytest.raises(ValueError, match="sampling_strategy"):
            wanted_rows(strategy, names.tolist(), counts, y)
        return
    found = wanted_rows(strategy, names.tolist(), counts, y)
    assert {names[code]: rows for code, rows in found.items()} == dict(expected)


@pytest.mark.parametrize("ratio", [0.3, 0.29, 0.57, 1, 1.0, 0.26])
def test_ratios_mean_what_they_mean_in_imbalanced_learn(ratio: float) -> None:
    from imblearn.utils import check_sampling_strategy

    y = labels({"A": 97, "B": 25})
    expected = check_sampling_strategy(ratio, y, "over-sampling") if ratio >= 0.27 else None
    if expected is None:
        with pytest.raises(ParameterError, match="never taken away"):
            wanted_rows(ratio, ["A", "B"], np.array([97, 25]))
    else:
        found = wanted_rows(ratio, ["A", "B"], np.array([97, 25]))
        assert {"AB"[code]: rows for code, rows in found.items()} == dict(expected)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("minorty", "did you mean 'minority'"),
        (1.5, "at most 1"),
        (0.5, "for two classes"),
        ({"D": 50}, "class 'D' is not in y"),
        ({"A": 10}, "at least the 90 rows"),
        ({"B": 22.5}, "a whole number of rows"),
        (lambda y: 7, "the callable to give a dict"),
        (True, "found True"),
    ],
)
def test_a_strategy_that_does_not_fit_is_refused(strategy: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        sampler(sampling_strategy=strategy).fit_resample(mixed(), labels(SIZES))


@pytest.mark.parametrize("quality_filter", [None, "density", "label", "both"])
@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", {"A": 90, "B": 90, "C": 90}),
        ("minority", {"A": 90, "B": 22, "C": 90}),
        ({"A": 95, "C": 9}, {"A": 95, "B": 22, "C": 9}),
    ],
)
def test_a_strategy_is_met_exactly(
    strategy: Any, expected: dict[str, int], quality_filter: Any
) -> None:
    model = sampler(sampling_strategy=strategy, quality_filter=quality_filter, redraws=1)
    X, y = model.fit_resample(mixed(), labels(SIZES))
    assert Counter(y.tolist()) == expected
    assert len(X) == len(y) == len(model.synthetic_)
    assert sum(model.sampling_strategy_.values()) == model.synthetic_.sum() == len(y) - 120
    assert [each["how"] for each in model.augmentation_report_] == ["generated"] * len(
        model.augmentation_report_
    )


def native(kind: str) -> tuple[Any, Any]:
    frame, y = mixed(), labels(SIZES)
    if kind == "pandas":
        return frame, pd.Series(y, index=frame.index, name="y")
    if kind == "categorical":
        return frame, pd.Series(y, index=frame.index, name="y", dtype="category")
    if kind == "polars":
        return pl.from_pandas(frame), pl.Series("y", y)
    if kind == "pyarrow":
        return pa.Table.from_pandas(frame, preserve_index=False), pa.array(y)
    numbers = frame[["number", "gaps"]].to_numpy(np.float32)
    return (numbers, y) if kind == "numpy" else (numbers[:, :1].tolist(), y.tolist())


@pytest.mark.parametrize("kind", ["pandas", "categorical", "polars", "pyarrow", "numpy", "list"])
def test_tables_come_back_in_their_own_types_real_rows_first(kind: str) -> None:
    X, y = native(kind)
    model = sampler()
    X_more, y_more = model.fit_resample(X, y)
    assert type(X_more) is type(X) and type(y_more) is type(y)
    if kind in ("pandas", "categorical"):
        pd.testing.assert_frame_equal(X_more[:120], X.reset_index(drop=True))
        pd.testing.assert_series_equal(y_more[:120], y.reset_index(drop=True))
    elif kind == "polars":
        assert X_more[:120].equals(X) and X_more.schema == X.schema and y_more[:120].equals(y)
    elif kind == "pyarrow":
        assert X_more.slice(0, 120).equals(X) and y_more.slice(0, 120).equals(y)
    elif kind == "numpy":
        np.testing.assert_array_equal(X_more[:120], X)
        assert X_more.dtype == X.dtype and y_more.dtype == y.dtype
    else:
        assert X_more[:120] == X and y_more[:120] == y
    assert Counter(np.asarray(y_more).tolist()) == {"A": 90, "B": 90, "C": 90}
    np.testing.assert_array_equal(model.sample_indices_[:120], np.arange(120))
    assert (model.sample_indices_[120:] == -1).all()


def test_the_callers_table_and_generator_are_not_changed() -> None:
    frame, y, own = mixed(), labels(SIZES), generator(random_state=3)
    before = frame.copy(), y.copy(), own.get_params()
    model = sampler(generator=own)
    model.fit_resample(frame, y)
    pd.testing.assert_frame_equal(frame, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert own.get_params() == before[2] and not hasattr(own, "schema_")
    assert model.generator_ is not own and model.generator_.random_state == 3


@pytest.mark.parametrize("threshold", [1, 5])
def test_classes_of_a_row_or_two_end_well(threshold: int) -> None:
    y = labels({"A": 90, "B": 25, "C": 4, "D": 1})
    X = mixed()
    model = sampler(generator=generator(rare_threshold=threshold))
    with pytest.warns(
        SynthganWarning, match="class 'D' has one row, and a generator needs . to learn"
    ):
        X_more, y_more = model.fit_resample(X, y)
    assert Counter(y_more.tolist()) == dict.fromkeys("ABCD", 90)
    how = {each["label"]: each["how"] for each in model.augmentation_report_}
    # a class that the generator hides cannot be asked of it
    assert how == {
        "B": "generated",
        "C": "repeated" if threshold > 4 else "generated",
        "D": how["D"],
    }
    assert how["D"] == "repeated"
    again = model.synthetic_ & (y_more == "D")
    assert (model.sample_indices_[again] == 119).all()
    pd.testing.assert_frame_equal(
        X_more[again].reset_index(drop=True), X.iloc[[119] * 89].reset_index(drop=True)
    )


def test_only_small_classes_need_no_generator() -> None:
    model = sampler()
    with pytest.warns(SynthganWarning, match="collect more of them"):
        _, y = model.fit_resample([[1.0], [2.0], [3.0], [4.0]], ["a", "a", "a", "b"])
    assert y == ["a", "a", "a", "b", "b", "b"]
    assert model.generator_ is None


def test_balanced_classes_come_back_as_they_are() -> None:
    X, y = mixed(), labels({"A": 60, "B": 60})
    X_more, y_more = sampler().fit_resample(X, y)
    pd.testing.assert_frame_equal(X_more, X.reset_index(drop=True))
    assert y_more.tolist() == y.tolist()


@pytest.mark.parametrize("kind", ["numpy", "pandas", "polars"])
def test_numbers_are_levelled_by_intervals(kind: str) -> None:
    X, numbers = mixed(), np.random.default_rng(0).gamma(1.0, 100.0, 120)
    given = {"numpy": numbers, "pandas": pd.Series(numbers), "polars": pl.Series("y", numbers)}
    model = sampler()
    X_more, found = model.fit_resample(X, given[kind])
    found = np.asarray(found)
    np.testing.assert_array_equal(found[:120], numbers)
    inside = [((low <= found) & (found <= high)).sum() for low, high in model.classes_]
    assert inside == [48] * 5 and len(X_more) == 240
    assert list(model.sampling_strategy_.values()) == [36, 24, 24, 36]
    assert np.isfinite(found).all()


def test_whole_numbers_are_numbers_if_told_so() -> None:
    counts = np.random.default_rng(0).poisson(5, 120)
    model = sampler(task="regression", intervals=4)
    _, found = model.fit_resample(mixed(), counts)
    assert found.dtype == counts.dtype and len(model.classes_) == 4
    assert set(found) <= set(range(counts.min(), counts.max() + 1))


def test_the_same_seed_gives_the_same_rows() -> None:
    X, y = mixed(), labels(SIZES)
    first, again = (
        sampler(random_state=5, quality_filter="both").fit_resample(X, y)[0] for _ in "ab"
    )
    pd.testing.assert_frame_equal(first, again)
    other = sampler(random_state=6).fit_resample(X, y)[0]
    assert not first.equals(other)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "found None"),
        (labels(SIZES)[:-1], "one value for each of the 120 rows of X, found 119"),
        (np.where(np.arange(120) < 3, None, "A"), "a missing one .* in row 0 .3 such rows"),
        (labels({"A": 120}), "more than 1 class"),
        (np.zeros((120, 2)), "one target for each row"),
    ],
)
def test_a_target_that_does_not_fit_is_refused_in_words(y: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        sampler().fit_resample(mixed(), y)


def test_the_generator_sees_all_classes_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    whole = SynthGAN.fit

    def fit(self: SynthGAN, X: Any, y: Any = None, sample_weight: Any = None) -> SynthGAN:
        seen.append(sample_weight)
        return whole(self, X, y, sample_weight)

    monkeypatch.setattr(SynthGAN, "fit", fit)
    y = labels(SIZES)
    sampler().fit_resample(mixed(), y)
    np.testing.assert_allclose(pd.Series(seen[0]).groupby(y).sum(), [40.0] * 3)


def test_a_generator_without_conditions_is_refused() -> None:
    from sklearn.neighbors import KernelDensity

    with pytest.raises(ParameterError, match=r"sample takes where=.* found KernelDensity"):
        sampler(generator=KernelDensity()).fit_resample(mixed(), labels(SIZES))


def test_columns_that_the_schema_drops_are_missing_in_new_rows() -> None:
    own = generator(schema={"day": "drop", "whole": "category"})
    X, _ = sampler(generator=own).fit_resample(mixed(), labels(SIZES))
    assert X["day"][120:].isna().all() and X["day"][:120].notna().all()


def test_parameters_of_the_generator_are_set_through_the_sampler() -> None:
    model = clone(sampler()).set_params(generator__epochs=2, sampling_strategy="minority")
    assert model.generator.epochs == 2
    with pytest.raises(ParameterError, match="did you mean 'redraws'"):
        GANSampler(redraw=1)


def test_rows_go_to_the_smallest_first() -> None:
    counts = np.array([10, 4, 1, 1])
    for rows in range(40):
        found = to_the_smallest(counts, rows)
        after = counts + np.array([found.get(code, 0) for code in range(4)])
        assert sum(found.values()) == rows
        raised = after[after > counts]
        assert not len(raised) or raised.max() - raised.min() <= 1


class Labelled(BaseEstimator):
    """A generator whose rows tell their class, and whether they were asked for by a condition."""

    def __init__(self, schema: Any = None, random_state: Any = None, rare_threshold: int = 1):
        self.schema, self.random_state = schema, random_state
        self.rare_threshold = rare_threshold

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Labelled:
        self.name_, self.labels_ = X.column_names[-1], X.column(-1).unique().to_pylist()
        self.asked_: list[Any] = []
        return self

    def sample(self, n_samples: int, *, where: Any = None, random_state: Any = None) -> pa.Table:
        self.asked_.append(None if where is None else where[self.name_])
        if where is None:
            # one class less than there are: that one has to be asked for
            drawn = np.random.default_rng(0).integers(0, len(self.labels_) - 1, n_samples)
        else:
            drawn = np.full(n_samples, self.labels_.index(where[self.name_]))
        x = drawn + (0.0 if where is None else 0.5)
        return pa.table({"x": x, self.name_: np.array(self.labels_)[drawn]})


@pytest.mark.parametrize("quality_filter", [None, "label"])
def test_rows_of_many_classes_are_dealt_out_of_one_draw(quality_filter: str | None) -> None:
    sizes = {"A": 60, "B": 30, "C": 20, "D": 10}
    y = labels(sizes)
    X = pd.DataFrame({"x": np.repeat(np.arange(4.0), list(sizes.values()))})
    model = GANSampler(
        generator=Labelled(),
        sampling_strategy="all",
        quality_filter=quality_filter,
        random_state=0,
    )
    X_more, y_more = model.fit_resample(X, y)
    assert Counter(y_more.tolist()) == dict.fromkeys("ABCD", 60)
    assert [*map("ABCD".index, y_more)] == np.floor(X_more["x"]).astype(int).tolist()
    assert model.generator_.asked_[0] is None and set(model.generator_.asked_[1:]) == {"class 3"}
    asked_for = X_more["x"][model.synthetic_] % 1 == 0.5
    assert set(y_more[model.synthetic_][asked_for]) == {"D"}


def test_what_a_class_misses_is_dealt_again_and_the_rest_waits_for_the_others() -> None:
    asked: list[int] = []

    def draw(rows: int, seed: int) -> pa.Table:
        asked.append(rows)
        # one row in a thousand is of the third class
        codes = np.where(np.arange(rows) % 1000 == 7, 2, np.arange(rows) % 2)
        return pa.table({"row": np.arange(rows) + 10_000 * len(asked), "class": codes.astype(str)})

    deals = Deals(draw, "class", {0: "0", 1: "1", 2: "2"}, seed=0)
    deals.deal(2000)
    first = deals.take(0, 1500)
    assert first.num_rows == 1500 and len(asked) == 2 and asked[1] < 2000
    assert set(first["class"].to_pylist()) == {"0"}
    assert len(set(first["row"].to_pylist())) == 1500
    # what was drawn for one class serves the other
    assert deals.take(1, 1500).num_rows == 1500 and len(asked) == 2
    assert deals.take(1, 0).num_rows == 0
    # a hundred thousand rows for a hundred of these would cost more than a condition
    assert deals.take(2, 100).num_rows == 4 and len(asked) == 2


def test_rows_of_two_classes_are_asked_for() -> None:
    X, y = pd.DataFrame({"x": np.repeat([0.0, 1.0], [60, 20])}), labels({"A": 60, "B": 20})
    model = GANSampler(generator=Labelled(), quality_filter=None, random_state=0)
    model.fit_resample(X, y)
    assert model.generator_.asked_ == ["class 1"]
