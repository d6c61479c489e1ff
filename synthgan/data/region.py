"""What a condition allows in the codes of one column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Region:
    """Allowed options and scalars of one column.

    Attributes
    ----------
    options : ndarray of bool or None
        Which options of the column's choice span are allowed; None if it has no choice span.
    intervals : tuple of (float, float) or None
        Allowed ranges of the column's scalar where it is alive, in order and apart; None for any.
    """

    options: np.ndarray | None = None
    intervals: tuple[tuple[float, float], ...] | None = None
