"""GANImputer: fill the missing cells of a table from what its other cells say."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from synthgan.data.schema import dropped
from synthgan.data.source import Source, open_source
from synthgan.errors import ParameterError, SynthganWarning
from synthgan.estimators.base import TableEstimator, by_name, check_columns, is_named
from synthgan.estimators.fitting import pick_device
from synthgan.estimators.history import history_frame
from synthgan.estimators.imputing.overlay import hole_masks, overlay, with_indicators, with_names
from synthgan.estimators.parameters import NOTHING, Rule, kind, plain, whole
from synthgan.estimators.planned import PLAN_RULES
from synthgan.estimators.private.conflicts import refuse_budget
from synthgan.estimators.randomness import RANDOM_STATE, seed_from
from synthgan.estimators.synthesizer import SynthGAN
from synthgan.imputation.model import Imputation
from synthgan.streams import seed_for, stream
from synthgan.training import Plan

_TRUTH = kind("True or False", bool, np.bool_)
_LEARNING, _DRAWING = range(2)
# what scikit-learn puts before the name of a column
_INDICATOR = "missingindicator_"


class GANImputer(TransformerMixin, TableEstimator):
    """Fill missing cells of tables of mixed columns; given cells are never changed.

    A generator plays GAIN's game [1]_ on the incomplete rows: it fills the holes of a row, further
    cells are hidden from it and held against the truth, and a critic tells which cells were filled.
    Boosted trees then tell column after column from the others, starting from what the game
    proposes [2]_ [3]_.

    Parameters
    ----------
    generator : SynthGAN or None, default None
        Cloned, never changed: its sizes, rates, epochs, `max_seconds`, `schema` and device are
        those of the game. What it leaves "auto" suits this game. Its `rare_threshold` and what is
        about drawing and judging new rows do not matter here.
    rounds : int, default 4
        Rounds of boosted trees over the columns; 0 leaves what the game proposes.
    sample_posterior : bool, default False
        Whether cells are drawn from what they may be, which keeps how columns are spread and
        related, rather than filled with expected values and likeliest categories, which come
        nearest to the truth one by one. Several draws are several imputations [2]_.
    add_indicator : bool, default False
        Whether columns are added that say where cells were missing, for those columns that missed
        some in `fit`.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides the fit, and in `transform` the draws. ``set_params(random_state=i)`` between
        calls of `transform` gives other draws from the same fit.

    Attributes
    ----------
    schema_ : Schema
        What each column was taken for, with the reason.
    history_ : History
        A frame with one row per round of the game.
    stopped_ : str
        Why the game ended, as of `SynthGAN`.
    indicator_features_ : ndarray of shape (n_indicators,)
        Numbers of the columns that missed cells in `fit`.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are text.
    seed_ : int
        The seed that was used.

    Notes
    -----
    Without `sample_posterior` a row is filled alike whatever rows come with it. Text that is an
    identifier and columns without any value in `fit` stay as they are. Categories that `fit` has
    not seen stay too, and tell nothing. Numbers of whole-number types are rounded; floats are not,
    since the expected number of rooms may be 2.5: with `sample_posterior` they are values that were
    seen.

    References
    ----------
    .. [1] Yoon, Jordon and van der Schaar, "GAIN: missing data imputation using generative
       adversarial nets", ICML 2018.
    .. [2] van Buuren and Groothuis-Oudshoorn, "mice: multivariate imputation by chained equations
       in R", Journal of Statistical Software, 2011.
    .. [3] Stekhoven and Buehlmann, "MissForest: non-parametric missing value imputation for
       mixed-type data", Bioinformatics, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from synthgan import GANImputer, SynthGAN
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(50, 10, 200).round(1)
    >>> table = pd.DataFrame({"size": size, "kind": np.where(size > 50, "large", "small")})
    >>> table.loc[:9, "kind"] = None
    >>> quick = SynthGAN(epochs=5, width=16, verbose=0)
    >>> imputer = GANImputer(generator=quick, random_state=0).set_output(transform="pandas")
    >>> full = imputer.fit_transform(table)
    >>> int(full.isna().sum().sum()), bool((full["size"] == table["size"]).all())
    (0, True)
    """

    _rules: ClassVar[Mapping[str, Rule]] = {
        "generator": NOTHING | kind("a SynthGAN", SynthGAN),
        "rounds": whole(0, 100),
        "sample_posterior": _TRUTH,
        "add_indicator": _TRUTH,
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        *,
        generator: Any = None,
        rounds: int = 4,
        sample_posterior: bool = False,
        add_indicator: bool = False,
        random_state: Any = None,
    ) -> None:
        self.generator = generator
        self.rounds = rounds
        self.sample_posterior = sample_posterior
        self.add_indicator = add_indicator
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how the cells of a table depend on each other.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            A frame, an array or the path of a file, as `SynthGAN.fit` takes it.
        y : object, optional
            Ignored.

        Returns
        -------
        self
            The fitted imputer.

        Raises
        ------
        ParameterError
            For parameters out of range, those of the generator too.
        TableError
            For a table that cannot be learned.
        SchemaError
            For a schema that does not fit the table.
        """
        started = time.monotonic()
        self._check_parameters()
        game = SynthGAN() if self.generator is None else clone(self.generator)
        game._check_parameters()
        _refuse_target(game)
        refuse_budget(game, "an imputer")
        self.seed_ = seed_from(self.random_state)
        source = open_source(X, drop=dropped(game.schema))
        table = source.table()
        seconds = game.max_seconds
        model = Imputation.learn(
            table,
            Plan(**{name: plain(getattr(game, name)) for name in PLAN_RULES}),
            overrides=by_name(source.home, game.schema),
            rounds=int(self.rounds),
            seed=seed_for(self.seed_, _LEARNING),
            deadline=None if seconds is None else started + float(seconds),
            device=pick_device(game.device),
        )
        self._imputation = model
        self._types = {each.name: each.type for each in source.schema}
        self.schema_ = model.codec.schema
        self.history_, self.stopped_ = history_frame(model.history), model.stopped
        missed = [bool(table.column(name).null_count) for name in source.names]
        self.indicator_features_ = np.flatnonzero(missed)
        self._set_features(source.names, is_named(X))
        self._tell_what_stays(table)
        return self

    def transform(self, X: Any) -> Any:
        """Fill the missing cells of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows with the columns of the fit, these or others.

        Returns
        -------
        table of shape (n_samples, n_features_out)
            Frame type, dtypes and index of `X`; cells that were given are untouched.

        Raises
        ------
        TableError
            If the columns are not those of the fit, or hold values of another type.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        self._check_parameters()
        drop = dropped(self.schema_)
        source = open_source(X, min_rows=1, drop=drop)
        check_columns(self, X, source)
        source = with_names(source, self.schema_.names)
        cells = self._imputation.fill(source.cast(self._types).table(), self._rng())
        return self._home(X, source, cells)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns that `transform` gives.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the columns, where the fit saw none; otherwise they must be those of the fit.

        Returns
        -------
        ndarray of shape (n_features_out,)
            The columns, then those of the indicators.
        """
        check_is_fitted(self)
        # scikit-learn's own check and words
        from sklearn.utils.validation import _check_feature_names_in

        names = list(_check_feature_names_in(self, input_features))
        if self.add_indicator:
            names += [f"{_INDICATOR}{names[at]}" for at in self.indicator_features_]
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn: mixed columns, missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _rng(self) -> np.random.Generator | None:
        if not self.sample_posterior:
            return None
        seed = self.seed_ if self.random_state is None else seed_from(self.random_state)
        return stream(seed, _DRAWING)

    def _home(self, X: Any, source: Source, cells: Mapping[str, pa.Array]) -> Any:
        given = source.table()
        table = X if hasattr(X, "columns") or isinstance(X, np.ndarray) else None
        if table is None and source.home.frame == "numpy":
            table = np.asarray(X)
        filled = overlay(table, source, given, cells)
        if not self.add_indicator:
            return filled
        names = [source.names[at] for at in self.indicator_features_]
        masks = hole_masks(given, names)
        return with_indicators(filled, {_INDICATOR + name: masks[name] for name in names})

    def _tell_what_stays(self, table: pa.Table) -> None:
        """Warn of columns whose missing cells nothing can be said about."""
        fillable = set(self._imputation.fillable)
        kept = [column.name for column in self.schema_.kept]
        stay = [n for n in kept if n not in fillable and table.column(n).null_count]
        if stay:
            warnings.warn(
                f"missing cells of {', '.join(map(repr, stay))} stay missing: no value was seen, "
                "or all of them are identifiers",
                SynthganWarning,
                stacklevel=3,
            )


def _refuse_target(game: SynthGAN) -> None:
    if game.target is not None:
        raise ParameterError(
            f"generator: expected a SynthGAN without a target, found target={game.target!r}; an "
            "imputer learns every column from all others"
        )
