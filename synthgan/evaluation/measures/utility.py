"""What a synthetic table is good for: models trained on it, tested on real rows.

Train on synthetic, test on real, beside train on real, test on the same rows (Esteban, Hyland and
Raetsch, "Real-valued (medical) time series generation with recurrent conditional GANs", 2017). The
same learners with the same settings stand on both sides, so that only the training rows differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from synthgan.density_ratio import auc
from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Floats
from synthgan.evaluation.measures.learners import (
    BOOSTED,
    MANY_CLASSES_ROUNDS,
    NAMES,
    ROUNDS,
    Predict,
    fit,
)
from synthgan.evaluation.measures.targets import CLASSIFICATION, REGRESSION, Rows, Task, task
from synthgan.evaluation.reference import Reference

# Training rows: at most so many, and so many cells (rows x columns), but not fewer than the last.
MOST_ROWS, MOST_CELLS, LEAST_ROWS = 50_000, 1_000_000, 1_000
LEAST_TEST_ROWS, MOST_TEST_ROWS = 5_000, 25_000
# Rows of the permutation importances: cells over columns, between these two.
IMPORTANCE_CELLS, LEAST_IMPORTANCE_ROWS, MOST_IMPORTANCE_ROWS = 100_000, 200, 4_000
# Importances below this are noise: such columns rank together, last.
LEAST_IMPORTANCE = 0.001

# Features are held within this, so that no float32 overflows, nor the square of a float64.
LARGEST = 1e30

FIGURES = {CLASSIFICATION: ("auc", "macro_f1"), REGRESSION: ("rmse", "r2")}
_TRAIN, _SYNTHETIC, _TEST, _PERMUTE = range(400, 404)

Figures = dict[str, float | None]


def utility(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Train on synthetic, test on real, beside train on real.

    What is predicted, and how the classes are read, says
    `synthgan.evaluation.measures.targets.task`. Two classes are judged by the AUC of the last one
    in order, more by the mean of the one-against-the-rest AUCs of those that the test rows have. No
    more synthetic rows are learned from than real ones. Rows whose target is null, or a class that
    the real table lacks, are left
    out and counted.

    Parameters
    ----------
    reference : Reference
        The real side, with its target.
    found : Coded
        The synthetic table.
    detail : bool
        Without it, boosted trees trained on the synthetic table only.

    Returns
    -------
    dict
        `task`, `target` and the figures of the boosted trees: `auc` and `macro_f1`, or `rmse` (in
        the target's unit, days for dates and spans) and `r2`. With detail also `real` (the same,
        trained on real rows), `learners` (boosted_trees, linear, random_forest), `importances` of
        the columns and their `importance_agreement`, `tested_on`, `rows`, `dropped_rows`,
        `missing_classes`. What cannot be measured is None, with a `reason`.

        An importance is the loss of AUC or R2 on real rows when the column is permuted (Breiman,
        "Random forests", 2001), for the trees trained on either table. The agreement is Spearman's
        correlation of the two over the columns, those below 0.001 tied.

    Examples
    --------
    >>> import pyarrow as pa
    >>> x = np.random.default_rng(0).normal(size=400)
    >>> table = pa.table({"x": x, "high": x > 0})
    >>> reference = Reference(table, table, target="high")
    >>> result = utility(reference, reference.code(table))
    >>> result["auc"], result["real"]["auc"]
    (1.0, 1.0)
    """
    trial = reference.memo.get("utility")
    if trial is None:
        trial = reference.memo["utility"] = _prepare(reference)
    if isinstance(trial, dict):
        return dict(trial)
    rows = trial.draw(found, _SYNTHETIC)
    if not detail:
        return _headline(trial, trial.judge(BOOSTED, rows)[0])
    return _compare(trial, rows)


def _prepare(reference: Reference) -> Trial | dict[str, Any]:
    """The real side, or the result that says why there is none."""
    target, names = reference.target, reference.real.names
    if target is None or target not in names:
        reason = "no target was given" if target is None else "the target is no compared column"
        return {"task": None, "target": target, "auc": None, "rmse": None, "reason": reason}
    trial = Trial(reference, task(reference.real, target))
    impossible = trial.impossible()
    if impossible is None:
        return trial
    nothing = dict.fromkeys(FIGURES[trial.task.kind])
    return {"task": trial.task.kind, "target": target, **nothing, "reason": impossible}


