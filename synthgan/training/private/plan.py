"""The plan of private training: what it has to buy, settled before a row is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synthgan.data.layout import Layout
from synthgan.nets.objectives import OBJECTIVES
from synthgan.privacy.accounting import Entry
from synthgan.training.plan import Plan, ResolvedPlan
from synthgan.training.private.noisy_critic import MOVES
from synthgan.training.private.teachers import VOTED, VOTES

MARGINALS, PATE = "marginals", "pate"
# objectives that a private game can have: those of teachers and of marginals alone, and those that
# score rows one by one
SCORING = tuple(name for name, each in OBJECTIVES.items() if each.scores_rows)
PRIVATE_OBJECTIVES = (MARGINALS, *SCORING, PATE)
# steps of the generator without an opponent, and with one
STEPS, OPPOSED_STEPS = 3_000, 1_000
BATCH, LEARNING_RATE = 1_000, 1e-3
# the chance of a unit to be in a draw, for the critic
DRAWN = 0.05
# moves of the critic and of the student for one of the generator
CRITIC_STEPS = {PATE: 1}
USUAL_CRITIC_STEPS = 2


@dataclass(frozen=True, slots=True)
class Purchases:
    """What an opponent buys.

    Attributes
    ----------
    steps : int
        Moves of the generator.
    critic_steps : int
        Moves of the opponent for each; 0 without one.
    entry : Entry or None
        All of what they buy, its noise to be scaled.
    """

    steps: int
    critic_steps: int
    entry: Entry | None


def plan_training(plan: Plan) -> Purchases:
    """Say what training will buy; no row has a part in it."""
    if plan.objective in ("auto", MARGINALS):
        steps = STEPS if plan.epochs == "auto" else round(plan.epochs / DRAWN)
        return Purchases(steps, 0, None)
    steps = OPPOSED_STEPS if plan.epochs == "auto" else round(plan.epochs / DRAWN)
    moves = CRITIC_STEPS.get(plan.objective, USUAL_CRITIC_STEPS)
    if plan.critic_steps != "auto":
        moves = plan.critic_steps
    times = steps * moves
    if plan.objective == PATE:
        return Purchases(steps, moves, Entry(VOTES, 1.0, times=times * VOTED))
    return Purchases(steps, moves, Entry(MOVES, 1.0, rate=DRAWN, times=times))


def resolve(plan: Plan, rows: int, layout: Layout, bought: Purchases) -> ResolvedPlan:
    """Settle every "auto" for a table of about so many rows."""
    name = MARGINALS if plan.objective == "auto" else plan.objective
    usual = replace(plan, objective=name if name in OBJECTIVES else "auto")
    settled = usual.resolve(max(rows, 2), layout)
    batch = BATCH if plan.batch_size == "auto" else plan.batch_size
    rate = LEARNING_RATE if plan.learning_rate == "auto" else plan.learning_rate
    return replace(
        settled,
        objective=name,
        steps=bought.steps,
        stop_on_plateau=False,
        batch_size=int(batch),
        steps_per_epoch=max(1, round(1.0 / DRAWN)),
        learning_rate=float(rate),
        penalty=0.0,
        precision="float32",
        critic_steps=bought.critic_steps,
    )
