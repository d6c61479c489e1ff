"""The floors hold, and asking for little loads little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import synthgan


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    words = [sys.executable, "-W", "error", "-c", code]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


def lint(folder: Path) -> tuple[int, str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    words = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def test_imports_go_downwards_only(project_root: Path) -> None:
    status, report = lint(project_root)
    assert status == 0, report


def test_the_contracts_see_what_they_forbid(tmp_path: Path, project_root: Path) -> None:
    # The same contracts, with torch forbidden to a room that needs it: they must break.
    text = (project_root / "pyproject.toml").read_text(encoding="utf-8")
    tables = '"synthgan.evaluation",\n]\nforbidden_modules = ["torch"]'
    turned = text.replace(tables, tables.replace("evaluation", "nets"))
    assert turned != text
    (tmp_path / "pyproject.toml").write_text(turned, encoding="utf-8")
    status, report = lint(tmp_path)
    assert status == 1
    assert "synthgan.nets is not allowed to import torch" in report


def test_the_package_alone_loads_nothing_heavy() -> None:
    loaded = loaded_by(
        "import synthgan; synthgan.__version__; synthgan.SynthganError; dir(synthgan)"
    )
    assert "synthgan" in loaded
    assert not loaded & {"torch", "pandas", "polars", "numpy", "pyarrow", "sklearn"}


@pytest.mark.parametrize("name", ["data.source", "evaluation", "bundle", "cli"])
def test_rooms_without_networks_load_no_torch(name: str) -> None:
    assert "torch" not in loaded_by(f"import synthgan.{name}")


def test_public_names_load_when_asked_for() -> None:
    for name in synthgan.__all__:
        assert name in dir(synthgan)
        assert getattr(synthgan, name) is not None
    with pytest.raises(AttributeError, match="'synthgan' has no attribute 'SynthGan'"):
        synthgan.SynthGan  # noqa: B018
