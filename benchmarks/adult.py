"""Adult, one fit under a budget: its figures, and those of its sample given an income.

    python benchmarks/adult.py TRAIN TEST [--max-seconds 300] [--seed 0] [--objective relativistic]

Fits on the training part, samples as many rows, judges them with the test part as the holdout; then
samples given `income = ">50K"` and judges that against the real rows with that income. Prints one
JSON object; `--out` keeps the synthetic table.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import pandas as pd
import torch

from synthgan import Evaluation, SynthGAN, evaluate

TARGET, RICH = "income", ">50K"
GIVEN = ("fidelity.shape_error_pct", "detection.boosted_auc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--max-seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--objective", default="relativistic")
    parser.add_argument("--out")
    options = parser.parse_args()
    train = pd.read_parquet(options.train)
    model = SynthGAN(
        objective=options.objective, max_seconds=options.max_seconds, random_state=options.seed
    )
    started = time.perf_counter()
    model.fit(train)
    fitted = time.perf_counter()
    synthetic = model.sample(len(train))
    sampled = time.perf_counter()
    if options.out:
        synthetic.to_parquet(options.out)
    found = evaluate(train, synthetic, holdout=options.test, target=TARGET)
    figures: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "seed": options.seed,
        "objective": options.objective,
        "fit_seconds": round(fitted - started, 1),
        "sample_seconds": round(sampled - fitted, 2),
        "steps": int(model.history_["step"].iloc[-1]),
        "stopped": model.stopped_,
        **{row["path"]: row["value"] for row in found.summary()},
    }
    given = given_income(model, train)
    figures["given_income"] = {path: given.figure(path) for path in GIVEN}
    print(json.dumps(figures, indent=2))


def given_income(model: SynthGAN, train: pd.DataFrame) -> Evaluation:
    """Judge a sample given the rarer income against the real rows that have it."""
    real = train[train[TARGET] == RICH].drop(columns=TARGET)
    drawn = model.sample(len(real), where={TARGET: RICH}).drop(columns=TARGET)
    return evaluate(real, drawn)


if __name__ == "__main__":
    main()
