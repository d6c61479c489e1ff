"""The ledger: what was bought from a budget. Whoever reads rows asks it first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any, Self

from synthgan.errors import ParameterError
from synthgan.privacy.accounting import Entry, epsilon_of, scale_for
from synthgan.privacy.budget import Privacy

# deviation of counts, in what one unit moves them by: with less, one look tells most units apart,
# whatever delta makes of it
LEAST_NOISE = 1.0


class LedgerError(RuntimeError):
    """A purchase that was never planned: a defect of the program, and never the user's."""


class Ledger:
    """What a model learned from rows, and what that cost.

    All purchases are planned before the first row is read, with as much noise as brings their sum
    to the budget. Then each is made by its name, no more often than planned.

    Parameters
    ----------
    budget : Privacy
        What may be spent.
    planned : sequence of Entry
        Everything that may be bought, each under a name of its own.
    for_tests : bool, default False
        Whether the noise can be foreseen, so that nothing is protected.

    Examples
    --------
    >>> budget = Privacy(epsilon=1.0)
    >>> ledger = Ledger.open(budget, [Entry("rows", noise=4.0), Entry("ages", noise=1.0)])
    >>> ledger.buy("ages").noise < ledger.buy("rows").noise
    True
    >>> round(ledger.epsilon_spent, 2), [entry.what for entry in ledger.entries]
    (1.0, ['rows', 'ages'])
    """

    def __init__(
        self, budget: Privacy, planned: Sequence[Entry], *, for_tests: bool = False
    ) -> None:
        names = [entry.what for entry in planned]
        if len(set(names)) != len(names):
            raise LedgerError(f"two purchases have one name: {sorted(names)}")
        self.budget, self.for_tests = budget, for_tests
        self._planned = {entry.what: entry for entry in planned}
        self._times = dict.fromkeys(names, 0)

    @classmethod
    def open(
        cls,
        budget: Privacy,
        wanted: Sequence[Entry],
        fixed: Sequence[Entry] = (),
        *,
        for_tests: bool = False,
    ) -> Self:
        """A ledger whose plan comes to the budget.

        Parameters
        ----------
        budget : Privacy
            What may be spent.
        wanted : sequence of Entry
            Purchases with noise in the proportions that are wanted; all are scaled alike. One
            whose noise would be below that of whole numbers gets that, and stays within the budget.
        fixed : sequence of Entry
            Purchases that are made as they are.
        for_tests : bool, default False
            Whether the noise can be foreseen.

        Raises
        ------
        ParameterError
            If no noise is enough.
        """
        scale = scale_for(wanted, budget.epsilon, budget.delta, fixed)
        scaled = [entry.scaled(scale) for entry in wanted]
        enough = [
            replace(entry, noise=max(entry.noise, LEAST_NOISE)) if entry.rate == 1 else entry
            for entry in scaled
        ]
        return cls.of(budget, [*fixed, *enough], for_tests=for_tests)

    @classmethod
    def of(cls, budget: Privacy, planned: Sequence[Entry], *, for_tests: bool = False) -> Self:
        """A ledger of purchases with all their noise settled.

        Raises
        ------
        ParameterError
            If the plan costs more than the budget.
        """
        if (cost := epsilon_of(planned, budget.delta)) > budget.epsilon:
            raise ParameterError(
                f"epsilon: expected a budget of at least {cost:.4g} for what is to be learned, "
                f"found {budget.epsilon:g}"
            )
        return cls(budget, planned, for_tests=for_tests)

    def buy(self, what: str, times: int = 1) -> Entry:
        """Make a purchase, some or all of the times that it was planned.

        Raises
        ------
        LedgerError
            If it was not planned, or not so often.
        """
        entry = self.planned(what)
        if self._times[what] + times > entry.times:
            raise LedgerError(f"{what!r} was planned {entry.times} times, and no more")
        self._times[what] += times
        self.__dict__.pop("epsilon_spent", None)
        return entry

    def spend(self, what: str, times: int) -> Entry:
        """Make all of a purchase in fewer answers than planned, each with less noise.

        However few they are, together they are one Gaussian mechanism of the sensitivity and noise
        that the planned ones have together: so that earlier answers may decide how many.

        Raises
        ------
        LedgerError
            If it was not planned so often, was begun, or is on draws.
        """
        entry = self.planned(what)
        if self._times[what] or entry.rate < 1 or not 0 < times <= entry.times:
            raise LedgerError(f"{what!r}: {times} answers cannot be all of {entry!r}")
        noise = entry.noise * math.sqrt(times / entry.times)
        self._planned[what] = replace(entry, noise=max(noise, LEAST_NOISE), times=times)
        return self.buy(what, times)

    def __contains__(self, what: object) -> bool:
        """Whether a purchase is planned."""
        return what in self._planned

    def planned(self, what: str) -> Entry:
        """A purchase as it is planned.

        Raises
        ------
        LedgerError
            If it is not.
        """
        if what not in self._planned:
            raise LedgerError(f"{what!r} was never planned; planned are {sorted(self._planned)}")
        return self._planned[what]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was bought, in the order of the plan."""
        return tuple(
            replace(entry, times=self._times[what])
            for what, entry in self._planned.items()
            if self._times[what]
        )

    @cached_property
    def epsilon_spent(self) -> float:
        """Epsilon of all that was bought, at the budget's delta."""
        return epsilon_of(self.entries, self.budget.delta)

    @property
    def delta(self) -> float:
        """The chance that is left out."""
        return self.budget.delta

    @property
    def unit(self) -> str | None:
        """The column of units; None where each row is one."""
        return self.budget.unit

    def to_dict(self) -> dict[str, Any]:
        """What was bought, in JSON's own types."""
        return {
            "budget": self.budget.to_dict(),
            "epsilon_spent": self.epsilon_spent,
            "for_tests": self.for_tests,
            "entries": [{**asdict(entry), "mechanism": entry.mechanism} for entry in self.entries],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`, of which everything is spent; it asks no accountant."""
        entries = [
            Entry(**{name: each[name] for name in ("what", "noise", "rate", "times", "delta")})
            for each in told["entries"]
        ]
        ledger = cls(Privacy.from_dict(told["budget"]), entries, for_tests=told["for_tests"])
        for entry in entries:
            ledger.buy(entry.what, entry.times)
        ledger.__dict__["epsilon_spent"] = told["epsilon_spent"]
        return ledger
