"""Rows under a condition, drawn from an unconditional generator without unbounded rejection.

First a pool: where the condition is common, the rows of the pool that meet it are the answer, exact
draws from the generator given the condition. Where it is rare, the nearest rows of the pool start
a walk: subset simulation (Au and Beck 2001; adaptive multilevel splitting, Cerou and Guyader 2007).
A row's distance to the condition shrinks level by level, and between the levels the noise behind
each row moves by preconditioned Crank-Nicolson steps (Cotter et al. 2013), which leave the normal
law of the noise as it is and are refused when they step outside the level. What comes out follows
the generator's own law given the condition, at the cost of some dozens of small batches however
rare the condition is. Training knows nothing of conditions, so they cost a plain sample nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from synthgan.data.layout import Layout
from synthgan.data.region import Region
from synthgan.nets.heads import draw_gumbel, gumbel_from_normal
from synthgan.nets.mlp import MLPGenerator
from synthgan.nets.noise import Noise

POOL_BATCH = 8_192
POOL_ROWS = 16 * POOL_BATCH
WALKERS = 1_024
LEVEL_SHARE = 0.25
MOVES = 6
# moves that nearly every row must have made inside the target, and tries at most
LAST_MOVES = 4
LAST_TRIES = 60
LEVELS = 40
# a whole scalar range counts as much as this many nats of a choice's score
SCALAR_WEIGHT = 4.0


class Target:
    """The rows that a condition allows, and how far any other row is from them.

    Parameters
    ----------
    regions : sequence of (column, Region)
        Allowed options and scalar intervals per column.
    layout : Layout
        Where those columns lie.
    """

    def __init__(self, regions: Sequence[tuple[str, Region]], layout: Layout) -> None:
        self.layout = layout
        self._parts = [
            part for name, region in regions if (part := _Part(name, region, layout)).binds
        ]

    @property
    def is_everything(self) -> bool:
        """Whether every row is allowed."""
        return not self._parts

    @property
    def options(self) -> Tensor:
        """The options whose scores have a say, of shape (options,)."""
        spans = [part.span for part in self._parts if part.span is not None]
        asked = {option for span in spans for option in range(span.start, span.stop)}
        return torch.tensor(sorted(asked), dtype=torch.long)

    def distance(self, scores: Tensor, scalars: Tensor) -> Tensor:
        """How far rows are from the condition, of shape (rows,); 0 where they meet it.

        Parameters
        ----------
        scores : Tensor of shape (rows, options)
            Option scores with their Gumbel noise: the largest of a span is chosen.
        scalars : Tensor of shape (rows, scalars)
            Scalars in [-1, 1] as if all gates were open.
        """
        return torch.stack([part.distance(scores, scalars) for part in self._parts]).sum(dim=0)

    def force(self, scores: Tensor, scalars: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest scores and scalars that meet the condition; those that do stay untouched."""
        scores, scalars = scores.clone(), scalars.clone()
        for part in self._parts:
            part.force(scores, scalars)
        return scores, scalars


def binding(regions: Sequence[tuple[str, Region]], layout: Layout) -> list[tuple[str, Region]]:
    """The regions that exclude any row: without them a sample has no condition."""
    return [each for each in regions if not Target([each], layout).is_everything]


class _Part:
    """One column of a condition."""

    def __init__(self, name: str, region: Region, layout: Layout) -> None:
        choice, self.scalar = layout.column_choice(name), layout.column_scalar(name)
        self.intervals = region.intervals if self.scalar is not None else None
        self.span: slice | None = None
        self.alive: int | None = None
        self.allowed = torch.ones(0, dtype=torch.bool)
        if choice is not None and region.options is not None:
            start = int(layout.choice_offsets[choice])
            self.span = slice(start, start + int(layout.choice_sizes[choice]))
            self.allowed = torch.as_tensor(region.options, dtype=torch.bool)
            if self.scalar is not None and layout.gate_choice[self.scalar] == choice:
                self.alive = int(layout.gate_option[self.scalar])

    @property
    def binds(self) -> bool:
        """Whether the part excludes any row."""
        return self.intervals is not None or not bool(self.allowed.all())

    def distance(self, scores: Tensor, scalars: Tensor) -> Tensor:
        outside = self._outside(scalars)
        if self.span is None:
            return outside
        mine = scores[:, self.span]
        short = mine.max(dim=1, keepdim=True).values - mine
        if self.alive is not None:
            short = short.clone()
            short[:, self.alive] += outside
        return short.masked_fill(~self.allowed, torch.inf).min(dim=1).values

    def _outside(self, scalars: Tensor) -> Tensor:
        if self.intervals is None or self.scalar is None:
            return scalars.new_zeros(len(scalars))
        value = scalars[:, self.scalar]
        return SCALAR_WEIGHT * (value - self._nearest(value)).abs()

    def _nearest(self, value: Tensor) -> Tensor:
        """The nearest allowed scalar to each value."""
        assert self.intervals is not None
        candidates = torch.stack([value.clamp(low, high) for low, high in self.intervals])
        closest = (candidates - value).abs().argmin(dim=0, keepdim=True)
        return candidates.gather(0, closest).squeeze(0)

    def force(self, scores: Tensor, scalars: Tensor) -> None:
        if self.span is not None:
            scores[:, self.span] = scores[:, self.span].masked_fill(~self.allowed, -torch.inf)
        if self.intervals is not None and self.scalar is not None:
            scalars[:, self.scalar] = self._nearest(scalars[:, self.scalar])


