"""What the parameters of a training plan may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from synthgan.data.problems import nearest
from synthgan.errors import ParameterError
from synthgan.estimators.parameters import AUTO, NOTHING, Rule, kind, real, whole, word
from synthgan.nets.objectives import OBJECTIVES
from synthgan.training.private.plan import MARGINALS, PATE

_WEIGHT = real("a number of at least 0", 0)

# the fields of training.Plan
PLAN_RULES: Mapping[str, Rule] = {
    "objective": word("auto", *OBJECTIVES, MARGINALS, PATE),
    "epochs": AUTO | whole(1),
    "batch_size": AUTO | whole(2),
    "learning_rate": AUTO | real("a number above 0, at most 1", 0, 1, open_low=True),
    "penalty": AUTO | _WEIGHT,
    "width": AUTO | whole(1),
    "depth": AUTO | whole(1),
    "latent_size": AUTO | whole(1),
    "precision": word("auto", "float32", "bfloat16"),
    "critic_steps": AUTO | whole(1),
    "pack": AUTO | whole(1),
    "critics": whole(1),
    "critic_vote": word("mean", "hardest"),
    "minibatch_discrimination": kind("a bool", bool),
    "spectral_norm": kind("a bool", bool),
    "dropout": real("a share from 0 to 0.9", 0, 0.9),
    "instance_noise": _WEIGHT,
    "feature_matching": _WEIGHT,
    "target": NOTHING | kind("the name of a column", str, int),
    "target_weight": _WEIGHT,
}


def check_target(target: str | None, columns: Iterable[str]) -> None:
    """Refuse a target that is none of the columns that can be one.

    Raises
    ------
    ParameterError
        Naming the target and its nearest match.
    """
    columns = list(columns)
    if target is not None and target not in columns:
        raise ParameterError(
            "target: expected a column of the table that varies and is no id, "
            f"found {target!r}{nearest(target, columns)}"
        )
