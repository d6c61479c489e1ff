"""Learn the Adult census table, draw a new one, and look at both.

Run it with ``python examples/quick_start.py``; it writes ``adult.synthgan`` and ``new.parquet``
into the folder you are in. ``--max-seconds`` is the time that learning may take.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from synthgan import SynthGAN

DATA = Path(__file__).parent / "data" / "adult.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=120)
    parser.add_argument("--rows", type=int, default=None, help="learn the first rows only")
    options = parser.parse_args()

    real = pd.read_parquet(DATA).head(options.rows)
    model = SynthGAN(max_seconds=options.max_seconds, random_state=0).fit(real)

    new = model.sample(1000, random_state=0)
    print("Five new rows:")
    print(new.head().to_string())

    print("\nThe share of each education, in the real table and in the new one:")
    shares = {"real": real["education"], "new": new["education"]}
    print(
        pd.DataFrame({name: column.value_counts(normalize=True) for name, column in shares.items()})
    )

    print(f"\nMinus the mean error of shapes and trends (0 is perfect): {model.score(real):.4f}")

    model.save("adult.synthgan", force=True)
    new.to_parquet("new.parquet")
    print("Wrote adult.synthgan and new.parquet.")


if __name__ == "__main__":
    main()
