"""Which generated rows are kept: those that lie where real ones do, and look like their class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from synthgan.density_ratio import density_ratio
from synthgan.estimators.augmentation.targets import CLASSES, Target
from synthgan.estimators.parameters import NOTHING, word
from synthgan.evaluation.coding import Coder
from synthgan.selection import select
from synthgan.streams import stream

FILTERS = ("density", "label", "both")
QUALITY_FILTER = NOTHING | word("auto", *FILTERS)

# rows drawn for each that is needed, so that there is something to choose from
_POOL = 2
# real rows of a class below which trees cannot tell it from generated rows
_LEAST_REAL = 30
# trees of the model that says which class a row looks like, and the rows it learns from
_TREES, _MOST_ROWS = 60, 20_000

More = Callable[[int, int], pa.Table]


def filter_for(asked: str | None, task: str) -> str | None:
    """Settle "auto": rows that look like another class do harm, and intervals hardly have looks.

    Examples
    --------
    >>> filter_for("auto", "classification"), filter_for("auto", "regression")
    ('label', None)
    """
    if asked != "auto":
        return asked
    return "label" if task == CLASSES else None


class Gate:
    """Chooses among generated rows, by models that learned from the real ones alone.

    "density" draws rows in proportion to how much more likely they are among the real rows of their
    class than among the generated ones, so that what was generated too often becomes rarer (Azadi
    et al., "Discriminator rejection sampling", 2019). "label" keeps rows that a model, trained on
    real rows with all classes counting the same, gives to the class that they were made for. "both"
    does one after the other.

    Parameters
    ----------
    table : pyarrow.Table
        The real rows without their target.
    target : Target
        The classes of these rows.
    seed : int
        Decides everything.
    """

    def __init__(self, table: pa.Table, target: Target, seed: int) -> None:
        self.seed, self.codes = seed, target.codes
        self.classes = np.unique(target.codes)
        self.coder = Coder(table)
        self.rows = self.coder.real.matrix()
        self.categorical = self.coder.real.categorical
        self._model: HistGradientBoostingClassifier | None = None

    def choose(
        self, code: int, rows: int, more: More, quality_filter: str, redraws: int, seed: int
    ) -> tuple[pa.Table, int]:
        """Draw rows of a class until enough are good, at most so many times.

        Parameters
        ----------
        code : int
            The class.
        rows : int
            How many are needed.
        more : callable
            ``more(count, turn)`` draws so many rows; each turn others.
        quality_filter : {"density", "label", "both"}
            What is asked of them.
        redraws : int
            How often what is missing is drawn again. If there are still too few good ones then, the
            best of the others follow.
        seed : int
            Decides which rows are taken.

        Returns
        -------
        table : pyarrow.Table
            Exactly `rows` rows.
        passed : int
            How many of them passed.
        """
        good: list[pa.Table] = []
        rest: list[pa.Table] = []
        scores: list[NDArray[np.float64]] = []
        missing = rows
        for turn in range(redraws + 1):
            table = more(missing * _POOL, turn)
            matrix = self.coder.code(table).matrix()
            kept = np.arange(len(matrix))
            if quality_filter != "label":
                kept = self._likely(code, matrix, missing, stream(seed, turn))
            score = np.ones(len(kept))
            passes = np.ones(len(kept), dtype=bool)
            if quality_filter != "density":
                score, passes = self._agreement(code, matrix[kept])
            good.append(table.take(pa.array(kept[passes][:missing])))
            rest.append(table.take(pa.array(kept[~passes])))
            scores.append(score[~passes])
            missing -= good[-1].num_rows
            if missing == 0:
                break
        best = np.argsort(-np.concatenate(scores), kind="stable")[:missing]
        filled = pa.concat_tables(rest).take(pa.array(np.sort(best)))
        return pa.concat_tables([*good, filled]).slice(0, rows), rows - missing

    def _likely(
        self, code: int, matrix: NDArray[np.float64], rows: int, random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Half of a pool, in proportion to the real rows' density over the pool's."""
        real = self.rows[self.codes == code]
        if min(len(real), len(matrix)) < _LEAST_REAL:
            return np.arange(len(matrix))[:rows]
        found = density_ratio(real, matrix, self.categorical, rng=random)
        weights = np.exp(np.clip(found.second, -10, 10))
        return np.sort(select(weights, rows, random))

    def _agreement(
        self, code: int, matrix: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """How likely each row is of the class, and whether of no other class more."""
        shares = self.model.predict_proba(matrix)
        place = int(np.searchsorted(self.model.classes_, code))
        return shares[:, place], shares.argmax(axis=1) == place

    @property
    def model(self) -> HistGradientBoostingClassifier:
        """What tells the classes apart, learned when first asked."""
        if self._model is None:
            random = stream(self.seed, 0)
            kept = np.sort(random.permutation(len(self.rows))[:_MOST_ROWS])
            # every class has a row, whichever were drawn
            kept = np.union1d(kept, np.unique(self.codes, return_index=True)[1])
            rows = self.rows[kept]
            model = HistGradientBoostingClassifier(
                max_iter=_TREES,
                class_weight="balanced",
                categorical_features=self.categorical,
                early_stopping=False,
                random_state=int(random.integers(2**31)),
            )
            # the booster cannot bin a column without a single value
            filled = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
            self._model = model.fit(filled, self.codes[kept])
        return self._model
