"""Fits within a budget: what they reveal is bought, and nothing else of the rows gets through."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from synthgan import GANImputer, GANOutlierDetector, GANSampler, Privacy, SynthGAN
from synthgan.data import private as private_data
from synthgan.errors import ParameterError, SynthganWarning
from synthgan.estimators.private import fitting
from synthgan.privacy.ledger import Ledger, LedgerError
from synthgan.refinement.account import SWITCHED_OFF
from synthgan.training.private.noisy_critic import MOVES, NoisyCritic
from synthgan.training.private.teachers import VOTED, VOTES, Teachers

# small tables: there is much noise in them
pytestmark = pytest.mark.filterwarnings("ignore:the noise of")
LEVELS = {"city": {"kind": "category", "levels": ["Bonn", "Ulm", "Kiel"]}, "key": "id"}
SOON: dict[str, Any] = {"epochs": 1, "batch_size": 64, "width": 16, "verbose": 0}


def table(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    random = np.random.default_rng(seed)
    start = dt.datetime(2024, 1, 1)
    return pa.table(
        {
            "age": pa.array(random.integers(18, 90, rows) + int(shift)),
            "pay": pa.array(
                random.lognormal(3 + shift, 1, rows).round(2), mask=random.random(rows) < 0.2
            ),
            "city": pa.array(random.choice(["Bonn", "Ulm", "Kiel"], rows)),
            "member": pa.array(random.random(rows) < 0.3),
            "seen": pa.array(
                [start + dt.timedelta(hours=int(h)) for h in random.integers(0, 9000, rows)]
            ),
            "key": pa.array([f"user-{seed}-{n}" for n in range(rows)]),
        }
    )


@pytest.fixture
def told_the_same(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every purchase gets an answer in which the rows have no part."""

    def answered(counts: np.ndarray, deviation: float, noise: Any) -> np.ndarray:
        return (np.arange(counts.size) * 37 % 101 + 400.0).reshape(counts.shape)

    def no_slopes(self: NoisyCritic, drawn: torch.Tensor) -> tuple[list[torch.Tensor], float]:
        layers = [*self.critic.layers, self.critic.score]
        parts = [each for layer in layers for each in (layer.weight, layer.bias)]
        return [torch.zeros_like(each) for each in parts], 0.0

    def half_of_them(self: Teachers, asked: torch.Tensor) -> torch.Tensor:
        self._ledger.buy(VOTES, times=len(asked))
        return torch.full((len(asked),), 0.5)

    monkeypatch.setattr(private_data, "noisy", answered)
    monkeypatch.setattr(fitting, "noisy", answered)
    monkeypatch.setattr(NoisyCritic, "_clipped", no_slopes)
    monkeypatch.setattr(Teachers, "_voted", half_of_them)
    yield


def released(model: SynthGAN) -> tuple[str, dict[str, np.ndarray]]:
    """All that a model file says of a fit, without the time that it took."""
    header, arrays = model._model.to_state()
    for record in header["history"]:
        for name in ("seconds", "seconds_left", "rows_per_second"):
            record.pop(name)
    header["refinement"].pop("seconds")
    return json.dumps(header, sort_keys=True, default=str), arrays


