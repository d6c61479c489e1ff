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

from synthgan.data.layout import Layout


class CriticFeatures(nn.Module):
    """Rows of a layout as a critic sees them.

    Parameters
    ----------
    layout : Layout
        What a row is made of.
    bins : int
        Bins of a scalar's range [-1, 1]; 0 leaves scalars as they are.

    Attributes
    ----------
    width : int
        Length of a row with its bins.

    Examples
    --------
    >>> from synthgan.data.layout import Span
    >>> features = CriticFeatures(Layout([Span("age", "scalar")]), bins=4)
    >>> features(torch.tensor([[-1.0], [0.25]]))
    tensor([[-1.0000,  0.0000,  0.0000,  0.0000,  0.0000],
            [ 0.2500,  1.0000,  1.0000,  0.5000,  0.0000]])
    """

    edges: Tensor

    def __init__(self, layout: Layout, bins: int) -> None:
        super().__init__()
        self.bins, self.n_options = bins, layout.n_options
        self.width = layout.width + layout.n_scalars * bins
        lower = torch.linspace(-1.0, 1.0, bins + 1)[:-1]
        self.register_buffer("edges", lower, persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows of shape (rows, width) from rows of the layout's own width."""
        if self.width == rows.shape[1]:
            return rows
        scalars = rows[:, self.n_options :, None]
        within = ((scalars - self.edges) * (self.bins / 2.0)).clamp(0.0, 1.0)
        return torch.cat([rows, within.flatten(1)], dim=1)
