"""A network's weights while it learns: one piece of memory, moved by Adam in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from synthgan.bundle import part

# elements between the starts of two weights: kernels read aligned memory faster
ALIGNMENT = 64
# what keeps Adam from dividing by zero
EPSILON = 1e-8
State = dict[str, Tensor]
Net = TypeVar("Net", bound=nn.Module)


class Weights:
    """All weights of one network in one tensor, so that each step of Adam is one operation.

    A network of bfloat16 computes with rounded copies of its weights, while Adam (Kingma and Ba,
    2015) moves the weights themselves, which would not feel its small steps (Micikevicius et al.,
    "Mixed precision training", 2018). The copies are made once a step, not once for each use.

    Parameters
    ----------
    net : Module
        The network, on the device it learns on; its parameters become views.
    rate : Tensor
        The learning rate, of no dimensions; read at every step.
    betas : tuple of float
        Adam's decay rates.
    dtype : torch.dtype
        Number type the network computes with.
    """

    def __init__(
        self, net: nn.Module, rate: Tensor, betas: tuple[float, float], dtype: torch.dtype
    ) -> None:
        self.net, self._rate, self._betas = net, rate, betas
        self.master = flatten(net)
        self._working = self.master if dtype == self.master.dtype else self.master.to(dtype)
        view(net, self._working)
        self._weights = list(net.parameters())
        self._slope, self._mean, self._square = (torch.zeros_like(self.master) for _ in range(3))
        self._steps = torch.zeros((), device=self.master.device)
        self._slopes = _parts(net, self._slope)

    def descend(self, loss: Tensor) -> None:
        """One step of Adam down the slope of a loss."""
        self.follow(torch.autograd.grad(loss, self._weights, materialize_grads=True))

    @torch.no_grad()
    def follow(self, slopes: Sequence[Tensor]) -> None:
        """One step of Adam down slopes, one for each parameter of the network."""
        torch._foreach_copy_(self._slopes, list(slopes))
        self._steps.add_(1.0)
        # torch.optim would first load a compiler, which takes longer than small tables to learn
        torch.ops.aten._fused_adam_.tensor_lr(
            [self.master],
            [self._slope],
            [self._mean],
            [self._square],
            [],
            [self._steps],
            lr=self._rate,
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )
        self._publish()

    @torch.no_grad()
    def clip(self, bound: float) -> None:
        """Bring all weights into [-bound, bound]."""
        self.master.clamp_(-bound, bound)
        self._publish()

    def _publish(self) -> None:
        if self._working is not self.master:
            self._working.copy_(self.master)

    def snapshot(self) -> State:
        """A copy of the weights and of what else the network keeps."""
        kept = {name: buffer.clone() for name, buffer in _buffers(self.net).items()}
        return {"weights": self.master.clone(), **kept}

    def restore(self, state: State) -> None:
        """Go back to a snapshot; Adam starts afresh."""
        self.master.copy_(state["weights"])
        for name, buffer in _buffers(self.net).items():
            buffer.copy_(state[name])
        for moment in (self._mean, self._square, self._steps):
            # in place: a recorded step goes on with the same memory
            moment.zero_()
        self._publish()

    def release(self) -> nn.Module:
        """The network with its weights in full precision, on the CPU."""
        view(self.net, self.master)
        return self.net.cpu().eval().requires_grad_(False)


def snapshot_all(average: Tensor, players: Mapping[str, Weights]) -> State:
    """A copy of an averaged player and of all that play."""
    return {"average": average.clone()} | {
        f"{name}.{key}": value
        for name, weights in players.items()
        for key, value in weights.snapshot().items()
    }


def restore_all(average: Tensor, players: Mapping[str, Weights], state: State) -> None:
    """Go back to what `snapshot_all` gave; the optimisers start afresh."""
    average.copy_(state["average"])
    for name, weights in players.items():
        weights.restore(part(state, f"{name}."))


def averaged(net: Net) -> tuple[Net, Tensor]:
    """A copy of a network that nobody trains, and its weights in one tensor, by which it moves."""
    copy = deepcopy(net).requires_grad_(False)
    flat = flatten(copy)
    view(copy, flat)
    return copy, flat


def flatten(net: nn.Module) -> Tensor:
    """All parameters of a network in one tensor of float32, with gaps that align them."""
    size = sum(_aligned(weight.numel()) for weight in net.parameters())
    flat = torch.zeros(size, device=next(net.parameters()).device)
    for weight, place in zip(net.parameters(), _parts(net, flat), strict=True):
        place.copy_(weight.detach())
    return flat


def view(net: nn.Module, flat: Tensor) -> None:
    """Make the parameters of a network views of what `flatten` gives."""
    for weight, place in zip(net.parameters(), _parts(net, flat), strict=True):
        weight.data = place


def _parts(net: nn.Module, flat: Tensor) -> list[Tensor]:
    """Views of a flat tensor in the shapes of a network's parameters."""
    sizes = [_aligned(weight.numel()) for weight in net.parameters()]
    return [
        place[: weight.numel()].view(weight.shape)
        for weight, place in zip(net.parameters(), torch.split(flat, sizes), strict=True)
    ]


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _buffers(net: nn.Module) -> State:
    """What a network keeps beside its parameters, without what its layout gives again."""
    learned = {name for name, _ in net.named_parameters()}
    return {name: value for name, value in net.state_dict().items() if name not in learned}