@pytest.mark.parametrize(("target", "tables"), [(None, 10), ("city", 6)])
def test_one_row_moves_no_purchase_by_more_than_one(
    target: str | None, tables: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the ledger takes for granted of every count: its sensitivity."""
    asked: list[np.ndarray] = []

    def answered(counts: np.ndarray, deviation: float, noise: Any) -> np.ndarray:
        asked.append(counts.astype(np.float64))
        return (np.arange(counts.size) * 37 % 101 + 400.0).reshape(counts.shape)

    def asked_by(rows: pa.Table) -> list[np.ndarray]:
        asked.clear()
        budget = Privacy(epsilon=1.0)
        model = SynthGAN(privacy=budget, schema=LEVELS, target=target, random_state=0, **SOON)
        model.fit(rows)
        return list(asked)

    whole = table(300, 1)
    monkeypatch.setattr(private_data, "noisy", answered)
    monkeypatch.setattr(fitting, "noisy", answered)
    # ranks are spread by chance, row by row: without it, the others stay where they are
    monkeypatch.setattr(np.random, "default_rng", lambda *seed: StillRandom())
    every = asked_by(whole)
    for left_out in (0, 7, 150, 299):
        kept = np.flatnonzero(np.arange(300) != left_out)
        less = asked_by(whole.take(pa.array(kept)))
        assert len(less) == len(every)
        for counts, fewer in zip(every[:-1], less[:-1], strict=True):
            assert np.linalg.norm(counts - fewer) <= 1.0
        assert np.linalg.norm(every[-1] - less[-1]) <= np.sqrt(tables)


class StillRandom:
    """Chance that is always in the middle."""

    def random(self, size: Any = None, dtype: Any = float) -> Any:
        return np.full(size, 0.5, dtype=dtype)


@pytest.mark.usefixtures("told_the_same")
@pytest.mark.parametrize(
    ("objective", "target"),
    [
        ("marginals", None),
        ("marginals", "city"),
        ("hinge", None),
        ("wgan-clip", None),
        ("pate", None),
    ],
)
def test_rows_reach_the_model_through_purchases_alone(
    objective: str, target: str | None, tmp_path: Path
) -> None:
    """Tables without a row in common give one model, once the answers that are paid for agree."""
    found = []
    # seeded noise is drawn for each unit: with an opponent, as many of them draw the same
    fewer = 171 if objective == "marginals" else 300
    for rows, seed, shift in ((300, 1, 0.0), (fewer, 2, 3.0)):
        asked: dict[str, Any] = {"objective": objective, "target": target, "schema": LEVELS}
        model = SynthGAN(privacy=Privacy(epsilon=1.0), random_state=0, **asked, **SOON)
        found.append(released(model.fit(table(rows, seed, shift))))
        path = tmp_path / f"{seed}.synthgan"
        model.save(path)
        assert b"user-" not in path.read_bytes()
    (first, one), (second, two) = found
    assert first == second
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_columns_are_told_alike_whatever_the_order_of_their_rows() -> None:
    """Who comes first is nobody's to know: noise by level is the same, and so is the rounding."""
    random = np.random.default_rng(0)
    columns = {
        "text": pa.array(random.choice(list("dcba"), 2000, p=[0.4, 0.3, 0.2, 0.1])),
        "coded": pa.array(random.choice(["x", "z", "y"], 2000)).dictionary_encode(),
        "number": pa.array(random.choice([7, 3, 5], 2000)),
        "day": pa.array(random.choice([9, 4, 6], 2000)).cast(pa.int32()).cast(pa.date32()),
        "span": pa.array(random.choice([9, 4, 6], 2000)).cast(pa.duration("s")),
    }
    schema = dict.fromkeys(columns, "category")

    def learned(rows: pa.Table) -> Any:
        model = SynthGAN(privacy=Privacy(epsilon=1.0), schema=schema, random_state=0, **SOON)
        header, arrays = model.fit(rows)._model.codec.to_state()
        return json.dumps(header, sort_keys=True, default=str), arrays

    whole = pa.table(columns)
    header, arrays = learned(whole)
    for order in (np.arange(2000)[::-1], random.permutation(2000)):
        again, others = learned(whole.take(pa.array(order)))
        assert again == header
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name)


@pytest.mark.parametrize("objective", ["marginals", "hinge", "pate"])
def test_a_fit_spends_its_budget_and_says_on_what(objective: str, tmp_path: Path) -> None:
    model = SynthGAN(privacy=Privacy(epsilon=2.0), objective=objective, schema=LEVELS, **SOON)
    model.fit(table(400, 0))
    ledger = model.privacy_
    assert ledger is not None and ledger.delta == 1e-6 and ledger.unit is None
    assert 1.9 < ledger.epsilon_spent <= 2.0
    bought = {entry.what: entry for entry in ledger.entries}
    assert bought[fitting.PAIRS].times == 10
    assert "cells of 'age'" in bought and "the number of rows" in bought
    assert (MOVES in bought) is (objective == "hinge")
    assert (VOTES in bought) is (objective == "pate")
    model.save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan")
    assert again.privacy_.to_dict() == ledger.to_dict() == model.describe()["privacy"]
    assert len(again.sample(20)) == 20 and not again.privacy_.for_tests


