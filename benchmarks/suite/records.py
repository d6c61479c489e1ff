"""The file of each cell: what was made and judged, under which keys; and when that still holds."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from suite.environments import read_needs, versions
from suite.phases import DONE, PHASES, UNFINISHED
from suite.plan import Cell, MethodPlan
from suite.tables import Parts

METHODS = PHASES.parent / "methods"
Record = dict[str, Any]


def record_path(results: Path, cell: Cell) -> Path:
    return results / cell.suite / f"{cell.name}.json"


def read_record(path: Path) -> Record:
    """Read the file of a cell; an empty record where there is none."""
    record: Record = json.loads(path.read_text()) if path.exists() else {}
    return record


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write the file of a cell, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    part.replace(path)


def generate_key(cell: Cell, parts: Parts, threads: int) -> str:
    """Everything that decides the rows of a cell, and how many threads made them."""
    return key_of(
        code=code_print(cell.method),
        worker=file_print(PHASES / "generate.py"),
        versions=versions(read_needs(METHODS / cell.method.script)),
        real=parts.real_print,
        seed=cell.seed,
        threads=threads,
    )


def code_print(method: MethodPlan) -> str:
    """The code of a method as it is today: its script, its settings, for ours the sources."""
    script = METHODS / method.script
    return key_of(
        script=file_print(script),
        sources=sources_print(read_needs(script).decided_by),
        settings=dict(method.settings),
    )


def judge_key(synthetic: str, parts: Parts, cell: Cell, version: str) -> str:
    """Everything that decides the figures of a cell."""
    return key_of(
        worker=file_print(PHASES / "judge.py"),
        synthetic=synthetic,
        real=parts.real_print,
        holdout=parts.holdout_print,
        target=cell.table.target,
        metrics_version=version,
        seed=cell.seed,
    )


def is_generated(record: Mapping[str, Any], key: str, limit: float) -> bool:
    """Whether the rows were made, or not made within the same limit, under this key."""
    made = record.get("generate", {})
    if made.get("key") != key:
        return False
    gave_up = made["status"] == UNFINISHED and made["limit_seconds"] >= limit
    return bool(gave_up or made["status"] == DONE)


def is_judged(record: Mapping[str, Any], key: str) -> bool:
    judged = record.get("judge", {})
    return bool(judged.get("key") == key and judged["status"] == DONE)


def key_of(**parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def file_print(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def is_file_of(path: Path, print_: str) -> bool:
    return path.exists() and file_print(path) == print_


def sources_print(names: Sequence[str]) -> str:
    """Names and content of files of the package synthgan, the one that is imported.

    A name is that of a file, of a folder with all in it, or a pattern: `estimators/*.py`.
    """
    if not names:
        return ""
    found = importlib.util.find_spec("synthgan")
    assert found is not None and found.origin is not None
    package = Path(found.origin).parent
    files: list[Path] = []
    for name in names:
        found_here = sorted((package / name).rglob("*.py")) or sorted(package.glob(name))
        if not found_here:
            raise ValueError(f"decided_by: nothing in {package} is named {name!r}")
        files += found_here
    return key_of(**{str(path.relative_to(package)): file_print(path) for path in files})
