"""How two clouds of rows overlap: precision and recall, density and coverage, and their kin.

Rows are points of the reference's embedding, the same number of real and of synthetic ones. Three
families of figures are read from their distances:

- *precision*, *recall*: share of synthetic rows inside a ball around some real row, and the
  reverse; a ball reaches to its centre's k-th neighbour of the same table. Kynkäänniemi et al.,
  "Improved precision and recall metric for assessing generative models", NeurIPS 2019.
- *density*, *coverage*: how many real balls a synthetic row lies in, divided by k (may be above 1);
  share of real balls that hold a synthetic row. Naeem et al., "Reliable fidelity and diversity
  metrics for generative models", ICML 2020.
- *alpha-precision*, *beta-recall*, *authenticity*: Alaa et al., "How faithful is your synthetic
  data?", ICML 2022, as `manifold` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.columns import Codes, Floats
from synthgan.evaluation.embedding import Points, nearest

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.reference import Reference

ROWS = 4_000
K = 5
LEVELS = 30  # of alpha and beta, from 0 to 1, as the authors' code has them
FIGURES = (
    "precision",
    "recall",
    "density",
    "coverage",
    "alpha_precision",
    "beta_recall",
    "authenticity",
)
VARIANT = (
    f"naive: the same embedding, balls around the mean row, {LEVELS} levels; "
    "a fresh real sample has a beta-recall of about 0.5"
)

_STREAM = 200
_BLOCK = 500  # rows of a block of distances
_ROUNDING = 1e-6  # equal distances computed in two ways must count as equal

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Cloud:
    """Points of one table, with the distance of each to its first and its k-th neighbour in it."""

    points: Points
    first: Floats
    kth: Floats


@dataclass(frozen=True, slots=True)
class _Meeting:
    """What two clouds are to each other; a ball around a point reaches to its k-th neighbour."""

    balls: Codes  # real balls around each synthetic row
    covered: Mask  # whether a real ball holds a synthetic row
    recalled: Mask  # whether a real row lies in a synthetic ball
    to_synthetic: Floats  # distance of each real row
    closest_synthetic: Codes
    to_real: Floats  # distance of each synthetic row
    closest_real: Codes


def manifold(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Measure how the synthetic rows cover the real ones' region, and keep to it.

    Alpha-precision compares, for levels alpha from 0 to 1, the share of synthetic rows in the ball
    around the mean real row that holds a share alpha of the real rows; beta-recall the share of
    real rows whose closest synthetic row is no farther than their closest real one, and is among
    the share beta of these synthetic rows that lie nearest to the mean one. Each is one minus the
    summed distance of its curve from the diagonal, over the sum of the levels: the published
    scores with the naive embedding. A fresh real sample has an alpha-precision near 1, but a
    beta-recall near one half only (its rows are nearer than the other real ones every other time),
    and a copy 1.

    Authenticity follows the paper, not its code (which mixes up two indices): the share of
    synthetic rows that are farther from their closest real row than this one is from the real row
    closest to it. Only sampled rows are compared, so what is copied is counted by the risk figures.

    Parameters
    ----------
    reference : Reference
        The real side.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to add the curves of alpha-precision and beta-recall.

    Returns
    -------
    dict
        A fraction (density may be above 1) or None for each of `FIGURES`, with `rows` compared of
        each table (at most 4,000), `k` (5), `embedding` and `variant` in words, and `curves`. All
        None with a `reason` where a table has too few rows.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> real = pa.table({"x": [float(i) for i in range(40)]})
    >>> reference = Reference(real)
    >>> figures = manifold(reference, reference.code(real))
    >>> figures["precision"], figures["coverage"], figures["authenticity"]
    (1.0, 1.0, 0.0)
    """
    rows = min(ROWS, reference.real.rows, found.rows)
    said = {"rows": rows, "k": K, "embedding": reference.embedding.text, "variant": VARIANT}
    if rows <= K:
        reason = f"needs at least {K + 1} rows of each table, found {rows}"
        return {**dict.fromkeys(FIGURES), "reason": reason, **said}
    real = _real_cloud(reference, rows)
    synthetic = _cloud(reference.embedding.transform(reference.draw(found, rows, _STREAM + 1)))
    meeting = _meeting(real, synthetic)
    curves = _curves(real, synthetic, meeting)
    figures = {
        **_overlap(meeting),
        **{name: _agreement(curve) for name, curve in curves.items()},
        "authenticity": _authenticity(real, meeting),
        **said,
    }
    if detail:
        levels = np.linspace(0, 1, LEVELS).tolist()
        figures["curves"] = {"levels": levels} | {n: c.tolist() for n, c in curves.items()}
    return figures


