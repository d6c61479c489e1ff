"""The built wheel, installed away from the source tree, does the main job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthgan

WHERE = "import json, synthgan; print(json.dumps([synthgan.__file__, synthgan.__version__]))"


def run(*words: str | Path, cwd: Path) -> str:
    # make's constraints are named from the project's folder, and the wheel needs none of what it
    # or the source tree put into the environment
    env = {k: v for k, v in os.environ.items() if k not in ("PIP_CONSTRAINT", "PYTHONPATH")}
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    run(*build, project_root, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of a fresh environment: the wheel, and the dependencies that are here already."""
    folder = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    # Read as a plain folder, its own .pth files (the editable install of the source) do not count.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    interpreter = Path(sysconfig.get_path("scripts", "venv", vars=scheme)) / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", wheel]
    run(sys.executable, "-m", "pip", "--python", interpreter, *install, cwd=folder)
    return interpreter


def metadata(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        return archive.read(name).decode("utf-8").splitlines()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path, project_root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {name for name in names if name.startswith("synthgan/")}
    written = {
        path.relative_to(project_root).as_posix()
        for suffix in ("py", "typed", "j2", "css", "js")
        for path in project_root.glob(f"synthgan/**/*.{suffix}")
    }
    assert package == written
    assert "synthgan/evaluation/report/templates/page.html.j2" in package
    assert {name.split("/")[0] for name in names - package} == {
        f"synthgan-{synthgan.__version__}.dist-info"
    }
    assert f"Version: {synthgan.__version__}" in metadata(wheel)
    assert "License-Expression: Apache-2.0" in metadata(wheel)


def test_the_extra_all_is_every_extra_for_users(wheel: Path) -> None:
    extras: dict[str, set[str]] = {}
    for line in metadata(wheel):
        if line.startswith("Requires-Dist: "):
            name, _, extra = line.removeprefix("Requires-Dist: ").partition("; extra == ")
            extras.setdefault(extra.strip("'"), set()).add(name)
    tools = extras.pop("dev") - extras["all"]
    assert {"pytest", "ruff", "mypy"} <= tools
    for_users = {name: needs for name, needs in extras.items() if name not in ("", "all")}
    assert extras["all"] == set().union(*for_users.values())
    assert "torch>=2.6" in extras[""]
    assert not any("<" in need or "==" in need for need in extras[""] | extras["all"])


def test_the_wheel_fits_and_samples(python: Path, adult: pa.Table, tmp_path: Path) -> None:
    file, version = json.loads(run(python, "-c", WHERE, cwd=tmp_path))
    assert Path(file).is_relative_to(python.parent.parent)
    assert version == synthgan.__version__
    assert version in run(python, "-m", "synthgan", "--version", cwd=tmp_path)

    pq.write_table(adult.slice(0, 300), tmp_path / "table.parquet")
    command = [python, "-m", "synthgan"]
    small = ["--epochs", "1", "--set", "width=16", "--set", "depth=1"]
    run(*command, "fit", "table.parquet", *small, cwd=tmp_path)
    run(*command, "sample", "table.synthgan", "-n", "20", "-o", "new.csv", cwd=tmp_path)
    assert len((tmp_path / "new.csv").read_text(encoding="utf-8").splitlines()) == 21
