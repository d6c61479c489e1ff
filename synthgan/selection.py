"""Drawn by weights: rows without replacement, as exactly as that can be done, and options."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def inclusion(weights: Floats, count: int) -> Floats:
    """Probabilities with which each row is among `count` that are drawn.

    Proportional to the weights, capped at 1: what a capped row cannot take goes to the others.

    Parameters
    ----------
    weights : ndarray of shape (rows,)
        Above 0.
    count : int
        How many rows are drawn; all of them if there are no more.

    Returns
    -------
    ndarray of shape (rows,)
        They sum to `count`.

    Examples
    --------
    >>> inclusion(np.array([1.0, 1.0, 2.0, 12.0]), 2)
    array([0.25, 0.25, 0.5 , 1.  ])
    """
    if count >= len(weights):
        return np.ones(len(weights))
    falling = -np.sort(-weights)
    # what is left to the rows from each one on, if all above it are certain
    rest = np.cumsum(falling[::-1])[::-1]
    fits = (count - np.arange(len(weights))) * falling <= rest
    certain = int(np.argmax(fits))
    return np.asarray(np.minimum(weights * ((count - certain) / rest[certain]), 1.0))


def select(weights: Floats, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw different rows with the probabilities of `inclusion`, in random order.

    Systematic sampling on a random order of the rows: one uniform number decides (Madow, "On the
    theory of systematic sampling, II", 1949).

    Parameters
    ----------
    weights : ndarray of shape (rows,)
        Above 0.
    count : int
        How many rows; all of them if there are no more.
    rng : numpy.random.Generator
        Shuffles the rows and draws the number.

    Returns
    -------
    ndarray of shape (min(count, rows),)
        Numbers of rows, none twice.
    """
    order = rng.permutation(len(weights))
    if count >= len(weights):
        return order
    ends = np.cumsum(inclusion(weights, count)[order])
    ends *= count / ends[-1]
    marks = np.arange(count) + rng.random()
    return np.asarray(order[np.minimum(np.searchsorted(ends, marks, "right"), len(order) - 1)])


def drawn_options(shares: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw an option for each row.

    Parameters
    ----------
    shares : ndarray of shape (rows, options)
        How likely each is; a row need not sum to 1.
    rng : numpy.random.Generator
        Draws one number for each row.

    Returns
    -------
    ndarray of shape (rows,)
        Options by number.
    """
    ends = np.cumsum(shares, axis=1)
    passed = ends < (rng.random(len(shares)) * ends[:, -1])[:, np.newaxis]
    return np.asarray(np.minimum(passed.sum(axis=1), shares.shape[1] - 1))


def effective_share(weights: Floats) -> float:
    """Rows that count, as a share of all: Kish's effective sample size over the number of rows.

    Examples
    --------
    >>> effective_share(np.array([1.0, 1.0])), effective_share(np.array([1.0, 0.0]))
    (1.0, 0.5)
    """
    return float(weights.sum() ** 2 / (np.square(weights).sum() * len(weights)))
