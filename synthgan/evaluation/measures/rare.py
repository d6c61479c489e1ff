"""Rare-value disclosure: values that few real rows hold, and that the synthetic table shows.

A value held by fewer than `FEW` real rows may name its holder (the small-cell rule of official
statistics; Hundepool et al., "Statistical disclosure control", 2012). Whether it stands in the
synthetic table is asked for the levels of categories, for exact numbers and moments, for the ends
of a number's range, and for pairs of levels that are common each but rare together. An independent
sample of real rows holds some of them by chance: the same figures of the holdout stand beside,
both brought to as many rows as the smaller of the two tables has. Values are counted, never named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
Result = dict[str, Any]


@dataclass(frozen=True)
class _Rare:
    """How often the rare values of the real table occur in the tables that were not."""

    found: Counts
    holdout: Counts | None


def rare_values(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Rare values and pairs of values of the real table that stand in the synthetic one.

    Parameters
    ----------
    reference : Reference
        The real table, and the holdout where there is one.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to take more than the share of rare levels.

    Returns
    -------
    dict
        For ``levels``, ``numbers`` and ``pairs``: how many rare ones there are (``rare``), how many
        of them stand in the synthetic table (``found``), their ``share``, and, at the same number
        of rows, the share in the synthetic table and in the holdout (``share_matched``,
        ``share_holdout``); ``columns`` has the same for each column that has any, with the
        ``ends`` of its range. A share is None where nothing is rare or there is no holdout.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> reference = Reference(pa.table({"town": ["Ulm"] * 6 + ["Bonn", "Trier"]}))
    >>> found = reference.code(pa.table({"town": ["Ulm", "Bonn"]}))
    >>> rare_values(reference, found)["levels"]["found"]
    1
    """
    rows = (found.rows, None if reference.holdout is None else reference.holdout.rows)
    levels = dict(_rare_levels(reference, found))
    result: Result = {"fewer_than": FEW, "levels": _figures(list(levels.values()), *rows)}
    if not detail:
        return {"levels": {"share": result["levels"]["share"]}}
    numbers = dict(_rare_numbers(reference, found))
    pairs, used, total = _rare_pairs(reference, found)
    columns = [
        {"name": name, **_figures([rare], *rows), **_ends(reference, found, name)}
        for name, rare in (levels | numbers).items()
        if len(rare.found)
    ]
    return result | {
        "numbers": _figures(list(numbers.values()), *rows),
        "pairs": {**_figures(pairs, *rows), "pairs_used": used, "pairs_total": total},
        "columns": sorted(columns, key=lambda column: -column["found"]),
    }


def _figures(parts: list[_Rare], rows: int, holdout_rows: int | None) -> Result:
    found = np.concatenate([part.found for part in parts]) if parts else np.empty(0, np.int64)
    holdout = [part.holdout for part in parts if part.holdout is not None]
    figures: Result = {
        "rare": len(found),
        "found": int((found > 0).sum()),
        "share": float((found > 0).mean()) if len(found) else None,
        "share_matched": None,
        "share_holdout": None,
    }
    if len(found) and holdout and holdout_rows is not None:
        matched = min(rows, holdout_rows)
        figures["share_matched"] = _expected_share(found, matched / rows)
        figures["share_holdout"] = _expected_share(np.concatenate(holdout), matched / holdout_rows)
    return figures


def _expected_share(counts: Counts, kept: float) -> float:
    """Share of values expected to stay where a share of the rows is kept (rarefaction)."""
    return float((1 - (1 - kept) ** counts).mean())


def _rare_levels(reference: Reference, found: Coded) -> Iterator[tuple[str, _Rare]]:
    for place, column in enumerate(reference.real.columns):
        if isinstance(column, LevelColumn):
            few = _few(_level_counts(reference.real, place))
            yield (
                column.name,
                _Rare(
                    _level_counts(found, place)[few],
                    None
                    if reference.holdout is None
                    else _level_counts(reference.holdout, place)[few],
                ),
            )


