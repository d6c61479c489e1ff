"""Floors: tables that every figure is held beside, since alone it says nothing.

Four tables are judged as if a generator had made them: the real holdout (as good as it gets), a
bootstrap of the real rows (sampling error, and copying), independent columns (what a generator
that learned no dependence gets) and rows interpolated between neighbours (SMOTE: good figures that
are bought with near copies). They have as many rows as the synthetic table, but no more than the
real one, so that they err by chance as much; interpolated rows are 20,000 at most.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Floats, NumberColumn, from_floats
from synthgan.evaluation.embedding import nearest
from synthgan.evaluation.reference import Reference

# The rows of the interpolated table, each between two of the same group's.
SMOTE_ROWS, SMOTE_GROUP, SMOTE_NEIGHBOURS = 20_000, 5_000, 5
_BOOTSTRAP, _INDEPENDENT, _SMOTE = range(700, 703)


def bootstrap(reference: Reference, rows: int) -> Coded:
    """Real rows, drawn with replacement."""
    drawn = reference.rng(_BOOTSTRAP).integers(0, reference.real.rows, rows)
    return reference.real.take(drawn)


def independent(reference: Reference, rows: int) -> Coded:
    """The real columns, each shuffled by itself: right margins, no dependence."""
    rng, real = reference.rng(_INDEPENDENT), reference.real
    shuffled = [
        array.take(pa.array(rng.permutation(real.rows)[:rows])) for array in real.table.columns
    ]
    return reference.code(pa.table(shuffled, names=real.names))


def smote(reference: Reference, rows: int) -> Coded:
    """Rows between a real row and one of its nearest neighbours.

    Numbers are interpolated at random, categories and nulls taken from one of the two (Chawla et
    al., "SMOTE", 2002). Up to 20,000 rows; neighbours are looked for among 5,000.
    """
    drawn = reference.draw(reference.real, min(rows, SMOTE_ROWS), _SMOTE)
    rng = reference.rng(_SMOTE)
    parts = [
        _interpolated(
            drawn.take(np.arange(first, min(first + SMOTE_GROUP, drawn.rows))), reference, rng
        )
        for first in range(0, drawn.rows, SMOTE_GROUP)
    ]
    return reference.code(pa.concat_tables(parts))


def _interpolated(group: Coded, reference: Reference, rng: np.random.Generator) -> pa.Table:
    partner = _partners(group, reference, rng)
    share = rng.random(group.rows)
    arrays = {}
    for place, column in enumerate(group.columns):
        array = group.table.column(place)
        values = group.prepared[place].values
        if isinstance(column, NumberColumn) and values is not None:
            arrays[column.name] = from_floats(_between(values, partner, share), array.type)
        else:
            other = rng.random(group.rows) < share
            arrays[column.name] = array.take(
                pa.array(np.where(other, partner, np.arange(group.rows)))
            )
    return pa.table(arrays)


def _partners(group: Coded, reference: Reference, rng: np.random.Generator) -> np.ndarray:
    """For each row one of its nearest others, of shape (rows,); itself where it is alone."""
    neighbours = min(SMOTE_NEIGHBOURS + 1, group.rows)
    points = reference.embedding.transform(group)
    _, index = nearest(points, points, neighbours)
    chosen = rng.integers(min(1, neighbours - 1), neighbours, group.rows)
    return index[np.arange(group.rows), chosen]


def _between(values: Floats, partner: np.ndarray, share: Floats) -> Floats:
    # Halved, because the whole difference may be more than a float can say.
    step = share * (values[partner] / 2 - values / 2)
    mixed = values + step + step
    return np.where(np.isnan(mixed), values, mixed)
