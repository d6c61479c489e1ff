"""Sections that look at tables: summary, columns, pairs, gaps, rows and what got lost.

Every function takes the result of an evaluation and returns what its template shows, or None
where the result has nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthgan.evaluation.grades import GRADES, GROUPS, UNKNOWN
from synthgan.evaluation.paths import at, is_number
from synthgan.evaluation.report import charts
from synthgan.evaluation.report.figures import FIGURES, FLOORS
from synthgan.evaluation.report.strips import strips
from synthgan.evaluation.report.wording import (
    counted,
    named,
    ranged,
    sentence,
    short,
    text_of,
    words,
)

MOST_ROWS = 200  # of any table on the page
MOST_NAMED = 20  # columns whose names stand beside the heat maps
LABEL_ROOM = 8.6  # for such a name, in sizes of its font
# The section that shows a group of verdicts, where it is not called as the group.
ANCHORS = {"fidelity": "columns", "overall": "summary"}
HEADLINES = [
    "fidelity.shape_error_pct",
    "fidelity.trend_error_pct",
    "detection.boosted_auc_holdout",
    "utility.auc",
    "utility.rmse",
    "risk.closest_share",
    "risk.membership.distance.auc",
]

Result = Mapping[str, Any]
Part = dict[str, Any]


def summary(result: Result) -> Part:
    """Verdicts, the overall grade, and the few figures that carry them."""
    verdicts = at(result, "verdicts") or {}
    heads = [path for path in HEADLINES if is_number(at(result, path))]
    if "detection.boosted_auc_holdout" not in heads:
        heads.insert(2, "detection.boosted_auc")
    return {
        "cards": [_card(name, verdicts[name]) for name in GROUPS if verdicts.get(name)],
        "overall": _card("overall", verdicts["overall"]) if verdicts.get("overall") else None,
        "strips": strips(result, heads),
        "floors": [(name, FLOORS.get(name, words(name))) for name in at(result, "floors") or {}],
    }


def _card(name: str, verdict: Result) -> Part:
    grade = str(verdict.get("grade") or UNKNOWN)
    return {
        "title": GROUPS.get(name, name).capitalize(),
        "anchor": ANCHORS.get(name, name),
        "grade": grade,
        "level": GRADES[::-1].index(grade) if grade in GRADES else 0,
        "text": sentence(verdict.get("text") or ""),
        "reasons": verdict["reasons"],
    }


def columns(result: Result) -> Part | None:
    """A card for each column, the worst first; and the errors of those without a picture."""
    found = at(result, "fidelity.columns") or {}
    pictures = at(result, "portraits.columns") or {}
    kinds = {column["name"]: column.get("kind", "") for column in at(result, "columns") or []}
    nulls = at(result, "fidelity.missing.columns") or {}
    rounded = at(result, "fidelity.coverage.rounded") or {}
    names = list(dict.fromkeys([*found, *pictures]))
    cards = [
        {
            "name": name,
            "kind": kinds.get(name, ""),
            "error": at(found.get(name), "error_pct"),
            "error_text": text_of(at(found.get(name), "error_pct"), "error_pct"),
            "measure": at(found.get(name), "measure") or "",
            "rounded": bool(rounded.get(name)) or bool(at(found.get(name), "rounded")),
            "null": nulls.get(name) or {},
            "chart": charts.chart_of(pictures[name]) if name in pictures else None,
            "order": order,
        }
        for order, name in enumerate(names)
    ]
    cards.sort(key=lambda card: -(card["error"] or 0.0))
    for rank, card in enumerate(cards):
        card["rank"] = rank
    if not cards:
        return None
    return {
        "cards": [card for card in cards if card["chart"]],
        "plain": [card for card in cards if not card["chart"]],
        "chosen": at(result, "portraits.columns_chosen"),
        "rounded": any(card["rounded"] for card in cards),
    }


def pairs(result: Result) -> Part | None:
    """Heat maps, the pairs and triples with the largest error."""
    maps = at(result, "portraits.associations")
    listed = sorted(at(result, "fidelity.pairs") or [], key=lambda pair: -(pair[2] or 0))
    paths = ["fidelity.trend_error_pct", "fidelity.triples.error_pct"]
    found = strips(result, paths)
    if not maps and not listed and not found:
        return None
    return {
        "maps": _maps(maps) if maps and len(maps.get("names", [])) > 1 else None,
        "listed": listed[:MOST_ROWS],
        "total": at(result, "fidelity.pairs_total"),
        "used": at(result, "fidelity.pairs_used"),
        "triples": at(result, "fidelity.triples") or {},
        "strips": found,
    }


def _maps(found: Result) -> Part:
    real, synthetic = found["real"], found["synthetic"]
    apart = [
        [round(s - r, 3) for r, s in zip(*rows, strict=True)]
        for rows in zip(real, synthetic, strict=True)
    ]
    largest = max((abs(value) for row in apart for value in row), default=0.0)
    reach = next((step for step in (0.05, 0.1, 0.2, 0.3, 0.5, 1.0) if largest <= step), 1.0)
    return {
        "names": found["names"],
        "labels": [short(named(name), LABEL_ROOM) for name in found["names"]]
        if len(found["names"]) <= MOST_NAMED
        else [],
        "chosen": found.get("chosen"),
        "largest": largest,
        "panels": [
            {"id": "real", "title": "Real", "reach": 1.0, "cells": charts.heat(real, 1.0)},
            {
                "id": "synthetic",
                "title": "Synthetic",
                "reach": 1.0,
                "cells": charts.heat(synthetic, 1.0),
            },
            {
                "id": "difference",
                "title": "Synthetic minus real",
                "reach": reach,
                "cells": charts.heat(apart, reach),
            },
        ],
        "data": {
            "names": [named(name) for name in found["names"]],
            "real": real,
            "synthetic": synthetic,
        },
    }


def gaps(result: Result) -> Part | None:
    """Missing values together, and how far ranges and categories are reached."""
    missing, covered = (at(result, f"fidelity.{name}") or {} for name in ("missing", "coverage"))
    paths = [f"fidelity.missing.{name}" for name in ("error_pct", "patterns_error_pct")]
    paths += [path for path in FIGURES if path.startswith("fidelity.coverage.")]
    if not missing and not covered:
        return None
    patterns = missing.get("patterns") or []
    return {
        "strips": strips(result, paths),
        "patterns": patterns if any(each["columns"] for each in patterns) else [],
        "columns": _coverage_rows(covered.get("columns") or {}),
        "rounded": covered.get("rounded") or {},
    }


def _coverage_rows(found: Result) -> list[Part]:
    """The columns that leave or miss something of the real one."""
    rows = []
    for name, each in found.items():
        reached = each.get("range_coverage", each.get("category_coverage"))
        outside = each.get("outside_pct", each.get("unseen_pct"))
        if (reached is not None and reached < 0.9995) or (outside or 0) > 0.005:
            rows.append({"name": name, "reached": reached, "outside": outside, **_ends(each)})
    return sorted(rows, key=lambda row: (row["reached"] is None, row["reached"] or 0.0))[:MOST_ROWS]


def _ends(each: Result) -> Part:
    if "real_levels" in each:
        return {
            "real": counted(each["real_levels"], "category"),
            "synthetic": f"{each.get('covered_levels', 0):,} of them",
        }
    return {side: ranged(each.get(side)) for side in ("real", "synthetic")}


def rows(result: Result) -> Part | None:
    """The map, the clouds' overlap, and what got lost."""
    plane = at(result, "portraits.map")
    overlap = strips(result, [path for path in FIGURES if path.startswith("manifold.")])
    if not plane and not overlap:
        return None
    return {
        "map": _plane(plane) if plane else None,
        "strips": overlap,
        "manifold": at(result, "manifold") or {},
    }


def _plane(found: Result) -> Part:
    real, synthetic = charts.points(found["real"], found["synthetic"])
    explained = [charts.percent(share) for share in found.get("explained", [])]
    return {
        "real": real,
        "synthetic": synthetic,
        "counts": [len(found["real"]), len(found["synthetic"])],
        "explained": explained,
        "embedding": found.get("embedding", ""),
        "width": charts.MAP_WIDTH,
        "height": charts.MAP_HEIGHT,
    }


def collapse(result: Result) -> Part | None:
    """Categories, clusters and regions of the real table that got no rows."""
    found = at(result, "collapse")
    if not found:
        return None
    kinds = [name for name in ("categories", "clusters", "regions") if found.get(name)]
    return {
        "strips": strips(result, [path for path in FIGURES if path.startswith("collapse.")]),
        "kinds": [{"name": name, **found[name]} for name in kinds],
        "lost": [
            {"kind": name, **each} for name in kinds for each in found[name].get("lost") or []
        ],
    }
