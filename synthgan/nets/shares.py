"""What a generator's raw outputs come to in cells, in expectation over its choices."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthgan.data.cell_map import CellMap
from synthgan.nets.heads import RowHeads


class Shares(nn.Module):
    """Raw outputs as shares in cells (see `CellMap`), which a gradient passes.

    Given the latent, options are drawn one by one: so the product of two columns' expected shares
    is the expected product.

    Parameters
    ----------
    cells : CellMap
        The cells.
    """

    collect: Tensor
    scalar: Tensor
    knot: Tensor
    at: Tensor
    width: Tensor
    by: Tensor

    def __init__(self, cells: CellMap) -> None:
        super().__init__()
        layout = cells.layout
        self.heads = RowHeads(layout)
        self.n_options, self.n_scalars = layout.n_options, layout.n_scalars
        collect = torch.zeros(layout.n_options, cells.cells)
        group = torch.as_tensor(cells.group)
        grouped = torch.nonzero(group >= 0).flatten()
        collect[grouped, group[grouped]] = 1.0
        for name, value in {
            "collect": collect,
            "scalar": torch.as_tensor(cells.scalar),
            "knot": torch.as_tensor(cells.knot),
            "at": torch.as_tensor(cells.at, dtype=torch.float32),
            "width": torch.as_tensor(cells.width, dtype=torch.float32),
            "by": torch.as_tensor(cells.by),
        }.items():
            self.register_buffer(name, value, persistent=False)

    def options(self, raw: Tensor) -> Tensor:
        """Probabilities of the options of all choices, of shape (rows, n_options)."""
        logits = raw[:, : self.n_options]
        parts = [
            torch.softmax(part, dim=1) for part in torch.split(logits, self.heads.sizes, dim=1)
        ]
        return torch.cat(parts, dim=1) if parts else logits

    def forward(self, raw: Tensor) -> Tensor:
        """Shares of shape (rows, cells) of raw outputs of shape (rows, width)."""
        return self.under(self.options(raw), raw)

    def under(self, chances: Tensor, raw: Tensor) -> Tensor:
        """The same, where the probabilities of the options are at hand."""
        found = chances @ self.collect
        if not len(self.scalar):
            return found
        scalars = torch.tanh(raw[:, self.n_options :])
        return self._with_knots(found, scalars, self.heads.gates(chances))

    def tables(self, shares: Tensor) -> Tensor:
        """Sums of products of shares, of shape (classes or 1, cells, cells)."""
        if not len(self.by):
            return (shares.T @ shares)[None]
        apart = shares[:, self.by, None] * shares[:, None, :]
        return torch.einsum("rki,rj->kij", apart, shares)

    def of_rows(self, rows: Tensor) -> Tensor:
        """The same of rows, one-hot and scalars, of shape (rows, width)."""
        found = rows[:, : self.n_options] @ self.collect
        if not len(self.scalar):
            return found
        alive = self.heads.gates(rows[:, : self.n_options])
        return self._with_knots(found, rows[:, self.n_options :], alive)

    def _with_knots(self, found: Tensor, scalars: Tensor, alive: Tensor) -> Tensor:
        far = (scalars[:, self.scalar] - self.at).abs() / self.width
        hats = (1.0 - far).clamp_min(0.0) * alive[:, self.scalar]
        return found.index_add(1, self.knot, hats)
