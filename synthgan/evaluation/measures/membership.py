"""Membership inference: who was among the real rows, told from the synthetic ones.

Candidates are real rows (members) and rows of the holdout (non-members); an attack gives each a
score, and its AUC says how well the score tells them apart: 0.5 is a coin toss. Another part of the
holdout is what the attacker knows of the population.

- *distance*: minus the distance to the closest synthetic row. Hilprecht et al., "Monte Carlo and
  reconstruction membership inference attacks against generative models", PoPETs 2019.
- *calibrated distance*: the distance to the closest row of the population, less the one to the
  closest synthetic row, so that rows that are near to everything stop counting; catches faint and
  partial leaks. Chen et al., "GAN-Leaks", CCS 2020.
- *density ratio*: how likely a row is among the synthetic rows against the population. Van Breugel
  et al., "Membership inference attacks against synthetic data through overfitting detection"
  (DOMIAS), AISTATS 2023. The ratio is that of extremely randomised trees (Geurts et al., 2006),
  grown to single rows, between the rows of both tables that are closest to a candidate: what an
  attack looks for is single rows, which boosted trees smooth away.

The same number of rows is drawn from both tables, and only rows that no row of the other draw
equals are candidates, each once: a non-member whose twin is a member cannot be called either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from synthgan.density_ratio import auc
from synthgan.evaluation.attacks.rates import REACH
from synthgan.evaluation.columns import Floats
from synthgan.evaluation.embedding import Points, nearest
from synthgan.evaluation.measures.closeness import NO_HOLDOUT, affordable, embedding_width

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.reference import Reference

ATTACKS = ("distance", "calibrated_distance", "density_ratio")
SPLITS = 5
MOST_CANDIDATES = 1_000  # of either kind, in each split
LEAST_CANDIDATES = 10
TREES = 50
FALSE_POSITIVES = 0.01

# Products of two numbers that one search for neighbours may take.
_WORK, _LEAST_QUERIES = 3e9, 400
_DRAW, _SPLIT = 550, 551

Index = NDArray[np.int64]
Result = dict[str, Any]


@dataclass(frozen=True)
class _Candidates:
    """Places of the rows that may be asked for, in the real table and in the holdout."""

    members: Index
    others: Index

    @property
    def enough(self) -> bool:
        return len(self.members) >= LEAST_CANDIDATES and len(self.others) >= 2 * LEAST_CANDIDATES


@dataclass(frozen=True)
class _Attempt:
    """What the attacks on one split made of it: all that outlives it.

    `scores` are those of members and of non-members, higher being likelier a member; `asked` the
    places of both; `rows` how many rows of each kind took part.
    """

    scores: Mapping[str, tuple[Floats, Floats]]
    asked: tuple[Index, Index]
    rows: dict[str, int]


def membership(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Attacks that guess whether a row was among those the generator learned from.

    Parameters
    ----------
    reference : Reference
        The real table and the holdout.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to repeat the attacks over several splits; else there is a single one.

    Returns
    -------
    dict
        For each attack ``auc``, ``auc_interval`` (95 %) and ``tpr_at_1pct_fpr``, the share of
        members found at a threshold that at most 1 % of the non-members pass, means over the
        splits; ``splits`` and the ``rows`` of each. None, with a ``reason``, where there is no
        holdout or too few rows are left of it.

    Examples
    --------
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> real, other = np.random.default_rng(0).normal(size=(2, 100))
    >>> reference = Reference(pa.table({"x": real}), pa.table({"x": other}))
    >>> membership(reference, reference.real)["distance"]["auc"]
    1.0
    """
    if reference.holdout is None:
        return _unknown(NO_HOLDOUT)
    if "candidates" not in reference.memo:
        reference.memo["candidates"] = _candidates(reference, reference.holdout)
    candidates: _Candidates = reference.memo["candidates"]
    if not candidates.enough:
        return _unknown(
            f"expected at least {LEAST_CANDIDATES} real and {2 * LEAST_CANDIDATES} holdout rows "
            f"without a twin in the other table, found {len(candidates.members)} and "
            f"{len(candidates.others)}"
        )
    attempts = [
        _Split(reference, reference.holdout, found, candidates, split).attempt()
        for split in range(SPLITS if detail else 1)
    ]
    asked = [
        len(np.unique(np.concatenate(part)))
        for part in zip(*(attempt.asked for attempt in attempts), strict=True)
    ]
    figures = {name: _summary([each.scores[name] for each in attempts], asked) for name in ATTACKS}
    return figures | {"splits": len(attempts), "rows": attempts[0].rows}


