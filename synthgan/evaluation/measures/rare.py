"""Rare-value disclosure: values that few real rows hold, and that the synthetic table shows.

A value held by fewer than `FEW` real rows may name its holder (the small-cell rule of official
statistics; Hundepool et al., "Statistical disclosure control", 2012). Whether it stands in the
synthetic table is asked for the levels of categories, for exact numbers and moments, for the ends
of a number's range, and for pairs of levels that are common each but rare together. An independent
sample of real rows holds some of them by chance, and more of them the longer it is: shares are
those of the same number of rows, whatever the table's length, so that floors can stand beside them.
Values are counted, never named.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.columns import Codes, Floats, LevelColumn, NumberColumn

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.reference import Reference

FEW = 5
MOST_PAIRS = 300
# Two columns whose common levels make more pairs than this are not paired.
MOST_CELLS = 1_000_000
_PAIRS = 580

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Result = dict[str, Any]


def rare_values(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Rare values and pairs of values of the real table that stand in the synthetic one.

    Parameters
    ----------
    reference : Reference
        The real table, and the holdout where there is one, for its number of rows.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to take more than the shares.

    Returns
    -------
    dict
        For ``levels``, ``numbers`` and ``pairs``: how many rare ones there are (``rare``), how many
        of them stand in the synthetic table (``found``), and the ``share`` that so many of its rows
        as ``rows`` says are expected to hold: as many as the holdout has, or the real table where
        there is none, but no more than there are. ``columns`` has the same for each column that has
        any, with the ``ends`` of its range. A share is None where nothing is rare.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> reference = Reference(pa.table({"town": ["Ulm"] * 6 + ["Bonn", "Trier"]}))
    >>> found = reference.code(pa.table({"town": ["Ulm", "Bonn"]}))
    >>> rare_values(reference, found)["levels"]["found"]
    1
    """
    rows = min(found.rows, (reference.holdout or reference.real).rows)
    kept = rows / found.rows
    levels, numbers = dict(_rare_levels(reference, found)), dict(_rare_numbers(reference, found))
    pairs, total = _rare_pairs(reference, found)
    parts = {"levels": [*levels.values()], "numbers": [*numbers.values()], "pairs": pairs}
    result: Result = {name: _figures(part, kept) for name, part in parts.items()}
    if not detail:
        return {name: {"share": part["share"]} for name, part in result.items()} | {"rows": rows}
    columns = [
        {"name": name, **_figures([counts], kept), **_ends(reference, found, name)}
        for name, counts in (levels | numbers).items()
        if len(counts)
    ]
    result["pairs"] |= {"pairs_used": len(pairs), "pairs_total": total}
    return result | {
        "fewer_than": FEW,
        "rows": rows,
        "columns": sorted(columns, key=lambda column: -column["found"]),
    }


def _figures(parts: list[Counts], kept: float) -> Result:
    """Figures of rare values, from how often each occurs, where a share of the rows is kept."""
    counts = np.concatenate(parts) if parts else np.empty(0, np.int64)
    found = {"rare": len(counts), "found": int((counts > 0).sum())}
    if not len(counts):
        return found | {"share": None, "share_reason": "there are no rare ones"}
    return found | {"share": _expected_share(counts, kept)}


def _expected_share(counts: Counts, kept: float) -> float:
    """Share of values expected to stay where a share of the rows is kept (rarefaction)."""
    times = np.bincount(counts)
    return float(1 - times @ (1 - kept) ** np.arange(len(times)) / len(counts))


def _rare_levels(reference: Reference, found: Coded) -> Iterator[tuple[str, Counts]]:
    for place, column in enumerate(reference.real.columns):
        if isinstance(column, LevelColumn):
            few = _few(_level_counts(reference.real, place))
            yield column.name, _level_counts(found, place)[few]


def _level_counts(coded: Coded, place: int) -> Counts:
    """Rows of each real level, of shape (levels,): neither null nor unseen ones."""
    return coded.prepared[place].counts(coded.columns[place].size)[:-1]


def _few(counts: Counts) -> Mask:
    return (counts > 0) & (counts < FEW)


