"""How alike are two tables? python examples/check.py real.parquet synthetic.parquet"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow.parquet as pq

from synthgan.evaluation import FidelityReference


def main(real: str = "examples/data/adult.parquet", synthetic: str = "new.parquet") -> None:
    table, made = pq.read_table(real), pq.read_table(synthetic)
    reference = FidelityReference(table)
    found = reference.compare(made)

    # Even real rows, drawn anew, differ from the table by chance: the fewer, the more.
    rows = np.random.default_rng(0).integers(0, table.num_rows, made.num_rows)
    chance = reference.compare(table.take(rows))

    print(f"{made.num_rows:,} new rows        new    real ones, drawn at random")
    print(f"column-shape error {found.shape_error:7.2%}  {chance.shape_error:7.2%}")
    print(f"pair-trend error   {found.trend_error:7.2%}  {chance.trend_error:7.2%}")
    worst = sorted(found.columns.items(), key=lambda item: -item[1])[:3]
    print("worst columns      " + ", ".join(f"{name} {error:.2%}" for name, error in worst))


if __name__ == "__main__":
    main(*sys.argv[1:])
