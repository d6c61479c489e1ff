"""PATE-GAN: teachers on disjoint parts of the rows vote, with noise, on what looks real.

Jordon, Yoon and van der Schaar, "PATE-GAN: generating synthetic data with differential privacy
guarantees", ICLR 2019, after Papernot et al., "Scalable private learning with PATE", ICLR 2018.
Each unit is with one teacher, and each teacher is a network of its own, so that one unit moves a
count of votes by 1 at most. The student learns from generated rows and noisy counts alone. What is
paid for does not depend on how the votes fell: an epsilon that does would itself have to be kept
secret.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, softplus

from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.nets.critics import MLPCritic
from synthgan.nets.features import CriticFeatures
from synthgan.privacy.counts import noisy
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.privacy.units import Units
from synthgan.training.plan import ResolvedPlan
from synthgan.training.players import initialise, shown_width
from synthgan.training.rows import DeviceRows
from synthgan.training.weights import Weights

VOTES = "votes of the teachers"
# hidden units of a teacher, rows of a side that it sees in a move, and rows that are voted on
HIDDEN, TEACHER_ROWS, VOTED = 24, 16, 16
TEACHER_RATE = 3e-3
# units for each teacher, and teachers at most
UNITS_EACH, MOST_TEACHERS = 50, 500
BETAS = (0.5, 0.99)


class TeacherNets(nn.Module):
    """Many small networks side by side: each has weights of its own.

    Parameters
    ----------
    teachers, size : int
        How many, and the length of what each sees of a row.
    stream : torch.Generator
        Draws the first weights.
    """

    enter: Tensor
    inner: Tensor
    leave: Tensor

    def __init__(self, teachers: int, size: int, stream: torch.Generator) -> None:
        super().__init__()
        shapes = {"enter": (size, HIDDEN), "inner": (1, HIDDEN), "leave": (HIDDEN, 1)}
        for name, shape in shapes.items():
            bound = size**-0.5 if name == "enter" else HIDDEN**-0.5
            drawn = torch.rand(teachers, *shape, generator=stream)
            self.register_parameter(name, nn.Parameter((2.0 * drawn - 1.0) * bound))

    def forward(self, rows: Tensor) -> Tensor:
        """Log-odds of real, of shape (teachers, rows), of rows of shape (teachers, rows, size)."""
        hidden = leaky_relu(torch.baddbmm(self.inner, rows, self.enter), 0.2)
        scores: Tensor = (hidden @ self.leave).squeeze(2)
        return scores


class Teachers:
    """The opponent of PATE-GAN: teachers, their noisy votes, and the student that learns from them.

    Parameters
    ----------
    matrix : EncodedMatrix
        The rows.
    layout : Layout
        What they are made of.
    units : Units
        Whose they are: all rows of a unit are with one teacher.
    plan : ResolvedPlan
        Sizes and rates.
    seed : int
        Fixes the first weights of all networks.
    teachers : int
        How many.
    ledger : Ledger
        Where votes are bought.
    noise : Noise
        Where noise comes from, and which unit is with which teacher.
    device : str
        Where to play.
    """

    def __init__(
        self,
        matrix: EncodedMatrix,
        layout: Layout,
        units: Units,
        plan: ResolvedPlan,
        seed: int,
        *,
        teachers: int,
        ledger: Ledger,
        noise: Noise,
        device: str,
    ) -> None:
        self.rows, self._device = DeviceRows(matrix, layout, device), device
        self._ledger, self._noise = ledger, noise
        self.features = CriticFeatures(layout, plan.scalar_bins).to(device)
        size = shown_width(layout, plan, conditional=False)
        self.parts = parts_of(units, teachers, noise)
        stream = torch.Generator().manual_seed(seed)
        self.teachers = TeacherNets(len(self.parts), size, stream).to(device)
        self.student = initialise(MLPCritic(size, plan.critic_width, 2), seed + 1).to(device)
        self._rate = torch.zeros((), device=device)
        own = torch.full((), TEACHER_RATE, device=device)
        # not among the nets: nobody may take a copy of them, or go back to one
        self._teaching = Weights(self.teachers, own, BETAS, torch.float32)
        self._learning = Weights(self.student, self._rate, BETAS, torch.float32)

    @property
    def nets(self) -> Mapping[str, Weights]:
        """The student, by its name: teachers know rows, and never leave."""
        return {"student": self._learning}

    def move(self, fake: Tensor, rate: float) -> None:
        """Teachers learn and vote on some of these rows; the student learns from the votes."""
        shown = self.features(fake)
        self._teach(shown)
        asked = shown[:VOTED]
        share = self._voted(asked)
        self._rate.fill_(rate)
        scores = self.student(asked)
        # cross-entropy with the noisy share as the truth
        self._learning.descend((softplus(scores) - share * scores).mean())

    def _teach(self, shown: Tensor) -> None:
        """Each teacher tells rows of its own part from generated ones."""
        shape = (len(self.parts), TEACHER_ROWS)
        sizes = np.array([len(part) for part in self.parts])
        place = self._noise.shares(shape[0] * shape[1]).reshape(shape) * sizes[:, None]
        own = np.zeros(shape, dtype=np.int64)
        for number in np.flatnonzero(sizes):
            own[number] = self.parts[number][place[number].astype(np.int64)]
        index = torch.as_tensor(own, device=self._device)
        real = self.features(self.rows[index.flatten()]).view(*shape, -1)
        turn = torch.arange(shape[0] * shape[1], device=self._device).view(shape) % len(shown)
        scores = self.teachers(torch.cat([real, shown[turn]], dim=1))
        of_real, of_fake = scores.split(TEACHER_ROWS, dim=1)
        # a teacher without rows learns from none
        has_rows = torch.as_tensor(sizes > 0, dtype=torch.float32, device=self._device)
        # a sum over teachers: the slope of each depends on its own rows alone
        loss = has_rows * softplus(-of_real).mean(dim=1) + softplus(of_fake).mean(dim=1)
        self._teaching.descend(loss.sum())

    @torch.no_grad()
    def _voted(self, asked: Tensor) -> Tensor:
        """Noisy shares of teachers that take rows for real, of shape (rows,), within 0 and 1."""
        entry = self._ledger.buy(VOTES, times=len(asked))
        each = asked.expand(len(self.parts), *asked.shape)
        votes = (self.teachers(each) > 0).sum(dim=0).cpu().numpy()
        told = noisy(votes, entry.noise, self._noise)
        share = torch.as_tensor(told / len(self.parts), dtype=torch.float32, device=self._device)
        return share.clamp_(0.0, 1.0)

    def answer(self, fake: Tensor) -> Tensor:
        """The generator's loss by the student, of rows of shape (rows, width)."""
        return softplus(-self.student(self.features(fake))).mean()


def teachers_for(units: float) -> int:
    """How many teachers so many units are dealt to."""
    return int(np.clip(units / UNITS_EACH, 2, MOST_TEACHERS))


def parts_of(units: Units, teachers: int, noise: Noise) -> list[NDArray[np.int64]]:
    """The rows of each teacher: every unit is dealt to one of them, by itself.

    So that another unit more or less changes the rows of one teacher and of no other.
    """
    dealt = np.minimum((noise.shares(len(units)) * teachers).astype(np.int64), teachers - 1)
    ends = np.cumsum(np.bincount(dealt, minlength=teachers))
    order = np.argsort(dealt, kind="stable")
    return [units.rows_of(each) for each in np.split(order, ends[:-1])]
