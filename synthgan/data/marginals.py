"""What was bought of a table's moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthgan.data.cell_map import CellMap

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Marginals:
    """Tables of all pairs of columns, and the shares of single options, with their noise.

    Attributes
    ----------
    cells : CellMap
        The cells that tables are of.
    pairs : array of shape (classes or 1, cells, cells)
        Share of the rows in each pair of cells, noisy; 0 within a column and above the diagonal.
    pair_error : float
        Deviation of the noise of each, as a share of the rows.
    options : array of shape (n_options,)
        Share of each option in its choice.
    option_error : float
        Deviation of its noise.
    rows : int
        How many rows there are, as far as is known.
    """

    cells: CellMap
    pairs: Floats
    pair_error: float
    options: Floats
    option_error: float
    rows: int
