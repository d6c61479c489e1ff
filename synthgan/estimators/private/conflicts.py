"""What a private fit cannot do, found before any work, each with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from synthgan.data.problems import listed
from synthgan.errors import ParameterError
from synthgan.privacy.budget import Privacy
from synthgan.training.private.plan import MARGINALS, PATE, PRIVATE_OBJECTIVES

_ROWS_TOGETHER = "judges rows together, so that one of them moves the slopes of others"
_READS_ROWS = "reads real rows that nobody paid for"

# what each parameter must be, why, and what to do
_NEEDED: Mapping[str, tuple[Callable[[Any], bool], str, str]] = {
    "pack": (lambda v: v in ("auto", 1), _ROWS_TOGETHER, "leave it 'auto'"),
    "minibatch_discrimination": (lambda v: not v, _ROWS_TOGETHER, "set it to False"),
    "feature_matching": (
        lambda v: v == 0,
        _READS_ROWS,
        "set it to 0; marginals are matched anyway",
    ),
    "penalty": (
        lambda v: v in ("auto", 0),
        "is the slope at single rows, which clipping does not reach",
        "leave it 'auto': the critic's layers have a spectral norm of 1 instead",
    ),
    "spectral_norm": (
        lambda v: not v,
        "is what a critic has anyway, unless 'wgan-clip' cuts its weights",
        "leave it False",
    ),
    "target_weight": (
        lambda v: v == 1,
        "weighs nothing: tables of each class are bought instead",
        "leave it 1",
    ),
    "critics": (lambda v: v == 1, "would each have to be paid for", "set it to 1"),
    "dropout": (
        lambda v: v == 0,
        "is not made for clipped slopes",
        "set it to 0: noise does as much",
    ),
    "instance_noise": (
        lambda v: v == 0,
        "hides nothing that the budget does not hide already",
        "set it to 0",
    ),
    "holdout": (lambda v: v in ("auto", 0), _READS_ROWS, "leave it 'auto': none is held out"),
    "membership_limit": (
        lambda v: v is None,
        _READS_ROWS,
        "leave it None: the budget bounds every attack",
    ),
    "precision": (
        lambda v: v in ("auto", "float32"),
        "rounds the noise away",
        "leave it 'auto'",
    ),
}


def check_private(parameters: Mapping[str, Any], weighted: bool) -> None:
    """Refuse what contradicts a privacy budget, all of it at once.

    Parameters
    ----------
    parameters : mapping
        Of the estimator, by name.
    weighted : bool
        Whether weights of rows were given.

    Raises
    ------
    ParameterError
        Naming every option, why it cannot be, and what to do.
    """
    problems = []
    if parameters["objective"] not in ("auto", *PRIVATE_OBJECTIVES):
        problems.append(
            f"objective: {parameters['objective']!r} scores pairs of rows or needs a penalty at "
            "single ones; with privacy= take 'auto', or one of "
            f"{', '.join(map(repr, PRIVATE_OBJECTIVES))}"
        )
    if parameters["objective"] in ("auto", MARGINALS) and parameters["critic_steps"] != "auto":
        problems.append(
            f"critic_steps: {parameters['critic_steps']!r} are moves of a critic, and marginals "
            "are learned without one; leave it 'auto', or take another objective"
        )
    problems += [
        f"{name}: {parameters[name]!r} {why}; {remedy}"
        for name, (fine, why, remedy) in _NEEDED.items()
        if not fine(parameters[name])
    ]
    if weighted:
        problems.append(
            "sample_weight: a row that counts more would be protected less; leave it out"
        )
    if problems:
        raise ParameterError(listed("privacy", problems))


def check_public(objective: str) -> None:
    """Refuse an objective that only a budget makes sense of.

    Raises
    ------
    ParameterError
        Naming it.
    """
    if objective in (MARGINALS, PATE):
        raise ParameterError(
            f"objective: {objective!r} is for fits within a budget; set "
            "privacy=Privacy(epsilon=...), or take another objective"
        )


def refuse_budget(generator: Any, whose: str) -> None:
    """Refuse a generator with a budget where other things are learned from the rows too.

    Raises
    ------
    ParameterError
        Saying so.
    """
    if getattr(generator, "privacy", None) is not None:
        raise ParameterError(
            f"generator: found one with a privacy budget, but {whose} also learns from the rows "
            "what nobody paid for; set privacy=None, or fit it on a sample of the private generator"
        )


def privacy_of(estimator: Any) -> Privacy | None:
    """The budget that an estimator was given, as one.

    Raises
    ------
    ParameterError
        If a dict of values is none.
    """
    given = estimator.privacy
    return given if given is None or isinstance(given, Privacy) else Privacy.from_dict(given)
