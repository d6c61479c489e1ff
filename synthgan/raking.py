"""Raking: weights of a pool's rows, adjusted until each column has the shares that are wanted.

Iterative proportional fitting (Deming and Stephan, "On a least squares adjustment of a sampled
frequency table when the expected marginal totals are known", 1940), kept as a table so that rows of
another pool can be weighed as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

BINS = 64
SWEEPS = 5
# rows added to either side of a bin, so that few rows decide little
PRIOR_ROWS = 5.0

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rake:
    """Log-weights by column and bin.

    Attributes
    ----------
    edges : ndarray of shape (columns, BINS - 1)
        Where the bins of numbers begin; infinite where there are fewer. A category is its own bin.
    logs : ndarray of shape (columns, bins)
        What a row in each bin gets; the last bin is that of missing numbers.
    categorical : ndarray of bool of shape (columns,)
        Which columns are categories.
    """

    edges: Floats
    logs: Floats
    categorical: Mask

    def __post_init__(self) -> None:
        """Refuse tables that do not fit each other."""
        columns = len(self.categorical)
        if self.edges.shape != (columns, BINS - 1) or self.logs.ndim != 2:
            raise ValueError("rake: expected edges and log-weights of every column")
        if len(self.logs) != columns or self.logs.shape[1] <= BINS:
            raise ValueError("rake: expected log-weights of every bin of every column")
        if not np.isfinite(self.logs).all():
            raise ValueError("rake: expected finite log-weights")

    @classmethod
    def learn(
        cls,
        wanted: Floats,
        pool: Floats,
        categorical: Mask,
        *,
        counts: Floats,
        log_weights: Floats,
        highest: float,
    ) -> Self:
        """Learn what brings the columns of a weighted pool to the shares they have in a table.

        Parameters
        ----------
        wanted, pool : ndarray of shape (n_wanted, columns), (n_pool, columns)
            Numbers, NaN where missing; categories as whole numbers.
        categorical : ndarray of bool of shape (columns,)
            Which columns are categories.
        counts : ndarray of shape (n_wanted,)
            How much each wanted row counts.
        log_weights : ndarray of shape (n_pool,)
            What the rows of the pool have already.
        highest : float
            The sum of both will be cut off above it; the mean weight will be about 1.

        Examples
        --------
        >>> wanted, pool = np.array([[0.0], [1.0]] * 100), np.array([[0.0], [1.0], [1.0]] * 100)
        >>> before = {"log_weights": np.zeros(300), "highest": 2.0}
        >>> rake = Rake.learn(wanted, pool, np.array([True]), counts=np.ones(200), **before)
        >>> weights = np.exp(rake.log_weights(pool))
        >>> round(float(weights[pool[:, 0] == 1].sum() / weights.sum()), 2)
        0.5
        """
        columns = len(categorical)
        options = [int(table[:, categorical].max(initial=0)) for table in (wanted, pool)]
        edges = np.stack([_edges(wanted[:, each], categorical[each]) for each in range(columns)])
        rake = cls(edges, np.zeros((columns, max(BINS, *options) + 2)), categorical)
        bins, log_weights = rake.logs.shape[1], log_weights.copy()
        # both sides in rows of the pool
        scale = len(pool) / counts.sum()
        asked = [scale * np.bincount(each, counts, bins) for each in rake._places(wanted)]
        found = rake._places(pool)
        for _ in range(SWEEPS):
            for column, places in enumerate(found):
                now = np.bincount(places, np.exp(np.minimum(log_weights, highest)), bins)
                step = np.log((asked[column] + PRIOR_ROWS) / (now + PRIOR_ROWS))
                rake.logs[column] += step
                log_weights += step.take(places)
        return rake

    def log_weights(self, rows: Floats) -> Floats:
        """What rows of shape (n, columns) get, of shape (n,)."""
        total = np.zeros(len(rows))
        for logs, places in zip(self.logs, self._places(rows), strict=True):
            total += logs.take(places)
        return total

    def _places(self, rows: Floats) -> list[NDArray[np.int64]]:
        """The bin of each cell, column by column."""
        last = self.logs.shape[1] - 1
        found = []
        for column, is_category in enumerate(self.categorical):
            values = np.ascontiguousarray(rows[:, column])
            if is_category:
                places = np.clip(values, 0, last).astype(np.int64)
            else:
                places = np.searchsorted(self.edges[column], values, "right")
                places[np.isnan(values)] = last
            found.append(places)
        return found


def _edges(values: Floats, is_category: bool) -> Floats:
    edges = np.full(BINS - 1, np.inf)
    known = values[~np.isnan(values)]
    if not is_category and len(known):
        cuts = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="nearest"))
        edges[: len(cuts)] = cuts
    return edges
