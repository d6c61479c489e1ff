"""Learners tried on rows that they have not seen, judged by one scorer over all these rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, get_tags

from synthgan.estimators.augmentation.delegating import if_it_has
from synthgan.estimators.augmentation.tables import Rows, take_rows

Scorer = Callable[[Any, Any, Any], float]

# rows drawn again to tell chance from a difference
DRAWS = 64


class Answers(BaseEstimator):
    """A learner that remembers what others said of rows that each of them had not seen.

    Scorers take it for one learner, so that a score is one figure over all rows judged: a mean over
    folds of a few rows of a class would be all noise.

    Parameters
    ----------
    models : list of estimator
        The learners, one for each fold.
    parts : list of array of int
        The rows that each answers for: numbers from 0, all of them together.
    X : table
        The rows that are judged.
    """

    def __init__(self, models: list[Any], parts: list[Rows], X: Any) -> None:
        self.models, self.parts, self.X = models, parts, X
        self.rows: Rows = np.arange(sum(map(len, parts)))
        self._known: dict[str, NDArray[Any]] = {}
        if hasattr(models[0], "classes_"):
            self.classes_ = np.unique(np.concatenate([model.classes_ for model in models]))

    def __sklearn_is_fitted__(self) -> bool:
        """It remembers fitted learners only."""
        return True

    def __sklearn_tags__(self) -> Tags:
        """What the learners are, this is."""
        return get_tags(self.models[0])

    @if_it_has("predict", lambda answers: answers.models[0])
    def predict(self, X: Any) -> NDArray[Any]:
        """What the learners predicted, whatever `X` is."""
        return self._answers("predict")[self.rows]

    @if_it_has("predict_proba", lambda answers: answers.models[0])
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """The shares of the classes that the learners gave, whatever `X` is."""
        return self._answers("predict_proba")[self.rows]

    @if_it_has("decision_function", lambda answers: answers.models[0])
    def decision_function(self, X: Any) -> NDArray[Any]:
        """The decision values that the learners gave, whatever `X` is."""
        return self._answers("decision_function")[self.rows]

    def _answers(self, method: str) -> NDArray[Any]:
        if method not in self._known:
            made: NDArray[Any] | None = None
            for model, part in zip(self.models, self.parts, strict=True):
                found = np.asarray(getattr(model, method)(take_rows(self.X, part)))
                found = self._aligned(found, model)
                if made is None:
                    made = np.empty((len(self.rows), *found.shape[1:]), dtype=found.dtype)
                if found.dtype != made.dtype:
                    made = made.astype(np.result_type(made, found))
                made[part] = found
            assert made is not None
            self._known[method] = made
        return self._known[method]

    def _aligned(self, found: NDArray[Any], model: Any) -> NDArray[Any]:
        """A column for each class, also of those that a learner has not met."""
        known = getattr(model, "classes_", None)
        if found.ndim == 1 or known is None or len(known) == len(self.classes_):
            return found
        made = np.full((len(found), len(self.classes_)), min(0.0, found.min()), found.dtype)
        made[:, np.searchsorted(self.classes_, known)] = found
        return made


class CannotJudgeError(Exception):
    """What a scorer says of rows that it has no score for, such as those of a class too few."""


class Trial:
    """The score of one way to train, and how sure it is.

    Parameters
    ----------
    answers : Answers
        What learners trained in that way said.
    X, y : table and array
        The rows that are judged, and what is true of them.
    scorer : callable
        ``scorer(learner, X, y)``, as scikit-learn has it.
    """

    def __init__(self, answers: Answers, X: Any, y: NDArray[Any], scorer: Scorer) -> None:
        self.answers, self.X, self.y, self.scorer = answers, X, y, scorer
        self.score = self.on(np.arange(len(y)))

    def on(self, rows: Rows) -> float:
        """The score on some of the rows."""
        self.answers.rows = rows
        with warnings.catch_warnings():
            # a draw of rows may lack a class; the score then goes by the others
            warnings.simplefilter("ignore")
            whole = len(rows) == len(self.y) and bool((rows == np.arange(len(rows))).all())
            X = self.X if whole else take_rows(self.X, rows)
            try:
                return float(self.scorer(self.answers, X, self.y[rows]))
            except ValueError as error:
                raise CannotJudgeError(str(error)) from error


def scores_again(trial: Trial, draws: list[Rows]) -> NDArray[np.float64]:
    """The score on each of many draws of the rows, of shape (draws,).

    Of two trials on the same draws the differences are those of the paired bootstrap (Efron, 1979).
    """
    return np.array([trial.on(rows) for rows in draws])


def drawn_again(codes: NDArray[np.int64], random: np.random.Generator) -> list[Rows]:
    """Rows drawn with replacement, as many of each class as there are, `DRAWS` times."""
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    return [
        np.concatenate([random.choice(group, len(group)) for group in groups]) for _ in range(DRAWS)
    ]


def dealt(
    codes: NDArray[np.int64], folds: int, random: np.random.Generator, least: int
) -> NDArray[np.int64]:
    """A fold for each row, even shares of each class; -1 for classes of fewer than `least` rows.

    Examples
    --------
    >>> folds = dealt(np.array([0] * 6 + [1] * 2), 3, np.random.default_rng(0), least=3)
    >>> np.bincount(folds[:6]).tolist(), folds[6:].tolist()
    ([2, 2, 2], [-1, -1])
    """
    found = np.full(len(codes), -1, dtype=np.int64)
    start = 0
    for code in np.unique(codes):
        own = random.permutation(np.flatnonzero(codes == code))
        if len(own) >= least:
            found[own] = (np.arange(len(own)) + start) % folds
            start += len(own)
    return found


def fitted_folds(folds: NDArray[np.int64], fit: Callable[[Rows], Any]) -> tuple[list[Any], Any]:
    """A learner for each fold, by ``fit(rows to learn from)``; with the rows of each fold."""
    numbers = range(folds.max() + 1)
    models = [fit(np.flatnonzero(folds != each)) for each in numbers]
    return models, [np.flatnonzero(folds == each) for each in numbers]
