"""The cells of a suite as Markdown: means over folds with intervals, and who is ahead of whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from scipy.stats import t

from augmenting.methods import LEARNERS, METHODS, METRICS

NAMES = {
    "balanced_accuracy": "Balanced accuracy",
    "minority_f1": "F1 of the rare classes",
    "auc": "AUC",
}


def frame_of(cells: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """One row for each table, learner, method, metric and fold, scores in points."""
    rows = []
    for cell in cells:
        for metric, score in cell.get("scores", {}).items():
            names = ("table", "learner", "method", "fold")
            rows.append({**{n: cell[n] for n in names}, "metric": metric, "score": 100 * score})
    return pd.DataFrame(rows)


def interval(scores: pd.Series) -> float:
    """Half of the 95 % interval of a mean over folds, by Student's t."""
    if len(scores) < 2:
        return float("nan")
    return float(t.ppf(0.975, len(scores) - 1) * scores.std() / len(scores) ** 0.5)


def markdown(cells: list[dict[str, Any]], command: str) -> str:
    """The page of results."""
    found = frame_of(cells)
    lines = ["# Augmentation", "", f"`{command}`", ""]
    for metric in METRICS:
        part = found[found.metric == metric] if len(found) else found
        if len(part):
            lines += _table(metric, part)
            lines += _verdicts(part)
    failed = [cell for cell in cells if "failed" in cell]
    if failed:
        lines += ["## Not done", ""]
        lines += [
            f"- {c['table']}, {c['learner']}, {c['method']}, fold {c['fold']}: {c['failed']}"
            for c in failed
        ]
    return "\n".join(lines).rstrip() + "\n"


def _table(metric: str, part: pd.DataFrame) -> list[str]:
    methods = [each for each in METHODS if each in set(part.method)]
    lines = [f"## {NAMES[metric]}", ""]
    most = part.groupby(["table", "learner", "method"]).fold.nunique().max()
    about = "mean over folds ± half of the 95 % interval"
    lines.append(f"Points, {about if most > 1 else 'one fold so far'}.")
    lines += ["", f"| table | learner | {' | '.join(methods)} |"]
    lines.append("|---|---|" + "---:|" * len(methods))
    for table in dict.fromkeys(part.table):
        for learner in LEARNERS:
            own = part[(part.table == table) & (part.learner == learner)]
            if not len(own):
                continue
            cells = []
            for method in methods:
                scores = own[own.method == method].score
                cells.append(_cell(scores) if len(scores) else "")
            lines.append(f"| {table} | {learner} | {' | '.join(cells)} |")
    return [*lines, ""]


def _cell(scores: pd.Series) -> str:
    mean = f"{scores.mean():.1f}"
    return f"{mean} ± {interval(scores):.1f}" if len(scores) > 1 else mean


def _verdicts(part: pd.DataFrame) -> list[str]:
    """`auto` beside the better of none and class weights, and beside SMOTENC."""
    if not {"auto", "none", "class_weights", "smotenc"} <= set(part.method):
        return []
    by = part.groupby(["table", "learner", "method"]).score
    means, medians = _ahead(by.mean()), _ahead(by.median())
    learners = [each for each in LEARNERS if each in set(part.learner)]
    lines = [
        "Points that `auto` is ahead of the better of none and class weights, and of SMOTENC as",
        "the mean over learners: by the means over folds, and by their medians in brackets.",
        "",
        f"| table | {' | '.join(learners)} | SMOTENC |",
        "|---|" + "---:|" * (len(learners) + 1),
    ]
    for table in dict.fromkeys(part.table):
        mean, median = means.loc[table], medians.loc[table]
        usual = [_both(mean.usual.get(each), median.usual.get(each)) for each in learners]
        peer = _both(mean.smotenc.mean(), median.smotenc.mean())
        lines.append(f"| {table} | {' | '.join(usual)} | {peer} |")
    return [*lines, ""]


def _ahead(scores: pd.Series) -> pd.DataFrame:
    """Points that `auto` is ahead, by table and learner."""
    found = scores.unstack("method")
    return pd.DataFrame(
        {
            "usual": found["auto"] - found[["none", "class_weights"]].max(axis=1),
            "smotenc": found["auto"] - found["smotenc"],
        }
    )


def _both(mean: float | None, median: float | None) -> str:
    if mean is None or median is None or pd.isna(mean):
        return ""
    # + 0.0: no difference has no sign
    first, second = (round(each, 1) + 0.0 for each in (mean, median))
    return f"{first:+.1f} ({second:+.1f})"
