"""What a generator may learn beside the adversarial game: features to match, a target to respect.

Sources: feature matching, Salimans et al. 2016; with the standard deviation, as the information
loss of table-GAN, Park et al. 2018; a classifier beside the critic, Odena et al. 2017, on one
column as in table-GAN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, log_softmax, relu

from synthgan.data.layout import Layout
from synthgan.nets.mlp import Linear

WIDTH = 64


def feature_gap(real: Tensor, fake: Tensor) -> Tensor:
    """Squared distance of the features' means and of their standard deviations, averaged.

    Parameters
    ----------
    real, fake : Tensor of shape (rows, features)
        Hidden layers of a critic.
    """
    gap = _moments(real.float()) - _moments(fake.float())
    return gap.square().mean(dim=1).sum()


def _moments(features: Tensor) -> Tensor:
    """Means and standard deviations, of shape (2, features)."""
    variance = features.var(dim=0, unbiased=False)
    return torch.stack([features.mean(dim=0), (variance + 1e-8).sqrt()])


class TargetPredictor(nn.Module):
    """A small network that tells a column from the others: its option, its scalar, or both.

    Parameters
    ----------
    layout : Layout
        What a row is made of.
    column : str
        The column; it must have a span.
    """

    others: Tensor

    def __init__(self, layout: Layout, column: str) -> None:
        super().__init__()
        choice, scalar = layout.column_choice(column), layout.column_scalar(column)
        self._options = slice(0, 0)
        self._scalar: int | None = None
        self._gate: int | None = None
        if choice is not None:
            start = int(layout.choice_offsets[choice])
            self._options = slice(start, start + int(layout.choice_sizes[choice]))
        if scalar is not None:
            self._scalar, gate = layout.n_options + scalar, int(layout.gate_choice[scalar])
            if gate >= 0:
                self._gate = int(layout.choice_offsets[gate] + layout.gate_option[scalar])
        others = torch.ones(layout.width)
        others[self._options] = 0.0
        if self._scalar is not None:
            others[self._scalar] = 0.0
        self.register_buffer("others", others, persistent=False)
        self._n_options = self._options.stop - self._options.start
        self.enter = Linear(layout.width, WIDTH)
        self.inner = Linear(WIDTH, WIDTH)
        self.leave = Linear(WIDTH, self._n_options + (scalar is not None))

    def error(self, rows: Tensor) -> Tensor:
        """Mean cross-entropy of the column's option, and mean squared error of its scalar."""
        others = (rows * self.others).to(self.enter.weight.dtype)
        hidden = leaky_relu(self.enter(others))
        predicted = self.leave(leaky_relu(self.inner(hidden))).float()
        error = torch.zeros_like(predicted[:, 0])
        if self._n_options:
            chances = log_softmax(predicted[:, : self._n_options], dim=1)
            error = error - (rows[:, self._options] * chances).sum(dim=1)
        if self._scalar is not None:
            # where a spike or a null stands instead there is nothing to tell
            alive = 1.0 if self._gate is None else rows[:, self._gate].detach()
            error = error + alive * (predicted[:, -1] - rows[:, self._scalar]).square()
        return error.mean()


def contradiction(fake_error: Tensor, real_error: Tensor) -> Tensor:
    """By how much a predictor errs more on fake rows than on real ones.

    Only the excess counts: a generator that made its target easier to tell than it is would lose
    the noise that the real column has (Gong et al. 2019 on what auxiliary classifiers do).
    """
    return relu(fake_error - real_error.detach())
