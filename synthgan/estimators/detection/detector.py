"""GANOutlierDetector: learn a table, say which rows do not belong to it, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import clone

from synthgan.anomaly.members import AUTO_SCORES, SCORES
from synthgan.anomaly.model import AnomalyModel
from synthgan.anomaly.neighbours import ODD_SHARE
from synthgan.data.codec import TableCodec
from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import TableError
from synthgan.estimators.base import by_name, is_named
from synthgan.estimators.detection.file import DetectorState
from synthgan.estimators.detection.fitted import FittedDetector
from synthgan.estimators.generative import GenerativeEstimator
from synthgan.estimators.model import TableModel
from synthgan.estimators.parameters import AUTO, NOTHING, Rule, kind, real
from synthgan.estimators.private.conflicts import refuse_budget
from synthgan.estimators.randomness import RANDOM_STATE, seed_from
from synthgan.estimators.synthesizer import SynthGAN
from synthgan.streams import seed_for

# moves of the default generator's game, rows of one, and its width: about ten seconds of one core
STEPS, BATCH, WIDTH = 300, 250, 96
# a table of fewer rows has no value that five rows share
_FEW_ROWS = 200
# the random streams of one fit
_GENERATOR, _LEARNING, _DRAWING = range(20, 23)
# scores of the fitted table that are kept: quantiles, which say nothing of single rows
KEPT_QUANTILES = 201
_FENCE = 1.5


def _is_scores(value: Any) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return isinstance(value, str) and value in (*SCORES, "auto")
    names = list(value)
    return bool(names) and len({*names}) == len(names) and all(each in SCORES for each in names)


class GANOutlierDetector(FittedDetector):
    """Learn a table of mixed columns, and say which rows are unlike it, and which of their cells.

    Follows scikit-learn's outlier detectors: `score_samples` and `decision_function` are HIGHER for
    more normal rows, `predict` says 1 for normal rows and -1 for odd ones. Rows may be judged that
    were learned, and rows that were not. Missing values and categories are columns like any other;
    a level that was never seen is a rare one.

    Parameters
    ----------
    generator : SynthGAN or None, default None
        What learns the table for scores that ask a generator or its critic; it is cloned, and never
        changed. None takes one whose size suits the job, if such a score is asked for.
    scores : str or list of str, default "auto"
        What rows are judged by; of several the mean, each in quartile ranges above its own median.
        "auto" is the mean of "isolation", "neighbours" and "profile", and of "generated" too where
        a `generator` is given.

        =============  ===========================================================================
        "isolation"    how soon random cuts set the row apart [1]_
        "generated"    distance to the nearest generated rows
        "neighbours"   distance to the nearest typical rows, each blended with its own neighbours
        "profile"      the same with far values drawn in, so that many cells have to disagree
        "density"      boosted log density ratio of generated rows to evenly spread ones
        "surprise"     how unlikely each cell is given the others of its row, on average
        "tails"        how rare each cell is by itself, summed [2]_
        "features"     Mahalanobis' distance in the critic's last hidden layer [3]_
        "critic"       how unusual the critic's score is, on either side
        "encoder"      what the way through an encoder and the generator loses [4]_
        "inversion"    what the best latent vectors leave, by a search; slow [5]_
        =============  ===========================================================================

    schema : dict, Schema or None, default None
        What the columns are, where the inferred schema is wrong, as for `SynthGAN`. A `generator`
        that is given has its own.
    contamination : "auto" or float in (0, 0.5], default "auto"
        Share of the fitted rows that `predict` calls odd. "auto" draws the line where Tukey's box
        plot does: one and a half quartile ranges beyond the quartile.
    novelty : bool, default False
        Whether the fitted rows are known to be normal. Then none of them is doubted; else the
        oddest third is left out of what is typical, since odd rows may be among them.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides everything random.

    Attributes
    ----------
    offset_ : float
        ``decision_function(X) = score_samples(X) - offset_``.
    generator_ : SynthGAN or None
        The fitted generator, where a score asks for one.
    schema_ : Schema
        What each column was taken for, with the reason.
    scores_ : tuple of str
        What rows are judged by.
    seed_ : int
        The seed that was used; `random_state=seed_` repeats the fit.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are text.

    See Also
    --------
    SynthGAN : Draws new rows; its `score_samples` is the critic's own, plain score.

    References
    ----------
    .. [1] Liu, Ting and Zhou, "Isolation forest", 2008.
    .. [2] Li et al., "ECOD: unsupervised outlier detection using empirical cumulative distribution
       functions", 2022.
    .. [3] Lee et al., "A simple unified framework for detecting out-of-distribution samples and
       adversarial attacks", 2018.
    .. [4] Schlegl et al., "f-AnoGAN: fast unsupervised anomaly detection with generative
       adversarial networks", 2019.
    .. [5] Schlegl et al., "Unsupervised anomaly detection with generative adversarial networks to
       guide marker discovery" (AnoGAN), 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from synthgan import GANOutlierDetector
    >>> table = np.random.default_rng(0).normal(size=(300, 2))
    >>> detector = GANOutlierDetector(scores="isolation", random_state=0).fit(table)
    >>> detector.predict([[0.0, 0.1], [7.0, -7.0]])
    array([ 1, -1])
    """

    _rules: ClassVar[Mapping[str, Rule]] = {
        "generator": NOTHING | kind("a SynthGAN", GenerativeEstimator),
        "scores": Rule(
            f"'auto', or one or several of {', '.join(map(repr, SCORES))}",
            _is_scores,
            ("auto", *SCORES),
        ),
        "schema": SynthGAN._rules["schema"],
        "contamination": AUTO | real("a share above 0, at most 0.5", 0, 0.5, open_low=True),
        "novelty": kind("True or False", bool, np.bool_),
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        *,
        generator: Any = None,
        scores: str | Sequence[str] = "auto",
        schema: Any = None,
        contamination: float | str = "auto",
        novelty: bool = False,
        random_state: Any = None,
    ) -> None:
        self.generator = generator
        self.scores = scores
        self.schema = schema
        self.contamination = contamination
        self.novelty = novelty
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn a table; whatever was learned before is forgotten.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            A pandas or polars frame, an Arrow table, a numeric array, or the path of a file. Odd
            rows may be among them.
        y : object, optional
            Ignored.

        Returns
        -------
        self
            The fitted detector.

        Raises
        ------
        ParameterError
            For parameters out of range.
        TableError, SchemaError
            For a table that cannot be learned.
        """
        self._check_parameters()
        refuse_budget(self.generator, "a detector")
        seed, names = seed_from(self.random_state), self._score_names()
        generator, codec, table = self._learned_table(X, names, seed)
        if not any(each.kind not in ("id", "drop") for each in codec.schema):
            raise TableError(
                "X: expected a column that can be odd, found only ids and dropped columns: "
                f"{', '.join(map(repr, codec.schema.names))}"
            )
        made: TableModel | None = None if generator is None else generator._model
        learned = AnomalyModel.learn(
            table,
            codec,
            None if made is None else made.trained,
            None if made is None else lambda rows: made.draw(rows, seed_for(seed, _DRAWING)),
            names,
            seed_for(seed, _LEARNING),
            odd=0.0 if self.novelty else ODD_SHARE,
        )
        scores = -learned.combined(learned.rows(table))
        quantiles = np.quantile(scores, np.linspace(0, 1, KEPT_QUANTILES))
        offset = _offset(scores, self.contamination)
        self._adopt(DetectorState(generator, learned, seed, offset, quantiles, is_named(X)))
        return self

    def _score_names(self) -> tuple[str, ...]:
        if isinstance(self.scores, str):
            given = () if self.generator is None else ("generated",)
            return (*AUTO_SCORES, *given) if self.scores == "auto" else (self.scores,)
        return tuple(self.scores)

    def _learned_table(
        self, X: Any, names: tuple[str, ...], seed: int
    ) -> tuple[Any, TableCodec, pa.Table]:
        """The fitted generator, if a score asks for one; the codec; and the table in its types."""
        overrides = self.schema if self.generator is None else self.generator.schema
        source = open_source(X, drop=dropped(overrides))
        generator = None
        if any(SCORES[name].generator for name in names):
            generator = self._new_generator(source.rows, seed).fit(X)
            codec = generator._model.codec
        else:
            codec = TableCodec.fit(
                source.chunks(),
                overrides=by_name(source.home, overrides),
                rare_threshold=_rare_threshold(source.rows),
            ).relate(source.chunks())
        return generator, codec, source.table().select(codec.arrow_schema.names)

    def _new_generator(self, rows: int, seed: int) -> Any:
        """The caller's own cloned, or one that suits the table; with a seed in either case."""
        if self.generator is not None:
            made = clone(self.generator)
            if made.random_state is None:
                made.set_params(random_state=seed_for(seed, _GENERATOR))
            return made
        batch = max(min(BATCH, rows), 2)
        return SynthGAN(
            epochs=max(1, round(STEPS / max(rows // batch, 1))),
            batch_size=batch,
            width=WIDTH,
            schema=self.schema,
            rare_threshold=_rare_threshold(rows),
            refine=False,
            holdout=0,
            random_state=seed_for(seed, _GENERATOR),
            verbose=0,
        )


def _rare_threshold(rows: int) -> int:
    """How many rows must share a value for it to be shown; few rows have no such value."""
    return 5 if rows >= _FEW_ROWS else 1


def _offset(scores: NDArray[np.float64], contamination: Any) -> float:
    """The score below which a row is odd.

    Examples
    --------
    >>> _offset(np.arange(101.0), 0.1)
    10.0
    """
    if contamination != "auto":
        return float(np.quantile(scores, float(contamination)))
    low, high = np.quantile(scores, [0.25, 0.75])
    return float(low - _FENCE * (high - low))
