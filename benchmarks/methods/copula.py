# /// script
# dependencies = ["sdv==2.0.0"]
# ///
"""Gaussian copula (Patki et al., 2016), SDV's package with its defaults.

The kinds of columns are given, not detected: detection may take a column of place names for
personal data and replace it by invented ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from sdv.metadata import Metadata  # type: ignore[import-not-found]
from sdv.single_table import GaussianCopulaSynthesizer  # type: ignore[import-not-found]

KINDS = {"b": "boolean", "i": "numerical", "u": "numerical", "f": "numerical", "M": "datetime"}


def fit(frame: pd.DataFrame, *, seed: int, **settings: Any) -> Any:
    np.random.seed(seed)
    torch.manual_seed(seed)
    metadata = Metadata()
    metadata.add_table("table")
    for name in frame.columns:
        kind = KINDS.get(frame[name].dtype.kind, "categorical")
        metadata.add_column(name, "table", sdtype=kind)
    model = GaussianCopulaSynthesizer(metadata, **settings)
    model.fit({"table": frame})
    return model


def sample(model: Any, rows: int, *, seed: int) -> pd.DataFrame:
    np.random.seed(seed)
    drawn: pd.DataFrame = model.sample(rows)["table"]
    return drawn
