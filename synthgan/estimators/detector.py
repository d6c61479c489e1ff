"""GANOutlierDetector: learn a table, say which rows do not belong to it, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import OutlierMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from synthgan.anomaly.account import Account, take_account
from synthgan.anomaly.model import AUTO_SCORES, GENERATOR_SCORES, SCORES, AnomalyModel
from synthgan.anomaly.neighbours import ODD_SHARE
from synthgan.anomaly.rows import Rows
from synthgan.data.codec import TableCodec
from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import ParameterError, TableError
from synthgan.estimators.base import TableEstimator, by_name, check_columns, is_named, renamed
from synthgan.estimators.detector_file import DetectorState, read_detector, write_detector
from synthgan.estimators.generative import GenerativeEstimator
from synthgan.estimators.model import TableModel
from synthgan.estimators.parameters import AUTO, NOTHING, Rule, check_values, kind, real, whole
from synthgan.estimators.randomness import RANDOM_STATE, seed_for, seed_from
from synthgan.estimators.synthesizer import SynthGAN

# moves of the default generator's game, rows of one, and its width: about ten seconds of one core
STEPS, BATCH, WIDTH = 300, 250, 96
# a table of fewer rows has no value that five rows share
_FEW_ROWS = 200
# the random streams of one fit
_GENERATOR, _LEARNING, _DRAWING = range(20, 23)
# scores of the fitted table that are kept: quantiles, which say nothing of single rows
KEPT_QUANTILES = 201
_FENCE = 1.5
_EXPLAINED = {"cells": whole(1), "least": real("a number of at least 0", 0)}


def _is_scores(value: Any) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return isinstance(value, str) and value in (*SCORES, "auto")
    names = list(value)
    return bool(names) and len({*names}) == len(names) and all(each in SCORES for each in names)


class GANOutlierDetector(OutlierMixin, TableEstimator):
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

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Higher is more normal; about 0 for a middling row, in quartile ranges.

        Raises
        ------
        TableError
            If the columns are not those of the fit.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        rows = self._rows(X)
        return np.asarray(-self._learned.combined(rows))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Score rows so that odd ones are below 0: `score_samples` less `offset_`.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Higher is more normal.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Say 1 for rows that are normal, and -1 for odd ones.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            1 or -1.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def member_scores(self, X: Any) -> pd.DataFrame:
        """Every score by itself, before the mean.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        pandas.DataFrame of shape (n_samples, n_scores)
            Higher is more normal, in quartile ranges from the median of the fitted rows.
        """
        rows = self._rows(X)
        measured = {name: -each for name, each in self._learned.measured(rows).items()}
        return pd.DataFrame(measured, index=_index_of(X))

    def explain(self, X: Any, *, cells: int = 3, least: float = 3.0) -> pd.DataFrame:
        """Say which cells make rows odd, and what was to be expected in their place.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.
        cells : int, default 3
            Cells of a row at most.
        least : float, default 3.0
            Surprise from which on a cell is named: minus the natural logarithm of the chance of a
            cell as odd as this, given the others of its row, or by itself. 3 is one in twenty.

        Returns
        -------
        pandas.DataFrame
            One row for each cell named: ``row`` (the label of a pandas index, else a number),
            ``column``, ``value``, ``expected`` and ``surprise``; the oddest cell of a row first.

        Raises
        ------
        ParameterError
            If `cells` or `least` is out of range.
        TableError
            If the columns are not those of the fit.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        _check_explained(cells, least)
        rows = self._rows(X)
        learned = self._learned
        index = _index_of(X)
        labels = range(rows.count) if index is None else list(index)
        found = [
            (labels[cell.row], cell.column, cell.value, cell.expected, cell.surprise)
            for cell in learned.odd_cells(rows, int(cells), float(least))
        ]
        columns = ["row", "column", "value", "expected", "surprise"]
        frame = pd.DataFrame(found, columns=columns)
        return frame.astype({"value": object, "expected": object, "surprise": float})

    def report(self, X: Any, *, rows: int = 50) -> Account:
        """Judge a table: its odd rows with their odd cells, its scores, and how it has drifted.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.
        rows : int, default 50
            How many of the oddest are shown.

        Returns
        -------
        Account
            Shows itself in a notebook; `to_html` writes one page, `result` holds the figures.

        Raises
        ------
        ParameterError
            If `rows` is no whole number of at least 1.
        TableError
            If the columns are not those of the fit.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        if not whole(1).accepts(rows):
            raise ParameterError(f"rows: expected a whole number of at least 1, found {rows!r}")
        index = _index_of(X)
        labels = None if index is None else [str(each) for each in index]
        judged = self._rows(X)
        return take_account(
            self._learned,
            judged,
            offset=self.offset_,
            fitted=self._quantiles,
            most=int(rows),
            labels=labels,
        )

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the fitted detector to one file; it holds no row of the table and no code.

        Parameters
        ----------
        path : path
            The file, which must end in ``.synthgan``; its folder must exist.
        force : bool, default False
            Whether an existing file is overwritten.

        Raises
        ------
        OutputError, OutputExistsError
            If the file cannot be written there, or exists.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        state = DetectorState(
            self.generator_,
            self._learned,
            self.seed_,
            self.offset_,
            self._quantiles,
            hasattr(self, "feature_names_in_"),
        )
        write_detector(path, state, self.get_params(deep=False), force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a detector that `save` wrote.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        GANOutlierDetector
            The fitted detector. Random generators among its parameters are None.

        Raises
        ------
        InputNotFoundError
            If there is no such file.
        FileFormatError
            If it is damaged, cut short, written by something else or by a newer version.
        """
        state, parameters = read_detector(path, cls._get_param_names())
        detector = cls(**parameters)
        detector._adopt(state)
        return detector

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn: an outlier detector of mixed columns that takes missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

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
        if {*GENERATOR_SCORES} & {*names}:
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

    def _adopt(self, state: DetectorState) -> None:
        """Take what was learned as the fitted state; nothing of an earlier fit stays."""
        self.generator_ = state.generator
        self.schema_ = state.learned.codec.schema
        self._learned = state.learned
        self._quantiles = state.quantiles
        self.seed_, self.offset_ = state.seed, state.offset
        self.scores_ = state.learned.scores
        self._set_features(state.learned.codec.schema.names, state.named)

    def _rows(self, X: Any) -> Rows:
        """Read a table with the columns of the fit, in the types that were learned."""
        check_is_fitted(self)
        schema = self._learned.codec.schema
        source = open_source(X, min_rows=1, drop=dropped(schema))
        check_columns(self, X, source)
        types = {column.name: column.arrow_type for column in schema}
        table: pa.Table = renamed(source, schema.names).cast(types).table()
        return self._learned.rows(table.select(self._learned.codec.arrow_schema.names))


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


def _index_of(X: Any) -> pd.Index | None:
    return X.index if isinstance(X, pd.DataFrame) else None


def _check_explained(cells: Any, least: Any) -> None:
    check_values("explain", {"cells": cells, "least": least}, _EXPLAINED)
