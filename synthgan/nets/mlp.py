"""The default core: residual multilayer perceptrons for generator and critic."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.nets.heads import RowHeads

SLOPE = 0.2


class Linear(nn.Linear):
    """A linear layer without a random start of its own, which would draw from the global stream."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever builds the network."""


class _Block(nn.Module):
    """Pre-norm residual block: LayerNorm, width to twice the width and back, GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = Linear(width, 2 * width)
        self.down = Linear(2 * width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        inner: Tensor = nn.functional.gelu(self.up(self.norm(hidden)))
        out: Tensor = hidden + self.down(inner)
        return out


class MLPGenerator(nn.Module):
    """From latent normals (and, for conditional games, a context) to rows of a layout.

    Parameters
    ----------
    layout : Layout
        What a row is made of.
    latent_size : int
        Length of the normal latent vector.
    width : int
        Width of the residual stream.
    depth : int
        Number of residual blocks.
    context_size : int, default 0
        Length of the condition vector that is put beside the latent one.
    """

    def __init__(
        self, layout: Layout, latent_size: int, width: int, depth: int, context_size: int = 0
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.context_size = context_size
        self.enter = Linear(latent_size + context_size, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = Linear(width, layout.width)
        self.heads = RowHeads(layout)

    def raw(self, latent: Tensor) -> Tensor:
        """Raw outputs of shape (rows, width) before heads, in float32."""
        hidden = self.enter(latent)
        for block in self.blocks:
            hidden = block(hidden)
        out: Tensor = self.leave(self.norm(hidden))
        return out.float()

    def forward(self, latent: Tensor, gumbel: Tensor) -> Tensor:
        """Rows of shape (rows, width); `latent` holds the context in its last columns."""
        rows: Tensor = self.heads(self.raw(latent), gumbel)
        return rows


class MLPCritic(nn.Module):
    """A residual perceptron with LeakyReLU and no normalisation; one score per row or pack.

    The gradient of the score with respect to the row is written out (`score_and_slope`): LeakyReLU
    is piecewise linear, so its own derivative is a constant mask and the gradient penalty needs no
    double backward.
    """

    def __init__(self, input_size: int, width: int, depth: int) -> None:
        super().__init__()
        self.input_size = input_size
        sizes = [input_size, *[width] * depth]
        pairs = itertools.pairwise(sizes)
        self.layers = nn.ModuleList(Linear(before, after) for before, after in pairs)
        self.score = Linear(width, 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Scores of shape (rows,), in float32."""
        hidden = nn.functional.leaky_relu(self.layers[0](rows), SLOPE)
        for layer in self.layers[1:]:
            hidden = hidden + nn.functional.leaky_relu(layer(hidden), SLOPE)
        out: Tensor = self.score(hidden)
        return out.float().squeeze(1)

    def score_and_slope(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of shape (rows,) and their gradients with respect to `rows`, of its shape."""
        befores: list[Tensor] = []
        hidden: Tensor | None = None
        for layer in self.layers:
            befores.append(layer(rows if hidden is None else hidden))
            step = nn.functional.leaky_relu(befores[-1], SLOPE)
            hidden = step if hidden is None else hidden + step
        assert hidden is not None
        score = self.score(hidden).float().squeeze(1)
        slope = self.score.weight.to(hidden.dtype).expand_as(hidden)
        for layer, before in zip(self.layers[:0:-1], befores[:0:-1], strict=True):
            slope = slope + _through_layer(slope, layer, before)
        return score, _through_layer(slope, self.layers[0], befores[0]).float()


def _through_layer(slope: Tensor, layer: nn.Module, before: Tensor) -> Tensor:
    """A slope after a layer and its LeakyReLU turned into the one before them."""
    inner: Tensor = torch.ops.aten.leaky_relu_backward(slope, before.detach(), SLOPE, False)
    weight: Tensor = layer.get_parameter("weight").to(slope.dtype)
    return inner @ weight
