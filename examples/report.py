"""Learn half of a census table, and judge a sample by it and by the half that was not learned.

Run it with ``python examples/report.py``; it writes ``report.html`` into the folder you are in.
``--max-seconds`` is the time that learning may take.
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
    parser.add_argument("--rows", type=int, default=None, help="use the first rows only")
    options = parser.parse_args()

    table = pd.read_parquet(DATA).head(options.rows)
    shuffled = table.sample(frac=1, random_state=0, ignore_index=True)
    half = len(shuffled) // 2
    real, holdout = shuffled[:half], shuffled[half:]
    model = SynthGAN(max_seconds=options.max_seconds, random_state=0).fit(real)

    # The holdout makes the figures honest: rows like those learned, that the model has not seen.
    report = model.report(real, holdout=holdout, target="income", random_state=0)

    print("Each figure, beside the tables that say what it is worth:")
    figures = pd.DataFrame(report.summary()).drop(columns="path").set_index("figure")
    print(figures.round(3).to_string())

    print("\nIn words:")
    for group, verdict in report.result["verdicts"].items():
        print(f"{group}: {verdict['grade']}. {verdict['text']}")

    report.to_html("report.html", force=True)
    print("\nWrote report.html; open it in a browser.")


if __name__ == "__main__":
    main()