@dataclass(frozen=True, slots=True)
class Learned:
    """What the learners trained on one table came to on the test rows."""

    figures: dict[str, Figures]
    importances: Floats | None
    rows: Rows


class Trial:
    """The test rows, and whoever is tried on them.

    Parameters
    ----------
    reference : Reference
        The real side, with its target.
    task : Task
        What is predicted.
    """

    def __init__(self, reference: Reference, task: Task) -> None:
        self.reference, self.task = reference, task
        self.names = [name for name in reference.real.names if name != reference.target]
        self.categorical = np.delete(reference.real.categorical, task.place)
        train, test = reference.test
        # Trees of a round for each that two classes would have.
        trees = max(1.0, len(task.classes) * MANY_CLASSES_ROUNDS / ROUNDS)
        cells = int(MOST_CELLS / (max(len(self.names), 1) * trees))
        self.most_rows = min(MOST_ROWS, max(LEAST_ROWS, cells), train.rows)
        most_tests = max(LEAST_TEST_ROWS, int(MOST_TEST_ROWS / trees))
        self.test = _bounded(task.rows(reference.draw(test, most_tests, _TEST)))
        self._real: Learned | None = None

    def impossible(self) -> str | None:
        """Why nothing can be measured, if so."""
        if not self.names:
            return "there is no column to predict the target from"
        if not len(self.test.labels):
            return "no test row has a target"
        if self.task.kind == CLASSIFICATION and len(self.task.classes) < 2:
            return "the real target has one class only"
        return None

    @property
    def real(self) -> Learned:
        """What learners trained on real rows come to: the same for every table, so kept."""
        if self._real is None:
            self._real = self.learn(self.draw(self.reference.test[0], _TRAIN))
        return self._real

    def draw(self, coded: Coded, stream: int) -> Rows:
        """Rows to train on, no more than the real table has."""
        return _bounded(self.task.rows(self.reference.draw(coded, self.most_rows, stream)))

    def learn(self, rows: Rows) -> Learned:
        """Every learner trained on these rows, and the columns that the trees go by."""
        judged = {name: self.judge(name, rows) for name in NAMES}
        predict = judged[BOOSTED][1]
        importances = None if predict is None else self._importances(predict)
        return Learned({name: each[0] for name, each in judged.items()}, importances, rows)

    def judge(self, name: str, rows: Rows) -> tuple[Figures, Predict | None]:
        """Figures of one learner trained on these rows, None where there are none; and itself."""
        if not len(rows.labels):
            return dict.fromkeys(FIGURES[self.task.kind]), None
        predict = fit(name, self.task, rows, self.categorical, self.reference.seed)
        return self._figures(self.test.labels, predict(self.test.features)), predict

    def _figures(self, truth: Floats, predicted: Floats) -> Figures:
        if not self.task.classes:
            return _regression_figures(truth, predicted, self.task.unit)
        return {"auc": _auc(truth, predicted), "macro_f1": _macro_f1(truth, predicted)}

    def _importances(self, predict: Predict) -> Floats | None:
        """Loss of AUC or R2 when a column of the test rows is permuted, of shape (n_columns,)."""
        within = IMPORTANCE_CELLS // len(self.names)
        most = min(max(within, LEAST_IMPORTANCE_ROWS), MOST_IMPORTANCE_ROWS)
        features, truth = self.test.features[:most], self.test.labels[:most]
        figure = "auc" if self.task.classes else "r2"
        whole = self._figures(truth, predict(features))[figure]
        if whole is None:
            return None
        order = self.reference.rng(_PERMUTE).permutation(len(truth))
        losses: list[float] = []
        # Some columns at once: a call of its own for each costs more than the trees do.
        step = max(1, MOST_IMPORTANCE_ROWS // len(truth))
        for places in np.split(np.arange(len(self.names)), range(step, len(self.names), step)):
            permuted = np.tile(features, (len(places), 1, 1))
            for block, place in zip(permuted, places, strict=True):
                block[:, place] = features[order, place]
            predicted = predict(permuted.reshape(-1, len(self.names)))
            for each in np.split(predicted, len(places)):
                losses.append(whole - (self._figures(truth, each)[figure] or 0.0))
        return np.array(losses)


def _bounded(rows: Rows) -> Rows:
    return Rows(np.clip(rows.features, -LARGEST, LARGEST), rows.labels, rows.dropped)


def _headline(trial: Trial, figures: Figures) -> dict[str, Any]:
    result = {"task": trial.task.kind, "target": trial.reference.target, **figures}
    missing = [name for name, figure in figures.items() if figure is None]
    if len(missing) == len(figures):
        result["reason"] = "no usable row to train on, or test rows of a single class"
    elif missing:
        result["reason"] = f"{missing[0]} is not defined where all test targets are the same"
    return result


def _compare(trial: Trial, rows: Rows) -> dict[str, Any]:
    """Every learner on both sides, and what the trees go by."""
    real, found = trial.real, trial.learn(rows)
    seen = np.unique(rows.labels).astype(np.int64) if trial.task.classes else ()
    return {
        **_headline(trial, found.figures[BOOSTED]),
        "classes": list(trial.task.classes),
        "missing_classes": [c for i, c in enumerate(trial.task.classes) if i not in seen],
        "real": real.figures[BOOSTED],
        "learners": {
            name: {**figures, "real": real.figures[name]} for name, figures in found.figures.items()
        },
        "importance_agreement": _agreement(real.importances, found.importances),
        "importances": _importance_list(trial.names, real.importances, found.importances),
        "tested_on": _tested_on(trial),
        "rows": _counts(trial, real.rows, rows, lambda each: len(each.labels)),
        "dropped_rows": _counts(trial, real.rows, rows, lambda each: each.dropped),
    }


def _counts(trial: Trial, real: Rows, found: Rows, of: Callable[[Rows], int]) -> dict[str, int]:
    return {"real": of(real), "synthetic": of(found), "test": of(trial.test)}


def _tested_on(trial: Trial) -> str:
    rows = f"{len(trial.test.labels):,} rows"
    if trial.reference.holdout is not None:
        return f"{rows} of the holdout"
    return (
        f"{rows} of the real table itself, for no holdout was given: the generator has seen them, "
        "so its figures may flatter; the models trained on real rows have not"
    )


def _importance_list(
    names: list[str], real: Floats | None, found: Floats | None
) -> list[dict[str, Any]]:
    if real is None or found is None:
        return []
    return [
        {"name": names[i], "real": float(real[i]), "synthetic": float(found[i])}
        for i in np.argsort(-real, kind="stable")
    ]


def _agreement(real: Floats | None, found: Floats | None) -> float | None:
    """Spearman's correlation; 0 where one side goes by no column, None where both do."""
    if real is None or found is None or len(real) < 2:
        return None
    ranks = [
        _ranks(np.where(each < LEAST_IMPORTANCE, 0.0, each)) - (len(each) + 1) / 2
        for each in (real, found)
    ]
    sizes = [float(np.sqrt((each**2).sum())) for each in ranks]
    if not any(sizes):
        return None
    return float(ranks[0] @ ranks[1] / (sizes[0] * sizes[1])) if all(sizes) else 0.0


def _auc(truth: Floats, shares: Floats) -> float | None:
    """The AUC of the last of two classes, or the mean over more."""
    classes = [1] if shares.shape[1] == 2 else range(shares.shape[1])
    found = []
    for number in classes:
        event = truth == number
        if 0 < event.sum() < len(event):
            found.append(auc(shares[event, number], shares[~event, number]))
    return float(np.mean(found)) if found else None


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing the middle of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _macro_f1(truth: Floats, shares: Floats) -> float:
    """Mean F1 over the classes that the test rows have."""
    guessed = shares.argmax(axis=1).astype(np.float64)
    return float(
        f1_score(truth, guessed, labels=np.unique(truth), average="macro", zero_division=0.0)
    )


def _regression_figures(truth: Floats, predicted: Floats, unit: float) -> Figures:
    squares = float(((truth - predicted) ** 2).mean())
    variance = float(truth.var())
    rmse = float(np.sqrt(squares)) * unit
    return {
        "rmse": rmse if np.isfinite(rmse) else None,
        "r2": 1 - squares / variance if variance > 0 else None,
    }
