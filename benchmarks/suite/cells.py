"""The two phases of a cell, each done once for its key."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suite.environments import interpreter, read_needs
from suite.phases import DONE, Outcome, machine, run_phase
from suite.plan import Cell, PlanError, Suite
from suite.records import (
    METHODS,
    Record,
    code_print,
    file_print,
    generate_key,
    is_file_of,
    is_generated,
    is_judged,
    judge_key,
    read_record,
    record_path,
    write_record,
)
from suite.tables import Parts, prepare
from synthgan.evaluation import METRICS_VERSION

TO_DO = "to do"


@dataclass
class Bench:
    """Where things lie, and under which limits a suite runs.

    Attributes
    ----------
    data, work, envs, results : path
        Folders of the given tables (None: bundled ones only), of the synthetic tables and logs,
        of the methods' environments, and of the cells' files.
    pythons : dict
        Interpreters of methods that need no environment made.
    threads : int
        Threads of every phase.
    limit : float
        Seconds after which a phase is stopped.
    """

    data: Path | None
    work: Path
    envs: Path
    results: Path
    pythons: dict[str, Path]
    threads: int
    limit: float
    _parts: dict[str, Parts] = field(default_factory=dict)

    def generate(self, cell: Cell) -> None:
        """Make the rows of a cell, unless they are there."""
        if cell.method.published or self.has_rows(cell):
            return
        parts, script = self.parts(cell), METHODS / cell.method.script
        needs = read_needs(script)
        python = self.pythons.get(cell.method.name) or interpreter(needs, script.stem, self.envs)
        made, facts = self.synthetic(cell), Path(f"{self.stem(cell)}.facts.json")
        half = made.with_suffix(".part")
        order = {
            "script": str(script),
            "settings": dict(cell.method.settings),
            "requirements": list(needs.requirements),
            "real": str(parts.real),
            "rows": parts.rows,
            "seed": cell.seed,
            "threads": self.threads,
            "synthetic": str(half),
            "facts": str(facts),
        }
        # Before the rows are made: the sources may be edited meanwhile.
        key, code = generate_key(cell, parts, self.threads), code_print(cell.method)
        outcome = self.run("generate", order, cell, python, bool(needs.requirements))
        entry = self.entry(key, outcome) | {"code": code, "machine": machine()}
        entry |= {"threads": self.threads, "rows": parts.rows}
        if outcome.status == DONE:
            half.replace(made)
            entry |= json.loads(facts.read_text()) | {"synthetic": file_print(made)}
        earlier = self.record(cell)
        same = "synthetic" in entry and entry["synthetic"] == self.rows_print(cell, earlier)
        # Figures of other rows go: they would stand beside the new seconds.
        kept = {"judge": earlier["judge"]} if same and "judge" in earlier else {}
        self.keep(cell, {"generate": entry} | kept)

    def judge(self, cell: Cell) -> None:
        """Take the figures of a cell that has its rows, unless they are there."""
        record, made = self.record(cell), self.synthetic(cell)
        print_ = self.rows_print(cell, record)
        if print_ is None:
            return
        key = self.judge_key(cell, print_)
        if is_judged(record, key):
            return
        if not is_file_of(made, print_):
            self.say(cell, "its rows are not here: generate them again")
            return
        parts, figures = self.parts(cell), Path(f"{self.stem(cell)}.figures.json")
        order = {
            "real": str(parts.real),
            "holdout": str(parts.holdout),
            "synthetic": str(made),
            "target": cell.table.target,
            "seed": cell.seed,
            "figures": str(figures),
        }
        outcome = self.run("judge", order, cell, Path(sys.executable), False)
        entry = self.entry(key, outcome)
        if outcome.status == DONE:
            entry |= json.loads(figures.read_text())
        self.keep(cell, record | {"judge": entry})

    def states(self, cell: Cell) -> tuple[str, str]:
        """How far the two phases of a cell are."""
        record = self.record(cell)
        print_ = self.rows_print(cell, record)
        if cell.method.published:
            rows = "published"
        else:
            key = generate_key(cell, self.parts(cell), self.threads)
            done = is_generated(record, key, self.limit)
            rows = record["generate"]["status"] if done else TO_DO
        if print_ is None:
            return rows, TO_DO if rows == TO_DO else "-"
        return rows, DONE if is_judged(record, self.judge_key(cell, print_)) else TO_DO

    def has_rows(self, cell: Cell) -> bool:
        """Whether the rows were made under today's key and are there, or need not be."""
        record, parts = self.record(cell), self.parts(cell)
        if not is_generated(record, generate_key(cell, parts, self.threads), self.limit):
            return False
        made = record["generate"]
        if made["status"] != DONE:
            return True
        if is_file_of(self.synthetic(cell), made["synthetic"]):
            return True
        return is_judged(record, self.judge_key(cell, made["synthetic"]))

    def rows_print(self, cell: Cell, record: Record) -> str | None:
        """Print of the rows that a cell's figures are of; None before they are made."""
        if cell.method.published:
            return file_print(self.synthetic(cell))
        found: str | None = record.get("generate", {}).get("synthetic")
        return found

    def judge_key(self, cell: Cell, synthetic: str) -> str:
        return judge_key(synthetic, self.parts(cell), cell, METRICS_VERSION)

    def parts(self, cell: Cell) -> Parts:
        """Give the real table of a cell, cut and written once."""
        if cell.table.name not in self._parts:
            folder = self.work / cell.suite
            self._parts[cell.table.name] = prepare(cell.table, self.data, folder)
        return self._parts[cell.table.name]

    def synthetic(self, cell: Cell) -> Path:
        """Path of the rows that a cell's method made, here or at its authors'."""
        if not cell.method.published:
            return Path(f"{self.stem(cell)}.parquet")
        name = cell.method.published.get(cell.table.name)
        if name is None or self.data is None:
            raise PlanError(f"{cell.name}: its table is published, give its folder with --data")
        path = self.data / name
        if not path.is_file():
            raise PlanError(
                f"{path}: no such file; --data must name the folder that holds this published "
                f"table, or --methods leave {cell.method.name} out"
            )
        return path

    def stem(self, cell: Cell) -> Path:
        return self.work / cell.suite / cell.name

    def record(self, cell: Cell) -> Record:
        return read_record(record_path(self.results, cell))

    def run(
        self, phase: str, order: dict[str, Any], cell: Cell, python: Path, own: bool
    ) -> Outcome:
        """Run a phase, saying when it begins and how it ends."""
        self.say(cell, f"{phase} ...")
        outcome = run_phase(
            phase,
            order,
            python=python,
            threads=self.threads,
            limit=self.limit,
            stem=self.stem(cell),
            own_environment=own,
        )
        reason = f": {outcome.reason}" if outcome.reason else ""
        self.say(cell, f"{phase} {outcome.status} after {outcome.seconds:.0f} s{reason}")
        return outcome

    def entry(self, key: str, outcome: Outcome) -> Record:
        """What both phases say of themselves."""
        entry: Record = {"key": key, "status": outcome.status, "limit_seconds": self.limit}
        return entry | ({"reason": outcome.reason} if outcome.reason else {})

    def keep(self, cell: Cell, record: Record) -> None:
        about = {"table": cell.table.name, "method": cell.method.name, "seed": cell.seed}
        write_record(record_path(self.results, cell), about | record)

    def say(self, cell: Cell, what: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {cell.name}: {what}", flush=True)


def list_cells(bench: Bench, suite: Suite) -> None:
    """Print how far each cell of a suite is."""
    for cell in suite.cells():
        rows, figures = bench.states(cell)
        print(f"{cell.name:40} rows: {rows:16} figures: {figures}")
