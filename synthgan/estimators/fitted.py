"""What is known about a fitted estimator of tables, and its way to disk and back."""

from __future__ import annotations

import os
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

from synthgan import __version__
from synthgan.estimators.artefact import (
    Artefact,
    plain_parameters,
    read_artefact,
    write_artefact,
)
from synthgan.estimators.base import TableEstimator
from synthgan.estimators.history import history_frame, last_record, plain_records
from synthgan.estimators.model import TableModel

# what a page about a private model has to say of itself
KEEP = (
    "the figures here were taken from the real rows, and no budget covers them: keep this page "
    "with the data"
)


class FittedEstimator(TableEstimator):
    """An estimator whose `fit` leaves a `TableModel`, which it takes with `_adopt`."""

    _model: TableModel

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the fitted model to one file; it holds no training row and no code.

        Parameters
        ----------
        path : path
            The file, which must end in ``.synthgan``; its folder must exist.
        force : bool, default False
            Whether an existing file is overwritten.

        Raises
        ------
        OutputError
            If the file cannot be written there.
        OutputExistsError
            If it exists and `force` is false.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        named = hasattr(self, "feature_names_in_")
        parameters = self.get_params(deep=False)
        artefact = Artefact(type(self).__name__, __version__, parameters, named, self._model)
        write_artefact(path, artefact, force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that `save` wrote; it runs on the CPU.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        SynthGAN
            The fitted estimator. Callbacks and random generators among its parameters are None.

        Raises
        ------
        InputNotFoundError
            If there is no such file.
        FileFormatError
            If it is damaged, cut short, written by something else or by a newer version.
        """
        artefact = read_artefact(path, cls.__name__, cls._get_param_names())
        estimator = cls(**artefact.parameters)
        estimator._adopt(artefact.model, artefact.named, artefact.version)
        return estimator

    def describe(self) -> dict[str, Any]:
        """Say what is known about the fitted model, in JSON's own types.

        Returns
        -------
        dict
            Version, parameters, how training went, and what each column was taken for.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        model = self._model
        ledger = None if model.ledger is None else model.ledger.to_dict()
        return {
            "what": "model",
            "estimator": type(self).__name__,
            "version": self._version,
            "parameters": plain_parameters(self.get_params(deep=False)),
            "plan": model.trained.plan.to_dict(),
            "stopped": self.stopped_,
            "seed": self.seed_,
            "training": last_record(model.trained.history),
            "refinement": model.refinement.to_dict(),
            **({} if ledger is None else {"privacy": ledger}),
            "rare_threshold": model.codec.rare_threshold,
            "columns": model.codec.describe(),
        }

    def provenance(self) -> dict[str, Any]:
        """Say where samples of this model come from, in JSON's own types.

        Returns
        -------
        dict
            ``model``, which is what `describe` says, the ``history`` as a list of records, and the
            ``seed`` of the fit: what `synthgan.evaluate` takes as ``provenance=``. Of a private fit
            the ``ledger`` too.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        model = self.describe()
        ledger = model.pop("privacy", None)
        return {
            "model": model,
            "history": plain_records(self._model.trained.history),
            "seed": self.seed_,
            **({} if ledger is None else {"ledger": ledger, "keep": KEEP}),
        }

    def _adopt(self, model: TableModel, named: bool, version: str = __version__) -> None:
        """Take a model, made by a version, as the fitted state; nothing of an earlier fit stays."""
        self._model = model
        self._version = version
        self.schema_ = model.codec.schema
        self.history_ = history_frame(model.trained.history)
        self.seed_ = model.seed
        self.stopped_ = model.trained.stopped
        self.refinement_ = model.refinement
        self.privacy_ = model.ledger
        self._set_features(model.codec.schema.names, named)