def test_a_model_file_opens_without_the_accountant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.synthgan"
    SynthGAN(privacy=Privacy(epsilon=1.0), schema=LEVELS, **SOON).fit(table(200, 0)).save(path)
    monkeypatch.setitem(__import__("sys").modules, "dp_accounting", None)
    assert SynthGAN.load(path).privacy_.epsilon_spent <= 1.0
    with pytest.raises(ImportError, match=r"synthgan\[privacy\]"):
        SynthGAN(privacy=Privacy(epsilon=1.0), **SOON).fit(table(200, 0))


def test_without_a_seed_two_fits_differ_and_a_seed_is_for_tests_only(tmp_path: Path) -> None:
    plain = SynthGAN(privacy=Privacy(epsilon=1.0), schema=LEVELS, **SOON)
    twice = [plain.fit(table(200, 0)).privacy_ and plain._model.codec.rows for _ in range(4)]
    assert len(set(twice)) > 1
    seeded = SynthGAN(privacy=Privacy(epsilon=1.0), schema=LEVELS, random_state=7, **SOON)
    one, two = (seeded.fit(table(200, 0)).sample(9) for _ in range(2))
    assert one.equals(two) and seeded.privacy_.for_tests
    seeded.save(tmp_path / "m.synthgan")
    assert SynthGAN.load(tmp_path / "m.synthgan").random_state is None
    assert seeded.seed_ != 7


def test_the_number_of_rows_is_told_only_if_it_is_public() -> None:
    def told(**given: Any) -> int:
        model = SynthGAN(
            privacy=Privacy(epsilon=0.5, **given), schema=LEVELS, random_state=0, **SOON
        )
        return model.fit(table(333, 0))._model.codec.rows

    assert told(public_rows=True) == 333
    assert told() != 333


def test_values_that_few_rows_have_are_not_shown() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "place": np.where(random.random(5000) < 0.5, "north", "south"),
            "size": random.integers(0, 100, 5000),
        }
    )
    frame.loc[0, "place"], frame.loc[1, "size"] = "the only one", 987_654_321
    frame["place"] = frame["place"].astype("category")
    model = SynthGAN(privacy=Privacy(epsilon=3.0), **SOON).fit(frame)
    sample = model.sample(5000)
    assert set(sample["place"].cat.categories) == {"north", "south"}
    assert sample["size"].max() < 1000
    assert "the only one" not in json.dumps(model.describe())
    with pytest.raises(Exception, match="the only one"):
        model.sample(1, where={"place": "the only one"})


def test_missing_cells_are_a_matter_of_noisy_counts() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"few": random.normal(size=3000), "many": random.normal(size=3000)})
    frame.loc[0, "few"] = np.nan
    frame.loc[:900, "many"] = np.nan
    sample = SynthGAN(privacy=Privacy(epsilon=2.0), random_state=1, **{**SOON, "epochs": 10})
    sample = sample.fit(frame).sample(2000)
    assert not sample["few"].isna().any()
    assert 0.2 < sample["many"].isna().mean() < 0.4


@pytest.mark.filterwarnings("error:the noise of")
def test_where_noise_leaves_little_a_warning_says_so() -> None:
    model = SynthGAN(privacy=Privacy(epsilon=1.0), schema=LEVELS, random_state=0, **SOON)
    with pytest.warns(SynthganWarning, match=r"is \d+% of about \d+ rows"):
        model.fit(table(300, 0))
    model.fit(table(4000, 0))


