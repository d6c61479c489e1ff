"""How alike are two tables? python examples/check.py real.parquet synthetic.parquet"""

from __future__ import annotations

import sys

from synthgan.evaluation import fidelity


def main(real: str = "examples/data/adult.parquet", synthetic: str = "new.parquet") -> None:
    result = fidelity(real, synthetic)
    print(f"column-shape error {result.shape_error:6.2%}")
    print(f"pair-trend error   {result.trend_error:6.2%}")
    worst = sorted(result.columns.items(), key=lambda item: -item[1])[:3]
    print("worst columns      " + ", ".join(f"{name} {error:.2%}" for name, error in worst))


if __name__ == "__main__":
    main(*sys.argv[1:])
