"""Adult, default settings, one budget: the figures that the README quotes.

    python benchmarks/adult.py TRAIN TEST [--max-seconds 300] [--seed 0] [--objective relativistic]

Fits on the training part, samples as many rows, judges them against the training rows and, for
utility, the test part; then samples given `income = ">50K"` and judges that against the real rows
with that income. Prints one JSON object; `--out` keeps the synthetic table.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import pandas as pd
import torch
from judge import align, boosted_auc, judge

from synthgan import SynthGAN
from synthgan.evaluation import fidelity

TARGET, RICH = "income", ">50K"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--max-seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--objective", default="relativistic")
    parser.add_argument("--out")
    options = parser.parse_args()
    train, test = pd.read_parquet(options.train), pd.read_parquet(options.test)
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
    figures: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "seed": options.seed,
        "objective": options.objective,
        "fit_seconds": round(fitted - started, 1),
        "sample_seconds": round(sampled - fitted, 2),
        "steps": int(model.history_["step"].iloc[-1]),
        "stopped": model.stopped_,
        **judge(train, synthetic, test=test, target=TARGET),
        **given_income(model, train),
    }
    print(json.dumps(figures, indent=2))


def given_income(model: SynthGAN, train: pd.DataFrame) -> dict[str, float]:
    """Judge a sample given the rarer income against the real rows that have it."""
    real = train[train[TARGET] == RICH].reset_index(drop=True)
    drawn = model.sample(len(real), where={TARGET: RICH})
    tables = align(real=real.drop(columns=TARGET), synthetic=drawn.drop(columns=TARGET))
    return {
        "given_income_shape_error": fidelity(real, drawn).shape_error,
        "given_income_boosted_auc": boosted_auc(tables["real"], tables["synthetic"]),
    }


if __name__ == "__main__":
    main()
