"""Budgets, ledgers and noise: sums held against Opacus, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from synthgan.errors import ParameterError
from synthgan.privacy.accounting import PLD, RDP, Entry, epsilon_of, scale_for
from synthgan.privacy.budget import Privacy
from synthgan.privacy.counts import ROW_PARTS, shown_from
from synthgan.privacy.ledger import Ledger, LedgerError
from synthgan.privacy.noise import Noise

GRID = [
    (noise, rate, steps, delta)
    for noise, rate, steps in [(0.8, 0.01, 500), (1.1, 0.004, 5_000), (2.0, 0.05, 2_000)]
    for delta in (1e-5, 1e-6)
] + [(4.0, 1.0, 1, 1e-6), (30.0, 1.0, 60, 1e-6)]


@pytest.mark.parametrize(("noise", "rate", "steps", "delta"), GRID)
def test_sums_agree_with_opacus(noise: float, rate: float, steps: int, delta: float) -> None:
    accountants = pytest.importorskip("opacus.accountants")
    entry = Entry("steps", noise, rate, steps)
    pairs = [(RDP, accountants.RDPAccountant()), (PLD, accountants.PRVAccountant())]
    # without draws its distributions fill all memory; one Gaussian has a closed form below
    for ours, theirs in pairs[: 1 if rate == 1 else 2]:
        theirs.history = [(noise, rate, steps)]
        expected = theirs.get_epsilon(delta=delta)
        assert epsilon_of([entry], delta, ours) == pytest.approx(expected, rel=0.01)


def test_one_gaussian_is_the_closed_form() -> None:
    """Balle and Wang, "Improving the Gaussian mechanism for differential privacy", ICML 2018."""
    for noise in (1.0, 5.0, 40.0):
        epsilon, shift = epsilon_of([Entry("one", noise)], 1e-6), 1.0 / noise
        over = stats.norm.cdf(shift / 2 - epsilon / shift)
        delta = over - math.exp(epsilon) * stats.norm.cdf(-shift / 2 - epsilon / shift)
        assert delta == pytest.approx(1e-6, rel=0.02)


def test_gaussians_of_all_rows_add_up_by_their_squares() -> None:
    apart = [Entry("a", 6.0), Entry("b", 8.0, times=4)]
    together = Entry("both", 1 / math.sqrt(1 / 36 + 4 / 64))
    assert epsilon_of(apart, 1e-6) == pytest.approx(epsilon_of([together], 1e-6), rel=1e-3)


def test_nothing_bought_costs_nothing_and_thresholds_cost_delta() -> None:
    assert epsilon_of([Entry("never", 1.0, times=0)], 1e-6) == 0
    plain, less = Entry("counts", 20.0), Entry("counts", 20.0, delta=5e-7)
    assert epsilon_of([less], 1e-6) == pytest.approx(epsilon_of([plain], 5e-7), rel=1e-6)
    assert epsilon_of([Entry("counts", 20.0, delta=1e-6)], 1e-6) == math.inf


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0])
def test_noise_is_scaled_to_the_budget_from_below(epsilon: float) -> None:
    wanted = [Entry("counts", 20.0, times=15), Entry("steps", 1.0, 0.01, 1_000)]
    scale = scale_for(wanted, epsilon, 1e-6)
    spent = epsilon_of([entry.scaled(scale) for entry in wanted], 1e-6)
    assert 0.997 * epsilon <= spent <= epsilon


def test_a_budget_that_cannot_do_is_refused_with_one_that_could() -> None:
    fixed = [Entry("counts", 1.0)]
    least = epsilon_of(fixed, 1e-6)
    with pytest.raises(ParameterError, match=rf"more than {least:.3g} would do"):
        scale_for([Entry("steps", 1.0)], 0.5, 1e-6, fixed)
    with pytest.raises(ParameterError, match="no epsilon would do"):
        scale_for([Entry("steps", 1.0, delta=1e-5)], 0.5, 1e-6)
    with pytest.raises(ParameterError, match=rf"at least {least:.4g}"):
        Ledger.of(Privacy(epsilon=0.5), fixed)


def test_a_ledger_sells_what_was_planned_and_no_more() -> None:
    budget = Privacy(epsilon=1.0)
    ledger = Ledger.open(budget, [Entry("ages", 1.0, times=2), Entry("steps", 1.0, 0.01, 100)])
    assert ledger.epsilon_spent == 0 and ledger.entries == ()
    first = ledger.buy("ages")
    assert 0 < ledger.epsilon_spent < 1
    ledger.buy("steps", 40)
    assert [(entry.what, entry.times) for entry in ledger.entries] == [("ages", 1), ("steps", 40)]
    ledger.buy("ages")
    with pytest.raises(LedgerError, match="planned 2 times"):
        ledger.buy("ages")
    with pytest.raises(LedgerError, match="planned 100 times"):
        ledger.buy("steps", 61)
    with pytest.raises(LedgerError, match="never planned"):
        ledger.buy("names")
    ledger.buy("steps", 60)
    assert 0.997 <= ledger.epsilon_spent <= 1
    assert ledger.delta == 1e-6 and ledger.unit is None and first.mechanism == "Gaussian"


def test_a_purchase_in_fewer_answers_costs_what_was_planned() -> None:
    plan = [Entry("ages", 30.0), Entry("pairs", 40.0, times=50), Entry("steps", 1.0, 0.01, 9)]
    usual, fewer = (Ledger(Privacy(epsilon=9.0), plan) for _ in range(2))
    usual.buy("pairs", 50)
    assert fewer.spend("pairs", 2) == Entry("pairs", 8.0, times=2)
    assert fewer.entries == (Entry("pairs", 8.0, times=2),)
    assert fewer.epsilon_spent == pytest.approx(usual.epsilon_spent, rel=1e-3)
    fewer.buy("steps", 2)
    for what, times in (("pairs", 1), ("ages", 2), ("ages", 0), ("steps", 3)):
        with pytest.raises(LedgerError, match="cannot be all"):
            fewer.spend(what, times)


def test_two_purchases_of_one_name_are_a_defect() -> None:
    with pytest.raises(LedgerError, match="one name"):
        Ledger(Privacy(epsilon=9.0), [Entry("ages", 9.0), Entry("ages", 8.0)])


def test_noise_of_counts_never_falls_below_that_of_whole_numbers() -> None:
    ledger = Ledger.open(Privacy(epsilon=50.0), [Entry("ages", 1.0), Entry("rows", 2.0)])
    assert ledger.buy("ages").noise == 1.0 and ledger.buy("rows").noise >= 1.0
    assert ledger.epsilon_spent <= 50


def test_a_ledger_goes_through_json() -> None:
    budget = Privacy(epsilon=2.0, unit="customer", rows_per_unit=3, public_rows=True)
    plan = [Entry("ages", 9.0, delta=1e-8), Entry("steps", 2.0, 0.01, 10)]
    ledger = Ledger(budget, plan, for_tests=True)
    ledger.buy("ages")
    again = Ledger.from_dict(json.loads(json.dumps(ledger.to_dict())))
    assert again.entries == ledger.entries and again.budget == budget and again.for_tests
    assert again.epsilon_spent == pytest.approx(ledger.epsilon_spent)
    assert again.unit == "customer"
    assert "threshold" in again.to_dict()["entries"][0]["mechanism"]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": math.inf}, "epsilon"),
        ({"epsilon": True}, "epsilon"),
        ({"epsilon": "1"}, "epsilon"),
        ({"epsilon": 1, "delta": 0}, "delta"),
        ({"epsilon": 1, "delta": 0.1}, "delta"),
        ({"epsilon": 1, "unit": 3}, "unit"),
        ({"epsilon": 1, "unit": "u", "rows_per_unit": 0}, "rows_per_unit"),
        ({"epsilon": 1, "rows_per_unit": 4}, "rows_per_unit: expected 1"),
        ({"epsilon": 1, "public_rows": 1}, "public_rows"),
    ],
)
def test_budgets_out_of_range_are_refused(values: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        Privacy(**values)  # type: ignore[arg-type]


def test_every_problem_of_a_budget_is_told_at_once() -> None:
    with pytest.raises(ParameterError, match=r"epsilon(.|\n)*delta"):
        Privacy(epsilon=-1, delta=2)
    with pytest.raises(ParameterError, match=r"expected .*, found eps"):
        Privacy.from_dict({"eps": 1})
    with pytest.raises(ParameterError, match="found none"):
        Privacy.from_dict({"delta": 1e-6})


def test_a_mechanism_without_noise_is_none() -> None:
    for values in ({"noise": 0.0}, {"noise": 1.0, "rate": 0.0}, {"noise": math.inf}):
        with pytest.raises(ValueError, match="no mechanism"):
            Entry("x", **values)


@pytest.mark.parametrize("deviation", [1.0, 3.7, 40.0])
def test_whole_noise_is_a_discrete_gaussian(deviation: float) -> None:
    drawn = Noise(seed=1).whole(200_000, deviation)
    span = np.arange(-int(12 * deviation), int(12 * deviation) + 1)
    weights = np.exp(-(span**2) / (2 * deviation**2))
    weights /= weights.sum()
    few = weights * len(drawn) >= 10
    found = np.bincount(drawn - span[0], minlength=len(span))
    told = stats.chisquare(
        [*found[few], found[~few].sum()],
        [*(weights[few] * len(drawn)), weights[~few].sum() * len(drawn)],
    )
    assert told.pvalue > 1e-3


def tail(deviation: float, start: float) -> float:
    """The chance of a discrete Gaussian, in parts of a row, from `start` rows on."""
    span = np.arange(-int(12 * deviation * ROW_PARTS), int(12 * deviation * ROW_PARTS) + 1)
    weights = np.exp(-0.5 * np.square(span / (deviation * ROW_PARTS)))
    return float(weights[span >= start * ROW_PARTS - 1e-9].sum() / weights.sum())


@pytest.mark.parametrize("deviation", [1.0, 4.3, 30.0])
def test_noise_in_parts_reveals_what_is_paid_for(deviation: float) -> None:
    """Its delta by theorem 7 of Canonne, Kamath and Steinke, against that of a continuous one."""
    epsilon = epsilon_of([Entry("a count", deviation)], 1e-6)
    shift = epsilon * deviation**2
    delta = tail(deviation, shift - 0.5) - math.exp(epsilon) * tail(deviation, shift + 0.5)
    assert 0.95e-6 <= delta <= 1.02e-6


@pytest.mark.parametrize("deviation", [1.0, 4.3, 30.0])
@pytest.mark.parametrize("rows", [1, 5])
def test_what_one_unit_alone_has_is_shown_with_a_chance_of_delta(
    deviation: float, rows: int
) -> None:
    least = shown_from(deviation, 1e-6, rows)
    chance = tail(deviation, least - rows)
    assert 0.9e-6 <= rows * chance <= 1e-6


def test_real_noise_is_gaussian_and_shares_are_even() -> None:
    noise = Noise(seed=2)
    assert stats.kstest(noise.real(100_000, 2.5), stats.norm(scale=2.5).cdf).pvalue > 1e-3
    shares = noise.shares(100_000)
    assert stats.kstest(shares, "uniform").pvalue > 1e-3
    assert shares.min() > 0 and shares.max() < 1


def test_poisson_draws_vary_in_size_and_take_each_unit_by_itself() -> None:
    noise = Noise(seed=3)
    draws = [noise.draw(1_000, 0.1) for _ in range(400)]
    sizes = np.array([len(draw) for draw in draws])
    assert sizes.mean() == pytest.approx(100, abs=3) and sizes.var() == pytest.approx(90, rel=0.25)
    taken = np.bincount(np.concatenate(draws), minlength=1_000)
    assert stats.chisquare(taken).pvalue > 1e-3
    assert all((np.diff(draw) > 0).all() for draw in draws)


def test_secret_noise_comes_from_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    assert Noise(seed=0).whole(5, 2.0).tolist() == Noise(seed=0).whole(5, 2.0).tolist()
    assert Noise().real(50, 1.0).tolist() != Noise().real(50, 1.0).tolist()
    monkeypatch.setattr("os.urandom", entropy)
    Noise().shares(10)
    assert asked == [80] and Noise().is_secret and not Noise(seed=0).is_secret


def test_whole_noise_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Noise().whole(3, 0.5)
