"""Each anomaly score by itself: how well it ranks labelled tables, and how fast it judges rows.

    python benchmarks/anomaly_scores.py --data shared/data/anomaly --out results/anomaly_scores
    python benchmarks/anomaly_scores.py --rates

Settings and labels as in `anomalies.py`. One detector learns all scores of a table, so that a
generator is trained once; a cell that exists is not made again. `--rates` learns 12,000 made-up
rows of 20 columns, half numbers, and judges 100,000 others ("inversion" 2,000) by each score.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anomalies import SETTINGS, Case, read_case
from sklearn.metrics import average_precision_score, roc_auc_score
from suite.records import write_record

from synthgan import GANOutlierDetector
from synthgan.anomaly.members import AUTO_SCORES, SCORES

LEARNED, JUDGED, SLOWLY_JUDGED = 12_000, 100_000, 2_000


def cell(case: Case, seed: int) -> dict[str, Any]:
    """AUROC and average precision of every score on one table."""
    started = time.process_time()
    detector = GANOutlierDetector(scores=list(SCORES), novelty=not case.same, random_state=seed)
    scores = detector.fit(case.train).member_scores(case.judged)
    return {
        "scores": {
            name: {
                "auroc": float(roc_auc_score(case.labels, -scores[name])),
                "average_precision": float(average_precision_score(case.labels, -scores[name])),
            }
            for name in scores
        },
        "learned": len(case.train),
        "judged": len(case.labels),
        "cpu_seconds": time.process_time() - started,
    }


def run(data: Path, out: Path, seeds: list[int]) -> None:
    """Make every cell that is not there."""
    for seed in seeds:
        for path in sorted(data.glob("*.parquet")):
            for setting in SETTINGS:
                file = out / f"{path.stem}.{setting}.{seed}.json"
                if file.exists():
                    continue
                said = {"table": path.stem, "setting": setting, "seed": seed}
                found = said | cell(read_case(path, setting, seed), seed)
                write_record(file, found)
                print(path.stem, setting, seed, f"{found['cpu_seconds']:.0f} s", flush=True)


def markdown(out: Path) -> str:
    """Means over the tables, of the medians over seeds."""
    cells = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    lines = [
        "| score | " + " | ".join(f"AUROC, {each} rows | AP" for each in SETTINGS) + " |",
        "|---" + "|---:|---:" * len(SETTINGS) + "|",
    ]
    for name in SCORES:
        shown = []
        for setting in SETTINGS:
            own = [each for each in cells if each["setting"] == setting]
            tables = sorted({each["table"] for each in own})
            for figure in ("auroc", "average_precision"):
                medians = [
                    np.median([c["scores"][name][figure] for c in own if c["table"] == table])
                    for table in tables
                ]
                shown.append(f"{np.mean(medians):.3f}" if medians else "")
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def made_up(rows: int, seed: int) -> pd.DataFrame:
    """Ten numbers and ten categories that go together."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(rows, 3))
    mixed = common @ np.random.default_rng(0).normal(size=(3, 20))
    mixed += random.normal(size=mixed.shape)
    numbers = {f"number {i}": mixed[:, i].round(3) for i in range(10)}
    bins = np.linspace(-3, 3, 8)
    levels = {f"level {i}": np.digitize(mixed[:, 10 + i], bins).astype(str) for i in range(10)}
    return pd.DataFrame(numbers | levels)


def rates(seed: int = 0) -> None:
    """Print seconds of a fit, and rows judged a second."""
    learned, judged = made_up(LEARNED, seed), made_up(JUDGED, seed + 1)
    print("| scores | fit, s | rows judged | rows a second |\n|---|---:|---:|---:|")
    for name in ("auto", *SCORES):
        rows = judged if name == "auto" or not SCORES[name].slow else judged.head(SLOWLY_JUDGED)
        started = time.monotonic()
        detector = GANOutlierDetector(scores=name, random_state=seed).fit(learned)
        fitted = time.monotonic()
        detector.score_samples(rows)
        seconds = time.monotonic() - fitted
        said = f"auto ({', '.join(AUTO_SCORES)})" if name == "auto" else name
        rate = len(rows) / seconds
        print(f"| {said} | {fitted - started:.1f} | {len(rows):,} | {rate:,.0f} |", flush=True)


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of labelled tables")
    parser.add_argument("--out", type=Path, help="folder of cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rates", action="store_true", help="how fast each score is, and no more")
    arguments = parser.parse_args(words)
    if arguments.rates:
        rates()
        return
    if arguments.data is None or arguments.out is None:
        parser.error("expected --data and --out, or --rates")
    arguments.out.mkdir(parents=True, exist_ok=True)
    run(arguments.data, arguments.out, arguments.seeds)
    page = markdown(arguments.out)
    (arguments.out / "anomaly_scores.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main(sys.argv[1:])
