"""How alike two tables are: column-shape error and pair-trend error.

The definitions are SDMetrics' KSComplement and TVComplement for shapes, and the pair trends of
SDMetrics 0.11 (all pairs, as the TabSyn paper used them) for trends, both as errors: 0 is equal.
They are fixed under `METRICS_VERSION`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from synthgan.data.source import open_source
from synthgan.evaluation.coding import REAL, SYNTHETIC, Coded, Coder, RealColumn
from synthgan.evaluation.columns import (
    Codes,
    Floats,
    Prepared,
    cell_shares,
    cell_variation,
    total_variation,
)
from synthgan.evaluation.version import METRICS_VERSION

if TYPE_CHECKING:
    from synthgan.data.schema import Schema

# From 100 columns on, this many pairs stand for all of them.
MOST_PAIRS = 5_000
# A contingency table up to this many cells is kept, a larger one counted anew each time. One of
# more than a million cells is counted over those that occur, on this many rows of each table.
KEPT_CELLS, DENSE_CELLS, SPARSE_ROWS = 16_384, 1_000_000, 20_000

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What a comparison of two tables found; every error lies in [0, 1], 0 is equal.

    Attributes
    ----------
    shape_error : float
        Mean of `columns`.
    trend_error : float
        Mean of `pairs`; 0 where there is no pair.
    columns : dict of str to float
        Kolmogorov-Smirnov distance (numbers) or total variation (categories) of each column.
    pairs : dict of (str, str) to float
        Half the difference of the correlations (two numbers), else total variation of the
        contingency table; names in the order of the real table.
    version : str
        `METRICS_VERSION` of the definitions.
    """

    shape_error: float
    trend_error: float
    columns: dict[str, float]
    pairs: dict[Pair, float]
    version: str = field(default=METRICS_VERSION)

    @property
    def error(self) -> float:
        """Mean of shape and trend error: the one number a fit is steered by."""
        return (self.shape_error + self.trend_error) / 2

    def to_dict(self) -> dict[str, Any]:
        """Everything in JSON's own types; pairs as a list of [first, second, error]."""
        return {
            "metrics_version": self.version,
            "shape_error": self.shape_error,
            "trend_error": self.trend_error,
            "columns": dict(self.columns),
            "pairs": [[first, second, error] for (first, second), error in self.pairs.items()],
        }


def fidelity(real: Any, synthetic: Any, *, schema: Schema | None = None) -> Fidelity:
    """Compare a synthetic table with the real one.

    Parameters
    ----------
    real, synthetic : table
        Arrow tables, frames, or paths of files; of any number of rows. Columns are found by name,
        columns only the synthetic table has are ignored.
    schema : Schema, optional
        Says which columns are numbers, which categories, and which (ids) are left out. Without it
        numeric and temporal Arrow types are numbers and everything else is a category.

    Returns
    -------
    Fidelity
        Shape and trend error, with the figure of every column and pair.

    Raises
    ------
    TableError
        When a table is empty, a column is missing in the synthetic table, or a number column
        holds no numbers there.

    Examples
    --------
    >>> import pyarrow as pa
    >>> real = pa.table({"age": [20, 30, 40, 50], "sex": ["f", "m", "f", "m"]})
    >>> fidelity(real, real).error
    0.0
    >>> other = pa.table({"age": [20, 30, 40, 50], "sex": ["f", "f", "f", "m"]})
    >>> fidelity(real, other).columns
    {'age': 0.0, 'sex': 0.25}
    """
    return FidelityReference(real, schema=schema).compare(synthetic)


