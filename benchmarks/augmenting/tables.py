"""Unbalanced tables, each capped in a stated way and drawn with seed 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# a class of fewer rows has fewer than three in a fold, which says nothing
LEAST_ROWS = 20
# classes of a table of many that count as rare: less than so much of its rows
RARE_SHARE = 0.02


@dataclass(frozen=True)
class Table:
    """A table with its target, of classes numbered by size.

    Attributes
    ----------
    X : DataFrame of shape (rows, n_features)
        Numbers as floats, everything else as text; missing values as they are.
    y : Series of shape (rows,)
        Classes, 0 the largest.
    rare : list of int
        The classes whose F1 counts.
    """

    X: pd.DataFrame
    y: pd.Series
    rare: list[int]


@dataclass(frozen=True)
class Recipe:
    file: str
    target: str
    # share of the rows that the smaller of two classes gets; None as it is
    share: float | None = None
    # so many times the rows of others: of a class of 1 % a fifth of 3,000 rows has six
    times: int = 1


TABLES: dict[str, Recipe] = {
    "adult_10": Recipe("adult_train", "income", 0.10),
    "adult_1": Recipe("adult_train", "income", 0.01, times=4),
    "kddcup_rare": Recipe("kddcup99_10percent", "label"),
    "german_credit": Recipe("german_credit", "class"),
    "magic_2": Recipe("magic", "class", 0.02, times=2),
    "shoppers": Recipe("online_shoppers", "Revenue"),
}


def load(name: str, data: Path, rows: int) -> Table:
    """Read a table, at most `rows` rows of it, or a few times that where a class is very small."""
    recipe = TABLES[name]
    rows *= recipe.times
    frame = pd.read_parquet(data / f"{recipe.file}.parquet")
    random = np.random.default_rng(0)
    labels = frame[recipe.target].astype(str)
    if name == "kddcup_rare":
        kept = _with_rare_classes(labels, rows, random)
    else:
        kept = _with_share(labels, rows, recipe.share, random)
    frame, labels = frame.iloc[kept].reset_index(drop=True), labels.iloc[kept]
    order = labels.value_counts().index.tolist()
    codes = {label: float(code) for code, label in enumerate(order)}
    y = pd.Series([codes[label] for label in labels], name="y").astype(int)
    shares = [float((y == code).mean()) for code in range(len(order))]
    rare = [1] if len(order) == 2 else [c for c, share in enumerate(shares) if share < RARE_SHARE]
    return Table(_plain(frame.drop(columns=recipe.target)), y, rare)


def _with_share(
    labels: pd.Series, rows: int, share: float | None, random: np.random.Generator
) -> np.ndarray:
    order = random.permutation(len(labels))
    if share is None:
        return np.sort(order[:rows])
    small = labels.value_counts().index[-1]
    is_small = (labels == small).to_numpy()[order]
    few = round(rows * share)
    return np.sort(np.concatenate([order[is_small][:few], order[~is_small][: rows - few]]))


def _with_rare_classes(labels: pd.Series, rows: int, random: np.random.Generator) -> np.ndarray:
    """At most 60 rows of each small class, and of the others as they come, to `rows` rows."""
    order = random.permutation(len(labels))
    found = labels.to_numpy()[order]
    counts = labels.value_counts()
    classes = counts.index[counts >= LEAST_ROWS]
    small = classes[counts[classes] < 0.005 * len(labels)]
    parts = [order[found == each][:60] for each in small]
    left = rows - sum(map(len, parts))
    parts.append(order[np.isin(found, classes.difference(small))][:left])
    return np.sort(np.concatenate(parts))


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    def column(values: pd.Series) -> Any:
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            return values.astype(object).map(str, na_action="ignore").astype(object)
        return values.astype(float)

    made: Callable[[pd.Series], Any] = column
    return pd.DataFrame({name: made(frame[name]) for name in frame})
