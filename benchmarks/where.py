"""Conditions: are they met, how long do they take, and are the rows good given them.

    python benchmarks/where.py MODEL TRAIN [--rows 1000]

For a model fitted on Adult: conditions on 1, 2 and 5 columns of mixed kinds, one that about one row
in 2,000 meets, and completing rows whose income is hidden. Prints one line each.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import pandas as pd
from sklearn.metrics import roc_auc_score

from synthgan import SynthGAN

CONDITIONS: dict[str, dict[str, Any]] = {
    "1 column": {"income": ">50K"},
    "2 columns": {"income": ">50K", "sex": "Female"},
    "5 columns": {
        "age": (30, 40),
        "education": ["Bachelors", "Masters"],
        "capital-gain": 0,
        "hours-per-week": (40, None),
        "sex": "Male",
    },
    "1 in 2,000": {"education": "Preschool", "sex": "Female"},
    "1 number": {"fnlwgt": (200_000, 200_500)},
    "missing": {"workclass": None, "income": ">50K"},
}


def meets(frame: pd.DataFrame, where: dict[str, Any]) -> pd.Series:
    """Which rows meet a condition; of shape (rows,)."""
    met = pd.Series(True, index=frame.index)
    for column, wanted in where.items():
        values = frame[column]
        if wanted is None:
            met &= values.isna()
        elif isinstance(wanted, tuple):
            low, high = wanted
            met &= (low is None or values >= low) & (high is None or values <= high)
        else:
            met &= values.isin(wanted if isinstance(wanted, list) else [wanted])
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("train")
    parser.add_argument("--rows", type=int, default=1_000)
    options = parser.parse_args()
    model, train = SynthGAN.load(options.model), pd.read_parquet(options.train)
    for name, where in CONDITIONS.items():
        started = time.perf_counter()
        drawn = model.sample(options.rows, where=where, random_state=0)
        seconds = time.perf_counter() - started
        share = meets(train, where).mean()
        met, distinct = meets(drawn, where).mean(), len(drawn.drop_duplicates())
        figures = f"met {met:.4f}  {seconds:5.2f} s  {distinct} distinct rows"
        print(f"{name:12} real share {share:.5f}  {figures}")
    hidden = train.sample(4_000, random_state=0).reset_index(drop=True)
    truth = hidden["income"] == ">50K"
    started = time.perf_counter()
    draws = [
        model.complete(hidden.drop(columns="income"), random_state=seed)["income"] == ">50K"
        for seed in range(10)
    ]
    seconds = (time.perf_counter() - started) / len(draws)
    auc = roc_auc_score(truth, pd.concat(draws, axis=1).mean(axis=1))
    print(f"income of {len(hidden)} rows: {seconds:.2f} s; AUC of the mean of 10 draws: {auc:.3f}")


if __name__ == "__main__":
    main()
