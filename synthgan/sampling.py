"""Latent noise to encoded rows, block by block, with or without a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from synthgan.conditioning import Target, binding, narrow
from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.region import Region
from synthgan.data.relations import Tie
from synthgan.matching import Donors
from synthgan.nets.mlp import MLPGenerator
from synthgan.nets.noise import Noise

# of the first block, after which blocks double the rows drawn so far, and of any block at most
FIRST_ROWS, BLOCK_ROWS = 512, 8_192
# rows that pass the networks together on a CPU, so that they stay in its cache
CHUNK_ROWS = 2_048
DONOR_BLOCKS = 4
LEAST_DONORS = 1_024


class Block(NamedTuple):
    """One block of a sample: its number, its first row's, and how many rows of it are wanted."""

    number: int
    start: int
    rows: int


def block_rows(block: int) -> int:
    """How many rows a block of a sample without a condition has.

    Examples
    --------
    >>> [block_rows(block) for block in range(7)]
    [512, 512, 1024, 2048, 4096, 8192, 8192]
    """
    if block == 0 or FIRST_ROWS >= BLOCK_ROWS:
        return min(FIRST_ROWS, BLOCK_ROWS)
    # a power of no use beyond a block's own size
    return min(FIRST_ROWS << min(block - 1, BLOCK_ROWS.bit_length()), BLOCK_ROWS)


def cut(rows: int, regions: Sequence[tuple[str, Region]] = ()) -> Iterator[Block]:
    """The blocks of a sample; under a condition all are as large as can be, since each costs much.

    The regions are those that exclude any row, see `synthgan.conditioning.binding`.

    Examples
    --------
    >>> [block.rows for block in cut(3_000)]
    [512, 512, 1024, 952]
    """
    number = start = 0
    while start < rows:
        size = BLOCK_ROWS if regions else block_rows(number)
        yield Block(number, start, min(size, rows - start))
        number, start = number + 1, start + size


