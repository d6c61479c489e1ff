"""Refinement: planted errors are corrected, what is right is left alone, draws are repeatable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from synthgan import SynthGAN, refinement, sampling
from synthgan.boosting import Cases, Growth, Trees, grow
from synthgan.bundle import read_bundle, write_bundle
from synthgan.cli import app
from synthgan.data.codec import TableCodec
from synthgan.data.features import Features
from synthgan.data.matrix import EncodedMatrix
from synthgan.density_ratio import learn_ratio
from synthgan.errors import FileFormatError, ParameterError
from synthgan.refinement import Lesson, RefinedSampler, Refinement, Refiner, learn_refiner
from synthgan.refinement.conditionals import Table, learn_conditional, redrawable
from synthgan.selection import effective_share, inclusion, select

QUICK: dict[str, Any] = {
    "epochs": 3,
    "width": 16,
    "depth": 1,
    "batch_size": 100,
    "verbose": 0,
    "random_state": 5,
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Weights and selection


def test_inclusion_is_proportional_up_to_one() -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(inclusion(weights, 2), weights / 5)
    found = inclusion(np.array([1.0, 1.0, 2.0, 100.0]), 2)
    np.testing.assert_allclose(found, [0.25, 0.25, 0.5, 1.0])
    assert inclusion(weights, 4).tolist() == inclusion(weights, 9).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("count", [1, 7, 20, 29])
def test_rows_are_drawn_with_exactly_these_probabilities(count: int) -> None:
    weights = rng(1).pareto(1.0, 30) + 0.01
    expected, hits, draws = inclusion(weights, count), np.zeros(30), 4_000
    assert expected.sum() == pytest.approx(count) and expected.max() <= 1
    random = rng(2)
    for _ in range(draws):
        drawn = select(weights, count, random)
        assert len(set(drawn.tolist())) == count
        hits[drawn] += 1
    errors = np.sqrt(expected * (1 - expected) / draws) + 1e-9
    assert (np.abs(hits / draws - expected) < 4.5 * errors).all()


def test_a_selection_has_no_order() -> None:
    places = [int(np.argmax(select(np.ones(5), 5, rng(seed)) == 0)) for seed in range(200)]
    assert np.bincount(places, minlength=5).min() > 20


def test_effective_share_of_even_and_uneven_weights() -> None:
    assert effective_share(np.full(7, 3.0)) == 1.0
    assert effective_share(np.array([1.0, 0.0, 0.0, 0.0])) == 0.25


# Trees


def cases(rows: int, seed: int = 0, classes: int = 3) -> Cases:
    random = rng(seed)
    found = np.column_stack([random.normal(size=rows), random.integers(0, 6, rows)])
    noise = random.random(rows) < 0.3
    labels = np.where(noise, random.integers(0, classes, rows), found[:, 1] % classes)
    return Cases(found, labels.astype(int))


CATEGORICAL = np.array([False, True])


@pytest.mark.parametrize("classes", [2, 3])
def test_trees_come_back_from_bytes_bit_for_bit(classes: int) -> None:
    trees = grow(cases(800, 0, classes), cases(400, 1, classes), CATEGORICAL, classes=classes)
    rows = cases(300, 2, classes).rows
    back = Trees.from_bytes(trees.to_bytes(), 2)
    np.testing.assert_array_equal(back.probabilities(rows), trees.probabilities(rows))
    assert back.probabilities(rows).shape == (300, classes)
    assert (back.classes, back.count) == (classes, trees.count)
    assert trees.count % (1 if classes == 2 else classes) == 0


def test_more_threads_grow_and_say_the_same() -> None:
    growth = Growth(most=2)
    one, two = (
        grow(cases(600), cases(300, 1), CATEGORICAL, growth=growth, classes=3, threads=n)
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one.to_bytes(), two.to_bytes())
    rows = cases(300, 2).rows
    np.testing.assert_array_equal(one.scores(rows, 1), two.scores(rows, 2))


def test_growing_ends_with_patience_and_with_time() -> None:
    growth = Growth(patience=2)
    noise = Cases(rng(0).normal(size=(400, 2)), rng(1).integers(0, 2, 400))
    assert grow(noise, cases(200, 1, 2), CATEGORICAL, growth=growth).count < 20
    late = grow(cases(800), cases(400, 1), CATEGORICAL, classes=3, deadline=time.monotonic() - 1)
    assert late.count == 3


def damaged(text: str, how: str) -> str:
    first, line = text.index("\nTree=1"), {"feature": "split_feature=", "child": "left_child="}
    if how in line:
        at = text.index(line[how], first) + len(line[how])
        end = text.index("\n", at)
        numbers = text[at:end].split()
        return text[:at] + " ".join(["99", *numbers[1:]]) + text[end:]
    return {
        "cut": text[: len(text) // 2],
        "loop": text.replace("left_child=1 ", "left_child=0 "),
        "columns": text.replace("max_feature_idx=1", "max_feature_idx=7"),
        "linear": text.replace("is_linear=0", "is_linear=1"),
        "sets": text.replace("cat_boundaries=0 ", "cat_boundaries=5 "),
        "short": text.replace("num_leaves=", "num_leaves=9"),
        "objective": text.replace("objective=", "objective=custom "),
        "words": text.replace("leaf_value=", "leaf_value=x "),
        "nothing": "",
    }[how]


HOWS = ["feature", "child", "cut", "loop", "columns", "linear"]
HOWS += ["sets", "short", "objective", "words", "nothing"]


@pytest.mark.parametrize("how", HOWS)
def test_damaged_trees_are_refused_before_they_are_followed(how: str) -> None:
    text = grow(cases(800), cases(400, 1), CATEGORICAL, classes=3)._text
    changed = damaged(text, how)
    assert changed != text
    with pytest.raises((ValueError, KeyError)):
        Trees(changed, 2)
    with pytest.raises(ValueError):
        Trees.from_bytes(np.arange(9, dtype=np.uint8), 2)


# Ratio


def test_a_planted_frequency_is_found_and_not_twice() -> None:
    rows = 4_000
    # a pool of just as many rows: those of the rare kind cannot be drawn as often as they should
    wanted, pool = (rng(n).random((rows, 2)).round(3) for n in (0, 1))
    wanted[:, 1], pool[:, 1] = rng(2).random(rows) < 0.5, rng(3).random(rows) < 0.2
    ratio = learn_ratio(wanted, pool, CATEGORICAL, rng=rng())
    assert ratio is not None
    off, on = ratio.weights(np.array([[0.5, 0.0], [0.5, 1.0]]))
    assert on / off == pytest.approx((0.5 / 0.2) / (0.5 / 0.8), rel=0.2)
    assert ratio.effective == pytest.approx(1 / (0.25 / 0.2 + 0.25 / 0.8), abs=0.1)
    assert ratio.trees == sum(trees.count for each in ratio.rounds for trees in each.pair)


def test_trees_that_exaggerate_are_cut_off_and_columns_keep_their_shares() -> None:
    wanted = np.column_stack([rng(0).normal(size=5_000), rng(1).integers(0, 3, 5_000)])
    # half of the pool is nowhere near, and what is near has other shares
    pool = np.column_stack([rng(2).normal(0.3, 1.2, 20_000), rng(3).integers(0, 4, 20_000) % 3])
    pool[10_000:, 0] += 6
    ratio = learn_ratio(wanted, pool, CATEGORICAL, rng=rng(), most_weight=3.0)
    assert ratio is not None
    for seed in (2, 5):
        fresh = pool + 0.01 * rng(seed).normal(size=pool.shape) * [1, 0]
        weights = ratio.weights(fresh)
        assert weights.max() / weights.mean() < 3.1
        assert weights[10_000:].sum() < 0.02 * weights.sum()
        shares = np.bincount(fresh[:, 1].astype(int), weights) / weights.sum()
        np.testing.assert_allclose(shares, np.bincount(wanted[:, 1].astype(int)) / 5_000, atol=0.02)
        assert np.average(fresh[:, 0], weights=weights) == pytest.approx(0, abs=0.06)


def test_no_ratio_where_there_is_nothing_to_learn() -> None:
    for seed in range(4):
        wanted, pool = rng(seed).normal(size=(2, 1_500, 2))
        assert learn_ratio(wanted, pool, np.zeros(2, bool), rng=rng(seed)) is None
    assert learn_ratio(np.ones((500, 1)), np.ones((500, 1)), np.zeros(1, bool), rng=rng()) is None


def test_counts_of_wanted_rows_count() -> None:
    wanted = np.repeat(np.array([[0.0], [1.0]]), 1_500, axis=0)
    pool = rng(0).permutation(wanted)
    counts = np.where(wanted[:, 0] > 0, 3.0, 1.0)
    ratio = learn_ratio(wanted, pool, np.zeros(1, bool), rng=rng(), counts=counts)
    assert ratio is not None
    off, on = ratio.weights(np.array([[0.0], [1.0]]))
    assert on / off == pytest.approx(3.0, rel=0.15)


# The cascade, on pools with planted errors


def town(rows: int, seed: int, *, bonn: float = 0.3, told: float = 0.9) -> pa.Table:
    """Town and age are free, `old` follows age in a share of the rows, `n` is a count."""
    random = rng(seed)
    age = random.integers(20, 80, rows)
    guess = np.where(random.random(rows) < told, age >= 50, random.random(rows) < 0.5)
    return pa.table(
        {
            "town": np.where(random.random(rows) < bonn, "Bonn", "Ulm"),
            "old": np.where(guess, "yes", "no"),
            "age": age,
            "n": random.poisson(3, rows).clip(0, 8),
        }
    )


class Planted:
    """A sampler of rows with an error in them."""

    def __init__(self, codec: TableCodec, make: Callable[[int, int], pa.Table]) -> None:
        self.codec, self.make = codec, make

    def pool(
        self, rows: int, seed: int, block: int, regions: Sequence[Any] = (), factor: int = 1
    ) -> EncodedMatrix:
        count = factor * (rows if regions else sampling.block_rows(block))
        return self.codec.encode([self.make(count, seed % 1_000 + block + 1)], rng(seed + block))


def lesson(make: Callable[[int, int], pa.Table], rows: int = 3_000, **given: Any) -> Lesson:
    real = given.pop("real", None) or town(rows, 0)
    codec = TableCodec.fit([real])
    matrix = codec.encode([real], rng())
    matrix.weights = given.pop("weights", None)
    return Lesson(Planted(codec, make), Features(codec), matrix, 4, 1, **given)  # type: ignore[arg-type]


def refined(task: Lesson, refiner: Refiner, rows: int = 6_000, seed: int = 9) -> pa.Table:
    sampler = RefinedSampler(task.sampler, refiner, task.factor)
    blocks = [sampler.block(block, seed) for block in sampling.cut(rows)]
    codec: TableCodec = task.sampler.codec  # type: ignore[attr-defined]
    return codec.decode(EncodedMatrix.concat(blocks), rng())


def agreement(table: pa.Table) -> float:
    return float(np.mean((table["age"].to_numpy() >= 50) == (np.array(table["old"]) == "yes")))


def test_a_wrong_frequency_is_corrected() -> None:
    task = lesson(lambda rows, seed: town(rows, seed, bonn=0.15))
    refiner, account = learn_refiner(task)
    assert refiner is not None and account.state == "learned"
    assert len(account.rounds) >= 1 and account.effective < 0.97
    drawn = refined(task, refiner)
    assert np.mean(np.array(drawn["town"]) == "Bonn") == pytest.approx(0.3, abs=0.03)
    assert agreement(drawn) == pytest.approx(0.95, abs=0.02)
    real = town(3_000, 0)["age"].to_numpy().mean()
    assert drawn["age"].to_numpy().mean() == pytest.approx(real, abs=1)


def test_a_wrong_conditional_is_redrawn_and_what_is_right_is_left_alone() -> None:
    task = lesson(lambda rows, seed: town(rows, seed, told=0.3))
    features = task.features
    real = Table(task.real, features.of(task.real))
    pool = task.sampler.pool(3_000, 5, 5)
    generated = Table(pool, features.of(pool))
    found = {
        column.name: learn_conditional(column, real, generated, features.categorical, rng=rng())
        for column in redrawable(features)
    }
    assert found.keys() == {"town", "old", "n"}
    assert found["town"] is None and found["n"] is None
    old = found["old"]
    assert old is not None and old.gain > 0.1
    before = agreement(task.sampler.codec.decode(pool, rng()))  # type: ignore[attr-defined]
    drawn = refined(task, Refiner(features, None, (old,), None))
    assert before < 0.7
    assert agreement(drawn) == pytest.approx(0.95, abs=0.02)
    assert np.mean(np.array(drawn["town"]) == "Bonn") == pytest.approx(0.3, abs=0.02)


def test_the_cascade_as_a_whole_restores_a_law() -> None:
    task = lesson(lambda rows, seed: town(rows, seed, bonn=0.2, told=0.5))
    refiner, account = learn_refiner(task)
    assert refiner is not None and refiner.trees == account.trees > 0
    drawn = refined(task, refiner)
    assert agreement(drawn) > 0.88, "of 0.75 in the pool and 0.95 in the table"
    assert np.mean(np.array(drawn["town"]) == "Bonn") == pytest.approx(0.3, abs=0.03)


def test_nothing_is_learned_from_a_generator_that_is_right() -> None:
    refiner, account = learn_refiner(lesson(town))
    assert refiner is None and account.state == "trees find nothing to refine"
    assert account.seconds > 0 and account.trees == 0


def test_weights_of_rows_are_honoured() -> None:
    real = town(3_000, 0)
    bonn = np.array(real["town"]) == "Bonn"
    # four times the weight of Bonn's rows: its share is 0.3 * 4 / (0.3 * 4 + 0.7) = 0.63
    task = lesson(town, real=real, weights=np.where(bonn, 4.0, 1.0))
    refiner, _ = learn_refiner(task)
    assert refiner is not None
    drawn = refined(task, refiner)
    assert np.mean(np.array(drawn["town"]) == "Bonn") == pytest.approx(0.63, abs=0.04)


def test_small_tables_constants_and_late_lessons_learn_nothing_and_say_so() -> None:
    few = learn_refiner(lesson(town, rows=399))
    assert few == (None, Refinement("399 rows are too few: at least 400 are needed"))
    constant = lesson(town, real=pa.table({"a": ["x"] * 500}))
    assert learn_refiner(constant) == (None, Refinement("nothing to learn"))
    late = lesson(town, deadline=time.monotonic() - 1)
    assert learn_refiner(late) == (None, Refinement("no time was left"))


def test_a_deadline_ends_learning_with_what_there_is() -> None:
    task = lesson(lambda rows, seed: town(rows, seed, bonn=0.1, told=0.3))
    started = time.monotonic()
    refiner, account = learn_refiner(
        Lesson(task.sampler, task.features, task.real, 4, 1, started + 0.3)
    )
    assert time.monotonic() - started < 3
    assert refiner is None or account.trees > 0
    assert account.state in ("learned", "no time was left", "trees find nothing to refine")


def test_an_interrupt_keeps_the_model_without_a_refiner(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: Any, **given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(refinement.learning, "learn_ratio", stop)
    assert learn_refiner(lesson(town)) == (None, Refinement("interrupted"))


# The estimator


def people(rows: int = 1_200, seed: int = 0) -> pd.DataFrame:
    frame: pd.DataFrame = town(rows, seed).to_pandas()
    return frame.astype({"town": "category"})


@pytest.fixture(scope="module")
def model() -> SynthGAN:
    return SynthGAN(**QUICK, pool_factor=3).fit(people())


@pytest.fixture(scope="module")
def saved(model: SynthGAN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("refined") / "model.synthgan"
    model.save(path)
    return path


def test_what_was_learned_is_told(model: SynthGAN) -> None:
    account = model.refinement_
    assert account.state == "learned" and account.trees > 0 and account.seconds > 0
    assert 0 < account.effective <= 1 and account.rounds
    assert "effective=0." in repr(account)
    told = model.describe()["refinement"]
    assert json.loads(json.dumps(told)) == told
    assert Refinement.from_dict(told) == account
    assert model.provenance()["model"]["refinement"] == told


def test_refined_rows_are_nearer_to_the_table(model: SynthGAN) -> None:
    plain = SynthGAN(**QUICK, refine=False).fit(people())
    assert plain.refinement_.state == "refine=False at fit"
    assert model.score(people()) > plain.score(people())


def test_without_refining_rows_are_those_of_the_generator(model: SynthGAN) -> None:
    plain = SynthGAN(**QUICK, refine=False).fit(people()).sample(300, random_state=2)
    fresh = model.sample(300, random_state=2)
    model.set_params(refine=False)
    try:
        pd.testing.assert_frame_equal(model.sample(300, random_state=2), plain)
        assert not fresh.equals(plain)
    finally:
        model.set_params(refine=True)
    pd.testing.assert_frame_equal(model.sample(300, random_state=2), fresh)


def test_the_same_seed_gives_the_same_refiner(model: SynthGAN) -> None:
    again = SynthGAN(**QUICK, pool_factor=3).fit(people())
    pd.testing.assert_frame_equal(model.sample(200), again.sample(200))


def test_a_shorter_refined_sample_begins_a_longer_one(
    model: SynthGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = model.sample(sampling.BLOCK_ROWS + 100, random_state=5)
    assert len(longer) == sampling.BLOCK_ROWS + 100
    for rows in (1, 50, sampling.BLOCK_ROWS + 1):
        pd.testing.assert_frame_equal(model.sample(rows, random_state=5), longer.head(rows))


def test_threads_draw_the_same_refined_rows(model: SynthGAN) -> None:
    alone = [model.sample(100, random_state=seed) for seed in range(2)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda n: model.sample(100, random_state=n % 2), range(6)))
    for number, drawn in enumerate(together):
        pd.testing.assert_frame_equal(drawn, alone[number % 2])


def test_the_pool_factor_is_read_when_rows_are_drawn(model: SynthGAN) -> None:
    drawn = model.sample(100, random_state=1)
    model.set_params(pool_factor=2)
    try:
        assert not model.sample(100, random_state=1).equals(drawn)
    finally:
        model.set_params(pool_factor=3)
    pd.testing.assert_frame_equal(model.sample(100, random_state=1), drawn)


@pytest.mark.parametrize("where", [{"town": "Bonn"}, {"old": "yes", "age": (30, 40)}, {"age": 44}])
def test_refined_rows_meet_conditions(model: SynthGAN, where: dict[str, Any]) -> None:
    drawn = model.sample(300, where=where, random_state=1)
    assert len(drawn) == 300
    for name, wanted in where.items():
        if isinstance(wanted, tuple):
            assert drawn[name].between(*wanted).all()
        else:
            assert (drawn[name] == wanted).all()
    pd.testing.assert_frame_equal(model.sample(300, where=where, random_state=1), drawn)


@pytest.mark.parametrize("refine", [True, False])
def test_a_condition_that_every_row_meets_changes_no_row(model: SynthGAN, refine: bool) -> None:
    where = {"town": ["Bonn", "Ulm"]}
    model.set_params(refine=refine)
    try:
        drawn = model.sample(3_000, where=where, random_state=1)
        pd.testing.assert_frame_equal(drawn, model.sample(3_000, random_state=1))
    finally:
        model.set_params(refine=True)


def test_a_rare_condition_is_met_by_refined_rows_too(
    model: SynthGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthgan import conditioning

    monkeypatch.setattr(conditioning, "POOL_ROWS", conditioning.POOL_BATCH)
    where = {"age": 44, "town": "Bonn", "old": "yes"}
    drawn = model.sample(500, where=where, random_state=1)
    assert len(drawn) == 500 and (drawn[list(where)] == pd.Series(where)).all().all()


def test_a_file_brings_the_refiner_back_bit_for_bit(model: SynthGAN, saved: Path) -> None:
    back = SynthGAN.load(saved)
    assert back.refinement_ == model.refinement_
    assert (back.refine, back.pool_factor) == (True, 3)
    pd.testing.assert_frame_equal(back.sample(500), model.sample(500))
    where = {"town": "Ulm"}
    pd.testing.assert_frame_equal(back.sample(99, where=where), model.sample(99, where=where))
    back.set_params(refine=False)
    assert not back.sample(500).equals(model.sample(500))


def rewritten(saved: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    header, arrays = read_bundle(saved)
    change(header, arrays)
    path = saved.with_name("changed.synthgan")
    write_bundle(path, header, arrays, force=True)
    return path


def test_files_from_before_refinement_are_read(model: SynthGAN, saved: Path) -> None:
    def age(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        del header["refinement"], header["refiner"]
        del header["parameters"]["refine"], header["parameters"]["pool_factor"]
        for name in [each for each in arrays if each.startswith("refiner.")]:
            del arrays[name]

    old = SynthGAN.load(rewritten(saved, age))
    assert old.refinement_.state == "the model is older than refinement"
    model.set_params(refine=False)
    try:
        pd.testing.assert_frame_equal(old.sample(60), model.sample(60))
    finally:
        model.set_params(refine=True)


@pytest.mark.parametrize("how", ["text", "bytes", "missing", "column"])
def test_a_damaged_refiner_is_a_damaged_file(saved: Path, how: str) -> None:
    def damage(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        name = "refiner.first.0a"
        if how == "text":
            trees = Trees.from_bytes(arrays[name], 4)
            trees._text = trees._text.replace("split_feature=", "split_feature=8 ", 1)
            arrays[name] = trees.to_bytes()
        elif how == "bytes":
            arrays[name][20:40] = 0
        elif how == "missing":
            del arrays[name]
        else:
            header["refiner"]["conditionals"] = [{"feature": 77, "gain": 1.0}]

    with pytest.raises(FileFormatError):
        SynthGAN.load(rewritten(saved, damage))


def test_refining_what_was_told_not_to_learn_is_refused() -> None:
    plain = SynthGAN(**QUICK, refine=False).fit(people(500))
    assert len(plain.sample(5)) == 5
    plain.set_params(refine=True)
    for call in (plain.sample, lambda: plain.score(people(500))):
        with pytest.raises(ParameterError, match=r"fitted with refine=False.*fit again"):
            call()


@pytest.mark.parametrize("wrong", [{"refine": "yes"}, {"pool_factor": 0}, {"pool_factor": 2.5}])
def test_impossible_parameters_are_refused(model: SynthGAN, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ParameterError, match=f"{name}: expected"):
        SynthGAN(**QUICK, **wrong).fit(people(500))
    right = model.get_params()[name]
    model.set_params(**wrong)
    try:
        with pytest.raises(ParameterError, match=f"{name}: expected"):
            model.sample(5)
    finally:
        model.set_params(**{name: right})


def test_small_tables_are_drawn_as_they_are() -> None:
    small = SynthGAN(**QUICK).fit(people(200))
    assert small.refinement_.state.startswith("200 rows are too few")
    assert len(small.sample(30)) == 30


def test_a_budget_holds_with_a_refiner_inside() -> None:
    started = time.monotonic()
    fitted = SynthGAN(verbose=0, max_seconds=4, random_state=0).fit(people(3_000))
    assert time.monotonic() - started < 4 + 2
    assert fitted.history_["seconds"].iloc[-1] < 3.8
    assert fitted.refinement_.state in ("learned", "no time was left")


def test_the_command_line_refines_or_not(saved: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    drawn = {}
    for name, words in {
        "plain": ["--no-refine"],
        "refined": ["--refine"],
        "wide": ["--pool-factor", "4"],
    }.items():
        path = tmp_path / f"{name}.parquet"
        done = run(app, ["sample", str(saved), "-n", "50", "-o", str(path), *words])
        assert done.exit_code == 0, done.output
        drawn[name] = pd.read_parquet(path)
    pd.testing.assert_frame_equal(
        drawn["refined"], SynthGAN.load(saved).sample(50), check_dtype=False
    )
    assert not drawn["plain"].equals(drawn["refined"])
    assert not drawn["wide"].equals(drawn["refined"])
    told = run(app, ["info", str(saved)])
    assert "refined: " in told.output and "effective sample" in told.output
