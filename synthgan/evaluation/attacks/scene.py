"""What an attacker who looks for neighbours works with: synthetic rows and targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.attacks.neighbours import nearest
from synthgan.evaluation.attacks.rates import Count
from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Codes
from synthgan.evaluation.reference import Reference

# Synthetic rows that are searched at most, and fewer of a wide table.
MOST_ROWS, MOST_CELLS = 50_000, 1_000_000
_CANDIDATES, _TARGETS, _CONTROLS, _GUESSES = range(610, 614)


@dataclass(frozen=True)
class Scene:
    """The rows of an attack by neighbours.

    Attributes
    ----------
    candidates : Coded
        Synthetic rows, in random order.
    targets : Coded
        Real rows that a generator learned from.
    controls : Coded or None
        Real rows that it never saw.
    rng : numpy.random.Generator
        For the guesses of the baseline.
    """

    candidates: Coded
    targets: Coded
    controls: Coded | None
    rng: np.random.Generator

    def look(self, views: NDArray[np.bool_]) -> Sight:
        """Find the nearest candidate to every target and control, through each view."""
        main = nearest(self.candidates, self.targets, views)
        held = self.controls
        return Sight(main, None if held is None else nearest(self.candidates, held, views))


@dataclass(frozen=True, slots=True)
class Sight:
    """Places of the nearest candidates, each of shape (n_rows, n_views).

    Attributes
    ----------
    main : array of int64
        Those of the targets.
    control : array of int64 or None
        Those of the controls.
    """

    main: Codes
    control: Codes | None

    def part(self, views: slice) -> Sight:
        """Some of the views."""
        return Sight(self.main[:, views], None if self.control is None else self.control[:, views])


def draw_scene(reference: Reference, found: Coded, *, attacks: int) -> Scene:
    """Draw bounded numbers of rows of every table.

    Parameters
    ----------
    reference : Reference
        Real table and holdout.
    found : Coded
        The synthetic table.
    attacks : int
        Targets of each table, where it has as many rows.
    """
    most = min(MOST_ROWS, max(1, MOST_CELLS // len(found.columns)))
    held = reference.holdout
    return Scene(
        candidates=reference.draw(found, most, _CANDIDATES),
        targets=reference.draw(reference.real, attacks, _TARGETS),
        controls=None if held is None else reference.draw(held, attacks, _CONTROLS),
        rng=reference.rng(_GUESSES),
    )


def count_worked(worked: NDArray[np.bool_]) -> Count:
    """How many attacks worked, one for each target."""
    return Count(int(worked.sum()), len(worked))
