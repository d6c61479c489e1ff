"""A critic that is a table: how likely a row is by the pairs of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthgan.data.cell_map import CellMap
from synthgan.data.layout import Layout
from synthgan.nets.shares import Shares

# share of rows that every pair of cells is taken to have beside what was found
PRIOR = 1e-6


class PairCritic(nn.Module):
    """The composite likelihood of a row: the mean over other columns of its cells' joint share.

    ``sum over pairs of log P(cell of i, cell of j) / (columns - 1)`` (Lindsay, "Composite
    likelihood methods", 1988). It is what a model that has met no row, but the moments of a table,
    can say of one.

    Parameters
    ----------
    cells : CellMap
        The cells.
    chances : array of shape (cells, cells)
        Share of rows in each pair of cells.
    """

    chances: Tensor

    def __init__(self, cells: CellMap, chances: NDArray[np.float32]) -> None:
        super().__init__()
        self.cells, self._shares = cells, Shares(cells)
        self.register_buffer("chances", torch.as_tensor(chances))
        self._sizes = np.bincount(cells.column, minlength=cells.columns).tolist()

    def forward(self, rows: Tensor) -> Tensor:
        """Scores of shape (rows,) of rows of shape (rows, width); higher is likelier."""
        shares = self._shares.of_rows(rows)
        total = rows.new_zeros(len(rows))
        parts = torch.split(shares, self._sizes, dim=1)
        start = 0
        for number, part in enumerate(parts):
            size = self._sizes[number]
            # only with the columns before: each pair counts once
            joint = (part @ self.chances[start : start + size, :start]) * shares[:, :start]
            for other in torch.split(joint, self._sizes[:number], dim=1):
                total += torch.log(other.sum(dim=1) + PRIOR)
            start += size
        return total / max(len(parts) - 1, 1)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` needs beside the layout."""
        return {"chances": self.chances.numpy(), **self.cells.to_arrays()}

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> PairCritic:
        """The reverse of `to_arrays`."""
        return cls(CellMap.from_arrays(layout, arrays), arrays["chances"])

    @classmethod
    def of_shares(cls, cells: CellMap, shares: Tensor) -> PairCritic:
        """From the shares in cells of many rows, of shape (rows, cells)."""
        return cls(cells, (shares.T @ shares / len(shares)).numpy())
