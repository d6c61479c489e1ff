# /// script
# dependencies = ["arfpy==0.1.1", "numpy==2.3.5", "pandas==2.3.3"]
# ///
"""Adversarial random forests (Watson et al., 2023), the authors' package with its defaults.

It takes no missing values: missing categories are a level of their own, missing numbers become
the column's median beside a category that says where they were, taken out again after sampling.
The package of 2023 does not run with newer numpy and pandas.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from arfpy import arf  # type: ignore[import-not-found]

NULL, MISSING = "(null)", "(null) "


def fit(frame: pd.DataFrame, *, seed: int, **settings: Any) -> Any:
    numbers = frame.select_dtypes("number").columns
    table = pd.DataFrame(index=frame.index)
    for name in frame.columns:
        if name not in numbers:
            text = frame[name].astype(object).where(frame[name].notna(), NULL).astype(str)
            table[name] = text.astype("category")
            continue
        table[name] = frame[name].fillna(frame[name].median())
        if frame[name].isna().any():
            table[MISSING + name] = frame[name].isna().astype(str).astype("category")
    np.random.seed(seed)
    model = arf.arf(table, verbose=False, random_state=seed, **settings)
    model.forde()
    return model


def sample(model: Any, rows: int, *, seed: int) -> pd.DataFrame:
    np.random.seed(seed)
    drawn: pd.DataFrame = model.forge(rows)
    for flag in [name for name in drawn.columns if name.startswith(MISSING)]:
        name = flag.removeprefix(MISSING)
        drawn[name] = drawn[name].where(drawn.pop(flag) != "True")
    for name in drawn.columns[drawn.dtypes == "category"]:
        drawn[name] = drawn[name].astype(object).replace({NULL: None})
    return drawn