class _Walk:
    """Rows on their way into a target: the noise behind them and their distance.

    Of the Gumbel noise only that of options which the target asks about comes along: the rest has
    no say in who meets it, and is drawn in the end.
    """

    def __init__(
        self, generator: MLPGenerator, noise: Noise, target: Target, stream: torch.Generator
    ) -> None:
        self.generator, self.noise, self.target, self.stream = generator, noise, target, stream
        self.options = target.options
        self.stride = 0.5

    def fresh(self, rows: int) -> tuple[Tensor, Tensor]:
        """New normals of shape (rows, size) and their distances."""
        size = self.noise.normals + len(self.options)
        normals = torch.randn(rows, size, generator=self.stream)
        return normals, self.distance(normals)

    def scores(self, normals: Tensor) -> tuple[Tensor, Tensor]:
        """Option scores, with noise where that has a say, and scalars, behind these normals."""
        own, last = self.noise.normals, self.noise.n_options
        raw = self.generator.raw(self.noise.given(normals[:, :own]))
        gumbel = gumbel_from_normal(normals[:, own:])
        return raw[:, :last].index_add(1, self.options, gumbel), torch.tanh(raw[:, last:])

    def rows(self, normals: Tensor) -> Tensor:
        """The rows behind normals inside the target, of shape (rows, width)."""
        scores, scalars = self.scores(normals)
        rest = draw_gumbel(len(scores), self.noise.n_options, self.stream, str(scores.device))
        scores += rest.index_fill_(1, self.options, 0.0)
        return self.generator.heads.rows(*self.target.force(scores, scalars))

    def distance(self, normals: Tensor) -> Tensor:
        return self.target.distance(*self.scores(normals))

    def pool(self, wanted: int) -> tuple[Tensor, Tensor]:
        """The normals nearest the target out of a bounded pool, nearest first.

        At least `wanted` of them; the pool ends early once as many meet the condition.
        """
        kept, distances = self.fresh(POOL_BATCH)
        drawn = POOL_BATCH
        while drawn < POOL_ROWS and int((distances <= 0).sum()) < wanted:
            more, far = self.fresh(POOL_BATCH)
            kept, distances = torch.cat([kept, more]), torch.cat([distances, far])
            order = torch.argsort(distances, stable=True)[: max(wanted, POOL_BATCH)]
            kept, distances = kept[order], distances[order]
            drawn += POOL_BATCH
        order = torch.argsort(distances, stable=True)
        return kept[order], distances[order]

    def move(
        self, normals: Tensor, distances: Tensor, level: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One Crank-Nicolson step of every row that stays within the level."""
        kick = torch.randn(normals.shape, generator=self.stream)
        proposed = (1.0 - self.stride**2) ** 0.5 * normals + self.stride * kick
        reached = self.distance(proposed)
        accepted = reached <= level
        share = float(accepted.float().mean())
        self.stride = min(1.0, self.stride * 1.2) if share > 0.35 else max(0.01, self.stride * 0.8)
        return (
            torch.where(accepted[:, None], proposed, normals),
            torch.where(accepted, reached, distances),
            accepted,
        )

    def descend(self, normals: Tensor, distances: Tensor) -> Tensor:
        """Bring a population down to distance 0, level by level; bounded by LEVELS."""
        population = len(normals)
        for _ in range(LEVELS):
            level = float(torch.quantile(distances, LEVEL_SHARE))
            survivors = torch.nonzero(distances <= level).squeeze(1)
            pick = torch.randint(len(survivors), (population,), generator=self.stream)
            chosen = survivors[pick]
            normals, distances = normals[chosen], distances[chosen]
            if level <= 0:
                return self.spread(normals, distances)
            for _ in range(MOVES):
                normals, distances, _ = self.move(normals, distances, level)
        return normals

    def spread(self, normals: Tensor, distances: Tensor) -> Tensor:
        """Move rows inside the target until next to none is still a copy of another."""
        moves = torch.zeros(len(normals), dtype=torch.long)
        for _ in range(LAST_TRIES):
            normals, distances, accepted = self.move(normals, distances, 0.0)
            moves += accepted
            if float((moves >= LAST_MOVES).float().mean()) > 0.98:
                break
        return normals


@torch.no_grad()
def narrow(
    generator: MLPGenerator,
    noise: Noise,
    target: Target,
    rows: int,
    stream: torch.Generator,
    most: int = 0,
) -> Tensor:
    """Rows of shape (rows or more, width) of the generator, all inside the target.

    Parameters
    ----------
    generator, noise : MLPGenerator, Noise
        What draws.
    target : Target
        The condition.
    rows : int
        How many.
    stream : torch.Generator
        Randomness of this block.
    most : int, default 0
        How many are welcome, if they cost no walk.
    """
    walk = _Walk(generator, noise, target, stream)
    most = max(rows, most)
    normals, distances = walk.pool(most)
    met = int((distances <= 0).sum())
    if met < rows:
        start = max(WALKERS, rows)
        normals = walk.descend(normals[:start], distances[:start])
        normals = normals[torch.randperm(len(normals), generator=stream)]
        met = start
    return walk.rows(normals[: min(most, max(met, rows))])
