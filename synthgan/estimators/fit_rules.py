"""What the parameters of `SynthGAN.fit` may be that are no part of a training plan."""

from __future__ import annotations

from collections.abc import Mapping

from synthgan.estimators.generative import POOL_FACTOR, REFINE
from synthgan.estimators.parameters import AUTO, NOTHING, Rule, kind, real, whole
from synthgan.estimators.randomness import RANDOM_STATE
from synthgan.privacy.budget import Privacy

FIT_RULES: Mapping[str, Rule] = {
    "max_seconds": NOTHING | real("a number of seconds above 0", 0, open_low=True),
    "schema": Rule(
        "None, a dict or a Schema",
        lambda value: value is None or isinstance(value, Mapping) or hasattr(value, "to_dict"),
    ),
    "random_state": RANDOM_STATE,
    "device": Rule("'auto' or a torch device such as 'cpu'", lambda x: isinstance(x, str)),
    "verbose": whole(0, 2) | kind("a bool", bool),
    "rare_threshold": whole(1),
    "holdout": AUTO | real("a share from 0 to 0.5", 0, 0.5),
    "refine": REFINE,
    "pool_factor": POOL_FACTOR,
    "callbacks": Rule(
        "None, a callable or a list of callables",
        lambda value: (
            value is None
            or callable(value)
            or (isinstance(value, list | tuple) and all(map(callable, value)))
        ),
    ),
    "membership_limit": NOTHING | real("an AUC from 0.5 to 1", 0.5, 1),
    "privacy": Rule(
        "None, a Privacy or a dict of its values",
        lambda value: value is None or isinstance(value, Privacy | Mapping),
    ),
}
