"""``synthgan info``: what is known about a table or a model, as a table or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthgan.data.codec import TableCodec
from synthgan.data.overrides import dropped
from synthgan.data.source import open_source
from synthgan.privacy.budget import Privacy

if TYPE_CHECKING:
    from rich.table import Table

# A pipe or a file has no width of its own: nothing is cut or wrapped there.
_WIDTH_OF_A_PIPE = 10_000
# What the table shows, and from which width of the terminal on.
_HEADINGS = {
    "column": 0,
    "kind": 0,
    "type": 90,
    "distinct": 160,
    "missing": 0,
    "hidden": 0,
    "reason": 0,
    "values": 120,
}
_ENDS = {
    "epochs": "all epochs done",
    "plateau": "quality no longer rose",
    "max_seconds": "the time was up",
    "callback": "a callback said so",
    "interrupted": "interrupted",
    "membership": "an attack told who was among the rows; the state before was kept",
    "diverged": "it diverged; the best state was kept",
    "nothing to learn": "there was nothing to learn",
}


def describe_data(
    path: Path, overrides: Mapping[str, Any] | None, rare_threshold: int | None
) -> dict[str, Any]:
    """Read a table, and say how it would be learned, in JSON's own types."""
    given = {} if rare_threshold is None else {"rare_threshold": rare_threshold}
    source = open_source(path, drop=dropped(overrides))
    codec = TableCodec.fit(source.chunks(), overrides=overrides, **given)
    codec = codec.relate(source.chunks())
    return {
        "what": "table",
        "rows": source.rows,
        "rare_threshold": codec.rare_threshold,
        "columns": codec.describe(),
    }


def print_description(description: Mapping[str, Any], *, as_json: bool) -> None:
    """Print to stdout: exactly one JSON object, or a table for people."""
    if as_json:
        typer.echo(json.dumps(description, ensure_ascii=False, indent=2, allow_nan=False))
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    for line in _summary(description):
        console.print(line)
    console.print(_table(description["columns"], console.width))


def _summary(found: Mapping[str, Any]) -> Iterator[str]:
    columns = len(found["columns"])
    if found["what"] == "table":
        yield f"{found['file']}: {found['rows']:,} rows, {columns:,} columns"
    else:
        yield f"{found['file']}: {found['estimator']} of {columns:,} columns"
        yield f"written by synthgan {found['version']}, seed {found['seed']}"
        yield training_line(found)
        if "privacy" in found:
            yield privacy_line(found["privacy"])
            yield from _bought(found["privacy"]["entries"])
        yield refinement_line(found["refinement"])
    if found["rare_threshold"] > 1:
        yield f"hidden: values that fewer than {found['rare_threshold']} rows hold"


def training_line(found: Mapping[str, Any]) -> str:
    """Say in one line how a model was trained."""
    last, end = found["training"], _ENDS.get(found["stopped"], found["stopped"])
    if not last:
        return f"not trained: {end}"
    parts = [
        f"trained: {found['plan']['objective']}, {last['step']:,.0f} steps",
        f"{last['epoch']:,.1f} epochs, {last['seconds']:,.0f} s",
    ]
    if last.get("quality") is not None:
        parts.append(f"error of columns and pairs {-last['quality']:.2%}")
    return f"{', '.join(parts)}; ended: {end}"


def privacy_line(found: Mapping[str, Any]) -> str:
    """Say in one line what was promised and spent."""
    budget = found["budget"]
    told = (
        f"private: epsilon {found['epsilon_spent']:.4g} of {budget['epsilon']:g}, "
        f"delta {budget['delta']:g}; it protects {Privacy.from_dict(budget).in_words()}"
    )
    return f"{told}; FOR TESTS ONLY: its noise can be foreseen" if found["for_tests"] else told


def _bought(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        times = f", {entry['times']:,} times" if entry["times"] > 1 else ""
        drawn = f", drawing {entry['rate']:.1%}" if entry["rate"] < 1 else ""
        yield f"  bought: {_line(entry['what'])}, noise {entry['noise']:.4g}{times}{drawn}"


def refinement_line(found: Mapping[str, Any]) -> str:
    """Say in one line what samples are refined by."""
    if found["state"] != "learned":
        return f"not refined: {found['state']}"
    by = f"{found['trees']:,} trees" if found["trees"] else "by the tables that were bought"
    parts = [f"refined: {by}, learned in {found['seconds']:,.0f} s"]
    if found["effective"] < 1:
        parts.append(f"{found['effective']:.0%} of a pool are left as effective sample")
    if found["columns"]:
        gains = (f"{_line(name)} ({gain:.3f} nats)" for name, gain in found["columns"].items())
        parts.append(f"redrawn: {', '.join(gains)}")
    return "; ".join(parts)


def _table(columns: list[dict[str, Any]], width: int) -> Table:
    """Lay out one line per column; a narrow terminal gets less, but always kind and reason."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = [heading for heading, least in _HEADINGS.items() if width >= least]
    tight = "values" in shown and width < _WIDTH_OF_A_PIPE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=tight)
    for heading in shown:
        if heading in ("distinct", "missing", "hidden"):
            table.add_column(heading, justify="right")
        elif heading == "values":
            table.add_column(heading, no_wrap=True, overflow="ellipsis", ratio=1 if tight else None)
        else:
            table.add_column(heading, no_wrap=heading == "kind", overflow="fold")
    for column in columns:
        cells = _cells(column)
        table.add_row(*(Text(cells[heading]) for heading in shown))
    return table


def _cells(column: Mapping[str, Any]) -> dict[str, str]:
    return {
        "column": _line(column["name"]),
        "kind": column["kind"],
        "type": column["type"].replace("large_string", "string"),
        "distinct": f"{column['distinct']:,}",
        "missing": f"{column['missing']:.1%}" if column["missing"] else "",
        "hidden": f"{column['hidden']:,}" if column["hidden"] else "",
        "values": _line(column["values"]),
        "reason": _why(column),
    }


def _why(column: Mapping[str, Any]) -> str:
    follows = column.get("follows")
    return f"{column['reason']}; follows {follows!r}" if follows else str(column["reason"])


def _line(text: str) -> str:
    """Keep a name on one line: line breaks and the like are written as Python writes them."""
    return text if text.isprintable() else repr(text)
