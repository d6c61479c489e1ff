"""How near synthetic rows lie to the rows they were learned from: copies, and distances.

Rows are points of the reference's embedding. Near rows are innocent where real rows are near to
each other: what real rows come to that nobody learned from is the floor named holdout, and two
shares stand beside those of the real rows themselves. Near copies of these are counted among rows
left out, in an embedding by the others: by the ranks of all of them, real rows would lie at even
distances, and hardly any would be near.

- *exact copies*: share of rows equal to a real row in every compared column. All real rows count,
  those too that were not drawn from a longer table.
- *near copies*: share of rows at least three times nearer to their closest real row than to the
  second closest. By the triangle inequality such a row lies less than half as far from that real
  row as any other real row does: nobody else can be meant. A real row that has a twin is no such
  row. It is Lowe's ratio test ("Distinctive image features from scale-invariant keypoints", 2004),
  used as Alaa et al. ("How faithful is your synthetic data?", ICML 2022) use authenticity.
- *dcr*, *nndr*: distance to the closest real row, and that distance divided by the distance to the
  second closest (1 where both are 0); 5th percentile and median. Zhao et al., "CTAB-GAN: effective
  table data synthesizing", ACML 2021.
- *closest share*: share of rows nearer to a sample of the real rows than to an equally large one of
  the holdout, ties half; 0.5 is no copying. It grows with the samples' size, so that is fixed.
  Platzer and Reutterer, "Holdout-based empirical assessment of mixed-type synthetic data",
  Frontiers in Big Data, 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from synthgan.evaluation.attacks.rates import REACH, Count, success_rate
from synthgan.evaluation.columns import Floats
from synthgan.evaluation.embedding import Embedding, Points, nearest

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded, Keys
    from synthgan.evaluation.reference import Reference

CLOSEST_ROWS, CLOSEST_DRAWS = 5_000, 5
NEAR_RATIO = 1 / 3
# So much more of the holdout than of the real rows may have a twin among the real ones.
MOST_OVERLAP = 0.02

# Products of two numbers that a search for neighbours may take: bounds rows on wide tables.
_CLOSEST_WORK, _NEIGHBOUR_WORK = 3e10, 6e9
_MOST_QUERIES, _LEAST_QUERIES = 4_000, 500
_CLOSEST, _REAL, _FOUND, _FRESH = 500, 510, 511, 512
_PERCENTILES = {"p05": 5, "median": 50}
_FLOORS = ("exact_copies", "near_copies", "closest_share", "dcr", "nndr")
_ROUNDING = 1e-6  # distances below it are those of equal rows
NO_HOLDOUT = "no holdout was given"

Result = dict[str, Any]


def closeness(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Copies and distances of a synthetic table's rows.

    Parameters
    ----------
    reference : Reference
        The real table, and the holdout where there is one.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to draw more than once for `closest_share`, and to take the figures of the real
        rows too.

    Returns
    -------
    dict
        ``exact_copies``, ``near_copies`` and ``closest_share`` as fractions; ``dcr`` and ``nndr``
        with ``p05`` and ``median``; in detail ``exact_copies_real`` and ``near_copies_fresh``, the
        shares of real rows that others equal or all but equal; ``holdout_overlap``, a warning where
        the holdout is not independent of the real table; ``embedding`` in words. Figures that
        cannot be taken are None, with the reason beside them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> reference = Reference(pa.table({"n": [1.0, 2.0, 4.0, 8.0]}))
    >>> found = closeness(reference, reference.code(pa.table({"n": [2.0, 3.0]})))
    >>> found["exact_copies"], found["closest_share"], found["closest_share_reason"]
    (0.5, None, 'no holdout was given')
    """
    figures = (
        _exact_copies(reference, found)
        | _closest_share(reference, found, detail=detail)
        | _neighbours(reference, found)
    )
    if detail:
        return figures | _real_figures(reference)
    return {name: figures[name] for name in _FLOORS}


