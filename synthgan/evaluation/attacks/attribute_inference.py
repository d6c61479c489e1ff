"""Attribute inference: a secret column of a real row, read off the synthetic row next to it.

The attacker knows all other columns of a target, looks for the nearest synthetic row by them and
guesses its value of the secret: right if the category is the same, or if a number lies within 5 %
of the guess (a moment: within 5 % of the real column's span). The baseline guesses the secret of a
random synthetic row. After Giomi et al. (PoPETs 2023), section 5.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.evaluation.attacks.rates import Count, figures, untaken
from synthgan.evaluation.attacks.scene import Scene, Sight, count_worked
from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Codes, Floats, NumberColumn
from synthgan.evaluation.reference import Reference

MOST_SECRETS = 30
TOLERANCE = 0.05

Mask = NDArray[np.bool_]


def attribute_inference(
    reference: Reference, scene: Scene, places: list[int], sight: Sight
) -> dict[str, Any]:
    """The attack on the secret columns.

    Parameters
    ----------
    reference : Reference
        The real table.
    scene : Scene
        The rows of the attack.
    places : list of int
        The `secrets`.
    sight : Sight
        The nearest synthetic rows, by all columns but each of these.

    Returns
    -------
    dict
        ``columns``: for each secret as `figures`; ``worst``: the same of the column whose risk is
        surest, and its name at ``column``; ``secrets``: how they were chosen; ``rows``: the
        synthetic rows that were searched.
    """
    candidates, targets = scene.candidates, scene.targets
    if not places or len(candidates.columns) == 1:
        reason = "no secret to guess by other columns: one column only, or all are constant"
        return {"columns": {}, "worst": {"column": None, **untaken(reason)}, "reason": reason}
    columns = {}
    for turn, place in enumerate(places):
        blind = scene.rng.integers(0, candidates.rows, targets.rows)
        control = None
        if scene.controls is not None and sight.control is not None:
            control = _count(candidates, sight.control[:, turn], scene.controls, place)
        columns[candidates.names[place]] = figures(
            _count(candidates, sight.main[:, turn], targets, place),
            _count(candidates, blind, targets, place),
            control,
        )
    worst = max(columns, key=lambda name: _weight(columns[name]))
    return {
        "columns": columns,
        "worst": {"column": worst, **columns[worst]},
        "secrets": _words(reference, len(places)),
        "rows": candidates.rows,
    }


def secrets(reference: Reference) -> list[int]:
    """Places of the columns to attack: the target first, then those hardest to guess blindly.

    How easily a column is guessed is the chance that two random real rows agree (categories by
    level, numbers by ten bins of equal width); where they always do there is no secret.
    """
    real = reference.real
    shares = [np.bincount(each.codes) / real.rows for each in real.prepared]
    chances = {place: float((share**2).sum()) for place, share in enumerate(shares)}
    hidden = [place for place in chances if np.count_nonzero(shares[place]) > 1]
    order = sorted(
        hidden, key=lambda place: (real.names[place] != reference.target, chances[place])
    )
    return order[:MOST_SECRETS]


def all_others(columns: int, places: list[int]) -> Mask:
    """Views through all columns but one, for each of some places.

    Examples
    --------
    >>> all_others(3, [1])
    array([[ True, False,  True]])
    """
    views: Mask = np.arange(columns)[None, :] != np.array(places, dtype=np.int64)[:, None]
    return views


def is_right(candidates: Coded, rows: Codes, targets: Coded, place: int) -> Mask:
    """Whether a column's value in some candidates is that of the targets.

    Parameters
    ----------
    candidates, targets : Coded
        Synthetic rows, and the rows whose secrets are guessed.
    rows : array of int64 of shape (n_targets,)
        The candidate whose value is the guess, for each target.
    place : int
        The column.

    Returns
    -------
    array of bool of shape (n_targets,)
        Null is right for null only; a category that the real table never held is never right.
    """
    guesses, truth = candidates.prepared[place], targets.prepared[place]
    column = candidates.columns[place]
    if guesses.values is None or truth.values is None:
        codes = guesses.codes[rows]
        same: Mask = (codes == truth.codes) & (codes != column.size - 1)
        return same
    guessed, true = guesses.values[rows], truth.values
    allowed = TOLERANCE * np.abs(guessed)
    if isinstance(column, NumberColumn) and _is_moment(column.type):
        allowed = np.full(len(rows), TOLERANCE * _span(column.unique))
    # Halved, because the whole difference may be more than a float can say.
    near: Mask = np.abs(guessed / 2 - true / 2) <= allowed / 2
    return near | (np.isnan(guessed) & np.isnan(true))


def _is_moment(kind: Any) -> bool:
    return bool(pa.types.is_temporal(kind) and not pa.types.is_duration(kind))


def _span(ordered: Floats) -> float:
    return float(ordered[-1] - ordered[0]) if len(ordered) else 0.0


def _count(candidates: Coded, rows: Codes, targets: Coded, place: int) -> Count:
    return count_worked(is_right(candidates, rows, targets, place))


def _weight(found: dict[str, Any]) -> tuple[float, float]:
    """By the lower end of the risk, for the greatest of many risks is great by chance alone."""
    if found["risk"] is None:
        return found["interval"][0] - found["baseline_rate"], 0.0
    return found["risk_interval"][0], found["risk"]


def _words(reference: Reference, taken: int) -> str:
    if taken < MOST_SECRETS:
        return "every column that is not constant; all others are known"
    first = "the target, and " if reference.target is not None else ""
    return f"{first}the columns hardest to guess blindly, {taken} in all; all others are known"
