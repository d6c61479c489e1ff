"""Output heads: from a generator's raw outputs to rows that look exactly like encoded real ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout

TEMPERATURE = 0.5
# scores within these bounds have exponentials whose sums single precision can hold
_SAFE_SCORE = 60.0


class _StraightThrough(torch.autograd.Function):
    """One-hot of the largest entry going forward, softmax going backward (Jang et al. 2017).

    The whole row is handled at once, so that forty columns cost as many kernels as one: the largest
    score of each group is scattered to, sums over groups are products with their membership.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, heads: RowHeads) -> Tensor:
        below = heads.below_largest(scores)
        weights = torch.exp(below / TEMPERATURE)
        soft = weights / (weights @ heads.membership).index_select(1, heads.group)
        ctx.save_for_backward(soft)
        ctx.heads = heads
        return torch.eq(below, 0.0, out=torch.empty_like(below))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (soft,) = ctx.saved_tensors
        weighted = grads[0] * soft
        sums = (weighted @ ctx.heads.membership).index_select(1, ctx.heads.group)
        return weighted.addcmul_(soft, sums, value=-1.0).div_(TEMPERATURE), None


class RowHeads(nn.Module):
    """Turn raw outputs of shape (rows, width) into rows of a layout.

    Choice spans become hard one-hot vectors (a critic that can tell soft from one-hot wins for
    free), scalars go through tanh and are zero where their gate is shut.

    Parameters
    ----------
    layout : Layout
        The treaty with the tables: spans, sizes and gates.
    """

    group: Tensor
    membership: Tensor
    gate_column: Tensor
    gate_choice: Tensor
    gate_option: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        sizes = torch.as_tensor(layout.choice_sizes, dtype=torch.long)
        offsets = torch.as_tensor(layout.choice_offsets, dtype=torch.long)[: len(sizes)]
        self.n_options = layout.n_options
        self.sizes = sizes.tolist()
        group = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        gate_choice = torch.as_tensor(layout.gate_choice, dtype=torch.long)
        gate_option = torch.as_tensor(layout.gate_option, dtype=torch.long)
        gated = gate_choice >= 0
        column = torch.full_like(gate_choice, self.n_options)
        if len(sizes):
            column[gated] = offsets[gate_choice[gated]] + gate_option[gated]
        membership = torch.nn.functional.one_hot(group, max(len(sizes), 1)).float()
        for name, value in {
            "group": group,
            "membership": membership,
            "gate_column": column,
            # what no choice gates is alive under option 0 of one more choice
            "gate_choice": torch.where(gated, gate_choice, len(sizes)),
            "gate_option": gate_option.clamp_min(0).int(),
        }.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, raw: Tensor, gumbel: Tensor) -> Tensor:
        """Rows of shape (rows, width) from raw outputs and Gumbel noise, one per option."""
        return self.rows(raw[:, : self.n_options] + gumbel, torch.tanh(raw[:, self.n_options :]))

    def rows(self, scores: Tensor, scalars: Tensor) -> Tensor:
        """Rows from option scores, noise included, and scalars in [-1, 1]."""
        if self.n_options == 0:
            return scalars
        hard: Tensor = _StraightThrough.apply(scores, self)  # type: ignore[no-untyped-call]
        return torch.cat([hard, scalars * self.gates(hard.detach())], dim=1)

    def below_largest(self, scores: Tensor) -> Tensor:
        """Option scores less the largest one of their choice, which counts as a constant."""
        largest = scores.new_full((len(scores), self.membership.shape[1]), -torch.inf)
        largest.scatter_reduce_(1, self.group.expand_as(scores), scores.detach(), "amax")
        return scores - largest.index_select(1, self.group)

    def choose(self, raw: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Draw what `forward` draws, as codes: without its gradient, and much faster.

        An option is drawn from the softmax of its choice's scores by one uniform number, which is
        the law of the largest score with Gumbel noise.

        Parameters
        ----------
        raw : Tensor of shape (rows, width)
            Raw outputs.
        points : Tensor of shape (rows, choices)
            Uniform in [0, 1).

        Returns
        -------
        codes : Tensor of int32 of shape (rows, choices)
            The options.
        scalars : Tensor of shape (rows, scalars)
            In [-1, 1], 0 where the gate is shut.
        """
        codes = torch.empty(points.shape, dtype=torch.int32, device=raw.device)
        scores = raw[:, : self.n_options]
        if self.n_options and float(scores.abs().amax()) > _SAFE_SCORE:
            parts = torch.split(scores, self.sizes, dim=1)
            scores = torch.cat([each - each.amax(dim=1, keepdim=True) for each in parts], dim=1)
        # one exponential for all: the columns of a choice do not lie together in memory
        for number, each in enumerate(torch.split(torch.exp(scores), self.sizes, dim=1)):
            ends = each.cumsum(dim=1)
            point = points[:, number : number + 1] * ends[:, -1:]
            found = torch.searchsorted(ends, point, right=True, out_int32=True)
            # rounding may reach the very end
            codes[:, number : number + 1] = found.clamp_max_(self.sizes[number] - 1)
        padded = torch.nn.functional.pad(codes, (0, 1))
        alive = padded.index_select(1, self.gate_choice) == self.gate_option
        return codes, torch.tanh(raw[:, self.n_options :]) * alive

    def gates(self, hard: Tensor) -> Tensor:
        """1 where a scalar is alive, 0 where a spike or a null was chosen instead."""
        open_gate = torch.nn.functional.pad(hard, (0, 1), value=1.0)
        return open_gate.index_select(1, self.gate_column)


def gumbel_from_normal(normal: Tensor) -> Tensor:
    """Standard Gumbel noise as a monotone function of standard normal noise."""
    return -torch.log(-torch.special.log_ndtr(normal))


def draw_gumbel(rows: int, options: int, generator: torch.Generator, device: str) -> Tensor:
    """Standard Gumbel noise of shape (rows, options), from the given random stream."""
    uniform = torch.rand(rows, options, generator=generator, device=device)
    # a uniform draw may be exactly 0, and 1 - 2**-24 is the largest below 1: both stay finite
    return uniform.clamp_min_(1e-20).log_().neg_().log_().neg_()
