"""Mode collapse: categories, clusters and regions of the real table that a synthetic one lacks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from synthgan.evaluation.columns import BINS, Codes, LevelColumn
from synthgan.evaluation.embedding import Points, nearest
from synthgan.evaluation.measures.lost import compare
from synthgan.evaluation.measures.regions import Regions
from synthgan.evaluation.measures.wording import level_in_words, span_in_words

if TYPE_CHECKING:
    from synthgan.evaluation.coding import Coded
    from synthgan.evaluation.embedding import Embedding
    from synthgan.evaluation.reference import Reference

ROWS = 20_000  # of each table, for clusters and regions; categories are counted over all rows
CLUSTERS = 100
CLUSTER_ROWS = 4_000  # real rows that the clusters are found on
FEWEST_REAL, FEWEST_FOUND = 20, 10  # rows that the average cluster should have at least

_STREAM = 250
_BLOCK = 2_000

Mask = NDArray[np.bool_]


def collapse(reference: Reference, found: Coded, *, detail: bool = True) -> dict[str, Any]:
    """Find the categories, clusters and regions of the real table that got no or far too few rows.

    A *category* is a level of a category column, or null in any column. A *cluster* is one of up to
    100 (one for each 10 synthetic rows) that k-means finds in the embedding of up to 4,000 real
    rows. A *region* is a tenth of a number column's real range, or two columns' levels or tenths
    together (of the 30 most frequent levels, and without what one of the two lost alone).

    Parts are *missing* if they got no synthetic row, which is reported beside the number that a
    fresh real sample of that size would miss by chance; they are *lost* if they got less than a
    tenth of what their real share promises and chance does not explain it (`lost.compare`). A
    category with 2 real rows that 100 synthetic rows lack is missing, not lost.

    Parameters
    ----------
    reference : Reference
        The real side.
    found : Coded
        The synthetic table.
    detail : bool
        Whether to list and describe the lost parts.

    Returns
    -------
    dict
        `share_lost`, share of real rows that live in any lost part; `rows` drawn of each table;
        and for `categories`, `clusters` and `regions`: `real` parts, `missing` ones,
        `missing_by_chance` expected, `lost_parts`, `share_lost`, and `lost`, the 20 with most real
        rows, with `text`, `real_pct`, `synthetic_pct` and what they are made of.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from synthgan.evaluation.reference import Reference
    >>> reference = Reference(pa.table({"town": ["Ulm"] * 50 + ["Bonn"] * 50}))
    >>> figures = collapse(reference, reference.code(pa.table({"town": ["Ulm"] * 100})))
    >>> figures["categories"]["lost"][0]["text"], figures["share_lost"]
    ('town = Bonn', 0.5)
    """
    drawn = reference.draw(found, ROWS, _STREAM + 1)
    parts = _parts(reference, drawn.rows)
    measured = {
        "categories": _categories(parts, found, detail),
        "clusters": _clusters(parts, drawn, reference.embedding, detail),
        "regions": _regions(parts, drawn, detail),
    }
    touched = np.any([mask for _, mask in measured.values()], axis=0)
    return {
        "share_lost": float(touched.mean()),
        "rows": {"real": parts.sample.rows, "synthetic": drawn.rows},
        **{
            name: figures | {"share_lost": float(mask.mean())}
            for name, (figures, mask) in measured.items()
        },
    }


@dataclass(frozen=True, slots=True)
class _Parts:
    """The real table in parts, found once for many synthetic ones."""

    real: Coded
    sample: Coded
    centres: Points
    cluster: Codes  # of each row of the sample
    regions: Regions


def _parts(reference: Reference, drawn: int) -> _Parts:
    learned = min(reference.real.rows, CLUSTER_ROWS)
    clusters = max(1, min(CLUSTERS, learned // FEWEST_REAL, drawn // FEWEST_FOUND))
    key = ("collapse", clusters)
    if key not in reference.memo:
        sample = reference.draw(reference.real, ROWS, _STREAM)
        points = reference.embedding.transform(sample.take(np.arange(learned)))
        centres = _centres(points, clusters, reference.seed)
        reference.memo[key] = _Parts(
            reference.real,
            sample,
            centres,
            _nearest_centres(sample, reference.embedding, centres),
            Regions(sample, reference.rng(_STREAM + 2)),
        )
    parts: _Parts = reference.memo[key]
    return parts


def _categories(parts: _Parts, found: Coded, detail: bool) -> tuple[dict[str, Any], Mask]:
    columns = found.columns
    # The first code that is a category: a level, or of numbers the null only.
    firsts = [0 if isinstance(c, LevelColumn) else c.size - 2 for c in columns]
    starts = np.cumsum([0, *(c.size - 1 - f for c, f in zip(columns, firsts, strict=True))])
    real, made = (
        np.concatenate(
            [coded.prepared[i].counts(c.size)[firsts[i] :] for i, c in enumerate(columns)]
        )
        for coded in (parts.real, found)
    )
    counts = compare(real, made, (parts.real.rows, found.rows))
    mask = np.zeros(parts.sample.rows, dtype=np.bool_)
    for i, column in enumerate(columns):
        lost = np.zeros(column.size, dtype=np.bool_)
        lost[firsts[i] : -1] = counts.lost[starts[i] : starts[i + 1]]
        if lost.any():
            mask |= lost[parts.sample.prepared[i].codes]
    figures = counts.summary()
    if detail:
        places = [int(np.searchsorted(starts, p, side="right")) - 1 for p in counts.largest()]
        figures["lost"] = [
            _category(parts.real, place, firsts[place] + part - int(starts[place]))
            | counts.shares(part)
            for place, part in zip(places, counts.largest(), strict=True)
        ]
    return figures, mask


def _category(real: Coded, place: int, code: int) -> dict[str, Any]:
    name, level = real.names[place], level_in_words(real, place, code)
    return {"text": f"{name} = {level}", "column": name, "level": level}


def _clusters(
    parts: _Parts, drawn: Coded, embedding: Embedding, detail: bool
) -> tuple[dict[str, Any], Mask]:
    made = _nearest_centres(drawn, embedding, parts.centres)
    k = len(parts.centres)
    real, found = (np.bincount(each, minlength=k) for each in (parts.cluster, made))
    counts = compare(real, found, (len(parts.cluster), len(made)))
    figures = counts.summary()
    if detail:
        figures["lost"] = [
            _described(parts.sample, np.flatnonzero(parts.cluster == part)) | counts.shares(part)
            for part in counts.largest()
        ]
    return figures, counts.lost[parts.cluster]


def _centres(points: Points, clusters: int, seed: int) -> Points:
    # Several threads add up a centre in the order they finish: other digits at every run.
    with threadpool_limits(1), warnings.catch_warnings():
        # Fewer different rows than clusters: some centres are equal, and all but one stay empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(clusters, n_init=1, max_iter=20, random_state=seed).fit(points)
    return np.asarray(model.cluster_centers_, dtype=np.float32)


def _nearest_centres(coded: Coded, embedding: Embedding, centres: Points) -> Codes:
    """Cluster of each row; in blocks, for a wide table's points are many times its size."""
    blocks = [
        nearest(embedding.transform(coded.take(index)), centres)[1][:, 0]
        for index in np.split(np.arange(coded.rows), range(_BLOCK, coded.rows, _BLOCK))
    ]
    return np.concatenate(blocks)


