"""How a table is learned within a budget: everything is planned, then bought, then learned from."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.cell_map import CellMap, option_counts
from synthgan.data.codec import TableCodec
from synthgan.data.encoders import build_encoders
from synthgan.data.marginals import Marginals
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.numbers import NumberEncoder
from synthgan.data.overrides import parse_overrides
from synthgan.data.private import PrivateSummaries, kind_of, purchases
from synthgan.data.schema import Schema
from synthgan.data.source import Source
from synthgan.data.summaries import one_array, summarise
from synthgan.errors import SynthganWarning
from synthgan.estimators.base import outside
from synthgan.estimators.fitting import Task, shown_levels, training_deadline, unrefined
from synthgan.estimators.model import TableModel
from synthgan.estimators.planned import check_target
from synthgan.estimators.private.opening import PrivateTable, open_privately, shown_types
from synthgan.privacy.accounting import Entry, scale_for
from synthgan.privacy.budget import Privacy
from synthgan.privacy.counts import noisy
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.refinement import Refinement, Tilt, learn_tilt
from synthgan.streams import SEED_BITS, seed_for
from synthgan.training import Trained
from synthgan.training.private import PrivateTask, plan_training, train_privately
from synthgan.training.private.plan import Purchases
from synthgan.training.private.witness import Witness
from synthgan.training.trainer import Callback

BY_TYPE = "by its type: values have no say within a budget"
PAIRS = "tables of all pairs of columns"
PAIRS_BY_CLASS = "tables of all pairs of columns by class of the target"
# noise of the cells of a column, over that of a table of two
COLUMN_NOISE = 1.0
# noise of a table of two columns, as a share of the rows, from which on a warning is due
MUCH_NOISE = 0.02
# of epsilon, as if it were all: what encoders and tables cost where an opponent is paid too
BEFORE_TRAINING = 0.7
# the random streams of one fit
_NOISE, _SEED, _TRAINING, _REFINING = range(20, 24)


def noise_for(task: Task) -> Noise:
    """The operating system's, unless the caller named a seed: then it protects nobody."""
    return Noise(seed_for(task.seed, _NOISE) if task.repeatable else None)


def fit_privately(
    X: Any, source: Source, task: Task, privacy: Privacy, callbacks: Sequence[Callback]
) -> TableModel:
    """Open a table and learn it within a budget: see `open_privately`, `learn_privately`."""
    noise = noise_for(task)
    table = open_privately(X, source, privacy, noise)
    return learn_privately(table, task, privacy, noise, callbacks)


def learn_privately(
    table: PrivateTable,
    task: Task,
    privacy: Privacy,
    noise: Noise,
    callbacks: Sequence[Callback],
    witness: Witness | None = None,
) -> TableModel:
    """Learn a table within a budget.

    Parameters
    ----------
    table : PrivateTable
        The rows.
    task : Task
        What to do.
    privacy : Privacy
        The budget.
    noise : Noise
        Where noise comes from.
    callbacks : sequence of callable
        Called with each record of the history; a true answer stops training.
    witness : Witness, optional
        Who looks on, in an audit.

    Returns
    -------
    TableModel
        With its ledger.

    Raises
    ------
    ParameterError
        If the budget is too small for what is to be learned.
    SchemaError
        If what was declared does not fit the types of the columns.
    """
    types = table.types()
    said = _said(table, task, privacy)
    bought = plan_training(task.plan)
    check_target(
        task.plan.target, (name for name in said if said[name]["kind"] not in ("drop", "id"))
    )
    target = _classes_of(task.plan.target, said)
    ledger = open_ledger(types, said, privacy, bought, target, for_tests=not noise.is_secret)
    codec = learn_codec(table, said, ledger, noise, witness)
    # ranks are spread over their intervals by chance, which nobody may foresee either
    random = np.random.default_rng(secrets.randbits(128) if noise.is_secret else task.seed)
    matrix = codec.encode(table.chunks(), random)
    if witness is not None:
        witness.meets(codec, matrix)
    marginals = buy_marginals(codec, matrix, ledger, noise, target, witness)
    _tell_of_noise(marginals)
    seed = seed_for(task.seed, _SEED) if task.repeatable else secrets.randbits(SEED_BITS)
    trained = train_privately(
        PrivateTask(
            matrix,
            table.units,
            marginals,
            task.plan,
            bought,
            ledger,
            noise,
            seed_for(seed, _TRAINING),
            training_deadline(task, codec.rows * len(codec.encoders)),
            task.device,
            witness,
        ),
        callbacks,
    )
    home = _home(table, codec)
    tilt, refinement = _refined(trained, marginals, task, seed)
    return TableModel(codec, home, trained, seed, task.repeatable, refinement, tilt, ledger)


def _refined(
    trained: Trained, marginals: Marginals, task: Task, seed: int
) -> tuple[Tilt | None, Refinement]:
    """What refines samples: it is learned from what was bought, like the generator."""
    if (none := unrefined(task, trained)) is not None:
        return None, none
    seed = seed_for(seed, _REFINING)
    return learn_tilt(trained.sampler, marginals, task.refine, seed, task.deadline)


def _tell_of_noise(marginals: Marginals) -> None:
    """Warn where little is left to be seen; the number of rows is as it was bought."""
    if marginals.cells.columns > 1 and marginals.pair_error > MUCH_NOISE:
        warnings.warn(
            f"the noise of each table of two columns is {marginals.pair_error:.0%} of about "
            f"{marginals.rows:,} rows, which leaves little to be learned of how columns go "
            "together; bring more rows, leave columns out, declare bounds and levels, or raise "
            "epsilon",
            SynthganWarning,
            stacklevel=outside(),
        )


