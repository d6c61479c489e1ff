"""Auditing a private fit: canaries among its rows, and how well an attacker tells which."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import clone

from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import ParameterError
from synthgan.estimators.fitting import pick_device
from synthgan.estimators.private.conflicts import check_private, privacy_of
from synthgan.estimators.private.fitting import learn_privately, noise_for
from synthgan.estimators.private.opening import open_privately
from synthgan.estimators.randomness import seed_from
from synthgan.estimators.synthesizer import SynthGAN
from synthgan.privacy.audit import Audit, lower_bound
from synthgan.streams import seed_for, stream
from synthgan.training.private import plan_training
from synthgan.training.private.witness import Witness

_CANARIES, _FITTING = range(2)


def audit_privacy(
    estimator: SynthGAN,
    X: Any,
    *,
    canaries: int = 1_000,
    confidence: float = 0.95,
    random_state: Any = None,
) -> Audit:
    """Attack a private fit, and say which epsilon the attack refutes.

    Made-up rows (canaries) are put among those of `X`, each or not by a coin. An attacker who knows
    all of `X`, and sees the noisy counts of columns, the noisy tables of pairs and the noisy slopes
    of a critic, guesses which; the number of rows and the votes of PATE's teachers are not looked
    at. A fit that keeps its promise cannot be told more of than its epsilon allows; a mistake in
    its noise, clipping or draws shows [1]_. The audit can refute a promise and cannot prove one:
    that is what the ledger is for. It changes nothing of `estimator`, and what it fits is thrown
    away.

    Parameters
    ----------
    estimator : SynthGAN
        With a budget whose unit is the row; cloned, never changed.
    X : table of shape (n_samples, n_features)
        As for `SynthGAN.fit`.
    canaries : int, default 1000
        How many rows are made up. More see more, as long as they are few beside the real ones.
    confidence : float, default 0.95
        With which the bound holds.
    random_state : int, Generator, RandomState or None, default None
        Decides canaries and coins, and makes the fit's noise foreseeable.

    Returns
    -------
    Audit
        `lower_bound` beside the `claimed` epsilon; it `passed` if it is not above.

    Raises
    ------
    ParameterError
        If the estimator has no budget, or one for units of several rows.

    References
    ----------
    .. [1] Steinke, Nasr and Jagielski, "Privacy auditing with one (1) training run", 2023.

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgan import Privacy, SynthGAN, audit_privacy
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"a": rng.integers(0, 9, 4000), "b": rng.normal(size=4000)})
    >>> model = SynthGAN(privacy=Privacy(epsilon=1.0), epochs=1, verbose=0)
    >>> audit_privacy(model, table, canaries=100, random_state=0).passed
    True
    """
    started = time.monotonic()
    model = clone(estimator)
    privacy = privacy_of(model)
    if privacy is None or privacy.unit is not None:
        given = "no budget" if privacy is None else f"unit={privacy.unit!r}"
        raise ParameterError(
            f"estimator: expected a SynthGAN with a privacy budget for single rows, found {given}"
        )
    model._check_parameters()
    check_private(model.get_params(deep=False), weighted=False)
    seed = seed_from(random_state)
    if random_state is not None:
        model.set_params(random_state=seed_for(seed, _FITTING))
    source = open_source(X, drop=dropped(model.schema))
    task = model._task(source.home, pick_device(model.device), started)
    if plan_training(task.plan).entry is None:
        # nothing is bought in training: it tells an attacker nothing more
        task = replace(task, plan=replace(task.plan, epochs=1))
    noise = noise_for(task)
    known = open_privately(X, source, privacy, noise).source
    made = made_up(known.table(), canaries, stream(seed, _CANARIES))
    inside = stream(seed, _CANARIES, 1).random(canaries) < 0.5
    table = pa.concat_tables([known.table(), made.filter(pa.array(inside))]).unify_dictionaries()

    def encode(codec: TableCodec, matrix: EncodedMatrix) -> tuple[EncodedMatrix, EncodedMatrix]:
        # chance that encoding adds would protect canaries: the attacker knows that as well
        encoded = codec.encode([made], stream(seed, _CANARIES, 2))
        own = matrix.take(slice(known.rows, None))
        encoded.codes[inside], encoded.scalars[inside] = own.codes, own.scalars
        return encoded, matrix.take(slice(0, known.rows))

    witness = Witness(made, known.table(), encode)
    whole = open_source(table, drop=dropped(model.schema))
    fitted = learn_privately(
        open_privately(table, whole, privacy, noise), task, privacy, noise, [], witness
    )
    assert fitted.ledger is not None
    claimed = fitted.ledger.epsilon_spent
    # of several kinds of attackers the best one counts, each with its part of the doubt
    scores = witness.scores.values()
    sure = 1.0 - (1.0 - confidence) / len(scores)
    found = [lower_bound(each, inside, claimed, privacy.delta, sure) for each in scores]
    best = max(found, key=lambda each: each.lower_bound)
    return replace(best, confidence=confidence)


def made_up(table: pa.Table, rows: int, random: np.random.Generator) -> pa.Table:
    """Rows whose cells come from rows of the table, each from another one: likely nobody's."""
    index = random.integers(0, table.num_rows, (table.num_columns, rows))
    columns = [
        table.column(place).take(pa.array(index[place])) for place in range(table.num_columns)
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)
