"""See how each column is understood, and change it with one dict.

Run it with ``python examples/schema.py``. ``--max-seconds`` is the time that learning may take.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from synthgan import SynthGAN


def make_orders(rows: int) -> pd.DataFrame:
    """Make up a shop's table: an identifier, a date, a price, a code, an ordered size, gaps."""
    rng = np.random.default_rng(0)
    sizes = ["S", "M", "L"]
    frame = pd.DataFrame(
        {
            "order": [f"ORD-{100_000 + i}" for i in range(rows)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, rows), "D"),
            "price": rng.gamma(2.0, 20.0, rows).round(2),
            "region": rng.integers(1, 30, rows),
            "size": pd.Categorical(rng.choice(sizes, rows), categories=sizes, ordered=True),
            "coupon": rng.choice(["SPRING", "FRIENDS"], rows),
        }
    )
    frame.loc[rng.random(rows) < 0.7, "coupon"] = None
    return frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    orders = make_orders(options.rows)

    # Only what differs from the guess is said: region is a code and no amount, a price is never
    # below zero, and the list of coupons is public, so that no coupon is hidden as rare.
    schema = {
        "region": "category",
        "price": {"bounds": [0, None], "decimals": 2},
        "coupon": {"kind": "category", "levels": ["SPRING", "FRIENDS", "BIRTHDAY"]},
    }
    model = SynthGAN(schema=schema, max_seconds=options.max_seconds, random_state=0).fit(orders)
    print(model.schema_)

    new = model.sample(1000, random_state=0)
    print("\nFive new orders:")
    print(new.head().to_string())

    assert not set(new["order"]) & set(orders["order"]), "identifiers are made anew"
    assert (new.dtypes == orders.dtypes).all(), "types come home"
    assert new["price"].min() >= 0

    print("\nLarge orders of the spring:")
    where = {"size": ("M", "L"), "day": ("2024-03-01", "2024-05-31"), "coupon": "SPRING"}
    print(model.sample(5, where=where, random_state=0).to_string())


if __name__ == "__main__":
    main()
