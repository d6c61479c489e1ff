"""Detection: how well a classifier tells the rows of two tables apart.

Two classifiers try, cross-validated in three folds, on equally many rows of each table.

logistic
    Logistic regression (standardised numbers, a null being the mean and a column that says so;
    categories one-hot). `logistic` is 1 - max(0, 2 AUC - 1), 1 is perfect: SDMetrics'
    LogisticDetection. It sees margins and little else.
boosted
    Boosted trees, `synthgan.density_ratio`. `boosted_auc` is the AUC itself, 0.5 is perfect: the
    classifier two-sample test of Lopez-Paz and Oquab (ICLR 2017). It sees the whole row.

Against the training rows a table looks better the more it has copied, down to an AUC below 0.5 for
a plain copy. The figures against the holdout, which no generator has seen, are the honest ones.
"""

from __future__ import annotations

import warnings
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
IMPORTANCE_CELLS, FEWEST_IMPORTANCE_ROWS, MOST_IMPORTANCE_ROWS = 200_000, 500, 6_000
QUANTILES = 50
# Larger numbers, infinite ones too, are taken for this one: their squares would overflow.
LARGEST = 1e150

_REAL, _FOUND, _HOLDOUT, _TREES, _HOLDOUT_TREES, _RESAMPLES, _IMPORTANCE = range(100, 107)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def detection(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """How well two classifiers tell a table from the real one, and from the holdout.

    Parameters
    ----------
    reference : Reference
        The real table, its holdout and the seed.
    found : Coded
        The table to judge.
    detail : bool
        False leaves out what the floors do not need: intervals, the logistic AUC, the logistic
        figure against the holdout, columns.

    Returns
    -------
    dict
        `boosted_auc`, `boosted_auc_holdout`, `logistic`, and with detail `logistic_auc`,
        `logistic_holdout`, `boosted_auc_interval`, `boosted_auc_holdout_interval` (lowest and
        highest) and `columns`: for each its name, `auc_alone` (by this column alone) and
        `importance` (what the trees' AUC loses when it is shuffled), the most telling first.
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
    trained = _compare(reference, reference.real, found, (_REAL, _TREES))
    held_out = _compare(reference, reference.holdout, found, (_HOLDOUT, _HOLDOUT_TREES))
    categorical = found.categorical
    logistic = logistic_auc(trained, categorical) if isinstance(trained, DensityRatio) else None
    figures: dict[str, Any] = {
        "rows": _rows(reference.real, found),
        "boosted_auc": _auc(trained),
        "boosted_auc_holdout": _auc(held_out),
        "logistic": _score(logistic),
    }
    if reference.holdout is not None:
        figures["rows_holdout"] = _rows(reference.holdout, found)
    for name, outcome in (("reason", trained), ("reason_holdout", held_out)):
        if isinstance(outcome, str):
            figures[name] = outcome
    if detail:
        figures |= _detail(reference, trained, held_out, found)
        figures["logistic_auc"] = logistic
    return figures


def logistic_auc(tables: DensityRatio, categorical: Mask) -> float:
    """AUC of a logistic regression on the rows and folds that the trees had.

    Parameters
    ----------
    tables : DensityRatio
        Two tables and their folds.
    categorical : array of bool of shape (n_columns,)
        Which columns are categories.

    Returns
    -------
    float
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
    return auc(scores[labels], scores[~labels])


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


def _compare(
    reference: Reference, real: Coded | None, found: Coded, streams: tuple[int, int]
) -> DensityRatio | str:
    """Trees for equally many rows of both tables, or why there are none."""
    if real is None:
        return "there is no holdout"
    rows = _rows(real, found)
    if rows < FEWEST_ROWS:
        return f"{rows} rows of each table; at least {FEWEST_ROWS} are needed"
    first, second = (
        np.clip(reference.draw(table, rows, stream).matrix(), -LARGEST, LARGEST)
        for table, stream in ((real, streams[0]), (found, _FOUND))
    )
    return density_ratio(first, second, found.categorical, rng=reference.rng(streams[1]))


def _auc(compared: DensityRatio | str) -> float | None:
    return None if isinstance(compared, str) else compared.auc


def _score(logistic: float | None) -> float | None:
    return None if logistic is None else 1 - max(0.0, 2 * logistic - 1)


def _detail(
    reference: Reference, trained: DensityRatio | str, held_out: DensityRatio | str, found: Coded
) -> dict[str, Any]:
    rng = reference.rng(_RESAMPLES)
    detail: dict[str, Any] = {
        "interval": f"{CONFIDENCE:.0%} of {RESAMPLES} bootstrap resamples of the rows judged",
        "boosted_auc_interval": None,
        "boosted_auc_holdout_interval": None,
        "logistic_holdout": None,
        "columns": [],
    }
    if isinstance(trained, DensityRatio):
        detail["boosted_auc_interval"] = auc_interval(trained.first, trained.second, rng=rng)
        detail["columns"] = _columns(trained, found, reference.rng(_IMPORTANCE))
    if isinstance(held_out, DensityRatio):
        interval = auc_interval(held_out.first, held_out.second, rng=rng)
        detail["boosted_auc_holdout_interval"] = interval
        detail["logistic_holdout"] = _score(logistic_auc(held_out, found.categorical))
    return detail


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
