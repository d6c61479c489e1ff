"""Cleaning: how many planted errors `clean` finds, and how many true cells it takes for errors.

    OMP_NUM_THREADS=1 python benchmarks/planted.py --data DIR

2,000 rows of each table, as they are, with 1 % of their cells taken from other rows, and with 1 %
of their numbers made ten times as large; a cell that gets the value that it had is not changed.
Found cells are right if they were changed, and beside if another cell of their row was.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from synthgan import clean

TABLES = {
    "adult": "adult_train.parquet",
    "california": "california_housing.parquet",
    "shoppers": "online_shoppers.parquet",
    "magic": "magic.parquet",
}
ROWS, SHARE = 2_000, 0.01
HEADINGS = ("table", "error", "cells", "changed", "found", "right", "beside")
OTHERS, TENFOLD = "from other rows", "ten times"
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "planted.md")
    options = parser.parse_args()
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---" + "|---:" * (len(HEADINGS) - 2) + "|"]
    for (name, file), error in product(TABLES.items(), ("none", OTHERS, TENFOLD)):
        figures = measured(pd.read_parquet(options.data / file), error, options.seed)
        lines.append(f"| {name} | {error} | {' | '.join(f'{figure:,}' for figure in figures)} |")
        print(lines[-1], flush=True)
    about = (__doc__ or "").split("\n\n")[2].strip()
    words = f"`python benchmarks/planted.py --data DIR --seed {options.seed}`"
    options.results.write_text("\n".join([f"# Cleaning\n\n{words}\n\n{about}\n", *lines]) + "\n")


def measured(frame: pd.DataFrame, error: str, seed: int) -> tuple[int, ...]:
    """The figures of one table, in the order of the headings."""
    rows = frame.sample(min(ROWS, len(frame)), random_state=seed).reset_index(drop=True)
    dirty, changed = planted(rows, error, np.random.default_rng(seed))
    found = clean(dirty, random_state=seed).changes
    places = set(zip(found["row"], found["column"], strict=True))
    right = places & changed
    touched = {row for row, _ in changed}
    beside = sum(row in touched for row, _ in places - right)
    return rows.size, len(changed), len(places), len(right), beside


def planted(
    rows: pd.DataFrame, error: str, random: np.random.Generator
) -> tuple[pd.DataFrame, set[tuple[int, str]]]:
    """A table of which some cells are wrong, and which these are."""
    dirty, changed = rows.copy(), set()
    able = rows.notna().to_numpy()
    if error == "none":
        return dirty, set()
    if error == TENFOLD:
        able &= np.array([is_numeric_dtype(each) and each != "bool" for each in rows.dtypes])
    known = np.argwhere(able)
    for row, place in known[random.choice(len(known), round(SHARE * len(known)), replace=False)]:
        column = rows.columns[place]
        own: Any = rows.iat[row, place]
        others = rows[column].dropna().to_numpy()
        value: Any = own * 10 if error == TENFOLD else random.choice(others)
        if value != own:
            dirty.iat[row, place] = value
            changed.add((int(row), str(column)))
    return dirty, changed


if __name__ == "__main__":
    main()
