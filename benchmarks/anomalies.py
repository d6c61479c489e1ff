"""Anomaly detectors on labelled tables: AUROC and average precision, one JSON file for each cell.

    python benchmarks/anomalies.py --data shared/data/anomaly --out results/anomalies

Two settings. "all": fit on all rows without labels, judged on the same rows. "normal": fit on half
of the normal rows, judged on all others; detectors that can be told so are (`novelty=True`).
Labels are the last column, 1 for an anomaly, and no detector sees them. All get columns of mean 0
and deviation 1, which only distances and networks mind.

PyOD's detectors live in an environment of their own, whose Python `--pyod-python` names; without it
they are left out. Their GANs are slow, so they learn and judge random samples of the rows of each
kind at most (`MOST_LEARNED`, `MOST_JUDGED`), with fewer epochs where the default would take hours
(`WORKER`); their cells say what was done. A cell that exists is not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from suite.records import write_record

from synthgan import GANOutlierDetector

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

SETTINGS = ("all", "normal")
NEAREST = 5
GANS = ("anogan", "alad", "mo_gaal")
# rows of each kind that PyOD's GANs learn from, and judge
MOST_LEARNED, MOST_JUDGED = 1_000, 400
LONGEST_SECONDS = 900.0

WORKER = """
import json, sys, time
import numpy as np
import torch
name, path, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(1); torch.manual_seed(seed); np.random.seed(seed)
given = np.load(path)
train, judged = given["train"], given["judged"]
if name == "anogan":
    from pyod.models.anogan import AnoGAN
    options = dict(epochs=25, epochs_query=10)
    model = AnoGAN(**options)
elif name == "alad":
    from pyod.models.alad import ALAD
    options = dict(epochs=50)
    model = ALAD(**options)
else:
    from pyod.models.mo_gaal import MO_GAAL
    options = dict(stop_epochs=20, k=10)
    model = MO_GAAL(**options)
started = time.process_time()
model.fit(train)
fitted = time.process_time()
scores = np.asarray(model.decision_function(judged), dtype=float).ravel()
done = time.process_time()
np.savez(sys.argv[4], scores=scores)
print("DONE " + json.dumps({"options": options, "fit": fitted - started, "score": done - fitted}))
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Rows to learn from, rows to judge with their labels, and whether those are the same."""

    train: Floats
    judged: Floats
    labels: Labels
    same: bool


def read_case(path: Path, setting: str, seed: int) -> Case:
    """One table in one setting."""
    table = pq.read_table(path).to_pandas()
    rows = table.iloc[:, :-1].to_numpy(dtype=np.float64)
    labels = table.iloc[:, -1].to_numpy().astype(np.int64)
    if setting == "all":
        return scaled(Case(rows, rows, labels, True))
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(labels == 0))
    learned = normal[: len(normal) // 2]
    others = np.setdiff1d(np.arange(len(labels)), learned)
    return scaled(Case(rows[learned], rows[others], labels[others], False))


def scaled(case: Case) -> Case:
    scale = StandardScaler().fit(case.train)
    return Case(scale.transform(case.train), scale.transform(case.judged), case.labels, case.same)


def ecod(case: Case, seed: int) -> Floats:
    """ECOD's oddness (Li et al. 2022): tails of each column, of both sides and by skewness."""
    left, right, skewed = np.zeros((3, len(case.judged)))
    for learned, judged in zip(case.train.T, case.judged.T, strict=True):
        ordered, count = np.sort(learned), len(learned)
        below = np.searchsorted(ordered, judged, "right") / count
        above = 1.0 - np.searchsorted(ordered, judged, "left") / count
        tails = [-np.log(np.maximum(share, 1.0 / count)) for share in (below, above)]
        skewness = float(((ordered - ordered.mean()) ** 3).mean())
        left += tails[0]
        right += tails[1]
        skewed += np.maximum(*tails) if skewness == 0 else tails[int(skewness > 0)]
    return np.asarray(np.max([left, right, skewed], axis=0))


def iforest(case: Case, seed: int) -> Floats:
    return np.asarray(
        -IsolationForest(random_state=seed).fit(case.train).score_samples(case.judged)
    )


def knn(case: Case, seed: int) -> Floats:
    """Distance to the fifth nearest row, a row itself not counted."""
    asked = NEAREST + int(case.same)
    found = NearestNeighbors(n_neighbors=asked).fit(case.train).kneighbors(case.judged)
    return np.asarray(found[0][:, -1])


def synthgan(case: Case, seed: int) -> Floats:
    """The default scores."""
    detector = GANOutlierDetector(novelty=not case.same, random_state=seed)
    return np.asarray(-detector.fit(case.train).score_samples(case.judged))


METHODS: dict[str, Callable[[Case, int], Floats]] = {
    "synthgan": synthgan,
    "iforest": iforest,
    "ecod": ecod,
    "knn": knn,
}


def some_rows(labels: Labels, most: int, seed: int) -> NDArray[np.int64]:
    """Numbers of at most so many rows, by a fixed share of each label."""
    if len(labels) <= most:
        return np.arange(len(labels))
    drawn, random = [], np.random.default_rng(seed)
    for label in (0, 1):
        every = random.permutation(np.flatnonzero(labels == label))
        share = max(min(len(every), 20), round(most * len(every) / len(labels)))
        drawn.append(every[:share])
    return np.sort(np.concatenate(drawn))


