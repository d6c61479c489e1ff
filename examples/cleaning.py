"""Put a dirty table right: find cells that do not fit, look at the changes, then fill the gaps.

Run it with ``python examples/cleaning.py``. Adult is made dirty first, so that what is found can be
held against what was done to it. ``--max-seconds`` is the time that learning to fill may take.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from synthgan import GANImputer, SynthGAN, clean

DATA = Path(__file__).parent / "data" / "adult.parquet"
SHOWN = ["row", "column", "old", "new", "chance"]


def make_dirty(table: pd.DataFrame) -> tuple[pd.DataFrame, set[tuple[int, str]]]:
    """Slips of the kind that people make, and gaps; and where the slips are."""
    rng = np.random.default_rng(0)
    dirty, slips = table.copy(), set()
    rows = rng.permutation(len(table))[:30]
    for row in rows[:15]:
        dirty.loc[row, "age"] *= 10
        slips.add((int(row), "age"))
    for row in rows[15:]:
        dirty.loc[row, "education-num"] = 17 - dirty.loc[row, "education-num"]
        slips.add((int(row), "education-num"))
    for name in ("occupation", "hours-per-week"):
        dirty[name] = dirty[name].where(rng.random(len(dirty)) > 0.1)
    return dirty, slips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=3_000, help="take the first rows only")
    options = parser.parse_args()

    real = pd.read_parquet(DATA).head(options.rows).drop(columns="fnlwgt")
    dirty, slips = make_dirty(real)

    cleaned = clean(dirty, random_state=0)
    changes = cleaned.changes
    found = set(zip(changes["row"], changes["column"], strict=True))
    print(f"{len(slips)} slips; {len(found)} cells changed, {len(found & slips)} of them slips:")
    print(changes[SHOWN].head(8).to_string(index=False))
    if len(changes):
        print(f"\nWhy the first one: {changes['why'].iloc[0]}")

    game = SynthGAN(max_seconds=options.max_seconds, verbose=0)
    imputer = GANImputer(generator=game, rounds=2, random_state=0)
    full = imputer.fit_transform(cleaned.table)
    gaps = dirty["occupation"].isna() & real["occupation"].notna()
    right = (full["occupation"] == real["occupation"])[gaps].mean()
    usual = (real["occupation"].mode()[0] == real["occupation"])[gaps].mean()
    print(f"\nOf {gaps.sum()} occupations that were taken out {right:.0%} came back,")
    print(f"{usual:.0%} if all were filled with the most frequent one.")


if __name__ == "__main__":
    main()
