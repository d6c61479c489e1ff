"""Slopes of single rows, cut to a length, and summed: in closed form for linear layers.

The slope of one row's loss with respect to a layer's weights is the outer product of what came in
and of the slope at what came out, so its squared length is the product of theirs (Goodfellow,
"Efficient per-example gradient computations", 2015), and the sum of the cut ones is one product of
matrices (Li, Tramer, Liang and Hashimoto, "Large language models can be strong differentially
private learners", ICLR 2022). No slope of a single row is ever held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthgan.nets.critics import MLPCritic
from synthgan.nets.mlp import Linear


class RowSlopes:
    """The slopes of the losses of some rows, with respect to the weights of all layers of a critic.

    Layers are told by their kernels: what a spectral norm makes of the weights comes after.

    Parameters
    ----------
    losses : Tensor of shape (rows,)
        Of rows that a critic judged one by one: none may depend on another row.
    inputs, outputs : sequence of Tensor of shape (rows, ...)
        What came into each layer, and what came out.
    """

    def __init__(self, losses: Tensor, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self._inputs = [each.detach() for each in inputs]
        self._outputs = torch.autograd.grad(losses.sum(), list(outputs))
        squares = [
            (into.square().sum(dim=1) + 1.0) * out.square().sum(dim=1)
            for into, out in zip(self._inputs, self._outputs, strict=True)
        ]
        self._norms = torch.stack(squares).sum(dim=0).sqrt()

    def norms(self) -> Tensor:
        """Length of each row's slope over all layers, biases too, of shape (rows,)."""
        return self._norms

    def kept(self, length: float) -> Tensor:
        """What clipping leaves of each row's slope, of shape (rows,)."""
        return (length / self.norms().clamp_min(1e-12)).clamp_max(1.0)

    def along(self, parts: Sequence[Tensor]) -> Tensor:
        """Inner product of each row's slope with one of the same parts, of shape (rows,)."""
        total = self._outputs[0].new_zeros(len(self._outputs[0]))
        pairs = zip(parts[::2], parts[1::2], strict=True)
        layers = zip(self._inputs, self._outputs, pairs, strict=True)
        for into, out, (kernel, bias) in layers:
            total = total + ((out @ kernel) * into).sum(dim=1) + out @ bias
        return total

    def gram(self) -> Tensor:
        """Inner products of the slopes of all pairs of rows, of shape (rows, rows)."""
        parts = [
            (into @ into.T + 1.0) * (out @ out.T)
            for into, out in zip(self._inputs, self._outputs, strict=True)
        ]
        return torch.stack(parts).sum(dim=0)

    def total(self, weights: Tensor) -> list[Tensor]:
        """The sum of slopes, each times a weight: of kernel and bias of every layer in turn."""
        found = []
        for into, out in zip(self._inputs, self._outputs, strict=True):
            weighed = out * weights[:, None]
            found += [weighed.T @ into, weighed.sum(dim=0)]
        return found


def judged(critic: MLPCritic, rows: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Scores of rows, of shape (rows,), and what came into and out of each layer."""
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []

    def seen(layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        inputs.append(given[0])
        outputs.append(made)

    watched = [layer.register_forward_hook(seen) for layer in _layers(critic)]
    try:
        scores = critic(rows)
    finally:
        for each in watched:
            each.remove()
    return scores, inputs, outputs


def to_parameters(critic: MLPCritic, slopes: Sequence[Tensor]) -> list[Tensor]:
    """Slopes with respect to kernels and biases as slopes of the parameters themselves."""
    found: dict[int, Tensor] = {}
    for layer, kernel_slope, bias_slope in zip(
        _layers(critic), slopes[::2], slopes[1::2], strict=True
    ):
        assert isinstance(layer, Linear)
        with torch.enable_grad():
            kernel = layer.kernel()
            found[id(layer.weight)] = (
                kernel_slope
                if kernel is layer.weight
                else torch.autograd.grad(kernel, layer.weight, kernel_slope)[0]
            )
        assert layer.bias is not None
        found[id(layer.bias)] = bias_slope
    return [found[id(parameter)] for parameter in critic.parameters()]


def _layers(critic: MLPCritic) -> list[nn.Module]:
    return [*critic.layers, critic.score]
