"""How a table is learned: rows held out, codec, judge of quality, training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from synthgan.data.categories import CategoryEncoder
from synthgan.data.codec import TableCodec
from synthgan.data.features import Features
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.source import Source
from synthgan.errors import ParameterError
from synthgan.estimators.judge import Judge
from synthgan.estimators.model import TableModel
from synthgan.estimators.planned import check_target
from synthgan.evaluation.coding import LEFT_OUT_KINDS
from synthgan.refinement import Lesson, Refinement, Refiner, learn_refiner
from synthgan.refinement.account import SWITCHED_OFF
from synthgan.refinement.learning import LEAST_ROWS
from synthgan.streams import seed_for, stream
from synthgan.training import Plan, Trained, train
from synthgan.training.trainer import Callback

# rows that states are judged by at most; fewer tell two good states apart by chance alone, so that
# "auto" takes those that were trained on unless a tenth of the table is as many
_JUDGED, _SHARE = 10_000, 0.1
# the random streams of one fit
_ENCODING, _HOLDING_OUT, _TRAINING, _JUDGING, _REFINING = range(5)
# what learning to refine may take of the time that is left when training begins: a share, and
# seconds, to begin with and for each million cells of the table
_REFINING_SHARE, _REFINING_SECONDS, _REFINING_SECONDS_PER_MILLION = 0.2, 5.0, 100.0


@dataclass(frozen=True, slots=True)
class Task:
    """What a fit is asked to do.

    Attributes
    ----------
    plan : Plan
        The game and its sizes.
    overrides : mapping or None
        What the user said about columns.
    rare_threshold : int
        Values seen in fewer rows are not emitted.
    holdout : float or "auto"
        Share of the rows held out.
    seed : int
        Decides everything.
    repeatable : bool
        Whether the caller named the seed.
    deadline : float or None
        Reading of `time.monotonic` by which to be done.
    device : str
        Where to train.
    refine : int
        Rows of the pool by which refining is learned, for each row of the table; 0 for not at all.
    most_membership : float
        Training ends where an attack tells more of who was trained on than this AUC.
    """

    plan: Plan
    overrides: Mapping[str, Any] | None
    rare_threshold: int
    holdout: float | str
    seed: int
    repeatable: bool
    deadline: float | None
    device: str
    refine: int = 0
    most_membership: float = 1.0


def learn(
    source: Source,
    weights: NDArray[np.float64] | None,
    task: Task,
    callbacks: Sequence[Callback],
    say: Callable[[str], None] = lambda what: None,
) -> TableModel:
    """Learn a table.

    Parameters
    ----------
    source : Source
        The table.
    weights : ndarray of shape (rows,) or None
        How often each row is drawn; a row of weight 0 is as if it were not there.
    task : Task
        What to do.
    callbacks : sequence of callable
        Called with every record of the history; a true answer stops training.
    say : callable
        Told what is going on after training.

    Returns
    -------
    TableModel
        The model.

    Raises
    ------
    ParameterError
        If the plan's target is no column that can be one.
    """
    rows = Rows(source, weights)
    check_target(task.plan.target, source.names)
    codec = TableCodec.fit(
        rows.chunks(), overrides=task.overrides, rare_threshold=task.rare_threshold
    ).relate(rows.chunks())
    check_target(task.plan.target, (span.column for span in codec.layout.spans))
    matrix = codec.encode(rows.chunks(), stream(task.seed, _ENCODING))
    matrix.weights = rows.weights
    held = hold_out(matrix.rows, task.holdout)
    random = stream(task.seed, _HOLDING_OUT)
    training, index = matrix.holdout(held, random)
    if not held:
        index = random.permutation(matrix.rows)[:_JUDGED]
    judge = None
    if can_be_judged(codec):
        members = None
        if task.most_membership < 1.0:
            members = rows.take(_members(matrix.rows, index, len(index), held, random), random)
        judged = rows.take(index, random)
        judge = Judge(codec, judged, seed_for(task.seed, _JUDGING), members)
    deadline = task.deadline
    if matrix.rows >= LEAST_ROWS:
        deadline = training_deadline(task, matrix.rows * len(codec.encoders))
    trained = train(
        training,
        codec.layout,
        task.plan,
        seed=seed_for(task.seed, _TRAINING),
        deadline=deadline,
        device=task.device,
        quality=judge,
        callbacks=callbacks,
        most_membership=task.most_membership,
    )
    refiner, refinement = _refiner(codec, matrix, trained, task, say)
    home = source.home.keep_levels(shown_levels(codec))
    return TableModel(codec, home, trained, task.seed, task.repeatable, refinement, refiner)


def _members(
    rows: int, held: NDArray[np.int64], most: int, kept: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """As many rows that are trained on as are held out.

    Raises
    ------
    ParameterError
        If none is held out.
    """
    if not kept:
        raise ParameterError(
            "membership_limit: expected rows held out, by which an attacker is judged, found none; "
            "set holdout=0.1"
        )
    trained = np.setdiff1d(np.arange(rows), held)
    return random.permutation(trained)[:most]


def training_deadline(task: Task, cells: int) -> float | None:
    """When training has to end, so that there is time to learn to refine a table of so many."""
    if task.deadline is None or not task.refine:
        return task.deadline
    needed = _REFINING_SECONDS + _REFINING_SECONDS_PER_MILLION * cells / 1e6
    left = task.deadline - time.monotonic()
    return task.deadline - max(0.0, min(needed, _REFINING_SHARE * left))


def unrefined(task: Task, trained: Trained) -> Refinement | None:
    """Why nothing is learned to refine by, if that is so before any look at the generator."""
    if not task.refine:
        return Refinement(SWITCHED_OFF)
    if trained.stopped in ("interrupted", "nothing to learn"):
        return Refinement(trained.stopped)
    return None if trained.history else Refinement("no time was left")


def _refiner(
    codec: TableCodec,
    matrix: EncodedMatrix,
    trained: Trained,
    task: Task,
    say: Callable[[str], None],
) -> tuple[Refiner | None, Refinement]:
    if (none := unrefined(task, trained)) is not None:
        return None, none
    seed = seed_for(task.seed, _REFINING)
    lesson = Lesson(trained.sampler, Features(codec), matrix, task.refine, seed, task.deadline)
    return learn_refiner(lesson, say)


def can_be_judged(codec: TableCodec) -> bool:
    """Whether a sample has a column to compare: ids and dropped columns are none."""
    return any(column.kind not in LEFT_OUT_KINDS for column in codec.schema)


def shown_levels(codec: TableCodec) -> dict[str, pa.Array]:
    """The levels of each column that may stand in a model; none of dropped columns and of ids."""
    shown = {column.name: pa.array([], pa.string()) for column in codec.schema}
    for column, encoder in zip(codec.schema.kept, codec.encoders, strict=True):
        if isinstance(encoder, CategoryEncoder):
            declared = column.levels
            shown[column.name] = encoder.levels if declared is None else pa.array(list(declared))
    return shown


def hold_out(rows: int, holdout: float | str) -> int:
    """How many rows to hold out; 0 where they would be too few to judge by.

    Examples
    --------
    >>> hold_out(1_000_000, "auto"), hold_out(32_561, "auto")
    (10000, 0)
    >>> hold_out(500, 0.2)
    100
    """
    if holdout != "auto":
        return int(rows * float(holdout))
    return _JUDGED if rows * _SHARE >= _JUDGED else 0


class Rows:
    """The rows of a table that count, those of weight 0 left out.

    Parameters
    ----------
    source : Source
        The table.
    weights : ndarray of shape (rows,) or None
        Weights of all rows.
    """

    def __init__(self, source: Source, weights: NDArray[np.float64] | None) -> None:
        self._source = source
        self._counts = None if weights is None else weights > 0
        self.weights = None if weights is None else weights[weights > 0]

    def chunks(self) -> Iterator[pa.Table]:
        """The rows, chunk by chunk."""
        start = 0
        for chunk in self._source.chunks():
            end = start + chunk.num_rows
            yield chunk if self._counts is None else chunk.filter(pa.array(self._counts[start:end]))
            start = end

    def take(self, index: NDArray[np.int64], random: np.random.Generator) -> pa.Table:
        """The rows of some numbers, in proportion to their weights if there are any."""
        if self.weights is not None:
            share = self.weights[index] / self.weights[index].sum()
            index = random.choice(index, size=len(index), p=share)
        index, start, parts = np.sort(index), 0, []
        for chunk in self.chunks():
            first, last = np.searchsorted(index, [start, start + chunk.num_rows])
            parts.append(chunk.take(pa.array(index[first:last] - start)))
            start += chunk.num_rows
        return pa.concat_tables(parts).unify_dictionaries()


def pick_device(device: str) -> str:
    """Settle "auto", and refuse a device that torch does not know or does not have.

    Examples
    --------
    >>> pick_device("cpu")
    'cpu'
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ParameterError(
            "device: expected 'auto' or a torch device of this machine, "
            f"found {device!r} ({reason})"
        ) from error
    return device
