"""The examples run as they stand, with a small budget."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("name", ["quick_start", "conditions", "schema"])
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    words = [sys.executable, EXAMPLES / f"{name}.py", "--max-seconds", "4", "--rows", "2000"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout
    wrote = {"quick_start": {"adult.synthgan", "new.parquet"}}.get(name, set())
    assert {path.name for path in tmp_path.iterdir()} == wrote


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80