class Sampler:
    """Draw encoded rows from a generator.

    A sample is defined block by block: block `b` of seed `s` depends on `(s, b)` alone, so neither
    the number of rows asked for nor the number of threads that ask changes a row. (Under a
    condition a block also depends on how many of its rows are wanted.) The first blocks are small,
    so that a few rows cost little. Nothing in the sampler changes while it draws.

    Parameters
    ----------
    generator : MLPGenerator
        The averaged generator.
    layout : Layout
        What its rows are made of.
    frequencies : Tensor or None
        Option probabilities of the condition vector, for conditional games.
    """

    def __init__(
        self, generator: MLPGenerator, layout: Layout, frequencies: Tensor | None = None
    ) -> None:
        self.generator, self.layout, self.frequencies = generator, layout, frequencies
        self.noise = Noise(generator, frequencies)

    def draw(self, rows: int, seed: int) -> EncodedMatrix:
        """The first `rows` rows of a seed's sample, of shape (rows, ...)."""
        return EncodedMatrix.concat(list(self.blocks(max(rows, 1), seed))).take(slice(0, rows))

    def blocks(
        self, rows: int, seed: int, regions: Sequence[tuple[str, Region]] = ()
    ) -> Iterator[EncodedMatrix]:
        """Blocks of at most BLOCK_ROWS encoded rows, `rows` in all, that lie in the regions.

        Parameters
        ----------
        rows : int
            How many.
        seed : int
            Which sample.
        regions : sequence of (column, Region)
            What each named column may be; none for an unconditional sample.
        """
        regions = binding(regions, self.layout)
        for block in cut(rows, regions):
            yield self.block(block, seed, regions)

    def block(
        self, block: Block, seed: int, regions: Sequence[tuple[str, Region]] = ()
    ) -> EncodedMatrix:
        """The rows that are wanted of one block."""
        return self.pool(block.rows, seed, block.number, regions).take(slice(0, block.rows))

    def pool(
        self,
        rows: int,
        seed: int,
        block: int,
        regions: Sequence[tuple[str, Region]] = (),
        factor: int = 1,
    ) -> EncodedMatrix:
        """Rows of one block to choose from: about `factor` times as many as are wanted.

        Parameters
        ----------
        rows : int
            How many are wanted, at most BLOCK_ROWS.
        seed, block : int
            Which block of which sample.
        regions : sequence of (column, Region)
            What each named column may be.
        factor : int, default 1
            Without a condition there are `factor` times as many rows as the block has. Under one
            there are `factor` times `rows` at most, and fewer, at least `rows`, where it is rare.
        """
        target, stream = Target(regions, self.layout), self.stream(seed, block)
        if target.is_everything:
            return self._drawn(factor * block_rows(block), stream)
        most = factor * rows
        return self.to_matrix(narrow(self.generator, self.noise, target, rows, stream, most))

    def complete(
        self,
        given: EncodedMatrix,
        seed: int,
        regions: Sequence[tuple[str, Region]] = (),
        ties: Sequence[Tie] = (),
        places: Callable[[EncodedMatrix, str], np.ndarray] | None = None,
    ) -> EncodedMatrix:
        """Fill the unknown codes (-1) and scalars (nan) of given rows, of shape (rows, ...).

        Rows of the model that agree with what is given, as far as such rows exist, lend what is
        missing; a donor is drawn among the nearest, so the same row may be filled in several ways.
        Donors lie in `regions`, so what is lent does too, and agree with `ties` as far as such
        donors exist; `places` says where the values of a column lie, as ties count them.
        """
        if self.layout.width == 0 or given.rows == 0:
            return given
        donors = Donors(self._deck(seed, regions), self.layout)
        tied = [(tie, places(donors.deck, tie.parent)) for tie in ties if places is not None]
        return donors.fill(given, np.random.default_rng([seed, 1]), tied)

    def _deck(self, seed: int, regions: Sequence[tuple[str, Region]]) -> EncodedMatrix:
        """Many rows that lie in the regions' options; drawn on purpose only where they are rare."""
        deck = self.draw(DONOR_BLOCKS * BLOCK_ROWS, seed)
        for name, region in regions:
            choice = self.layout.column_choice(name)
            if choice is not None and region.options is not None:
                deck = deck.take(region.options[deck.codes[:, choice]])
        if deck.rows >= LEAST_DONORS:
            return deck
        return EncodedMatrix.concat(list(self.blocks(LEAST_DONORS, seed, regions)))

    def stream(self, seed: int, block: int) -> torch.Generator:
        """The random stream of one block."""
        mixed = np.random.SeedSequence([seed, block]).generate_state(2, np.uint32)
        device = self.generator.leave.weight.device
        return torch.Generator(device).manual_seed(int(mixed[0]) << 31 | int(mixed[1]) >> 1)

    @torch.inference_mode()
    def _drawn(self, rows: int, stream: torch.Generator) -> EncodedMatrix:
        """Fresh rows of the generator, a chunk at a time."""
        generator, device = self.generator, self.generator.leave.weight.device
        step = CHUNK_ROWS if device.type == "cpu" else rows
        choices = len(self.layout.choices)
        codes = np.empty((rows, choices), dtype=np.int32)
        scalars = np.empty((rows, self.layout.n_scalars), dtype=np.float32)
        for start in range(0, rows, step):
            count = min(step, rows - start)
            raw = generator.raw(self.noise.latent(count, stream, str(device)))
            points = torch.rand(count, choices, generator=stream, device=device)
            code, scalar = generator.heads.choose(raw, points)
            codes[start : start + count] = code.cpu().numpy()
            scalars[start : start + count] = scalar.cpu().numpy()
        return EncodedMatrix(codes, scalars)

    def to_matrix(self, rows: Tensor) -> EncodedMatrix:
        """Codes and scalars of rows of shape (rows, width)."""
        sizes = [int(size) for size in self.layout.choice_sizes]
        options = torch.split(rows[:, : self.layout.n_options], sizes, dim=1)
        codes = [part.argmax(dim=1) for part in options]
        stacked = torch.stack(codes, dim=1) if codes else rows.new_zeros(len(rows), 0)
        scalars = rows[:, self.layout.n_options :]
        return EncodedMatrix(stacked.int().cpu().numpy(), scalars.float().cpu().numpy())
