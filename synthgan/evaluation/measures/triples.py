"""What pairs do not show: how alike two tables are in three columns at a time."""

from __future__ import annotations

from math import comb, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from synthgan.evaluation.columns import Codes, cell_variation

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.reference import Reference

ROWS = 20_000
TRIPLES = 100
WORST = 20  # listed

_STREAM = 310
_DENSE_CELLS = 65_536  # a larger contingency table is counted over the cells that occur


def triples(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Total variation of three-way contingency tables, over a sample of the columns' triples.

    Codes are those of the pair trends: numbers in 10 equal-width bins over the real range, nulls
    and unseen levels with codes of their own. The more cells, the more two samples of the same
    table differ by chance, so that the figure means something beside its floor only.

    Parameters
    ----------
    reference : Reference
        The real side.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to list the worst triples.

    Returns
    -------
    dict
        `error_pct` (mean, 0 to 100; None with a `reason` below three columns), `total` triples
        there are, `used` (at most 100), `rows` compared of each table (at most 20,000), and the
        `worst` 20 as [first, second, third, error_pct].

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> table = pa.table({"a": ["x", "y"], "b": ["x", "y"], "c": ["x", "y"]})
    >>> reference = Reference(table)
    >>> other = pa.table({"a": ["x", "y"], "b": ["x", "y"], "c": ["y", "y"]})
    >>> triples(reference, reference.code(other))["error_pct"]
    50.0
    """
    total = comb(len(found.columns), 3)
    rows = min(ROWS, reference.real.rows, found.rows)
    counted = {"total": total, "used": min(total, TRIPLES), "rows": rows}
    if not total:
        return {"error_pct": None, "reason": "needs at least three columns", **counted}
    real = _real(reference, rows)
    drawn = reference.draw(found, rows, _STREAM + 1)
    chosen = [_unranked(int(rank)) for rank in _chosen(total, reference.rng(_STREAM + 2))]
    errors = np.array([100 * _triple_error(real, drawn, triple) for triple in chosen])
    result: dict[str, Any] = {"error_pct": float(errors.mean()), **counted}
    if detail:
        worst = np.argsort(-errors, kind="stable")[:WORST]
        names = found.names
        result["worst"] = [[*(names[c] for c in chosen[i]), float(errors[i])] for i in worst]
    return result


def _real(reference: Reference, rows: int) -> Coded:
    key = ("triples", rows)
    if key not in reference.memo:
        reference.memo[key] = reference.draw(reference.real, rows, _STREAM)
    sample: Coded = reference.memo[key]
    return sample


def _chosen(total: int, rng: np.random.Generator) -> Codes:
    if total <= TRIPLES:
        return np.arange(total)
    return np.sort(rng.choice(total, TRIPLES, replace=False))


def _unranked(rank: int) -> tuple[int, int, int]:
    """The triple of columns at some place of the list of all of them, which is never made.

    Place = C(third, 3) + C(second, 2) + first, where first < second < third.
    """
    third = second = 0
    while comb(third + 1, 3) <= rank:
        third += 1
    rank -= comb(third, 3)
    while comb(second + 1, 2) <= rank:
        second += 1
    return rank - comb(second, 2), second, third


def _triple_error(real: Coded, found: Coded, triple: tuple[int, int, int]) -> float:
    size = prod(real.columns[c].size for c in triple)
    return cell_variation(_cells(real, triple), _cells(found, triple), size, dense=_DENSE_CELLS)


def _cells(coded: Coded, triple: tuple[int, int, int]) -> Codes:
    first, second, third = (coded.prepared[c].codes for c in triple)
    sizes = [coded.columns[c].size for c in triple]
    return (first * sizes[1] + second) * sizes[2] + third
