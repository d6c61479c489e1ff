"""What an attack on a private fit shows: a lower bound on epsilon, from one run.

Steinke, Nasr and Jagielski, "Privacy auditing with one (1) training run", NeurIPS 2023: of many
canaries each is put among the rows or not, by a coin. Who sees the model guesses which were, and
says nothing of those he is least sure of. An epsilon under which so many right guesses would be too
lucky is refuted.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

# shares of the canaries that are guessed at; the bound holds for each, and for the best of them
# with as much less confidence
GUESSED = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
MOST_EPSILON = 50.0


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    claimed : float
        Epsilon of the ledger.
    lower_bound : float
        Epsilon that the attack refutes everything below of.
    delta : float
        The chance that both leave out.
    confidence : float
        With which the bound holds.
    canaries, guesses, right : int
        Rows that were put among the table's by a coin, those that were guessed at, and those
        guessed rightly.
    """

    claimed: float
    lower_bound: float
    delta: float
    confidence: float
    canaries: int
    guesses: int
    right: int

    @property
    def passed(self) -> bool:
        """Whether the attack refutes nothing of what is claimed."""
        return self.lower_bound <= self.claimed

    @property
    def surprise(self) -> float:
        """How far right guesses are from even ones, in standard deviations."""
        return (self.right - self.guesses / 2.0) / math.sqrt(self.guesses / 4.0)

    def to_dict(self) -> dict[str, Any]:
        """The figures in JSON's own types."""
        return {**asdict(self), "passed": self.passed}


def lower_bound(
    scores: NDArray[np.float64],
    inside: NDArray[np.bool_],
    claimed: float,
    delta: float,
    confidence: float = 0.95,
) -> Audit:
    """The largest epsilon that an attack refutes.

    Parameters
    ----------
    scores : array of shape (canaries,)
        How much each looks as if it were inside.
    inside : array of bool of shape (canaries,)
        Which were.
    claimed, delta : float
        What the ledger says.
    confidence : float, default 0.95
        With which the bound holds.

    Returns
    -------
    Audit

    Examples
    --------
    >>> inside = np.arange(1000) % 2 == 0
    >>> lower_bound(np.where(inside, 1.0, 0.0), inside, 1.0, 1e-6).passed
    False
    >>> lower_bound(np.arange(1000.0), inside, 1.0, 1e-6).lower_bound
    0.0
    """
    count = len(scores)
    order = np.argsort(-scores, kind="stable")
    chance = (1.0 - confidence) / len(GUESSED)
    found = []
    for share in GUESSED:
        half = max(round(share * count / 2), 1)
        guesses = min(2 * half, count)
        right = int(inside[order[:half]].sum() + (~inside[order[-half:]]).sum())
        bound = _refuted(count, guesses, right, delta, chance)
        found.append(Audit(claimed, bound, delta, confidence, count, guesses, right))
    return max(found, key=lambda each: (each.lower_bound, each.surprise))


def _refuted(canaries: int, guesses: int, right: int, delta: float, chance: float) -> float:
    """By halves: the epsilon at which as many right guesses have just that chance."""
    low, high = 0.0, MOST_EPSILON
    if p_value(canaries, guesses, right, low, delta) >= chance:
        return 0.0
    while high - low > 1e-3:
        middle = (low + high) / 2.0
        if p_value(canaries, guesses, right, middle, delta) < chance:
            low = middle
        else:
            high = middle
    return low


def p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """The chance of as many right guesses, or more, under (epsilon, delta); theorem 5.2."""
    rate = 1.0 / (1.0 + math.exp(-epsilon))
    lucky = float(binom.sf(right - 1, guesses, rate))
    sums = np.cumsum(binom.pmf(right - np.arange(1, right + 1), guesses, rate))
    worst = float((sums / np.arange(1, right + 1)).max(initial=0.0))
    return min(1.0, lucky + 2.0 * canaries * delta * worst)
