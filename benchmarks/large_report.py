"""Seconds and memory of judging a long, wide table: 1 million rows of 50 mixed columns.

Run: python benchmarks/large_report.py
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from encoding import mixed_table, peak

MOST_SECONDS, MOST_GIB = 180.0, 4.0


def wide_table(rows: int, columns: int, seed: int) -> pa.Table:
    """Columns of every kind, over and over until there are enough."""
    parts: dict[str, pa.ChunkedArray] = {}
    copy = 0
    while len(parts) < columns:
        part = mixed_table(rows, seed=1000 * seed + copy)
        parts |= {f"{name}_{copy}": part[name] for name in part.column_names}
        copy += 1
    return pa.table(dict(list(parts.items())[:columns]))


def main() -> int:
    """Write the tables, judge one by the other, print what it took; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths: dict[str, str] = {}
        for seed, (name, rows) in enumerate(
            {"real": told.rows, "synthetic": told.rows, "holdout": told.rows // 4}.items()
        ):
            paths[name] = f"{folder}/{name}.parquet"
            pq.write_table(wide_table(rows, told.columns, seed), paths[name])
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "synthgan", "report", paths["real"], paths["synthetic"]]
        command += ["--holdout", paths["holdout"], "--target", "income_0", "-o", str(page)]
        # only the report is a child of this process, so the peak of the children is its own
        start = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        gib = peak(resource.RUSAGE_CHILDREN)
        print(
            f"{told.rows:,} rows, {told.columns} columns: {seconds:.0f} s "
            f"({used.ru_utime + used.ru_stime:.0f} s of processor), peak {gib:.2f} GiB, "
            f"page {page.stat().st_size / 2**20:.2f} MiB"
        )
    enough = seconds <= MOST_SECONDS and gib <= MOST_GIB
    print("targets met" if enough else "TARGETS MISSED")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
