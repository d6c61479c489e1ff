"""What anonymeter finds on the golden tables: run in an environment of its own.

    python3.11 -m venv anonymeter && anonymeter/bin/pip install anonymeter==1.1.0 pyarrow==21.0.0
    anonymeter/bin/python benchmarks/oracles/anonymeter_oracle.py

Writes `tests/golden/anonymeter.json`. Only parts without chance are taken: see README.md.
"""

from __future__ import annotations

import json
import warnings
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from anonymeter.evaluators import singling_out_evaluator as singling  # type: ignore
from anonymeter.evaluators.inference_evaluator import evaluate_inference_guesses  # type: ignore
from anonymeter.neighbors.mixed_types_kneighbors import MixedTypeKNeighbors  # type: ignore
from anonymeter.stats.confidence import EvaluationResults, success_rate  # type: ignore

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
SECRETS = ["age", "education", "education-num", "race", "hours-per-week", "income"]
# Nearer than this, the second neighbour counts as a tie: which is taken is left to the sorting.
TIE = 1e-4


def main() -> None:
    """Write all figures."""
    warnings.simplefilter("ignore")
    tables = {name: pq.read_table(GOLDEN / f"adult_{name}.parquet") for name in NAMES}
    # Nulls in categories are a level of their own here as there.
    frames = {name: table.to_pandas().fillna("?") for name, table in tables.items()}
    polars = {name: pl.DataFrame(pl.from_arrow(table)) for name, table in tables.items()}
    packages = ["anonymeter", "numpy", "pandas", "polars", "scikit-learn", "scipy", "numba"]
    result = {
        "versions": {name: version(name) for name in packages},
        "rates": rates(),
        "risks": risks(),
        "univariate": univariate(polars),
        "multivariate": multivariate(polars),
        "linkability": {name: linkability(frames, name) for name in ("real", "holdout")},
        "inference": {name: inference(frames, name) for name in ("real", "holdout")},
        "guesses": guesses(frames),
    }
    path = GOLDEN / "anonymeter.json"
    lines = [f"{json.dumps(key)}: {json.dumps(result[key], allow_nan=False)}" for key in result]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


NAMES = ("real", "synthetic", "holdout")


def rates() -> list[list[float]]:
    """Successes, attacks, rate, error."""
    grid = [(s, n) for n in (1, 2, 10, 500, 1_000) for s in sorted({0, 1, n // 3, n - 1, n})]
    return [[s, n, *success_rate(n_total=n, n_success=s, confidence_level=0.95)] for s, n in grid]


def risks() -> list[list[float]]:
    """Attacks, controls, successes of either, risk, its lower end, its upper end."""
    grid = [
        (n, m, s, c)
        for n, m in ((10, 10), (500, 500), (500, 120), (1_000, 1_000))
        for s in (0, n // 4, n // 2, n)
        for c in (0, m // 4, m // 2, m)
    ]
    rows = []
    for n, m, s, c in grid:
        risk = EvaluationResults(
            n_attacks=(n, n, m), n_success=s, n_baseline=0, n_control=c, confidence_level=0.95
        ).risk()
        rows.append([n, m, s, c, risk.value, *risk.ci])
    return rows


def univariate(tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    """All queries of one condition, and how many of them pick one row of each table."""
    queries = singling.univariate_singling_out_queries(
        df=tables["synthetic"], n_queries=10**6, rng=np.random.default_rng(0)
    )
    return {
        "queries": len(queries),
        **{name: picked(tables[name], queries) for name in ("real", "holdout")},
    }


def picked(table: pl.DataFrame, queries: list[pl.Expr]) -> int:
    """How many queries pick exactly one row."""
    return len(singling._evaluate_queries_and_return_successful(df=table, queries=queries))


def multivariate(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """Rows that meet queries built from given rows and columns, in each table."""
    synthetic = tables["synthetic"]
    medians = synthetic.median().to_dicts()[0]
    triples = list(combinations(range(synthetic.width), 3))
    given = [[turn * 7 % 300, *triples[turn * 13 % len(triples)]] for turn in range(400)]
    queries = [
        singling._query_from_record(
            record=synthetic.row(row, named=True),
            dtypes=dict(synthetic.schema),
            columns=[synthetic.columns[place] for place in places],
            medians=medians,
            rng=np.random.default_rng(0),
        )
        for row, *places in given
    ]
    counts = {name: list(singling._evaluate_queries(tables[name], queries)) for name in NAMES}
    return {"row_and_columns": given, "counts": counts}


def nearest(
    frames: dict[str, pd.DataFrame], targets: str, columns: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest synthetic row to each target, and whether no other is as near."""
    search = MixedTypeKNeighbors(n_jobs=1, n_neighbors=2).fit(frames["synthetic"][columns])
    distances, index = search.kneighbors(frames[targets][columns], return_distance=True)
    return index[:, 0], distances[:, 1] - distances[:, 0] > TIE


def linkability(frames: dict[str, pd.DataFrame], targets: str) -> dict[str, list[int]]:
    """Targets whose nearest synthetic rows are certain, and those of them that are linked.

    Every other column is in the first half.
    """
    names = list(frames["real"].columns)
    first, sure = nearest(frames, targets, names[::2])
    second, also = nearest(frames, targets, names[1::2])
    certain = sure & also
    return {
        "certain": np.flatnonzero(certain).tolist(),
        "linked": np.flatnonzero(certain & (first == second)).tolist(),
    }


def inference(frames: dict[str, pd.DataFrame], targets: str) -> dict[str, Any]:
    """For each secret: targets whose nearest row is certain, that row, and the right guesses."""
    result = {}
    for secret in SECRETS:
        known = [name for name in frames["real"].columns if name != secret]
        index, certain = nearest(frames, targets, known)
        right = is_right(frames, targets, index, secret)
        result[secret] = {
            "certain": np.flatnonzero(certain).tolist(),
            "nearest": index[certain].tolist(),
            "right": np.flatnonzero(certain & right).tolist(),
        }
    return result


def is_right(
    frames: dict[str, pd.DataFrame], targets: str, index: np.ndarray, secret: str
) -> np.ndarray:
    """Whether the synthetic rows' values are the targets'; numbers within 5 %."""
    truth = frames[targets][secret]
    found = frames["synthetic"][secret].iloc[index].set_axis(truth.index)
    number = pd.api.types.is_numeric_dtype(truth)
    return np.asarray(evaluate_inference_guesses(found, truth, regression=number))


def guesses(frames: dict[str, pd.DataFrame]) -> dict[str, int]:
    """For each column: how many synthetic rows give away that of the real row at their place."""
    index = np.arange(300)
    return {
        str(name): int(is_right(frames, "real", index, str(name)).sum()) for name in frames["real"]
    }


if __name__ == "__main__":
    main()
