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
from synthgan.estimators.fit_rules import FIT_RULES
from synthgan.estimators.fitting import Task, learn, pick_device
from synthgan.estimators.generative import GenerativeEstimator
from synthgan.estimators.parameters import Rule, plain
from synthgan.estimators.planned import PLAN_RULES
from synthgan.estimators.private.conflicts import check_private, check_public, privacy_of
from synthgan.estimators.private.fitting import fit_privately
from synthgan.estimators.progress import ProgressBar
from synthgan.estimators.randomness import seed_from
from synthgan.refinement.learning import LEAST_FACTOR
from synthgan.training import Plan
from synthgan.training.trainer import Callback


class SynthGAN(GenerativeEstimator):
    """Learn a table of mixed columns with a generative adversarial network, and sample new rows.

    Follows scikit-learn's density estimators: `fit`, `sample`, `score_samples`, `score`; `y` is
    accepted and ignored. Categories, numbers with spikes and heavy tails, dates, missing values,
    identifiers: every column is described by a schema that is inferred and can be overridden.

    Parameters
    ----------
    objective : str, default "auto"
        The game: "relativistic" ("auto") pairing with gradient penalties [1]_, "minimax" or
        "non-saturating" [4]_, "least-squares" [5]_, "hinge" [6]_, "wgan-clip" with clipped weights
        [7]_, "wgan-gp" with gradient penalty [2]_, "dragan" [8]_, or CTGAN's "conditional" [3]_.
        With `privacy` "marginals" ("auto"), "pate" [16]_, or a game that scores rows one by one
        ("hinge", "non-saturating", "minimax", "least-squares", "wgan-clip"), trained by DP-SGD.
    epochs : int or "auto", default "auto"
        Passes over the rows; "auto" ends on a plateau of quality.
    max_seconds : float or None, default None
        Budget of the whole call of `fit`, reading and encoding included. With `epochs` too,
        whichever comes first. A stop by the clock depends on the machine: such a fit cannot be
        repeated bit for bit.
    batch_size : int or "auto", default "auto"
        Rows in one step.
    schema : dict, Schema or None, default None
        What the columns are, where the inferred schema is wrong: ``{column: kind}`` or
        ``{column: {kind, bounds, decimals, levels, ordered, rare, follows}}`` with kinds "number",
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
        Weight of the gradient penalty; 0 switches it off.
    width, depth, latent_size : int or "auto", default "auto"
        Width and number of the generator's residual blocks, and length of its latent vector; the
        critic is as wide, or twice as wide where its objective asks for it.
    precision : {"auto", "float32", "bfloat16"}, default "auto"
        Number type inside the networks; "auto" takes bfloat16 where the hardware multiplies it.
    critic_steps : int or "auto", default "auto"
        Moves of the critic for each of the generator, on parts of the rows of a step; "auto" leaves
        it to the objective.
    pack : int or "auto", default "auto"
        Rows that the critic judges together [9]_; "auto" leaves it to the objective.
    critics : int, default 1
        Number of critics, each from its own start [10]_.
    critic_vote : {"mean", "hardest"}, default "mean"
        Whether the generator answers to all critics or to the one it fares worst with.
    minibatch_discrimination : bool, default False
        Whether the critic sees how far a batch is spread (minibatch standard deviation [11]_).
    spectral_norm : bool, default False
        Whether the layers of the critic are held to a spectral norm of 1 [6]_.
    dropout : float, default 0.0
        Share of the critic's hidden units that are silenced in each move.
    instance_noise : float, default 0.0
        Standard deviation of normal noise on real and generated rows before the critic, which falls
        to 0 over the fit [12]_. Codes are 0, 1 or numbers from -1 to 1.
    feature_matching : float, default 0.0
        Weight of the gap between real and generated rows in mean and standard deviation of the
        critic's last hidden layer [13]_ [14]_.
    target : str or None, default None
        A column that a small network learns to tell from the others, on real rows; the generator
        pays where its rows contradict that network more than real ones do [14]_ [15]_. Within a
        budget, tables of two columns are bought for each of its classes instead.
    target_weight : float, default 1.0
        Weight of what it pays.
    holdout : float or "auto", default "auto"
        Share of the rows kept out of training, by which states are judged. "auto" is 10,000 rows
        of tables of 100,000 and more. Smaller ones, as with 0, are judged by up to 10,000 of the
        rows that they were trained on: a tenth of them would tell good states apart by chance.
    callbacks : callable, list of callable or None, default None
        Called after each round of training with a mapping of step, epoch, seconds, losses and
        quality; a true answer stops training.
    refine : bool, default True
        Whether samples are refined by boosted trees, within a budget by the tables that were
        bought. Learned by `fit` unless False; read again by `sample`, so that
        ``set_params(refine=False)`` gives rows as the generator draws them.
    pool_factor : int, default 5
        Rows that the generator draws for each refined row to be chosen from; read by `sample` too.

    membership_limit : float or None, default None
        Training ends, at the state before, once an attack tells rows trained on from rows held out
        with a higher AUC (0.5 is a coin toss); it needs a `holdout`, and proves nothing.
    privacy : Privacy or None, default None
        A budget for all that is learned from the rows; see `synthgan.Privacy`. `random_state` then
        makes the noise foreseeable, and marks the model as one for tests only.

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
        "diverged" (the best state is kept), "membership", or "nothing to learn" for a table of
        constants and identifiers.
    refinement_ : Refinement
        What samples are refined by: effective sample size of the pool, rounds, trees, redrawn
        columns with their gain, seconds; or why they are not.
    privacy_ : Ledger or None
        What was bought from the budget: `epsilon_spent`, `delta`, `unit`, `entries`.

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
    .. [4] Goodfellow et al., "Generative adversarial nets", 2014.
    .. [5] Mao et al., "Least squares generative adversarial networks", 2017.
    .. [6] Miyato et al., "Spectral normalization for generative adversarial networks", 2018; the
       hinge first in Lim and Ye, "Geometric GAN", 2017.
    .. [7] Arjovsky et al., "Wasserstein GAN", 2017.
    .. [8] Kodali et al., "On convergence and stability of GANs", 2017.
    .. [9] Lin et al., "PacGAN: The power of two samples in generative adversarial networks", 2018.
    .. [10] Durugkar et al., "Generative multi-adversarial networks", 2017.
    .. [11] Karras et al., "Progressive growing of GANs", 2018.
    .. [12] Sønderby et al., "Amortised MAP inference for image super-resolution", 2017; Arjovsky
       and Bottou, "Towards principled methods for training GANs", 2017.
    .. [13] Salimans et al., "Improved techniques for training GANs", 2016.
    .. [14] Park et al., "Data synthesis based on generative adversarial networks" (table-GAN),
       2018.
    .. [15] Odena et al., "Conditional image synthesis with auxiliary classifier GANs", 2017.
    .. [16] Jordon et al., "PATE-GAN", 2019.

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
        **PLAN_RULES,
        **FIT_RULES,
    }

    def __init__(
        self,
        *,
        objective: str = "auto",
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
        critic_steps: int | str = "auto",
        pack: int | str = "auto",
        critics: int = 1,
        critic_vote: str = "mean",
        minibatch_discrimination: bool = False,
        spectral_norm: bool = False,
        dropout: float = 0.0,
        instance_noise: float = 0.0,
        feature_matching: float = 0.0,
        target: str | None = None,
        target_weight: float = 1.0,
        holdout: float | str = "auto",
        callbacks: Any = None,
        refine: bool = True,
        pool_factor: int = 5,
        membership_limit: float | None = None,
        privacy: Any = None,
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
        self.critic_steps = critic_steps
        self.pack = pack
        self.critics = critics
        self.critic_vote = critic_vote
        self.minibatch_discrimination = minibatch_discrimination
        self.spectral_norm = spectral_norm
        self.dropout = dropout
        self.instance_noise = instance_noise
        self.feature_matching = feature_matching
        self.target = target
        self.target_weight = target_weight
        self.holdout = holdout
        self.callbacks = callbacks
        self.refine = refine
        self.pool_factor = pool_factor
        self.membership_limit = membership_limit
        self.privacy = privacy

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
        privacy = privacy_of(self)
        if privacy is None:
            check_public(self.objective)
        else:
            check_private(self.get_params(deep=False), sample_weight is not None)
        source = open_source(X, drop=dropped(self.schema))
        weights = check_weights(sample_weight, source.rows)
        task = self._task(source.home, device, started)
        with ProgressBar(self.verbose) as bar:
            callbacks: list[Callback] = [bar, *self._callbacks()]
            if privacy is None:
                model = learn(source, weights, task, callbacks, bar.say)
            else:
                model = fit_privately(X, source, task, privacy, callbacks)
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
        asked = {name: plain(getattr(self, name)) for name in PLAN_RULES}
        asked["target"], *_ = by_name(home, {asked["target"]: None})
        return Task(
            plan=Plan(**asked),
            overrides=by_name(home, self.schema),
            rare_threshold=int(self.rare_threshold),
            holdout=plain(self.holdout),
            seed=seed_from(self.random_state),
            repeatable=self.random_state is not None,
            deadline=None if self.max_seconds is None else started + float(self.max_seconds),
            device=device,
            refine=max(LEAST_FACTOR, int(self.pool_factor)) if self.refine else 0,
            most_membership=1.0 if self.membership_limit is None else float(self.membership_limit),
        )

    def _callbacks(self) -> list[Callback]:
        if self.callbacks is None:
            return []
        return [self.callbacks] if callable(self.callbacks) else list(self.callbacks)
