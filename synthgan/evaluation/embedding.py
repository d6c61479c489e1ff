"""Rows as points: the one embedding by which every distance between rows is measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Codes, LevelColumn, NumberColumn, Prepared

# Width that all categories share between them, and the least that each of them gets.
MOST_WIDTH, LEAST_LEVELS = 1_000, 8

Points = NDArray[np.float32]


class Embedding:
    """Rows as points whose Euclidean distance says how different they are.

    A number becomes its rank among the real values, in [0, 1], interpolated between them; a null
    becomes 0.5 with an indicator of its own, or -0.5 where the real column has none. A category
    becomes its one-hot vector, null being a level; rare levels, and those that the real table never
    held, share one place.

    Parameters
    ----------
    real : Coded
        The real table.
    holdout : Coded, optional
        Other real rows; with them, neither table's rare levels are set apart.

    Attributes
    ----------
    text : str
        The embedding in words, for reports.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.coding import Coder
    >>> coder = Coder(pa.table({"n": [1.0, 2.0, 3.0, 4.0], "town": ["Ulm", "Bonn", "Ulm", "Ulm"]}))
    >>> Embedding(coder.real).transform(coder.real)[:2]
    array([[0.125, 1.   , 0.   , 0.   , 0.   ],
           [0.375, 0.   , 1.   , 0.   , 0.   ]], dtype=float32)
    """

    def __init__(self, real: Coded, holdout: Coded | None = None) -> None:
        categories = int(real.categorical.sum())
        self.most_levels = max(LEAST_LEVELS, MOST_WIDTH // max(categories, 1))
        self._places = {
            column.name: _level_places(
                column, self.most_levels, None if holdout is None else holdout.prepared[place].codes
            )
            for place, column in enumerate(real.columns)
            if isinstance(column, LevelColumn)
        }
        self.text = (
            "numbers and dates as their rank among the real values (0 to 1; null is 0.5, with an "
            "indicator, or -0.5 where the real column has none), categories one-hot with null as a "
            f"level (at most {self.most_levels} levels each; rare and new ones share one); "
            "Euclidean distance"
        )

    def transform(self, coded: Coded) -> Points:
        """The points of a table, of shape (rows, width)."""
        blocks = [
            _ranks(column, found)
            if isinstance(column, NumberColumn)
            else _one_hot(self._places[column.name], found.codes)
            for column, found in zip(coded.columns, coded.prepared, strict=True)
        ]
        return np.concatenate(blocks, axis=1)


def nearest(
    rows: Points, others: Points, k: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nearest neighbours by brute force.

    Parameters
    ----------
    rows : array of shape (n_rows, width)
        Whose neighbours are looked for.
    others : array of shape (n_others, width)
        Where they are looked for.
    k : int
        How many, at most `n_others`.

    Returns
    -------
    distances, indices : arrays of shape (n_rows, k)
        Nearest first.

    Examples
    --------
    >>> import numpy as np
    >>> nearest(np.float32([[0.0]]), np.float32([[3.0], [1.0]]))
    (array([[1.]]), array([[1]]))
    """
    found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(others)
    distances, indices = found.kneighbors(rows)
    return distances.astype(np.float64), indices.astype(np.int64)


def _level_places(column: LevelColumn, most: int, others: Codes | None) -> Codes:
    """Place of each code in the one-hot block: common levels, null, and one for all others."""
    common = column.common_levels(most, others)
    places = np.full(column.size, len(common) + 1, dtype=np.int64)
    places[common] = np.arange(len(common))
    places[column.size - 2] = len(common)
    return places


def _one_hot(places: Codes, codes: Codes) -> Points:
    return np.eye(int(places[-1]) + 1, dtype=np.float32)[places[codes]]


def _ranks(column: NumberColumn, found: Prepared) -> Points:
    """Ranks among the real values (ties take the middle of their share), and the indicator.

    Between two real values the rank grows steadily: were it a step, two new values in one gap would
    be equal, and no real value would be to them.
    """
    values = found.values
    assert values is not None
    null = np.isnan(values)
    # without an indicator a null must not pass for a common value
    ranks = np.full(len(values), 0.5 if column.has_null else -0.5)
    if len(column.unique):
        middles = (column.cumulative[:-1] + column.cumulative[1:]) / 2
        ranks[~null] = np.interp(values[~null], column.unique, middles, left=0.0, right=1.0)
    block = [ranks, null] if column.has_null else [ranks]
    return np.stack(block, axis=1).astype(np.float32)
