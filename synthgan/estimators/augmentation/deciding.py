"""Whether new rows help a learner, how many, and how: found out on rows kept from the generator.

The generator is fitted once, on two thirds of the rows, or on half of them where a class is small.
The others are judged: learners are trained on the first part, all folds of the judged rows but one,
and new rows, and asked about that fold. So no row that a score rests on has been seen by the
generator behind it, and learners are trained on nearly all rows, as in the end. The same generator
then makes the rows that are used.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthgan.errors import SynthganWarning
from synthgan.estimators.augmentation.recipes import (
    NOTHING,
    Recipe,
    synthetic_recipes,
    weighing_recipes,
    weight_argument,
)
from synthgan.estimators.augmentation.supply import Drawn, Supply
from synthgan.estimators.augmentation.tables import take_rows
from synthgan.estimators.augmentation.tasks import Decision, Task, draw
from synthgan.estimators.augmentation.trials import (
    Answers,
    CannotJudgeError,
    Scorer,
    Trial,
    dealt,
    drawn_again,
    fitted_folds,
    scores_again,
)
from synthgan.streams import stream

# one part in so many is kept from the generator and judged; more where that would be fewer rows of
# a class than so many
_PARTS, _FEW_PARTS, _FEW = 3, 2, 40
# rows that a class needs among the judged ones to say anything about it
_LEAST_JUDGED = 10
# tables of fewer rows are dealt into folds that many times
_SMALL, _REPEATS = 2_000, 3
# rows that are used to decide at most; the generator sees the others too
_MOST_ROWS = 20_000
# ways without new rows whose scores differ by less are told apart by nothing
_TIE = 0.001
# the chance that a way is taken which is no better: one standard error's, over as many ways as
# could count as different, which is about the root of their number, since they share rows
_CHANCE = 0.16
# the random streams of one seed
_DEALING, _KEEPING, _REPEATED, _AGAIN = range(300, 304)


def decide(
    task: Task,
    scorer: Scorer,
    folds: int,
    supply: Callable[[Task], Supply],
    *,
    synthetic_weight: float = 1.0,
    redraws: int = 3,
) -> Decision:
    """Find out how a learner is trained best.

    Parameters
    ----------
    task : Task
        The learner and its rows.
    scorer : callable
        What is to be high.
    folds : int
        Into how many the judged rows are dealt.
    supply : callable
        Makes the source of new rows from the rows that its generator may see.
    synthetic_weight : float
        Weight of a new row beside a real one.
    redraws : int
        How often filtered rows are drawn again.

    Returns
    -------
    Decision
        Without new rows unless they are better by more than chance would make the best of as many
        ways.
    """
    started = time.monotonic()
    try:
        found = _decide(task, scorer, folds, supply, synthetic_weight, redraws)
    except CannotJudgeError as error:
        found = Decision(NOTHING, reason=f"the scorer cannot judge these rows: {error}")
    found.seconds = round(time.monotonic() - started, 1)
    return found


def _decide(
    task: Task,
    scorer: Scorer,
    folds: int,
    supply: Callable[[Task], Supply],
    synthetic_weight: float,
    redraws: int,
) -> Decision:
    used = _used(task)
    if np.count_nonzero(used.target.counts >= folds) < 2:
        reason = f"fewer than two classes have the {folds} rows that judging takes"
        return Decision(NOTHING, reason=reason)
    able = weight_argument(task.learner) is not None
    found = _without_rows(used, scorer, folds, able)
    hall = _Hall(task, scorer, folds)
    if np.count_nonzero(np.bincount(hall.judged_codes) >= _LEAST_JUDGED) < 2:
        found.reason += (
            f"; synthetic rows were not tried, since fewer than two classes have the "
            f"{_LEAST_JUDGED * _FEW_PARTS} rows that judging them takes"
        )
        return found
    weight = synthetic_weight if able else 1.0
    recipes = synthetic_recipes(task.target.task, found.recipe, able, weight)
    _with_rows(found, hall, supply(hall.shown), recipes, redraws)
    if found.supply is not None and len(used.target.codes) < len(task.target.codes):
        # the rows drawn so far go with the part that was judged
        counts = task.target.counts
        found.drawn = draw(found.supply, found.recipe, counts, task.seed, redraws)
    return found


def _used(task: Task) -> Task:
    """The task, or a part of a long one with even shares of each class."""
    rows = len(task.target.codes)
    if rows <= _MOST_ROWS:
        return task
    random = stream(task.seed, _KEEPING)
    pieces = -(-rows // _MOST_ROWS)
    return task.of(np.flatnonzero(dealt(task.target.codes, pieces, random, least=1) == 0))


def _without_rows(task: Task, scorer: Scorer, folds: int, able: bool) -> Decision:
    """The best of nothing and class weights, by cross-validation on all rows."""
    recipes = weighing_recipes(task.target.task, able)
    if len(recipes) == 1:
        return Decision(NOTHING, reason="the learner takes no weights of rows")
    codes, scores = task.target.codes, np.zeros(len(recipes))
    repeats = _REPEATS if len(codes) < _SMALL else 1
    for repeat in range(repeats):
        dealt_to = dealt(codes, folds, stream(task.seed, _REPEATED, repeat), least=folds)
        for place, recipe in enumerate(recipes):
            scores[place] += _trial(task, dealt_to, recipe, None, scorer).score / repeats
    best = int(np.flatnonzero(scores >= scores.max() - _TIE)[0])
    candidates = [
        {"what": each.in_words(), "score": float(score), "judged_rows": len(codes)}
        for each, score in zip(recipes, scores, strict=True)
    ]
    listed = ", ".join(f"{each['what']} {each['score']:.4f}" for each in candidates)
    return Decision(recipes[best], candidates=candidates, reason=f"without new rows {listed}")


def _trial(
    task: Task,
    folds: NDArray[np.int64],
    recipe: Recipe,
    drawn: Drawn | None,
    scorer: Scorer,
) -> Trial:
    """Train in one way without each fold, and judge the answers about all folds together."""
    models, parts = fitted_folds(folds, lambda rows: task.of(rows).train(recipe, drawn))
    judged = np.flatnonzero(folds >= 0)
    X, y = take_rows(task.X, judged), task.target.values[judged]
    places = [np.searchsorted(judged, part) for part in parts]
    return Trial(Answers(models, places, X), X, y, scorer)


def parts_of(counts: NDArray[np.int64]) -> int:
    """One part in how many is judged: enough rows of each class that can have them.

    Examples
    --------
    >>> parts_of(np.array([900, 100])), parts_of(np.array([900, 200, 5]))
    (2, 3)
    """
    able = counts[counts >= _LEAST_JUDGED * _FEW_PARTS]
    return _FEW_PARTS if len(able) and able.min() < _FEW * _PARTS else _PARTS


class _Hall:
    """Where ways with new rows are judged: on rows that are kept from the generator."""

    def __init__(self, task: Task, scorer: Scorer, folds: int) -> None:
        random = stream(task.seed, _DEALING)
        codes = task.target.codes
        pieces = -(-len(codes) // _MOST_ROWS)
        parts = parts_of(task.target.counts)
        part = dealt(codes, parts * pieces, random, least=parts)
        kept = np.flatnonzero((part >= 0) & (part < 1))
        # the generator sees all that is not judged, a learner no more than it can take in time
        self.shown = task.of(np.flatnonzero(part != 0))
        used = np.flatnonzero(part < parts)
        self.task, self.scorer = task.of(used), scorer
        self.folds = np.full(len(used), -1, dtype=np.int64)
        judged = np.searchsorted(used, kept)
        self.folds[judged] = dealt(codes[kept], folds, random, least=1)
        self.judged_codes = codes[kept]

    def trial(self, recipe: Recipe, drawn: Drawn | None) -> Trial:
        """The score of one way."""
        return _trial(self.task, self.folds, recipe, drawn, self.scorer)


def _with_rows(
    found: Decision, hall: _Hall, supply: Supply, recipes: list[Recipe], redraws: int
) -> None:
    """Try ways with new rows; take the one that is surely better than the way without, if any."""
    random = stream(hall.task.seed, _AGAIN)
    draws = drawn_again(hall.judged_codes, random)
    base = hall.trial(found.recipe, None)
    known = scores_again(base, draws)
    stock = _Stock(supply, hall.task.target.counts, hall.task.seed, redraws)
    needed = float(norm.ppf(1 - _CHANCE / math.sqrt(len(recipes))))
    tried = []
    for recipe in recipes:
        drawn = stock.rows(recipe)
        trial = hall.trial(recipe, drawn)
        error = float((scores_again(trial, draws) - known).std())
        better = trial.score - base.score
        tried.append((better - needed * error, better, recipe, drawn))
        found.candidates.append(
            {
                "what": recipe.in_words(),
                "score": trial.score,
                "judged_rows": len(hall.judged_codes),
                "better_by": better,
                "standard_error": error,
                "needed": needed * error,
            }
        )
    surely, better, recipe, drawn = max(tried, key=lambda each: each[0])
    where = (
        f"; on {len(hall.judged_codes):,} rows that the generator had not seen "
        f"{base.score:.4f} without new rows"
    )
    if surely <= 0:
        _, better, recipe, _ = max(tried, key=lambda each: each[1])
        found.reason += f"{where}, {better:+.4f} with {recipe.in_words()}, which chance may explain"
        return
    found.recipe, found.supply, found.drawn = recipe, supply, drawn
    found.reason += f"{where}, {better:+.4f} with these, more than chance explains"


class _Stock:
    """New rows for several ways, of which some use the same, or the first of them."""

    def __init__(self, supply: Supply, counts: NDArray[np.int64], seed: int, redraws: int) -> None:
        self.supply, self.counts, self.seed, self.redraws = supply, counts, seed, redraws
        self._drawn: dict[tuple[str, str | None], Drawn] = {}

    def rows(self, recipe: Recipe) -> Drawn:
        """The rows of one way."""
        kept = recipe.classes, recipe.quality_filter
        if kept not in self._drawn:
            most = replace(recipe, way=1.0) if recipe.way else recipe
            with warnings.catch_warnings():
                # the account says it, of the rows that are taken
                warnings.simplefilter("ignore", SynthganWarning)
                drawn = draw(self.supply, most, self.counts, self.seed, self.redraws)
            self._drawn[kept] = drawn
        return self._drawn[kept].fewer(recipe.wanted(self.counts))
