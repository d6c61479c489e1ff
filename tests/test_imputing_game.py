"""The imputation game: what is hidden is not seen, nulls are never filled in, states come back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from synthgan.data.codec import TableCodec
from synthgan.imputation.cells import Cells
from synthgan.imputation.chain import Donors, Filling
from synthgan.imputation.proposals import Proposer
from synthgan.nets.heads import draw_gumbel
from synthgan.selection import drawn_options
from synthgan.training import Plan
from synthgan.training.imputing import ImputationGame, imputation_plan, known_cells, play


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    return pa.table(
        {
            "x": pa.array(x, mask=rng.random(200) < 0.2),
            "spiked": pa.array(np.where(x > 0, 0.0, x), mask=rng.random(200) < 0.2),
            "sign": pa.array(np.where(x > 0, "p", "m"), mask=rng.random(200) < 0.2),
        }
    )


@pytest.fixture(scope="module")
def cells(table):
    return Cells(TableCodec.fit([table], rare_threshold=1))


def game_of(table, cells, steps=3, seed=0):
    matrix = cells.codes(table, cells.floats(table))
    plan = Plan(width=16, depth=1, latent_size=4, batch_size=32)
    plan = imputation_plan(plan, matrix.rows, cells.layout)
    game = ImputationGame(matrix, cells.layout, cells.nulls, plan, seed, "cpu")
    losses = [game.step(1e-3) for _ in range(steps)]
    return game, losses


def test_holes_are_unknown_codes(table, cells):
    matrix = cells.codes(table, cells.floats(table))
    known = known_cells(matrix, cells.layout)
    nulls = [table.column(name).is_null().to_numpy() for name in cells.names]
    np.testing.assert_array_equal(known, ~np.stack(nulls, axis=1))


def test_cells_come_back_as_they_were(table, cells):
    floats = cells.floats(table)
    for number, name in enumerate(cells.names):
        known = ~np.isnan(floats[:, number])
        made = cells.array(number, np.where(known, floats[:, number], 0.0))
        given = table.column(name).combine_chunks()
        assert made.filter(pa.array(known)).equals(given.filter(pa.array(known)))


def test_what_is_hidden_is_not_seen(table, cells):
    game, _ = game_of(table, cells)
    rows = game.rows[torch.arange(50)]
    shown = torch.zeros(50, 3, dtype=torch.bool)
    shown[:, 0] = True
    latent = torch.zeros(50, 4)
    first = game.view.raw(game.average, rows, shown, latent)
    other = rows.clone()
    other[:, game.view.place != 0] = 0.37
    torch.testing.assert_close(game.view.raw(game.average, other, shown, latent), first)
    other[:, game.view.place == 0] += 0.2
    assert not torch.allclose(game.view.raw(game.average, other, shown, latent), first)


def test_shown_cells_stay_and_nulls_are_never_filled_in(table, cells):
    game, _ = game_of(table, cells)
    rows = game.rows[torch.arange(200)]
    shown = torch.as_tensor(known_cells(cells.codes(table, cells.floats(table)), cells.layout))
    stream = torch.Generator().manual_seed(0)
    gumbel = draw_gumbel(200, cells.layout.n_options, stream, "cpu")
    filled = game.view.fill(game.average, rows, shown, torch.randn(200, 4), gumbel).rows
    stays = shown[:, game.view.place]
    assert torch.equal(filled[stays], rows[stays])
    nulls = torch.as_tensor(np.flatnonzero(cells.nulls))
    assert len(nulls) == 3 and not filled[:, nulls].any()


def test_the_same_seed_plays_the_same_game(table, cells):
    (_, first), (_, second) = (game_of(table, cells) for _ in range(2))
    assert first == second
    assert first != game_of(table, cells, seed=1)[1]


def test_a_snapshot_brings_the_players_back(table, cells):
    game, _ = game_of(table, cells)
    state = {name: value.clone() for name, value in game.snapshot().items()}
    game.step(1e-2)
    assert not torch.equal(game.snapshot()["average"], state["average"])
    game.restore(state)
    for name, value in game.snapshot().items():
        assert torch.equal(value, state[name]), name
    assert game.broken_column() is None


def test_playing_teaches_it_what_depends_on_what(table, cells):
    floats = cells.floats(table)
    matrix = cells.codes(table, floats)
    plan = Plan(width=32, depth=1, latent_size=4, batch_size=50, epochs=100)
    game, history, stopped = play(
        matrix, cells.layout, cells.nulls, imputation_plan(plan, 200, cells.layout), seed=0
    )
    assert stopped == "epochs" and history[-1]["generator_loss"] < history[0]["generator_loss"]
    proposer = Proposer(cells, game.view, game.average, torch.zeros(1, 4))
    shown = ~np.isnan(floats)
    shown[:, 2] = False
    told = proposer.ask(matrix, shown)[2]
    asked = ~np.isnan(floats[:, 2]) & shown[:, 0]
    assert (told.argmax(axis=1) == floats[:, 2])[asked].mean() > 0.85
    np.testing.assert_allclose(told.sum(axis=1), 1.0, rtol=1e-5)


def test_fillings_keep_what_is_known():
    floats = np.array([[1.0, np.nan], [np.nan, 2.0]])
    filling = Filling(floats, [np.full((2, 1), 9.0), np.full((2, 1), 8.0)], np.array([False] * 2))
    np.testing.assert_array_equal(filling.rows, [[1.0, 8.0], [9.0, 2.0]])
    filling.hear(0, np.full((2, 1), 5.0), 0.5)
    np.testing.assert_array_equal(filling.rows, [[1.0, 8.0], [7.0, 2.0]])


def test_draws_come_from_near_donors_and_by_shares():
    rng = np.random.default_rng(0)
    told = np.linspace(0.0, 1.0, 101)
    drawn = Donors(told, told * 100).draw(np.full(1_000, 0.5), rng)
    assert drawn.min() >= 44 and drawn.max() <= 56 and len(np.unique(drawn)) == 10
    assert set(Donors(told[:3], told[:3]).draw(np.array([5.0] * 50), rng)) == set(told[:3])
    options = drawn_options(np.tile([0.25, 0.0, 0.75], (4_000, 1)), rng)
    assert abs((options == 2).mean() - 0.75) < 0.03 and not (options == 1).any()
