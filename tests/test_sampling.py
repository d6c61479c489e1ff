"""Sampling: blocks with a seed each, conditions that are met by rows with the right law."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from synthgan import conditioning, sampling
from synthgan.data.layout import Layout, Span
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.region import Region
from synthgan.data.relations import Tie
from synthgan.nets.mlp import MLPGenerator
from synthgan.sampling import Sampler
from synthgan.training.players import initialise

LAYOUT = Layout(
    [
        Span("a", "choice", 6),
        Span("b", "choice", 3),
        Span("b", "scalar", 1, (1, 1)),
        Span("c", "scalar"),
    ]
)


def make_sampler(scale: float = 6.0) -> Sampler:
    """A generator with some dependence between its columns, without training it."""
    net = initialise(MLPGenerator(LAYOUT, 8, 16, 1), 0).requires_grad_(False)
    net.leave.weight.mul_(scale)
    return Sampler(net, LAYOUT)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "BLOCK_ROWS", 64)


def same(a: EncodedMatrix, b: EncodedMatrix) -> bool:
    return np.array_equal(a.codes, b.codes) and np.array_equal(a.scalars, b.scalars)


def test_fewer_rows_are_the_first_of_more(small_blocks: None) -> None:
    sampler = make_sampler()
    many = sampler.draw(200, 3)
    assert many.rows == 200
    assert same(sampler.draw(70, 3), many.take(slice(0, 70)))
    assert not same(sampler.draw(200, 4), many)
    assert not same(many.take(slice(0, 64)), many.take(slice(64, 128)))


def test_blocks_double_from_a_small_one_and_lie_side_by_side() -> None:
    for rows in (1, 512, 513, 8_192, 8_193, 30_000):
        blocks = list(sampling.cut(rows))
        assert [block.number for block in blocks] == list(range(len(blocks)))
        assert sum(block.rows for block in blocks) == rows
        for block, after in itertools.pairwise(blocks):
            assert block.rows == sampling.block_rows(block.number)
            assert after.start == block.start + block.rows
            assert block.rows <= max(block.start, sampling.FIRST_ROWS)
    rare = [("c", region(None, 0, (0.5, 0.9)))]
    assert [block.rows for block in sampling.cut(9_000, rare)] == [8_192, 808]


def test_a_block_is_the_same_alone() -> None:
    sampler, last = make_sampler(), list(sampling.cut(5_000))[-1]
    alone = sampler.block(last, 3)
    assert same(alone, sampler.draw(5_000, 3).take(slice(last.start, 5_000)))


def test_threads_draw_the_same(small_blocks: None) -> None:
    sampler = make_sampler()
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda seed: sampler.draw(150, seed % 2), range(8)))
    assert all(same(one, drawn[number % 2]) for number, one in enumerate(drawn))


def test_shut_gates_leave_scalars_at_zero() -> None:
    drawn = make_sampler().draw(500, 0)
    shut = drawn.codes[:, 1] != 1
    assert (
        shut.any() and (drawn.scalars[shut, 0] == 0).all() and (drawn.scalars[~shut, 0] != 0).all()
    )


def region(options: list[int] | None, size: int, interval: tuple[float, float] | None) -> Region:
    intervals = None if interval is None else (interval,)
    return Region(None if options is None else np.isin(np.arange(size), options), intervals)


CONDITIONS = {
    "one": [("a", region([2], 6, None))],
    "either": [("a", region([1, 4], 6, None)), ("c", region(None, 0, (0.5, 0.9)))],
    "spike or range": [("b", region([0, 1], 3, (0.2, 0.3)))],
    "narrow": [
        ("a", region([5], 6, None)),
        ("b", region([1], 3, (0.9, 0.905))),
        ("c", region(None, 0, (-0.9, -0.89))),
    ],
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_all_rows_meet_the_condition(name: str) -> None:
    (drawn,) = make_sampler().blocks(300, 1, CONDITIONS[name])
    assert drawn.rows == 300
    for column, wanted in CONDITIONS[name]:
        choice, scalar = LAYOUT.column_choice(column), LAYOUT.column_scalar(column)
        if choice is not None:
            assert wanted.options[drawn.codes[:, choice]].all()
        if scalar is not None and wanted.intervals is not None:
            alive = drawn.codes[:, 1] == 1 if column == "b" else np.ones(300, dtype=bool)
            value = drawn.scalars[alive, scalar]
            assert (value >= wanted.intervals[0][0] - 1e-6).all() and (
                value <= wanted.intervals[0][1] + 1e-6
            ).all()
    assert len(np.unique(drawn.scalars[:, 1])) > 150


def test_walked_rows_are_not_copies_of_each_other() -> None:
    narrow = [("c", Region(None, ((0.85, 0.853),)))]
    drawn = next(iter(make_sampler().blocks(1_000, 1, narrow)))
    assert len(np.unique(drawn.scalars[:, 1])) > 900


def test_several_intervals_are_each_met() -> None:
    two = [("c", Region(None, ((-0.9, -0.8), (0.3, 0.31))))]
    value = next(iter(make_sampler().blocks(400, 1, two))).scalars[:, 1]
    low = (value >= -0.9 - 1e-6) & (value <= -0.8 + 1e-6)
    high = (value >= 0.3 - 1e-6) & (value <= 0.31 + 1e-6)
    assert (low | high).all() and low.any() and high.any()


def test_rare_conditions_keep_the_law_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk against the slow oracle: keep what meets the condition out of very many rows."""
    sampler, rare = make_sampler(), [("c", region(None, 0, (0.92, 1.0)))]
    everything = sampler.draw(400_000, 5)
    meets = everything.scalars[:, 1] >= 0.92
    assert 100 < meets.sum() < 40_000
    monkeypatch.setattr(conditioning, "POOL_ROWS", conditioning.POOL_BATCH)
    monkeypatch.setattr(conditioning, "POOL_BATCH", 2_000)
    walked = EncodedMatrix.concat(
        [next(iter(sampler.blocks(2_000, seed, rare))) for seed in range(3)]
    )
    expected = np.bincount(everything.codes[meets, 0], minlength=6) / meets.sum()
    found = np.bincount(walked.codes[:, 0], minlength=6) / walked.rows
    unconditional = np.bincount(everything.codes[:, 0], minlength=6) / everything.rows
    assert 0.5 * np.abs(expected - unconditional).sum() > 0.1, "the condition must matter"
    assert 0.5 * np.abs(found - expected).sum() < 0.05