def _said(table: PrivateTable, task: Task, privacy: Privacy) -> dict[str, dict[str, Any]]:
    """What is public of columns: what the user says, and else what their types say."""
    overrides = dict(parse_overrides(task.overrides, table.source.names))
    if privacy.unit is not None:
        overrides[privacy.unit] = {"kind": "drop"}
    said = {}
    for name, found in table.types().items():
        own = overrides.get(name, {})
        by_type = {"kind": kind_of(found, own), "reason": BY_TYPE}
        said[name] = {**own} if "kind" in own else {**own, **by_type}
    return said


def open_ledger(
    types: Mapping[str, pa.DataType],
    said: Mapping[str, Mapping[str, Any]],
    privacy: Privacy,
    bought: Purchases,
    target: str | None = None,
    *,
    for_tests: bool = False,
) -> Ledger:
    """Plan everything that a fit will buy, and how much noise that takes.

    Tables of two columns are counted apart for each class of a target: as a row is of one class,
    that costs what the tables of two columns alone would.

    Raises
    ------
    ParameterError
        If no noise is enough.
    """
    columns = sum(each["kind"] not in ("drop", "id") for each in said.values())
    wanted = purchases(types, said, privacy, COLUMN_NOISE)
    others = columns - (target is not None)
    if pairs := others * (others - 1) // 2:
        wanted.append(Entry(_pairs(target), 1.0, times=pairs))
    if bought.entry is None:
        return Ledger.open(privacy, wanted, for_tests=for_tests)
    scale = scale_for(wanted, BEFORE_TRAINING * privacy.epsilon, privacy.delta)
    fixed = [entry.scaled(scale) for entry in wanted]
    return Ledger.open(privacy, [bought.entry], fixed, for_tests=for_tests)


def learn_codec(
    table: PrivateTable,
    said: Mapping[str, Mapping[str, Any]],
    ledger: Ledger,
    noise: Noise,
    witness: Witness | None = None,
) -> TableCodec:
    """The codec of private summaries; it relates no columns, since that would read their rows."""
    whole = pa.concat_tables(table.chunks()).unify_dictionaries()
    watch = None if witness is None else witness.saw_counts
    private = PrivateSummaries(ledger, noise, table.rows, watch)
    types, summaries, levels = table.types(), {}, {}
    for name, found in types.items():
        column = one_array(whole.column(name))
        if said[name]["kind"] == "drop":
            summaries[name] = summarise(column[:0])
            continue
        summaries[name] = private.of(name, column, said[name])
        if pat.is_dictionary(found) and found.ordered:
            levels[name] = _shown(column.dictionary, summaries[name])
    columns, encoders = build_encoders(types, summaries, levels, said, 1)
    return TableCodec(Schema(tuple(columns)), encoders, 1, private.rows)


def _shown(order: pa.Array, summary: Any) -> pa.Array:
    """Levels of an ordered categorical that may be shown, in its own order."""
    return order.filter(pc.is_in(order, value_set=summary.levels))


def buy_marginals(
    codec: TableCodec,
    matrix: EncodedMatrix,
    ledger: Ledger,
    noise: Noise,
    target: str | None = None,
    witness: Witness | None = None,
) -> Marginals:
    """Buy the tables of all pairs of columns; what is known of single ones is in the codec."""
    per_unit, rows, name = ledger.budget.rows_per_unit, codec.rows, _pairs(target)
    # a single column has no pair
    usual = deviation = per_unit * ledger.planned(name).noise if name in ledger else 1.0
    cells = CellMap.of(codec.coded, codec.layout, usual, target)
    if cells.table_pairs:
        # columns that turned out to have one value leave what their tables would have cost
        deviation = per_unit * ledger.spend(name, cells.table_pairs).noise
        cells = CellMap.of(codec.coded, codec.layout, deviation, target)
    options = _option_shares(codec)
    exact = cells.tables(matrix)
    told = np.zeros(exact.shape)
    if cells.table_pairs:
        told[:, cells.apart] = noisy(exact[:, cells.apart], deviation, noise)
        if witness is not None:
            witness.saw_tables(cells, told, deviation)
    options_error = COLUMN_NOISE * usual / rows
    return Marginals(cells, told / rows, deviation / rows, options, options_error, rows)


def _pairs(target: str | None) -> str:
    return PAIRS if target is None else PAIRS_BY_CLASS


def _classes_of(target: str | None, said: Mapping[str, Mapping[str, Any]]) -> str | None:
    """A target of classes, as its type or the user says; pairs are enough for one of numbers."""
    if target is None or said[target]["kind"] not in ("category", "boolean"):
        return None
    return target


def _option_shares(codec: TableCodec) -> Any:
    """Share of each option in its choice, as encoders know it."""
    found = []
    for encoder in codec.coded:
        if codec.layout.column_choice(encoder.column.name) is not None:
            counts = option_counts(encoder)
            found.append(counts / max(counts.sum(), 1.0))
    return np.concatenate(found) if found else np.zeros(0)


def _home(table: PrivateTable, codec: TableCodec) -> Any:
    encoders = {each.column.name: each for each in codec.encoders}
    rounded = {
        name: each.rounding.decimals
        for name, each in encoders.items()
        if isinstance(each, NumberEncoder)
    }
    missing = {name: each.missing for name, each in encoders.items()}
    guessed = shown_types(table.guessed, rounded, missing)
    return table.source.home.without_facts(set(encoders), guessed, shown_levels(codec))
