"""How well the generator can make a row: by an encoder, or by a search among latent vectors.

An encoder is learned beside the finished pair, from generated rows back to their latent vectors and
to themselves (f-AnoGAN: Schlegl et al., "f-AnoGAN: fast unsupervised anomaly detection with
generative adversarial networks", 2019). A search moves the latent vectors of many rows at once,
from where the encoder puts them (AnoGAN: Schlegl et al., 2017, where it was one row at a time from
chance starts). What remains is measured in the row and in the critic's hidden layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthgan.anomaly.critic import as_rows, judged
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.mlp import Linear
from synthgan.training import Trained
from synthgan.training.players import initialise

WIDTH, STEPS, BATCH, RATE = 128, 400, 256, 2e-3
# weight of the critic's hidden layer beside the row, and of a latent vector longer than usual
HIDDEN_WEIGHT, LATENT_WEIGHT = 0.1, 0.01
SEARCH_STEPS, SEARCH_RATE, SEARCH_ROWS = 60, 0.05, 4_096

Floats = NDArray[np.float64]


class Encoder(nn.Module):
    """From rows of a layout to latent vectors.

    Parameters
    ----------
    width, latent_size : int
        Length of a row, and of a latent vector.
    """

    def __init__(self, width: int, latent_size: int) -> None:
        super().__init__()
        self.enter = Linear(width, WIDTH)
        self.within = Linear(WIDTH, WIDTH)
        self.leave = Linear(WIDTH, latent_size)

    def forward(self, rows: Tensor) -> Tensor:
        """Latent vectors of shape (n, latent_size)."""
        hidden = nn.functional.leaky_relu(self.enter(rows), 0.2)
        hidden = hidden + nn.functional.leaky_relu(self.within(hidden), 0.2)
        out: Tensor = self.leave(hidden)
        return out


class Reconstruction:
    """An encoder beside a trained pair.

    Parameters
    ----------
    trained : Trained
        The pair.
    encoder : Encoder
        The way back.
    """

    def __init__(self, trained: Trained, encoder: Encoder) -> None:
        self.trained, self.encoder = trained, encoder.eval().requires_grad_(False)

    @classmethod
    def learn(cls, trained: Trained, matrix: EncodedMatrix, seed: int) -> Self:
        """Learn the encoder on encoded rows and on generated ones, by halves."""
        generator = trained.sampler.generator
        encoder = initialise(Encoder(trained.layout.width, generator.latent_size), seed)
        stream = torch.Generator().manual_seed(seed)
        real, optimiser = as_rows(trained, matrix), torch.optim.Adam(encoder.parameters(), RATE)
        for _ in range(STEPS if trained.layout.width else 0):
            latent = torch.randn(BATCH, generator.latent_size, generator=stream)
            with torch.no_grad():
                made = soft_rows(trained, latent)
            drawn = real[torch.randint(0, len(real), (BATCH,), generator=stream)]
            back = encoder(torch.cat([made, drawn]))
            gap = (back[:BATCH] - latent).square().mean()
            again = _gap(trained, soft_rows(trained, back[BATCH:]), drawn).mean()
            optimiser.zero_grad()
            (gap + again).backward()
            optimiser.step()
        return cls(trained, encoder)

    @torch.no_grad()
    def oddness(self, matrix: EncodedMatrix) -> Floats:
        """What the encoder's way back leaves of encoded rows, of shape (n,); higher is odder."""
        if self.trained.layout.width == 0:
            return np.zeros(matrix.rows)
        parts = [np.zeros(0)]
        for start in range(0, matrix.rows, SEARCH_ROWS):
            rows = as_rows(self.trained, matrix.take(slice(start, start + SEARCH_ROWS)))
            gap = _gap(self.trained, soft_rows(self.trained, self.encoder(rows)), rows)
            parts.append(gap.double().numpy())
        return np.concatenate(parts)

    def searched(self, matrix: EncodedMatrix) -> Floats:
        """What the best latent vectors leave, found by gradients for many rows at once."""
        if self.trained.layout.width == 0:
            return np.zeros(matrix.rows)
        parts = [np.zeros(0)]
        for start in range(0, matrix.rows, SEARCH_ROWS):
            rows = as_rows(self.trained, matrix.take(slice(start, start + SEARCH_ROWS)))
            parts.append(self._search(rows).double().numpy())
        return np.concatenate(parts)

    def _search(self, rows: Tensor) -> Tensor:
        latent = self.encoder(rows).detach().requires_grad_(True)
        optimiser = torch.optim.Adam([latent], SEARCH_RATE)
        best = torch.full((len(rows),), torch.inf)
        for _ in range(SEARCH_STEPS):
            gap = _gap(self.trained, soft_rows(self.trained, latent), rows)
            best = torch.minimum(best, gap.detach())
            # each row's own gap: rows do not wait for each other
            loss = (gap + LATENT_WEIGHT * latent.square().mean(dim=1)).sum()
            (latent.grad,) = torch.autograd.grad(loss, [latent])
            optimiser.step()
        return best

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays, without the pair."""
        return {}, {name: value.numpy() for name, value in self.encoder.state_dict().items()}

    @classmethod
    def from_state(
        cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], trained: Trained
    ) -> Self:
        """The reverse of `to_state`."""
        encoder = Encoder(trained.layout.width, trained.sampler.generator.latent_size)
        encoder.load_state_dict({name: torch.as_tensor(value) for name, value in arrays.items()})
        return cls(trained, encoder)


def soft_rows(trained: Trained, latent: Tensor) -> Tensor:
    """Rows that a generator makes, with the chances of options instead of a draw among them."""
    generator = trained.sampler.generator
    # a conditional generator is asked for nothing
    latent = nn.functional.pad(latent, (0, generator.context_size))
    raw, heads = generator.raw(latent), generator.heads
    if not heads.n_options:
        return torch.tanh(raw)
    parts = torch.split(raw[:, : heads.n_options], heads.sizes, dim=1)
    chances = torch.cat([torch.softmax(each, dim=1) for each in parts], dim=1)
    scalars = torch.tanh(raw[:, heads.n_options :]) * heads.gates(chances)
    return torch.cat([chances, scalars], dim=1)


def _gap(trained: Trained, made: Tensor, rows: Tensor) -> Tensor:
    """Distance of made rows to given ones, in the row and in the critic, of shape (n,)."""
    _, theirs = judged(trained, made)
    _, ours = judged(trained, rows)
    return (made - rows).abs().mean(dim=1) + HIDDEN_WEIGHT * (theirs - ours).abs().mean(dim=1)
