"""Draw rows that meet conditions, and fill the gaps of rows that you have.

Run it with ``python examples/conditions.py``. ``--max-seconds`` is the time that learning may take.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from synthgan import SynthGAN
from synthgan.errors import ConditionError

DATA = Path(__file__).parent / "data" / "adult.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=120)
    parser.add_argument("--rows", type=int, default=None, help="learn the first rows only")
    options = parser.parse_args()

    real = pd.read_parquet(DATA).head(options.rows)
    model = SynthGAN(max_seconds=options.max_seconds, random_state=0).fit(real)

    print("A value, a range and a list; every row meets all three:")
    where = {"income": ">50K", "age": (30, 40), "education": ["Bachelors", "Masters"]}
    rich = model.sample(200, where=where, random_state=0)
    print(rich[["age", "education", "income", "occupation"]].head().to_string())
    assert rich["age"].between(30, 40).all() and (rich["income"] == ">50K").all()

    print("\nRows whose workclass is missing:")
    missing = model.sample(5, where={"workclass": None}, random_state=0)
    print(missing[["age", "workclass", "occupation"]].to_string())

    print("\nWhat may the other cells of these three people be?")
    people = pd.DataFrame(
        {
            "age": [25.0, 47.0, None],
            "education": ["Bachelors", None, "HS-grad"],
            "income": [None, ">50K", "<=50K"],
        },
        index=["Ada", "Ben", "Cleo"],
    )
    print(model.complete(people, random_state=0).T.to_string())

    print("\nA condition that no row can meet is refused, by name:")
    try:
        model.sample(5, where={"educaton": "Masters"})
    except ConditionError as error:
        print(error)


if __name__ == "__main__":
    main()
