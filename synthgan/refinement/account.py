"""What was learned to refine by, and what it brought: a few figures for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

LEARNED = "learned"
SWITCHED_OFF = "refine=False at fit"


@dataclass(frozen=True, slots=True)
class Refinement:
    """What refining a sample of a model rests on.

    Attributes
    ----------
    state : str
        "learned", or why there is nothing to refine by.
    effective : float
        Share of a pool that is left, as effective sample size, after its rows are weighed: how good
        the generator was. 1 without weights.
    rounds : tuple of float
        For each round of weighing rows of the pool, the nats by which its trees told held-out real
        and generated rows apart.
    last_rounds : tuple of float
        The same for the rows that have been chosen and redrawn.
    columns : dict
        Columns whose cells are drawn anew, with the nats by which held-out real cells are better
        told by trees that learned from real rows than by trees that learned from generated ones.
    trees : int
        In all.
    seconds : float
        What learning took.

    Examples
    --------
    >>> Refinement("learned", 0.9, (0.02,), (), {"income": 0.02}, 60, 5.0).effective
    0.9
    """

    state: str
    effective: float = 1.0
    rounds: tuple[float, ...] = ()
    last_rounds: tuple[float, ...] = ()
    columns: dict[str, float] = field(default_factory=dict)
    trees: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, words and lists."""
        plain = asdict(self)
        return plain | {name: list(plain[name]) for name in ("rounds", "last_rounds")}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`."""
        rounds = {name: tuple(plain[name]) for name in ("rounds", "last_rounds")}
        return cls(**{**plain, **rounds})


OLD_FILE = Refinement("the model is older than refinement")
