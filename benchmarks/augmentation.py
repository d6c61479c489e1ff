"""Do new rows help a learner: ours against class weights, copies, SMOTENC and ADASYN.

    python benchmarks/augmentation.py --data DIR
    python benchmarks/augmentation.py --data DIR --tables german_credit --learners logistic
    python benchmarks/augmentation.py --data DIR --write

A cell is one fold of one table, learner and method (of ``auto`` for each metric, which it is
told); it is one JSON file in ``--results``, and what is there already is kept. Stop and go on as
you like. Tables are capped to ``--rows`` rows (adult_1 to four times, magic_2 to twice as many),
drawn with seed 0, and dealt into five folds. Cells of one fold whose generators would see the same
rows share one fit, so that the seconds of the later ones leave it out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from augmenting.memory import remembered_fits
from augmenting.methods import LEARNERS, METHODS, METRICS, TOLD, learner, scorer
from augmenting.summary import markdown
from augmenting.tables import TABLES, Table, load
from sklearn.model_selection import StratifiedKFold
from suite.records import write_record

FOLDS = 5
HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.cores:
        os.sched_setaffinity(0, options.cores)
    options.results.mkdir(parents=True, exist_ok=True)
    if not options.write:
        with remembered_fits():
            run(options)
    cells = [json.loads(path.read_text()) for path in sorted(options.results.glob("*.json"))]
    cells = [cell for cell in cells if cell["rows"] == options.rows]
    page = options.results / "augmentation.md"
    command = f"python benchmarks/augmentation.py --data DIR --rows {options.rows}"
    page.write_text(markdown(cells, command))
    print(f"wrote {page}: {len(cells)} cells")
    return 0


def run(options: argparse.Namespace) -> None:
    """Make the cells that are not there."""
    for name in options.tables:
        todo = [cell for cell in cells_of(name, options) if not path_of(cell, options).exists()]
        if not todo:
            continue
        table = load(name, options.data, options.rows)
        sizes = table.y.value_counts().tolist()
        print(f"{name}: {len(table.y):,} rows, classes of {sizes}, {len(todo)} cells to do")
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        parts = list(folds.split(table.X, table.y))
        for cell in todo:
            made = {**cell, **judged(cell, table, *parts[cell["fold"]])}
            path = path_of(cell, options)
            write_record(path, made)
            said = made.get("failed") or {k: round(100 * v, 1) for k, v in made["scores"].items()}
            print(f"  {path.stem}: {said}, {made['seconds']:.1f} s", flush=True)


def cells_of(table: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The cells of a table, fold by fold."""
    for fold in range(options.folds):
        for name in options.learners:
            for method in options.methods:
                for told in options.metrics if method in TOLD else [None]:
                    yield {
                        "table": table,
                        "learner": name,
                        "method": method,
                        "told": told,
                        "fold": fold,
                        "rows": options.rows,
                    }


def path_of(cell: dict[str, Any], options: argparse.Namespace) -> Path:
    words = [str(cell[name]) for name in ("table", "learner", "method", "told", "fold", "rows")]
    return Path(options.results / f"{'.'.join(words)}.json")


def judged(cell: dict[str, Any], table: Table, train: Any, test: Any) -> dict[str, Any]:
    """Train in one way on the rows outside of a fold, and judge on the fold."""
    fold, told = cell["fold"], cell["told"]
    classes = table.y.nunique()
    goal = None if told is None else scorer(told, table.rare, classes)
    wall, cpu = time.monotonic(), time.process_time()
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = METHODS[cell["method"]](
                learner(cell["learner"], fold), table.X.iloc[train], table.y.iloc[train], fold, goal
            )
            found["seconds"] = time.monotonic() - wall
            found["cpu_seconds"] = time.process_time() - cpu
            metrics = METRICS if told is None else [told]
            X, y = table.X.iloc[test], table.y.iloc[test]
            found["scores"] = {m: scorer(m, table.rare, classes)(model, X, y) for m in metrics}
        except (ValueError, RuntimeError) as error:
            # a peer that cannot take a table is part of the result
            found["failed"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            found.setdefault("seconds", time.monotonic() - wall)
    report = getattr(locals().get("model"), "augmentation_report_", None)
    return found if report is None else {**found, "report": report}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the Parquet files")
    parser.add_argument("--rows", type=int, default=3_000, help="rows of a table at most")
    parser.add_argument("--folds", type=int, default=FOLDS, help="the first so many of five")
    parser.add_argument("--cores", type=int, nargs="*", help="keep to these cores")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "augmentation")
    parser.add_argument("--write", action="store_true", help="the Markdown table only")
    lists = {"tables": TABLES, "learners": LEARNERS, "methods": METHODS, "metrics": METRICS}
    for name, known in lists.items():
        parser.add_argument(f"--{name}", nargs="*", choices=list(known), default=list(known))
    options = parser.parse_args(arguments)
    if options.data is None and not options.write:
        parser.error("--data: expected the folder of the Parquet files; or --write")
    return options


if __name__ == "__main__":
    sys.exit(main())
