"""Learn a census table, spoil some of its rows, and find them again, with the cells to blame.

Run it with ``python examples/anomaly_report.py``; it writes ``anomalies.html`` into the folder you
are in. No generator is trained for the default scores, so ``--max-seconds`` changes nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from synthgan import GANOutlierDetector

DATA = Path(__file__).parent / "data" / "adult.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=None)
    parser.add_argument("--rows", type=int, default=6_000, help="use the first rows only")
    options = parser.parse_args()

    table = pd.read_parquet(DATA).head(options.rows)
    half = len(table) // 2
    learned, fresh = table[:half], table[half:].reset_index(drop=True)

    # Twenty rows that cannot be: husbands who are female, at 17, with a doctor's degree.
    spoilt = fresh.sample(20, random_state=0).index
    fresh.loc[spoilt, "age"] = 17
    fresh.loc[spoilt, "sex"] = "Female"
    fresh.loc[spoilt, "relationship"] = "Husband"
    fresh.loc[spoilt, "education"] = "Doctorate"

    detector = GANOutlierDetector(contamination=0.02, random_state=0).fit(learned)
    odd = detector.predict(fresh) == -1
    print(f"{odd.sum()} of {len(fresh):,} rows are odd, {odd[spoilt].sum()} of the 20 spoilt ones.")

    print("\nWhat is odd about the spoilt ones:")
    print(detector.explain(fresh.loc[spoilt[:3]], cells=3).round(1).to_string(index=False))

    detector.report(fresh).to_html("anomalies.html", force=True)
    print("\nwrote anomalies.html")


if __name__ == "__main__":
    main()
