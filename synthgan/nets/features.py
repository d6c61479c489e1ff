"""What a critic sees of a row: its one-hot codes as they are, its scalars cut into bins.

A perceptron that gets a scalar as one number sees smooth trends and misses what is sharp: ties,
edges, clusters, one column bounded by another. Piecewise linear encoding (Gorishniy, Rubachev and
Babenko, "On embeddings for numerical features in tabular deep learning", 2022) gives it one number
for each bin of the range, which rises from 0 to 1 across that bin. Scalars are ranks here, so that
even bins are quantiles.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import hardtanh

from synthgan.data.layout import Layout

# halvings of the first and the last bin: rare rows often lie at the ends of a column
TAIL_BINS = 4


class CriticFeatures(nn.Module):
    """Rows of a layout as a critic sees them.

    Parameters
    ----------
    layout : Layout
        What a row is made of.
    bins : int
        Even bins of a scalar's range [-1, 1], of which the outermost are cut further; 0 leaves
        scalars as they are.

    Attributes
    ----------
    width : int
        Length of a row with its bins.

    Examples
    --------
    >>> from synthgan.data.layout import Span
    >>> features = CriticFeatures(Layout([Span("age", "scalar")]), bins=4)
    >>> features.width
    13
    >>> features(torch.tensor([[0.25]]))[:, 5:8]
    tensor([[1.0000, 1.0000, 0.5000]])
    """

    steepness: Tensor
    start: Tensor

    def __init__(self, layout: Layout, bins: int) -> None:
        super().__init__()
        self.n_options = layout.n_options
        edges = bin_edges(bins) if bins else torch.zeros(1)
        self.width = layout.width + layout.n_scalars * (len(edges) - 1)
        steepness = 1.0 / edges.diff()
        self.register_buffer("steepness", steepness, persistent=False)
        self.register_buffer("start", -edges[:-1] * steepness, persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows of shape (rows, width) from rows of the layout's own width."""
        if self.width == rows.shape[1]:
            return rows
        scalars = rows[:, self.n_options :, None]
        within = hardtanh(torch.addcmul(self.start, scalars, self.steepness), 0.0, 1.0)
        return torch.cat([rows, within.flatten(1)], dim=1)


def bin_edges(bins: int) -> Tensor:
    """Edges of even bins of [-1, 1], the outermost halved again and again towards the ends.

    Examples
    --------
    >>> bin_edges(2)
    tensor([-1.0000, -0.9375, -0.8750, -0.7500, -0.5000,  0.0000,  0.5000,  0.7500,
             0.8750,  0.9375,  1.0000])
    """
    even = torch.linspace(-1.0, 1.0, bins + 1)
    tails = 1.0 - 2.0 / bins * 0.5 ** torch.arange(1, TAIL_BINS + 1)
    edges: Tensor = torch.cat([even, tails, -tails]).sort().values
    return edges
