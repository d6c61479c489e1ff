"""The Markdown table of a suite, from the files of its cells alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from suite.phases import DONE, FAILED, UNFINISHED
from suite.plan import MethodPlan, Suite, TablePlan
from suite.records import Record, code_print, read_record
from suite.tables import SPLIT_SEED
from synthgan.evaluation import METRICS_VERSION

HEADER = (
    "table",
    "method",
    "shape %",
    "trend %",
    "boosted AUC, training rows",
    "boosted AUC, holdout",
    "logistic",
    "utility",
    "closest share",
    "fit s, wall / CPU",
    "sample s",
    "peak MiB",
)
FLOORS = {
    "holdout": "floor: the holdout",
    "bootstrap": "floor: bootstrap of the real rows",
    "independent": "floor: independent columns",
    "smote": "floor: SMOTE-like interpolation",
}
_MEASURES = """
All errors and AUCs are of the synthetic rows against the training rows, unless it says holdout; as
many rows are drawn as the training part has.

- **shape %, trend %**: mean error of columns (Kolmogorov-Smirnov or total variation) and of pairs.
- **boosted AUC**: boosted trees telling synthetic rows from real ones; 0.5 is perfect. Against the
  holdout, which no method has seen, it is the honest figure.
- **logistic**: 1 - max(0, 2 AUC - 1) of a logistic regression doing the same; 1 is perfect.
- **utility**: boosted trees trained on synthetic rows, tested on the holdout (AUC, or RMSE for a
  number); in brackets the same trained on the real rows. Newer cells have the AUC of a logistic
  regression too.
- **closest share**: synthetic rows nearer to training rows than to as many holdout rows; 0.5 is no
  copying.
- Floors say what a figure is worth: the holdout taken for a synthetic table, and tables that need
  no learning. Seconds and memory are those of the method's process; peak memory includes imports.
"""
NOTHING = ""
LINEAR = "utility.learners.linear.auc"

Values = list[float]
# Records of each table and method.
Found = Mapping[tuple[str, str], Sequence[Record]]


def write_markdown(suite: Suite, results: Path) -> Path:
    """Write the table of a suite beside its cells' folder."""
    path = results / f"{suite.name}.md"
    part = path.with_suffix(".part")
    part.write_text(render(suite, results / suite.name), encoding="utf-8")
    part.replace(path)
    return path


def render(suite: Suite, folder: Path) -> str:
    """The page: how it was measured, the table, what is missing."""
    found = current(suite, folder)
    lines = [line(HEADER), line(["---"] * len(HEADER))]
    for table in suite.tables:
        here = {m.name: found[table.name, m.name] for m in suite.methods}
        lines += [row(table, m, here[m.name]) for m in suite.methods if here[m.name]]
        lines += floor_rows(table, [r for records in here.values() for r in records])
    missing = [" on ".join(reversed(pair)) for pair, records in found.items() if not records]
    parts = [heading(suite, [r for records in found.values() for r in records])]
    parts.append("\n".join(lines))
    if missing:
        parts.append(f"Not run yet: {', '.join(missing)}.")
    if old := earlier(suite, found):
        parts.append(f"Made with an earlier version of the code than this one: {', '.join(old)}.")
    parts.append("Methods: " + "; ".join(f"**{m.name}** {m.about}" for m in suite.methods) + ".")
    return "\n\n".join([*parts, _MEASURES.strip()]) + "\n"


def current(suite: Suite, folder: Path) -> Found:
    """Records of the suite's own cells that have something to show."""
    found: dict[tuple[str, str], list[Record]] = {
        (table.name, method.name): [] for table in suite.tables for method in suite.methods
    }
    for cell in suite.cells():
        record = read_record(folder / f"{cell.name}.json")
        if status(record) is not None:
            found[cell.table.name, cell.method.name].append(record)
    return found


def earlier(suite: Suite, found: Found) -> list[str]:
    """Where rows are shown that the method's code of today did not make."""
    today = {method.name: code_print(method) for method in suite.methods if method.script}
    return [
        f"{method} on {table}"
        for (table, method), records in found.items()
        if method in today
        and any(each.get("generate", {}).get("code") != today[method] for each in records)
    ]


def status(record: Record) -> str | None:
    """How far a cell came: None if its figures are missing or of another metrics version."""
    made, judged = record.get("generate", {"status": DONE}), record.get("judge", {})
    if made["status"] != DONE:
        return str(made["status"])
    if judged.get("status") == FAILED:
        return FAILED
    return DONE if judged.get("metrics_version") == METRICS_VERSION else None


def row(table: TablePlan, method: MethodPlan, records: Sequence[Record]) -> str:
    """One method on one table: medians, with least and most where there are several seeds."""
    done = [record for record in records if status(record) == DONE]
    names = [table.name, method.name]
    if not done:
        return line([*names, reason(records[0]), *[NOTHING] * (len(HEADER) - 3)])
    if len(done) < len(records):
        names[1] += f" ({len(done)} of {len(records)} seeds)"
    made = [record["generate"] for record in done if "generate" in record]
    return line([*names, *quality([record["judge"]["figures"] for record in done]), *costs(made)])


def floor_rows(table: TablePlan, records: Iterable[Record]) -> list[str]:
    """The floors of a table, by whichever cell of each seed took them."""
    judged = {r["seed"]: r["judge"]["floors"] for r in records if status(r) == DONE}
    rows = []
    for name, label in FLOORS.items():
        figures = [floors[name] for floors in judged.values() if name in floors]
        if figures:
            rows.append(line([table.name, f"*{label}*", *quality(figures), *[NOTHING] * 3]))
    return rows