def test_declared_bounds_and_levels_are_free_and_kept() -> None:
    frame = pd.DataFrame({"age": np.arange(2000) % 80 + 10.25, "sex": ["f", "m"] * 1000})
    said = {
        "age": {"kind": "number", "bounds": (18, 65), "decimals": 0},
        "sex": {"kind": "category", "levels": ["f", "m", "x"]},
    }
    model = SynthGAN(privacy=Privacy(epsilon=1.0), schema=said, random_state=0, **SOON).fit(frame)
    sample = model.sample(2000)
    assert sample["age"].between(18, 65).all() and (sample["age"] % 1 == 0).all()
    names = {entry.what: entry.times for entry in model.privacy_.entries}
    assert "decimals of 'age'" not in names
    assert names["cells of 'age'"] == private_data.LEVELS_OF_RANGE
    assert sum(entry.delta for entry in model.privacy_.entries) == 0


def test_decimals_are_bought_where_they_are_not_declared() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"price": random.uniform(1, 99, 4000).round(2), "weight": random.normal(size=4000)}
    )
    sample = SynthGAN(privacy=Privacy(epsilon=3.0), random_state=0, **SOON).fit(frame).sample(500)
    np.testing.assert_array_equal(sample["price"], sample["price"].round(2))
    assert (sample["weight"] != sample["weight"].round(4)).any()


def test_numbers_of_a_text_file_get_their_type_from_what_was_bought(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"n": random.integers(0, 50, 3000), "x": random.normal(size=3000).round(1)}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    model = SynthGAN(privacy=Privacy(epsilon=3.0), random_state=0, **SOON).fit(tmp_path / "t.csv")
    sample = model.sample(100)
    assert sample.schema.field("n").type == pa.int64()
    assert sample.schema.field("x").type == pa.float64()


def test_a_column_of_which_nothing_can_be_shown_comes_out_missing() -> None:
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(500)], "x": np.arange(500.0)})
    with pytest.warns(SynthganWarning, match=r"'name'.*declare id"):
        model = SynthGAN(privacy=Privacy(epsilon=1.0), **SOON).fit(frame)
    assert model.sample(5)["name"].isna().all()
    sample = (
        SynthGAN(privacy=Privacy(epsilon=1.0), schema={"name": "id"}, **SOON).fit(frame).sample(9)
    )
    assert sample["name"].is_unique and not set(sample["name"]) & set(frame["name"])


def test_a_table_may_have_one_column() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": np.where(random.random(3000) < 0.3, 0, random.integers(1, 60, 3000))}
    )
    for table_ in (frame, frame.assign(key=[f"k{i}" for i in range(3000)])):
        model = SynthGAN(
            privacy=Privacy(epsilon=2.0), schema={"key": "id"} if "key" in table_ else None, **SOON
        ).fit(table_)
        assert 0.1 < (model.sample(2000)["x"] == 0).mean() < 0.5


def test_options_that_contradict_a_budget_are_refused_together() -> None:
    asked = {
        "objective": "wgan-gp",
        "pack": 2,
        "minibatch_discrimination": True,
        "feature_matching": 1.0,
        "penalty": 1.0,
        "critics": 2,
        "dropout": 0.1,
        "holdout": 0.2,
        "spectral_norm": True,
        "target_weight": 0.5,
    }
    with pytest.raises(ParameterError) as caught:
        SynthGAN(privacy=Privacy(epsilon=1.0), **{**SOON, **asked}).fit(
            table(50, 0), sample_weight=np.ones(50)
        )
    told = str(caught.value)
    assert all(f"{name}:" in told for name in (*asked, "sample_weight")) and "'hinge'" in told


@pytest.mark.parametrize("objective", ["auto", "marginals"])
def test_moves_of_a_critic_need_one(objective: str) -> None:
    with pytest.raises(ParameterError, match="critic_steps: 3 are moves"):
        SynthGAN(
            privacy=Privacy(epsilon=1.0), **{**SOON, "objective": objective, "critic_steps": 3}
        ).fit(table(50, 0))


@pytest.mark.parametrize("objective", ["marginals", "pate"])
def test_objectives_of_budgets_need_one(objective: str) -> None:
    with pytest.raises(ParameterError, match="privacy=Privacy"):
        SynthGAN(objective=objective, **SOON).fit(table(50, 0))


