"""The scikit-learn border that every estimator shares: parameters, tables, weights."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from synthgan.data.source import Home, Source
from synthgan.errors import ParameterError, SynthganWarning, TableError
from synthgan.estimators.parameters import Rule, check_names, check_values

# scikit-learn lists at most this many names in its own messages about feature names
_LISTED = 5


class TableEstimator(BaseEstimator):
    """Base of the estimators that learn whole tables.

    Subclasses state what their parameters may be in `_rules`; the constructor only stores, `fit`
    calls `_check_parameters`.
    """

    _rules: ClassVar[Mapping[str, Rule]] = {}

    def __new__(cls, *args: Any, **parameters: Any) -> Self:
        """Refuse unknown parameter names before Python does, with the nearest match."""
        check_names(cls.__name__, parameters, cls._get_param_names())
        made: Self = super().__new__(cls)
        return made

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **parameters : object
            New values; they are checked by `fit`.

        Returns
        -------
        self
            This estimator.

        Raises
        ------
        ParameterError
            For a name that the estimator does not have, with its nearest match.
        """
        own = {name.partition("__")[0] for name in parameters}
        check_names(type(self).__name__, own, self._get_param_names())
        super().set_params(**parameters)
        return self

    def _check_parameters(self) -> None:
        check_values(type(self).__name__, self.get_params(deep=False), self._rules)

    def _set_features(self, names: Sequence[str], named: bool) -> None:
        """Store scikit-learn's two attributes about the columns of a fit."""
        self.n_features_in_ = len(names)
        if named:
            self.feature_names_in_ = np.asarray(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_


def is_named(X: Any) -> bool:
    """Whether a table brings text names of its own: frames and files do, arrays do not."""
    if isinstance(X, str | os.PathLike) or hasattr(X, "column_names"):
        return True
    return hasattr(X, "columns") and all(isinstance(name, str) for name in X.columns)


def check_weights(sample_weight: Any, rows: int) -> NDArray[np.float64] | None:
    """Check the weights of rows.

    Parameters
    ----------
    sample_weight : array-like of shape (rows,) or None
        How much each row counts.
    rows : int
        Rows of the table.

    Returns
    -------
    ndarray of shape (rows,) or None
        The weights as floats.

    Raises
    ------
    ParameterError
        For another shape, weights that are no finite numbers, negative ones, or only zeros.
    """
    if sample_weight is None:
        return None
    expected = f"sample_weight: expected one number per row, of shape ({rows},)"
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        found = f"{type(sample_weight).__name__}: {error}"
        raise ParameterError(f"{expected}, found {found}") from error
    if weights.shape != (rows,):
        raise ParameterError(f"{expected}, found shape {weights.shape}")
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if bad.size:
        found = f"{weights[bad[0]]} in row {bad[0]}"
        raise ParameterError(
            f"sample_weight: expected finite weights of at least 0, found {found} "
            f"({bad.size} such rows)"
        )
    if np.count_nonzero(weights) < 2:
        raise ParameterError(
            "sample_weight: expected at least two rows with a weight above zero, "
            f"found {np.count_nonzero(weights)}"
        )
    return weights


def check_columns(estimator: TableEstimator, X: Any, source: Source) -> None:
    """Hold the columns of a later table against those of the fit, in scikit-learn's words.

    Raises
    ------
    TableError
        For another number of columns, or other names, or another order.
    """
    owner = type(estimator).__name__
    known = getattr(estimator, "feature_names_in_", None)
    named = is_named(X)
    if known is not None and named and list(known) != list(source.names):
        raise TableError(_other_names(list(known), list(source.names)))
    if len(source.names) != estimator.n_features_in_:
        raise TableError(
            f"X has {len(source.names)} features, but {owner} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
    if known is not None and not named:
        _warn(f"X does not have valid feature names, but {owner} was fitted with feature names")
    if known is None and named:
        _warn(f"X has feature names, but {owner} was fitted without feature names")


def renamed(source: Source, names: Sequence[str]) -> Source:
    """The same table under other column names: an array's columns go by their place."""
    if source.names == list(names):
        return source

    def read(rows: int) -> Iterator[pa.Table]:
        return (chunk.rename_columns(list(names)) for chunk in source.read(rows))

    fields = [each.with_name(name) for each, name in zip(source.schema, names, strict=True)]
    return replace(source, schema=pa.schema(fields), read=read)


def by_name(home: Home, given: Any) -> Any:
    """A dict by column with the columns' text names, where a frame has whole numbers for names."""
    if home.labels is None or not isinstance(given, Mapping):
        return given
    names = {label: column.name for label, column in zip(home.labels, home.columns, strict=True)}
    return {names.get(label, label): value for label, value in given.items()}


def _other_names(known: list[str], found: list[str]) -> str:
    message = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted(set(found) - set(known)), sorted(set(known) - set(found))
    if unseen:
        message += "Feature names unseen at fit time:\n" + _listing(unseen)
    if missing:
        message += "Feature names seen at fit time, yet now missing:\n" + _listing(missing)
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    return message


def _listing(names: Iterable[str]) -> str:
    names = list(names)
    more = ["..."] if len(names) > _LISTED else []
    return "".join(f"- {name}\n" for name in [*names[:_LISTED], *more])


def _warn(message: str) -> None:
    warnings.warn(message, SynthganWarning, stacklevel=outside())


def outside() -> int:
    """The stack level of the first caller outside this package, for a warning that helps."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith("synthgan."):
        level, frame = level + 1, frame.f_back
    return level - 1