def _level_counts(coded: Coded, place: int) -> Counts:
    """Rows of each real level, of shape (levels,): neither null nor unseen ones."""
    size = coded.columns[place].size
    return np.bincount(coded.prepared[place].codes, minlength=size)[: size - 2]


def _few(counts: Counts) -> NDArray[np.bool_]:
    return (counts > 0) & (counts < FEW)


def _rare_numbers(reference: Reference, found: Coded) -> Iterator[tuple[str, _Rare]]:
    for place, column in enumerate(reference.real.columns):
        if isinstance(column, NumberColumn):
            rare = column.unique[_few(_number_counts(column))]
            yield (
                column.name,
                _Rare(
                    _occurrences(rare, found, place),
                    None
                    if reference.holdout is None
                    else _occurrences(rare, reference.holdout, place),
                ),
            )


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
    at = np.minimum(np.searchsorted(rare, values), len(rare) - 1)
    return np.bincount(at[rare[at] == values], minlength=len(rare))


def _ends(reference: Reference, found: Coded, name: str) -> Result:
    """Which ends of a number's range, where few rows hold them, are those of the tables too."""
    place = found.column(name)
    column = reference.real.columns[place]
    if not isinstance(column, NumberColumn):
        return {}
    few = _few(_number_counts(column))
    ends = [column.unique[end] for end in (0, -1) if few[end]]
    tables = {"found": found, "holdout": reference.holdout}
    return {
        "ends": {"rare": len(ends)}
        | {
            key: None if table is None else _same_ends(column.unique, few, table, place)
            for key, table in tables.items()
        }
    }


def _same_ends(unique: Floats, few: NDArray[np.bool_], coded: Coded, place: int) -> int:
    values = coded.prepared[place].values
    assert values is not None
    present = values[~np.isnan(values)]
    if not len(present):
        return 0
    lowest = few[0] and present.min() == unique[0]
    highest = few[-1] and present.max() == unique[-1]
    return int(lowest) + int(highest)


def _rare_pairs(reference: Reference, found: Coded) -> tuple[list[_Rare], int, int]:
    """Pairs of levels, common each, that are rare together; over some pairs of columns."""
    places = np.flatnonzero(reference.real.categorical).tolist()
    common = {place: _common(_level_counts(reference.real, place)) for place in places}
    levels = {place: int(common[place].max()) + 1 for place in places}
    pairs = list(combinations(places, 2))
    countable = [(i, j) for i, j in pairs if 0 < levels[i] * levels[j] <= MOST_CELLS]
    order = reference.rng(_PAIRS).permutation(len(countable))[:MOST_PAIRS]
    tables = (reference.real, found, reference.holdout)
    rare = []
    for i, j in (countable[place] for place in np.sort(order)):
        real, *others = (
            None if table is None else _pair_counts(table, (i, j), common, levels)
            for table in tables
        )
        assert real is not None and others[0] is not None
        few = _few(real)
        rare.append(_Rare(others[0][few], None if others[1] is None else others[1][few]))
    return rare, len(rare), len(pairs)


def _common(counts: Counts) -> Codes:
    """Place of each code among the levels that are not rare; -1 for all others."""
    common = np.append(counts >= FEW, [False, False])  # null, unseen
    return np.where(common, np.cumsum(common) - 1, -1)


def _pair_counts(
    coded: Coded, pair: tuple[int, int], common: dict[int, Codes], levels: dict[int, int]
) -> Counts:
    """Rows of each pair of common levels, of shape (levels * levels,)."""
    first, second = (common[place][coded.prepared[place].codes] for place in pair)
    cells = first * levels[pair[1]] + second
    known = cells[(first >= 0) & (second >= 0)]
    return np.bincount(known, minlength=levels[pair[0]] * levels[pair[1]])
