"""Noisy counts, and what is made of them without asking the rows again.

All histograms here count each row in one cell, so that one unit moves a count by its rows and no
other by more: the L2 sensitivity is the number of rows of a unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from synthgan.privacy.noise import Noise

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# parts of a row that counts and noise are whole numbers of: so small that the discrete Gaussian
# reveals what the continuous one does, by which it is paid
ROW_PARTS = 256
# the chance that noise alone makes a cell of an empty histogram look filled
FALSE_CELL = 0.01
# orders of magnitude that are told apart, on each side of 1 and of both signs
MOST_EXPONENT = 64
GRADES = 4 * MOST_EXPONENT + 1


def noisy(counts: Integers | Floats, deviation: float, noise: Noise) -> Floats:
    """Counts of rows, or of their `ROW_PARTS`, with noise: those of cells that are empty too."""
    parts = np.rint(counts * ROW_PARTS).astype(np.int64)
    drawn = noise.whole(parts.size, deviation * ROW_PARTS).reshape(parts.shape)
    return np.asarray((parts + drawn) / ROW_PARTS)


def shown_from(deviation: float, delta: float, rows_per_unit: int = 1) -> float:
    """The noisy count from which on a level is shown that is not known to exist.

    A level that only one unit has is shown with a chance of `delta` at most: each of a unit's rows
    may hold another such level, each of which has its share of that chance (Korolova, Kenthapadi,
    Mishra and Ntoulas, "Releasing search queries and clicks privately", WWW 2009).

    Examples
    --------
    >>> round(shown_from(deviation=10.0, delta=1e-6), 1)
    48.5
    """
    # half a part more: of the discrete Gaussian as much lies at most from a part on as of the
    # continuous one from half a part before
    return rows_per_unit + 0.5 / ROW_PARTS + deviation * float(ndtri(1.0 - delta / rows_per_unit))


def filled(counts: Floats, deviation: float) -> NDArray[np.bool_]:
    """Which cells noise alone does not explain; the fullest one in any case."""
    least = deviation * float(ndtri(1.0 - FALSE_CELL / len(counts)))
    found = counts > least
    found[np.argmax(counts)] = True
    return np.asarray(found)


def on_simplex(counts: NDArray[np.float64] | Integers, total: float) -> Floats:
    """The nearest counts that are none below 0 and sum to a total.

    Least squares with these constraints take the noise of empty cells away and keep full ones
    unbiased (Duchi, Shalev-Shwartz, Singer and Chandra, "Efficient projections onto the l1-ball",
    ICML 2008).

    Examples
    --------
    >>> on_simplex(np.array([50, -20, 4, 30]), 80.0).round(1).tolist()
    [48.7, 0.0, 2.7, 28.7]
    """
    given = np.asarray(counts, dtype=np.float64)
    falling = np.sort(given)[::-1]
    over = (np.cumsum(falling) - total) / np.arange(1, len(falling) + 1)
    last = np.flatnonzero(falling > over)[-1]
    return np.asarray(np.maximum(given - over[last], 0.0))


def grades(values: Floats) -> Integers:
    """The order of magnitude of each value, by cells that no table decides.

    Examples
    --------
    >>> grades(np.array([-3.0, 0.0, 0.4, 1.0, 1.9, 2.0])).tolist()
    [62, 128, 191, 193, 193, 194]
    """
    exponent = np.frexp(np.abs(values))[1].astype(np.int64) + MOST_EXPONENT
    # what is too near to 0 to have an order of its own counts as 0
    magnitude = np.where(exponent < 1, 0, np.minimum(exponent, 2 * MOST_EXPONENT))
    return np.asarray(2 * MOST_EXPONENT + np.sign(values).astype(np.int64) * magnitude)


def grade_ends(grade: int) -> tuple[float, float]:
    """The lowest and the highest value of an order of magnitude.

    Examples
    --------
    >>> grade_ends(194), grade_ends(128), grade_ends(62)
    ((2.0, 4.0), (0.0, 0.0), (-4.0, -2.0))
    """
    magnitude = grade - 2 * MOST_EXPONENT
    if not magnitude:
        return 0.0, 0.0
    ends = [2.0 ** (abs(magnitude) - MOST_EXPONENT - at) for at in (1, 0)]
    return (ends[0], ends[1]) if magnitude > 0 else (-ends[1], -ends[0])
