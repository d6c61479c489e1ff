"""Rows kept away from single real ones: a filter, and no proof of anything.

A drawn row is refused if it is at least three times nearer to its closest real row than to the
second closest: then nobody else can be meant (the near copies of
`synthgan.evaluation.measures.closeness`). What is refused tells in turn that there is such a row.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.errors import SynthganWarning
from synthgan.evaluation.embedding import nearest
from synthgan.evaluation.measures.closeness import NEAR_RATIO, ratios
from synthgan.evaluation.reference import Reference

# how often rows that are refused are drawn again
REDRAWS = 8
# distances that are looked at together
_AT_ONCE = 2_000


class CopyFilter:
    """Tells which rows are copies of a single real one, or all but copies.

    Parameters
    ----------
    real : pyarrow.Table
        The rows to be kept away from.

    Examples
    --------
    >>> real = pa.table({"x": [1.0, 2.0, 3.0, 5.0], "y": [4.0, 1.0, 2.0, 3.0]})
    >>> CopyFilter(real).is_copy(pa.table({"x": [2.0, 4.0], "y": [1.0, 3.5]})).tolist()
    [True, False]
    """

    def __init__(self, real: pa.Table) -> None:
        self._reference = Reference(real)
        self._points = self._reference.embedding.transform(self._reference.real)

    def is_copy(self, table: pa.Table) -> NDArray[np.bool_]:
        """Of each row, of shape (rows,)."""
        if table.num_rows == 0 or len(self._points) < 2:
            return np.zeros(table.num_rows, dtype=bool)
        points = self._reference.embedding.transform(self._reference.code(table))
        found = np.zeros(len(points), dtype=bool)
        for start in range(0, len(points), _AT_ONCE):
            here = slice(start, start + _AT_ONCE)
            ways, _ = nearest(points[here], self._points, 2)
            found[here] = ratios(ways)[1] < NEAR_RATIO
        return found

    def draw(self, rows: int, more: Callable[[int, int], pa.Table]) -> pa.Table:
        """Rows of which none is a copy.

        Parameters
        ----------
        rows : int
            How many.
        more : callable
            ``more(rows, turn)`` draws that many.

        Warns
        -----
        SynthganWarning
            If rows are left that are copies however often they were drawn again.
        """
        parts: list[pa.Table] = []
        left = rows
        for turn in range(REDRAWS):
            drawn = more(left, turn)
            copies = self.is_copy(drawn)
            parts.append(drawn.filter(pa.array(~copies)))
            left -= parts[-1].num_rows
            if left == 0:
                break
        if left:
            parts.append(drawn.filter(pa.array(copies)).slice(0, left))
            warnings.warn(
                f"avoid: {left:,} of {rows:,} rows are copies of a single real one, or all but "
                f"that, after {REDRAWS} draws; the conditions leave nothing else, or the model has "
                "learned rows by heart",
                SynthganWarning,
                stacklevel=3,
            )
        return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
