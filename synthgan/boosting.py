"""Boosted trees (LightGBM): grown until held-out rows say stop, kept as text, asked by masks."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan.tree_masks import TreeMasks
from synthgan.tree_text import parsed, pruned

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown.

    Attributes
    ----------
    rate : float
        Learning rate.
    leaves : int
        Leaves of a tree at most.
    least_rows : int
        Training rows in a leaf at least.
    least_curvature : float
        Second derivative of the loss, summed over the rows of a leaf, at least. Where classes are
        rare, fast growth needs 10 or so to be stable; a row that is not decided has 0.25.
    patience : int
        Rounds without a lower loss on held-out rows after which growing ends.
    most : int
        Rounds at most.
    columns, rows : float
        Shares of the columns and of the rows that each tree sees.
    median : bool
        Whether a number is told by its median, which wild values do not move, and not by its mean.
    """

    rate: float = 0.1
    leaves: int = 31
    least_rows: int = 50
    least_curvature: float = 1e-3
    patience: int = 20
    most: int = 500
    columns: float = 1.0
    rows: float = 1.0
    median: bool = False


GROWTH = Growth()


@dataclass(frozen=True, slots=True)
class Cases:
    """Rows with their labels.

    Attributes
    ----------
    rows : ndarray of float64 of shape (n, columns)
        Numbers, NaN where null; categories as whole numbers from 0.
    labels : ndarray of shape (n,)
        Classes from 0, or numbers.
    weights : ndarray of shape (n,) or None
        How much each row counts.
    """

    rows: Floats
    labels: NDArray[Any]
    weights: Floats | None = None

    def take(self, index: Any) -> Cases:
        """The cases of an index or mask."""
        weights = None if self.weights is None else self.weights[index]
        return Cases(self.rows[index], self.labels[index], weights)


class Trees:
    """A grown model that can be kept in a file: text without code, and as little as will do.

    Parameters
    ----------
    text : str
        LightGBM's own words for the model.
    columns : int
        Columns of the rows it is asked about.

    Attributes
    ----------
    classes : int
        Number of classes; 0 for a number.
    count : int
        Number of trees.

    Raises
    ------
    ValueError
        If the text does not hold together: LightGBM would read, and follow, any number in it.
    """

    def __init__(self, text: str, columns: int) -> None:
        self._text = text
        self.columns = columns
        self.classes, self._trees = parsed(text, columns)
        self.count = len(self._trees)

    @cached_property
    def _masks(self) -> TreeMasks | None:
        return TreeMasks.build(self._trees, self.classes if self.classes > 2 else 1)

    @cached_property
    def _booster(self) -> Any:
        import lightgbm

        return lightgbm.Booster(model_str=self._text)

    def scores(self, rows: Floats, threads: int = 1) -> Floats:
        """A number, or the log-odds of class 1, of shape (n,); of more classes, (n, classes)."""
        if self._masks is None:
            return self.walked(rows, threads)
        found = self._masks.scores(rows)
        return found if self.classes > 2 else found[:, 0]

    def walked(self, rows: Floats, threads: int = 1) -> Floats:
        """The same by LightGBM, which walks every tree: slower, unless there are very many."""
        found = self._booster.predict(rows, raw_score=True, num_threads=threads)
        return np.asarray(found, dtype=np.float64)

    def probabilities(self, rows: Floats, threads: int = 1) -> Floats:
        """Probabilities of the classes, of shape (n, classes)."""
        scores = self.scores(rows, threads)
        if scores.ndim == 1:
            scores = np.stack([np.zeros(len(scores)), scores], axis=1)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    def to_bytes(self) -> NDArray[np.uint8]:
        """The text, packed, of shape (bytes,)."""
        return np.frombuffer(zlib.compress(self._text.encode("ascii"), 9), dtype=np.uint8)

    @classmethod
    def from_bytes(cls, packed: NDArray[np.uint8], columns: int) -> Trees:
        """The reverse of `to_bytes`.

        Raises
        ------
        ValueError
            If it is no packed text of trees over that many columns.
        """
        reader = zlib.decompressobj()
        try:
            text = reader.decompress(packed.astype(np.uint8).tobytes(), _MOST_BYTES)
        except zlib.error as error:
            raise ValueError(f"trees: {error}") from error
        return cls(text.decode("ascii"), columns)


def grow(
    train: Cases,
    held: Cases,
    categorical: Mask,
    *,
    classes: int = 2,
    growth: Growth = GROWTH,
    seed: int = 0,
    threads: int = 1,
    deadline: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Trees:
    """Grow trees on some cases until others are no longer told better.

    The same cases and seed give the same trees, whatever the number of threads.

    Parameters
    ----------
    train, held : Cases
        What the trees see, and what says when to stop.
    categorical : ndarray of bool of shape (columns,)
        Which columns are categories.
    classes : int, default 2
        Number of classes; 0 for a number.
    growth : Growth, optional
        How fast, how large, how long.
    seed : int, default 0
        Of LightGBM.
    threads : int, default 1
        How many it may use.
    deadline : float or None
        Reading of `clock` after which no further round begins.
    clock : callable, default time.monotonic
        The clock.

    Returns
    -------
    Trees
        Those up to the round with the lowest loss on the held-out cases.
    """
    import lightgbm

    parameters = _parameters(growth, seed, threads) | _told(classes, growth.median)
    booster = lightgbm.Booster(parameters, _dataset(train, categorical, parameters))
    booster.add_valid(_dataset(held, categorical, parameters, reference=booster.train_set), "held")
    best, lowest = 1, np.inf
    for number in range(1, growth.most + 1):
        done = booster.update()
        loss = booster.eval_valid()[0][2]
        if loss < lowest:
            best, lowest = number, loss
        late = deadline is not None and clock() > deadline
        if done or late or number - best >= growth.patience:
            break
    return Trees(pruned(booster.model_to_string(num_iteration=best)), train.rows.shape[1])


def log_loss(probabilities: Floats, labels: Integers) -> Floats:
    """Minus the logarithm of the probability of what came true, of shape (n,)."""
    told = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(told, 1e-12)))


def _told(classes: int, median: bool) -> dict[str, Any]:
    """What the trees tell, in LightGBM's words."""
    if not classes:
        return {"objective": "regression_l1" if median else "regression"}
    if classes == 2:
        return {"objective": "binary"}
    return {"objective": "multiclass", "num_class": classes}


def _parameters(growth: Growth, seed: int, threads: int) -> dict[str, Any]:
    shares: dict[str, Any] = {}
    if growth.columns < 1.0:
        shares |= {"feature_fraction": growth.columns}
    if growth.rows < 1.0:
        shares |= {"bagging_fraction": growth.rows, "bagging_freq": 1}
    return shares | {
        "learning_rate": growth.rate,
        "num_leaves": growth.leaves,
        "min_data_in_leaf": growth.least_rows,
        "min_sum_hessian_in_leaf": growth.least_curvature,
        "max_cat_to_onehot": 8,
        "cat_smooth": 20.0,
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
    }


def _dataset(
    cases: Cases, categorical: Mask, parameters: dict[str, Any], reference: Any = None
) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        cases.rows,
        cases.labels,
        weight=cases.weights,
        reference=reference,
        categorical_feature=np.flatnonzero(categorical).tolist(),
        params=parameters,
    )
