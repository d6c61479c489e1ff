"""Judge the rows of one cell by `synthgan.evaluation`: one process per cell, the project's own.

    python -P judge.py ORDER.json

Only the figures that the tables of results show are kept, and the same of every floor.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthgan import evaluate
from synthgan.evaluation.paths import at

FIGURES = (
    "fidelity.shape_error_pct",
    "fidelity.trend_error_pct",
    "manifold.precision",
    "manifold.recall",
    "manifold.density",
    "manifold.coverage",
    "detection.boosted_auc",
    "detection.boosted_auc_interval",
    "detection.boosted_auc_holdout",
    "detection.boosted_auc_holdout_interval",
    "detection.logistic",
    "detection.logistic_holdout",
    "utility.auc",
    "utility.macro_f1",
    "utility.rmse",
    "utility.r2",
    "utility.learners.linear.auc",
    "utility.real.auc",
    "utility.real.macro_f1",
    "utility.real.rmse",
    "utility.real.r2",
    "risk.exact_copies",
    "risk.near_copies",
    "risk.closest_share",
    "risk.membership.distance.auc",
    "risk.membership.density_ratio.auc",
)


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text())
    found = evaluate(
        order["real"],
        order["synthetic"],
        holdout=order["holdout"],
        target=order["target"],
        random_state=order["seed"],
    ).result
    kept = {
        "metrics_version": found["metrics_version"],
        "rows": {name: table["rows"] for name, table in found["tables"].items()},
        "figures": figures(found),
        "floors": {name: figures(floor) for name, floor in found["floors"].items()},
    }
    Path(order["figures"]).write_text(json.dumps(kept))


def figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """Figures by their paths; those that were not taken are left out."""
    found = {path: at(result, path) for path in FIGURES}
    return {path: rounded(value) for path, value in found.items() if value is not None}


def rounded(value: Any) -> Any:
    """Six digits, which is more than any figure holds."""
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.6g}")


if __name__ == "__main__":
    main()
