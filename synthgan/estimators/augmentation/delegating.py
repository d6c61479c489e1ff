"""Methods that are there only if the learner behind them has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.utils.metaestimators import available_if

Method = TypeVar("Method", bound=Callable[..., Any])


def if_it_has(name: str, learner: Callable[[Any], Any]) -> Callable[[Method], Method]:
    """Make a decorator for a method that exists as long as a learner has one of a name.

    Parameters
    ----------
    name : str
        What the learner must have.
    learner : callable
        Finds the learner, given the object that has the method.

    Returns
    -------
    callable
        scikit-learn's `available_if`, with the types that it lacks.
    """
    decorator: Callable[[Method], Method] = available_if(
        lambda owner: hasattr(learner(owner), name)
    )
    return decorator
