"""Attacks on the people behind a table: singling out, linkability and attribute inference.

The three risks that European data protection names, measured as Giomi et al. do ("A Unified
Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthgan.evaluation.attacks.attribute_inference import all_others, attribute_inference, secrets
from synthgan.evaluation.attacks.linkability import halves, linkability
from synthgan.evaluation.attacks.scene import draw_scene
from synthgan.evaluation.attacks.singling_out import singling_out
from synthgan.evaluation.coding import Coded
from synthgan.evaluation.reference import Reference

__all__ = ["attacks"]

# Attacks of each kind: on the table that is judged, and on a floor.
ATTACKS, FLOOR_ATTACKS = 500, 200


def attacks(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Attack the real rows with the help of a synthetic table.

    Parameters
    ----------
    reference : Reference
        Real table; with a holdout, every attack has its control.
    found : Coded
        The synthetic table.
    detail : bool
        False for a floor: fewer attacks, and of the secret columns only the worst.

    Returns
    -------
    dict
        ``singling_out``: ``univariate`` and ``multivariate``; ``linkability``;
        ``attribute_inference``: ``columns`` and ``worst``. Each attack has its ``rate``,
        ``control_rate``, ``baseline_rate`` and ``risk`` as fractions, an interval beside each, and
        None with a ``reason`` for what cannot be taken.

    Examples
    --------
    >>> import pyarrow as pa
    >>> real = pa.table({"n": [float(n) for n in range(60)], "town": ["Ulm", "Bonn"] * 30})
    >>> reference = Reference(real.slice(0, 40), real.slice(40), seed=0)
    >>> found = attacks(reference, reference.real)
    >>> found["singling_out"]["univariate"]["risk"] > 0.5
    True
    """
    count = ATTACKS if detail else FLOOR_ATTACKS
    scene, columns = draw_scene(reference, found, attacks=count), len(found.columns)
    places = secrets(reference)
    sight = scene.look(np.concatenate([halves(columns), all_others(columns, places)]))
    guesses = attribute_inference(reference, scene, places, sight.part(slice(2, None)))
    return {
        "singling_out": singling_out(reference, found, attacks=count),
        "linkability": linkability(scene, sight.part(slice(2))),
        "attribute_inference": guesses if detail else {"worst": guesses["worst"]},
    }
