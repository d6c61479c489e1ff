"""The generator of new rows: the default one, and what any one has to be able to do."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from synthgan.data.home import Home
from synthgan.data.overrides import overrides_of
from synthgan.errors import ParameterError
from synthgan.estimators.base import by_name
from synthgan.estimators.private.conflicts import refuse_budget
from synthgan.estimators.synthesizer import SynthGAN

# steps of the default generator's training: new rows of a class are refined, and what a longer
# training adds to them did not show in the scores of learners
_DEFAULT_STEPS, _DEFAULT_BATCH = 400, 500


def default_generator(rows: int) -> SynthGAN:
    """The generator that is taken where none is given: trained for a shorter time, nothing hidden.

    The real rows stand beside the new ones, so that hiding rare values would protect nobody.
    """
    epochs = max(1, round(_DEFAULT_STEPS / max(1, rows // _DEFAULT_BATCH)))
    return SynthGAN(epochs=epochs, rare_threshold=1, verbose=0)


def least_rows(rare_threshold: int, generator: Any) -> int:
    """Rows that a class needs so that a generator can be asked for it."""
    # a class that the generator hides, it does not know
    return max(int(rare_threshold), int(getattr(generator, "rare_threshold", 1)))


def check_generator(generator: Any) -> None:
    """Refuse what cannot be asked for rows of a class.

    Raises
    ------
    ParameterError
        If its `sample` takes no ``where=``, it has no schema or random state, or it has a budget.
    """
    refuse_budget(generator, "augmentation, whose real rows stand beside the new ones,")
    draws = getattr(generator, "sample", None)
    able = callable(draws) and "where" in inspect.signature(draws).parameters
    if not (able and hasattr(generator, "schema") and hasattr(generator, "random_state")):
        raise ParameterError(
            "generator: expected None or a generator whose sample takes where=, such as "
            f"SynthGAN(), found {type(generator).__name__}"
        )


def free_name(names: list[str]) -> str:
    """A name for the target that no column has."""
    name = "target"
    while name in names:
        name += "_"
    return name


def with_column(schema: Any, home: Home, column: str, kind: Any) -> dict[str, Any]:
    """What a schema says of single columns, by name, and of one more."""
    if schema is None:
        given: Mapping[str, Any] = {}
    elif isinstance(schema, Mapping):
        given = by_name(home, schema)
    else:
        given = overrides_of(schema.to_dict())
    return {**given, column: kind}
