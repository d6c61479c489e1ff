"""Regions of a table: parts of a number's range, and levels or ranges of two columns together."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.columns import BINS, Codes, LevelColumn
from synthgan.evaluation.measures.lost import Counts, compare
from synthgan.evaluation.measures.wording import level_in_words, span_in_words

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded, RealColumn

PAIRS = 1_250  # pairs of columns whose regions are counted: all of them up to 50 columns
LEVELS = 30  # most frequent levels of a category that regions know

# Codes of a column in a region: bins or levels, null, and what is in no region.
_NULL, _REST, _SIZE = LEVELS, LEVELS + 1, LEVELS + 2

Mask = NDArray[np.bool_]
RegionCodes = NDArray[np.int32]


class Regions:
    """The regions of some real rows: a tenth of a number's range, two columns' levels or tenths.

    Parameters
    ----------
    sample : Coded
        The real rows.
    rng : numpy.random.Generator
        Chooses the pairs of columns where there are more than 1,250.

    Attributes
    ----------
    pairs : list of (int, int)
        The columns whose regions are counted together.
    """

    def __init__(self, sample: Coded, rng: np.random.Generator) -> None:
        self._sample = sample
        self._kept = [_kept(column) for column in sample.columns]
        self._codes = self._code(sample)
        self.pairs = list(combinations(range(len(self._kept)), 2))
        if len(self.pairs) > PAIRS:
            chosen = rng.choice(len(self.pairs), PAIRS, replace=False)
            self.pairs = [self.pairs[i] for i in np.sort(chosen)]
        self._singles, self._cells = _singles(self._codes), self._count(self._codes)
        # A number's bins alone are regions; single levels and nulls are counted as categories.
        self._spans = np.zeros_like(self._singles, dtype=np.bool_)
        self._spans[~sample.categorical, :BINS] = True

    def compare(self, drawn: Coded) -> tuple[Counts, Mask]:
        """Count a synthetic table's rows in the regions.

        Parameters
        ----------
        drawn : Coded
            Synthetic rows.

        Returns
        -------
        counts : Counts
            Of spans and of pairs' regions; those which contain what one column lost alone are empty
            on the real side.
        inside : array of bool of shape (n_sample,)
            Which rows of the sample live in a lost region.
        """
        codes, rows = self._code(drawn), (self._sample.rows, drawn.rows)
        singles = compare(self._singles.ravel(), _singles(codes).ravel(), rows)
        alone = singles.lost.reshape(self._singles.shape)
        real = np.where(self._asked(alone), self._cells, 0)
        pairs = compare(real.ravel(), self._count(codes).ravel(), rows)
        spans = self._spans.ravel()
        counts = Counts(
            np.concatenate([np.where(spans, singles.real, 0), pairs.real]),
            np.concatenate([singles.found, pairs.found]),
            rows,
            np.concatenate([singles.lost & spans, pairs.lost]),
        )
        return counts, self._inside(alone & self._spans, pairs.lost.reshape(self._cells.shape))

    def describe(self, part: int) -> dict[str, Any]:
        """One of the counted parts in words: its `text` and `columns`."""
        pair, cell = divmod(part - self._singles.size, _SIZE * _SIZE)
        if pair < 0:
            cells = [divmod(part, _SIZE)]
        else:
            cells = list(zip(self.pairs[pair], divmod(cell, _SIZE), strict=True))
        words = [self._side(place, code) for place, code in cells]
        names = [self._sample.names[place] for place, _ in cells]
        return {"text": " and ".join(words), "columns": names}

    def _code(self, coded: Coded) -> RegionCodes:
        """Region codes of shape (n_columns, rows)."""
        made = np.empty((len(self._kept), coded.rows), dtype=np.int32)
        for row, places, prepared in zip(made, self._kept, coded.prepared, strict=True):
            row[:] = places[prepared.codes]
        return made

    def _count(self, codes: RegionCodes) -> Codes:
        """Rows of each pair's regions, of shape (n_pairs, _SIZE, _SIZE)."""
        cells = np.empty((len(self.pairs), _SIZE * _SIZE), dtype=np.int64)
        for row, (first, second) in zip(cells, self.pairs, strict=True):
            row[:] = np.bincount(codes[first] * _SIZE + codes[second], minlength=_SIZE * _SIZE)
        return cells.reshape(-1, _SIZE, _SIZE)

    def _asked(self, alone: Mask) -> Mask:
        """Regions of pairs that are asked about: no rest, and nothing that one column lost."""
        known = ~alone
        known[:, _REST] = False
        first, second = np.array(self.pairs, dtype=np.int64).reshape(-1, 2).T
        asked: Mask = known[first][:, :, None] & known[second][:, None, :]
        return asked

    def _inside(self, spans: Mask, pairs: Mask) -> Mask:
        mask = np.zeros(self._sample.rows, dtype=np.bool_)
        for place in np.flatnonzero(spans.any(axis=1)):
            mask |= spans[place][self._codes[place]]
        for i in np.flatnonzero(pairs.any(axis=(1, 2))):
            first, second = self.pairs[i]
            mask |= pairs[i][self._codes[first], self._codes[second]]
        return mask

    def _side(self, place: int, region: int) -> str:
        """One column's part of a region: a level, or the real values in a bin."""
        column, prepared = self._sample.columns[place], self._sample.prepared[place]
        code = int(np.flatnonzero(self._kept[place] == region)[0])
        if isinstance(column, LevelColumn) or code >= BINS:
            return f"{column.name} = {level_in_words(self._sample, place, code)}"
        assert prepared.values is not None
        inside = prepared.values[prepared.codes == code]
        return span_in_words(self._sample, place, float(inside.min()), float(inside.max()))


def _kept(column: RealColumn) -> Codes:
    """Region code of each of a column's codes, of shape (column.size,)."""
    kept = np.full(column.size, _REST)
    kept[-2] = _NULL
    if isinstance(column, LevelColumn):
        frequent = np.argsort(-column.shares[:-2], kind="stable")[:LEVELS]
        kept[frequent] = np.arange(len(frequent))
    else:
        kept[:BINS] = np.arange(BINS)
    return kept


def _singles(codes: RegionCodes) -> Codes:
    """Rows of each region code, of shape (n_columns, _SIZE)."""
    return np.stack([np.bincount(column, minlength=_SIZE) for column in codes])
