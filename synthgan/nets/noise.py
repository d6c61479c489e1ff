"""The noise a generator starts from."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgan.nets.heads import draw_gumbel
from synthgan.nets.mlp import MLPGenerator


class Noise:
    """What a generator takes beside its weights: latent, context, Gumbel noise.

    Parameters
    ----------
    generator : MLPGenerator
        Whose sizes the noise follows.
    frequencies : Tensor or None
        Probabilities of the options of the condition vector, for conditional games.

    Attributes
    ----------
    normals : int
        How many standard normals stand behind the latent and the context of a row.
    """

    def __init__(self, generator: MLPGenerator, frequencies: Tensor | None) -> None:
        self.latent_size = generator.latent_size
        self.n_options = generator.heads.n_options
        self._cumulative = None if frequencies is None else torch.cumsum(frequencies.double(), 0)
        self.normals = self.latent_size + (frequencies is not None)

    def draw(self, rows: int, stream: torch.Generator, device: str) -> tuple[Tensor, Tensor]:
        """Latent (with context) and Gumbel noise of fresh rows, without the detour over normals."""
        latent = self.latent(rows, stream, device)
        return latent, draw_gumbel(rows, self.n_options, stream, device)

    def latent(self, rows: int, stream: torch.Generator, device: str) -> Tensor:
        """Latent (with context) of fresh rows."""
        return self.given(torch.randn(rows, self.normals, generator=stream, device=device))

    def given(self, normals: Tensor) -> Tensor:
        """The same from normals of shape (rows, normals), so that a sampler can walk in them."""
        if self._cumulative is None:
            return normals
        point = torch.special.ndtr(normals[:, -1].double()) * self._cumulative[-1]
        option = torch.searchsorted(self._cumulative, point).clamp_max_(self.n_options - 1)
        context = option_context(option, self.n_options)
        return torch.cat([normals[:, : self.latent_size], context], dim=1)


def option_context(option: Tensor, n_options: int) -> Tensor:
    """The condition vector: one-hot over all options of all choices."""
    return torch.nn.functional.one_hot(option, n_options).float()
