"""A fitted detector as a file: its generator's model, and what it learned beside it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgan import __version__
from synthgan.anomaly.model import AnomalyModel
from synthgan.bundle import MODEL_SUFFIX, part, write_bundle
from synthgan.data.codec import TableCodec
from synthgan.data.output import check_output
from synthgan.estimators.artefact import plain_parameters, read_header, that_fits
from synthgan.estimators.model import TableModel
from synthgan.estimators.parameters import check_names
from synthgan.estimators.synthesizer import SynthGAN

ESTIMATOR = "GANOutlierDetector"


@dataclass(frozen=True, slots=True)
class DetectorState:
    """What a fitted detector is.

    Attributes
    ----------
    generator : SynthGAN or None
        The fitted generator, if there is one.
    learned : AnomalyModel
        The scores.
    seed : int
        The seed of the fit.
    offset : float
        Where odd rows begin.
    quantiles : ndarray of shape (quantiles,)
        Of the scores of the fitted table.
    named : bool
        Whether that brought column names.
    """

    generator: Any
    learned: AnomalyModel
    seed: int
    offset: float
    quantiles: NDArray[np.float64]
    named: bool


def write_detector(
    path: str | os.PathLike[str],
    state: DetectorState,
    parameters: Mapping[str, Any],
    *,
    force: bool,
) -> None:
    """Write a detector's file, whole or not at all.

    Raises
    ------
    OutputError, OutputExistsError
        If the name does not end in ``.synthgan``, the folder is missing, or the file exists.
    """
    check_output(path, force=force, suffixes=(MODEL_SUFFIX,))
    learned, arrays = state.learned.to_state()
    header: dict[str, Any]
    if state.generator is None:
        codec, own_arrays = state.learned.codec.to_state()
        header = {"codec": codec}
        tensors = {f"codec.{name}": array for name, array in own_arrays.items()}
    else:
        told, nets = state.generator._model.to_state()
        header = {"fitted": {**_plain(state.generator), "model": told}}
        tensors = {f"fitted.{name}": array for name, array in nets.items()}
    given = {name: value for name, value in parameters.items() if name != "generator"}
    own = parameters["generator"]
    header |= {
        "estimator": ESTIMATOR,
        "version": __version__,
        "parameters": plain_parameters(given),
        "generator": None if own is None else _plain(own),
        "learned": learned,
        "seed": state.seed,
        "offset": state.offset,
        "named": state.named,
    }
    tensors |= {f"learned.{name}": array for name, array in arrays.items()}
    write_bundle(path, header, tensors | {"quantiles": state.quantiles}, force=force)


def read_detector(
    path: str | os.PathLike[str], known: Collection[str]
) -> tuple[DetectorState, dict[str, Any]]:
    """Read a detector's file: its state, and the parameters of its constructor.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    FileFormatError
        If it is no detector's file, damaged or newer.
    """
    header, tensors = read_header(path, ESTIMATOR)
    with that_fits(path, header):
        check_names(ESTIMATOR, header["parameters"], known)
        own = header["generator"]
        parameters = {**header["parameters"], "generator": None if own is None else _made(own)}
        generator, trained = None, None
        if "fitted" in header:
            generator = _made(header["fitted"])
            model = TableModel.from_state(header["fitted"]["model"], part(tensors, "fitted."))
            generator._adopt(model, header["named"], header["version"])
            codec, trained = model.codec, model.trained
        else:
            codec = TableCodec.from_state(header["codec"], part(tensors, "codec."))
        learned = AnomalyModel.from_state(
            header["learned"], part(tensors, "learned."), codec, trained
        )
        state = DetectorState(
            generator,
            learned,
            int(header["seed"]),
            float(header["offset"]),
            tensors["quantiles"],
            bool(header["named"]),
        )
        return state, parameters


def _plain(generator: Any) -> dict[str, Any]:
    return {"parameters": plain_parameters(generator.get_params(deep=False))}


def _made(told: Mapping[str, Any]) -> Any:
    check_names("SynthGAN", told["parameters"], SynthGAN._get_param_names())
    return SynthGAN(**told["parameters"])
