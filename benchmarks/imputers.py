"""Imputers that `imputation.py` compares: each takes a frame with holes and gives a full one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgan import GANImputer, SynthGAN

Frame = pd.DataFrame
Floats = NDArray[np.float64]
Imputer = Callable[[Frame, int], Frame]

NEIGHBOURS, ITERATIONS = 10, 5
TREES, FOREST_ROUNDS = 40, 3
# hyperimpute's own default of the class, ten times that of its plugin
GAIN_EPOCHS = 1_000


def is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and column.dtype != bool


class Numbers:
    """A frame as standardised numbers, categories one-hot, NaN in the holes; and the way back."""

    def __init__(self, frame: Frame) -> None:
        self.frame, parts = frame, []
        self.levels = {
            name: sorted(frame[name].dropna().unique(), key=str)
            for name in frame
            if not is_number(frame[name])
        }
        for name in frame:
            if name in self.levels:
                # a column of which nothing is known has no level, and stays as it is
                levels = np.array(self.levels[name], dtype=object)
                hot = frame[name].to_numpy(object)[:, None] == levels
                parts.append(np.where(frame[name].isna().to_numpy()[:, None], np.nan, hot * 1.0))
            else:
                parts.append(frame[[name]].to_numpy(float))
        self._widths = [part.shape[1] for part in parts]
        found = np.concatenate(parts, axis=1)
        self._mean, self._std = np.nanmean(found, axis=0), np.nanstd(found, axis=0)
        self._std[self._std == 0] = 1.0
        self.rows: Floats = (found - self._mean) / self._std

    def back(self, rows: Floats) -> Frame:
        full, start = self.frame.copy(), 0
        rows = rows * self._std + self._mean
        for name, width in zip(self.frame, self._widths, strict=True):
            holes, own = self.frame[name].isna().to_numpy(), rows[:, start : start + width]
            start += width
            if name not in self.levels:
                full.loc[holes, name] = own[holes, 0]
            elif width:
                levels = np.array(self.levels[name], dtype=object)
                full.loc[holes, name] = levels[own[holes].argmax(axis=1)]
        return full


def mean(frame: Frame, seed: int) -> Frame:
    """Mean or most frequent value."""
    full = frame.copy()
    for name in frame:
        column = frame[name]
        if column.notna().any():
            value = column.mean() if is_number(column) else column.mode()[0]
            full[name] = column.fillna(value)
    return full


def knn(frame: Frame, seed: int) -> Frame:
    from sklearn.impute import KNNImputer

    numbers = Numbers(frame)
    return numbers.back(KNNImputer(n_neighbors=NEIGHBOURS).fit_transform(numbers.rows))


def iterative(frame: Frame, seed: int) -> Frame:
    """scikit-learn's chained Bayesian ridges, on at most 30 columns at a time."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    numbers = Numbers(frame)
    nearest = 30 if numbers.rows.shape[1] > 60 else None
    imputer = IterativeImputer(
        max_iter=ITERATIONS, n_nearest_features=nearest, random_state=seed, skip_complete=True
    )
    return numbers.back(imputer.fit_transform(numbers.rows))


def forest(frame: Frame, seed: int) -> Frame:
    """missForest: random forests column after column, categories as classes."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    full, holes = mean(frame, seed), frame.isna()
    codes = {n: {v: i for i, v in enumerate(Numbers(frame[[n]]).levels.get(n, []))} for n in frame}
    usable = [name for name in frame if frame[name].notna().any()]
    for _ in range(FOREST_ROUNDS):
        for name in sorted(usable, key=lambda each: int(holes[each].to_numpy().sum())):
            hole = holes[name].to_numpy()
            if not hole.any():
                continue
            others = np.stack(
                [
                    (full[n].map(codes[n]) if codes[n] else full[n]).to_numpy(float)
                    for n in usable
                    if n != name
                ],
                axis=1,
            )
            if codes[name]:
                model = RandomForestClassifier(TREES, max_features="sqrt", random_state=seed)
                labels = frame[name][~hole].map(codes[name]).astype(int)
                told = model.fit(others[~hole], labels).predict(others[hole])
                levels = np.array(list(codes[name]), dtype=object)
                full.loc[hole, name] = levels[told]
            else:
                model = RandomForestRegressor(TREES, max_features=1 / 3, random_state=seed)
                model.fit(others[~hole], frame[name][~hole].astype(float))
                full.loc[hole, name] = model.predict(others[hole])
    return full


def gain(frame: Frame, seed: int) -> Frame:
    """hyperimpute's GAIN: its class, since its plugin drops the parameters that it is given."""
    import torch
    from hyperimpute.plugins.imputers.plugin_gain import (  # type: ignore[import-not-found]
        GainImputation,
    )

    torch.manual_seed(seed)
    np.random.seed(seed)
    numbers = Numbers(frame)
    made = GainImputation(n_epochs=GAIN_EPOCHS).fit_transform(torch.tensor(numbers.rows))
    return numbers.back(np.asarray(made, dtype=float))


def ours(frame: Frame, seed: int) -> Frame:
    made: Frame = GANImputer(random_state=seed).fit_transform(frame)
    return made


def ours_game(frame: Frame, seed: int) -> Frame:
    """The game's proposals alone."""
    made: Frame = GANImputer(rounds=0, random_state=seed).fit_transform(frame)
    return made


def ours_draw(frame: Frame, seed: int) -> Frame:
    """One draw, which is not meant to win here."""
    imputer = GANImputer(sample_posterior=True, random_state=seed)
    made: Frame = imputer.fit_transform(frame)
    return made


def complete(frame: Frame, seed: int) -> Frame:
    """The table's own generator, fitted on rows with holes, and `SynthGAN.complete`."""
    model = SynthGAN(rare_threshold=1, refine=False, random_state=seed, verbose=0).fit(frame)
    made: Frame = model.complete(frame)
    return made


IMPUTERS: dict[str, Imputer] = {
    "ours": ours,
    "mean": mean,
    "knn": knn,
    "iterative": iterative,
    "forest": forest,
    "gain": gain,
    "ours_game": ours_game,
    "ours_draw": ours_draw,
    "complete": complete,
}
