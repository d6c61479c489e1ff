"""The linear layer of all networks, and the generator: a residual multilayer perceptron."""

from __future__ import annotations

from torch import Tensor, nn

from synthgan.data.layout import Layout
from synthgan.nets.heads import RowHeads


class Linear(nn.Linear):
    """A linear layer without a random start of its own, which would draw from the global stream."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever builds the network."""

    def kernel(self) -> Tensor:
        """The weights that multiply what comes in, of shape (out, in)."""
        return self.weight


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
        hidden = self.enter(latent.to(self.enter.weight.dtype))
        for block in self.blocks:
            hidden = block(hidden)
        out: Tensor = self.leave(self.norm(hidden))
        return out.float()

    def forward(self, latent: Tensor, gumbel: Tensor) -> Tensor:
        """Rows of shape (rows, width); `latent` holds the context in its last columns."""
        rows: Tensor = self.heads(self.raw(latent), gumbel)
        return rows
