"""A sampler whose rows are refined, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from synthgan.data.matrix import EncodedMatrix
from synthgan.data.region import Region
from synthgan.refinement.refiner import Refiner
from synthgan.refinement.tilt import Tilt
from synthgan.sampling import Block, Sampler, block_rows

# behind the numbers of a seed and a block, apart from the block's own stream
_REFINING = 1


@dataclass(frozen=True, slots=True)
class RefinedSampler:
    """Draw encoded rows and refine them; what `Sampler` says of blocks holds here too.

    Each block has a pool of its own, so that block `b` of seed `s` still depends on `(s, b)` alone.

    Parameters
    ----------
    sampler : Sampler
        Draws the pool.
    refiner : Refiner or Tilt
        Refines it.
    factor : int
        Rows of the pool for each row that is wanted.
    """

    sampler: Sampler
    refiner: Refiner | Tilt
    factor: int

    def block(
        self, block: Block, seed: int, regions: Sequence[tuple[str, Region]] = ()
    ) -> EncodedMatrix:
        """The rows that are wanted of one block.

        The pool is drawn inside the regions, and the columns that they name are not redrawn: every
        row still meets the condition.
        """
        pool = self.sampler.pool(block.rows, seed, block.number, regions, self.factor)
        # without a condition a block is whole, however much of it is asked for
        wanted = block.rows if regions else block_rows(block.number)
        rng = np.random.default_rng([seed, block.number, _REFINING])
        bound = {name for name, _ in regions}
        refined = self.refiner.refine(
            pool, wanted, rng, bound=bound, threads=torch.get_num_threads()
        )
        return refined.take(slice(0, block.rows))