def test_conditioned_samples_repeat() -> None:
    sampler = make_sampler()
    first, second = (next(iter(sampler.blocks(200, 9, CONDITIONS["narrow"]))) for _ in range(2))
    assert same(first, second)


def test_a_condition_that_allows_everything_changes_nothing() -> None:
    sampler = make_sampler()
    everything = [("a", region(list(range(6)), 6, None))]
    assert same(next(iter(sampler.blocks(50, 2, everything))), sampler.draw(50, 2))
    many = EncodedMatrix.concat(list(sampler.blocks(9_000, 2, everything)))
    assert same(many, sampler.draw(9_000, 2))


def test_complete_keeps_what_is_given_and_fills_the_rest() -> None:
    sampler = make_sampler()
    given = sampler.draw(300, 8)
    codes, scalars = given.codes.copy(), given.scalars.copy()
    codes[:150, 0] = -1
    codes[100:, 1], scalars[100:, 0] = -1, np.nan
    scalars[250:, 1] = np.nan
    whole = sampler.complete(EncodedMatrix(codes, scalars), 0)
    assert (whole.codes >= 0).all() and np.isfinite(whole.scalars).all()
    assert (whole.codes[150:, 0] == given.codes[150:, 0]).all()
    assert (whole.scalars[:250, 1] == given.scalars[:250, 1]).all()
    assert ((whole.scalars[:, 0] == 0) | (whole.codes[:, 1] == 1)).all()
    assert np.isnan(scalars[250:, 1]).all(), "the given matrix is not changed"


def test_completed_cells_follow_what_is_given() -> None:
    """A column that is a function of another must be filled in by it."""

    class Copying(MLPGenerator):
        def raw(self, latent: torch.Tensor) -> torch.Tensor:
            raw = torch.zeros(len(latent), LAYOUT.width)
            level = (latent[:, 0] > 0).long()
            raw[torch.arange(len(raw)), level] = 50.0
            raw[:, 6], raw[:, -1] = 50.0, 2.0 * level - 1.0 + 0.1 * latent[:, 1]
            return raw

    sampler = Sampler(initialise(Copying(LAYOUT, 8, 4, 1), 0), LAYOUT)
    given = sampler.draw(400, 3)
    codes = given.codes.copy()
    codes[:, 0] = -1
    filled = sampler.complete(EncodedMatrix(codes, given.scalars), 1)
    assert (filled.codes[:, 0] == given.codes[:, 0]).mean() > 0.99


def test_what_is_lent_agrees_with_ties_wherever_a_donor_does() -> None:
    sampler = make_sampler()
    codes, scalars = np.full((400, 2), -1, np.int32), np.full((400, 2), np.nan, np.float32)
    codes[300:, 1], scalars[300:, 0] = 0, 0.0
    group = np.arange(400) % 4 - 1
    allowed = np.array([[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0]], dtype=bool)
    filled = sampler.complete(
        EncodedMatrix(codes, scalars),
        0,
        ties=[Tie("a", group, allowed)],
        places=lambda matrix, name: matrix.codes[:, LAYOUT.column_choice(name)],
    )
    found = filled.codes[:, 0]
    assert (found[group == 0] == 2).all()
    assert set(found[group == 1]) == {0, 4}
    assert len(set(found[group == 2])) > 2 and len(set(found[group == -1])) > 2
    assert (filled.codes[300:, 1] == 0).all()
    assert len(np.unique(filled.scalars[group == 0, 1])) > 50, "not one donor for all"


def test_rows_with_nothing_given_are_plain_draws() -> None:
    sampler = make_sampler()
    empty = EncodedMatrix(
        np.full((2_000, 2), -1, np.int32), np.full((2_000, 2), np.nan, np.float32)
    )
    filled = sampler.complete(empty, 0)
    expected = np.bincount(sampler.draw(20_000, 1).codes[:, 0], minlength=6) / 20_000
    assert (
        0.5 * np.abs(np.bincount(filled.codes[:, 0], minlength=6) / 2_000 - expected).sum() < 0.06
    )
