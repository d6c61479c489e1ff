"""Boosted trees that tell two tables apart, and the ratio of densities behind that.

`density_ratio` judges two tables, by scikit-learn's booster, on which published figures rest.
`learn_ratio` learns weights that make rows of one table stand for another, by LightGBM, whose
models can be kept as text.
"""

from synthgan.density_ratio.telling import (
    FOLDS,
    DensityRatio,
    auc,
    density_ratio,
    stratified_folds,
)
from synthgan.density_ratio.weighing import LearnedRatio, Round, learn_ratio

__all__ = [
    "FOLDS",
    "DensityRatio",
    "LearnedRatio",
    "Round",
    "auc",
    "density_ratio",
    "learn_ratio",
    "stratified_folds",
]
