"""Audits of private fits: the epsilon that an attack refutes, beside the one that is claimed.

    OMP_NUM_THREADS=1 python benchmarks/audit.py --data DIR

Three tables of 4,000 rows, epsilon from 0.5 to 10; the default, which buys tables of pairs (1,000
canaries), and a critic by DP-SGD (`--moves` draws of it, 400 canaries). Then the same with a
mistake put in on purpose: noise that is off, clipping that is off. A bound above what is claimed is
a mistake that was found.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

from synthgan import Privacy, SynthGAN, audit_privacy
from synthgan.privacy.audit import Audit
from synthgan.privacy.noise import Noise
from synthgan.training.private import noisy_critic
from synthgan.training.private.clipping import RowSlopes
from synthgan.training.private.plan import DRAWN

TABLES = {
    "adult": "adult_train.parquet",
    "shoppers": "online_shoppers.parquet",
    "magic": "magic.parquet",
}
EPSILONS = (0.5, 1.0, 2.0, 5.0, 10.0)
OBJECTIVES = ("marginals", "hinge")
ROWS = 4_000
# of a critic each move is looked at, which takes the cube of their number
CANARIES = {"marginals": 1_000, "hinge": 400}
# a length of slopes that most are longer than, so that clipping has something to do
SHORT = 0.05
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--moves", type=int, default=200, help="draws of the critic")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "audit.md")
    options = parser.parse_args()
    lines = ["| table | objective | mistake | claimed | refuted below | right guesses | |"]
    lines.append("|---|---|---|---:|---:|---:|---|")
    for name, file in TABLES.items():
        frame = pd.read_parquet(options.data / file)
        frame = frame.sample(ROWS, random_state=0).reset_index(drop=True)
        for objective, mistake, epsilon in cells():
            with made(mistake):
                found = audited(frame, objective, epsilon, options)
            lines.append(row(name, objective, mistake, found))
            print(lines[-1], flush=True)
    words = f"python benchmarks/audit.py --data DIR --moves {options.moves} --seed {options.seed}"
    text = [f"# Audits\n\n`{words}`\n\n{__doc__.split(chr(10) * 2, 2)[2].strip()}\n", *lines]
    options.results.write_text("\n".join(text) + "\n")


def cells() -> Iterator[tuple[str, str, float]]:
    for objective in OBJECTIVES:
        yield from ((objective, "", epsilon) for epsilon in EPSILONS)
    yield "marginals", "noise off", 1.0
    yield "hinge", "noise off", 1.0
    yield "hinge", "clipping off", 1.0


def audited(frame: pd.DataFrame, objective: str, epsilon: float, options: Any) -> Audit:
    model = SynthGAN(
        privacy=Privacy(epsilon=epsilon),
        objective=objective,
        epochs=max(1, round(options.moves * DRAWN / 2)),
        verbose=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return audit_privacy(model, frame, canaries=CANARIES[objective], random_state=options.seed)


@contextmanager
def made(mistake: str) -> Iterator[None]:
    """Put a mistake in, for as long as this lasts."""
    changes: list[tuple[Any, str, Any]] = []
    if mistake == "noise off":
        nothing: dict[str, Callable[..., Any]] = {
            "whole": lambda self, count, deviation: np.zeros(count, np.int64),
            "real": lambda self, count, deviation: np.zeros(count, np.float32),
        }
        changes = [(Noise, name, each) for name, each in nothing.items()]
    if mistake == "clipping off":
        changes = [
            (noisy_critic, "FIRST_LENGTH", SHORT),
            (noisy_critic, "FOLLOWING", 0.0),
            (RowSlopes, "kept", lambda self, length: torch.ones(len(self.norms()))),
        ]
    patches = [patch.object(*change) for change in changes]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def row(table: str, objective: str, mistake: str, found: Audit) -> str:
    verdict = "" if found.passed else "**refuted**"
    return (
        f"| {table} | {objective} | {mistake} | {found.claimed:.2f} | {found.lower_bound:.2f} "
        f"| {found.right} of {found.guesses} | {verdict} |"
    )


if __name__ == "__main__":
    main()
