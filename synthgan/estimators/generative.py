"""What a fitted estimator of tables does: draw and complete rows, and have them judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import ConditionError, ParameterError, TableError
from synthgan.estimators.avoiding import CopyFilter
from synthgan.estimators.base import by_name, check_columns, renamed
from synthgan.estimators.completion import completed_frame, given_cells
from synthgan.estimators.fitted import FittedEstimator
from synthgan.estimators.fitting import can_be_judged
from synthgan.estimators.memory import refuse_too_large
from synthgan.estimators.parameters import Rule, broken, check_values, kind, whole
from synthgan.evaluation.fidelity import fidelity
from synthgan.refinement.account import SWITCHED_OFF
from synthgan.streams import seed_for

if TYPE_CHECKING:
    from synthgan.evaluation.result import Evaluation

# a sample of fewer rows would be judged by its own chance, one of more gains nothing
_LEAST_JUDGED, _MOST_JUDGED = 1_000, 100_000
_N_SAMPLES, _N_JUDGED = whole(0), whole(1)
REFINE, POOL_FACTOR = kind("True or False", bool, np.bool_), whole(1, 100)


class GenerativeEstimator(FittedEstimator):
    """Everything that can be done with a `TableModel`; a child's `fit` ends with `_adopt`."""

    refine: bool
    pool_factor: int

    def sample(
        self,
        n_samples: int = 1,
        *,
        where: Mapping[str, Any] | None = None,
        avoid: Any = None,
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
        avoid : table, optional
            Real rows: no row that comes out is a copy of a single one of them, or all but that
            (three times nearer to it than to any other). A filter against copies, without a proof:
            for that, see `Privacy`.
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
            For conditions on unknown columns, unknown or protected values, or identifiers, and for
            those that contradict a relation between columns.
        MemoryLimitError
            If the table would not fit in free memory.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        rows = _checked_rows(n_samples, _N_SAMPLES)
        conditions = self._conditions(where)
        self._refuse_too_many(rows)
        seed = self._model.seed_of(random_state)
        if avoid is None:
            return self._model.home.restore(self._draw(rows, seed, conditions))
        drawn = CopyFilter(self._conforming(avoid)).draw(
            rows,
            lambda count, turn: self._draw(count, seed_for(seed, turn), conditions),
        )
        return self._model.home.restore(drawn)

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
            All columns in the order of the fit. Given cells are untouched, missing ones filled;
            what follows a given cell, or decides it, agrees with it. The frame type is that of
            `rows`, and a pandas index is kept.

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
        drawn = self._draw(rows, model.judging_seed())
        return -fidelity(table, drawn, schema=model.codec.schema).error

    def report(
        self,
        X: Any,
        *,
        n_samples: int | None = None,
        holdout: Any = None,
        target: Any = None,
        random_state: Any = None,
        max_rows: int | None = None,
    ) -> Evaluation:
        """Draw a sample and judge it by a table: how alike, how useful, how risky.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows that were learned, which the sample is held to.
        n_samples : int, optional
            Rows to draw; as many as `X` has by default.
        holdout : table, optional
            Real rows that `fit` has not seen; without them, copying cannot be told from likeness.
        target : str, optional
            The column that a model would predict: trained on the sample, tested on real rows.
        random_state : int, Generator, RandomState or None, default None
            Decides the sample, as in `sample`, and every draw of the judgement.
        max_rows : int, optional
            Of a longer table this many rows, drawn at random, are judged; as in `evaluate`.

        Returns
        -------
        Evaluation
            Shows itself in a notebook; `to_html` writes the page, `result` holds the figures.

        Raises
        ------
        ParameterError
            If `n_samples` is no whole number of at least 1, or the target is no compared column.
        TableError
            If the columns of a table are not those of the fit, or none of them can be compared.
        MemoryLimitError
            If the sample would not fit in free memory.
        sklearn.exceptions.NotFittedError
            Before `fit`.

        See Also
        --------
        synthgan.evaluate : Judges tables of any maker.
        """
        # only here: it loads scikit-learn's learners, which sampling has no use for
        from synthgan.evaluation.evaluate import MOST_SEED, evaluate

        real = self._conforming(X)
        unseen = None if holdout is None else self._conforming(holdout)
        rows = real.num_rows if n_samples is None else _checked_rows(n_samples, _N_JUDGED)
        self._refuse_too_many(rows)
        model, seed = self._model, self._model.seed_of(random_state)
        return evaluate(
            real,
            self._draw(rows, seed),
            holdout=unseen,
            target=next(iter(by_name(model.home, {target: None}))),
            schema={column.name: column.kind for column in model.codec.schema.kept},
            random_state=seed % (MOST_SEED + 1),
            provenance=self.provenance(),
            **({} if max_rows is None else {"max_rows": max_rows}),
        )

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
            particular unit, and comparable within one model only. A row that contradicts a relation
            between columns (see `schema_`) has a million less for each, and so less than any other.

        Raises
        ------
        TableError
            If the columns are not those of the fit.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        table = self._conforming(X)
        return self._model.scores(table)

    def _draw(self, rows: int, seed: int, where: Mapping[str, Any] | None = None) -> pa.Table:
        """Draw rows as `refine` and `pool_factor` say now, whatever they were when it was fitted.

        Raises
        ------
        ParameterError
            If they are out of range, or the fit was told not to learn to refine.
        """
        given = {"refine": self.refine, "pool_factor": self.pool_factor}
        check_values(type(self).__name__, given, {"refine": REFINE, "pool_factor": POOL_FACTOR})
        if self.refine and self._model.refinement.state == SWITCHED_OFF:
            raise ParameterError(
                "refine: found True, but this model was fitted with refine=False and has nothing "
                "to refine by; set_params(refine=False), or fit again with refine=True"
            )
        factor = int(self.pool_factor) if self.refine else 0
        return self._model.draw(rows, seed, where, pool_factor=factor)

    def _refuse_too_many(self, rows: int) -> None:
        size = self._model.size_of(rows)
        refuse_too_large(f"a sample of {rows:,} rows", size, "sample fewer rows at a time")

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


def _checked_rows(n_samples: Any, rule: Rule) -> int:
    if not rule.accepts(n_samples):
        raise ParameterError(broken("n_samples", n_samples, rule))
    return int(n_samples)
