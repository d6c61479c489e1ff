"""What column shapes and pairs do not show: triples, missing values, ranges and categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.evaluation.columns import (
    Floats,
    LevelColumn,
    NumberColumn,
    Prepared,
    as_floats,
    total_variation,
)
from synthgan.evaluation.measures.triples import triples
from synthgan.evaluation.measures.wording import number_in_words

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.reference import Reference

ROWS = 20_000  # of each table, for patterns; everything else is counted over all rows
PATTERNS = 10  # listed

_STREAM = 300
_BITS = 40  # columns of a pattern that are packed into one whole number


def coverage(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Hold a table's triples, nulls, ranges and categories to the real one's.

    Parameters
    ----------
    reference : Reference
        The real side.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to add the figures of each column, triple and pattern.

    Returns
    -------
    dict
        `triples`, as `triples` says; `missing`, as `missing` says; `coverage`, as `ranges` says.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> reference = Reference(pa.table({"n": [0, 5, 10], "town": ["Ulm", "Bonn", None]}))
    >>> found = reference.code(pa.table({"n": [0, 5, 15], "town": ["Ulm", "Ulm", "Rom"]}))
    >>> figures = coverage(reference, found)
    >>> figures["coverage"]["columns"]["town"]["category_coverage"]
    0.5
    >>> round(figures["missing"]["error_pct"], 1)
    16.7
    """
    return {
        "triples": triples(reference, found, detail=detail),
        "missing": missing(reference, found, detail=detail),
        "coverage": ranges(reference, found, detail=detail),
    }


