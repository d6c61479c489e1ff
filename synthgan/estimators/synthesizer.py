"""SynthGAN: learn a table, sample new ones like it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from sklearn.utils import Tags

from synthgan.data.schema import dropped
from synthgan.data.source import Home, open_source
from synthgan.errors import TrainingError
from synthgan.estimators.base import by_name, check_weights, is_named
from synthgan.estimators.fitting import Task, learn, pick_device
from synthgan.estimators.generative import POOL_FACTOR, REFINE, GenerativeEstimator
from synthgan.estimators.parameters import AUTO, NOTHING, Rule, kind, plain, real, whole, word
from synthgan.estimators.progress import ProgressBar
from synthgan.estimators.randomness import RANDOM_STATE, seed_from
from synthgan.nets.objectives import OBJECTIVES
from synthgan.refinement.learning import LEAST_FACTOR
from synthgan.training import Plan
from synthgan.training.trainer import Callback

_PLANNED = (
    "objective",
    "epochs",
    "batch_size",
    "learning_rate",
    "penalty",
    "width",
    "depth",
    "latent_size",
    "precision",
)


class SynthGAN(GenerativeEstimator):
    """Learn a table of mixed columns with a generative adversarial network, and sample new rows.

    Follows scikit-learn's density estimators: `fit`, `sample`, `score_samples`, `score`; `y` is
    accepted and ignored. Categories, numbers with spikes and heavy tails, dates, missing values,
    identifiers: every column is described by a schema that is inferred and can be overridden.

    Parameters
    ----------
    objective : {"relativistic", "wgan-gp", "conditional"}, default "relativistic"
        The game: relativistic pairing with gradient penalties [1]_, Wasserstein with gradient
        penalty [2]_, or CTGAN's conditional game [3]_.
    epochs : int or "auto", default "auto"
        Passes over the rows; "auto" ends on a plateau of held-out quality.
    max_seconds : float or None, default None
        Budget of the whole call of `fit`, reading and encoding included. With `epochs` too,
        whichever comes first. A stop by the clock depends on the machine: such a fit cannot be
        repeated bit for bit.
    batch_size : int or "auto", default "auto"
        Rows in one step.
    schema : dict, Schema or None, default None
        What the columns are, where the inferred schema is wrong: ``{column: kind}`` or
        ``{column: {kind, bounds, decimals, levels, ordered, rare}}`` with kinds "number",
        "category", "boolean", "datetime", "duration", "id" and "drop".
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides everything random. None asks the operating system; no global random state is read
        or changed.
    device : str, default "auto"
        Where to train, in torch's words ("cpu", "cuda", "cuda:1"); "auto" takes a GPU if there is
        one. Fitted models sample on the CPU.
    verbose : int, default 1
        0 shows no progress bar; otherwise there is one if the error stream is a terminal.
    rare_threshold : int, default 5
        Categories and repeated numbers seen in fewer rows are never emitted, and the
        `rare_threshold` - 1 most extreme numbers at either end not reached. 1 switches it off.
    learning_rate : float or "auto", default "auto"
        Highest rate of Adam.
    penalty : float or "auto", default "auto"
        Weight of the gradient penalty.
    width, depth, latent_size : int or "auto", default "auto"
        Width and number of the generator's residual blocks, and length of its latent vector; the
        critic is twice as wide.
    precision : {"auto", "float32", "bfloat16"}, default "auto"
        Number type inside the networks; "auto" takes bfloat16 where the hardware multiplies it.
    holdout : float or "auto", default "auto"
        Share of the rows kept out of training, by which the best state is chosen. "auto" is a
        tenth, at most 10,000 rows; none in tables under 2,000 rows, which, as with 0, are judged
        by the rows they were trained on.
    callbacks : callable, list of callable or None, default None
        Called after each round of training with a mapping of step, epoch, seconds, losses and
        quality; a true answer stops training.
    refine : bool, default True
        Whether samples are refined by boosted trees. Learned by `fit` unless False; read again by
        `sample`, so that ``set_params(refine=False)`` gives rows as the generator draws them.
    pool_factor : int, default 5
        Rows that the generator draws for each refined row to be chosen from; read by `sample` too.

    Attributes
    ----------
    schema_ : Schema
        What each column was taken for, with the reason.
    history_ : History
        A frame with one row per round of training.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are text.
    seed_ : int
        The seed that was used; `random_state=seed_` repeats the fit.
    stopped_ : str
        Why training ended: "epochs", "plateau", "max_seconds", "callback", "interrupted",
        "diverged" (the best state is kept), or "nothing to learn" for a table of constants and
        identifiers.
    refinement_ : Refinement
        What samples are refined by: effective sample size of the pool, rounds, trees, redrawn
        columns with their gain, seconds; or why they are not.

    See Also
    --------
    synthgan.evaluation.fidelity.fidelity : The errors by which `score` judges.

    Notes
    -----
    The same seed, table and number of threads give the same model and the same samples on a CPU,
    bit for bit. Fitted models may sample in several threads at once.

    References
    ----------
    .. [1] Huang et al., "The GAN is dead; long live the GAN! A modern GAN baseline", 2024.
    .. [2] Gulrajani et al., "Improved training of Wasserstein GANs", 2017.
    .. [3] Xu et al., "Modeling tabular data using conditional GAN", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from synthgan import SynthGAN
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"age": rng.normal(40, 9, 200).round(),
    ...                       "sex": rng.choice(["f", "m"], 200)})
    >>> model = SynthGAN(epochs=1, random_state=0, verbose=0).fit(table)
    >>> model.sample(1000).shape
    (1000, 2)
    >>> model.sample(3, where={"sex": "f"})["sex"].tolist()
    ['f', 'f', 'f']
    """

    _rules: ClassVar[Mapping[str, Rule]] = {
        "objective": word(*OBJECTIVES),
        "epochs": AUTO | whole(1),
        "max_seconds": NOTHING | real("a number of seconds above 0", 0, open_low=True),
        "batch_size": AUTO | whole(2),
        "schema": Rule(
            "None, a dict or a Schema",
            lambda value: value is None or isinstance(value, Mapping) or hasattr(value, "to_dict"),
        ),
        "random_state": RANDOM_STATE,
        "device": Rule("'auto' or a torch device such as 'cpu'", lambda x: isinstance(x, str)),
        "verbose": whole(0, 2) | kind("a bool", bool),
        "rare_threshold": whole(1),
        "learning_rate": AUTO | real("a number above 0, at most 1", 0, 1, open_low=True),
        "penalty": AUTO | real("a number of at least 0", 0),
        "width": AUTO | whole(1),
        "depth": AUTO | whole(1),
        "latent_size": AUTO | whole(1),
        "precision": word("auto", "float32", "bfloat16"),
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
    }

    def __init__(
        self,
        *,
        objective: str = "relativistic",
        epochs: int | str = "auto",
        max_seconds: float | None = None,
        batch_size: int | str = "auto",
        schema: Any = None,
        random_state: Any = None,
        device: str = "auto",
        verbose: int = 1,
        rare_threshold: int = 5,
        learning_rate: float | str = "auto",
        penalty: float | str = "auto",
        width: int | str = "auto",
        depth: int | str = "auto",
        latent_size: int | str = "auto",
        precision: str = "auto",
        holdout: float | str = "auto",
        callbacks: Any = None,
        refine: bool = True,
        pool_factor: int = 5,
    ) -> None:
        self.objective = objective
        self.epochs = epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.schema = schema
        self.random_state = random_state
        self.device = device
        self.verbose = verbose
        self.rare_threshold = rare_threshold
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.width = width
        self.depth = depth
        self.latent_size = latent_size
        self.precision = precision
        self.holdout = holdout
        self.callbacks = callbacks
        self.refine = refine
        self.pool_factor = pool_factor

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn a table; whatever was learned before is forgotten.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            A pandas or polars frame, an Arrow table, a numeric array, or the path of a Parquet,
            CSV, Arrow, Feather or JSON lines file or of a folder of Parquet files. The index is
            ignored.
        y : object, optional
            Ignored.
        sample_weight : array-like of shape (n_samples,), optional
            How often each row is drawn in training; rows of weight 0 are left out altogether.

        Returns
        -------
        self
            The fitted estimator. A key interrupt (Ctrl-C) during training ends it early and keeps
            the model as it stands.

        Raises
        ------
        ParameterError
            For parameters out of range, all of them at once, and for impossible weights.
        TableError
            For a table that cannot be learned, naming each column and what is wrong with it.
        SchemaError
            For a schema that does not fit the table, or a column nobody can place.
        TrainingError
            If training diverges at every learning rate, or `max_seconds` ends before it begins.
        """
        started = time.monotonic()
        self._check_parameters()
        device = pick_device(self.device)
        source = open_source(X, drop=dropped(self.schema))
        weights = check_weights(sample_weight, source.rows)
        task = self._task(source.home, device, started)
        with ProgressBar(self.verbose) as bar:
            model = learn(source, weights, task, [bar, *self._callbacks()], bar.say)
        if model.trained.stopped == "max_seconds" and not model.trained.history:
            raise TrainingError(
                f"max_seconds={self.max_seconds:g} was over before training began: reading and "
                f"encoding took {time.monotonic() - started:.1f} s; allow more"
            )
        self._adopt(model, is_named(X))
        return self

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn: a density estimator of mixed columns that takes missing values."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "density_estimator"
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _task(self, home: Home, device: str, started: float) -> Task:
        return Task(
            plan=Plan(**{name: plain(getattr(self, name)) for name in _PLANNED}),
            overrides=by_name(home, self.schema),
            rare_threshold=int(self.rare_threshold),
            holdout=plain(self.holdout),
            seed=seed_from(self.random_state),
            repeatable=self.random_state is not None,
            deadline=None if self.max_seconds is None else started + float(self.max_seconds),
            device=device,
            refine=max(LEAST_FACTOR, int(self.pool_factor)) if self.refine else 0,
        )

    def _callbacks(self) -> list[Callback]:
        if self.callbacks is None:
            return []
        return [self.callbacks] if callable(self.callbacks) else list(self.callbacks)
