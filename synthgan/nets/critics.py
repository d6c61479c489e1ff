"""Critics: a perceptron with its slope written out, its variants, and several of them together.

Sources: spectral normalisation, Miyato et al. 2018; the spread of a batch as a feature of its rows
(minibatch standard deviation), Karras et al. 2018, after the minibatch discrimination of Salimans
et al. 2016; several critics, Durugkar et al. 2017.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear, normalize

from synthgan.nets.mlp import Linear

SLOPE = 0.2
# power iterations before the first move; later one a move is enough, since weights change slowly
FIRST_ITERATIONS = 20


class SpectralLinear(Linear):
    """A linear layer whose weights are divided by their largest singular value.

    The singular vectors are kept and improved by one power iteration for each move of the critic.
    """

    left: Tensor
    right: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias)
        self.register_buffer("left", torch.zeros(out_features))
        self.register_buffer("right", torch.zeros(in_features))

    def begin(self, stream: torch.Generator) -> None:
        """Find the singular vectors from a random start."""
        self.left.copy_(torch.randn(self.out_features, generator=stream))
        for _ in range(FIRST_ITERATIONS):
            self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """One power iteration."""
        weight = self.weight.float()
        self.right.copy_(normalize(weight.T @ self.left, dim=0))
        self.left.copy_(normalize(weight @ self.right, dim=0))

    def kernel(self) -> Tensor:
        """The weights at a spectral norm of 1."""
        norm = (self.left[:, None] * self.weight * self.right).sum()
        return self.weight / norm.to(self.weight.dtype)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows of shape (rows, in) times the normed weights, of shape (rows, out)."""
        return linear(rows, self.kernel(), self.bias)


