"""Where new rows come from: one generator that has learned a table joined with its target."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import clone

from synthgan.data.source import Source, open_source
from synthgan.errors import SynthganWarning
from synthgan.estimators.augmentation.dealing import Deals, joined
from synthgan.estimators.augmentation.generators import (
    check_generator,
    default_generator,
    free_name,
    with_column,
)
from synthgan.estimators.augmentation.quality import Gate
from synthgan.estimators.augmentation.tables import take_rows
from synthgan.estimators.augmentation.targets import CLASSES, Target
from synthgan.estimators.base import by_name, outside
from synthgan.streams import seed_for, stream

# rows of a class that any generator needs to be asked for it
LEAST_ROWS = 3
# from so many classes on, rows of all of them are drawn at once and dealt out, and only what is
# rare is asked for by a condition; so many rows for each one wanted, up to a limit
_MANY_CLASSES, _DEALT, _MOST_DEALT = 3, 2, 100_000
# the random streams of one seed
_FITTING, _DRAWING, _REPEATING, _JUDGING, _DEALING = range(100, 105)


@dataclass(frozen=True)
class Drawn:
    """New rows, class by class.

    Attributes
    ----------
    table : object
        The rows, in the caller's own type.
    codes : array of int of shape (rows,)
        The class of each.
    values : array of shape (rows,)
        The target of each.
    origins : array of int of shape (rows,)
        Of repeated rows the number of the real row, of generated ones -1.
    account : list of dict
        For each class that was asked for its `code`, `label`, `rows`, `how` they were made
        ("generated" or "repeated"), and how many `passed` the filter, if there is one.
    """

    table: Any
    codes: NDArray[np.int64]
    values: NDArray[Any]
    origins: NDArray[np.int64]
    account: list[dict[str, Any]]

    def fewer(self, wanted: Mapping[int, int]) -> Drawn:
        """The first rows of each class, so many of each."""
        turn = np.zeros(len(self.codes), dtype=np.int64)
        for code in np.unique(self.codes):
            own = self.codes == code
            turn[own] = np.arange(np.count_nonzero(own))
        goals = np.array([wanted.get(int(code), 0) for code in self.codes], dtype=np.int64)
        rows = np.flatnonzero(turn < goals)
        labels = {each["code"]: each for each in self.account}
        account = [{**labels[code], "rows": count} for code, count in wanted.items() if count]
        return Drawn(
            take_rows(self.table, rows),
            self.codes[rows],
            self.values[rows],
            self.origins[rows],
            account,
        )


class Supply:
    """New rows of each class, by one generator that is fitted when it is first needed.

    Parameters
    ----------
    X : table of shape (rows, n_features)
        In any of the kinds that can be learned.
    target : Target
        What is to be predicted.
    generator : estimator or None
        Cloned, never changed; None for the default.
    seed : int
        Decides everything, unless the generator has a `random_state` of its own.
    least : int
        Classes of fewer rows are not generated: their real rows are repeated.
    sample_weight : array of shape (rows,), optional
        How often the generator sees each row.

    Attributes
    ----------
    generator : estimator or None
        The fitted clone; None as long as no rows were asked for.
    """

    def __init__(
        self,
        X: Any,
        target: Target,
        generator: Any,
        seed: int,
        *,
        least: int = LEAST_ROWS,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> None:
        self.source = X if isinstance(X, Source) else open_source(X)
        self.target, self.seed, self.weights = target, seed, sample_weight
        self.column = free_name(self.source.names)
        self._plan = clone(generator) if generator is not None else default_generator(len(self))
        check_generator(self._plan)
        self.least_rows = least
        self.generator: Any = None
        self._gate: Gate | None = None

    def __len__(self) -> int:
        return self.source.rows

    @property
    def too_rare(self) -> list[int]:
        """Classes of which there are too few rows to generate more."""
        return np.flatnonzero(self.target.counts < self.least_rows).tolist()

    def draw(
        self,
        wanted: Mapping[int, int],
        seed: int,
        *,
        quality_filter: str | None = None,
        redraws: int = 3,
    ) -> Drawn:
        """Draw new rows of some classes.

        Parameters
        ----------
        wanted : mapping of int to int
            Rows of each class, by its number.
        seed : int
            Decides the rows.
        quality_filter : {None, "density", "label", "both"}
            Which rows are kept; see `Gate`.
        redraws : int
            How often rows that are not kept are drawn again; then the best of them are taken.

        Returns
        -------
        Drawn
            Exactly as many rows as wanted.
        """
        parts, account = [], []
        self._say_what_is_repeated([code for code, rows in wanted.items() if rows])
        deals = self._deals(wanted, seed)
        for code, rows in wanted.items():
            if rows == 0:
                continue
            if self.target.counts[code] < self.least_rows:
                part, how = self._repeated(code, rows, seed), {"how": "repeated"}
            else:
                gate = None if quality_filter is None else self.gate
                path = seed_for(seed, _DRAWING, code)
                part, how = self._generated(code, rows, path, gate, quality_filter, redraws, deals)
            parts.append((code, *part))
            label = self.target.labels[code]
            account.append({"code": code, "label": label, "rows": rows, **how})
        return self._together(parts, account)

    @property
    def gate(self) -> Gate:
        """What tells good rows from others, learned from the real ones when first needed."""
        if self._gate is None:
            self._gate = Gate(self.source.table(), self.target, seed_for(self.seed, _JUDGING))
        return self._gate

    def fit(self) -> None:
        """Fit the generator, unless it is fitted."""
        if self.generator is not None:
            return
        joined = self.source.table().append_column(self.column, self.target.column())
        model, home = self._plan, self.source.home
        kind: Any = "category" if self.target.task == CLASSES else "number"
        if kind == "category" and getattr(model, "target", "") is None:
            # the generator pays for rows that contradict what real rows say of their class
            kind = {"kind": kind, "follows": False}
            model.set_params(target=self.column)
        parameters: dict[str, Any] = {"schema": with_column(model.schema, home, self.column, kind)}
        if getattr(model, "target", None) is not None:
            parameters["target"], *_ = by_name(home, {model.target: None})
        if model.random_state is None:
            parameters["random_state"] = seed_for(self.seed, _FITTING)
        self.generator = model.set_params(**parameters).fit(joined, sample_weight=self._draws())

    def _draws(self) -> NDArray[np.float64]:
        """How often the generator sees each row: all classes as often, since all are asked for.

        A class of one row in ten that is seen that often comes out as if it were the others.
        """
        given = np.ones(len(self)) if self.weights is None else self.weights
        mass = np.bincount(self.target.codes, given, minlength=len(self.target.labels))
        # nobody asks for a class of a row or two: it is no use to learn these by heart
        mass[self.too_rare] = mass.max()
        even: NDArray[np.float64] = given / mass[self.target.codes]
        return np.asarray(even / even.mean())

    def _deals(self, wanted: Mapping[int, int], seed: int) -> Deals | None:
        """Rows of all classes that are wanted, where they are many: all come about as often."""
        counts = self.target.counts
        able = [rows for code, rows in wanted.items() if rows and counts[code] >= self.least_rows]
        if self.target.task != CLASSES or len(able) < _MANY_CLASSES:
            return None
        self.fit()

        def draw(rows: int, seed: int) -> pa.Table:
            return _whole(self.generator.sample(rows, random_state=seed), self.source)

        classes = {code: self.target.condition(code) for code in wanted}
        deals = Deals(draw, self.column, classes, seed_for(seed, _DEALING))
        deals.deal(min(_DEALT * max(able) * len(counts), _MOST_DEALT))
        return deals

    def _generated(
        self,
        code: int,
        rows: int,
        seed: int,
        gate: Gate | None,
        quality_filter: str | None,
        redraws: int,
        deals: Deals | None = None,
    ) -> tuple[tuple[pa.Table, NDArray[np.int64]], dict[str, Any]]:
        self.fit()
        where = {self.column: self.target.condition(code)}

        def more(count: int, turn: int) -> pa.Table:
            parts = [] if deals is None else [deals.take(code, count)]
            if count := count - sum(part.num_rows for part in parts):
                turned = seed_for(seed, turn)
                made = self.generator.sample(count, where=where, random_state=turned)
                parts.append(_whole(made, self.source))
            return joined(parts)

        found: dict[str, Any] = {"how": "generated"}
        if gate is None or quality_filter is None:
            table = more(rows, 0)
        else:
            table, passed = gate.choose(code, rows, more, quality_filter, redraws, seed)
            found["passed"] = passed
        return (table, np.full(rows, -1)), found

    def _repeated(self, code: int, rows: int, seed: int) -> tuple[pa.Table, NDArray[np.int64]]:
        """Real rows of a class again, each as often as the others as far as that goes."""
        own = np.flatnonzero(self.target.codes == code)
        random = stream(seed, _REPEATING, code)
        turns = [random.permutation(own) for _ in range(-(-rows // len(own)))]
        origins = np.concatenate(turns)[:rows]
        joined = self.source.table().append_column(self.column, self.target.column())
        return joined.take(pa.array(origins)), origins

    def _say_what_is_repeated(self, codes: list[int]) -> None:
        rare = [code for code in codes if code in self.too_rare]
        if not rare:
            return
        counts = self.target.counts
        each = [
            f"class {self.target.labels[code]!r} has {_in_words(counts[code])}" for code in rare
        ]
        warnings.warn(
            f"{', '.join(each)}, and a generator needs {self.least_rows} to learn a class: its new "
            "rows are real ones again; collect more of them, or lower rare_threshold (here and of "
            "the generator)",
            SynthganWarning,
            stacklevel=outside(),
        )

    def _together(self, parts: list[Any], account: list[dict[str, Any]]) -> Drawn:
        names = self.source.names
        if not parts:
            nothing = np.empty(0, dtype=np.int64)
            empty = self.source.home.restore(self.source.schema.empty_table())
            return Drawn(empty, nothing, self.target.values[:0], nothing, account)
        codes = np.concatenate([np.full(len(origins), code) for code, _, origins in parts])
        table = joined([each.select(names) for _, each, _ in parts])
        values = [self._values(code, each) for code, each, _ in parts]
        return Drawn(
            self.source.home.restore(table.combine_chunks()),
            codes,
            np.concatenate(values),
            np.concatenate([origins for _, _, origins in parts]),
            account,
        )

    def _values(self, code: int, table: pa.Table) -> NDArray[Any]:
        kind = self.target.values.dtype
        if self.target.task == CLASSES:
            own = self.target.values[self.target.codes == code][:1]
            return np.repeat(own, table.num_rows)
        found = np.asarray(table.column(self.column).to_numpy())
        return (np.rint(found) if kind.kind in "iu" else found).astype(kind)


def _whole(table: pa.Table, source: Source) -> pa.Table:
    """New rows with the columns that the schema dropped, all null."""
    for field in source.schema:
        if field.name not in table.column_names:
            table = table.append_column(field.name, pa.nulls(table.num_rows, field.type))
    return table


def _in_words(rows: int) -> str:
    return "one row" if rows == 1 else f"{rows} rows"