def quality(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells of the figures, from those of one or several seeds."""
    return [
        spread(figures, "fidelity.shape_error_pct", "{:.2f}"),
        spread(figures, "fidelity.trend_error_pct", "{:.2f}"),
        spread(figures, "detection.boosted_auc", "{:.3f}"),
        spread(figures, "detection.boosted_auc_holdout", "{:.3f}"),
        spread(figures, "detection.logistic", "{:.3f}"),
        utility(figures),
        spread(figures, "risk.closest_share", "{:.3f}"),
    ]


def utility(figures: Sequence[Mapping[str, Any]]) -> str:
    """AUC or RMSE, with that of the real rows in brackets."""
    name, form = (
        ("auc", "AUC {:.3f}") if _taken(figures, "utility.auc") else ("rmse", "RMSE {:.4g}")
    )
    shown = spread(figures, f"utility.{name}", form)
    if _taken(figures, LINEAR):
        shown += f", linear {spread(figures, LINEAR, '{:.3f}')}"
    real = _taken(figures, f"utility.real.{name}")
    return f"{shown} ({form.split()[1].format(statistics.median(real))})" if real else shown


def costs(made: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells of seconds and memory; empty for rows that somebody else made."""
    if not made:
        return [NOTHING] * 3

    def middle(value: Callable[[Mapping[str, Any]], float], form: str) -> str:
        return form.format(statistics.median(map(value, made)))

    return [
        middle(lambda m: m["fit"]["wall_seconds"], "{:.0f}")
        + middle(lambda m: m["fit"]["cpu_seconds"], " / {:.0f}"),
        middle(lambda m: m["sample"]["wall_seconds"], "{:.1f}"),
        middle(lambda m: m["peak_mib"], "{:,.0f}"),
    ]


def spread(figures: Sequence[Mapping[str, Any]], path: str, form: str) -> str:
    """Median and least to most over seeds; of one seed the figure, with its interval if it has."""
    values = _taken(figures, path)
    if not values:
        return NOTHING
    shown = form.format(statistics.median(values))
    interval = figures[0].get(f"{path}_interval") if len(figures) == 1 else None
    if min(values) < max(values):
        interval = [min(values), max(values)]
    if interval is None:
        return shown
    form = form.split()[-1]
    return f"{shown} [{form.format(interval[0])}, {form.format(interval[1])}]"


def _taken(figures: Sequence[Mapping[str, Any]], path: str) -> Values:
    return [each[path] for each in figures if each.get(path) is not None]


def reason(record: Record) -> str:
    """Why a cell has no figures."""
    made = record.get("generate", {})
    if made.get("status") == UNFINISHED:
        return f"did not finish in {made['limit_seconds'] / 60:g} min"
    phase = made if made.get("status") == FAILED else record["judge"]
    return f"failed: {phase.get('reason', '')}".replace("|", "\\|")


def heading(suite: Suite, records: Sequence[Record]) -> str:
    """What was measured, where and by which command."""
    made = [record["generate"] for record in records if "generate" in record]
    places = {machine_text(each) for each in made}
    seeds = sorted({record["seed"] for record in records})
    several = "medians [least, most] over seeds" if len(seeds) > 1 else "seed"
    lines = [
        f"# Suite {suite.name}",
        f"{suite.about}. Written by `{command(suite, made)}`; do not edit.",
        "\n".join(f"- {table_text(table, records)}" for table in suite.tables),
        f"Metrics version {METRICS_VERSION}; {several} {', '.join(map(str, seeds))}; in brackets "
        "behind an AUC of one seed its 95 % bootstrap interval.",
    ]
    if places:
        lines[-1] += f" Generated on {' and '.join(sorted(places))}; {versions(made)}."
    if len(places) > 1:
        lines.append("**Seconds are not comparable: the cells ran on different machines.**")
    return "\n\n".join(lines)


def command(suite: Suite, made: Sequence[Mapping[str, Any]]) -> str:
    words = ["python benchmarks/run.py --suite", suite.name]
    if any(table.real for table in suite.tables):
        words.append("--data DIR")
    words += [f"--threads {threads}" for threads in sorted({each["threads"] for each in made})]
    return " ".join(words)


def versions(made: Sequence[Mapping[str, Any]]) -> str:
    """Every package that some method stood on, in all its versions."""
    found: dict[str, set[str]] = {}
    for each in made:
        for name, version in each.get("packages", {}).items():
            found.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found))


def machine_text(made: Mapping[str, Any]) -> str:
    on = made["machine"]
    cores, threads = on["cores"], made["threads"]
    return (
        f"{cores} core{'s' * (cores > 1)} of {on['cpu']}, {threads} thread{'s' * (threads > 1)}, "
        f"{on['memory_gib']} GiB, no GPU"
    )


def table_text(table: TablePlan, records: Sequence[Record]) -> str:
    """A table's parts in words."""
    judged = [r["judge"] for r in records if r["table"] == table.name and status(r) == DONE]
    done = [each["rows"] for each in judged if "rows" in each]
    sizes = (
        f"{done[0]['real']:,} training rows, {done[0]['holdout']:,} holdout rows" if done else ""
    )
    share = f"{table.holdout_share:.0%} held out by a permutation with seed {SPLIT_SEED}"
    cut = "parts as published" if table.holdout else share
    return ", ".join(part for part in (f"**{table.name}**: {cut}", sizes) if part)


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
