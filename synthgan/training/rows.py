"""Encoded rows on the training device: drawn by index, made one-hot only inside a batch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix

# rows that an option is taken to have beside its own: held-out rows may have taken all of them
LEAST_COUNT = 0.5


class DeviceRows:
    """The encoded table on the device that trains.

    Parameters
    ----------
    matrix : EncodedMatrix
        Codes of shape (rows, choices) and scalars of shape (rows, scalars), with optional weights.
    layout : Layout
        The treaty with the tables.
    device : str
        Where the rows live.
    """

    def __init__(self, matrix: EncodedMatrix, layout: Layout, device: str) -> None:
        self.layout = layout
        self.rows = matrix.rows
        # rows are drawn one by one, so each must lie together in memory
        self.codes = torch.as_tensor(np.ascontiguousarray(matrix.codes), device=device)
        self.scalars = torch.as_tensor(np.ascontiguousarray(matrix.scalars), device=device)
        offsets = layout.choice_offsets[: matrix.codes.shape[1]]
        self._offsets = torch.as_tensor(offsets, dtype=torch.long, device=device)
        self._weighted = matrix.weights is not None
        weights = np.ones(matrix.rows) if matrix.weights is None else matrix.weights
        mean = weights.mean() if matrix.rows else 1.0
        self.weights = torch.as_tensor(weights / mean, dtype=torch.float64, device=device)
        self._ends = torch.cumsum(self.weights, 0)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Row numbers of shape (count,), uniform or in proportion to the weights."""
        device = self.codes.device
        if not self._weighted:
            return torch.randint(0, self.rows, (count,), generator=generator, device=device)
        point = torch.rand(count, generator=generator, device=device, dtype=torch.float64)
        place = torch.searchsorted(self._ends, point * self._ends[-1], right=True)
        return place.clamp_max_(self.rows - 1)

    def shares(self) -> Tensor:
        """Share of the rows in which each option is, of shape (n_options,), none of them 0."""
        counts = [each + LEAST_COUNT for each in self.counts()]
        shares = [each / each.sum() for each in counts]
        return torch.cat(shares) if shares else self.weights.new_zeros(0)

    def counts(self) -> list[Tensor]:
        """Of each choice, the weight of the rows that have each option, of shape (options,)."""
        found = []
        for choice, size in enumerate(self.layout.choice_sizes.tolist()):
            codes = self.codes[:, choice].long()
            known = codes >= 0
            found.append(torch.bincount(codes[known], self.weights[known], minlength=size))
        return found

    def __getitem__(self, index: Tensor) -> Tensor:
        """Rows of shape (len(index), width) as the networks see them."""
        return one_hot_rows(self.codes[index], self.scalars[index], self._offsets, self.layout)


def one_hot_rows(codes: Tensor, scalars: Tensor, offsets: Tensor, layout: Layout) -> Tensor:
    """One-hot of every choice, then the scalars; code -1 (unknown) leaves its span all zero."""
    rows = torch.zeros(len(codes), layout.width + 1, device=codes.device)
    # unknown codes write into one column too many, which is then cut off
    column = torch.where(codes >= 0, codes.long() + offsets, layout.width)
    rows.scatter_(1, column, 1.0)
    rows[:, layout.n_options : layout.width] = scalars
    return rows[:, : layout.width]


class ConditionDraw:
    """CTGAN's training by sampling: pick a choice, then one of its options, then rows that have it.

    Source: Xu et al. 2019, section 4.3. While training, options are picked by log-frequency so that
    rare ones are seen; when sampling they are picked by their true frequency, or the rare ones
    would be over-produced.

    Parameters
    ----------
    rows : DeviceRows
        The encoded table.
    """

    def __init__(self, rows: DeviceRows) -> None:
        self.n_options = rows.layout.n_options
        codes = rows.codes.long()
        order = [
            torch.argsort(known, stable=True)[int((known < 0).sum()) :] for known in codes.unbind(1)
        ]
        self._order, self._counts = torch.cat(order), torch.cat(rows.counts())
        # rows of an option lie together, each on a stretch as long as its weight
        self._ends = torch.cumsum(rows.weights[self._order], 0)
        self._starts = torch.cumsum(self._counts, 0) - self._counts
        sizes = torch.as_tensor(rows.layout.choice_sizes, device=codes.device)
        self._choice = torch.repeat_interleave(torch.arange(len(sizes), device=codes.device), sizes)
        self._training = self._shares(torch.log1p(self._counts))
        self.frequencies = self._shares(self._counts)

    def _shares(self, weight: Tensor) -> Tensor:
        """Probabilities of all options: choices alike, options within a choice by weight."""
        total = torch.zeros(int(self._choice.max()) + 1, dtype=weight.dtype, device=weight.device)
        total.index_add_(0, self._choice, weight)
        return weight / total[self._choice] / len(total)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Options to ask for, of shape (count,)."""
        return torch.multinomial(self._training, count, replacement=True, generator=generator)

    def rows_with(self, option: Tensor, generator: torch.Generator) -> Tensor:
        """Numbers of rows, of shape (len(option),), each with its option."""
        share = torch.rand(
            len(option), generator=generator, device=option.device, dtype=torch.float64
        )
        point = self._starts[option] + share * self._counts[option]
        place = torch.searchsorted(self._ends, point, right=True)
        return self._order[place.clamp_max_(len(self._order) - 1)]

    def loss(self, raw: Tensor, option: Tensor) -> Tensor:
        """Cross-entropy of the asked-for option inside its own choice span."""
        mine = self._choice[None, :] == self._choice[option][:, None]
        scores = raw[:, : self.n_options].masked_fill(~mine, -torch.inf)
        return torch.nn.functional.cross_entropy(scores, option)
