"""A table that may leave the house: learned within a privacy budget, and attacked before it goes.

Run it with ``python examples/private.py``. What everybody knows of the columns is declared, and so
costs nothing; everything else is bought, and the ledger says so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from synthgan import Privacy, SynthGAN, audit_privacy

DATA = Path(__file__).parent / "data" / "adult.parquet"
KNOWN = {
    "age": {"kind": "number", "bounds": (17, 90)},
    "hours-per-week": {"kind": "number", "bounds": (1, 99)},
    "sex": {"kind": "category", "levels": ["Female", "Male"]},
    "income": {"kind": "category", "levels": ["<=50K", ">50K"]},
}


def rich(table: pd.DataFrame) -> dict[str, float]:
    """Share of incomes above 50K, by sex."""
    is_rich = table["income"] == ">50K"
    return {
        str(sex): round(float(is_rich[part].mean()), 3)
        for sex, part in table.groupby("sex").groups.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epsilon", type=float, default=1.0, help="the budget")
    parser.add_argument("--max-seconds", type=float, default=120)
    parser.add_argument("--rows", type=int, default=None, help="take the first rows only")
    options = parser.parse_args()

    table = pd.read_parquet(DATA).head(options.rows)
    model = SynthGAN(
        privacy=Privacy(epsilon=options.epsilon, delta=1e-6),
        schema=KNOWN,
        max_seconds=options.max_seconds,
        verbose=0,
    ).fit(table)
    ledger = model.privacy_
    assert ledger is not None
    print(f"epsilon spent: {ledger.epsilon_spent:.3f}, delta {ledger.delta:g}")
    for entry in ledger.entries:
        print(f"  {entry.what}: {entry.mechanism}, noise {entry.noise:.1f}, {entry.times} times")

    print(f"\nshare of high incomes, by sex: {rich(table)} of the real rows,")
    print(f"{rich(model.sample(5_000))} of new ones")

    audit = audit_privacy(model, table, canaries=300)
    print(f"\nAn attacker told {audit.right} of {audit.guesses} canaries rightly, which refutes an")
    print(f"epsilon below {audit.lower_bound:.2f}; {audit.claimed:.2f} is claimed.")


if __name__ == "__main__":
    main()