def affordable(rows: int, width: int, work: float, *, most: int, least: int) -> tuple[int, int]:
    """How many rows may look for neighbours among how many, within `work` products.

    Parameters
    ----------
    rows : int
        How many there are to look among; fewer only where `least` would cost too much.
    width : int
        Of the points.
    work : float
        Products of two numbers that may be taken.
    most, least : int
        How many may look, at most and at least.

    Examples
    --------
    >>> affordable(1_000, 10, 1e6, most=200, least=50)
    (100, 1000)
    >>> affordable(10_000, 10, 1e6, most=200, least=50)
    (50, 2000)
    """
    queries = int(min(max(work / (rows * width), least), most))
    return queries, max(2, min(rows, int(work / (queries * width))))


def _exact_copies(reference: Reference, found: Coded) -> Result:
    copied = np.isin(found.keys, reference.real_keys[0])
    return {"exact_copies": float(copied.mean()), "exact_copies_rows": int(copied.sum())}


def _closest_share(reference: Reference, found: Coded, *, detail: bool) -> Result:
    name, holdout = "closest_share", reference.holdout
    if holdout is None:
        return {name: None, f"{name}_interval": None, f"{name}_reason": NO_HOLDOUT}
    tables = (found, reference.real, holdout)
    rows = min(CLOSEST_ROWS, *(table.rows for table in tables))
    counts = np.zeros((2, reference.real.rows + holdout.rows))
    draws = _draws(reference, rows, tables) if detail else 1
    for draw in range(draws):
        rng = reference.rng(_CLOSEST + draw)
        index = [rng.permutation(table.rows)[:rows] for table in tables]
        points = [
            reference.embedding.transform(table.take(chosen))
            for table, chosen in zip(tables, index, strict=True)
        ]
        nearer, near, far = _nearer(*points)
        # The row, of either table, that each synthetic row is closest to.
        owner = np.where(nearer >= 0.5, index[1][near], reference.real.rows + index[2][far])
        counts[0] += np.bincount(owner, weights=nearer, minlength=counts.shape[1])
        counts[1] += np.bincount(owner, minlength=counts.shape[1])
    share, interval = _clustered(*counts)
    return {name: share, f"{name}_interval": interval, f"{name}_rows": rows, f"{name}_draws": draws}


def _draws(reference: Reference, rows: int, tables: tuple[Coded, ...]) -> int:
    """How many draws differ and are affordable."""
    if all(table.rows == rows for table in tables):
        return 1
    products = 2 * rows**2 * embedding_width(reference)
    return int(min(max(_CLOSEST_WORK / products, 1), CLOSEST_DRAWS))


def _nearer(rows: Points, near: Points, far: Points) -> tuple[Floats, Any, Any]:
    """1, 0.5 or 0 as each row is nearer to the first table, to neither or to the second."""
    (to_near, in_near), (to_far, in_far) = nearest(rows, near), nearest(rows, far)
    gap = to_far[:, 0] - to_near[:, 0]
    gap[np.abs(gap) < _ROUNDING] = 0
    return (np.sign(gap) + 1) / 2, in_near[:, 0], in_far[:, 0]


def _clustered(sums: Floats, counts: Floats) -> tuple[float, list[float]]:
    """A share and its 95 % interval where what has the same closest row counts as one.

    The cluster-robust variance of a mean (Liang and Zeger, Biometrika 1986), but no less than the
    interval of a share (Wilson, JASA 1927) of as many rows as there are closest ones, in effect:
    few of them may all say the same.
    """
    total = counts.sum()
    share = float(sums.sum() / total)
    margin = REACH * float(np.sqrt(((sums - share * counts) ** 2).sum()) / total)
    rows = float(total**2 / (counts**2).sum())
    low, high = success_rate(Count(share * rows, rows)).interval
    return share, [max(0.0, min(low, share - margin)), min(1.0, max(high, share + margin))]


