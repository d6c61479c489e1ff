"""Learning a tilt from noisy tables: nothing but what was bought has a part in it.

Of all distributions whose moments are those of the tables, as far as noise lets one know, the one
nearest to the generator's is an exponential tilt of it (Csiszar, "I-divergence geometry of
probability distributions and minimization problems", Annals of Probability 1975; with noisy moments
Dudik, Phillips and Schapire, "Performance guarantees for regularized maximum entropy density
estimation", COLT 2004). How far the generator is believed is found out on rows that had no part.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from torch import Tensor

from synthgan.data.cell_map import WHOLE
from synthgan.data.marginals import Marginals
from synthgan.data.matrix import EncodedMatrix
from synthgan.refinement.account import LEARNED, Refinement
from synthgan.refinement.tilt import Tilt, weights_of
from synthgan.sampling import Sampler
from synthgan.selection import effective_share, inclusion

# what pairs of cells are worth, and options
Worth = tuple[Tensor, Tensor]

# rows that a tilt is learned on: over those of the table, at least and at most; cells of them
POOL, LEAST_POOL, MOST_POOL = 3, 10_000, 100_000
MOST_CELLS = 40_000_000
# for how many rows, over those of the table, the generator stands, from the first on; each next
# one begins where the last one ended
TRUSTS = (4.0, 2.0, 1.0, 0.5, 0.25, 0.125)
# of the gap that has to go for less trust to be worth it
WORTH = 0.01
LOOKS = 20


def learn_tilt(
    sampler: Sampler,
    marginals: Marginals,
    factor: int,
    seed: int,
    deadline: float | None = None,
) -> tuple[Tilt | None, Refinement]:
    """Learn what pairs of cells are worth.

    Parameters
    ----------
    sampler : Sampler
        Draws the pool.
    marginals : Marginals
        What was bought.
    factor : int
        Rows of a pool for each one that is chosen from it.
    seed : int
        Decides the pool.
    deadline : float or None
        Reading of `time.monotonic` by which to be done.

    Returns
    -------
    Tilt or None
        None where choosing rows brings them no nearer to the tables.
    Refinement
        What was learned, or why nothing was.
    """
    cells = marginals.cells
    if cells.columns < 2:
        return None, Refinement("nothing to learn")
    started = time.monotonic()

    def late() -> bool:
        return deadline is not None and time.monotonic() >= deadline

    if late():
        return None, Refinement("no time was left")
    rows = int(np.clip(POOL * marginals.rows, LEAST_POOL, MOST_POOL))
    rows = min(rows, MOST_CELLS // cells.cells)
    lesson, test = (_Pool(sampler.draw(rows, each), marginals) for each in (seed, seed + 1))
    found, best, share = None, test.gap(np.ones(rows), factor), 1.0
    worth = torch.zeros(marginals.pairs.shape), torch.zeros(cells.layout.n_options)
    state = "the tables find nothing to refine"
    try:
        for trust in TRUSTS:
            if late():
                break
            worth = lesson.learn(worth, trust * marginals.rows, late)
            weights = test.weights(*worth)
            if (gap := test.gap(weights, factor)) > (1.0 - WORTH) * best:
                break
            best, share = gap, effective_share(weights)
            found = Tilt(cells, *(each.numpy() for each in worth))
    except KeyboardInterrupt:
        # what was bought is spent: nothing that was learned from it gets lost
        state = "interrupted"
    seconds = time.monotonic() - started
    if found is None:
        return None, Refinement(state, seconds=seconds)
    return found, Refinement(LEARNED, effective=share, seconds=seconds)


class _Pool:
    """Generated rows, in the terms of the tables.

    Parameters
    ----------
    rows : EncodedMatrix
        The rows.
    marginals : Marginals
        What they should come to.
    """

    def __init__(self, rows: EncodedMatrix, marginals: Marginals) -> None:
        cells = marginals.cells
        shares, classes = [], []
        for part in cells.parts(rows):
            shares.append((part / WHOLE).astype(np.float32))
            classes.append(cells.classes(part).astype(np.float32))
        self._shares = torch.as_tensor(np.concatenate(shares))
        self._classes = torch.as_tensor(np.concatenate(classes, axis=1))
        codes = rows.codes.astype(np.int64) + np.asarray(cells.layout.choice_offsets)
        self._codes = torch.as_tensor(codes)
        self._marginals = marginals
        self._apart = torch.as_tensor(cells.apart, dtype=torch.float32)
        self._pairs = torch.as_tensor(marginals.pairs, dtype=torch.float32)
        self._options = torch.as_tensor(marginals.options, dtype=torch.float32)

    def learn(self, first: Worth, rows: float, late: Callable[[], bool]) -> Worth:
        """What pairs and options are worth if the generator stands for so many rows.

        The dual of the nearest distribution: convex, with the moments' gap as its slope.
        """
        ends, shape = first[0].numel(), first[0].shape
        doubts = [
            rows * error**2 for error in (self._marginals.pair_error, self._marginals.option_error)
        ]

        def parted(flat: Tensor) -> Worth:
            return flat[:ends].view(shape), flat[ends:]

        def loss(given: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            flat = torch.as_tensor(given, dtype=torch.float32).requires_grad_()
            pairs, options = parted(flat)
            apart = pairs * self._apart
            total = torch.logsumexp(self._worth(apart, options), dim=0)
            total = total - (apart * self._pairs).sum() - (options * self._options).sum()
            total = total + doubts[0] / 2.0 * apart.square().sum()
            total = total + doubts[1] / 2.0 * options.square().sum()
            (slope,) = torch.autograd.grad(total, flat)
            return float(total.detach()), slope.double().numpy()

        def look(intermediate_result: OptimizeResult) -> None:
            if late():
                raise StopIteration

        start = torch.cat([each.flatten() for each in first]).double().numpy()
        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": LOOKS}, callback=look
        )
        return parted(torch.as_tensor(found.x, dtype=torch.float32))

    def weights(self, pairs: Tensor, options: Tensor) -> NDArray[np.float64]:
        """Of the rows, of shape (rows,), the largest 1."""
        return weights_of(self._worth(pairs, options).double().numpy())

    def gap(self, weights: NDArray[np.float64], factor: int) -> float:
        """How far one in `factor` rows, chosen by weight, are from the tables.

        In squared deviations of their noise, the mean over pairs of cells.
        """
        chances = torch.as_tensor(inclusion(weights, len(weights) // factor), dtype=torch.float32)
        found = torch.stack(
            [
                (self._shares.T * (own * chances / chances.sum())) @ self._shares
                for own in self._classes
            ]
        )
        gap = (found - self._pairs) * self._apart / self._marginals.pair_error
        return float(gap.square().sum() / (self._apart.sum() * len(found)))

    def _worth(self, pairs: Tensor, options: Tensor) -> Tensor:
        worth = options[self._codes].sum(dim=1)
        for own, each in zip(self._classes, pairs, strict=True):
            worth = worth + own * ((self._shares @ each) * self._shares).sum(dim=1)
        return worth