class FidelityReference:
    """The real side of `fidelity`, prepared once for many comparisons.

    Parameters
    ----------
    real : table
        An Arrow table, a frame, or the path of a file.
    schema : Schema, optional
        As in `fidelity`.

    Raises
    ------
    TableError
        When the table has no rows, or no column that can be compared.

    Examples
    --------
    >>> import pyarrow as pa
    >>> reference = FidelityReference(pa.table({"x": [1.0, 2.0, 3.0, 4.0]}))
    >>> reference.compare(pa.table({"x": [1.0, 2.0]})).shape_error
    0.5
    """

    def __init__(self, real: Any, *, schema: Schema | None = None) -> None:
        self._prepare(Coder(_open(real, REAL), schema=schema))

    @classmethod
    def of(cls, coder: Coder) -> Self:
        """The same for a real table that is coded already."""
        made = cls.__new__(cls)
        made._prepare(coder)
        return made

    def _prepare(self, coder: Coder) -> None:
        self.coder = coder
        self.pairs = _chosen_pairs(len(self.columns))
        prepared = self.coder.real.prepared
        self._correlations = correlations(self._numbers(prepared))
        self._contingencies = {
            pair: cell_shares(self._cells(pair, prepared), self._size(pair))
            for pair in self.pairs
            if not self._both_numbers(pair) and self._size(pair) <= KEPT_CELLS
        }

    @property
    def columns(self) -> tuple[RealColumn, ...]:
        """The real columns that are compared."""
        return self.coder.columns

    def compare(self, synthetic: Any) -> Fidelity:
        """Hold a synthetic table to this one.

        Parameters
        ----------
        synthetic : table
            An Arrow table, a frame, or the path of a file.

        Returns
        -------
        Fidelity
            Shape and trend error, with the figure of every column and pair.

        Raises
        ------
        TableError
            As in `fidelity`.
        """
        return self.compare_coded(self.coder.code(_open(synthetic, SYNTHETIC)))

    def compare_coded(self, synthetic: Coded) -> Fidelity:
        """The same for a table that is coded already."""
        prepared = synthetic.prepared
        shapes = {
            column.name: column.error(found)
            for column, found in zip(self.columns, prepared, strict=True)
        }
        trends = self._trends(prepared)
        return Fidelity(
            shape_error=float(np.mean(list(shapes.values()))),
            trend_error=float(np.mean(list(trends.values()))) if trends else 0.0,
            columns=shapes,
            pairs=trends,
        )

    def _trends(self, prepared: Sequence[Prepared]) -> dict[Pair, float]:
        found = correlations(self._numbers(prepared))
        differences = np.abs(self._correlations - found) / 2
        place = {i: k for k, i in enumerate(i for i, c in enumerate(self.columns) if c.is_number)}
        trends = {}
        for i, j in self.pairs:
            if self._both_numbers((i, j)):
                error = float(differences[place[i], place[j]])
            else:
                error = self._contingency_error((i, j), prepared)
            trends[self.columns[i].name, self.columns[j].name] = error
        return trends

    def _contingency_error(self, pair: tuple[int, int], prepared: Sequence[Prepared]) -> float:
        size, found = self._size(pair), self._cells(pair, prepared)
        kept = self._contingencies.get(pair)
        if kept is not None:
            return total_variation(kept, cell_shares(found, size))
        real = self._cells(pair, self.coder.real.prepared)
        if size > DENSE_CELLS:
            real, found = _thinned(real), _thinned(found)
        return cell_variation(real, found, size, dense=DENSE_CELLS)

    def _both_numbers(self, pair: tuple[int, int]) -> bool:
        return self.columns[pair[0]].is_number and self.columns[pair[1]].is_number

    def _size(self, pair: tuple[int, int]) -> int:
        return self.columns[pair[0]].size * self.columns[pair[1]].size

    def _cells(self, pair: tuple[int, int], prepared: Sequence[Prepared]) -> Codes:
        i, j = pair
        return prepared[i].codes * self.columns[j].size + prepared[j].codes

    def _numbers(self, prepared: Sequence[Prepared]) -> list[Floats]:
        return [found.values for found in prepared if found.values is not None]


def _chosen_pairs(columns: int) -> list[tuple[int, int]]:
    """All pairs of columns, or `MOST_PAIRS` drawn evenly from them, always the same."""
    pairs = list(combinations(range(columns), 2))
    if len(pairs) <= MOST_PAIRS:
        return pairs
    chosen = np.random.default_rng(0).choice(len(pairs), MOST_PAIRS, replace=False)
    return [pairs[place] for place in np.sort(chosen)]


def _open(table: Any, where: str) -> pa.Table:
    return (
        table
        if isinstance(table, pa.Table)
        else open_source(table, where=where, min_rows=1).table()
    )


def correlations(columns: Sequence[Floats]) -> Floats:
    """Pearson's correlations over the rows where both are known; 0 where they are undefined.

    Four products of whole matrices instead of a loop over pairs: sums of products, and for each
    pair the sums and squares over the rows that the other column knows.
    """
    if not columns:
        return np.empty((0, 0))
    values = np.stack([_standardised(column) for column in columns], axis=1)
    known = (~np.isnan(values)).astype(np.float64)
    filled = np.nan_to_num(values)
    rows = np.maximum(known.T @ known, 1)
    sums = filled.T @ known
    variances = ((filled**2).T @ known - sums**2 / rows) / rows
    covariances = (filled.T @ filled - sums * sums.T / rows) / rows
    # Where the shared rows vary much less than the whole column, differences of sums lose their
    # digits: those few pairs are counted one by one. Those of a constant are 0 already.
    precise = np.minimum(variances, variances.T) > 1e-6
    scale = np.sqrt(np.where(precise, variances * variances.T, 1))
    result: Floats = np.clip(covariances / scale, -1, 1)
    constant = np.array([_is_constant(column[~np.isnan(column)]) for column in columns])
    doubtful = ~(precise | constant | constant[:, np.newaxis])
    for i, j in zip(*np.nonzero(np.triu(doubtful)), strict=True):
        result[i, j] = result[j, i] = _correlation(columns[i], columns[j])
    return result


def _is_constant(present: Floats) -> bool:
    return not len(present) or bool(present.min() == present.max())


def _correlation(first: Floats, second: Floats) -> float:
    known = ~(np.isnan(first) | np.isnan(second))
    products = _standardised(first[known]) * _standardised(second[known])
    return float(products.mean()) if len(products) else 0.0


def _standardised(values: Floats) -> Floats:
    """Mean 0, deviation 1; constants become zeros."""
    present = values[~np.isnan(values)]
    if _is_constant(present):
        return np.where(np.isnan(values), np.nan, 0.0)
    scaled = values / np.abs(present).max()
    centred = scaled - np.nanmean(scaled)
    deviation = np.sqrt(np.nanmean(centred**2))
    return np.asarray(centred / deviation if deviation > 0 else centred, dtype=np.float64)


def _thinned(cells: Codes) -> Codes:
    """Some rows of a column of cells, always the same ones."""
    if len(cells) <= SPARSE_ROWS:
        return cells
    chosen: Codes = np.random.default_rng(0).choice(cells, SPARSE_ROWS, replace=False)
    return chosen
