# /// script
# dependencies = ["ctgan==0.12.1"]
# ///
"""CTGAN (Xu et al., 2019), its authors' package with its defaults: 300 epochs.

Everything but numbers is a discrete column. CTGAN takes no missing numbers: they become the
column's median beside a discrete column that says where they were, and are taken out again after
sampling. Missing categories are a level of their own.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from ctgan import CTGAN  # type: ignore[import-not-found]

NULL, MISSING = "(null)", "(null) "


def fit(frame: pd.DataFrame, *, seed: int, **settings: Any) -> Any:
    numbers = frame.select_dtypes("number").columns
    discrete = [name for name in frame.columns if name not in numbers]
    table = frame.copy()
    for name in discrete:
        table[name] = frame[name].astype(object).where(frame[name].notna(), NULL).astype(str)
    for name in numbers[frame[numbers].isna().any().to_numpy()]:
        table[name] = frame[name].fillna(frame[name].median())
        table[MISSING + name] = frame[name].isna().astype(str)
        discrete.append(MISSING + name)
    torch.manual_seed(seed)
    model = CTGAN(enable_gpu=False, **settings)
    model.set_random_state(seed)
    model.fit(table, discrete)
    return model


def sample(model: Any, rows: int, *, seed: int) -> pd.DataFrame:
    model.set_random_state(seed)
    drawn: pd.DataFrame = model.sample(rows)
    for flag in [name for name in drawn.columns if name.startswith(MISSING)]:
        name = flag.removeprefix(MISSING)
        drawn[name] = drawn[name].where(drawn.pop(flag) != "True")
    return drawn.replace({NULL: None})
