"""One private fit, from what was bought of a table to the generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from synthgan.data.marginals import Marginals
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.mlp import MLPGenerator
from synthgan.nets.noise import Noise as Latents
from synthgan.nets.pair_critic import PairCritic
from synthgan.nets.shares import Shares
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.privacy.units import Units
from synthgan.sampling import Sampler
from synthgan.training.plan import Plan, ResolvedPlan
from synthgan.training.players import build_generator
from synthgan.training.private.marginals import MarginalGame, Opponent
from synthgan.training.private.noisy_critic import NoisyCritic
from synthgan.training.private.plan import DRAWN, MARGINALS, PATE, Purchases, resolve
from synthgan.training.private.teachers import Teachers, teachers_for
from synthgan.training.private.witness import Witness
from synthgan.training.run import Trained
from synthgan.training.schedule import Budget
from synthgan.training.trainer import Callback, Trainer

# rows that the pairs of the scoring table are counted on
SCORED_BY = 50_000


@dataclass(frozen=True)
class PrivateTask:
    """What private training is given.

    Attributes
    ----------
    matrix : EncodedMatrix
        The rows, which only an opponent looks at, and pays.
    units : Units
        Whose they are.
    marginals : Marginals
        What was bought of their moments.
    plan : Plan
        What the user asked for.
    bought : Purchases
        What the opponent may buy.
    ledger : Ledger
        Where it does.
    noise : Noise
        Where noise comes from.
    seed : int
        Fixes weights and latents, which protect nobody.
    deadline : float or None
        Reading of `time.monotonic` by which to be done.
    device : str
        Where to train.
    witness : Witness, optional
        Who looks on, in an audit.
    """

    matrix: EncodedMatrix
    units: Units
    marginals: Marginals
    plan: Plan
    bought: Purchases
    ledger: Ledger
    noise: Noise
    seed: int
    deadline: float | None
    device: str
    witness: Witness | None = None


def train_privately(task: PrivateTask, callbacks: Sequence[Callback]) -> Trained:
    """Train a generator.

    Parameters
    ----------
    task : PrivateTask
        What there is to learn from.
    callbacks : sequence of callable
        Called with each record of the history, of which no figure is of a row; a true return value
        stops training.

    Returns
    -------
    Trained
        On the CPU; its critic is a `PairCritic`.
    """
    layout = task.marginals.cells.layout
    plan = resolve(task.plan, task.marginals.rows, layout, task.bought)
    if layout.width == 0:
        return _trained(build_generator(layout, plan, 0, False), task, plan, "nothing to learn")
    game = MarginalGame(task.marginals, plan, task.seed, task.device, _opponent(task, plan))
    trainer = Trainer(
        game,
        Budget(plan.steps, task.deadline),
        peak_rate=plan.learning_rate,
        rows_per_step=plan.batch_size,
        steps_per_epoch=plan.steps_per_epoch,
        quality=None,
        stop_on_plateau=False,
        callbacks=callbacks,
    )
    stopped = trainer.run()
    trained = _trained(game.release(), task, plan, stopped)
    trained.history = trainer.history
    return trained


def _opponent(task: PrivateTask, plan: ResolvedPlan) -> Opponent | None:
    if plan.objective == MARGINALS:
        return None
    layout, rows = task.marginals.cells.layout, task.marginals.rows
    if plan.objective == PATE:
        return Teachers(
            task.matrix,
            layout,
            task.units,
            plan,
            task.seed + 1,
            teachers=teachers_for(rows / task.ledger.budget.rows_per_unit),
            ledger=task.ledger,
            noise=task.noise,
            device=task.device,
        )
    return NoisyCritic(
        task.matrix,
        layout,
        task.units,
        plan,
        task.seed + 1,
        rate=DRAWN,
        expected=DRAWN * rows,
        ledger=task.ledger,
        noise=task.noise,
        device=task.device,
        witness=task.witness,
    )


def _trained(
    generator: MLPGenerator, task: PrivateTask, plan: ResolvedPlan, stopped: str
) -> Trained:
    cells = task.marginals.cells
    generator = generator.requires_grad_(False).eval()
    critic = _pair_critic(generator, task)
    return Trained(Sampler(generator, cells.layout), critic, plan, cells.layout, [], stopped)


@torch.no_grad()
def _pair_critic(generator: MLPGenerator, task: PrivateTask) -> PairCritic:
    """What the generator says of pairs of cells."""
    stream = torch.Generator().manual_seed(task.seed + 2)
    shares = Shares(task.marginals.cells)
    latents = Latents(generator, None)
    raw = generator.raw(latents.latent(SCORED_BY, stream, "cpu"))
    return PairCritic.of_shares(task.marginals.cells, shares(raw))
