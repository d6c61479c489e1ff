"""The account of a table: its oddest rows, their odd cells, its scores, and how it has drifted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.anomaly.model import AnomalyModel
from synthgan.anomaly.page import notebook_html, render
from synthgan.anomaly.rows import Rows
from synthgan.data.output import check_output, replacing

PAGE_SUFFIXES = (".html", ".htm")
BINS = 48
# odd cells shown of a row, and how odd they have to be
CELLS, LEAST = 4, 2.5
# rows on which drift is measured
DRIFT_ROWS = 50_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Account:
    """What is to be said of a table's odd rows.

    Attributes
    ----------
    result : dict
        Everything the page shows, in JSON's own types.
    """

    result: dict[str, Any]

    def to_html(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write one page that loads nothing from anywhere, whole or not at all.

        Parameters
        ----------
        path : path
            The file, ending in ``.html`` or ``.htm``.
        force : bool, default False
            Whether an existing file is overwritten.

        Raises
        ------
        OutputError, OutputExistsError
            If the file cannot be written there, or exists.
        """
        check_output(path, force=force, suffixes=PAGE_SUFFIXES)
        with replacing(path) as temporary:
            temporary.write_text(render(self.result), encoding="utf-8")

    def _repr_html_(self) -> str:
        return notebook_html(self.result)

    def __repr__(self) -> str:
        rows, odd = self.result["rows"], self.result["odd"]
        return f"Account of {rows:,} rows, {odd:,} of them odd"


def take_account(
    learned: AnomalyModel,
    rows: Rows,
    *,
    offset: float,
    fitted: Floats,
    most: int,
    labels: Sequence[str] | None = None,
) -> Account:
    """Judge rows and say what there is to say.

    Parameters
    ----------
    learned : AnomalyModel
        The scores.
    rows : Rows
        The table.
    offset : float
        The score below which a row is odd.
    fitted : ndarray of shape (quantiles,)
        Quantiles of the scores of the fitted table, the lowest first.
    most : int
        How many of the oddest rows are shown.
    labels : sequence of str or None
        What the rows are called; by their numbers without.

    Returns
    -------
    Account
    """
    scores = -learned.combined(rows)
    order = np.argsort(scores, kind="stable")[:most]
    ranked = _ranked(learned, rows, scores, order, labels)
    return Account(
        {
            "rows": rows.count,
            "columns": len(rows.table.column_names),
            "odd": int((scores < offset).sum()),
            "odd_fitted": float(np.interp(offset, fitted, np.linspace(0.0, 1.0, len(fitted)))),
            "offset": float(offset),
            "scores": list(learned.scores),
            "histogram": _histogram(scores, fitted, offset),
            "ranked": ranked,
            "blamed": _blamed(ranked),
            "drift": _drift(learned, rows),
        }
    )


def _histogram(scores: Floats, fitted: Floats, offset: float) -> dict[str, Any]:
    """Shares of both tables in even bins of the score; what lies beyond counts to the ends."""
    low = float(min(np.quantile(scores, 0.005), fitted[1], offset))
    high = float(max(scores.max(), fitted[-1]))
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    here = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0] / len(scores)
    below = np.interp(edges, fitted, np.linspace(0.0, 1.0, len(fitted)))
    below[0], below[-1] = 0.0, 1.0
    return {
        "edges": edges.tolist(),
        "table": here.tolist(),
        "fitted": np.diff(below).tolist(),
        "offset": float(offset),
    }


def _ranked(
    learned: AnomalyModel,
    rows: Rows,
    scores: Floats,
    order: NDArray[np.int64],
    labels: Sequence[str] | None,
) -> list[dict[str, Any]]:
    chosen = learned.rows(rows.table.take(pa.array(order)))
    cells: dict[int, list[dict[str, Any]]] = {}
    for cell in learned.odd_cells(chosen, CELLS, LEAST):
        cells.setdefault(cell.row, []).append(
            {
                "column": cell.column,
                "value": shown(cell.value),
                "expected": shown(cell.expected),
                "surprise": round(cell.surprise, 2),
            }
        )
    return [
        {
            "row": str(number) if labels is None else labels[number],
            "score": round(float(scores[number]), 3),
            "cells": cells.get(place, []),
            "breaches": int(chosen.breaches[place]),
        }
        for place, number in enumerate(order.tolist())
    ]


def _blamed(ranked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How often each column is the oddest of a shown row."""
    counts: dict[str, int] = {}
    for each in ranked:
        if each["cells"]:
            oddest = each["cells"][0]["column"]
            counts[oddest] = counts.get(oddest, 0) + 1
    return [
        {"column": name, "rows": count}
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]


def _drift(learned: AnomalyModel, rows: Rows) -> list[dict[str, Any]]:
    """How far each column has moved from the fitted table, those that moved most first."""
    marks = rows.marks
    if len(marks) > DRIFT_ROWS:
        marks = marks[:: -(-len(marks) // DRIFT_ROWS)]
    scale = learned.scale
    found = []
    for number, name in enumerate(learned.marks.names):
        distance, before, now = scale.drift(number, marks[:, number])
        missing = float(np.isnan(marks[:, number]).mean())
        usual = learned.marks.values(number, np.array([before, now]))
        found.append(
            {
                "column": name,
                "distance": round(distance, 4),
                "before": shown(usual[0]),
                "now": shown(usual[1]),
                "missing_before": round(float(scale.missing[number]), 4),
                "missing_now": round(missing, 4),
                "kind": "share" if scale.categorical[number] else "rank",
            }
        )
    return sorted(found, key=lambda each: (-each["distance"], each["column"]))


def shown(value: Any) -> str:
    """A cell as it stands on the page.

    Examples
    --------
    >>> shown(None), shown(0.123456789), shown(12.0), shown("Ulm")
    ('missing', '0.1235', '12', 'Ulm')
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.6g}"
    if isinstance(value, datetime | date | time | timedelta):
        return str(value)
    return str(value)


def odd_share(result: Mapping[str, Any]) -> float:
    """The share of the rows that are odd.

    Examples
    --------
    >>> odd_share({"rows": 200, "odd": 3})
    0.015
    """
    return float(result["odd"]) / max(int(result["rows"]), 1)
