"""A fitted estimator as a file: what stands in the header around codec and networks."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan import __version__
from synthgan.bundle import MODEL_SUFFIX, read_bundle, write_bundle
from synthgan.data.arrow_types import value_to_json
from synthgan.data.overrides import overrides_of
from synthgan.data.source import check_output
from synthgan.errors import FileFormatError
from synthgan.estimators.model import TableModel
from synthgan.estimators.parameters import check_names, plain
from synthgan.privacy.budget import Privacy


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a model file holds.

    Attributes
    ----------
    estimator : str
        Name of the class that wrote it.
    version : str
        The synthgan that wrote it.
    parameters : dict
        The constructor's parameters.
    named : bool
        Whether the table of the fit brought column names.
    model : TableModel
        Codec and networks.
    """

    estimator: str
    version: str
    parameters: dict[str, Any]
    named: bool
    model: TableModel


def write_artefact(path: str | os.PathLike[str], artefact: Artefact, *, force: bool) -> None:
    """Write a model file, whole or not at all.

    Raises
    ------
    OutputError, OutputExistsError
        If the name does not end in ``.synthgan``, the folder is missing, or the file exists.
    """
    check_output(path, force=force, suffixes=(MODEL_SUFFIX,))
    header, arrays = artefact.model.to_state()
    header |= {
        "estimator": artefact.estimator,
        "version": artefact.version,
        "parameters": plain_parameters(artefact.parameters),
        "named": artefact.named,
    }
    write_bundle(path, header, arrays, force=force)


def read_artefact(
    path: str | os.PathLike[str], estimator: str, parameters: Collection[str]
) -> Artefact:
    """Read a model file that an estimator of these parameters wrote.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    FileFormatError
        If it is no model file, damaged, newer, or written by another estimator.
    """
    header, arrays = read_header(path, estimator)
    with that_fits(path, header):
        check_names(estimator, header["parameters"], parameters)
        model = TableModel.from_state(header, arrays)
        return Artefact(estimator, header["version"], header["parameters"], header["named"], model)


def read_header(
    path: str | os.PathLike[str], estimator: str
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header and the arrays of a file that an estimator of this name wrote.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    FileFormatError
        If it is no model file, damaged, newer, or written by another estimator.
    """
    header, arrays = read_bundle(path)
    found = header.get("estimator")
    if found != estimator:
        raise FileFormatError(f"{Path(path)}: expected a {estimator}, found {found!r}")
    return header, arrays


@contextmanager
def that_fits(path: str | os.PathLike[str], header: Mapping[str, Any]) -> Iterator[None]:
    """Say where a file was made and read, if what it holds does not fit together.

    Raises
    ------
    FileFormatError
        In place of whatever its readers stumble on.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise FileFormatError(
            f"{Path(path)}: written by synthgan {header.get('version')}, read by {__version__}: "
            f"the content does not fit together ({type(error).__name__}: {error})"
        ) from error


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON can hold them.

    Callbacks and random generators are code and state: they become None. A schema becomes its
    overrides. The seed of a private fit is not kept.

    Examples
    --------
    >>> plain_parameters({"epochs": 3, "random_state": np.random.default_rng(0)})
    {'epochs': 3, 'random_state': None}
    """
    kept: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, Privacy):
            kept[name] = value.to_dict()
        elif name == "callbacks" or isinstance(value, np.random.Generator | np.random.RandomState):
            kept[name] = None
        elif name == "schema" and value is not None:
            given = value.to_dict() if hasattr(value, "to_dict") else value
            # Columns may be named by whole numbers, numpy's too; their text means the same column.
            named = {str(key): each for key, each in given.items()}
            kept[name] = overrides_of(json.loads(json.dumps(named, default=_plain_value)))
        else:
            kept[name] = plain(value)
    if kept.get("privacy") is not None:
        # who knows the seed knows the noise
        kept["random_state"] = None
    return kept


def _plain_value(value: Any) -> Any:
    made = value_to_json(plain(value))
    return made if isinstance(made, bool | int | float | str | list) else str(made)
