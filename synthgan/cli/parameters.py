"""Parameters of the estimator as words on a command line: options and ``--set NAME=VALUE``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthgan.data.problems import listed
from synthgan.errors import ParameterError
from synthgan.privacy.budget import Privacy

if TYPE_CHECKING:
    from synthgan import SynthGAN

_ELSEWHERE = {
    "schema": "give it with --schema FILE.json",
    "verbose": "use --quiet or --verbose",
    "callbacks": "callbacks are functions: fit from Python to use them",
    "privacy": "give it with --epsilon, --delta, --unit and the like",
}
# options whose text is a name, whatever it looks like
_NAMES = ("objective", "device", "critic_vote", "target")
_WORDS: dict[str, Any] = {"none": None, "null": None, "true": True, "false": False}


def read_option(text: str) -> Any:
    """Read a parameter's value: a number, true, false, none, or a word."""
    if text.strip().lower() in _WORDS:
        return _WORDS[text.strip().lower()]
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Read the texts of ``--set NAME=VALUE``; dashes in a name count as underscores."""
    settings: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not (name and equals):
            problems.append(f"expected NAME=VALUE, found {text!r}")
        elif name in settings:
            problems.append(f"{name} is set twice")
        elif name in _ELSEWHERE:
            problems.append(f"{name} cannot be set here: {_ELSEWHERE[name]}")
        else:
            settings[name] = read_option(value)
    _raise("--set", problems)
    return settings


def read_budget(options: Mapping[str, Any]) -> Privacy | None:
    """Join the options of a privacy budget; None without ``--epsilon``.

    Raises
    ------
    ParameterError
        For values out of range, and for options that say nothing without ``--epsilon``.
    """
    named = ("epsilon", "delta", "unit", "rows_per_unit", "public_rows")
    given = {name: options[name] for name in named if options[name] is not None}
    if "epsilon" in given:
        return Privacy(**given)
    alone = [f"--{name.replace('_', '-')}" for name in given]
    if alone:
        raise ParameterError(
            f"{', '.join(alone)}: part of a privacy budget; expected --epsilon too, found none"
        )
    return None


def merge_parameters(
    estimator: type[SynthGAN], options: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Join a command's options and settings into the estimator's keywords.

    Options count if they are parameters by name and were given (not None).

    Raises
    ------
    ParameterError
        For a setting that the estimator does not have, with the nearest match, and for a parameter
        given both by its option and by ``--set``.
    """
    from synthgan.estimators.parameters import check_names

    parameters = estimator().get_params().keys()
    given = {
        name: read_option(value) if isinstance(value, str) and name not in _NAMES else value
        for name, value in options.items()
        if value is not None and name in parameters
    }
    check_names("--set", settings, parameters - _ELSEWHERE.keys())
    twice = sorted(settings.keys() & given.keys())
    _raise("--set", [f"{name} is also given as --{name.replace('_', '-')}" for name in twice])
    return {**given, **settings}


def _raise(option: str, problems: Sequence[str]) -> None:
    if problems:
        raise ParameterError(listed(option, problems))
