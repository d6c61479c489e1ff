"""``synthgan info``: what is known about a table or a model, as a table or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthgan.data.codec import TableCodec
from synthgan.data.overrides import dropped
from synthgan.data.source import open_source

if TYPE_CHECKING:
    from rich.table import Table

RARE_THRESHOLD = 5
# A pipe or a file has no width of its own; narrower, and cells would wrap for nobody's sake.
_WIDTH_OF_A_PIPE = 200
_LONGEST_NAME = 40
_ENDS = {
    "epochs": "all epochs done",
    "plateau": "quality no longer rose",
    "max_seconds": "the time was up",
    "callback": "a callback said so",
    "interrupted": "interrupted",
    "diverged": "it diverged; the best state was kept",
}


def describe_data(
    path: Path, overrides: Mapping[str, Any] | None, rare_threshold: int | None
) -> dict[str, Any]:
    """Read a table, and say how it would be learned, in JSON's own types."""
    threshold = RARE_THRESHOLD if rare_threshold is None else rare_threshold
    source = open_source(path, drop=dropped(overrides))
    codec = TableCodec.fit(source.chunks(), overrides=overrides, rare_threshold=threshold)
    return {
        "what": "table",
        "rows": source.rows,
        "rare_threshold": threshold,
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
    console.print(_table(description["columns"]))


def _summary(found: Mapping[str, Any]) -> Iterator[str]:
    columns = len(found["columns"])
    if found["what"] == "table":
        yield f"{found['file']}: {found['rows']:,} rows, {columns:,} columns"
    else:
        yield f"{found['file']}: {found['estimator']} of {columns:,} columns"
        yield f"written by synthgan {found['version']}, seed {found['seed']}"
        yield _training(found)
    if found["rare_threshold"] > 1:
        yield f"hidden: values that fewer than {found['rare_threshold']} rows hold"


def _training(found: Mapping[str, Any]) -> str:
    last, end = found["training"], _ENDS.get(found["stopped"], found["stopped"])
    if not last:
        return f"not trained: {end}"
    parts = [
        f"trained: {found['parameters']['objective']}, {last['step']:,.0f} steps",
        f"{last['epoch']:,.1f} epochs, {last['seconds']:,.0f} s",
    ]
    if last.get("quality") is not None:
        parts.append(f"error on held-out rows {-last['quality']:.2%}")
    return f"{', '.join(parts)}; ended: {end}"


def _table(columns: list[dict[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("column", "kind", "type", "distinct", "missing", "values", "hidden", "reason"):
        side = "right" if heading in ("distinct", "missing", "hidden") else "left"
        table.add_column(heading, justify=side, overflow="fold")
    for column in columns:
        table.add_row(*(Text(cell) for cell in _cells(column)))
    return table


def _cells(column: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _line(column["name"]),
        column["kind"],
        column["type"],
        "",
        "",
        "",
        "",
        column["reason"],
    )


def _line(text: str) -> str:
    """Keep a name on one line: line breaks and the like are written as Python writes them."""
    return text if text.isprintable() else repr(text)
