"""Conditionals: a category's cell drawn anew, given all other cells of its row.

Conditionals that were learned one by one are a dependency network (Heckerman et al., "Dependency
networks for inference, collaborative filtering, and data visualization", JMLR 2000), and redrawing
column after column is one pass of its pseudo-Gibbs sampler. One pass over few columns only: by the
chain rule of the Kullback-Leibler divergence a redraw of one column brings a sample nearer to the
real table exactly if its conditional is nearer to the real one than the generator's; a sweep over
all of them makes margins drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthgan.boosting import Cases, Growth, Trees, grow, log_loss
from synthgan.data.features import Features
from synthgan.data.matrix import EncodedMatrix
from synthgan.selection import drawn_options

MOST_OPTIONS = 16
# rows held back to stop the trees and to compare them by, one in so many
HELD = 8
# a column is redrawn if that gains so many nats and so many standard errors of the difference
LEAST_GAIN, LEAST_ERRORS = 0.003, 2.0
GROWTH = Growth(rate=0.3, leaves=15, least_rows=20, least_curvature=10.0, patience=5, most=300)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Column(NamedTuple):
    """A column that can be redrawn: its name, its feature, its choice and the options of that."""

    name: str
    feature: int
    choice: int
    options: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """What one column is redrawn by.

    Attributes
    ----------
    column : Column
        The column.
    trees : Trees
        Probabilities of its options given all other features; they never ask its own.
    gain : float
        Nats by which they tell held-out real cells better than the generator's rows teach.
    """

    column: Column
    trees: Trees
    gain: float

    def redraw(self, rows: Floats, rng: np.random.Generator, threads: int) -> Integers:
        """Options for rows of features, of shape (rows,)."""
        return drawn_options(self.trees.probabilities(rows, threads), rng)


@dataclass(frozen=True, slots=True)
class Table:
    """Encoded rows with their features.

    Attributes
    ----------
    matrix : EncodedMatrix
        The rows.
    rows : ndarray of float64 of shape (rows, columns)
        Their features.
    """

    matrix: EncodedMatrix
    rows: Floats

    def cases(self, column: Column) -> Cases:
        """The rows, labelled by a column that they then do not show."""
        rows = self.rows.copy()
        # trees never split on what does not vary
        rows[:, column.feature] = 0.0
        return Cases(rows, self.matrix.codes[:, column.choice].astype(int), self.matrix.weights)


def redrawable(features: Features) -> list[Column]:
    """Columns that may be redrawn, those with the fewest options first: they cost least."""
    layout, found = features.layout, []
    for number, name in enumerate(features.names):
        choice = layout.column_choice(name)
        if choice is not None and layout.column_scalar(name) is None:
            options = int(layout.choice_sizes[choice])
            if 2 <= options <= MOST_OPTIONS:
                found.append(Column(name, number, choice, options))
    return sorted(found, key=lambda column: column.options)


def learn_conditional(
    column: Column,
    real: Table,
    generated: Table,
    categorical: Mask,
    *,
    rng: np.random.Generator,
    threads: int = 1,
    deadline: float | None = None,
) -> Conditional | None:
    """Learn to redraw a column, if that provably helps.

    Parameters
    ----------
    column : Column
        The column.
    real, generated : Table
        Rows of both kinds.
    categorical : array of bool of shape (columns,)
        Which features are categories.
    rng : numpy.random.Generator
        Draws the rows held back.
    threads : int, default 1
        How many LightGBM may use.
    deadline : float or None
        Reading of `time.monotonic` by which to be done.

    Returns
    -------
    Conditional or None
        None unless trees from real rows tell held-out real cells better than trees from generated
        rows do.
    """
    ours, theirs = real.cases(column), generated.cases(column)
    models, held = [], ours
    for cases in (theirs, ours):
        order = rng.permutation(len(cases.rows))
        held, train = (cases.take(part) for part in np.split(order, [len(order) // HELD]))
        models.append(
            grow(
                train,
                held,
                categorical,
                classes=column.options,
                growth=GROWTH,
                threads=threads,
                deadline=deadline,
            )
        )
    lost, kept = (log_loss(each.probabilities(held.rows, threads), held.labels) for each in models)
    difference = lost - kept
    if held.weights is not None:
        difference = difference * held.weights / held.weights.mean()
    gain = float(difference.mean())
    error = float(difference.std() / np.sqrt(len(difference)))
    if gain <= max(LEAST_GAIN, LEAST_ERRORS * error):
        return None
    return Conditional(column, models[-1], gain)