def pyod_cell(name: str, case: Case, seed: int, python: str) -> dict[str, Any]:
    """What one of PyOD's GANs reaches, in its own environment."""
    learned = case.train
    if len(learned) > MOST_LEARNED:
        learned = learned[np.random.default_rng(seed).permutation(len(learned))[:MOST_LEARNED]]
    chosen = some_rows(case.labels, MOST_JUDGED, seed)
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "rows.npz", Path(folder) / "scores.npz"
        np.savez(given, train=learned, judged=case.judged[chosen])
        words = [python, "-c", WORKER, name, str(given), str(seed), str(found)]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"longer than {LONGEST_SECONDS:g} s", "learned": len(learned)}
        if not found.exists():
            return {"failed": done.stderr.strip().splitlines()[-1:], "learned": len(learned)}
        told = json.loads(done.stdout.rpartition("DONE ")[2])
        scores = np.nan_to_num(np.load(found)["scores"])
    labels = case.labels[chosen]
    return {
        "auroc": float(roc_auc_score(labels, scores)),
        "average_precision": float(average_precision_score(labels, scores)),
        "cpu_seconds": told["fit"] + told["score"],
        "learned": len(learned),
        "judged": len(labels),
        "options": told["options"],
    }


def own_cell(name: str, case: Case, seed: int) -> dict[str, Any]:
    started, clock = time.process_time(), time.monotonic()
    scores = METHODS[name](case, seed)
    return {
        "auroc": float(roc_auc_score(case.labels, scores)),
        "average_precision": float(average_precision_score(case.labels, scores)),
        "cpu_seconds": time.process_time() - started,
        "seconds": time.monotonic() - clock,
        "learned": len(case.train),
        "judged": len(case.labels),
    }


def run(arguments: argparse.Namespace) -> None:
    """Make every cell that is not there."""
    for seed in arguments.seeds:
        for method in arguments.methods:
            if method in GANS and arguments.pyod_python is None:
                continue
            for name in arguments.tables or sorted(
                path.stem for path in arguments.data.glob("*.parquet")
            ):
                for setting in arguments.settings:
                    cell = arguments.out / f"{name}.{setting}.{method}.{seed}.json"
                    if cell.exists():
                        continue
                    case = read_case(arguments.data / f"{name}.parquet", setting, seed)
                    if method in GANS:
                        found = pyod_cell(method, case, seed, arguments.pyod_python)
                    else:
                        found = own_cell(method, case, seed)
                    said = {"table": name, "setting": setting, "method": method, "seed": seed}
                    write_record(cell, said | found)
                    print(name, setting, method, seed, found.get("auroc", found), flush=True)


def markdown(folder: Path) -> str:
    """All cells as tables: the median over seeds, the mean over tables, and the mean rank."""
    cells = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    parts = []
    for setting in SETTINGS:
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for cell in cells:
            if cell["setting"] == setting and "auroc" in cell:
                found.setdefault(cell["method"], {}).setdefault(cell["table"], []).append(cell)
        if found:
            parts.append(f"### Fitted on {setting} rows\n\n{_table(found)}")
    return "\n\n".join(parts) + "\n"


def _table(found: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    tables = sorted({name for each in found.values() for name in each})
    medians = {
        method: {t: float(np.median([c["auroc"] for c in each[t]])) for t in tables if t in each}
        for method, each in found.items()
    }
    ranks: dict[str, list[float]] = {method: [] for method in medians}
    for name in tables:
        for method in medians:
            if name in medians[method]:
                own = medians[method][name]
                others = [medians[m][name] for m in medians if name in medians[m]]
                above, ties = sum(o > own for o in others), sum(o == own for o in others)
                ranks[method].append(above + (ties + 1) / 2)
    heading = ["method", *tables, "mean AUROC", "mean AP", "mean rank", "CPU s"]
    lines = ["| " + " | ".join(heading) + " |", "|---" * len(heading) + "|"]
    for method in sorted(medians, key=lambda m: -float(np.mean(list(medians[m].values())))):
        each = found[method]
        precision = np.mean(
            [np.median([c["average_precision"] for c in cells]) for cells in each.values()]
        )
        seconds = np.median([c["cpu_seconds"] for cells in each.values() for c in cells])
        whole = len(medians[method]) == len(tables)
        rank = f"{np.mean(ranks[method]):.2f}" if whole else "-"
        shown = [f"{medians[method][t]:.3f}" if t in medians[method] else "-" for t in tables]
        mean = f"{np.mean(list(medians[method].values())):.3f}{'' if whole else '*'}"
        lines.append(
            "| "
            + " | ".join([method, *shown, mean, f"{precision:.3f}", rank, f"{seconds:.1f}"])
            + " |"
        )
    return "\n".join(lines)


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled tables")
    parser.add_argument("--out", type=Path, required=True, help="folder of cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--tables", nargs="+")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument(
        "--methods", nargs="+", choices=[*METHODS, *GANS], default=[*METHODS, *GANS]
    )
    parser.add_argument("--pyod-python", help="Python of an environment with PyOD and torch")
    parser.add_argument("--table-only", action="store_true", help="only write the table again")
    arguments = parser.parse_args(words)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not arguments.table_only:
        run(arguments)
    (arguments.out / "anomalies.md").write_text(markdown(arguments.out))
    print(markdown(arguments.out))


if __name__ == "__main__":
    main(sys.argv[1:])
