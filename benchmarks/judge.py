"""Judge a synthetic table, whoever made it: every figure of the benchmarks from one piece of code.

    python benchmarks/judge.py real.parquet synthetic.parquet --test test.parquet --target income
        [--holdout holdout.parquet] [--seed 0] [--json]

shape_error, trend_error
    From `synthgan.evaluation`; fractions, 0 is perfect.
boosted_auc
    AUC of gradient-boosted trees telling real from synthetic rows; 0.5 is perfect.
boosted_auc_holdout
    The same against the holdout, which no generator has seen: the honest figure.
logistic
    1 - max(0, 2 AUC - 1) of a logistic regression doing the same; 1 is perfect.
utility_auc
    AUC on the real test rows of boosted trees trained on the synthetic rows.
closest_share
    Share of synthetic rows nearer to a sample of the real rows than to an equally large one of the
    holdout, ties half; 0.5 is no copying. It grows with the samples' size, so that is fixed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from synthgan.evaluation import METRICS_VERSION, fidelity

MOST_ROWS = 20_000
CLOSEST_ROWS = 5_000
CLOSEST_DRAWS = 5
MOST_LEVELS = 254  # the histogram booster's native categories, less one for the rest
NULL, REST = "\x00null", "\x00rest"

Frame = pd.DataFrame


def judge(
    real: Frame,
    synthetic: Frame,
    *,
    test: Frame | None = None,
    target: str | None = None,
    holdout: Frame | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """All figures in one dict; those that lack their table (test, holdout) are left out."""
    result = fidelity(real, synthetic)
    figures = {"shape_error": result.shape_error, "trend_error": result.trend_error}
    tables = align(real=real, synthetic=synthetic, test=test, holdout=holdout)
    figures["boosted_auc"] = boosted_auc(tables["real"], tables["synthetic"], seed=seed)
    figures["logistic"] = logistic_detection(tables["real"], tables["synthetic"], seed=seed)
    if "test" in tables and target is not None:
        figures["utility_auc"] = utility_auc(tables["synthetic"], tables["test"], target, seed=seed)
    if "holdout" in tables:
        figures["boosted_auc_holdout"] = boosted_auc(
            tables["holdout"], tables["synthetic"], seed=seed
        )
        figures["closest_share"] = closest_share(
            tables["synthetic"], tables["real"], tables["holdout"], seed=seed
        )
    return figures


def align(**frames: Frame | None) -> dict[str, Frame]:
    """Bring tables to the columns and types of the one called real.

    Numbers become float64, rounded where the real ones are whole; everything else becomes a
    category with the same levels in every table, null being one, rare ones beyond 254 another.
    """
    given = {name: frame for name, frame in frames.items() if frame is not None}
    result = {name: Frame(index=range(len(frame))) for name, frame in given.items()}
    for column in given["real"].columns:
        parts = {name: frame[column] for name, frame in given.items()}
        brought = _numbers(parts) if _is_number(parts["real"]) else _levels(parts)
        for name, values in brought.items():
            result[name][column] = values
    return result


def boosted_auc(real: Frame, synthetic: Frame, *, seed: int = 0) -> float:
    """AUC of boosted trees telling two aligned tables apart, on up to 20,000 rows of each."""
    return _cross_validated_auc(_booster(), real, synthetic, seed)


def logistic_detection(real: Frame, synthetic: Frame, *, seed: int = 0) -> float:
    """1 - max(0, 2 AUC - 1) of a logistic regression telling two aligned tables apart."""
    model = make_pipeline(_inputs(real, StandardScaler()), LogisticRegression(max_iter=1_000))
    return 1 - max(0.0, 2 * _cross_validated_auc(model, real, synthetic, seed) - 1)


def utility_auc(synthetic: Frame, test: Frame, target: str, *, seed: int = 0) -> float:
    """AUC on aligned real rows of trees trained on synthetic ones; the last level is the event."""
    if not isinstance(test[target].dtype, pd.CategoricalDtype):
        raise ValueError(f"target {target!r}: expected a category, found numbers")
    event = test[target].cat.categories[-1]
    model = _booster(seed).fit(synthetic.drop(columns=target), synthetic[target] == event)
    scores = model.predict_proba(test.drop(columns=target))[:, 1]
    return float(roc_auc_score(test[target] == event, scores))


def closest_share(synthetic: Frame, real: Frame, holdout: Frame, *, seed: int = 0) -> float:
    """Share of synthetic rows nearer to real rows than to the holdout, mean of some draws."""
    rows = min(CLOSEST_ROWS, len(synthetic), len(real), len(holdout))
    inputs = _inputs(real, QuantileTransformer(n_quantiles=min(1_000, len(real)))).fit(real)
    shares = []
    for draw in range(CLOSEST_DRAWS):
        drawn, near, far = (
            inputs.transform(frame.sample(rows, random_state=seed + draw)).astype(np.float32)
            for frame in (synthetic, real, holdout)
        )
        gap = _distances(drawn, near) - _distances(drawn, far)
        shares.append(np.mean(gap < 0) + np.mean(gap == 0) / 2)
    return float(np.mean(shares))


def _distances(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(others)
    return np.asarray(nearest.kneighbors(rows)[0][:, 0])


def _booster(seed: int = 0) -> Any:
    return HistGradientBoostingClassifier(
        max_iter=150, categorical_features="from_dtype", random_state=seed
    )


def _cross_validated_auc(model: Any, real: Frame, synthetic: Frame, seed: int) -> float:
    rows = min(MOST_ROWS, len(real), len(synthetic))
    drawn = [frame.sample(rows, random_state=seed) for frame in (real, synthetic)]
    labels = np.repeat([1, 0], rows)
    scores = cross_val_predict(
        model,
        pd.concat(drawn, ignore_index=True),
        labels,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        method="predict_proba",
    )
    return float(roc_auc_score(labels, scores[:, 1]))


def _inputs(like: Frame, scale: Any) -> Any:
    """Scaled numbers, a column that says where they are null, and one-hot categories."""
    levels = [c for c in like.columns if isinstance(like[c].dtype, pd.CategoricalDtype)]
    numbers = [c for c in like.columns if c not in levels]
    filled = SimpleImputer(add_indicator=True, keep_empty_features=True)
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [("numbers", make_pipeline(filled, scale), numbers), ("levels", one_hot, levels)]
    )


def _is_number(column: pd.Series[Any]) -> bool:
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind):
        return False
    return pd.api.types.is_numeric_dtype(kind) or kind.kind in "mM"


def _numbers(parts: dict[str, pd.Series[Any]]) -> dict[str, NDArray[np.float64]]:
    found: dict[str, NDArray[np.float64]] = {}
    for name, column in parts.items():
        if column.dtype.kind in "mM":
            column = column.astype("int64").where(column.notna())
        values = column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        found[name] = np.asarray(values, dtype=np.float64)
    present = found["real"][~np.isnan(found["real"])]
    if (present == np.rint(present)).all():
        found = {name: np.rint(values) for name, values in found.items()}
    return found


def _levels(parts: dict[str, pd.Series[Any]]) -> dict[str, pd.Categorical]:
    texts = {
        name: column.astype(object).where(column.notna(), NULL).astype(str)
        for name, column in parts.items()
    }
    counts = pd.concat(list(texts.values())).value_counts()
    kept = sorted(counts.index[:MOST_LEVELS])
    if len(counts) > MOST_LEVELS:
        texts = {name: text.where(text.isin(kept), REST) for name, text in texts.items()}
        kept.append(REST)
    return {name: pd.Categorical(text, categories=kept) for name, text in texts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge a synthetic table.")
    parser.add_argument("real", type=Path)
    parser.add_argument("synthetic", type=Path)
    parser.add_argument("--test", type=Path, help="real rows for the utility AUC")
    parser.add_argument("--target", help="column that the utility AUC predicts")
    parser.add_argument("--holdout", type=Path, help="real rows that no generator has seen")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    asked = parser.parse_args()
    if (asked.test is None) != (asked.target is None):
        parser.error("--test and --target belong together")
    figures = judge(
        pd.read_parquet(asked.real),
        pd.read_parquet(asked.synthetic),
        test=None if asked.test is None else pd.read_parquet(asked.test),
        target=asked.target,
        holdout=None if asked.holdout is None else pd.read_parquet(asked.holdout),
        seed=asked.seed,
    )
    if asked.json:
        print(json.dumps({"metrics_version": METRICS_VERSION, **figures}, indent=2))
    else:
        print("\n".join(f"{name:20} {value:.4f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
