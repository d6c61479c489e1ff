"""Detection: how well a classifier tells the rows of two tables apart.

Two classifiers try, cross-validated in three folds, on equally many rows of each table.

logistic
    Logistic regression (standardised numbers, a null being the mean and a column that says so;
    categories one-hot). It sees margins and little else. `logistic` is 1 - max(0, 2 AUC - 1), 1 is
    perfect: SDMetrics' LogisticDetection.
boosted
    Boosted trees, `synthgan.density_ratio`. They see the whole row.

`logistic_auc` and `boosted_auc` are the AUC itself, 0.5 is perfect: the classifier two-sample test
of Lopez-Paz and Oquab (ICLR 2017).

Against the training rows a table looks better the more it has copied, down to an AUC below 0.5 for
a plain copy. The figures against the holdout, which no generator has seen, are the honest ones.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from synthgan.density_ratio import FOLDS, DensityRatio, auc, density_ratio

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.reference import Reference

# Rows of each table: 20,000 up to 50 columns, then fewer, so that a wide table takes no longer.
MOST_ROWS, FEWEST_WIDE_ROWS, MOST_CELLS = 20_000, 2_000, 1_000_000
# With fewer, the trees (20 rows a leaf, two folds of three) cannot split once: their 0.5 would say
# nothing.
FEWEST_ROWS = 30
RESAMPLES, CONFIDENCE = 200, 0.95
AUCS = ("boosted_auc", "logistic_auc")
IMPORTANCE_CELLS, FEWEST_IMPORTANCE_ROWS, MOST_IMPORTANCE_ROWS = 200_000, 500, 6_000
QUANTILES = 50
# Larger numbers, infinite ones too, are taken for this one: their squares would overflow.
LARGEST = 1e150

_REAL, _FOUND, _HOLDOUT, _TREES, _HOLDOUT_TREES, _RESAMPLES, _IMPORTANCE = range(100, 107)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Scores = tuple[Floats, Floats]  # of the rows of two tables


def detection(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """How well two classifiers tell a table from the real one, and from the holdout.

    Parameters
    ----------
    reference : Reference
        The real table, its holdout and the seed.
    found : Coded
        The table to judge.
    detail : bool
        False leaves out what the floors do not need: intervals and columns.

    Returns
    -------
    dict
        `boosted_auc`, `logistic_auc` and `logistic`, and the same against the holdout:
        `boosted_auc_holdout`, `logistic_auc_holdout`, `logistic_holdout`. With detail each AUC has
        its lowest and highest value in `boosted_auc_interval` and so on, and `columns` has for each
        column its name, `auc_alone` (by this column alone) and `importance` (what the trees' AUC
        loses when it is shuffled), the most telling first.
        `rows` and `rows_holdout` are the rows of each table. A figure that cannot be had is None,
        and `reason` or `reason_holdout` says why.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> reference = Reference(pa.table({"n": np.arange(100.0)}))
    >>> found = reference.code(pa.table({"n": np.arange(100.0) + 1_000}))
    >>> detection(reference, found, detail=False)["boosted_auc"]
    1.0
    """
    sides = {
        "": _compare(reference, reference.real, found, (_REAL, _TREES)),
        "_holdout": _compare(reference, reference.holdout, found, (_HOLDOUT, _HOLDOUT_TREES)),
    }
    figures: dict[str, Any] = {"rows": _rows(reference.real, found)}
    if reference.holdout is not None:
        figures["rows_holdout"] = _rows(reference.holdout, found)
    for side, compared in sides.items():
        figures |= _figures(side, compared)
    return figures | _detail(reference, sides, found) if detail else figures


def logistic_scores(tables: DensityRatio, categorical: Mask) -> Scores:
    """Log-odds of a logistic regression on the rows and folds that the trees had.

    Parameters
    ----------
    tables : DensityRatio
        Two tables and their folds.
    categorical : array of bool of shape (n_columns,)
        Which columns are categories.

    Returns
    -------
    tuple of two arrays of float64 of shape (n_first,), (n_second,)
        For each row, by the model that saw the other folds only; above 0: of the first table.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> numbers = np.array([False])
    >>> apart = density_ratio(np.ones((9, 1)), np.zeros((9, 1)), numbers, rng=rng)
    >>> auc(*logistic_scores(apart, numbers))
    1.0
    """
    labels = np.arange(len(tables.rows)) < len(tables.first)
    scores = np.empty(len(tables.rows))
    for fold in range(FOLDS):
        seen = tables.folds != fold
        model = _logistic(categorical)
        with warnings.catch_warnings():
            # Not to converge within 100 Newton steps costs digits that nobody reads.
            warnings.simplefilter("ignore")
            model.fit(tables.rows[seen], labels[seen])
        scores[~seen] = model.decision_function(tables.rows[~seen])
    return scores[labels], scores[~labels]


def auc_interval(first: Floats, second: Floats, *, rng: np.random.Generator) -> list[float]:
    """Interval of 95 % of an AUC: percentiles over 200 bootstrap resamples of each table's rows.

    The scores stay as they are, so it says how much hangs on the rows judged, not on those that
    the classifier was trained on.

    Parameters
    ----------
    first, second : array of float64 of shape (n_first,), (n_second,)
        Scores of each table's rows.
    rng : numpy.random.Generator
        Draws the resamples.

    Returns
    -------
    list of float
        Lowest and highest.

    Examples
    --------
    >>> auc_interval(np.ones(9), np.zeros(9), rng=np.random.default_rng(0))
    [1.0, 1.0]
    """
    _, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    size = int(place.max()) + 1
    tables = place[: len(first)], place[len(first) :]
    found = np.empty(RESAMPLES)
    for resample in range(RESAMPLES):
        above, below = (
            np.bincount(table[rng.integers(len(table), size=len(table))], minlength=size)
            for table in tables
        )
        found[resample] = above @ (np.cumsum(below) - below / 2)
    tail = (1 - CONFIDENCE) / 2
    ends = np.quantile(found / (len(first) * len(second)), [tail, 1 - tail])
    return [float(end) for end in ends]


def _rows(one: Coded, other: Coded) -> int:
    wide = max(MOST_CELLS // len(one.columns), FEWEST_WIDE_ROWS)
    return min(MOST_ROWS, wide, one.rows, other.rows)


@dataclass(frozen=True, slots=True)
class _Compared:
    """What both classifiers make of the rows of two tables; scores by the name of their AUC."""

    trees: DensityRatio
    scores: dict[str, Scores]


def _compare(
    reference: Reference, real: Coded | None, found: Coded, streams: tuple[int, int]
) -> _Compared | str:
    """Both classifiers on equally many rows of both tables, or why there are none."""
    if real is None:
        return "there is no holdout"
    rows = _rows(real, found)
    if rows < FEWEST_ROWS:
        return f"{rows} rows of each table; at least {FEWEST_ROWS} are needed"
    first, second = (
        np.clip(reference.draw(table, rows, stream).matrix(), -LARGEST, LARGEST)
        for table, stream in ((real, streams[0]), (found, _FOUND))
    )
    trees = density_ratio(first, second, found.categorical, rng=reference.rng(streams[1]))
    logistic = logistic_scores(trees, found.categorical)
    return _Compared(trees, dict(zip(AUCS, ((trees.first, trees.second), logistic), strict=True)))


def _figures(side: str, compared: _Compared | str) -> dict[str, Any]:
    if isinstance(compared, str):
        names = [f"{name}{side}" for name in (*AUCS, "logistic")]
        return {**dict.fromkeys(names), f"reason{side}": compared}
    found = {name: auc(*scores) for name, scores in compared.scores.items()}
    score = 1 - max(0.0, 2 * found["logistic_auc"] - 1)
    return {**{f"{name}{side}": value for name, value in found.items()}, f"logistic{side}": score}


def _detail(
    reference: Reference, sides: dict[str, _Compared | str], found: Coded
) -> dict[str, Any]:
    rng = reference.rng(_RESAMPLES)
    detail: dict[str, Any] = {
        "interval": f"{CONFIDENCE:.0%} of {RESAMPLES} bootstrap resamples of the rows judged"
    }
    for name in AUCS:
        for side, compared in sides.items():
            detail[f"{name}{side}_interval"] = (
                None if isinstance(compared, str) else auc_interval(*compared.scores[name], rng=rng)
            )
    trained, rng = sides[""], reference.rng(_IMPORTANCE)
    columns = [] if isinstance(trained, str) else _columns(trained.trees, found, rng)
    return detail | {"columns": columns}


def _columns(
    tables: DensityRatio, found: Coded, rng: np.random.Generator
) -> list[dict[str, str | float]]:
    """Which columns gave the table away, the most telling first."""
    asked = max(IMPORTANCE_CELLS // len(found.columns), FEWEST_IMPORTANCE_ROWS)
    importance = tables.importance(min(asked, MOST_IMPORTANCE_ROWS), rng=rng)
    columns: list[dict[str, str | float]] = []
    for place in np.lexsort((np.arange(len(importance)), -importance)):
        values = tables.rows[:, place]
        codes = values.astype(np.int64) if found.categorical[place] else _bins(values)
        columns.append(
            {
                "name": found.names[place],
                "auc_alone": _alone(codes, tables),
                "importance": float(importance[place]),
            }
        )
    return columns


def _alone(codes: NDArray[np.int64], tables: DensityRatio) -> float:
    """AUC of one column: a row's score is the odds of its code in the other folds."""
    size = int(codes.max()) + 1
    split = len(tables.first)
    cells = tables.folds * size + codes
    counts = [
        np.bincount(part, minlength=FOLDS * size).reshape(FOLDS, size)
        for part in (cells[:split], cells[split:])
    ]
    others_first, others_second = (count.sum(axis=0) - count for count in counts)
    odds = np.log((others_first + 1) / (others_second + 1))
    scores = odds[tables.folds, codes]
    return auc(scores[:split], scores[split:])


def _bins(values: Floats) -> NDArray[np.int64]:
    """Bins between quantiles, and one for each quantile itself: a value that recurs stands alone.

    Nulls are a bin of their own.
    """
    present = np.sort(values[~np.isnan(values)])
    edges = np.unique(present[:: max(len(present) // QUANTILES, 1)])
    bins = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
    return np.where(np.isnan(values), 2 * len(edges) + 1, bins)


def _logistic(categorical: Mask) -> Any:
    filled = SimpleImputer(add_indicator=True, keep_empty_features=True)
    numbers = make_pipeline(filled, StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore")
    inputs = ColumnTransformer(
        [("numbers", numbers, ~categorical), ("levels", levels, categorical)], sparse_threshold=1.0
    )
    return make_pipeline(inputs, LogisticRegression(solver="newton-cg", max_iter=100))
