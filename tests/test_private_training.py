"""Clipped slopes, draws, teachers, cells and trees: the parts of a private fit, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch.func import functional_call, grad, vmap

from synthgan.data.cell_map import WHOLE, CellMap
from synthgan.data.codec import TableCodec
from synthgan.data.layout import Layout, Span
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.critics import MLPCritic
from synthgan.nets.objectives import OBJECTIVES
from synthgan.nets.shares import Shares
from synthgan.privacy.accounting import Entry
from synthgan.privacy.budget import Privacy
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.privacy.tree import Line, Places, histogram
from synthgan.privacy.units import Units
from synthgan.training.plan import Plan
from synthgan.training.players import initialise
from synthgan.training.private.clipping import RowSlopes, judged, to_parameters
from synthgan.training.private.noisy_critic import MOVES, NoisyCritic, noise_of_parts
from synthgan.training.private.plan import plan_training, resolve
from synthgan.training.private.teachers import VOTES, Teachers, parts_of

SCORING = [name for name, each in OBJECTIVES.items() if each.scores_rows]
LAYOUT = Layout([Span("a", "choice", 3), Span("b", "choice", 2), Span("b", "scalar", 1, (1, 1))])


def rows_of(count: int, seed: int = 0) -> EncodedMatrix:
    random = np.random.default_rng(seed)
    codes = np.stack([random.integers(0, 3, count), random.integers(0, 2, count)], axis=1)
    scalars = np.where(codes[:, 1:] == 1, random.uniform(-1, 1, (count, 1)), 0.0)
    return EncodedMatrix(codes.astype(np.int16), scalars.astype(np.float32))


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("objective", SCORING)
def test_clipped_slopes_are_those_of_single_rows(objective: str, spectral_norm: bool) -> None:
    """Against torch.func, which takes the slope of each row by itself."""
    critic = MLPCritic(7, 12, 3, spectral_norm=spectral_norm)
    initialise(critic, 0)
    game = OBJECTIVES[objective]
    rows = 3.0 * torch.randn(40, 7, generator=torch.Generator().manual_seed(1))
    scores, inputs, outputs = judged(critic, rows)
    slopes = RowSlopes(game.critic(scores, torch.zeros(1))[None] * len(rows), inputs, outputs)
    length = float(slopes.norms().median())
    weights = (length / slopes.norms()).clamp_max(1.0)
    found = to_parameters(critic, slopes.total(weights))

    def loss(parameters: dict[str, torch.Tensor], row: torch.Tensor) -> torch.Tensor:
        score = functional_call(critic, parameters, (row[None],))
        return game.critic(score, torch.zeros(1))

    named = {name: each.detach() for name, each in critic.named_parameters()}
    single = vmap(grad(loss), in_dims=(None, 0))(named, rows)
    if not spectral_norm:
        squares = [each.flatten(1).square().sum(dim=1) for each in single.values()]
        assert_allclose(slopes.norms(), torch.stack(squares).sum(dim=0).sqrt(), rtol=1e-4)
    for name, each in zip(named, found, strict=True):
        expected = torch.einsum("r,r...->...", weights, single[name])
        assert_allclose(each, expected, rtol=2e-3, atol=2e-4, err_msg=name)


def test_a_sum_of_clipped_slopes_moves_by_no_more_than_one_length() -> None:
    game = critic_game(rows_of(300))
    every = torch.arange(300)
    game.length = 0.05
    whole, shorter = game._clipped(every)
    for left_out in (0, 77, 299):
        less, fewer = game._clipped(every[every != left_out])
        moved = torch.cat([(a - b).flatten() for a, b in zip(whole, less, strict=True)])
        assert float(moved.norm()) <= 0.05 * 1.001
        assert abs(shorter - fewer) == 0.5


def critic_game(matrix: EncodedMatrix, rate: float = 0.3, noise: float = 1.0) -> NoisyCritic:
    plan = resolve(Plan(objective="hinge", width=8), 300, LAYOUT, plan_training(Plan("hinge")))
    entry = Entry(MOVES, noise, rate=rate, times=50)
    ledger = Ledger(Privacy(epsilon=1.0), [entry])
    return NoisyCritic(
        matrix,
        LAYOUT,
        Units.each_row(matrix.rows),
        plan,
        0,
        rate=rate,
        expected=rate * matrix.rows,
        ledger=ledger,
        noise=Noise(0),
        device="cpu",
    )


def test_draws_are_poisson_and_never_the_same_twice() -> None:
    """Each unit by itself: the sizes of draws vary as a binomial does, and so do pairs of units."""
    units, noise = Units.each_row(2000), Noise(0)
    drawn = [units.draw(0.1, noise) for _ in range(300)]
    sizes = np.array([len(each) for each in drawn])
    assert abs(sizes.mean() - 200) < 3
    # a shuffled batch would have no variance, a draw with replacement repeats
    assert 0.8 < sizes.var() / (2000 * 0.1 * 0.9) < 1.25
    assert all(len(np.unique(each)) == len(each) for each in drawn)
    often = np.bincount(np.concatenate(drawn), minlength=2000)
    assert 0.85 < often.var() / (300 * 0.1 * 0.9) < 1.15


def test_every_move_is_bought_and_draws_its_rows_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    game, seen = critic_game(rows_of(400)), []
    clipped = NoisyCritic._clipped

    def watched(self: NoisyCritic, drawn: torch.Tensor) -> tuple[list[torch.Tensor], float]:
        seen.append(drawn.tolist())
        return clipped(self, drawn)

    monkeypatch.setattr(NoisyCritic, "_clipped", watched)
    for _ in range(20):
        game.move(game.rows[torch.arange(30)], 1e-3)
    assert game._ledger.entries[0].times == 20
    assert len({tuple(each) for each in seen}) == 20 and len(set(map(len, seen))) > 5


def test_noise_is_on_every_weight_and_as_large_as_was_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game = critic_game(rows_of(300), noise=7.0)
    moves: list[list[torch.Tensor]] = []
    monkeypatch.setattr(
        "synthgan.training.private.noisy_critic.to_parameters",
        lambda critic, slopes: moves.append(list(slopes)) or [0 * p for p in critic.parameters()],
    )
    nothing = [torch.zeros_like(each) for each in game._clipped(torch.arange(5))[0]]
    monkeypatch.setattr(NoisyCritic, "_clipped", lambda self, drawn: (nothing, 0.0))
    monkeypatch.setattr(NoisyCritic, "_on_fakes", lambda self, fake: nothing)
    monkeypatch.setattr(NoisyCritic, "_follow", lambda self, share: None)
    for _ in range(30):
        game.move(torch.zeros(4, LAYOUT.width), 1e-3)
    slope_noise, count_noise = noise_of_parts(7.0, 90.0)
    # the two parts of a purchase come to what the ledger knows of it
    assert 1 / slope_noise**2 + 1 / (2 * count_noise) ** 2 == pytest.approx(1 / 7.0**2)
    for part in range(len(nothing)):
        noise = torch.stack([each[part] for each in moves]) * 90.0
        # the single bias of the score has but thirty draws
        assert float(noise.std()) == pytest.approx(
            slope_noise, rel=0.4 if noise[0].numel() < 9 else 0.1
        )


def test_teachers_have_rows_of_their_own() -> None:
    units = Units(np.repeat(np.arange(200), 3))
    parts = parts_of(units, 8, Noise(3))
    together = np.concatenate(parts)
    assert_array_equal(np.sort(together), np.arange(600))
    owners = [set(units.owner[part]) for part in parts]
    assert all(not one & two for i, one in enumerate(owners) for two in owners[:i])


def test_a_row_more_or_less_is_no_matter_to_other_teachers() -> None:
    """Shared networks (as in CTAB-GAN and PATE-CTGAN's) void the proof: here weights are apart."""

    def taught(matrix: EncodedMatrix) -> Teachers:
        plan = resolve(Plan(objective="pate", width=8), 300, LAYOUT, plan_training(Plan("pate")))
        ledger = Ledger(Privacy(epsilon=1.0), [Entry(VOTES, 3.0, times=10_000)])
        game = Teachers(
            matrix, LAYOUT, Units.each_row(300), plan, 0,
            teachers=6, ledger=ledger, noise=Noise(5), device="cpu",
        )  # fmt: skip
        fake = game.rows[torch.arange(0, 300, 7)].detach() * 0.5
        for _ in range(4):
            game._teach(game.features(fake))
        return game

    matrix = rows_of(300)
    changed = matrix.take(np.arange(300))
    changed.codes[11], changed.scalars[11] = [2, 1], 0.77
    one, two = taught(matrix), taught(changed)
    owner = next(i for i, part in enumerate(one.parts) if 11 in part)
    for name, weight in one.teachers.named_parameters():
        other = dict(two.teachers.named_parameters())[name]
        differs = (weight != other).flatten(1).any(dim=1)
        assert bool(differs[owner]) or name == "inner"
        differs[owner] = False
        assert not differs.any(), name
    assert not any("teach" in name for name in one.nets)


def test_votes_are_counts_of_teachers_with_noise() -> None:
    matrix = rows_of(300)
    plan = resolve(Plan(objective="pate", width=8), 300, LAYOUT, plan_training(Plan("pate")))
    ledger = Ledger(Privacy(epsilon=1.0), [Entry(VOTES, 40.0, times=10_000)])
    game = Teachers(
        matrix, LAYOUT, Units.each_row(300), plan, 0,
        teachers=100, ledger=ledger, noise=Noise(5), device="cpu",
    )  # fmt: skip
    asked = game.features(game.rows[torch.zeros(2000, dtype=torch.long)])
    shares = game._voted(asked)
    assert ledger.entries[0].times == 2000
    assert shares.min() == 0 and shares.max() == 1 and len(shares.unique()) > 50


def table_codec() -> tuple[TableCodec, EncodedMatrix]:
    import pyarrow as pa

    random = np.random.default_rng(0)
    table = pa.table(
        {
            "n": pa.array(random.normal(size=500), mask=random.random(500) < 0.1),
            "k": random.choice(list("abcdefg"), 500, p=[0.5, 0.3, 0.1, 0.04, 0.03, 0.02, 0.01]),
            "s": np.where(random.random(500) < 0.4, 0, random.integers(1, 400, 500)),
        }
    )
    codec = TableCodec.fit([table], rare_threshold=1)
    return codec, codec.encode([table], random)


def test_a_row_moves_a_table_of_two_columns_by_one_at_most() -> None:
    codec, matrix = table_codec()
    cells = CellMap.of(codec.coded, codec.layout, deviation=5.0)
    shares = cells.shares(matrix)
    by_column = [shares[:, cells.column == each] for each in range(cells.columns)]
    for part in by_column:
        assert_array_equal(part.sum(axis=1), WHOLE)
        assert (part >= 0).all()
    for one in by_column:
        for two in by_column:
            moved = np.einsum("ri,rj->rij", one, two).reshape(len(one), -1)
            assert (np.linalg.norm(moved, axis=1) <= WHOLE**2).all()


def test_networks_and_tables_agree_on_cells() -> None:
    codec, matrix = table_codec()
    cells = CellMap.of(codec.coded, codec.layout, deviation=5.0)
    options = codec.layout.n_options
    rows = torch.zeros(matrix.rows, codec.layout.width)
    for choice, first in enumerate(codec.layout.choice_offsets):
        rows[
            torch.arange(matrix.rows), torch.as_tensor(matrix.codes[:, choice].astype(int) + first)
        ] = 1
    rows[:, options:] = torch.as_tensor(matrix.scalars)
    found = Shares(cells).of_rows(rows)
    assert_allclose(found, cells.shares(matrix) / WHOLE, atol=0.5 / WHOLE + 1e-6)
    # raw outputs that leave no doubt say the same
    raw = torch.cat(
        [40 * rows[:, :options], torch.atanh(rows[:, options:].clamp(-0.999, 0.999))], dim=1
    )
    assert_allclose(Shares(cells)(raw), found, atol=0.02)


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.floats(-1e12, 1e12).map(float), min_size=1, max_size=60),
    whole=st.booleans(),
    declared=st.booleans(),
)
def test_a_histogram_without_noise_loses_nobody(
    values: list[float], whole: bool, declared: bool
) -> None:
    given_values = np.unique(np.rint(values) if whole else values) + 0.0
    counts = np.full(len(given_values), 50)
    ends = (float(given_values[0]), float(given_values[-1])) if declared else (None, None)
    line = Line(whole, ends)
    rows_of = np.append(np.repeat(given_values, counts), np.full(30, np.nan))
    asked: list[int] = []

    def exact(places: Places, cells: int) -> np.ndarray:
        found = places(rows_of)
        counted = np.bincount(found[found >= 0], minlength=cells)
        asked.append(int(counted.sum()))
        return counted

    rows = int(counts.sum()) + 30
    cells, missing = histogram(line, rows, 4, exact, deviation=1.0)
    assert missing == 30 and cells.counts.sum() == pytest.approx(counts.sum())
    assert len(asked) == 4 and max(asked) <= rows
    assert (cells.highs > cells.lows).all() and (np.diff(cells.lows) > 0).all()
    # what is nearer to 0 than any order of magnitude is counted as 0
    shown = np.where(np.abs(given_values) < 2.0**-64, 0.0, given_values)
    shown = np.clip(shown, *ends) if declared else shown
    place = np.searchsorted(cells.lows, shown, "right") - 1
    assert (place >= 0).all() and (shown < cells.highs[place]).all()


def test_no_edge_of_a_histogram_is_a_value() -> None:
    """Cells are cut by halves of what is public, so that no edge is where a row is."""
    random = np.random.default_rng(0)
    values = np.unique(random.normal(5, 1, 3000))
    noise = Noise(0)

    def ask(places: Places, cells: int) -> np.ndarray:
        found = places(values)
        return np.bincount(found[found >= 0], minlength=cells) + noise.whole(cells, 5.0)

    cells, _ = histogram(Line(whole=False), 3000, 4, ask, 5.0)
    assert not np.isin(cells.lows, values).any()
    assert len(cells.lows) > 20


def test_units_are_bounded_by_chance_and_kept_whole() -> None:
    owner = np.array([0] * 50 + [1] * 2 + [2] * 7)
    units = Units(owner)
    seen = np.zeros(len(owner))
    for seed in range(200):
        used = units.bounded(5, Noise(seed))
        assert np.bincount(owner[used]).tolist() == [5, 2, 5]
        seen += used
    assert (seen[:50] > 0).all() and (seen[50:52] == 200).all()
    assert_array_equal(np.sort(units.rows_of(np.array([1, 2]))), np.arange(50, 59))
