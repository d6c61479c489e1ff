"""Make the small tables that the oracles judge: run in this project's own environment.

    python benchmarks/oracles/golden_tables.py

Reads `examples/data/adult.parquet`, writes Parquet files into `tests/golden/`. They are committed;
make them anew only together with the figures of both oracles.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
ROWS = 300


def main() -> None:
    """Write all tables."""
    rng = np.random.default_rng(20_220_914)
    adult = pq.read_table(ROOT / "examples" / "data" / "adult.parquet").replace_schema_metadata(
        None
    )
    order = rng.permutation(adult.num_rows)[: 3 * ROWS]
    real, holdout, fresh = (
        adult.take(pa.array(order[start : start + ROWS])) for start in range(0, 3 * ROWS, ROWS)
    )
    edge = edges(200, rng, drift=0.0)
    tables = {
        "adult_real": real,
        "adult_holdout": holdout,
        "adult_synthetic": leaking(real, fresh, rng),
        "edge_real": edge,
        "edge_synthetic": pa.concat_tables([edge.slice(0, 20), edges(140, rng, drift=0.4)]),
    }
    for name, table in tables.items():
        pq.write_table(table, GOLDEN / f"{name}.parquet")
        print(f"{name}: {table.num_rows} rows")


def leaking(real: pa.Table, fresh: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Real rows (60, of which 30 are exact), rows with columns of two real ones, fresh rows."""
    parts = []
    noisy = real.slice(0, 60).to_pylist()
    for row in noisy[30:]:
        row["age"] += int(rng.integers(-2, 3))
        row["fnlwgt"] = int(row["fnlwgt"] * rng.uniform(0.98, 1.02))
    parts.append(pa.Table.from_pylist(noisy, schema=real.schema))
    first, second = (real.take(pa.array(rng.permutation(ROWS)[:120])) for _ in range(2))
    mixed = {
        name: (first if rng.random() < 0.5 else second).column(name) for name in real.column_names
    }
    return pa.concat_tables([*parts, pa.table(mixed, schema=real.schema), fresh.slice(0, 120)])


def edges(rows: int, rng: np.random.Generator, *, drift: float) -> pa.Table:
    """Nulls in every kind of column, moments, whole numbers, heavy tails, unseen categories."""
    base = rng.normal(drift, 1, rows)
    towns = ["Ulm", "Bonn", "Kiel"] if not drift else ["Ulm", "Bonn", "Rom"]
    days = (base * 300).astype("int64") + 18_000
    return pa.table(
        {
            "float": pa.array(base, mask=rng.random(rows) < 0.1 + drift / 4),
            "whole": pa.array(rng.poisson(4 + drift, rows).astype("int64")),
            "tail": pa.array(np.exp(2 * base + rng.normal(size=rows))),
            "moment": pa.array(
                (days * 86_400_000_000).astype("datetime64[us]"), mask=rng.random(rows) < 0.15
            ),
            "flag": pa.array(base + rng.normal(size=rows) > 0),
            "town": pa.array(
                np.array(towns)[rng.integers(0, 3, rows)].tolist(), mask=rng.random(rows) < 0.2
            ),
        }
    )


if __name__ == "__main__":
    main()
