"""Which parts of the real table a synthetic one lost, beyond what chance would miss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.columns import Codes, Floats

FEW = 0.1  # a part with fewer than this share of its expected rows is lost ...
CHANCE = 0.01  # ... if that happens by chance in fewer than this share of tables, over all parts
LISTED = 20

_FAITH = 5  # where there are few such parts, the shape is drawn towards 0
_HOPELESS = 1e-3  # a part that would be empty by chance more often than this is never lost


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows in the parts of two tables, and the parts that are lost.

    Attributes
    ----------
    real, found : array of int64 of shape (n_parts,)
        Real and synthetic rows of each part.
    rows : tuple of int
        Real and synthetic rows that were counted.
    lost : array of bool of shape (n_parts,)
        See `compare`.
    """

    real: Codes
    found: Codes
    rows: tuple[int, int]
    lost: NDArray[np.bool_]

    def summary(self) -> dict[str, Any]:
        """How many parts there are and are missed, beside what chance alone would miss.

        A fresh sample of m rows misses a part with c of n real rows with probability
        (n / (n + m)) ** (c + a): Poisson counts whose rates follow a gamma law. Its shape a is
        estimated from the parts of one and of two rows, for Good's rate of the former, twice their
        ratio, is 1 + a (Good, "The population frequencies of species", Biometrika 1953).
        """
        held = self.real[self.real > 0]
        n, m = self.rows
        ones, twos = int((held == 1).sum()), int((held == 2).sum())
        shape = (2 * twos + _FAITH) / (ones + _FAITH) - 1
        return {
            "real": len(held),
            "missing": int(((self.real > 0) & (self.found == 0)).sum()),
            "missing_by_chance": float(((n / (n + m)) ** (held + shape)).sum()),
            "lost_parts": int(self.lost.sum()),
        }

    def shares(self, part: int) -> dict[str, float]:
        """Percentages of the real and of the synthetic rows in a part."""
        n, m = self.rows
        return {
            "real_pct": 100 * int(self.real[part]) / n,
            "synthetic_pct": 100 * int(self.found[part]) / m,
        }

    def largest(self) -> list[int]:
        """At most `LISTED` lost parts, those with most real rows first."""
        lost = np.flatnonzero(self.lost)
        order = np.argsort(-self.real[lost], kind="stable")[:LISTED]
        return [int(part) for part in lost[order]]


def compare(real: Codes, found: Codes, rows: tuple[int, int]) -> Counts:
    """Find the parts that got far fewer synthetic rows than chance explains.

    A part is lost if it got less than a tenth of the rows that its real share promises and a real
    sample of that size would not: with c real and s synthetic rows of n and m, s follows, given
    c + s, a binomial law of chance m / (n + m). Its tail is taken by Chernoff's bound, which is
    exact for s = 0, and held against one percent over all parts that could be lost (Bonferroni).

    Parameters
    ----------
    real, found : array of int64 of shape (n_parts,)
        Real and synthetic rows of each part.
    rows : tuple of int
        Real and synthetic rows in all.

    Examples
    --------
    >>> counts = compare(np.array([2, 500, 500]), np.array([0, 0, 40]), (1_002, 100))
    >>> counts.lost
    array([False,  True, False])
    """
    n, m = rows
    chance = m / (n + m)
    possible = real * np.log1p(-chance) < np.log(_HOPELESS)
    few = found * n < FEW * m * real
    unlikely = _log_tail(found, real + found, chance) < np.log(CHANCE / max(possible.sum(), 1))
    return Counts(real, found, rows, few & possible & unlikely)


def _log_tail(successes: Codes, trials: Codes, chance: float) -> Floats:
    """Chernoff's bound of log P(binomial <= successes): minus trials times the divergence."""
    share = successes / np.maximum(trials, 1)
    below = np.minimum(share, chance)
    won = below * np.log(np.where(below > 0, below, 1) / chance) * (below > 0)
    missed = (1 - below) * np.log((1 - below) / (1 - chance))
    tail: Floats = -trials * (won + missed)
    return tail
