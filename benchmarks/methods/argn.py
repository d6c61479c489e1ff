# /// script
# dependencies = ["mostlyai-engine==2.7.3"]
# [tool.benchmarks]
# remove = ["torchaudio", "torchvision"]
# ///
"""TabularARGN (Tiwald et al., 2025), MOSTLY AI's engine with its defaults.

It asks for torchvision and torchaudio, which it needs for no table, and whose builds break the
import where they are not of the same kind (CPU, CUDA) as torch's: they are taken out again.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from mostlyai.engine import TabularARGN  # type: ignore[import-not-found]


def fit(frame: pd.DataFrame, *, seed: int, **settings: Any) -> Any:
    return TabularARGN(random_state=seed, device="cpu", **settings).fit(frame)


def sample(model: Any, rows: int, *, seed: int) -> pd.DataFrame:
    drawn: pd.DataFrame = model.sample(n_samples=rows, device="cpu")
    return drawn