def _rare_numbers(reference: Reference, found: Coded) -> Iterator[tuple[str, Counts]]:
    for place, column in enumerate(reference.real.columns):
        if isinstance(column, NumberColumn):
            few = _few(_number_counts(column))
            yield column.name, _occurrences(column.unique[few], found, place)


def _number_counts(column: NumberColumn) -> Counts:
    """Rows of each real number, of shape (len(column.unique),)."""
    values = column.real.values
    assert values is not None
    present = int((~np.isnan(values)).sum())
    counts: Counts = np.rint(np.diff(column.cumulative) * present).astype(np.int64)
    return counts


def _occurrences(rare: Floats, coded: Coded, place: int) -> Counts:
    """How often each of some sorted numbers occurs in a column, of shape (len(rare),)."""
    values = coded.prepared[place].values
    if not len(rare) or values is None:
        return np.zeros(len(rare), dtype=np.int64)
    values = np.sort(values)  # which makes the search many times faster
    at = np.minimum(np.searchsorted(rare, values), len(rare) - 1)
    return np.bincount(at[rare[at] == values], minlength=len(rare))


def _ends(reference: Reference, found: Coded, name: str) -> Result:
    """Which ends of a number's range, where few rows hold them, are those of the table too."""
    place = found.column(name)
    column = reference.real.columns[place]
    if not isinstance(column, NumberColumn):
        return {}
    ends, few = column.unique[[0, -1]], _few(_number_counts(column))[[0, -1]]
    same = _same_ends(ends, few, found, place)
    # A range of a single value has one end.
    return {"ends": {"rare": len(set(ends[few])), "found": len(set(ends[same]))}}


def _same_ends(ends: Floats, few: Mask, coded: Coded, place: int) -> Mask:
    values = coded.prepared[place].values
    assert values is not None
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(2, dtype=np.bool_)
    same: Mask = few & (ends == [present.min(), present.max()])
    return same


def _rare_pairs(reference: Reference, found: Coded) -> tuple[list[Counts], int]:
    """Pairs of levels, common each, that are rare together; over some pairs of columns."""
    places = np.flatnonzero(reference.real.categorical).tolist()
    common = {place: _common(_level_counts(reference.real, place)) for place in places}
    levels = {place: int(common[place].max()) + 1 for place in places}
    if "rare_pairs" not in reference.memo:
        reference.memo["rare_pairs"] = _find_pairs(reference, common, levels)
    cells: dict[tuple[int, int], Codes] = reference.memo["rare_pairs"]
    codes = {place: common[place][found.prepared[place].codes] for place in places}
    counts = [
        _pair_counts((codes[i], codes[j]), (levels[i], levels[j]))[few]
        for (i, j), few in cells.items()
    ]
    return counts, len(places) * (len(places) - 1) // 2


def _find_pairs(
    reference: Reference, common: dict[int, Codes], levels: dict[int, int]
) -> dict[tuple[int, int], Codes]:
    """The cells that few real rows fill, of each pair of columns that is looked at."""
    codes = {place: common[place][reference.real.prepared[place].codes] for place in common}
    countable = [
        (i, j) for i, j in combinations(common, 2) if 0 < levels[i] * levels[j] <= MOST_CELLS
    ]
    order = reference.rng(_PAIRS).permutation(len(countable))[:MOST_PAIRS]
    return {
        (i, j): np.flatnonzero(_few(_pair_counts((codes[i], codes[j]), (levels[i], levels[j]))))
        for i, j in (countable[place] for place in np.sort(order))
    }


def _common(counts: Counts) -> Codes:
    """Place of each code among the levels that are not rare; -1 for all others."""
    common = np.append(counts >= FEW, [False, False])  # null, unseen
    return np.where(common, np.cumsum(common) - 1, -1)


def _pair_counts(codes: tuple[Codes, Codes], levels: tuple[int, int]) -> Counts:
    """Rows of each pair of common levels, of shape (levels * levels,)."""
    first, second = codes
    known = (first >= 0) & (second >= 0)
    cells = first[known] * levels[1] + second[known]
    return np.bincount(cells, minlength=levels[0] * levels[1])
