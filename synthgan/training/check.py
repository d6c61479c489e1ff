"""What is found when the present state of a game is judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """How good the present state is, and what it lacks.

    Attributes
    ----------
    quality : float
        Minus an error against real rows: higher is better, 0 is perfect.
    lost : float
        Share of the real rows that live in a category, region or cluster of rows that the state
        hardly ever draws, beyond chance.
    parts : tuple of str
        The largest of these, in words.
    membership : float
        AUC of an attack that tells rows trained on from rows held out; 0.5 if nobody attacked.
    """

    quality: float
    lost: float = 0.0
    parts: tuple[str, ...] = ()
    membership: float = 0.5

    @property
    def worth(self) -> float:
        """What states are ranked by: a lost part weighs as much as an error of its size.

        Examples
        --------
        >>> Check(-0.02).worth > Check(-0.015, lost=0.02).worth
        True
        """
        return self.quality - self.lost
