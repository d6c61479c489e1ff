"""Random streams of the tasks of one job, each the same whatever the others draw."""

from __future__ import annotations

import numpy as np

# torch takes seeds below 2**63, numpy any size
SEED_BITS = 63


def seed_for(seed: int, *path: int) -> int:
    """Derive a seed for one task: the same path always gives the same seed."""
    state = np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(64 - SEED_BITS))


def stream(seed: int, *path: int) -> np.random.Generator:
    """A random stream for one task: the same path always gives the same stream."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=path))
