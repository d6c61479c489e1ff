"""The players: networks built from a plan, from a seed alone."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.nets.auxiliary import TargetPredictor
from synthgan.nets.critics import Critic, CriticPanel, MLPCritic, SpectralLinear
from synthgan.nets.features import CriticFeatures
from synthgan.nets.mlp import MLPGenerator
from synthgan.training.plan import ResolvedPlan

# between the seeds of one fit's networks: the generator's is its own, the critics' follow
TARGET_SEED = 1_000
Net = TypeVar("Net", bound=nn.Module)
State = dict[str, Tensor]


def build_generator(
    layout: Layout, plan: ResolvedPlan, seed: int, conditional: bool
) -> MLPGenerator:
    """A fresh generator whose weights depend on the seed alone."""
    context = layout.n_options if conditional else 0
    net = MLPGenerator(layout, plan.latent_size, plan.width, plan.depth, context)
    return initialise(net, seed)


def build_critic(layout: Layout, plan: ResolvedPlan, seed: int, conditional: bool) -> Critic:
    """A fresh critic; several of them where the plan says so."""
    size = shown_width(layout, plan, conditional)
    members = [
        MLPCritic(
            size * plan.pack,
            plan.critic_width,
            plan.depth,
            spectral_norm=plan.spectral_norm,
            dropout=plan.dropout,
            sees_spread=plan.minibatch_discrimination,
        )
        for _ in range(plan.critics)
    ]
    for number, member in enumerate(members):
        initialise(member, seed + number)
    return members[0] if len(members) == 1 else CriticPanel(members)


def shown_width(layout: Layout, plan: ResolvedPlan, conditional: bool) -> int:
    """Length of what a critic sees of one row."""
    context = layout.n_options if conditional else 0
    return CriticFeatures(layout, plan.scalar_bins).width + context


def build_predictor(layout: Layout, plan: ResolvedPlan, seed: int) -> TargetPredictor | None:
    """A fresh predictor of the target column, if the plan names one that has codes."""
    if plan.target is None:
        return None
    return initialise(TargetPredictor(layout, plan.target), seed + TARGET_SEED)


def initialise(net: Net, seed: int) -> Net:
    """Torch's own uniform start of linear layers, drawn from a stream of our own."""
    stream = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Linear):
            bound = max(1, module.in_features) ** -0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=stream)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -bound, bound, generator=stream)
        if isinstance(module, SpectralLinear):
            module.begin(stream)
    return net


@torch.no_grad()
def start_at_shares(generator: MLPGenerator, shares: Tensor) -> None:
    """Have a fresh generator draw options about as often as these shares, of shape (n_options,).

    From an even start a level of two rows in a million would be drawn as often as a common one, and
    a critic, that hardly ever sees a real one, would take long to say so.
    """
    logits = shares.log().to(generator.leave.bias.dtype)
    generator.leave.bias[: len(logits)] += logits


def first_broken(raw: Tensor, layout: Layout) -> str | None:
    """The first column, choices before scalars, whose raw outputs (rows, width) are not finite."""
    spans = [*layout.choices, *layout.scalars]
    fine = torch.isfinite(raw).all(dim=0).cpu()
    parts = torch.split(fine, [span.size for span in spans])
    return next((s.column for s, p in zip(spans, parts, strict=True) if not p.all()), None)
