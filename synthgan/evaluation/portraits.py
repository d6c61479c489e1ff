"""The data of the report's pictures: every column, the pairs, and a map of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from synthgan.evaluation.bins import Bins, bins_of
from synthgan.evaluation.coding import Coded, RealColumn
from synthgan.evaluation.columns import Codes, Floats, LevelColumn, NumberColumn, Prepared
from synthgan.evaluation.fidelity import correlations
from synthgan.evaluation.reference import Reference

# Columns that get a picture, columns in the pair maps, levels that get a bar.
MOST_COLUMNS, MOST_PAIRED, MOST_LEVELS = 200, 50, 12
# Rows behind the pair maps, rows that span the map, points of each table on it.
PAIR_ROWS, SPAN_ROWS, POINTS = 20_000, 4_000, 800
# Levels of a category that the pair maps tell apart; the rest share one.
PAIR_LEVELS = 20
LONGEST_LEVEL = 80
_PAIRS, _SPAN, _SHOWN, _SVD = range(800, 804)

Counts = NDArray[np.float64]


def portraits(reference: Reference, found: Coded) -> dict[str, Any]:
    """Collect what the pictures of a report show.

    Parameters
    ----------
    reference : Reference
        The real side.
    found : Coded
        The table that is judged.

    Returns
    -------
    dict
        `columns`: by name, a histogram of shared bins (numbers, moments, spans of time) or bars of
        levels, as shares of all rows. `associations`: Pearson's correlation of two numbers, else
        the bias-corrected Cramér's V [1]_ of bins and levels, null being a level, of both tables.
        `map`: points of both tables on the first two principal components of the real rows'
        embedding. Beyond 200 columns, and 50 in the associations, those with the largest error
        are shown, and `columns_chosen` and `chosen` say so.

    References
    ----------
    .. [1] W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean
       Statistical Society 42, 2013.

    Examples
    --------
    >>> import pyarrow as pa
    >>> reference = Reference(pa.table({"town": ["Ulm", "Ulm", "Bonn", None]}), seed=0)
    >>> found = reference.code(pa.table({"town": ["Ulm", "Bonn", "Bonn", "Rom"]}))
    >>> town = portraits(reference, found)["columns"]["town"]
    >>> town["labels"], town["real"], town["synthetic"], town["null"], town["unseen"]
    (['Ulm', 'Bonn'], [0.5, 0.25], [0.25, 0.5], [0.25, 0.0], 0.25)
    """
    real = reference.draw(reference.real, PAIR_ROWS, _PAIRS)
    drawn = reference.draw(found, PAIR_ROWS, _PAIRS)
    worst = _worst_first(drawn)
    shown = sorted(worst[:MOST_COLUMNS])
    return {
        "columns": {found.names[i]: _column(reference.real, found, i) for i in shown},
        "columns_chosen": _chosen(len(shown), len(worst)),
        "associations": _associations(real, drawn, sorted(worst[:MOST_PAIRED])),
        "map": _map(reference, found),
    }


def _worst_first(found: Coded) -> list[int]:
    """Places of the columns, the one with the largest error first."""
    pairs = zip(found.columns, found.prepared, strict=True)
    errors = [column.error(prepared) for column, prepared in pairs]
    return [int(place) for place in np.argsort(-np.array(errors), kind="stable")]


def _chosen(shown: int, total: int) -> str | None:
    if shown == total:
        return None
    return f"the {shown} of {total} columns with the largest error"


def _column(real: Coded, found: Coded, place: int) -> dict[str, Any]:
    column = real.columns[place]
    if isinstance(column, LevelColumn):
        return _bars(column, found.prepared[place])
    bins = bins_of(column, real.table.schema.field(place).type)
    return _histogram(bins, real.prepared[place], found.prepared[place])


def _histogram(bins: Bins | None, real: Prepared, found: Prepared) -> dict[str, Any]:
    sides = [each.values for each in (real, found) if each.values is not None]
    shares = [[] if bins is None else bins.shares(side, len(side)) for side in sides]
    return {
        "kind": "histogram",
        "labels": [] if bins is None else bins.labels,
        "ticks": [] if bins is None else bins.ticks,
        "real": shares[0],
        "synthetic": shares[1],
        "null": [_share(np.isnan(side)) for side in sides],
    }


def _bars(column: LevelColumn, found: Prepared) -> dict[str, Any]:
    levels = column.size - 2
    shares = np.bincount(found.codes, minlength=column.size) / max(len(found.codes), 1)
    order = np.argsort(-column.shares[:levels], kind="stable")
    top, rest = order[:MOST_LEVELS], order[MOST_LEVELS:]
    return {
        "kind": "bars",
        "labels": [_short(column.levels[int(level)].as_py()) for level in top],
        "real": _rounded(column.shares[top]),
        "synthetic": _rounded(shares[top]),
        "null": _rounded(np.array([column.shares[levels], shares[levels]])),
        "other": _rounded(np.array([column.shares[rest].sum(), shares[rest].sum()])),
        "other_levels": len(rest),
        "levels": levels,
        "unseen": _rounded(shares[-1:])[0],
    }


def _short(level: str) -> str:
    return level if len(level) <= LONGEST_LEVEL else level[: LONGEST_LEVEL - 1] + "…"


def _share(mask: NDArray[np.bool_]) -> float:
    return round(float(mask.mean()), 6) if len(mask) else 0.0


def _rounded(values: NDArray[Any], digits: int = 6) -> list[float]:
    return [round(float(value), digits) for value in values]


def _associations(real: Coded, found: Coded, places: Sequence[int]) -> dict[str, Any]:
    columns = [real.columns[place] for place in places]
    return {
        "names": [column.name for column in columns],
        "numbers": [column.is_number for column in columns],
        "real": _strengths(columns, [real.prepared[place] for place in places]),
        "synthetic": _strengths(columns, [found.prepared[place] for place in places]),
        "chosen": _chosen(len(places), len(real.columns)),
        "rows": [real.rows, found.rows],
    }


def _strengths(columns: Sequence[RealColumn], prepared: Sequence[Prepared]) -> list[list[float]]:
    """Associations of every pair, of shape (n_columns, n_columns); 1 on the diagonal."""
    made = _cramers(columns, prepared)
    numbers = [i for i, column in enumerate(columns) if column.is_number]
    values = [each.values for each in prepared if each.values is not None]
    made[np.ix_(numbers, numbers)] = correlations([_finite(side) for side in values])
    np.fill_diagonal(made, 1.0)
    return [_rounded(row, 3) for row in made]


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _cramers(columns: Sequence[RealColumn], prepared: Sequence[Prepared]) -> Floats:
    """Bias-corrected Cramér's V of every pair: all contingency tables are one matrix product."""
    codes = [_few(column, each) for column, each in zip(columns, prepared, strict=True)]
    sizes = [int(each.max(initial=0)) + 1 for each in codes]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rows = len(codes[0])
    hot = np.zeros((rows, int(starts[-1])), dtype=np.float32)
    for start, each in zip(starts, codes, strict=False):
        hot[np.arange(rows), start + each] = 1
    tables = (hot.T @ hot).astype(np.float64)
    spans = [slice(a, b) for a, b in pairwise(starts)]
    made = np.eye(len(columns))
    for i in range(len(columns)):
        for j in range(i):
            made[i, j] = made[j, i] = _cramer(tables[spans[i], spans[j]], rows)
    return made


