"""Sections of the measures that try something on the tables: detection, utility and risk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synthgan.evaluation.paths import at, is_number
from synthgan.evaluation.report.figures import FIGURES
from synthgan.evaluation.report.strips import Axis, Strip, strip_of, strips
from synthgan.evaluation.report.wording import text_of, words

MOST_ATTACKS, MOST_IMPORTANCES = 40, 15
COPIES = ("exact_copies", "near_copies", "closest_share")
DISTANCES = [f"risk.{name}.{at}" for name in ("dcr", "nndr") for at in ("p05", "median")]
MEMBERS = ("auc", "tpr_at_1pct_fpr")
RARE = {
    "levels": "rare categories",
    "numbers": "rare numbers",
    "pairs": "rare pairs of categories",
}
ATTACKS = {
    "singling_out": "Singling out",
    "linkability": "Linkability",
    "attribute_inference": "Attribute inference",
}
# Prefixes of the three parts of an attack, with their marks.
TRIED = (("own", "attack", ""), ("holdout", "control", "control_"), ("guess", "guess", "baseline_"))

Result = Mapping[str, Any]
Part = dict[str, Any]


def detection(result: Result) -> Part | None:
    """How well the tables can be told apart, and by which columns."""
    found = at(result, "detection")
    if not found:
        return None
    listed = found.get("columns")
    listed = listed if isinstance(listed, list) else []
    most = max((row.get("importance") or 0 for row in listed), default=0) or 1
    return {
        "strips": strips(result, [path for path in FIGURES if path.startswith("detection.")]),
        "columns": [{**row, "share": 100 * (row.get("importance") or 0) / most} for row in listed],
        **{name: found.get(name) for name in ("rows", "rows_holdout", "interval", "reason")},
    }


def utility(result: Result) -> Part | None:
    """What models learn from the synthetic rows, beside models that learned from real ones."""
    found = at(result, "utility")
    if not found:
        return None
    keys = [key for key in ("auc", "macro_f1", "rmse", "r2") if is_number(found.get(key))]
    made = (
        strip_of(result, f"utility.{key}", {"trained on real": at(found, f"real.{key}")})
        for key in keys
    )
    learners = found.get("learners") or {}
    return {
        **{key: found.get(key) for key in ("task", "target", "tested_on", "reason")},
        "strips": [strip for strip in made if strip],
        "figures": keys,
        "learners": [
            {
                "name": words(name).capitalize(),
                "cells": [(learner.get(key), at(learner, f"real.{key}")) for key in keys],
            }
            for name, learner in learners.items()
        ],
        "agreement": found.get("importance_agreement"),
        "importances": _importances(found.get("importances") or []),
        "missing_classes": found.get("missing_classes") or [],
    }


def _importances(listed: list[Part]) -> list[Part]:
    most = max((max(row["real"], row["synthetic"], 0) for row in listed), default=0) or 1
    return [
        {
            **row,
            "real_place": round(100 * max(row["real"], 0) / most, 1),
            "synthetic_place": round(100 * max(row["synthetic"], 0) / most, 1),
        }
        for row in listed[:MOST_IMPORTANCES]
    ]


def risk(result: Result) -> Part | None:
    """Copies, membership, attacks and rare values."""
    found = at(result, "risk")
    if not found:
        return None
    return {
        "copies": _copies(result),
        "distances": strips(result, DISTANCES),
        "membership": _membership(result),
        "attacks": attacks(found),
        "rare": _rare(result),
        "reasons": [text for key in ("reason", "holdout_overlap") if (text := found.get(key))],
    }


def _copies(result: Result) -> list[Strip]:
    """Copies and closeness; copies beside those that real rows are of each other."""
    made = (
        strip_of(
            result,
            f"risk.{name}",
            {"the real rows themselves": at(result, f"risk.{name}_real")},
        )
        for name in COPIES
    )
    return [strip for strip in made if strip]


def _membership(result: Result) -> Part:
    found = at(result, "risk.membership") or {}
    listed = [name for name, part in found.items() if isinstance(part, Mapping) and "auc" in part]
    paths = [f"risk.membership.{name}.{key}" for key in MEMBERS for name in listed]
    return {
        "strips": strips(result, paths),
        "splits": found.get("splits"),
        "reason": found.get("reason") or "",
    }


def _rare(result: Result) -> Part | None:
    found = at(result, "risk.rare_values") or {}
    kinds = [key for key in RARE if "rare" in found.get(key, {})]
    if not kinds:
        return None
    held = [f"risk.rare_values.{key}.share" for key in kinds if found[key]["rare"]]
    return {
        "strips": strips(result, held),
        "kinds": [{"label": RARE[key], **found[key]} for key in kinds],
        "columns": found.get("columns") or [],
        "fewer_than": found.get("fewer_than"),
        "rows": found.get("rows"),
    }


def attacks(found: Result) -> Part | None:
    """Every attack on one axis: success, control and guessing; the worst secrets first.

    Parameters
    ----------
    found : mapping
        The risk group of a result.
    """
    listed = [
        attack for key, title in ATTACKS.items() for attack in _attacks(title, found.get(key))
    ]
    if not listed:
        return None
    few = [attack for attack in listed if attack["secret"] is None]
    secrets = [attack for attack in listed if attack["secret"] is not None]
    secrets.sort(key=lambda attack: -(attack["found"].get("risk") or 0.0))
    shown = [*few, *secrets[:MOST_ATTACKS]]
    axis = Axis([0.0, *(end for attack in shown for end in _ends(attack["found"]))])
    return {
        "listed": [_placed(attack, axis) for attack in shown],
        "low": text_of(axis.low, "share"),
        "high": text_of(axis.high, "share"),
        "left_out": len(secrets[MOST_ATTACKS:]),
        "secrets": at(found, "attribute_inference.secrets"),
    }


def _attacks(title: str, found: Any, *, secret: str | None = None) -> Iterator[Part]:
    """Attacks at or below a place in the result; the secret is the column that was attacked."""
    if not isinstance(found, Mapping):
        return
    if "rate" in found:
        yield {"title": title, "found": found, "secret": secret}
        return
    for name, part in found.items():
        if name == "columns":
            for column, each in part.items():
                yield from _attacks(title, each, secret=column)
        elif name != "worst" or not found.get("columns"):
            yield from _attacks(f"{title}, {words(name)}", part)


def _ends(found: Result) -> list[Any]:
    rates = [found.get(f"{name}rate") for _, _, name in TRIED]
    return [*rates, *(end for _, _, name in TRIED for end in found.get(f"{name}interval") or [])]


def _placed(attack: Part, axis: Axis) -> Part:
    found = attack["found"]
    marks = []
    for row, (shape, label, name) in enumerate(TRIED):
        rate, span = found.get(f"{name}rate"), found.get(f"{name}interval") or []
        if is_number(rate):
            text = text_of(float(rate), "share")
            places = [axis(end) for end in span if is_number(end)]
            mark = {"shape": shape, "label": label, "text": text, "place": axis(rate)}
            marks.append({**mark, "span": places, "y": 8 + 12 * row})
    span = [text_of(float(end), "share") for end in found.get("risk_interval") or []]
    risk = found.get("risk")
    return {
        "title": attack["title"],
        "secret": attack["secret"],
        "marks": marks,
        "risk": None if risk is None else text_of(float(risk), "share"),
        "risk_span": " to ".join(span),
        "reason": found.get("reason") or "",
    }
