# /// script
# dependencies = ["mostlyai-engine==2.7.3"]
# [tool.benchmarks]
# remove = ["torchaudio", "torchvision"]
# ///
"""TabularARGN (Tiwald et al., 2025) with its private mode, MOSTLY AI's engine with its defaults.

A fifth of epsilon is for value ranges and categories, the rest for training, which ends when it is
used. See `argn.py` for what is taken out again after the installation.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from mostlyai.engine import TabularARGN  # type: ignore[import-not-found]
from mostlyai.engine.domain import (  # type: ignore[import-not-found]
    DifferentialPrivacyConfig,
)

VALUES = 0.2


def fit(frame: pd.DataFrame, *, seed: int, epsilon: float, delta: float, **settings: Any) -> Any:
    budget = DifferentialPrivacyConfig(
        max_epsilon=(1.0 - VALUES) * epsilon, value_protection_epsilon=VALUES * epsilon, delta=delta
    )
    model = TabularARGN(random_state=seed, device="cpu", differential_privacy=budget, **settings)
    return model.fit(frame)


def sample(model: Any, rows: int, *, seed: int) -> pd.DataFrame:
    drawn: pd.DataFrame = model.sample(n_samples=rows, device="cpu")
    return drawn
