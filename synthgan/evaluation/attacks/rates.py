"""Success rates of attacks, and the risk that is left once the control attack is taken off.

Every attack is made three times: against the real rows with the synthetic table at hand (main),
against real rows that the generator never saw (control), and by guessing at random (baseline).
What the main attack wins over the control is what the synthetic table tells about the very rows
it was made from; what both win is true of people in general.

The definitions are those of Giomi, Boenisch, Wehmeyer and Tasnádi, "A Unified Framework for
Quantifying Privacy Risk in Synthetic Data" (PoPETs 2023), section 4: rates by the Wilson score
interval at 95 %, risk (main - control) / (1 - control) with the propagated error.
"""

from __future__ import annotations

from math import hypot, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

CONFIDENCE = 0.95
# Standard errors to either side of an estimate that its interval takes.
REACH = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

NO_HOLDOUT = "no holdout: the control attack needs real rows that the generator never saw"


class Rate(NamedTuple):
    """A rate or a risk, with its error to both sides.

    Attributes
    ----------
    value : float
        The estimate; a risk may be negative here.
    error : float
        Half the width of its 95 % interval.
    """

    value: float
    error: float

    @property
    def bound(self) -> float:
        """The estimate, not outside [0, 1]."""
        return min(max(self.value, 0.0), 1.0)

    @property
    def interval(self) -> list[float]:
        """Both ends of the interval, not outside [0, 1]."""
        ends = self.value - self.error, self.value + self.error
        return [min(max(end, 0.0), 1.0) for end in ends]


class Count(NamedTuple):
    """How often an attack was tried, and how often it worked.

    Attributes
    ----------
    successes : float
        Whole, like the tries, but for a control that was brought to another number of rows.
    attacks : float
        The number of tries.
    """

    successes: float
    attacks: float


def success_rate(count: Count) -> Rate:
    """Rate of successes by the Wilson score interval: its middle and half its width.

    Parameters
    ----------
    count : Count
        At least one attack.

    Returns
    -------
    Rate
        Both lie in [0, 1]. The middle is a little nearer to 1/2 than the plain share.

    Examples
    --------
    >>> success_rate(Count(0, 500)).interval[0]
    0.0
    >>> round(success_rate(Count(50, 100)).value, 3)
    0.5
    """
    successes, attacks = count
    total = attacks + REACH**2
    spread = successes * (attacks - successes) / attacks + REACH**2 / 4
    return Rate((successes + REACH**2 / 2) / total, REACH * sqrt(spread) / total)


def residual(main: Rate, control: Rate) -> Rate:
    """Risk: what the main attack wins of all that the control attack leaves.

    Parameters
    ----------
    main, control : Rate
        Success rates; the control's lies below 1.

    Returns
    -------
    Rate
        (main - control) / (1 - control), with the propagated errors of both.

    Examples
    --------
    >>> residual(Rate(0.75, 0.0), Rate(0.5, 0.0))
    Rate(value=0.5, error=0.0)
    """
    left = 1 - control.value
    of_main = main.error / left
    of_control = control.error * (1 - main.value) / left**2
    return Rate((main.value - control.value) / left, hypot(of_main, of_control))


def figures(main: Count, baseline: Count, control: Count | None) -> dict[str, Any]:
    """All figures of one attack, ready for JSON.

    Parameters
    ----------
    main, baseline, control : Count
        The three attacks; no control where there is no holdout.

    Returns
    -------
    dict
        Keys ``rate``, ``control_rate``, ``baseline_rate`` and ``risk`` with an interval each, and
        the number of attacks. Without a control its figures and the risk are None, and ``reason``
        says why.

    Examples
    --------
    >>> figures(Count(3, 10), Count(0, 10), None)["reason"]
    'no holdout: the control attack needs real rows that the generator never saw'
    """
    rate, blind = success_rate(main), success_rate(baseline)
    held = None if control is None else success_rate(control)
    risk = None if held is None else residual(rate, held)
    result = {
        "rate": rate.value,
        "interval": rate.interval,
        "control_rate": None if held is None else held.value,
        "control_interval": None if held is None else held.interval,
        "baseline_rate": blind.value,
        "baseline_interval": blind.interval,
        "risk": None if risk is None else risk.bound,
        "risk_interval": None if risk is None else risk.interval,
        "attacks": main.attacks,
        "control_attacks": None if control is None else control.attacks,
    }
    return result if control is not None else {**result, "reason": NO_HOLDOUT}


def untaken(reason: str) -> dict[str, Any]:
    """The same keys with nothing in them, where an attack cannot be made.

    Examples
    --------
    >>> untaken("one column only")["rate"] is None
    True
    """
    empty = dict.fromkeys(figures(Count(0, 1), Count(0, 1), Count(0, 1)))
    return {**empty, "attacks": 0, "control_attacks": 0, "reason": reason}
