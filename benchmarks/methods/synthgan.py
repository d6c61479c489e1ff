# /// script
# dependencies = []
# [tool.benchmarks]
# decided_by = ["data", "nets", "training", "sampling.py", "conditioning.py", "matching.py",
#   "refinement", "boosting.py", "tree_masks.py", "tree_text.py", "density_ratio", "raking.py",
#   "selection.py", "streams.py", "estimators/*.py", "evaluation/fidelity.py",
#   "evaluation/coding.py", "evaluation/columns.py", "evaluation/reference.py",
#   "evaluation/embedding.py", "evaluation/measures/collapse.py", "evaluation/measures/lost.py",
#   "evaluation/measures/regions.py", "evaluation/measures/wording.py"]
# ///
"""SynthGAN as it comes, from the checkout under test: settings are its parameters."""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthgan import SynthGAN


def fit(frame: pd.DataFrame, *, seed: int, **settings: Any) -> SynthGAN:
    return SynthGAN(random_state=seed, verbose=0, **settings).fit(frame)


def sample(model: SynthGAN, rows: int, *, seed: int) -> pd.DataFrame:
    drawn: pd.DataFrame = model.sample(rows, random_state=seed)
    return drawn
