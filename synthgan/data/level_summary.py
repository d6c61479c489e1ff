"""Mergeable summaries of categories and text: levels, their counts, and what they look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data import text_hash
from synthgan.data.arrow_types import is_text

EXACT_LEVELS = 1_000_000


@dataclass(frozen=True, eq=False)
class LevelSummary:
    """The levels of a column of strings, booleans or dictionaries.

    Up to `EXACT_LEVELS` different levels all of them are kept. Beyond, those with the smallest
    hashes are: a fixed sample of the levels, whose counts are exact, and the same however the
    column was cut into chunks. Shares of levels are then estimated with a relative error of about
    1 / sqrt(EXACT_LEVELS).

    Attributes
    ----------
    rows, missing : int
        All cells, and those without a value.
    levels : pyarrow.Array
        The levels, in no order.
    counts : ndarray of int64
        Rows of each.
    exact : bool
        Whether all levels are there.
    characters, words : int
        Total length of all texts and number of words in them; 0 for other types.
    lengths : frozenset of int
        All lengths of texts.
    prefix : str or None
        What all texts begin with; None where there are none.
    """

    rows: int
    missing: int
    levels: pa.Array
    counts: np.ndarray
    exact: bool = True
    characters: int = 0
    words: int = 0
    lengths: frozenset[int] = field(default_factory=frozenset)
    prefix: str | None = None

    @property
    def mean_length(self) -> float:
        """Mean number of characters of the cells that have a value."""
        return self.characters / max(self.rows - self.missing, 1)

    @property
    def mean_words(self) -> float:
        """Mean number of words of the cells that have a value."""
        return self.words / max(self.rows - self.missing, 1)

    @property
    def max_length(self) -> int:
        """Length of the longest text."""
        return max(self.lengths, default=0)

    def merge(self, other: LevelSummary) -> LevelSummary:
        """The summary of both columns' cells together."""
        levels, counts = _united(
            pa.concat_arrays([self.levels, other.levels]),
            np.concatenate([self.counts, other.counts]),
        )
        prefixes = [each.prefix for each in (self, other) if each.prefix is not None]
        return _sampled(
            LevelSummary(
                self.rows + other.rows,
                self.missing + other.missing,
                levels,
                counts,
                self.exact and other.exact,
                self.characters + other.characters,
                self.words + other.words,
                self.lengths | other.lengths,
                common_start(prefixes) if prefixes else None,
            )
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LevelSummary):
            return NotImplemented
        plain = ("rows", "missing", "exact", "characters", "words", "lengths", "prefix")
        if any(getattr(self, name) != getattr(other, name) for name in plain):
            return False
        mine, theirs = self.in_order(), other.in_order()
        return bool(mine[0].equals(theirs[0])) and np.array_equal(mine[1], theirs[1])

    __hash__ = None  # type: ignore[assignment]

    def in_order(self) -> tuple[pa.Array, np.ndarray]:
        """Levels in their own order, with their counts."""
        order = own_order(self.levels)
        return self.levels.take(order), self.counts[np.asarray(order)]


def own_order(levels: pa.Array) -> pa.Array:
    """The places of levels in their own order, whatever order they were met in."""
    # Arrow sorts no booleans
    sortable = levels.cast(pa.uint8()) if pat.is_boolean(levels.type) else levels
    return pc.array_sort_indices(sortable)


def common_start(texts: Iterable[str]) -> str:
    """Return what all texts begin with.

    Examples
    --------
    >>> common_start(["user_1", "user_27"])
    'user_'
    """
    low, high = min(texts), max(texts)
    same = (at for at, letter in enumerate(low) if not high.startswith(letter, at))
    return low[: next(same, len(low))]


def _united(levels: pa.Array, counts: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Put equal levels together; counts below 2**53 stay exact."""
    if pat.is_boolean(levels.type):
        flags = np.asarray(levels.cast(pa.uint8()))
        totals = np.bincount(flags, weights=counts, minlength=2)
        kept = np.flatnonzero(totals)
        return pa.array(kept == 1), totals[kept].astype(np.int64)
    encoded = levels.dictionary_encode()
    totals = np.bincount(
        np.asarray(encoded.indices), weights=counts, minlength=len(encoded.dictionary)
    )
    return encoded.dictionary, totals.astype(np.int64)


def _sampled(summary: LevelSummary) -> LevelSummary:
    """Keep the levels with the smallest hashes if there are too many."""
    if len(summary.levels) <= EXACT_LEVELS:
        return summary
    hashes = text_hash.hashes(summary.levels)
    kept = np.sort(np.argpartition(hashes, EXACT_LEVELS - 1)[:EXACT_LEVELS])
    levels, counts = summary.levels.take(pa.array(kept)), summary.counts[kept]
    return replace(summary, levels=levels, counts=counts, exact=False)


def summarise_levels(array: pa.Array) -> LevelSummary:
    """Summarise the cells of an array of strings, booleans or a dictionary."""
    levels, counts, missing = _count_levels(array)
    if not is_text(levels.type):
        return _sampled(LevelSummary(len(array), missing, levels, counts))
    lengths = np.asarray(pc.utf8_length(levels))
    spaces = np.asarray(pc.count_substring(levels, " "))
    prefix = None
    if len(levels):
        ends = pc.min_max(levels)
        prefix = common_start(ends.as_py().values())
    return _sampled(
        LevelSummary(
            len(array),
            missing,
            levels,
            counts,
            True,
            int((lengths * counts).sum()),
            int(((spaces + 1) * counts).sum()),
            frozenset(np.unique(lengths).tolist()),
            prefix,
        )
    )


def _count_levels(array: pa.Array) -> tuple[pa.Array, np.ndarray, int]:
    """Levels that occur, their counts, and the number of missing cells."""
    if pat.is_dictionary(array.type):
        codes = array.indices.drop_null()
        totals = np.bincount(np.asarray(codes), minlength=len(array.dictionary))
        seen = np.flatnonzero(totals)
        return array.dictionary.take(pa.array(seen)), totals[seen], len(array) - len(codes)
    counted = array.drop_null().value_counts()
    counts = np.asarray(counted.field("counts")).astype(np.int64)
    return counted.field("values"), counts, array.null_count