def _neighbours(reference: Reference, found: Coded) -> Result:
    """Near copies, and distances to the closest real rows."""
    real, queries = _neighbourhood(reference)
    figures: Result = {"near_copies": None, "dcr": {}, "nndr": {}}
    if len(real) < 2:
        nothing = dict.fromkeys(_PERCENTILES)
        reason = "the real table has a single row"
        return figures | {"near_copies_reason": reason, "dcr": nothing, "nndr": nothing}
    drawn = reference.embedding.transform(reference.draw(found, queries, _FOUND))
    closest, ratio = ratios(nearest(drawn, real, 2)[0])
    for name, at in _PERCENTILES.items():
        figures["dcr"][name] = float(np.percentile(closest, at))
        figures["nndr"][name] = float(np.percentile(ratio, at))
    return figures | {
        "near_copies": _near_share(ratio),
        "neighbour_rows": len(drawn),
        "neighbour_real_rows": len(real),
        "embedding": reference.embedding.text,
    }


def _neighbourhood(reference: Reference) -> tuple[Points, int]:
    """Points of the real rows among which neighbours are looked for, and for how many rows."""
    if "neighbourhood" not in reference.memo:
        queries, rows = affordable(
            reference.real.rows,
            embedding_width(reference),
            _NEIGHBOUR_WORK,
            most=_MOST_QUERIES,
            least=_LEAST_QUERIES,
        )
        real = reference.embedding.transform(reference.draw(reference.real, rows, _REAL))
        reference.memo["neighbourhood"] = real, queries
    found: tuple[Points, int] = reference.memo["neighbourhood"]
    return found


def _real_figures(reference: Reference) -> Result:
    """What the real rows are to each other, and the holdout to them."""
    keys, counts = reference.real_keys
    twins = float(counts[counts > 1].sum() / counts.sum())
    return {
        "exact_copies_real": twins,
        **_fresh_rows(reference),
        "holdout_overlap": _overlap(reference.holdout, keys, twins),
    }


def _fresh_rows(reference: Reference) -> Result:
    """Near copies among real rows that are left out, held to the other ones alone."""
    others, queries = _neighbourhood(reference)
    order = reference.rng(_FRESH).permutation(reference.real.rows)
    left_out, kept = np.split(order, [min(queries, len(order) // 2)])
    share = None
    if len(kept) > 1:
        coder = reference.coder.learned_from(kept[: len(others)])
        embedding = Embedding(coder.real)
        fresh = embedding.transform(coder.code(reference.real.table.take(pa.array(left_out))))
        share = _near_share(ratios(nearest(fresh, embedding.transform(coder.real), 2)[0])[1])
    found: Result = {"near_copies_fresh": share, "near_copies_fresh_rows": len(left_out)}
    reason = {"near_copies_fresh_reason": "the real table has too few rows to leave some out"}
    return found if share is not None else found | reason


def _overlap(holdout: Coded | None, keys: Keys, twins: float) -> str | None:
    """A warning where the holdout repeats real rows."""
    share = 0.0 if holdout is None else float(np.isin(holdout.keys, keys).mean())
    if share <= twins + MOST_OVERLAP:
        return None
    return (
        f"{share:.1%} of the holdout's rows stand in the real table too, where {twins:.1%} "
        "of the rows have a twin: the holdout is not independent, and what is held to it "
        "looks safer than it is"
    )


def embedding_width(reference: Reference) -> int:
    """Width of the embedding."""
    return int(reference.embedding.transform(reference.real.take(np.array([0]))).shape[1])


def _near_share(ratio: Floats) -> float:
    return float((ratio < NEAR_RATIO).mean())


def ratios(distances: Floats) -> tuple[Floats, Floats]:
    """Distance to the closest row, and its ratio to the second, from an array of shape (n, 2)."""
    first, second = np.where(distances < _ROUNDING, 0.0, distances).T
    return first, np.divide(first, second, out=np.ones_like(first), where=second > 0)
