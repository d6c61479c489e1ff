"""Training: budgets, schedule, a trainer that recovers and keeps the best state, real games."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from synthgan.data.layout import Layout, Span
from synthgan.data.matrix import EncodedMatrix
from synthgan.errors import SynthganWarning, TrainingError
from synthgan.sampling import Sampler
from synthgan.training import Plan, train
from synthgan.training.check import Check
from synthgan.training.games import PATIENT_ROUNDS, SLOWEST, TableGame, _lead
from synthgan.training.plan import ResolvedPlan
from synthgan.training.rows import ConditionDraw, DeviceRows
from synthgan.training.schedule import HASTE, WARM_UP_STEPS, Budget, Schedule
from synthgan.training.trainer import (
    EARLY_CHECKS,
    RESTARTS,
    ROUND_STEPS,
    ROUNDS_PER_CHECK,
    Trainer,
)

CHECK = ROUND_STEPS * ROUNDS_PER_CHECK


class FakeGame:
    """A game whose state is the number of steps it has played."""

    def __init__(self, break_above: float = math.inf) -> None:
        self.steps, self.rates, self.break_above = 0, [], break_above
        self.calmed, self.balanced = 0, []

    def step(self, learning_rate: float, progress: float = 0.0) -> dict[str, torch.Tensor]:
        self.steps += 1
        self.rates.append(learning_rate)
        bad = learning_rate > self.break_above
        loss = torch.tensor(math.nan if bad else 1.0)
        return {"critic_loss": loss, "generator_loss": loss}

    def snapshot(self) -> dict[str, torch.Tensor]:
        return {"steps": torch.tensor(self.steps)}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.steps = int(state["steps"])

    def broken_column(self) -> str:
        return "age"

    def calm(self) -> None:
        self.calmed += 1

    def balance(self, losses: Mapping[str, float]) -> None:
        self.balanced.append(losses)


def trainer(game: FakeGame, steps: int, quality=None, **more) -> Trainer:  # type: ignore[no-untyped-def]
    settings = {"peak_rate": 1.0, "rows_per_step": 10, "steps_per_epoch": 100}
    settings |= {"stop_on_plateau": False} | more
    judge = None if quality is None else lambda: as_check(quality())
    return Trainer(game, Budget(steps, None), quality=judge, **settings)


def as_check(found: float | Check) -> Check:
    return found if isinstance(found, Check) else Check(found)


def test_schedule_warms_up_and_falls() -> None:
    schedule = Schedule(2.0)
    assert schedule.rate(0, 0.0) == pytest.approx(2.0 / WARM_UP_STEPS)
    assert schedule.rate(1_000, 0.5) == pytest.approx(1.0, rel=0.05)
    assert 0 < schedule.rate(9_999, 1.0) < 0.1
    rates = [schedule.rate(5_000, p) for p in np.linspace(0.0, 1.0, 50)]
    assert all(a > b for a, b in itertools.pairwise(rates))


def test_plateau_hastens_the_rest_of_the_fall_without_a_jump() -> None:
    schedule = Schedule(1.0)
    before = schedule.rate(5_000, 0.4)
    schedule.hasten(0.4)
    assert schedule.rate(5_000, 0.4) == pytest.approx(before)
    assert schedule.end == pytest.approx(0.4 + 0.6 / HASTE)
    assert schedule.rate(5_000, schedule.end) == pytest.approx(Schedule(1.0).rate(5_000, 1.0))
    schedule.hasten(0.5)
    assert schedule.end == pytest.approx(0.4 + 0.6 / HASTE)


def test_whichever_budget_binds_sets_the_progress() -> None:
    now = [100.0]
    budget = Budget(1_000, 110.0, clock=lambda: now[0])
    assert budget.progress(500) == 0.5
    now[0] = 109.0
    assert budget.progress(500) == pytest.approx(0.9)
    assert budget.seconds_left() == pytest.approx(1.0)


def test_steps_are_exactly_those_asked_for() -> None:
    game = FakeGame()
    assert trainer(game, 120).run() == "epochs"
    assert game.steps == 120


def test_best_state_is_kept_not_the_last() -> None:
    game = FakeGame()
    quality = lambda: -abs(game.steps - 2 * CHECK) / 1e4 - 0.1  # noqa: E731
    run = trainer(game, 4 * CHECK, quality)
    run.run()
    assert game.steps == 2 * CHECK
    checked = [r["step"] for r in run.history if not math.isnan(r["quality"])]
    assert checked == [*EARLY_CHECKS, CHECK, 2 * CHECK, 3 * CHECK, 4 * CHECK]


def test_of_states_that_look_alike_the_last_is_kept() -> None:
    game = FakeGame()
    quality = lambda: -0.1 - 0.008 * (game.steps > CHECK) - 0.5 * (game.steps == 0)  # noqa: E731
    run = trainer(game, 4 * CHECK, quality)
    run.run()
    assert game.steps == 4 * CHECK
    assert run.best.quality == -0.1 and run.kept.quality == pytest.approx(-0.108)


def test_plateau_ends_training_early_and_is_named() -> None:
    game = FakeGame()
    run = trainer(game, 100 * CHECK, lambda: -0.1 if game.steps else -0.5, stop_on_plateau=True)
    assert run.run() == "plateau"
    assert run.step < 50 * CHECK
    assert game.rates[-1] < 0.1


def test_broken_losses_name_column_and_step_and_training_goes_on_lower() -> None:
    game = FakeGame(break_above=0.3)
    with pytest.warns(SynthganWarning, match=r"step \d+: .*finite.*'age'") as caught:
        reason = trainer(game, 3 * CHECK, lambda: -0.1 - 1e-3 * (game.steps == 0)).run()
    assert reason == "epochs"
    assert [str(each.message).split()[-5] for each in caught] == ["0.5", "0.25"]
    assert game.calmed == 2
    assert game.rates[-1] <= 0.25


def test_a_game_that_never_works_is_an_error() -> None:
    with pytest.warns(SynthganWarning), pytest.raises(TrainingError, match="restarts"):
        trainer(FakeGame(break_above=0.0), 10 * CHECK).run()


def test_a_game_that_breaks_late_keeps_its_best_state() -> None:
    game = FakeGame()

    def quality() -> float:
        if game.steps >= 2 * CHECK:
            game.break_above = 0.0
        return -0.1 if game.steps else -0.5

    with pytest.warns(SynthganWarning):
        assert trainer(game, 10 * CHECK, quality).run() == "diverged"
    assert 0 < game.steps <= 2 * CHECK


def test_collapse_goes_back_to_the_best_state() -> None:
    game = FakeGame()
    fell = []

    def quality() -> float:
        if max(game.rates, default=0.0) and game.rates[-1] > 0.6 and game.steps > 2 * CHECK:
            fell.append(game.steps)
            return -0.9
        return -0.1 if game.steps else -0.5

    with pytest.warns(SynthganWarning, match="quality fell to -0.9"):
        trainer(game, 12 * CHECK, quality).run()
    assert len(fell) == 2 and game.rates[fell[-1]] <= 0.5


def test_a_rate_that_makes_states_worse_is_halved_without_going_back() -> None:
    game = FakeGame()
    worse: list[int] = []

    def quality() -> float:
        if game.steps > CHECK and game.rates[-1] > 0.3:
            worse.append(game.steps)
            return -0.13
        return -0.1 if game.steps else -0.5

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer(game, 12 * CHECK, quality).run()
    # once at once, and again as soon as two checks did not get over it
    assert worse == [2 * CHECK, 3 * CHECK, 4 * CHECK]
    after = [game.rates[step + 1] for step in worse]
    assert after[0] == pytest.approx(after[1], rel=0.2) and after[2] < 0.3
    assert game.calmed == 0 and len(game.rates) == 12 * CHECK


def test_training_that_does_not_take_off_starts_lower() -> None:
    game = FakeGame()
    quality = lambda: -0.5 if (not game.rates or game.rates[-1] > 0.3) else -0.1  # noqa: E731
    with pytest.warns(SynthganWarning, match="has not risen"):
        trainer(game, 20 * CHECK, quality).run()
    assert RESTARTS > 2


def test_a_table_that_needs_no_training_is_no_failure() -> None:
    game = FakeGame()
    assert trainer(game, 10 * CHECK, lambda: -0.02).run() == "epochs"
    assert max(game.rates) == pytest.approx(1.0, rel=0.05)


def test_what_is_no_longer_drawn_is_told_and_training_goes_back() -> None:
    game = FakeGame()

    def quality() -> Check:
        lost = 0.03 if game.rates and game.rates[-1] > 0.6 and game.steps > 2 * CHECK else 0.0
        return Check(-0.1 if game.steps else -0.5, lost, ("town = Ulm",) if lost else ())

    with pytest.warns(SynthganWarning, match=r"rows like 3.0% .*town = Ulm"):
        run = trainer(game, 12 * CHECK, quality)
        run.run()
    assert game.calmed == 1 and run.best.lost == 0.0
    assert max(record["lost"] for record in run.history if record["lost"] >= 0) == 0.03


def test_a_state_that_loses_rows_is_worth_less_than_a_coarser_one() -> None:
    game = FakeGame()
    quality = lambda: Check(-0.10, 0.0) if game.steps <= CHECK else Check(-0.09, 0.04)  # noqa: E731
    with pytest.warns(SynthganWarning, match="no longer drawn"):
        trainer(game, 4 * CHECK, quality).run()
    assert game.steps <= CHECK


def test_what_the_whole_run_never_drew_is_told_at_the_end() -> None:
    quality = lambda: Check(-0.1, 0.02, ("town = Ulm", "age 20 to 30"))  # noqa: E731
    with pytest.warns(SynthganWarning, match=r"rows like 2.0% .*town = Ulm; age 20 to 30.*pack=2"):
        trainer(FakeGame(), 3 * CHECK, quality).run()


def test_every_round_is_balanced_by_its_mean_losses() -> None:
    game = FakeGame()
    trainer(game, 120).run()
    assert len(game.balanced) == 3 and game.balanced[0]["critic_loss"] == 1.0


def test_a_second_interrupt_keeps_the_best_state() -> None:
    game = FakeGame()
    checks = []

    def quality() -> float:
        checks.append(game.steps)
        if len(checks) > 3:
            raise KeyboardInterrupt
        return -0.1 - 1e-4 * game.steps

    def interrupt(record: Mapping[str, float]) -> None:
        if record["step"] == 300:
            raise KeyboardInterrupt

    assert trainer(game, 10_000, quality, callbacks=[interrupt]).run() == "interrupted"
    assert checks == [0, 100, 250, 300] and game.steps == 100


def test_callbacks_see_every_round_and_can_stop() -> None:
    seen: list[float] = []
    run = trainer(
        FakeGame(), 10_000, callbacks=[lambda r: seen.append(r["step"]) or r["step"] >= 150]
    )
    assert run.run() == "callback"
    assert seen == [50, 100, 150]


def test_interrupt_keeps_the_model_as_it_stands() -> None:
    def interrupt(record: object) -> None:
        raise KeyboardInterrupt

    game = FakeGame()
    assert trainer(game, 10_000, callbacks=[interrupt]).run() == "interrupted"
    assert game.steps == ROUND_STEPS


LAYOUT = Layout(
    [
        Span("a", "choice", 3),
        Span("b", "choice", 2),
        Span("b", "scalar", 1, (1, 1)),
        Span("c", "scalar"),
    ]
)


def made(rows: int = 600, seed: int = 0) -> EncodedMatrix:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.choice(3, rows, p=[0.7, 0.25, 0.05]), rng.integers(0, 2, rows)], axis=1)
    scalars = np.stack(
        [np.where(codes[:, 1] == 1, rng.uniform(-1, 1, rows), 0), codes[:, 0] / 2 - 0.5], 1
    )
    return EncodedMatrix(codes.astype(np.int16), scalars.astype(np.float32))


SMALL = {"width": 16, "depth": 1, "latent_size": 8, "batch_size": 100, "precision": "float32"}


@pytest.mark.parametrize("objective", ["relativistic", "wgan-gp", "conditional"])
def test_same_seed_same_model_bit_for_bit(objective: str) -> None:
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    runs = [train(made(), LAYOUT, Plan(objective, epochs=3, **SMALL), seed=1) for _ in range(2)]
    other = train(made(), LAYOUT, Plan(objective, epochs=3, **SMALL), seed=2)
    first, second, third = (run.sampler.draw(50, 7) for run in (*runs, other))
    assert np.array_equal(first.codes, second.codes) and np.array_equal(
        first.scalars, second.scalars
    )
    assert not np.array_equal(first.scalars, third.scalars)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


@pytest.mark.parametrize("objective", ["relativistic", "wgan-gp", "conditional"])
def test_every_objective_learns_the_frequencies(objective: str) -> None:
    matrix = made(2_000)
    plan = Plan(objective, epochs=100, learning_rate=1e-3, **SMALL)
    drawn = train(matrix, LAYOUT, plan, seed=0).sampler.draw(4_000, 0)
    real, fake = (np.bincount(m.codes[:, 0], minlength=3) / m.rows for m in (matrix, drawn))
    assert 0.5 * np.abs(real - fake).sum() < 0.1


def test_state_comes_back_bit_for_bit() -> None:
    from synthgan.training import Trained

    for objective in ("relativistic", "conditional"):
        trained = train(made(), LAYOUT, Plan(objective, epochs=1, **SMALL), seed=1)
        back = Trained.from_state(*trained.to_state(), LAYOUT)
        assert np.array_equal(trained.sampler.draw(9, 1).scalars, back.sampler.draw(9, 1).scalars)
        assert np.array_equal(trained.score(made()), back.score(made()))


def test_a_table_without_codes_trains_at_once() -> None:
    empty = Layout([])
    matrix = EncodedMatrix(np.zeros((5, 0), np.int16), np.zeros((5, 0), np.float32))
    trained = train(matrix, empty, Plan(), seed=0)
    assert trained.stopped == "nothing to learn" and trained.sampler.draw(3, 0).rows == 3
    assert trained.score(matrix).shape == (5,)


def test_weights_decide_what_is_drawn() -> None:
    matrix = made()
    matrix.weights = (matrix.codes[:, 0] == 2).astype(float)
    rows = DeviceRows(matrix, LAYOUT, "cpu")
    drawn = rows.draw(500, torch.Generator().manual_seed(0))
    assert (matrix.codes[drawn.numpy(), 0] == 2).all()


def test_weights_decide_what_conditions_draw() -> None:
    matrix = made(1_000)
    matrix.weights = np.where(matrix.codes[:, 1] == 1, 1.0, 1e-6)
    draw = ConditionDraw(DeviceRows(matrix, LAYOUT, "cpu"))
    stream = torch.Generator().manual_seed(0)
    option = draw.draw(1_000, stream)
    index = draw.rows_with(option, stream)
    of_first = index[option < 3].numpy()
    assert (matrix.codes[of_first, 1] == 1).mean() > 0.99
    assert float(draw.frequencies[4]) == pytest.approx(0.5, abs=1e-3)


def test_unknown_codes_are_all_zero() -> None:
    matrix = made(4)
    matrix.codes[0] = -1
    rows = DeviceRows(matrix, LAYOUT, "cpu")[torch.arange(4)]
    assert (rows[0, :5] == 0).all() and (rows[1:, :5].sum(dim=1) == 2).all()


def test_conditions_are_met_by_the_rows_drawn_with_them() -> None:
    matrix = made()
    draw = ConditionDraw(DeviceRows(matrix, LAYOUT, "cpu"))
    stream = torch.Generator().manual_seed(0)
    option = draw.draw(2_000, stream)
    index = draw.rows_with(option, stream)
    columns, values = (option >= 3).long(), torch.where(option >= 3, option - 3, option)
    assert (torch.as_tensor(matrix.codes)[index, columns] == values).all()
    share = float((option == 2).sum() / (option < 3).sum())
    assert share > 0.15, "rare options are drawn by log-frequency while training"
    real = np.bincount(matrix.codes[:, 0]) / matrix.rows / 2
    np.testing.assert_allclose(draw.frequencies[:3].numpy(), real)


@pytest.mark.parametrize("moves", [1, 2, 3])
def test_the_moves_of_a_critic_share_the_rows_of_a_step(moves: int) -> None:
    plan = Plan(epochs=1, critic_steps=moves, **SMALL).resolve(600, LAYOUT)
    game = TableGame(made(), LAYOUT, plan, 0, "cpu")
    shown: list[list[torch.Tensor]] = []
    move, answer = game._critic_move, game._answer

    def critic_move(*parts: torch.Tensor) -> dict[str, torch.Tensor]:
        shown.append(list(parts))
        return move(*parts)

    def answered(*whole: torch.Tensor) -> torch.Tensor:
        shown.append([each.detach() for each in whole])
        return answer(*whole)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(game, "_critic_move", critic_move)
        patch.setattr(game, "_answer", answered)
        game.step(1e-3)
    *parts, whole = shown
    assert len(parts) == moves
    for side in (0, 1):
        assert torch.equal(torch.cat([part[side] for part in parts]), whole[side])


def test_a_bad_column_is_named() -> None:
    plan = Plan(epochs=1, **SMALL).resolve(600, LAYOUT)
    game = TableGame(made(), LAYOUT, plan, 0, "cpu")
    assert game.broken_column() is None
    with torch.no_grad():
        game.generator.leave.bias[3] = math.nan
    assert game.broken_column() == "b"


def test_batches_follow_small_tables_and_packs() -> None:
    assert Plan().resolve(100, LAYOUT).batch_size == 100
    assert Plan("conditional").resolve(104, LAYOUT).batch_size == 100
    assert Plan("conditional", batch_size=7).resolve(104, LAYOUT).batch_size == 10
    assert Plan(epochs=3, batch_size=50).resolve(100, LAYOUT).steps == 6


def test_a_fresh_generator_draws_options_about_as_often_as_the_rows_hold_them() -> None:
    random = np.random.default_rng(0)
    codes = np.stack(
        [random.choice(3, 5_000, p=[0.9, 0.099, 0.001]), random.integers(0, 2, 5_000)], 1
    )
    codes[:3, 0] = -1
    matrix = EncodedMatrix(codes.astype(np.int16), random.uniform(-1, 1, (5_000, 2)).astype("f4"))
    game = TableGame(matrix, LAYOUT, Plan(epochs=1, **SMALL).resolve(5_000, LAYOUT), 0, "cpu")
    found = Sampler(game.average, LAYOUT).draw(20_000, 0).codes
    shares = [np.bincount(found[:, 0], minlength=3) / 20_000, np.bincount(found[:, 1]) / 20_000]
    assert shares[0] == pytest.approx([0.9, 0.099, 0.001], rel=0.6)
    assert shares[1] == pytest.approx([0.5, 0.5], rel=0.6)


def test_shares_of_options_count_weights_and_none_is_zero() -> None:
    codes = np.array([[0, 0], [0, 1], [1, -1], [-1, 1]], dtype=np.int16)
    matrix = EncodedMatrix(codes, np.zeros((4, 2), np.float32), np.array([2.0, 0.0, 1.0, 1.0]))
    shares = DeviceRows(matrix, LAYOUT, "cpu").shares()
    first, second = np.array([2.5, 1.5, 0.5]) / 4.5, np.array([2.5, 1.5]) / 4.0
    assert shares.tolist() == pytest.approx([*first, *second])
    nothing = EncodedMatrix(np.zeros((4, 0), np.int16), np.zeros((4, 1), np.float32))
    assert len(DeviceRows(nothing, Layout([Span("x", "scalar")]), "cpu").shares()) == 0


def test_few_rows_are_played_for_fewer_steps_than_their_root_alone_would_give() -> None:
    steps = [Plan().resolve(rows, LAYOUT).steps for rows in (20, 105, 700, 2_000)]
    assert steps == [300, 300, 793, 1447]
    # as their root alone gives from 5,000 rows on
    large = [Plan().resolve(rows, LAYOUT).steps for rows in (5_000, 30_000, 1_000_000)]
    assert large == [1707, 2732, 11_000]


def test_a_gpu_plays_more_steps_than_a_processor_and_as_few_for_few_rows() -> None:
    plan = Plan(precision="float32")
    steps = [plan.resolve(rows, LAYOUT, "cuda").steps for rows in (700, 5_000, 30_000, 1_000_000)]
    assert steps == [793, 3781, 8394, 15_000]


def test_a_plan_of_an_earlier_file_has_a_critic_twice_as_wide_as_its_generator() -> None:
    told = Plan().resolve(1_000, LAYOUT).to_dict()
    assert told.pop("critic_width") == told["width"]
    assert ResolvedPlan.from_dict(told).critic_width == 2 * told["width"]


def small_game() -> TableGame:
    sizes = {"width": 16, "depth": 2, "latent_size": 8, "batch_size": 60, "precision": "float32"}
    plan = Plan(epochs=1, **sizes).resolve(made().rows, LAYOUT)  # type: ignore[arg-type]
    return TableGame(made(), LAYOUT, plan, 0, "cpu")


def test_a_critic_that_overpowers_is_slowed_down_and_let_go_again() -> None:
    game = small_game()
    for _ in range(PATIENT_ROUNDS - 1):
        game.balance({"critic_lead": 1.0})
    game.step(1e-3)
    assert float(game._critic_rate) == pytest.approx(1e-3)
    for _ in range(50):
        game.balance({"critic_lead": 1.0})
    game.step(1e-3)
    assert float(game._critic_rate) == pytest.approx(SLOWEST * 1e-3)
    assert float(game._rate) == pytest.approx(1e-3)
    for _ in range(50):
        game.balance({"critic_lead": 0.7})
    game.step(1e-3)
    assert float(game._critic_rate) == pytest.approx(1e-3)


def test_a_calmed_game_has_twice_the_penalty() -> None:
    game = small_game()
    before = float(game._penalty)
    game.calm()
    assert float(game._penalty) == 2 * before


def test_the_lead_is_the_share_of_pairs_ranked_rightly() -> None:
    losses = small_game().step(1e-3)
    assert 0.0 <= float(losses["critic_lead"]) <= 1.0
    assert float(_lead(torch.tensor([1.0, 2.0, 0.0, 3.0]))) == 0.5
