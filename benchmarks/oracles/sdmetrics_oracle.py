"""What SDMetrics finds on the golden tables: run in an environment of its own.

    python3.11 -m venv sdmetrics && sdmetrics/bin/pip install sdmetrics==0.32.0 pyarrow==26.0.1
    sdmetrics/bin/python benchmarks/oracles/sdmetrics_oracle.py

Writes `tests/golden/sdmetrics.json`. What coincides with our figures, and how, is in README.md.
"""

from __future__ import annotations

import json
import warnings
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity  # type: ignore
from sdmetrics.single_column import (  # type: ignore
    BoundaryAdherence,
    CategoryAdherence,
    CategoryCoverage,
    KSComplement,
    MissingValueSimilarity,
    RangeCoverage,
    TVComplement,
)
from sdmetrics.single_table import LogisticDetection, NewRowSynthesis  # type: ignore

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
DETECTIONS = 20


def main() -> None:
    """Write all figures."""
    warnings.simplefilter("ignore")
    packages = ["sdmetrics", "numpy", "pandas", "scikit-learn", "scipy"]
    result = {
        "versions": {name: version(name) for name in packages},
        **{name: judge(read(f"{name}_real"), read(f"{name}_synthetic")) for name in TABLES},
    }
    result["edge"]["logistic_detection"] = detection(read("edge_real"), read("edge_synthetic"))
    path = GOLDEN / "sdmetrics.json"
    lines = [f"{json.dumps(key)}: {json.dumps(result[key], allow_nan=False)}" for key in result]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


TABLES = ("adult", "edge")


def read(name: str) -> pd.DataFrame:
    """A golden table as a frame; moments stay moments."""
    frame: pd.DataFrame = pq.read_table(GOLDEN / f"{name}.parquet").to_pandas()
    return frame


def judge(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, Any]:
    """Every figure of two tables; None where SDMetrics has none."""
    return {
        "columns": {name: column(real[name], synthetic[name]) for name in real.columns},
        "pairs": [
            [first, second, pair(real[[first, second]], synthetic[[first, second]])]
            for first, second in combinations(real.columns, 2)
        ],
        "new_rows": NewRowSynthesis.compute_breakdown(
            real.copy(), synthetic.copy(), metadata(real), numerical_match_tolerance=0
        )["num_new_rows"],
    }


def column(real: pd.Series, synthetic: pd.Series) -> dict[str, Any]:
    """Every figure of one column."""
    number = is_number(real)
    metrics = [KSComplement, BoundaryAdherence, RangeCoverage] if number else []
    metrics += [] if number else [TVComplement, CategoryCoverage, CategoryAdherence]
    metrics.append(MissingValueSimilarity)
    return {each.__name__: plain(each.compute(real.copy(), synthetic.copy())) for each in metrics}


def pair(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, float | None]:
    """The trend of two columns: correlation of two numbers, else contingency."""
    numbers = [name for name in real.columns if is_number(real[name])]
    if len(numbers) == 2:
        return {"CorrelationSimilarity": plain(CorrelationSimilarity.compute(real, synthetic))}
    # Moments are binned as the numbers they are stored as, nulls apart.
    parts = [
        frame.assign(**{name: ticks(frame[name]) for name in numbers})
        for frame in (real, synthetic)
    ]
    score = ContingencySimilarity.compute(
        *parts, continuous_column_names=numbers, num_discrete_bins=10, num_rows_subsample=None
    )
    return {"ContingencySimilarity": plain(score)}


def ticks(column: pd.Series) -> pd.Series:
    """Numbers, NaN where null."""
    if not pd.api.types.is_datetime64_any_dtype(column):
        return column
    return pd.to_numeric(column).astype(float).where(column.notna())


def is_number(column: pd.Series) -> bool:
    """A number or a moment."""
    kind = column.dtype
    return (
        pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    ) or pd.api.types.is_datetime64_any_dtype(kind)


def metadata(frame: pd.DataFrame) -> dict[str, Any]:
    """What each column is, in SDMetrics' words."""
    kinds = {}
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            kinds[name] = {"sdtype": "datetime"}
        elif pd.api.types.is_bool_dtype(frame[name]):
            kinds[name] = {"sdtype": "boolean"}
        else:
            kinds[name] = {"sdtype": "numerical" if is_number(frame[name]) else "categorical"}
    return {"columns": kinds}


def detection(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, Any]:
    """Logistic detection over several shuffles, which it draws from the global generator.

    It breaks off at a category that the real table lacks, and leaves booleans out: numbers only.
    """
    columns = [name for name in real.columns if is_number(real[name])]
    real, synthetic, scores = real[columns], synthetic[columns], []
    for seed in range(DETECTIONS):
        np.random.seed(seed)
        scores.append(LogisticDetection.compute(real.copy(), synthetic.copy(), metadata(real)))
    return {
        "columns": columns,
        "mean": float(np.mean(scores)),
        "deviation": float(np.std(scores)),
    }


def plain(figure: Any) -> float | None:
    """A float that JSON knows."""
    return None if pd.isna(figure) else float(figure)


if __name__ == "__main__":
    main()
