"""Same seed, same table, same threads: same model and same sample, bit for bit."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from synthgan import SynthGAN
from synthgan.estimators.randomness import seed_from
from synthgan.estimators.workers import in_order
from synthgan.sampling import BLOCK_ROWS
from synthgan.streams import seed_for, stream

QUICK: dict[str, Any] = {"epochs": 2, "width": 16, "depth": 1, "batch_size": 40, "verbose": 0}


def people(rows: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "height": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(170, 9, rows).round(1)),
            "town": rng.choice(["Ulm", "Bonn", "Köln"], rows),
        }
    )


def weights(model: SynthGAN) -> dict[str, Any]:
    return model._model.trained.to_state()[1]


@pytest.fixture(scope="module")
def model():
    return SynthGAN(**QUICK, random_state=7).fit(people())


@pytest.mark.parametrize("objective", ["relativistic", "wgan-gp", "conditional"])
def test_the_same_seed_gives_the_same_model_and_sample(objective):
    first, again = (
        SynthGAN(**QUICK, objective=objective, random_state=7).fit(people()) for _ in range(2)
    )
    assert weights(first).keys() == weights(again).keys()
    for name, array in weights(first).items():
        np.testing.assert_array_equal(array, weights(again)[name], err_msg=name)
    pd.testing.assert_frame_equal(first.sample(100), again.sample(100), check_exact=True)
    pd.testing.assert_frame_equal(
        first.history_[["step", "critic_loss", "quality"]],
        again.history_[["step", "critic_loss", "quality"]],
    )


def test_another_seed_gives_another_model(model):
    other = SynthGAN(**QUICK, random_state=8).fit(people())
    assert not np.array_equal(
        weights(model)["generator.enter.weight"], weights(other)["generator.enter.weight"]
    )
    assert not model.sample(50).equals(other.sample(50))


def test_the_frame_does_not_matter(model):
    table = people()
    other = SynthGAN(**QUICK, random_state=7).fit(pl.from_pandas(table))
    assert other.sample(50).to_pandas()["town"].tolist() == model.sample(50)["town"].tolist()


def test_generators_stand_for_the_seed_that_they_give():
    for make in (np.random.default_rng, np.random.RandomState):
        first = SynthGAN(**QUICK, random_state=make(1)).fit(people())
        again = SynthGAN(**QUICK, random_state=make(1)).fit(people())
        by_number = SynthGAN(**QUICK, random_state=first.seed_).fit(people())
        assert first.seed_ == again.seed_ == seed_from(make(1))
        pd.testing.assert_frame_equal(first.sample(30), again.sample(30))
        pd.testing.assert_frame_equal(first.sample(30), by_number.sample(30))


def test_a_generator_moves_on_and_another_keeps_its_place(model):
    rng = np.random.default_rng(0)
    assert not model.sample(30, random_state=rng).equals(model.sample(30, random_state=rng))
    pd.testing.assert_frame_equal(
        model.sample(30, random_state=np.random.RandomState(4)),
        model.sample(30, random_state=np.random.RandomState(4)),
    )


def test_without_a_seed_the_operating_system_gives_one():
    model = SynthGAN(**QUICK).fit(people())
    assert model.seed_ != SynthGAN(**QUICK).fit(people()).seed_
    assert not model.sample(40).equals(model.sample(40))
    pd.testing.assert_frame_equal(
        model.sample(40, random_state=1), model.sample(40, random_state=1)
    )


def test_with_a_seed_of_the_fit_samples_repeat_and_can_be_varied(model):
    pd.testing.assert_frame_equal(model.sample(40), model.sample(40))
    assert not model.sample(40).equals(model.sample(40, random_state=1))


def test_a_shorter_sample_is_the_beginning_of_a_longer_one(model):
    longer = model.sample(BLOCK_ROWS + 300, random_state=5)
    for rows in (1, 50, BLOCK_ROWS, BLOCK_ROWS + 1):
        shorter = model.sample(rows, random_state=5)
        pd.testing.assert_frame_equal(shorter, longer.head(rows), check_exact=True)


def test_the_number_of_threads_changes_no_row(model):
    where, own = {"town": "Ulm"}, torch.get_num_threads()
    drawn = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            rows = 2 * BLOCK_ROWS + 5
            drawn.append((model.sample(rows), model.sample(rows, where=where)))
            assert torch.get_num_threads() == threads
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(torch.get_num_threads).result() == threads
    finally:
        torch.set_num_threads(own)
    for one, other in zip(*drawn, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_an_error_in_a_block_is_told_and_ends_the_others(model):
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return 1 // (3 - number)

    with pytest.raises(ZeroDivisionError):
        list(in_order(work, range(1_000), threads=2))
    assert 3 in done and len(done) < 20
    own = torch.get_num_threads()
    started = in_order(work, range(3), threads=2)
    assert next(started) == 0
    started.close()
    assert torch.get_num_threads() == own


def test_blocks_differ_from_each_other(model):
    drawn = model.sample(2 * BLOCK_ROWS, random_state=5)
    first, second = drawn.iloc[:BLOCK_ROWS], drawn.iloc[BLOCK_ROWS:].reset_index(drop=True)
    assert not first.equals(second)


def test_no_global_random_state_is_read_or_changed():
    def states() -> list[bytes]:
        python, legacy = random.getstate(), np.random.get_state()
        return [repr(python).encode(), legacy[1].tobytes(), torch.get_rng_state().numpy().tobytes()]

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    before = states()
    first = SynthGAN(**QUICK, random_state=7).fit(people())
    drawn = first.sample(30, where={"town": "Ulm"})
    completed = first.complete(people()[["age"]])
    first.score(people())
    assert states() == before
    random.seed(2), np.random.seed(2), torch.manual_seed(2)
    again = SynthGAN(**QUICK, random_state=7).fit(people())
    pd.testing.assert_frame_equal(drawn, again.sample(30, where={"town": "Ulm"}))
    pd.testing.assert_frame_equal(completed, again.complete(people()[["age"]]))


def test_sample_changes_nothing_and_runs_in_several_threads(model):
    before, state = vars(model).copy(), {k: v.copy() for k, v in weights(model).items()}
    seeds = list(range(6))
    alone = [model.sample(300, random_state=seed, where={"town": "Ulm"}) for seed in seeds]
    barrier = threading.Barrier(3)

    def draw(seed: int) -> pd.DataFrame:
        barrier.wait()
        return model.sample(300, random_state=seed, where={"town": "Ulm"})

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(draw, seeds))
    for one, other in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert vars(model) == before
    for name, array in weights(model).items():
        np.testing.assert_array_equal(array, state[name])


SCRIPT = """
import hashlib, test_determinism as here
from synthgan import SynthGAN
model = SynthGAN(**here.QUICK, random_state=7).fit(here.people())
print(hashlib.sha256(model.sample(200).to_csv().encode()).hexdigest())
"""


@pytest.mark.slow
def test_another_process_with_other_hashes_gives_the_same_sample(model):
    environment = os.environ | {"PYTHONHASHSEED": "99", "PYTHONPATH": os.path.dirname(__file__)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    expected = hashlib.sha256(model.sample(200).to_csv().encode()).hexdigest()
    assert done.stdout.strip() == expected


def test_seeds_for_tasks_are_a_function_of_their_path():
    assert seed_for(1, 2, 3) == seed_for(1, 2, 3)
    assert len({seed_for(1, 2), seed_for(1, 3), seed_for(2, 2), seed_for(1, 2, 0)}) == 4
    assert 0 <= seed_for(2**63 - 1, 9) < 2**63
    assert stream(1, 2).random() == stream(1, 2).random() != stream(1, 3).random()
