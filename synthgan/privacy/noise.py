"""Chance that nobody can foresee: noise and draws from the operating system's entropy.

Counts get whole-number noise, the discrete Gaussian of Canonne, Kamath and Steinke ("The discrete
Gaussian for differential privacy", NeurIPS 2020): a float's last bits would tell the answer below
the noise (Mironov, "On significance of the least significant bits for differential privacy", CCS
2012). Drawn in small parts of a row (`counts.ROW_PARTS`) it reveals what the continuous one does.
Gradients are floats; each of their deviates is half of the sum of four, of which no single one can
be told (Holohan and Braghin, "Secure random sampling in differential privacy", ESORICS 2021).
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# below this a discrete Gaussian and a continuous one are not the same to accounting
LEAST_DEVIATION = 1.0
_SUMMED = 4
_BITS = 53


class Noise:
    """Random numbers of a private fit.

    Parameters
    ----------
    seed : int or None, default None
        None for the operating system's entropy. A number makes every draw foreseeable: for tests
        only, never to protect anything.

    Examples
    --------
    >>> noise = Noise(seed=0)
    >>> counts = np.array([10, 0, 200]) + noise.whole(3, deviation=2.0)
    >>> counts.dtype, Noise().is_secret, noise.is_secret
    (dtype('int64'), True, False)
    """

    def __init__(self, seed: int | None = None) -> None:
        self._foreseeable = None if seed is None else np.random.default_rng(seed)

    @property
    def is_secret(self) -> bool:
        """Whether nobody can draw the same again."""
        return self._foreseeable is None

    def shares(self, count: int) -> Floats:
        """Numbers evenly spread above 0 and below 1, of shape (count,)."""
        raw = self._bytes(8 * count).view(np.uint64) >> np.uint64(64 - _BITS)
        return (raw.astype(np.float64) + 0.5) * 2.0**-_BITS

    def whole(self, count: int, deviation: float) -> Integers:
        """Discrete Gaussian noise of shape (count,).

        Parameters
        ----------
        count : int
            How many numbers.
        deviation : float
            The standard deviation, at least 1.
        """
        if deviation < LEAST_DEVIATION:
            raise ValueError(f"deviation: expected at least {LEAST_DEVIATION:g}, found {deviation}")
        scale = np.floor(deviation) + 1.0
        found = np.zeros(0, dtype=np.int64)
        while len(found) < count:
            # the share that is kept is above a half
            tried = 2 * (count - len(found)) + 8
            steps = np.floor(-scale * np.log(self.shares(2 * tried))).astype(np.int64)
            laplace = steps[:tried] - steps[tried:]
            off = np.abs(laplace) - deviation**2 / scale
            kept = self.shares(tried) < np.exp(-0.5 * np.square(off / deviation))
            found = np.concatenate([found, laplace[kept]])
        return found[:count]

    def real(self, count: int, deviation: float) -> NDArray[np.float32]:
        """Gaussian noise for what is no count, of shape (count,)."""
        deviates = ndtri(self.shares(_SUMMED * count)).reshape(_SUMMED, count)
        return np.asarray(deviates.sum(axis=0) * (deviation / np.sqrt(_SUMMED)), dtype=np.float32)

    def draw(self, count: int, rate: float) -> Integers:
        """Which of some units are in a Poisson draw: each by itself, with chance `rate`."""
        return np.flatnonzero(self.shares(count) < rate)

    def _bytes(self, count: int) -> NDArray[np.uint8]:
        source = os.urandom if self._foreseeable is None else self._foreseeable.bytes
        return np.frombuffer(source(count), dtype=np.uint8)
