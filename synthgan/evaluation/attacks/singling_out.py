"""Singling out: queries that pick one synthetic row, and whether they pick one real row as well.

Two kinds of queries are made from the synthetic rows. *Univariate*: a value that only one row
has, a least or a greatest value, the only null. *Multivariate*: three columns of one row; its
categories as they are, its numbers from there outwards (at least where the number lies above the
median, at most where it does not). A query that picks exactly one row of the synthetic table is an
attack; it works if it picks exactly one row of the real table. The baseline asks random columns
for random values by random comparisons. All after Giomi et al. (PoPETs 2023), section 5.1;
repeated rows count once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from synthgan.evaluation.attacks.queries import (
    AT_LEAST,
    AT_MOST,
    EQUAL,
    KNOWN,
    LESS,
    MORE,
    NULL,
    UNEQUAL,
    Population,
    Queries,
    as_values,
    distinct,
)
from synthgan.evaluation.attacks.rates import Count, figures, untaken
from synthgan.evaluation.coding import Coded
from synthgan.evaluation.columns import Codes, Floats
from synthgan.evaluation.reference import Reference

# Rows of each table at most, and fewer of a wide one.
MOST_ROWS, MOST_CELLS = 100_000, 2_500_000
CONDITIONS = 3
# Queries that are made for each that is wanted before giving up, and how many at once; a batch
# without a new one ends it too.
TRIES, BATCH = 100, 5_000
_DRAWS, _UNIVARIATE, _MULTIVARIATE, _BASELINE = 600, 603, 604, 605
_COMPARISONS = np.array([EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST])


def singling_out(reference: Reference, found: Coded, *, attacks: int) -> dict[str, Any]:
    """Both singling-out attacks on the real table.

    Parameters
    ----------
    reference : Reference
        Real table and holdout.
    found : Coded
        The synthetic table.
    attacks : int
        Attacks of each kind, if as many queries are found.

    Returns
    -------
    dict
        ``univariate`` and ``multivariate``, each as `figures`, with the number of distinct
        ``rows`` of the real table that were asked.
    """
    populations = _population(reference, found, 0), _real(reference), _holdout(reference)
    queries = univariate_queries(populations[0], reference.rng(_UNIVARIATE), attacks, found)
    result = {"univariate": _judge(queries, populations, reference, found, attacks)}
    if len(found.columns) == 1:
        return {**result, "multivariate": untaken("one column only: nothing to combine")}
    queries = _multivariate_queries(populations[0], reference.rng(_MULTIVARIATE), attacks, found)
    result["multivariate"] = _judge(queries, populations, reference, found, attacks)
    return result


def control_count(real: Codes, real_rows: int, held: Codes, held_rows: int) -> Count:
    """Successes that queries would have in as many fresh rows as the real table has.

    A query's success depends on the number of rows, and a holdout is seldom as long as the real
    table. From a longer one, as many rows are drawn. Of a shorter one, all rows take the place of
    as many real ones: what that changes, divided by the share that was replaced, is the change to
    be expected had all been (exactly so, if a query stems from one real row at most). Draws are not
    made but summed over, as hypergeometric chances.

    Parameters
    ----------
    real, held : array of int64 of shape (n_queries,)
        Real rows and rows of the holdout that meet each query.
    real_rows, held_rows : int
        Rows of the tables.

    Returns
    -------
    Count
        The tries are scaled down with the share, as the error of the rate goes up with it.

    Examples
    --------
    >>> control_count(np.array([1, 1, 0, 0]), 9, np.array([1, 0, 1, 5]), 9)
    Count(successes=2.0, attacks=4)
    >>> control_count(np.array([1, 1, 1, 1]), 10, np.array([0, 0, 0, 0]), 5).attacks
    2.0
    """
    if held_rows >= real_rows:
        return Count(float(_chance(1, held_rows, held, real_rows).sum()), len(held))
    kept, share = real_rows - held_rows, held_rows / real_rows
    replaced = np.where(
        held == 0,
        _chance(1, real_rows, real, kept),
        np.where(held == 1, _chance(0, real_rows, real, kept), 0.0),
    )
    main = (real == 1).mean()
    rate = min(max(main - (main - replaced.mean()) / share, 0.0), 1.0)
    return Count(float(rate * share * len(real)), float(share * len(real)))


def _chance(wanted: int, rows: int, marked: Codes, drawn: int) -> Floats:
    """Chance to draw so many of the marked rows when some rows are drawn without replacement."""
    return np.asarray(hypergeom.pmf(wanted, rows, marked, drawn), dtype=np.float64)


def _population(reference: Reference, coded: Coded, place: int) -> Population:
    most = min(MOST_ROWS, max(1, MOST_CELLS // len(coded.columns)))
    rows = reference.rng(_DRAWS + place).permutation(coded.rows)[:most]
    return Population(distinct(as_values(coded, np.sort(rows), unseen=-1.0 - place)))


def _real(reference: Reference) -> Population:
    if "attacks.real" not in reference.memo:
        reference.memo["attacks.real"] = _population(reference, reference.real, 1)
    population: Population = reference.memo["attacks.real"]
    return population


def _holdout(reference: Reference) -> Population | None:
    if reference.holdout is None:
        return None
    if "attacks.holdout" not in reference.memo:
        reference.memo["attacks.holdout"] = _population(reference, reference.holdout, 2)
    population: Population = reference.memo["attacks.holdout"]
    return population


def _judge(
    queries: Queries,
    populations: tuple[Population, Population, Population | None],
    reference: Reference,
    found: Coded,
    attacks: int,
) -> dict[str, Any]:
    synthetic, real, holdout = populations
    if not len(queries):
        return untaken("no query picks a single synthetic row")
    conditions = queries.columns.shape[1]
    blind = _random(synthetic, reference.rng(_BASELINE + conditions), attacks, conditions, found)
    met, guessed, control = real.counts(queries), real.counts(blind), None
    if holdout is not None:
        control = control_count(met, real.rows, holdout.counts(queries), holdout.rows)
    main, baseline = (Count(int((each == 1).sum()), len(each)) for each in (met, guessed))
    return {**figures(main, baseline, control), "rows": real.rows}


def univariate_queries(
    synthetic: Population, rng: np.random.Generator, attacks: int, found: Coded
) -> Queries:
    """Queries of one condition that pick one row."""
    places = enumerate(found.categorical)
    made = [_outliers(synthetic, place, not category) for place, category in places]
    every = np.concatenate(made)
    chosen = every[rng.permutation(len(every))[:attacks]]
    columns, operators, values = chosen.T[:, :, None]
    return Queries(columns.astype(np.int64), operators.astype(np.int64), values.copy())


def _outliers(synthetic: Population, place: int, number: bool) -> np.ndarray:
    """Conditions on one column that one row meets, of shape (n, 3): column, operator, value."""
    values, counts = np.unique(synthetic.known[place], return_counts=True)
    once = counts == 1
    made = [(EQUAL, values[once])]
    if number:
        made += [(AT_MOST, values[:1][once[:1]]), (AT_LEAST, values[-1:][once[-1:]])]
    if synthetic.rows - len(synthetic.known[place]) == 1:
        made.append((NULL, np.zeros(1)))
    return np.concatenate(
        [
            np.column_stack([np.full(len(each), place), np.full(len(each), kind), each])
            for kind, each in made
        ]
    )


def _multivariate_queries(
    synthetic: Population, rng: np.random.Generator, attacks: int, found: Coded
) -> Queries:
    """Different queries of three conditions that pick one row, made in bounded tries."""
    width, kept = len(found.columns), dict[bytes, Queries]()
    for _ in range(-(-attacks * TRIES // BATCH)):
        rows = rng.integers(0, synthetic.rows, BATCH)
        columns = _columns(rng, BATCH, min(CONDITIONS, width), width)
        made = outward(synthetic, rows, columns, found.categorical)
        picked, before = made.take(synthetic.single(made)), len(kept)
        for place, key in enumerate(picked.keys()):
            kept.setdefault(key, picked.take(slice(place, place + 1)))
        if len(kept) >= attacks or len(kept) == before:
            break
    return _joined(list(kept.values())[:attacks])


def outward(
    synthetic: Population, rows: Codes, columns: Codes, categorical: NDArray[np.bool_]
) -> Queries:
    """The query about some columns of a synthetic row: from its numbers outwards.

    Parameters
    ----------
    synthetic : Population
        The rows.
    rows : array of int64 of shape (n_queries,)
        The row that each query is made from.
    columns : array of int64 of shape (n_queries, n_conditions)
        The columns that it asks for, in order.
    categorical : array of bool of shape (n_columns,)
        Which columns are categories.

    Returns
    -------
    Queries
        Some of them pick this row only.
    """
    values = synthetic.values[rows[:, None], columns]
    outwards = np.where(values > synthetic.medians[columns], AT_LEAST, AT_MOST)
    operators = np.where(categorical[columns], EQUAL, outwards)
    nulls = np.isnan(values)
    return Queries(columns, np.where(nulls, NULL, operators), np.where(nulls, 0.0, values))


def _random(
    synthetic: Population, rng: np.random.Generator, attacks: int, conditions: int, found: Coded
) -> Queries:
    """Random columns, compared at random with random ones of their values."""
    columns = _columns(rng, attacks, conditions, len(found.columns))
    values = np.empty(columns.shape)
    for place in np.unique(columns):
        here = columns == place
        # NaN is one of the values, once, where there are nulls.
        choice = np.unique(synthetic.values[:, place])
        values[here] = choice[rng.integers(0, len(choice), int(here.sum()))]
    operators = _COMPARISONS[rng.integers(0, len(_COMPARISONS), columns.shape)]
    # Categories know two of the six; which half of the draws each takes is all the same.
    operators = np.where(found.categorical[columns], operators % 2, operators)
    nulls = np.isnan(values)
    operators = np.where(nulls, np.where(operators == EQUAL, NULL, KNOWN), operators)
    return Queries(columns, operators, np.where(nulls, 0.0, values))


def _columns(rng: np.random.Generator, queries: int, conditions: int, columns: int) -> Codes:
    """Different columns for each query, in order, of shape (queries, conditions)."""
    order = rng.random((queries, columns)).argsort(axis=1)
    return np.sort(order[:, :conditions], axis=1)


def _joined(queries: list[Queries]) -> Queries:
    if not queries:
        return Queries(np.empty((0, 1), np.int64), np.empty((0, 1), np.int64), np.empty((0, 1)))
    return Queries(
        np.concatenate([each.columns for each in queries]),
        np.concatenate([each.operators for each in queries]),
        np.concatenate([each.values for each in queries]),
    )
