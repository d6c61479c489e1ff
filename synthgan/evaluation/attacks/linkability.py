"""Linkability: two halves of a real row, brought together by the synthetic row next to both.

An attacker holds two data sets about the same people, each with other columns. For a target the
nearest synthetic row is looked for by the columns of one half, and again by those of the other;
if both are the same row, the halves are linked. The baseline picks two synthetic rows at random.
After Giomi et al. (PoPETs 2023), section 5.2, with one neighbour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.attacks.rates import Count, figures, untaken
from synthgan.evaluation.attacks.scene import Scene, Sight, count_worked
from synthgan.evaluation.columns import Codes


def halves(columns: int) -> NDArray[np.bool_]:
    """Every other column, and the rest: related columns stand together, and so are parted.

    Examples
    --------
    >>> halves(3)
    array([[ True, False,  True],
           [False,  True, False]])
    """
    first = np.arange(columns) % 2 == 0
    return np.stack([first, ~first])


def linkability(scene: Scene, sight: Sight) -> dict[str, Any]:
    """The attack on targets of the real table.

    Parameters
    ----------
    scene : Scene
        The rows of the attack.
    sight : Sight
        The nearest synthetic rows, by either of the `halves`.

    Returns
    -------
    dict
        As `figures`, with ``columns``, the names in each half, and ``rows``, the synthetic rows
        that were searched.
    """
    names = scene.candidates.names
    if len(names) == 1:
        return untaken("one column only: there are no two halves to link")
    blind = scene.rng.integers(0, scene.candidates.rows, sight.main.shape)
    control = None if sight.control is None else _linked(sight.control)
    return {
        **figures(_linked(sight.main), _linked(blind), control),
        "columns": [names[::2], names[1::2]],
        "rows": scene.candidates.rows,
    }


def _linked(found: Codes) -> Count:
    return count_worked(found[:, 0] == found[:, 1])
