"""README.md and docs/: every Python block, every synthgan command and every link is tried.

A page is one script, read from top to bottom in an empty folder with a small piece of Adult:
blocks of Python share their names, commands run one after another, and a JSON block with a title is
written to the file of that name. Fits are cut short; the rest is what a reader types.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import synthgan
from synthgan.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = [*PAGES, *(ROOT / name for name in ("ARCHITECTURE.md", "CHANGELOG.md"))]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What a reader starts from; done by make, by pip or outside of synthgan.
ELSEWHERE = ("make ", "pip ")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adult: pa.Table) -> Path:
    """A folder as the pages assume it, in which fits are short."""
    (tmp_path / "examples" / "data").mkdir(parents=True)
    pq.write_table(adult, tmp_path / "examples" / "data" / "adult.parquet")
    (tmp_path / "gaps.csv").write_text("age,income\n25,>50K\n47,\n,<=50K\n", encoding="utf-8")
    whole = synthgan.SynthGAN.fit

    def short_fit(self: Any, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        self.set_params(epochs=1, max_seconds=None, width=16, depth=1, verbose=0)
        return whole(self, X, y, sample_weight)

    monkeypatch.setattr(synthgan.SynthGAN, "fit", short_fit)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands(block: str) -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [line for line in lines if line]


# a small piece of Adult: what a budget of 1 leaves of it is little, and it says so
@pytest.mark.filterwarnings("ignore:the noise of", "ignore:column .* no value is shared")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_works(page: Path, desk: Path) -> None:
    spoken: dict[str, Any] = {"__name__": "__main__"}
    for language, title, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(block, str(page), "exec"), spoken)
        elif language == "json":
            (desk / title.partition("=")[2]).write_text(block, encoding="utf-8")
        else:
            assert language == "sh", f"{page.name}: no way to try a block of {language!r}"
            for words in commands(block):
                if f"{words[0]} " in ELSEWHERE:
                    continue
                assert words[0] == "synthgan"
                done = CliRunner().invoke(app, words[1:], prog_name="synthgan")
                assert done.exit_code == 0, (words, done.stderr)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    """The names that headings have on a web page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_option_of_the_command_line_is_on_its_page() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    commands = (
        "fit",
        "sample",
        "complete",
        "augment",
        "impute",
        "clean",
        "report",
        "score",
        "info",
    )
    for command in commands:
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
        for option in set(re.findall(r"(--[a-z][a-z-]+)", shown)) - {"--help"}:
            assert option in page, f"{command} {option}"


def test_every_parameter_is_on_its_page() -> None:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for name in synthgan.SynthGAN().get_params():
        assert f"`{name}`" in page, name


def test_every_objective_is_on_its_page_with_its_settings() -> None:
    from synthgan.nets.objectives import OBJECTIVES

    page = (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8")
    for name, each in OBJECTIVES.items():
        settings = (each.learning_rate, each.penalty_weight, each.critic_steps, each.pack)
        cells = " | ".join(f"{value:g}" for value in settings)
        first, second = each.betas
        assert f"| `{name}` | {cells} | {first:g}, {second:g} |" in page, name
        assert page.count(f"| `{name}` |") == 3, "losses, settings, figures"


def test_every_error_is_on_its_page() -> None:
    from synthgan import errors

    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, Exception):
            assert f"`{name}`" in page, name
