"""What a fitted estimator of tables does: draw, complete and score rows, go to disk and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from synthgan import __version__
from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import ConditionError, ParameterError, TableError
from synthgan.estimators.artefact import (
    Artefact,
    plain_parameters,
    read_artefact,
    write_artefact,
)
from synthgan.estimators.base import TableEstimator, by_name, check_columns, renamed
from synthgan.estimators.completion import completed_frame, given_cells
from synthgan.estimators.fitting import can_be_judged
from synthgan.estimators.history import history_frame, last_record
from synthgan.estimators.memory import refuse_too_large
from synthgan.estimators.model import TableModel
from synthgan.estimators.parameters import broken, whole
from synthgan.evaluation.fidelity import fidelity

# a sample of fewer rows would be judged by its own chance, one of more gains nothing
_LEAST_JUDGED, _MOST_JUDGED = 1_000, 100_000
_N_SAMPLES = whole(0)


class GenerativeEstimator(TableEstimator):
    """An estimator whose `fit` leaves a `TableModel`: everything that can be done with one.

    A child's `fit` ends with `_adopt`.
    """

    _model: TableModel

    def sample(
        self,
        n_samples: int = 1,
        *,
        where: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> Any:
        """Draw new rows.

        Parameters
        ----------
        n_samples : int, default 1
            How many; 0 gives an empty table of the right types.
        where : dict, optional
            Conditions that every row meets, ``{column: condition}``: of a number or a date a value
            or an inclusive ``(low, high)`` with None for an open end, of a category a value or a
            list of values; None asks for missing values.
        random_state : int, Generator, RandomState or None, default None
            Decides the rows. With None, a model that was fitted with a `random_state` gives the
            same rows at every call; one that was not, new ones from the operating system.

        Returns
        -------
        table of shape (n_samples, n_features)
            Frame type, column order, dtypes and null style of the table that was learned; dropped
            columns are not in it; the index is fresh.

        Raises
        ------
        ParameterError
            If `n_samples` is no whole number of at least 0.
        ConditionError
            For conditions on unknown columns, unknown or protected values, or identifiers.
        MemoryLimitError
            If the table would not fit in free memory.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        if not _N_SAMPLES.accepts(n_samples):
            raise ParameterError(broken("n_samples", n_samples, _N_SAMPLES))
        rows, model = int(n_samples), self._model
        conditions = self._conditions(where)
        refuse_too_large(
            f"a sample of {rows:,} rows", model.size_of(rows), "sample fewer rows at a time"
        )
        return model.home.restore(model.draw(rows, model.seed_of(random_state), conditions))

    def complete(self, rows: Any, *, random_state: Any = None) -> Any:
        """Fill the missing cells of rows, and draw the columns that they lack.

        Parameters
        ----------
        rows : table
            Some or all of the columns that were learned, in any order, or the path of a file.
        random_state : int, Generator, RandomState or None, default None
            Decides the cells that are drawn, as in `sample`.

        Returns
        -------
        table
            All columns in the order of the fit. Given cells are untouched, missing ones filled.
            The frame type is that of `rows`, and a pandas index is kept.

        Raises
        ------
        TableError
            For columns that the model does not know, or values of another type.
        ConditionError
            For categories that the model does not know.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        model = self._model
        source = open_source(rows, where="rows", min_rows=0)
        given = given_cells(model, source)
        refuse_too_large(
            f"completing {source.rows:,} rows", model.size_of(source.rows), "complete fewer at once"
        )
        completed = model.fill(given, model.seed_of(random_state))
        return completed_frame(model, source, rows, completed)

    def score(self, X: Any, y: Any = None) -> float:
        """Judge the model by a table: minus the mean of shape and trend error of a sample.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows to be like, best ones that `fit` has not seen.
        y : object, optional
            Ignored.

        Returns
        -------
        float
            In [-1, 0]; higher is better. The sample is as large as `X`, but at least 1,000 and at
            most 100,000 rows, and always drawn from the seed of the fit.

        Raises
        ------
        TableError
            If the columns are not those of the fit, or all of them are identifiers or dropped.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        table = self._conforming(X)
        model = self._model
        if not can_be_judged(model.codec):
            raise TableError(
                "score: expected a column to judge by, found only ids and dropped columns: "
                f"{', '.join(f'{each.name!r} ({each.kind})' for each in model.codec.schema)}"
            )
        rows = min(max(table.num_rows, _LEAST_JUDGED), _MOST_JUDGED)
        drawn = model.draw(rows, model.judging_seed())
        return -fidelity(table, drawn, schema=model.codec.schema).error

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score rows with the critic.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Higher is more normal: more like the rows that were learned. Deterministic, of no
            particular unit, and comparable within one model only.

        Raises
        ------
        TableError
            If the columns are not those of the fit.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        table = self._conforming(X)
        return self._model.scores(table)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the fitted model to one file; it holds no training row and no code.

        Parameters
        ----------
        path : path
            The file, which must end in ``.synthgan``; its folder must exist.
        force : bool, default False
            Whether an existing file is overwritten.

        Raises
        ------
        OutputError
            If the file cannot be written there.
        OutputExistsError
            If it exists and `force` is false.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        named = hasattr(self, "feature_names_in_")
        parameters = self.get_params(deep=False)
        artefact = Artefact(type(self).__name__, __version__, parameters, named, self._model)
        write_artefact(path, artefact, force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that `save` wrote; it runs on the CPU.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        SynthGAN
            The fitted estimator. Callbacks and random generators among its parameters are None.

        Raises
        ------
        InputNotFoundError
            If there is no such file.
        FileFormatError
            If it is damaged, cut short, written by something else or by a newer version.
        """
        artefact = read_artefact(path, cls.__name__, cls._get_param_names())
        estimator = cls(**artefact.parameters)
        estimator._adopt(artefact.model, artefact.named, artefact.version)
        return estimator

    def describe(self) -> dict[str, Any]:
        """Say what is known about the fitted model, in JSON's own types.

        Returns
        -------
        dict
            Version, parameters, how training went, and what each column was taken for.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        model = self._model
        return {
            "what": "model",
            "estimator": type(self).__name__,
            "version": self._version,
            "parameters": plain_parameters(self.get_params(deep=False)),
            "plan": model.trained.plan.to_dict(),
            "stopped": self.stopped_,
            "seed": self.seed_,
            "training": last_record(model.trained.history),
            "rare_threshold": model.codec.rare_threshold,
            "columns": model.codec.describe(),
        }

    def _adopt(self, model: TableModel, named: bool, version: str = __version__) -> None:
        """Take a model, made by a version, as the fitted state; nothing of an earlier fit stays."""
        self._model = model
        self._version = version
        self.schema_ = model.codec.schema
        self.history_ = history_frame(model.trained.history)
        self.seed_ = model.seed
        self.stopped_ = model.trained.stopped
        self._set_features(model.codec.schema.names, named)

    def _conditions(self, where: Any) -> Mapping[str, Any] | None:
        if where is not None and not isinstance(where, Mapping):
            raise ConditionError(
                f"where: expected a dict {{column: condition}}, found {type(where).__name__}"
            )
        conditions: Mapping[str, Any] | None = by_name(self._model.home, where)
        return conditions

    def _conforming(self, X: Any) -> pa.Table:
        """Read a table with the columns of the fit, in the types that were learned."""
        check_is_fitted(self)
        schema = self._model.codec.schema
        source = open_source(X, min_rows=1, drop=dropped(schema))
        check_columns(self, X, source)
        types = {column.name: column.arrow_type for column in schema}
        table = renamed(source, schema.names).cast(types).table()
        return table.select(self._model.codec.arrow_schema.names)