class _Spread:
    """Mean over features of the standard deviation of hidden rows, each side for itself."""

    def __init__(self, hidden: Tensor, sides: int) -> None:
        self._shape = hidden.shape
        parts = hidden.float().view(sides, -1, hidden.shape[1])
        self._centred = parts - parts.mean(dim=1, keepdim=True)
        self._deviation = (self._centred.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()
        self.value = self._deviation.mean(dim=2)

    def column(self) -> Tensor:
        """The spread beside every row, of shape (rows, 1)."""
        sides, rows = len(self._centred), self._centred.shape[1]
        return self.value[:, None].expand(sides, rows, 1).reshape(-1, 1)

    def slope(self, pull: Tensor) -> Tensor:
        """What the rows get of the pull on their side's spread, of shape (rows, 1)."""
        total = pull.float().view(len(self._centred), -1, 1).sum(dim=1, keepdim=True)
        each = self._centred / self._deviation / self._centred[0].numel()
        return (total * each).view(self._shape)


class MLPCritic(nn.Module):
    """A residual perceptron with LeakyReLU and no normalisation; one score per row or pack.

    The gradient of the score with respect to the row is written out (`score_and_slope`): LeakyReLU
    is piecewise linear, so its own derivative is a constant mask and the gradient penalty needs no
    double backward.

    Parameters
    ----------
    input_size, width, depth : int
        Length of a row or pack, width of the hidden layers and their number.
    spectral_norm : bool, default False
        Whether every layer has a spectral norm of 1.
    dropout : float, default 0.0
        Share of the hidden units that `masks` silences.
    sees_spread : bool, default False
        Whether the last hidden layer also sees how far the rows of a batch are spread.
    """

    usual_spread: Tensor

    def __init__(
        self,
        input_size: int,
        width: int,
        depth: int,
        *,
        spectral_norm: bool = False,
        dropout: float = 0.0,
        sees_spread: bool = False,
    ) -> None:
        super().__init__()
        layer = SpectralLinear if spectral_norm else Linear
        self.input_size, self.width, self.dropout = input_size, width, dropout
        pairs = itertools.pairwise([input_size, *[width] * depth])
        self.layers = nn.ModuleList(layer(before, after) for before, after in pairs)
        self.score = layer(width, 1)
        self.spread = layer(1, width, bias=False) if sees_spread else None
        if sees_spread:
            # of real rows, for those that are scored alone
            self.register_buffer("usual_spread", torch.zeros(1, 1))

    @property
    def members(self) -> Sequence[MLPCritic]:
        """The critics, of which this is the only one."""
        return [self]

    def masks(self, rows: int, stream: torch.Generator) -> Tensor | None:
        """What dropout keeps of each hidden layer, of shape (depth, rows, width)."""
        if self.dropout == 0.0:
            return None
        shape, device = (len(self.layers), rows, self.width), self.score.weight.device
        kept = torch.rand(shape, generator=stream, device=device) >= self.dropout
        return kept / (1.0 - self.dropout)

    def forward(self, rows: Tensor) -> Tensor:
        """Scores of shape (rows,), in float32."""
        return self.judge(rows)[0]

    def judge(
        self, rows: Tensor, masks: Tensor | None = None, sides: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Scores of shape (rows,), and the last hidden layer, of shape (rows, width).

        `sides` equal parts of the rows, such as real and fake ones, are spread each for itself.
        """
        hidden, _, _ = self._climb(rows, masks, sides)
        out: Tensor = self.score(hidden)
        return out.float().squeeze(1), hidden

    def score_and_slope(
        self, rows: Tensor, masks: Tensor | None = None, sides: int = 1, every: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Scores of shape (rows,), and the gradient of their sum, in the network's number type.

        The gradient is that of every row, or of each second, third, ... one only: where rows are
        drawn at random these stand for all. A critic that sees the spread of a batch takes all
        rows, since each has a part in the scores of the others.
        """
        hidden, befores, spread = self._climb(rows, masks, sides)
        score = self.score(hidden).float().squeeze(1)
        if every > 1 and spread is None:
            hidden, befores = hidden[::every], [before[::every] for before in befores]
            masks = None if masks is None else masks[:, ::every]
        slope = self.score.kernel().expand_as(hidden)
        for number in reversed(range(len(befores))):
            kept = slope if masks is None else slope * masks[number].to(slope.dtype)
            inner = torch.ops.aten.leaky_relu_backward(kept, befores[number].detach(), SLOPE, False)
            below = _through(inner, self.layers[number])
            if spread is not None and number == len(befores) - 1:
                assert self.spread is not None
                below = below + spread.slope(_through(inner, self.spread)).to(below.dtype)
            slope = slope + below if number else below
        return score, slope

    def _climb(
        self, rows: Tensor, masks: Tensor | None, sides: int
    ) -> tuple[Tensor, list[Tensor], _Spread | None]:
        """The last hidden layer, what stood before each LeakyReLU, and the spread it saw."""
        befores: list[Tensor] = []
        hidden, spread = rows.to(self.score.weight.dtype), None
        for number, layer in enumerate(self.layers):
            before = layer(hidden)
            if self.spread is not None and number == len(self.layers) - 1:
                spread = _Spread(hidden, sides) if self.training else None
                seen = self.usual_spread if spread is None else spread.column()
                before = before + self.spread(seen.to(before.dtype))
            step = leaky_relu(before, SLOPE)
            if masks is not None:
                step = step * masks[number].to(step.dtype)
            befores.append(before)
            hidden = hidden + step if number else step
        return hidden, befores, spread

    @torch.no_grad()
    def settle(self, rows: Tensor) -> None:
        """Keep the spread of real rows, for rows that will be scored alone."""
        if self.spread is not None:
            _, _, spread = self._climb(rows, None, 1)
            assert spread is not None
            self.usual_spread.copy_(spread.value)


class CriticPanel(nn.Module):
    """Several critics of one shape, each from its own start; together they score by their mean.

    Parameters
    ----------
    members : iterable of MLPCritic
        The critics.
    """

    def __init__(self, members: Iterable[MLPCritic]) -> None:
        super().__init__()
        self._members = nn.ModuleList(members)

    @property
    def members(self) -> Sequence[MLPCritic]:
        """The critics."""
        return list(self._members)  # type: ignore[arg-type]

    @property
    def input_size(self) -> int:
        """Length of a row or pack."""
        return self.members[0].input_size

    def forward(self, rows: Tensor) -> Tensor:
        """Mean scores of shape (rows,)."""
        return torch.stack([member(rows) for member in self.members]).mean(dim=0)


Critic = MLPCritic | CriticPanel


def _through(inner: Tensor, layer: nn.Module) -> Tensor:
    """A slope behind a layer turned into the one before it."""
    assert isinstance(layer, Linear)
    return inner @ layer.kernel()