@pytest.mark.parametrize("other", [GANImputer, GANOutlierDetector])
def test_estimators_that_learn_more_than_the_generator_refuse_a_budget(other: Any) -> None:
    frame = table(80, 0).drop_columns(["key"]).to_pandas()
    private = SynthGAN(privacy=Privacy(epsilon=1.0), **SOON)
    with pytest.raises(ParameterError, match="privacy budget"):
        other(generator=private).fit(frame)
    with pytest.raises(ParameterError, match="privacy budget"):
        GANSampler(generator=private).fit_resample(frame[["age"]], frame["city"])


def test_a_budget_that_nothing_fits_in_is_refused_before_work() -> None:
    with pytest.raises(ParameterError, match="epsilon"):
        SynthGAN(privacy=Privacy(epsilon=1e-9), **SOON).fit(table(50, 0))
    with pytest.raises(ParameterError, match="dellta"):
        SynthGAN(privacy={"epsilon": 1.0, "dellta": 1e-5}, **SOON).fit(table(50, 0))


def test_what_was_never_planned_cannot_be_bought(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that reads rows on its own account stops the fit."""
    plan = fitting.purchases

    def without_ages(*given: Any, **more: Any) -> list[Any]:
        return [each for each in plan(*given, **more) if "age" not in each.what]

    monkeypatch.setattr(fitting, "purchases", without_ages)
    with pytest.raises(LedgerError, match="age"):
        SynthGAN(privacy=Privacy(epsilon=1.0), schema=LEVELS, **SOON).fit(table(100, 0))


def test_training_cannot_outspend_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[int] = []
    buy = Ledger.buy

    def greedy(self: Ledger, what: str, times_: int = 1, *, times: int | None = None) -> Any:
        return buy(self, what, (times or times_) * (2 if what in (MOVES, VOTES) else 1))

    monkeypatch.setattr(Ledger, "buy", greedy)
    for objective in ("hinge", "pate"):
        with pytest.raises(LedgerError, match="planned"):
            SynthGAN(privacy=Privacy(epsilon=1.0), objective=objective, schema=LEVELS, **SOON).fit(
                table(100, 0)
            )
    assert not times


def test_rows_of_a_unit_are_protected_together() -> None:
    random = np.random.default_rng(0)
    visits = pd.DataFrame(
        {
            "who": np.repeat(np.arange(300), 10),
            "x": random.normal(size=3000),
            "y": random.random(3000),
        }
    )
    # one of them came far more often than is used
    visits = pd.concat([visits, visits[visits.who == 7].sample(500, replace=True, random_state=0)])
    privacy = Privacy(epsilon=2.0, unit="who", rows_per_unit=5, public_rows=True)
    model = SynthGAN(privacy=privacy, random_state=0, **SOON).fit(visits)
    # 300 of at most 5 rows: how many are used is bought, whatever is public
    assert 1300 < model._model.codec.rows < 1700 and model._model.codec.rows != 1500
    assert list(model.sample(5).columns) == ["x", "y"]
    assert model.privacy_.unit == "who"
    with pytest.raises(ParameterError, match="'who'"):
        SynthGAN(privacy=Privacy(epsilon=1.0, unit="whom"), **SOON).fit(visits)


def test_an_interrupted_fit_has_spent_less() -> None:
    model = SynthGAN(
        privacy=Privacy(epsilon=1.0),
        objective="hinge",
        schema=LEVELS,
        callbacks=lambda record: True,
        **{**SOON, "epochs": 10},
    ).fit(table(200, 0))
    whole = {entry.what: entry for entry in model.privacy_.entries}
    assert whole[MOVES].times == 100 and model.privacy_.epsilon_spent < 0.99


def test_votes_are_all_paid_for() -> None:
    model = SynthGAN(privacy=Privacy(epsilon=1.0), objective="pate", schema=LEVELS, **SOON)
    entries = {entry.what: entry for entry in model.fit(table(200, 0)).privacy_.entries}
    assert entries[VOTES].times == 20 * VOTED


def test_scores_are_higher_for_rows_like_those_that_were_learned() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=4000)
    frame = pd.DataFrame({"x": x, "y": x + random.normal(0, 0.3, 4000)})
    model = SynthGAN(privacy=Privacy(epsilon=5.0), random_state=0, **{**SOON, "epochs": 20}).fit(
        frame
    )
    shuffled = frame.assign(y=random.permutation(frame["y"]))
    assert model.score_samples(frame).mean() > model.score_samples(shuffled).mean() + 0.05


def test_samples_are_refined_by_what_was_bought(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    kind = random.integers(0, 4, 4000)
    frame = pd.DataFrame({"kind": kind.astype(str), "shade": (kind // 2).astype(str)})
    # a generator that was hardly trained: tables have to say what goes together
    model = SynthGAN(privacy=Privacy(epsilon=5.0), random_state=0, **SOON).fit(frame)
    assert model.refinement_.state == "learned" and 0 < model.refinement_.effective < 1

    def agreeing(made: pd.DataFrame) -> float:
        return float((made["kind"].astype(int) // 2 == made["shade"].astype(int)).mean())

    refined = model.sample(2000, random_state=1)
    assert len(refined) == 2000
    path = tmp_path / "m.synthgan"
    model.save(path)
    assert SynthGAN.load(path).sample(2000, random_state=1).equals(refined)
    assert set(model.sample(300, where={"kind": "3"}, random_state=1)["kind"]) == {"3"}
    plain = model.set_params(refine=False).sample(2000, random_state=1)
    assert agreeing(plain) < agreeing(refined) - 0.1


def test_a_declared_target_is_told_from_two_columns_at_once() -> None:
    """Which of two columns says yes is told by no pair of columns: three of them know."""
    random = np.random.default_rng(0)
    one, two = random.integers(0, 2, (2, 8000))
    frame = pd.DataFrame({"one": one, "two": two, "apart": one != two}).astype(str)

    def right(**asked: Any) -> float:
        model = SynthGAN(privacy=Privacy(epsilon=2.0), random_state=0, verbose=0, **asked)
        made = model.set_params(epochs=10, batch_size=200).fit(frame).sample(2000, random_state=1)
        return float(((made["one"] != made["two"]) == (made["apart"] == "True")).mean())

    assert right() < 0.7 and right(target="apart") > 0.9


def test_a_target_is_bought_by_class_and_has_to_be_there(tmp_path: Path) -> None:
    model = SynthGAN(privacy=Privacy(epsilon=1.0), target="city", schema=LEVELS, **SOON)
    model.fit(table(300, 0))
    bought = {entry.what: entry.times for entry in model.privacy_.entries}
    assert bought[fitting.PAIRS_BY_CLASS] <= 10 and fitting.PAIRS not in bought
    model.save(tmp_path / "m.synthgan")
    assert len(SynthGAN.load(tmp_path / "m.synthgan").sample(9)) == 9
    # of numbers there are too many for a table each
    model.set_params(target="age").fit(table(300, 0))
    assert fitting.PAIRS in {entry.what for entry in model.privacy_.entries}
    for wrong in ("cty", "key"):
        with pytest.raises(ParameterError, match="target: expected a column"):
            model.set_params(target=wrong).fit(table(300, 0))


def test_what_columns_of_one_value_leave_goes_to_the_others() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.choice(["a", "b"], 3000) for name in "xyz"})
    still = frame.assign(**{f"still {n}": "same" for n in range(6)})
    found = [
        SynthGAN(privacy=Privacy(epsilon=1.0), **SOON).fit(each).privacy_ for each in (frame, still)
    ]
    few, many = (
        next(entry for entry in each.entries if entry.what == fitting.PAIRS) for each in found
    )
    assert few.times == many.times == 3
    assert all(0.99 < each.epsilon_spent <= 1.0 for each in found)
    # 36 tables were planned: a larger part of the budget goes to those of the same three columns
    assert many.noise < 0.9 * few.noise


def test_nothing_refines_where_nobody_asked_or_there_are_no_pairs() -> None:
    frame = pd.DataFrame({"kind": np.random.default_rng(0).choice(["a", "b"], 500)})
    model = SynthGAN(privacy=Privacy(epsilon=1.0), **SOON)
    assert model.fit(frame).refinement_.state == "nothing to learn"
    model.set_params(refine=False).fit(frame)
    assert model.refinement_.state == SWITCHED_OFF
