"""The environment of each method: what its script asks for, and an interpreter that has it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.tables import ROOT

# What the rows of methods without an environment of their own are computed with.
_OWN_PACKAGES = ("torch", "numpy", "pyarrow", "lightgbm", "scikit-learn")
_BLOCK = re.compile(r"(?ms)^# /// script\n(.*?)^# ///$")


@dataclass(frozen=True)
class Needs:
    """The inline script metadata (PEP 723) of a method's script.

    Attributes
    ----------
    requirements : sequence of str
        Packages with exact versions; none means the environment of the runner.
    decided_by : sequence of str
        Files and folders of the package synthgan that decide the rows; part of the cell's key.
    removed : sequence of str
        Packages taken out again after the installation.
    """

    requirements: Sequence[str]
    decided_by: Sequence[str]
    removed: Sequence[str]


def read_needs(script: Path) -> Needs:
    """Read what a script asks for in its head."""
    found = _BLOCK.search(script.read_text())
    if found is None:
        raise ValueError(f"{script}: expected inline script metadata (PEP 723), found none")
    content = tomllib.loads(re.sub(r"(?m)^# ?", "", found[1]))
    own = content.get("tool", {}).get("benchmarks", {})
    return Needs(content["dependencies"], own.get("decided_by", []), own.get("remove", []))


def versions(needs: Needs) -> dict[str, str]:
    """Versions that decide rows and stand in no script: installed here, or asked of pip."""
    if needs.requirements:
        return {"torch": torch_pin()}
    return {name: importlib.metadata.version(name) for name in _OWN_PACKAGES}


def torch_pin() -> str:
    """The line of the project's constraints that names torch's version."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return next(line for line in lines if line.startswith("torch=="))


def interpreter(needs: Needs, name: str, envs: Path) -> Path:
    """Find the interpreter of a method, after making its environment where there is none."""
    if not needs.requirements:
        return Path(sys.executable)
    wanted = hashlib.sha256(repr((needs, torch_pin())).encode()).hexdigest()[:8]
    folder = envs / f"{name}-{wanted}"
    python = folder / "bin" / "python"
    made = folder / "made"
    if not made.exists():
        print(f"making the environment of {name}: {' '.join(needs.requirements)}", flush=True)
        make(needs, folder, python)
        made.touch()
    return python


def make(needs: Needs, folder: Path, python: Path) -> None:
    """Install what a method needs; torch in the project's own version, the build by pip's index."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    constraints = folder / "constraints.txt"
    constraints.write_text(torch_pin() + "\n")
    pip = [str(python), "-m", "pip"]
    install = [*pip, "install", "--quiet", "-c", str(constraints), "pandas", "pyarrow"]
    subprocess.run([*install, *needs.requirements], check=True)
    if needs.removed:
        subprocess.run([*pip, "uninstall", "--quiet", "--yes", *needs.removed], check=True)
