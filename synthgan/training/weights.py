"""A network's weights while it learns: one piece of memory, moved by Adam in float32."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

# elements between the starts of two weights: kernels read aligned memory faster
ALIGNMENT = 64
State = dict[str, Tensor]


class Weights:
    """All weights of one network in one tensor, so that each step of Adam is one operation.

    A network of bfloat16 computes with rounded copies of its weights, while Adam moves the weights
    themselves, which would not feel its small steps (Micikevicius et al., "Mixed precision
    training", 2018). The copies are made once a step, not once for each use.

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
        self.net = net
        self.master = flatten(net)
        self.master.grad = torch.zeros_like(self.master)
        self._working, self._grad = self.master, self.master.grad
        if dtype != self.master.dtype:
            self._working, self._grad = self.master.to(dtype), self.master.grad.to(dtype)
        view(net, self._working, self._grad)
        on_gpu = self.master.device.type == "cuda"
        self._adam = torch.optim.Adam([self.master], rate, betas, fused=True, capturable=on_gpu)

    def descend(self, loss: Tensor) -> None:
        """One step of Adam down the slope of a loss."""
        self._grad.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        if self._grad is not self.master.grad:
            assert self.master.grad is not None
            self.master.grad.copy_(self._grad)
        self._adam.step()
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
        for moment in itertools.chain(*(each.values() for each in self._adam.state.values())):
            # in place: a recorded step goes on with the same memory
            moment.zero_()
        self._publish()

    def release(self) -> nn.Module:
        """The network with its weights in full precision, on the CPU."""
        view(self.net, self.master, None)
        return self.net.cpu().eval().requires_grad_(False)


def flatten(net: nn.Module) -> Tensor:
    """All parameters of a network in one tensor of float32, with gaps that align them."""
    sizes = [_aligned(weight.numel()) for weight in net.parameters()]
    flat = torch.zeros(sum(sizes), device=next(net.parameters()).device)
    for part, weight in zip(torch.split(flat, sizes), net.parameters(), strict=True):
        part[: weight.numel()].copy_(weight.detach().flatten())
    return flat


def view(net: nn.Module, flat: Tensor, grad: Tensor | None) -> None:
    """Make the parameters of a network, and their gradients, views of what `flatten` gives."""
    sizes = [_aligned(weight.numel()) for weight in net.parameters()]
    slopes = [None] * len(sizes) if grad is None else torch.split(grad, sizes)
    for weight, part, slope in zip(net.parameters(), torch.split(flat, sizes), slopes, strict=True):
        # a gradient must have the type of its weight at every moment
        weight.grad = None
        weight.data = part[: weight.numel()].view(weight.shape)
        weight.grad = None if slope is None else slope[: weight.numel()].view(weight.shape)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _buffers(net: nn.Module) -> State:
    """What a network keeps beside its parameters, without what its layout gives again."""
    learned = {name for name, _ in net.named_parameters()}
    return {name: value for name, value in net.state_dict().items() if name not in learned}
