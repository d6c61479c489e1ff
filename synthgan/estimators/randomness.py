"""From a `random_state` to one whole number, without touching any global random state."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from synthgan.errors import ParameterError
from synthgan.estimators.parameters import NOTHING, Rule, broken, kind, whole
from synthgan.streams import SEED_BITS

RANDOM_STATE: Rule = (
    NOTHING
    | whole(0, 2**SEED_BITS - 1)
    | kind("a numpy Generator or RandomState", np.random.Generator, np.random.RandomState)
)


def seed_from(random_state: Any) -> int:
    """Turn a `random_state` into a seed in [0, 2**63).

    Parameters
    ----------
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState
        None asks the operating system, an int is the seed itself, a generator is drawn from (and
        so moves on: a second call gives another seed).

    Returns
    -------
    int
        The seed.

    Raises
    ------
    ParameterError
        If it is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from synthgan.estimators.randomness import seed_from
    >>> seed_from(7)
    7
    >>> seed_from(np.random.default_rng(0)) == seed_from(np.random.default_rng(0))
    True
    """
    if not RANDOM_STATE.accepts(random_state):
        raise ParameterError(broken("random_state", random_state, RANDOM_STATE))
    if random_state is None:
        return secrets.randbits(SEED_BITS)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**SEED_BITS, dtype=np.uint64))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**SEED_BITS, dtype=np.uint64))
    return int(random_state)
