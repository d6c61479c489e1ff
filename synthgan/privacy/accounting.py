"""What mechanisms reveal together: dp-accounting's answers, and the noise that a budget needs.

Two tables are neighbours if one has one unit more than the other. All entries compose: none may
depend on a table but through what earlier ones have shown.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from synthgan.errors import MissingExtraError, ParameterError

# how near to the budget calibration comes from below, as a share of epsilon
CLOSE = 1e-3
# scales of noise that are tried
LEAST_SCALE, MOST_SCALE = 2.0**-10, 2.0**20
# above this epsilon there is no promise, and privacy loss distributions take much memory
MOST_EPSILON = 64.0
# the step of a privacy loss distribution, and as a share of an upper bound on epsilon
LEAST_STEP, STEP = 1e-4, 1e-4
PLD, RDP = "pld", "rdp"


@dataclass(frozen=True, slots=True)
class Entry:
    """One purchase: a mechanism of Gaussian noise, so many times.

    Attributes
    ----------
    what : str
        What was learned, for people to read.
    noise : float
        Standard deviation of the noise, over the most that one unit moves the answer (L2).
    rate : float
        The chance with which each unit is in a draw, by itself (Poisson); 1 for all of them.
    times : int
        How often the mechanism ran, each time on a new draw.
    delta : float
        The chance that the mechanism may fail outright, in all runs together: that of a threshold.
    """

    what: str
    noise: float
    rate: float = 1.0
    times: int = 1
    delta: float = 0.0

    def __post_init__(self) -> None:
        right = (
            self.noise > 0
            and math.isfinite(self.noise)
            and 0 < self.rate <= 1
            and self.times >= 0
            and 0 <= self.delta < 1
        )
        if not right:
            raise ValueError(f"no mechanism: {self!r}")

    def scaled(self, scale: float) -> Self:
        """The same with so many times the noise."""
        return type(self)(self.what, self.noise * scale, self.rate, self.times, self.delta)

    @property
    def mechanism(self) -> str:
        """Its name."""
        named = "Gaussian" if self.rate == 1 else "Gaussian on Poisson draws"
        return f"{named} with a threshold" if self.delta else named


def epsilon_of(entries: Sequence[Entry], delta: float, accountant: str = PLD) -> float:
    """Epsilon that all entries come to together.

    Parameters
    ----------
    entries : sequence of Entry
        What was bought.
    delta : float
        The chance to be left out; what thresholds need of it is taken off first.
    accountant : {"pld", "rdp"}, default "pld"
        Privacy loss distributions [1]_, which are tight and round up, or Renyi divergences [2]_,
        which are quick.

    Returns
    -------
    float
        Infinite if the thresholds alone need more than `delta`.

    Raises
    ------
    MissingExtraError
        Without dp-accounting.

    References
    ----------
    .. [1] Koskela, Jalko and Honkela, "Computing tight differential privacy guarantees using FFT",
       AISTATS 2020; Doroshenko et al., "Connect the dots", PoPETs 2022.
    .. [2] Mironov, "Renyi differential privacy", CSF 2017; Zhu and Wang, "Poisson subsampled Renyi
       differential privacy", ICML 2019.

    Examples
    --------
    >>> round(epsilon_of([Entry("a count", noise=10.0)], delta=1e-6), 2)
    0.4
    """
    left = delta - sum(entry.delta for entry in entries)
    if left <= 0:
        return math.inf
    dp = _dp_accounting()
    with _quiet():
        bound = _composed(dp, dp.rdp.RdpAccountant(), entries, left)
        if accountant == RDP or bound > MOST_EPSILON:
            return bound
        step = max(LEAST_STEP, STEP * bound)
        tight = dp.pld.PLDAccountant(value_discretization_interval=step)
        return min(bound, _composed(dp, tight, entries, left))


def _composed(dp: Any, accountant: Any, entries: Sequence[Entry], delta: float) -> float:
    # Gaussians on all units come to one, whose precision is the sum of theirs
    precision = sum(entry.times / entry.noise**2 for entry in entries if entry.rate == 1)
    if precision:
        accountant.compose(dp.GaussianDpEvent(precision**-0.5))
    for entry in entries:
        if entry.times and entry.rate < 1:
            gaussian = dp.GaussianDpEvent(entry.noise)
            accountant.compose(dp.PoissonSampledDpEvent(entry.rate, gaussian), entry.times)
    return float(accountant.get_epsilon(delta))


def scale_for(
    entries: Sequence[Entry],
    epsilon: float,
    delta: float,
    fixed: Sequence[Entry] = (),
) -> float:
    """By how much the noise of some entries has to be scaled to come to an epsilon.

    Parameters
    ----------
    entries : sequence of Entry
        What is to be bought, with noise in the proportions that are wanted.
    epsilon, delta : float
        The budget.
    fixed : sequence of Entry
        What is bought beside it as it is.

    Returns
    -------
    float
        The least scale found whose epsilon, by PLD, is within the budget, at most a thousandth
        below it.

    Raises
    ------
    ParameterError
        If no noise is enough: what is fixed, or the thresholds, need all of the budget or more.
    MissingExtraError
        Without dp-accounting.

    Examples
    --------
    >>> round(scale_for([Entry("counts", noise=1.0, times=10)], epsilon=1.0, delta=1e-6), 1)
    13.4
    """

    def spent(scale: float, accountant: str = PLD) -> float:
        every = [*fixed, *(entry.scaled(scale) for entry in entries)]
        return epsilon_of(every, delta, accountant)

    if spent(MOST_SCALE) > epsilon:
        least = epsilon_of(fixed, delta) if fixed else math.inf
        told = "no epsilon would do" if math.isinf(least) else f"more than {least:.3g} would do"
        raise ParameterError(
            f"epsilon: expected a budget that pays for what is to be learned, found {epsilon:g}; "
            f"with delta={delta:g} {told}"
        )
    # Renyi divergences bound what is spent, so that they find the safe side quickly
    rough = _least_scale(lambda scale: spent(scale, RDP), epsilon, LEAST_SCALE, MOST_SCALE)
    low = rough / 1.5
    while spent(low) <= epsilon and low > LEAST_SCALE:
        low /= 2.0
    return _least_scale(spent, epsilon, low, rough)


def _least_scale(spent: Callable[[float], float], epsilon: float, low: float, high: float) -> float:
    """Where what is spent, which falls from `low` to `high`, passes epsilon; on the safe side.

    By halves where the ends are far apart, else where a straight line between them, of logarithms,
    passes: what is spent is nearly a power of the noise.
    """
    ends = [spent(low), spent(high)]
    while high / low > 1.0 + CLOSE / 4 and ends[1] < epsilon * (1.0 - CLOSE):
        middle = math.sqrt(low * high)
        if high / low < 4.0 and all(map(math.isfinite, ends)):
            wanted = math.log(ends[0] / (epsilon * (1.0 - CLOSE / 2)))
            share = wanted / math.log(ends[0] / ends[1])
            # well inside, so that both ends move
            middle = low * (high / low) ** min(max(share, 0.01), 0.99)
        found = spent(middle)
        if found > epsilon:
            low, ends[0] = middle, found
        else:
            high, ends[1] = middle, found
    return high


def _dp_accounting() -> Any:
    try:
        import dp_accounting
        from dp_accounting import pld, rdp  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "privacy: expected the package dp-accounting, found none; "
            'install it with: pip install "synthgan[privacy]"'
        ) from error
    return dp_accounting


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings of orders for which a Renyi divergence was not found: others are."""
    level = logging.getLogger("absl").level
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger("absl").setLevel(level)
