# /// script
# dependencies = ["smartnoise-synth==1.0.8", "packaging==26.4"]
# ///
"""SmartNoise's synthesizers (OpenDP): AIM and MST (McKenna et al.), DP-CTGAN, PATE-CTGAN.

A tenth of epsilon is for the bounds of numbers. Levels of categories are read off the rows without
being paid for, as it does by default, which is in its favour here. Missing cells are a level of
their own; the tables have none among their numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from snsynth import Synthesizer  # type: ignore[import-not-found]

NULL = "(null)"
BOUNDS = 0.1


def fit(
    frame: pd.DataFrame, *, seed: int, synthesizer: str, epsilon: float, **settings: Any
) -> Any:
    np.random.seed(seed)
    torch.manual_seed(seed)
    numbers = list(frame.select_dtypes("number").columns)
    others = [name for name in frame.columns if name not in numbers]
    table = frame.copy()
    for name in others:
        table[name] = frame[name].astype(object).where(frame[name].notna(), NULL).astype(str)
    model = Synthesizer.create(synthesizer, epsilon=epsilon, **settings)
    model.fit(
        table,
        preprocessor_eps=BOUNDS * epsilon,
        categorical_columns=others,
        continuous_columns=numbers,
    )
    return model


def sample(model: Any, rows: int, *, seed: int) -> pd.DataFrame:
    drawn: pd.DataFrame = model.sample(rows)
    return drawn.replace({NULL: None})