def _described(sample: Coded, inside: Codes) -> dict[str, Any]:
    """A cluster by the three columns in which it differs most from the whole table."""
    gaps = []
    for column, prepared in zip(sample.columns, sample.prepared, strict=True):
        whole = np.bincount(prepared.codes, minlength=column.size) / sample.rows
        part = np.bincount(prepared.codes[inside], minlength=column.size) / len(inside)
        gaps.append(np.abs(whole - part).sum())
    unusual = np.argsort(-np.array(gaps), kind="stable")[:3]
    words = [_typical(sample, int(place), inside) for place in unusual]
    return {"text": ", ".join(words), "columns": [sample.names[place] for place in unusual]}


def _typical(sample: Coded, place: int, inside: Codes) -> str:
    """What most rows of a cluster hold in a column: a level, or the middle 80 % of its numbers."""
    column, prepared = sample.columns[place], sample.prepared[place]
    counts = np.bincount(prepared.codes[inside], minlength=column.size)
    common = int(counts.argmax())
    if isinstance(column, LevelColumn) or common >= BINS:
        share = 100 * int(counts[common]) / len(inside)
        return f"{column.name} = {level_in_words(sample, place, common)} ({share:.0f} %)"
    assert prepared.values is not None
    low, high = np.nanquantile(prepared.values[inside], [0.1, 0.9], method="nearest")
    return span_in_words(sample, place, float(low), float(high))


def _regions(parts: _Parts, drawn: Coded, detail: bool) -> tuple[dict[str, Any], Mask]:
    counts, mask = parts.regions.compare(drawn)
    figures = counts.summary() | {"pairs": len(parts.regions.pairs)}
    if detail:
        figures["lost"] = [
            parts.regions.describe(part) | counts.shares(part) for part in counts.largest()
        ]
    return figures, mask
