"""The noise a generator starts from: always standard normals, so that a sampler can walk in it."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgan.nets.heads import draw_gumbel, gumbel_from_normal
from synthgan.nets.mlp import MLPGenerator


class Noise:
    """Split a row of standard normals into what a generator takes: latent, context, Gumbel noise.

    Parameters
    ----------
    generator : MLPGenerator
        Whose sizes the noise follows.
    frequencies : Tensor or None
        Probabilities of the options of the condition vector, for conditional games.
    """

    def __init__(self, generator: MLPGenerator, frequencies: Tensor | None) -> None:
        self.latent_size = generator.latent_size
        self.n_options = generator.heads.n_options
        self._cumulative = None if frequencies is None else torch.cumsum(frequencies.double(), 0)
        self.size = self.latent_size + self.n_options + (frequencies is not None)

    def draw(self, rows: int, stream: torch.Generator, device: str) -> tuple[Tensor, Tensor]:
        """Latent (with context) and Gumbel noise of fresh rows, without the detour over normals."""
        latent = self.latent(rows, stream, device)
        return latent, draw_gumbel(rows, self.n_options, stream, device)

    def latent(self, rows: int, stream: torch.Generator, device: str) -> Tensor:
        """Latent (with context) of fresh rows."""
        size = self.latent_size + (self._cumulative is not None)
        normals = torch.randn(rows, size, generator=stream, device=device)
        return self._with_context(normals[:, : self.latent_size], normals[:, -1])

    def split(self, normals: Tensor) -> tuple[Tensor, Tensor]:
        """The same from normals of shape (rows, size)."""
        latent = normals[:, : self.latent_size]
        gumbel = gumbel_from_normal(normals[:, self.latent_size :][:, : self.n_options])
        return self._with_context(latent, normals[:, -1]), gumbel

    def _with_context(self, latent: Tensor, normal: Tensor) -> Tensor:
        if self._cumulative is None:
            return latent
        point = torch.special.ndtr(normal.double()) * self._cumulative[-1]
        option = torch.searchsorted(self._cumulative, point).clamp_max_(self.n_options - 1)
        return torch.cat([latent, option_context(option, self.n_options)], dim=1)


def option_context(option: Tensor, n_options: int) -> Tensor:
    """The condition vector: one-hot over all options of all choices."""
    return torch.nn.functional.one_hot(option, n_options).float()