def _real_cloud(reference: Reference, rows: int) -> _Cloud:
    key = ("manifold", rows)
    if key not in reference.memo:
        drawn = reference.draw(reference.real, rows, _STREAM)
        reference.memo[key] = _cloud(reference.embedding.transform(drawn))
    cloud: _Cloud = reference.memo[key]
    return cloud


def _cloud(points: Points) -> _Cloud:
    distances, _ = nearest(points, points, K + 1)  # the first is the point itself, or its twin
    return _Cloud(points, distances[:, 1], distances[:, K])


def _meeting(real: _Cloud, synthetic: _Cloud) -> _Meeting:
    """All distances between two clouds, once.

    A ball holds its own rim: where more than k rows are equal, the balls around them have no
    inside, and a copy would score below 1.
    """
    rows = len(real.points)
    balls, closest_real, closest_synthetic = np.zeros((3, rows), dtype=np.int64)
    covered, recalled = np.empty((2, rows), dtype=np.bool_)
    to_synthetic, to_real = np.full((2, rows), np.inf)
    for block, squares in _squares(real.points, synthetic.points):
        held = squares <= _reach(real.kth[block])[:, None]
        balls += held.sum(axis=0)
        covered[block] = held.any(axis=1)
        recalled[block] = (squares <= _reach(synthetic.kth)).any(axis=1)
        rough = squares.astype(np.float32)  # equal distances stay equal, so that the first wins
        closest_synthetic[block] = rough.argmin(axis=1)
        to_synthetic[block] = rough.min(axis=1)
        least = rough.min(axis=0)
        nearer = least < to_real
        closest_real[nearer] = rough[:, nearer].argmin(axis=0) + block.start
        to_real[nearer] = least[nearer]
    distances = [np.sqrt(np.maximum(each, 0)) for each in (to_synthetic, to_real)]
    return _Meeting(
        balls, covered, recalled, distances[0], closest_synthetic, distances[1], closest_real
    )


def _overlap(meeting: _Meeting) -> dict[str, float]:
    return {
        "precision": float((meeting.balls > 0).mean()),
        "recall": float(meeting.recalled.mean()),
        "density": float(meeting.balls.mean() / K),
        "coverage": float(meeting.covered.mean()),
    }


def _squares(first: Points, second: Points) -> Iterator[tuple[slice, Floats]]:
    """Squared distances of all pairs of rows, a block of the first ones at a time."""
    others = second.astype(np.float64)
    lengths = np.einsum("ij,ij->i", others, others)
    for start in range(0, len(first), _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = first[block].astype(np.float64)
        squares = rows @ others.T
        squares *= -2
        squares += np.einsum("ij,ij->i", rows, rows)[:, None]
        squares += lengths
        yield block, squares


def _reach(radii: Floats) -> Floats:
    reach: Floats = radii**2 * (1 + _ROUNDING) + _ROUNDING**2
    return reach


def _curves(real: _Cloud, synthetic: _Cloud, meeting: _Meeting) -> dict[str, Floats]:
    """Alpha-precision and beta-recall at each level, of shape (LEVELS,)."""
    levels = np.linspace(0, 1, LEVELS)
    centre, middle = (c.points.mean(axis=0, dtype=np.float64) for c in (real, synthetic))
    radii = np.quantile(_from(centre, real.points), levels)
    spread = np.sort(_from(centre, synthetic.points))
    near = meeting.to_synthetic <= real.first * (1 + _ROUNDING) + _ROUNDING
    depth = _from(middle, synthetic.points)[meeting.closest_synthetic]
    return {
        "alpha_precision": _share_within(spread, radii, len(spread)),
        "beta_recall": _share_within(np.sort(depth[near]), np.quantile(depth, levels), len(depth)),
    }


def _share_within(distances: Floats, radii: Floats, rows: int) -> Floats:
    within: Floats = np.searchsorted(distances, radii * (1 + _ROUNDING), side="right") / rows
    return within


def _from(centre: Floats, points: Points) -> Floats:
    """Distances of points to a centre, of shape (n_points,)."""
    distances: Floats = np.linalg.norm(points - centre, axis=1)
    return distances


def _agreement(curve: Floats) -> float:
    levels = np.linspace(0, 1, LEVELS)
    return max(0.0, float(1 - np.abs(curve - levels).sum() / levels.sum()))


def _authenticity(real: _Cloud, meeting: _Meeting) -> float:
    reach = real.first[meeting.closest_real] * (1 + _ROUNDING) + _ROUNDING
    return float((meeting.to_real > reach).mean())
