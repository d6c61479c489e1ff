"""What the imputation game proposes for cells: means of numbers, shares of categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthgan.data.matrix import EncodedMatrix
from synthgan.data.numbers import NumberEncoder
from synthgan.imputation.cells import Cells
from synthgan.nets.cells import CellView
from synthgan.nets.mlp import MLPGenerator
from synthgan.training.rows import one_hot_rows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
ROWS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Proposer:
    """A trained generator that is asked about cells.

    Attributes
    ----------
    cells : Cells
        The columns.
    view : CellView
        How the generator sees them.
    generator : MLPGenerator
        The generator.
    latents : Tensor of shape (draws, latent_size)
        The noise it is asked with: the same for every row, so that what is proposed for one does
        not depend on the others.
    """

    cells: Cells
    view: CellView
    generator: MLPGenerator
    latents: Tensor

    @torch.no_grad()
    def ask(self, matrix: EncodedMatrix, shown: Mask) -> list[Floats]:
        """What each column's cells may be, given those that are shown.

        Parameters
        ----------
        matrix : EncodedMatrix
            Rows.
        shown : ndarray of bool of shape (rows, columns)
            Cells that the generator may see.

        Returns
        -------
        list of ndarray
            Of a number the expected value, of shape (rows, 1), of a category the probability of
            each option, of shape (rows, options).
        """
        parts = [
            self._ask(matrix.take(slice(at, at + ROWS_AT_ONCE)), shown[at : at + ROWS_AT_ONCE])
            for at in range(0, max(matrix.rows, 1), ROWS_AT_ONCE)
        ]
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def _ask(self, matrix: EncodedMatrix, shown: Mask) -> list[Floats]:
        layout = self.cells.layout
        offsets = torch.as_tensor(layout.choice_offsets[: matrix.codes.shape[1]])
        scalars = torch.as_tensor(np.nan_to_num(matrix.scalars))
        rows = one_hot_rows(torch.as_tensor(matrix.codes), scalars, offsets, layout)
        sums: list[Floats] = []
        for latent in self.latents:
            noise = latent.expand(len(rows), -1)
            raw = self.view.raw(self.generator, rows, torch.as_tensor(shown), noise)
            shares = torch.exp(self.view.log_shares(raw[:, : layout.n_options])).double().numpy()
            ranks = (torch.tanh(raw[:, layout.n_options :]).double().numpy() + 1.0) / 2.0
            told = [self._told(n, shares, ranks) for n in range(len(self.cells.names))]
            sums = [a + b for a, b in zip(sums, told, strict=True)] if sums else told
        return [each / len(self.latents) for each in sums]

    def _told(self, number: int, shares: Floats, ranks: Floats) -> Floats:
        encoder, layout = self.cells.encoders[number], self.cells.layout
        name = self.cells.names[number]
        choice, scalar = layout.column_choice(name), layout.column_scalar(name)
        own = np.ones((len(ranks), 1))
        if choice is not None:
            start = layout.choice_offsets[choice]
            own = shares[:, start : start + layout.choice_sizes[choice]]
        if not isinstance(encoder, NumberEncoder):
            return own[:, : self.cells.options[number]]
        spikes = 0 if choice is None else len(encoder.spikes)
        mean = own[:, :spikes] @ encoder.spikes[:spikes].astype(np.float64)
        if scalar is not None and encoder.ranks is not None:
            value = encoder.ranks.value(ranks[:, scalar]).astype(np.float64)
            mean = mean + own[:, spikes] * value
        return np.asarray(mean)[:, np.newaxis]