def _unknown(reason: str) -> Result:
    names = ("auc", "auc_interval", "tpr_at_1pct_fpr")
    return {attack: dict.fromkeys(names) for attack in ATTACKS} | {"splits": 0, "reason": reason}


def _candidates(reference: Reference, holdout: Coded) -> _Candidates:
    rows, rng = min(reference.real.rows, holdout.rows), reference.rng(_DRAW)
    drawn = [rng.permutation(table.rows)[:rows] for table in (reference.real, holdout)]
    keys = [
        table.keys[index] for table, index in zip((reference.real, holdout), drawn, strict=True)
    ]
    alone = []
    for index, own, others in ((drawn[0], *keys), (drawn[1], *reversed(keys))):
        _, first = np.unique(own, return_index=True)
        alone.append(index[first[~np.isin(own[first], others)]])
    return _Candidates(*alone)


class _Split:
    """One choice of members, non-members and population, with the distances between them."""

    def __init__(
        self,
        reference: Reference,
        holdout: Coded,
        found: Coded,
        candidates: _Candidates,
        split: int,
    ) -> None:
        rng = self.rng = reference.rng(_SPLIT + split)
        members, others = (
            rng.permutation(each) for each in (candidates.members, candidates.others)
        )
        half = len(others) // 2
        transform = reference.embedding.transform
        width = embedding_width(reference)
        most = 2 * min(MOST_CANDIDATES, half, len(members))
        queries, rows = affordable(
            found.rows, width, _WORK, most=most, least=min(_LEAST_QUERIES, most)
        )
        self.asked = members[: queries // 2], others[: min(queries // 2, half)]
        self.points = np.concatenate(
            [transform(reference.real.take(self.asked[0])), transform(holdout.take(self.asked[1]))]
        )
        self.synthetic = transform(found.take(rng.permutation(found.rows)[:rows]))
        self.population = transform(holdout.take(others[half:][:rows]))

    def attempt(self) -> _Attempt:
        """Every attack on this split."""
        rows = {
            "members": len(self.asked[0]),
            "non_members": len(self.asked[1]),
            "synthetic": len(self.synthetic),
            "population": len(self.population),
        }
        return _Attempt(self._scores(), self.asked, rows)

    def _scores(self) -> Mapping[str, tuple[Floats, Floats]]:
        """Scores of members and of non-members by each attack."""
        to_synthetic, synthetic = nearest(self.points, self.synthetic)
        to_population, population = nearest(self.points, self.population)
        ratio = self._ratio(
            self.synthetic[np.unique(synthetic)], self.population[np.unique(population)]
        )
        scores = (-to_synthetic[:, 0], to_population[:, 0] - to_synthetic[:, 0], ratio)
        members = len(self.asked[0])
        return {
            name: (each[:members], each[members:])
            for name, each in zip(ATTACKS, scores, strict=True)
        }

    def _ratio(self, synthetic: Points, population: Points) -> Floats:
        """Share of synthetic density at each candidate, which grows as the ratio does."""
        trees = ExtraTreesClassifier(
            TREES, class_weight="balanced", random_state=int(self.rng.integers(2**31))
        )
        labels = np.arange(len(synthetic) + len(population)) < len(synthetic)
        trees.fit(np.concatenate([synthetic, population]), labels)
        return np.asarray(trees.predict_proba(self.points)[:, 1], dtype=np.float64)


def _summary(scores: list[tuple[Floats, Floats]], asked: list[int]) -> Result:
    """Means over the splits; the interval also knows how many different rows were asked for."""
    areas = np.array([auc(*each) for each in scores])
    area = float(areas.mean())
    error = _auc_error(area, *asked)
    if len(areas) > 1:
        error = max(error, float(areas.std(ddof=1) / np.sqrt(len(areas))))
    margin = REACH * error
    return {
        "auc": area,
        "auc_interval": [max(0.0, area - margin), min(1.0, area + margin)],
        "tpr_at_1pct_fpr": float(np.mean([_true_positives(*each) for each in scores])),
    }


def _auc_error(area: float, members: int, others: int) -> float:
    """Standard error of an AUC. Hanley and McNeil, Radiology 1982."""
    both_members, both_others = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (members - 1) * (both_members - area**2)
        + (others - 1) * (both_others - area**2)
    ) / (members * others)
    return float(np.sqrt(max(variance, 0.0)))


def _true_positives(members: Floats, others: Floats) -> float:
    """Share of members above the score that at most 1 % of the non-members are above."""
    passing = int(FALSE_POSITIVES * len(others))
    threshold = np.sort(others)[len(others) - 1 - passing]
    return float((members > threshold).mean())
