"""Fit a generative network to a table of mixed columns, sample new tables from it, judge them.

Names load when they are asked for: importing the package loads neither torch nor pandas.

Examples
--------
>>> from synthgan import SynthGAN
>>> model = SynthGAN(random_state=0)
>>> model.get_params()["objective"]
'auto'
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthgan.data.schema import Schema
    from synthgan.errors import SynthganError, SynthganWarning
    from synthgan.estimators.augmentation.sampler import GANSampler
    from synthgan.estimators.augmentation.wrapped import AugmentedClassifier, AugmentedRegressor
    from synthgan.estimators.detection.detector import GANOutlierDetector
    from synthgan.estimators.imputing.cleaning import clean
    from synthgan.estimators.imputing.imputer import GANImputer
    from synthgan.estimators.private.auditing import audit_privacy
    from synthgan.estimators.synthesizer import SynthGAN
    from synthgan.evaluation.evaluate import evaluate
    from synthgan.evaluation.result import Evaluation
    from synthgan.privacy.budget import Privacy

__version__ = "0.1.0"

__all__ = [
    "AugmentedClassifier",
    "AugmentedRegressor",
    "Evaluation",
    "GANImputer",
    "GANOutlierDetector",
    "GANSampler",
    "Privacy",
    "Schema",
    "SynthGAN",
    "SynthganError",
    "SynthganWarning",
    "__version__",
    "audit_privacy",
    "clean",
    "evaluate",
]

_HOMES = {
    "AugmentedClassifier": "synthgan.estimators.augmentation.wrapped",
    "AugmentedRegressor": "synthgan.estimators.augmentation.wrapped",
    "Evaluation": "synthgan.evaluation.result",
    "GANImputer": "synthgan.estimators.imputing.imputer",
    "GANOutlierDetector": "synthgan.estimators.detection.detector",
    "GANSampler": "synthgan.estimators.augmentation.sampler",
    "Privacy": "synthgan.privacy.budget",
    "Schema": "synthgan.data.schema",
    "SynthGAN": "synthgan.estimators.synthesizer",
    "SynthganError": "synthgan.errors",
    "SynthganWarning": "synthgan.errors",
    "audit_privacy": "synthgan.estimators.private.auditing",
    "clean": "synthgan.estimators.imputing.cleaning",
    "evaluate": "synthgan.evaluation.evaluate",
}

logging.getLogger("synthgan").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load a public name the first time it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'synthgan' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the names that have not been loaded yet as well."""
    return sorted({*globals(), *__all__})
