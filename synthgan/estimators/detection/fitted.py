"""What a fitted detector does: score rows, say which are odd and why, and go to a file."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from synthgan.anomaly.account import Account, take_account
from synthgan.anomaly.rows import Rows
from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import ParameterError
from synthgan.estimators.base import TableEstimator, check_columns, renamed
from synthgan.estimators.detection.file import DetectorState, read_detector, write_detector
from synthgan.estimators.parameters import check_values, real, whole

_EXPLAINED = {"cells": whole(1), "least": real("a number of at least 0", 0)}


class FittedDetector(OutlierMixin, TableEstimator):
    """Everything that can be done with a `DetectorState`; a child's `fit` ends with `_adopt`."""

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
            Where a value is rare by itself and yet what the others of its row say, ``expected``
            is the most frequent one of its column.

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


def _index_of(X: Any) -> pd.Index | None:
    return X.index if isinstance(X, pd.DataFrame) else None


def _check_explained(cells: Any, least: Any) -> None:
    check_values("explain", {"cells": cells, "least": least}, _EXPLAINED)
