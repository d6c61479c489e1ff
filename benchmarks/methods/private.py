# /// script
# dependencies = []
# [tool.benchmarks]
# decided_by = ["data", "nets", "training", "sampling.py", "refinement", "selection.py",
#   "streams.py", "privacy", "estimators/*.py", "estimators/private"]
# ///
"""SynthGAN within a privacy budget, from the checkout under test: settings are its parameters.

Its noise is seeded, so that rows can be made again; for real tables that would protect nobody.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthgan import Privacy, SynthGAN


def fit(frame: pd.DataFrame, *, seed: int, epsilon: float, **settings: Any) -> SynthGAN:
    budget = Privacy(epsilon=epsilon, delta=1e-6)
    return SynthGAN(privacy=budget, random_state=seed, verbose=0, **settings).fit(frame)


def sample(model: SynthGAN, rows: int, *, seed: int) -> pd.DataFrame:
    drawn: pd.DataFrame = model.sample(rows, random_state=seed)
    return drawn
