"""Networks that look at single cells: a generator that fills those it is not shown, and a critic.

A generator sees a row with holes, which cells are holes, and noise; what it gives are raw outputs
for the whole row, of which only the holes are used.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.nets.features import CriticFeatures
from synthgan.nets.heads import RowHeads
from synthgan.nets.mlp import Linear, MLPGenerator

# an option with such a score is never drawn, and its exponential is exactly 0
BARRED = -1e4
# what an error of a scalar's square counts against a nat of a choice
SCALAR_WEIGHT = 4.0


class Sizes(Protocol):
    """What a plan says of the networks."""

    @property
    def latent_size(self) -> int:
        """Length of the noise."""

    @property
    def width(self) -> int:
        """Of the hidden layers."""

    @property
    def depth(self) -> int:
        """Number of residual blocks."""


class FilledRows(NamedTuple):
    """Rows without holes of shape (rows, width), and the raw outputs they were filled from."""

    rows: Tensor
    raw: Tensor


class CellView(nn.Module):
    """Rows of a layout cell by cell: which belong to which column, and what is seen of them.

    Parameters
    ----------
    layout : Layout
        What a row is made of.
    nulls : ndarray of bool of shape (n_options,)
        Options that no cell may be filled with.
    bins : int
        Bins of a scalar's range, see `CriticFeatures`.

    Attributes
    ----------
    columns : list of str
        The columns, in order.
    """

    place: Tensor
    feature_place: Tensor
    scalar_column: Tensor
    choice_column: Tensor
    barred: Tensor

    def __init__(self, layout: Layout, nulls: np.ndarray, bins: int) -> None:
        super().__init__()
        self.layout = layout
        self.columns = list(dict.fromkeys(span.column for span in layout.spans))
        number = {name: at for at, name in enumerate(self.columns)}
        choice = torch.tensor([number[span.column] for span in layout.choices], dtype=torch.long)
        scalar = torch.tensor([number[span.column] for span in layout.scalars], dtype=torch.long)
        sizes = torch.as_tensor(layout.choice_sizes, dtype=torch.long)
        place = torch.cat([torch.repeat_interleave(choice, sizes), scalar])
        self.features = CriticFeatures(layout, bins)
        extra = (self.features.width - layout.width) // max(layout.n_scalars, 1)
        self.heads = RowHeads(layout)
        barred = torch.zeros(layout.width)
        barred[: layout.n_options][torch.as_tensor(nulls, dtype=torch.bool)] = BARRED
        for name, value in {
            "place": place,
            "feature_place": torch.cat([place, torch.repeat_interleave(scalar, extra)]),
            "choice_column": choice,
            "scalar_column": scalar,
            "barred": barred,
        }.items():
            self.register_buffer(name, value, persistent=False)

    @property
    def seen(self) -> int:
        """Length of what a generator sees of a row, without noise."""
        return self.features.width + len(self.columns)

    def fill(
        self,
        generator: MLPGenerator,
        rows: Tensor,
        shown: Tensor,
        latent: Tensor,
        gumbel: Tensor,
    ) -> FilledRows:
        """Fill what is not shown of rows.

        Parameters
        ----------
        generator : MLPGenerator
            Made by `cell_generator`.
        rows : Tensor of shape (rows, width)
            Rows; what stands in cells that are not shown does not matter.
        shown : Tensor of bool of shape (rows, columns)
            Which cells the generator sees, and which stay as they are.
        latent : Tensor of shape (rows, latent_size)
            Noise.
        gumbel : Tensor of shape (rows, n_options)
            Noise of the options; 0 fills with the likeliest.
        """
        raw = self.raw(generator, rows, shown, latent)
        stays = shown[:, self.place]
        return FilledRows(torch.where(stays, rows, self.heads(raw, gumbel)), raw)

    def raw(self, generator: MLPGenerator, rows: Tensor, shown: Tensor, latent: Tensor) -> Tensor:
        """Raw outputs for all cells, of shape (rows, width), no null among them."""
        seen = self.features(rows) * shown[:, self.feature_place]
        return generator.raw(torch.cat([latent, seen, shown.float()], dim=1)) + self.barred

    def error(self, filled: FilledRows, rows: Tensor, asked: Tensor) -> Tensor:
        """Mean error on the cells asked for: nats of a choice, squares of a scalar."""
        options = self.layout.n_options
        total = filled.raw.new_zeros(())
        if options:
            logs = self.log_shares(filled.raw[:, :options])
            total = total - (logs * rows[:, :options] * asked[:, self.place[:options]]).sum()
        if self.layout.n_scalars:
            alive = self.heads.gates(rows[:, :options]) * asked[:, self.scalar_column]
            gap = torch.tanh(filled.raw[:, options:]) - rows[:, options:]
            total = total + SCALAR_WEIGHT * (gap.square() * alive).sum()
        return total / asked.sum().clamp_min(1)

    def log_shares(self, scores: Tensor) -> Tensor:
        """Logarithms of the options' probabilities within their choices, of the same shape."""
        below = self.heads.below_largest(scores)
        totals = torch.exp(below) @ self.heads.membership
        return below - torch.log(totals)[:, self.heads.group]


class CellCritic(nn.Module):
    """From what is seen of a row and a hint to log-odds for each cell.

    Parameters
    ----------
    size : int
        Length of what it sees.
    columns : int
        Cells of a row.
    width, depth : int
        Of the hidden layers.
    """

    def __init__(self, size: int, columns: int, width: int, depth: int) -> None:
        super().__init__()
        sizes = [size, *[width] * depth]
        layers = [Linear(a, b) for a, b in pairwise(sizes)]
        self.layers, self.leave = nn.ModuleList(layers), Linear(width, columns)

    def forward(self, seen: Tensor) -> Tensor:
        """Log-odds of shape (rows, columns)."""
        for layer in self.layers:
            seen = nn.functional.leaky_relu(layer(seen), 0.2)
        told: Tensor = self.leave(seen)
        return told


def cell_generator(view: CellView, plan: Sizes) -> MLPGenerator:
    """A generator for rows with holes, without a start."""
    return MLPGenerator(view.layout, plan.latent_size, plan.width, plan.depth, view.seen)


def cell_critic(view: CellView, plan: Sizes) -> CellCritic:
    """A critic of cells, without a start."""
    seen = view.features.width + len(view.columns)
    return CellCritic(seen, len(view.columns), plan.width, 2)