def _few(column: RealColumn, found: Prepared) -> Codes:
    """Codes below `PAIR_LEVELS`, the same for every table of one real column."""
    if isinstance(column, NumberColumn) or column.size <= PAIR_LEVELS:
        return found.codes
    levels = column.size - 2
    few = np.full(column.size, PAIR_LEVELS - 2, dtype=np.int64)
    few[np.argsort(-column.shares[:levels], kind="stable")[: PAIR_LEVELS - 2]] = np.arange(
        PAIR_LEVELS - 2
    )
    few[levels] = PAIR_LEVELS - 1
    return few[found.codes]


def _cramer(table: Counts, rows: int) -> float:
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    tall, wide = table.shape
    if rows < 2 or min(tall, wide) < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / rows
    phi2 = float(((table - expected) ** 2 / expected).sum()) / rows
    phi2 = max(0.0, phi2 - (tall - 1) * (wide - 1) / (rows - 1))
    corrected = [size - (size - 1) ** 2 / (rows - 1) for size in (tall, wide)]
    most = min(corrected) - 1
    return float(min(1.0, np.sqrt(phi2 / most))) if most > 0 else 0.0


def _map(reference: Reference, found: Coded) -> dict[str, Any]:
    """Points on the first two principal components of the real rows' embedding."""
    embedding = reference.embedding
    span = embedding.transform(reference.draw(reference.real, SPAN_ROWS, _SPAN))
    mean = span.mean(axis=0)
    seed = int(reference.rng(_SVD).integers(2**31))
    _, lengths, axes = randomized_svd(span - mean, 2, random_state=seed)
    total = float(((span - mean) ** 2).sum())
    shown = reference.draw(found, POINTS, _SHOWN)
    points = [_flat((rows - mean) @ axes.T) for rows in (span[:POINTS], embedding.transform(shown))]
    explained = np.zeros(2)
    explained[: len(lengths)] = lengths**2 / total if total > 0 else 0.0
    return {
        "real": points[0],
        "synthetic": points[1],
        "explained": _rounded(explained, 4),
        "embedding": embedding.text,
    }


def _flat(points: Floats) -> list[list[float]]:
    """Two coordinates for every row, also where one axis says it all."""
    made = np.zeros((len(points), 2))
    made[:, : points.shape[1]] = points[:, :2]
    return [_rounded(point, 3) for point in made]
