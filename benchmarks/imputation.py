"""Imputation beside its peers: how near filled cells come to the truth, and what models make of it.

    python benchmarks/imputation.py --data DIR --out DIR [--tables adult magic] [--methods ours knn]
                                    [--seeds 5] [--list]

A cell is one method on one table, mechanism, share and seed; it leaves one JSON file under `--out`
and is not done again while that is there. `--out` also gets `imputation.md`, the medians over the
seeds. Holes are made in all columns but the target: completely at random ("mcar"), or at random
("mar": a third of the columns stay whole, and each other one goes missing by the rank of one of
them). Rows are capped (`TABLES`), so that a suite ends in hours. `nrmse` is the root mean square
error by the column's standard deviation, `error` the share of wrong categories, both the mean over
columns; `downstream` is the AUC (of a number the R2) on other rows of gradient boosting that was
trained on the filled table, in which cells that the real table lacks are missing again. `gain`
needs hyperimpute to be importable.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from imputers import IMPUTERS, is_number
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from suite.records import write_record

Mask = NDArray[np.bool_]


class Table(NamedTuple):
    file: str
    target: str
    rows: int
    test: int = 1_000


TABLES = {
    "adult": Table("adult_train", "income", 1_500),
    "california": Table("california_housing", "median_house_value", 1_500),
    "ames": Table("ames_housing", "SalePrice", 800),
    "magic": Table("magic", "class", 1_500),
}
SETTINGS = [("mcar", 0.3), ("mar", 0.3), ("mcar", 0.5), ("mcar", 0.1), ("mar", 0.5), ("mar", 0.1)]
FIGURES = ("nrmse", "error", "downstream")
# the rows, the holes and the method have streams of their own
ROWS_SEED, HOLES_SEED = 100, 1_000


class Cell(NamedTuple):
    seed: int
    table: str
    mechanism: str
    share: float
    method: str

    def path(self, out: Path) -> Path:
        share = f"{100 * self.share:.0f}"
        name = f"{self.table}-{self.mechanism}-{share}-{self.method}-{self.seed}.json"
        return out / name


def read(table: Table, data: Path, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to make holes in, and whole ones to test on; numbers as floats, the rest as objects."""
    frame = pd.read_parquet(data / f"{table.file}.parquet")
    order = np.random.default_rng(ROWS_SEED + seed).permutation(len(frame))
    for name in frame:
        column = frame[name]
        kind = float if is_number(column) else object
        frame[name] = column.astype(kind) if kind is float else _objects(column)
    test = min(table.test, len(frame) // 4)
    rows = frame.iloc[order[test : test + table.rows]].reset_index(drop=True)
    return rows, frame.iloc[order[:test]].reset_index(drop=True)


def _objects(column: pd.Series[Any]) -> pd.Series[Any]:
    values = column.astype(object)
    return values.where(values.notna(), None)


def holes(frame: pd.DataFrame, target: str, mechanism: str, share: float, seed: int) -> Mask:
    """Which known cells go missing, of shape (rows, columns)."""
    rng = np.random.default_rng(HOLES_SEED + seed)
    rows, places = len(frame), [at for at, name in enumerate(frame) if name != target]
    gone = np.zeros(frame.shape, dtype=bool)
    if mechanism == "mcar":
        gone[:, places] = rng.random((rows, len(places))) < share
    else:
        places = rng.permutation(places).tolist()
        whole = places[: max(1, len(places) // 3)]
        for at in places[len(whole) :]:
            column = frame.iloc[:, rng.choice(whole)]
            values = column if is_number(column) else pd.Series(pd.factorize(column)[0])
            lean = 3.0 * values.rank(pct=True).fillna(0.5).to_numpy() * rng.choice([-1.0, 1.0])
            gone[:, at] = rng.random(rows) < _leaning(lean, share)
    return np.asarray(gone & frame.notna().to_numpy())


def _leaning(lean: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Logistic probabilities with this mean."""
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        mean = float((1 / (1 + np.exp(-(lean + middle)))).mean())
        low, high = (middle, high) if mean < share else (low, middle)
    return np.asarray(1 / (1 + np.exp(-(lean + low))))


def run(cell: Cell, data: Path) -> dict[str, Any]:
    """Fill a table with holes and judge it."""
    table = TABLES[cell.table]
    truth, test = read(table, data, cell.seed)
    gone = holes(truth, table.target, cell.mechanism, cell.share, cell.seed)
    given = truth.copy()
    for at, name in enumerate(truth):
        given.loc[gone[:, at], name] = np.nan if is_number(truth[name]) else None
    started = time.perf_counter()
    full = IMPUTERS[cell.method](given, cell.seed)
    seconds = time.perf_counter() - started
    nrmse, error = distances(truth, full, gone)
    return {
        **cell._asdict(),
        "rows": len(truth),
        "seconds": round(seconds, 2),
        "nrmse": nrmse,
        "error": error,
        # cells that nobody knows stay missing, as they are in the test rows
        "downstream": downstream(full.where(truth.notna(), truth), test, table.target),
    }


def distances(truth: pd.DataFrame, full: pd.DataFrame, gone: Mask) -> tuple[float, float]:
    """Mean over columns of normalised RMSE, and of the share of wrong categories."""
    numbers, categories = [], []
    for at, name in enumerate(truth):
        hole = gone[:, at]
        real, made = truth[name][hole], full[name][hole]
        if not hole.any():
            continue
        if is_number(truth[name]):
            spread = float(truth[name].std())
            if spread > 0:
                gap = (real - made.astype(float)).to_numpy(float)
                numbers.append(float(np.sqrt(np.mean(gap**2))) / spread)
        else:
            categories.append(float((real.astype(str) != made.astype(str)).mean()))
    return _mean(numbers), _mean(categories)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def downstream(full: pd.DataFrame, test: pd.DataFrame, target: str) -> float:
    """AUC or R2 on whole rows of boosting that was trained on filled ones."""
    names = [name for name in full if name != target]
    both = pd.concat([full[names], test[names]], ignore_index=True)
    coded = pd.DataFrame(
        {n: both[n] if is_number(test[n]) else pd.factorize(both[n])[0] for n in names}
    ).to_numpy(float)
    train, held = coded[: len(full)], coded[len(full) :]
    if is_number(test[target]):
        model = HistGradientBoostingRegressor(random_state=0).fit(train, full[target])
        return float(model.score(held, test[target]))
    from sklearn.metrics import roc_auc_score

    model = HistGradientBoostingClassifier(random_state=0).fit(train, full[target].astype(str))
    told = model.predict_proba(held)[:, 1]
    return float(roc_auc_score(test[target].astype(str) == model.classes_[1], told))


def markdown(out: Path) -> str:
    """Medians over the seeds, the best of each line in bold."""
    records = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    methods = [name for name in IMPUTERS if any(r["method"] == name for r in records)]
    lines = ["| table | holes | figure | seeds | " + " | ".join(methods) + " |"]
    lines.append("|---|---|---|---:|" + "---:|" * len(methods))
    for (name, table), (how, share), figure in product(TABLES.items(), sorted(SETTINGS), FIGURES):
        found = {
            method: [
                r[figure]
                for r in records
                if (r["table"], r["mechanism"], r["share"], r["method"])
                == (name, how, share, method)
                and r[figure] == r[figure]
            ]
            for method in methods
        }
        if any(found.values()):
            lines.append(_line(name, table, f"{how} {share:.0%}", figure, found))
    return "\n".join(lines) + "\n"


def _line(name: str, table: Table, setting: str, figure: str, found: dict[str, list[float]]) -> str:
    medians = {m: statistics.median(v) for m, v in found.items() if v}
    best = (max if figure == "downstream" else min)(medians.values())
    cells = []
    for method, values in found.items():
        if not values:
            cells.append("")
            continue
        spread = f" ({min(values):.3f}-{max(values):.3f})" if len(values) > 1 else ""
        text = f"{medians[method]:.3f}{spread}"
        cells.append(f"**{text}**" if medians[method] == best else text)
    seeds = max(len(values) for values in found.values())
    return (
        f"| {name} ({table.rows:,} rows) | {setting} | {figure} | {seeds} | {' | '.join(cells)} |"
    )


def cells_of(arguments: argparse.Namespace) -> Iterator[Cell]:
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    # settings outermost, so that a suite that is cut short has seen all tables
    for seed, (how, share), table, method in product(
        seeds, SETTINGS, arguments.tables, arguments.methods
    ):
        yield Cell(seed, table, how, share, method)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--methods", nargs="+", choices=IMPUTERS, default=list(IMPUTERS)[:6])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="say what is to be done, and stop")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for cell in cells_of(arguments):
        path = cell.path(arguments.out)
        if path.exists():
            continue
        if arguments.list:
            print(path.name)
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                record = run(cell, arguments.data)
        except ImportError as error:
            print(f"{path.name}: left out: {error}", flush=True)
            continue
        write_record(path, record)
        print(json.dumps(record), flush=True)
        (arguments.out / "imputation.md").write_text(markdown(arguments.out))


if __name__ == "__main__":
    main()
