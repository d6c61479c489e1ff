"""What a suites file says: tables, methods, suites, and the cells that they make."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class PlanError(ValueError):
    """A suites file or an option that names what is not there."""


@dataclass(frozen=True)
class TablePlan:
    """Where a table comes from, what is left out, how it is cut, and what its utility predicts."""

    name: str
    target: str | None = None
    real: str | None = None
    bundled: str | None = None
    sklearn: str | None = None
    holdout: str | None = None
    holdout_share: float = 0.0
    rows: int | None = None
    without: Sequence[str] = ()


@dataclass(frozen=True)
class MethodPlan:
    """A generator: its script and settings, or the tables that its authors published."""

    name: str
    about: str = ""
    script: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One table, one method, one seed of a suite."""

    suite: str
    table: TablePlan
    method: MethodPlan
    seed: int

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.method.name}.{self.seed}"


@dataclass(frozen=True)
class Suite:
    """Tables, methods and seeds that are shown together."""

    name: str
    about: str
    tables: Sequence[TablePlan]
    methods: Sequence[MethodPlan]
    seeds: Sequence[int]

    def cells(self) -> Iterator[Cell]:
        """Method by method, so that a stopped suite has whole rows; published ones have no seed."""
        for method in self.methods:
            for table in self.tables:
                for seed in [0] if method.published else self.seeds:
                    yield Cell(self.name, table, method, seed)


def read_suite(
    path: Path,
    name: str,
    *,
    tables: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
) -> Suite:
    """Read a suite; names that are given replace the suite's own, in their order."""
    content = tomllib.loads(path.read_text())
    suite = _named(content, "suites", name)
    return Suite(
        name,
        suite["about"],
        [TablePlan(each, **_named(content, "tables", each)) for each in tables or suite["tables"]],
        [
            MethodPlan(each, **_named(content, "methods", each))
            for each in methods or suite["methods"]
        ],
        seeds or suite["seeds"],
    )


def _named(content: Mapping[str, Any], group: str, name: str) -> dict[str, Any]:
    known = content.get(group, {})
    if name not in known:
        raise PlanError(f"expected one of the {group} {', '.join(known)}, found {name!r}")
    return dict(known[name])
