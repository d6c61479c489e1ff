"""What stands around the figures: provenance, definitions, and every figure as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synthgan.evaluation.paths import at, is_number
from synthgan.evaluation.report import charts
from synthgan.evaluation.report.figures import FIGURES, FLOOR_TEXTS, FLOORS
from synthgan.evaluation.report.sections import MOST_ROWS
from synthgan.evaluation.report.wording import counted, isolated, named, text_of, valued, words

MOST_POINTS = 400  # of a curve
CURVES = {
    "Held-out quality (higher is better)": ("quality",),
    "Losses": ("critic_loss", "generator_loss"),
}
# Parts of a provenance that are more than facts, by what they have to be for that.
DRAWN: dict[str, Any] = {"model": Mapping, "history": list, "ledger": Mapping | list}
# Beyond it a number is no quality and no loss, but would break the axis.
LARGEST = 1e100

Result = Mapping[str, Any]
Part = dict[str, Any]


def provenance(result: Result) -> Part | None:
    """How the synthetic table was made, where that is known."""
    given = at(result, "provenance")
    if not given:
        return None
    found = given if is_part(given) else {"made by": given}
    # What is not of the kind that the page draws is a plain fact.
    drawn = {key: found[key] for key, kind in DRAWN.items() if isinstance(found.get(key), kind)}
    about = {key: value for key, value in found.items() if key not in drawn | {"what": ""}}
    model = drawn.get("model", {})
    parts = [(words(named(name)), facts(part)) for name, part in model.items() if is_part(part)]
    left = {key: value for key, value in model.items() if not is_part(value) and key != "what"}
    return {
        "about": facts({key: value for key, value in left.items() if key not in DRAWN} | about),
        "parts": [part for part in parts if part[1]],
        "curves": _curves([row for row in drawn.get("history", []) if is_part(row)]),
        "ledger": _ledger(drawn.get("ledger")),
    }


def _curves(history: Sequence[Result]) -> list[Part]:
    """Quality and losses over the steps of training."""
    curves = []
    for title, names in CURVES.items():
        # Rounds without a check have no quality: they go before the rest is thinned out.
        known = [row for row in history if any(is_drawn(row.get(name)) for name in names)]
        if len(known) > 1:
            curves.append(_curve(title, names, charts.thinned(known, MOST_POINTS)))
    return curves


def _curve(title: str, names: Sequence[str], rows: Sequence[Result]) -> Part:
    told = [row["step"] for row in rows if is_drawn(row.get("step"))]
    steps = told if len(told) == len(rows) else list(range(len(rows)))
    values = [float(row[name]) for row in rows for name in names if is_drawn(row.get(name))]
    low, high = min(values), max(values)
    drawn = {n: [row[n] if is_drawn(row.get(n)) else None for row in rows] for n in names}
    paths = {name: charts.curve(steps, ys, low, high) for name, ys in drawn.items()}
    return {
        "title": title,
        "lines": [{"name": words(name), "path": path} for name, path in paths.items() if path],
        "low": text_of(low),
        "high": text_of(high),
        "first": text_of(steps[0]),
        "last": text_of(steps[-1]),
    }


def _ledger(ledger: Any) -> Part | None:
    """The privacy budget: a table of entries, or plain facts."""
    if isinstance(ledger, Mapping):
        entries = next((v for v in ledger.values() if isinstance(v, list) and v), [])
        return {"facts": facts(ledger), **_entries(entries)}
    if isinstance(ledger, list) and ledger:
        listed = _entries(ledger)
        return {"facts": [] if listed["entries"] else facts({"entries": ledger}), **listed}
    return None


def _entries(entries: Sequence[Any]) -> Part:
    known = [entry for entry in entries if isinstance(entry, Mapping)]
    keys = list(dict.fromkeys(key for entry in known for key in entry))
    cells = [[text_of(entry.get(key)) if key in entry else "" for key in keys] for entry in known]
    return {"heads": [words(named(key)) for key in keys], "entries": cells}


def definitions(result: Result) -> Part:
    """What every figure on the page means, and what was compared at all."""
    listed = at(result, "columns") or []
    return {
        "figures": [
            (figure.label, path, figure.text)
            for path, figure in FIGURES.items()
            if is_number(at(result, path))
        ],
        "floors": [
            (FLOORS.get(name, words(name)), FLOOR_TEXTS.get(name, ""))
            for name in at(result, "floors") or {}
        ],
        "notes": at(result, "notes") or [],
        "left_out": [column for column in listed if column.get("compared") is False],
        "tables": at(result, "tables") or {},
        "settings": _settings(at(result, "settings") or {}),
    }


def _settings(found: Result) -> list[tuple[str, str]]:
    """The settings as facts; the target among them is a column's name."""
    target = found.get("target")
    return facts({**found, "target": None if target is None else named(target)})


def every(result: Result, group: str) -> Part | None:
    """All plain figures of a group as a table, with the same figures of the floors."""
    paths = [path for path, _ in _walk(at(result, group) or {}, group)]
    floors = at(result, "floors") or {}
    if not paths:
        return None
    return {
        "names": [FLOORS.get(name, words(name)) for name in floors],
        "rows": [
            {
                "name": " · ".join(words(part) for part in path.split(".")[1:]),
                "path": path,
                "own": text_of(at(result, path), path),
                "floors": [
                    "" if at(floor, path) is None else text_of(at(floor, path), path)
                    for floor in floors.values()
                ],
            }
            for path in paths[:MOST_ROWS]
        ],
    }


def _walk(found: Result, path: str) -> Iterator[tuple[str, Any]]:
    """Plain numbers below a mapping, except those of single columns."""
    for name, value in found.items():
        if isinstance(value, Mapping) and name not in ("columns", "rounded"):
            yield from _walk(value, f"{path}.{name}")
        elif is_number(value):
            yield f"{path}.{name}", value


def is_part(value: Any) -> bool:
    """Whether a value is a group of its own."""
    return isinstance(value, Mapping)


def is_drawn(value: Any) -> bool:
    """Whether a value is a number that fits on an axis."""
    return is_number(value) and abs(value) < LARGEST


def facts(found: Result, prefix: str = "") -> list[tuple[str, str]]:
    """Plain values below a mapping as label and text; lists are counted unless short and plain."""
    made: list[tuple[str, str]] = []
    for name, value in found.items():
        label = f"{prefix}{words(named(name))}"
        if isinstance(value, Mapping):
            made += facts(value, f"{label} · ") if len(prefix) < 40 else []
        elif isinstance(value, list):
            if value and len(value) <= 6 and not any(isinstance(v, dict | list) for v in value):
                made.append((label, ", ".join(_listed(name, v) for v in value)))
            elif value:
                made.append((label, counted(len(value), "entry")))
        elif value is not None:
            made.append((label, _fact(name, value)))
    return made[:MOST_ROWS]


def _listed(name: str, value: Any) -> str:
    text = text_of(value, str(name))
    return isolated(valued(text)) if isinstance(value, str) else text


def _fact(name: str, value: Any) -> str:
    # A seed is a name, not an amount.
    return str(value) if "seed" in str(name) else text_of(value, str(name))