def missing(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Null shares, and which columns are null together.

    A column's `similarity` is SDMetrics' MissingValueSimilarity: one minus the absolute difference
    of the null shares. A pattern is the set of columns that a row lacks.

    Parameters
    ----------
    reference, found, detail
        As in `coverage`.

    Returns
    -------
    dict
        `error_pct`, mean absolute difference of the null shares of the columns, in percent points;
        `patterns_error_pct`, total variation over the patterns of at most 20,000 rows (`rows`) of
        each table; `columns` by name with `real_pct`, `synthetic_pct`, `difference_pct` (synthetic
        minus real) and `similarity`; the 10 `patterns` with the largest share in either table.
    """
    shares = np.array([_null_shares(c.real, p, c.size) for c, p in _pairs(found)])
    gaps = 100 * (shares[:, 1] - shares[:, 0])
    rows = min(ROWS, reference.real.rows, found.rows)
    lists, real, synthetic = _patterns(
        _nulls(reference.draw(reference.real, rows, _STREAM)),
        _nulls(reference.draw(found, rows, _STREAM + 1)),
    )
    result: dict[str, Any] = {
        "error_pct": float(np.abs(gaps).mean()),
        "patterns_error_pct": 100 * total_variation(real, synthetic),
        "rows": rows,
    }
    if detail:
        result["columns"] = {
            name: {
                "real_pct": 100 * float(share[0]),
                "synthetic_pct": 100 * float(share[1]),
                "difference_pct": float(gap),
                "similarity": 1 - abs(float(gap)) / 100,
            }
            for name, share, gap in zip(found.names, shares, gaps, strict=True)
        }
        result["patterns"] = [
            {
                "columns": [found.names[c] for c in np.flatnonzero(lists[i])],
                "real_pct": 100 * float(real[i]),
                "synthetic_pct": 100 * float(synthetic[i]),
            }
            for i in np.argsort(-np.maximum(real, synthetic), kind="stable")[:PATTERNS]
        ]
    return result


def ranges(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """How far the real ranges and categories are reached, and how often they are left.

    The definitions are SDMetrics' RangeCoverage, BoundaryAdherence, CategoryCoverage and
    CategoryAdherence, on the values as they are compared (whole-number real columns: rounded). A
    null counts as inside where the real column has any (for the boundaries it is passed over), and
    as outside where it has none. Where SDMetrics gives NaN, there is None with a `reason`, but a
    synthetic column of nulls covers 0 of a range.

    Parameters
    ----------
    reference, found, detail
        As in `coverage`.

    Returns
    -------
    dict
        Means over the columns that have the figure, None if none has: `range_coverage`,
        `boundary_adherence`, `category_coverage`, `category_adherence`, `outside_pct` (synthetic
        values out of the real range) and `unseen_pct` (synthetic rows with a level that the real
        column never held). `rounded` maps whole-number real columns that hold fractions in the
        synthetic table to the percentage of such values. `columns` has the figures by name, with
        the ends of both ranges, `real` and `synthetic`, or the numbers of levels.
    """
    figures = {
        column.name: _range(column, prepared)
        if isinstance(column, NumberColumn)
        else _categories(column, prepared)
        for column, prepared in _pairs(found)
    }
    result: dict[str, Any] = {
        key: _mean([each[key] for each in figures.values() if each.get(key) is not None])
        for key in (
            "range_coverage",
            "boundary_adherence",
            "category_coverage",
            "category_adherence",
            "outside_pct",
            "unseen_pct",
        )
    }
    fractions = {
        column.name: _fractions(found.table.column(column.name))
        for column in found.columns
        if isinstance(column, NumberColumn) and column.whole
    }
    result["rounded"] = {name: share for name, share in fractions.items() if share > 0}
    if detail:
        result["columns"] = figures
    return result


def _pairs(found: Coded) -> Any:
    return zip(found.columns, found.prepared, strict=True)


def _mean(figures: list[float]) -> float | None:
    return float(np.mean(figures)) if figures else None


def _null_shares(real: Prepared, found: Prepared, size: int) -> list[float]:
    return [float((each.codes == size - 2).mean()) for each in (real, found)]


def _nulls(coded: Coded) -> NDArray[np.bool_]:
    """Whether a cell is null, of shape (rows, n_columns)."""
    return np.stack([p.codes == c.size - 2 for c, p in _pairs(coded)], axis=1)


def _patterns(
    real: NDArray[np.bool_], found: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """The patterns of two tables, of shape (n_patterns, n_columns), and their share in each."""
    nulls = np.concatenate([real, found])
    codes = np.zeros(len(nulls), dtype=np.int64)
    for start in range(0, nulls.shape[1], _BITS):
        part = nulls[:, start : start + _BITS].astype(np.int64)
        packed = codes << _BITS | part @ (1 << np.arange(part.shape[1]))
        _, first, codes = np.unique(packed, return_index=True, return_inverse=True)
    shares = [np.bincount(c, minlength=len(first)) / len(c) for c in np.split(codes, [len(real)])]
    return nulls[first], shares[0], shares[1]


def _range(column: NumberColumn, prepared: Prepared) -> dict[str, Any]:
    assert prepared.values is not None
    values = prepared.values[~np.isnan(prepared.values)]
    if not len(column.unique):
        return {"range_coverage": None, "reason": "the real column is all null"}
    low, high = float(column.unique[0]), float(column.unique[-1])
    inside = int(((values >= low) & (values <= high)).sum())
    rows = len(values) if column.has_null else len(prepared.values)
    result: dict[str, Any] = {
        "range_coverage": _range_coverage(low, high, values),
        "boundary_adherence": inside / rows if rows else None,
        "outside_pct": 100 * (1 - inside / len(values)) if len(values) else None,
        "real": [number_in_words(end, column.type) for end in (low, high)],
        "synthetic": [number_in_words(end, column.type) for end in (values.min(), values.max())]
        if len(values)
        else None,
    }
    if low == high:
        result["reason"] = "the real column is constant"
    elif result["range_coverage"] is None:
        result["reason"] = "the real column is not finite"
    elif not len(values):
        result["reason"] = "the synthetic column is all null"
    return result


def _range_coverage(low: float, high: float, values: Floats) -> float | None:
    if low == high or not np.isfinite([low, high]).all():
        return None
    if not len(values):
        return 0.0
    width = high / 2 - low / 2  # halved: the whole may be more than a float can say
    above = max((float(values.min()) / 2 - low / 2) / width, 0.0)
    below = max((high / 2 - float(values.max()) / 2) / width, 0.0)
    return max(1 - (above + below), 0.0)


def _categories(column: LevelColumn, prepared: Prepared) -> dict[str, Any]:
    counts = np.bincount(prepared.codes, minlength=column.size)
    levels, rows = column.size - 2, len(prepared.codes)
    nulls = int(counts[levels]) if column.shares[levels] > 0 else 0
    seen = int((counts[:levels] > 0).sum())
    result = {
        "category_coverage": seen / levels if levels else None,
        "category_adherence": (int(counts[:levels].sum()) + nulls) / rows,
        "unseen_pct": 100 * float(counts[-1]) / rows,
        "real_levels": levels,
        "covered_levels": seen,
    }
    return result if levels else {**result, "reason": "the real column is all null"}


def _fractions(array: Any) -> float:
    """Percentage of values that are no whole number, nulls passed over."""
    if pa.types.is_integer(array.type):
        return 0.0
    values = as_floats(array)
    values = values[~np.isnan(values)]
    return 100 * float((values != np.rint(values)).mean()) if len(values) else 0.0
