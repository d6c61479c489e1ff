"""``synthgan report``: the bars that figures must clear, the report's file, the short table."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthgan.cli.exits import BAR_MISSED, USAGE
from synthgan.data.output import replacing
from synthgan.data.problems import listed, nearest
from synthgan.errors import ParameterError
from synthgan.evaluation.paths import reason_for
from synthgan.evaluation.result import PAGE_SUFFIXES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from synthgan import SynthGAN
    from synthgan.evaluation.result import Evaluation

_FIGURES_ONLY = ".json"
REPORT_SUFFIXES = (*PAGE_SUFFIXES, _FIGURES_ONLY)

_UNDER, _OVER = "--fail-under", "--fail-over"
# What a path may begin with. What comes after, the names of columns for example, depends on the
# tables, and is looked for when they are judged.
_FIGURES = {
    "fidelity": "shape_error_pct trend_error_pct columns pairs_total pairs_used triples missing "
    "coverage",
    "manifold": "precision recall density coverage alpha_precision beta_recall authenticity rows k",
    "collapse": "share_lost rows categories clusters regions",
    "detection": "boosted_auc boosted_auc_holdout logistic logistic_auc logistic_holdout "
    "logistic_auc_holdout rows rows_holdout",
    "utility": "auc macro_f1 rmse r2 importance_agreement real learners rows dropped_rows",
    "risk": "exact_copies exact_copies_rows exact_copies_real near_copies near_copies_fresh "
    "near_copies_fresh_rows closest_share closest_share_rows closest_share_draws "
    "dcr nndr neighbour_rows neighbour_real_rows membership rare_values singling_out linkability "
    "attribute_inference",
}
_FLOORS = ("holdout", "bootstrap", "independent", "smote")
# Figures that cannot be had without an option; those of floors neither.
_NEEDS = {
    "--target": ("utility.*",),
    "--holdout": (
        "detection.*_holdout",
        "risk.closest_share*",
        "risk.membership.*",
        "risk.singling_out.*.risk",
        "risk.singling_out.*.control_*",
        "risk.linkability.risk",
        "risk.linkability.control_*",
        "risk.attribute_inference.*.risk",
        "risk.attribute_inference.*.control_*",
    ),
}

# A pipe or a file has no width of its own: nothing is cut or wrapped there.
_WIDTH_OF_A_PIPE = 10_000
# The columns of the table, and from which width of the terminal on they are shown.
_HEADINGS = {
    "group": 90,
    "figure": 0,
    "value": 0,
    "holdout": 60,
    "bootstrap": 79,
    "independent": 0,
    "smote": 79,
}
# Of the reasons for a grade the worst come first.
_MOST_REASONS = 2
_STYLES = {"excellent": "bold green", "good": "green", "fair": "yellow", "poor": "bold red"}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must not fall below, or not rise above.

    Attributes
    ----------
    option : str
        ``--fail-under`` or ``--fail-over``.
    path : str
        Where the figure stands in the result, such as ``utility.auc``.
    value : float
        The bar itself, which a figure may equal.
    """

    option: str
    path: str
    value: float

    def __str__(self) -> str:
        return f"{self.option} {self.path}={self.value:g}"

    def stops(self, figure: float) -> bool:
        """Whether a figure is on the wrong side."""
        return figure < self.value if self.option == _UNDER else figure > self.value


def read_bars(under: Sequence[str], over: Sequence[str], given: Mapping[str, Any]) -> list[Bar]:
    """Read the texts of ``--fail-under`` and ``--fail-over``, before any work.

    Parameters
    ----------
    under, over : sequence of str
        ``FIGURE=VALUE``, the figure by its path in the JSON.
    given : mapping
        The values of ``--holdout`` and ``--target``, without which there are fewer figures.

    Raises
    ------
    ParameterError
        Naming every text that is no bar, and every figure that there cannot be.
    """
    bars, problems = [], []
    for option, text in [(_UNDER, each) for each in under] + [(_OVER, each) for each in over]:
        path, _, number = text.rpartition("=")
        bar = Bar(option, path.strip(), _number(number))
        bars.append(bar)
        if problem := _problem(bar, text, given):
            problems.append(f"{option} {problem}")
    if problems:
        raise ParameterError(listed("figures to be held to a bar", problems))
    return bars


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _problem(bar: Bar, text: str, given: Mapping[str, Any]) -> str:
    """Say why there can be no such bar, if so."""
    if not ("." in bar.path.strip(".") and math.isfinite(bar.value)):
        return f"expected FIGURE=NUMBER such as utility.auc=0.8, found {text!r}"
    if misspelt := _misspelt(bar.path):
        return f"{bar.path}: {misspelt}"
    figure = _without_floor(bar.path)
    needed = [
        option
        for option, patterns in _NEEDS.items()
        if given[option] is None and any(fnmatchcase(figure, pattern) for pattern in patterns)
    ]
    if bar.path.startswith("floors.holdout.") and given["--holdout"] is None:
        needed = ["--holdout"]
    return f"{bar.path}: there is no such figure without {needed[0]}" if needed else ""


def _without_floor(path: str) -> str:
    """The figure that a path leads to in the result or, the same, in one of its floors."""
    return path.split(".", 2)[-1] if path.startswith("floors.") else path


def _misspelt(path: str) -> str:
    """Say which word of a path is not known, if so, and which was meant."""
    group, _, rest = path.partition(".")
    floor = rest.partition(".")[0]
    if group == "floors" and floor not in _FLOORS:
        return _expected(floor, _FLOORS)
    more = "rows" if group == "floors" else "floors"
    group, _, rest = _without_floor(path).partition(".")
    if group not in _FIGURES:
        return "" if group == more else _expected(group, [*_FIGURES, more])
    name, known = rest.partition(".")[0], _FIGURES[group].split()
    return "" if name in known else _expected(name, known)


def _expected(word: str, known: Sequence[str]) -> str:
    return f"expected one of {', '.join(known)}, found {word!r}{nearest(word, known)}"


def missed_bars(evaluation: Evaluation, bars: Sequence[Bar]) -> list[tuple[int, str]]:
    """Hold figures to their bars: an exit code and a line for each that fails, graver ones first.

    A figure that could not be taken fails its bar, and so does a path that leads to no figure,
    by another code.
    """
    missed = []
    for bar in bars:
        try:
            figure = _figure(evaluation, bar.path)
        except ParameterError as error:
            missed.append((USAGE, f"{bar}: {error}"))
            continue
        if figure is None:
            reason = reason_for(evaluation.result, bar.path) or "no reason is known"
            missed.append((BAR_MISSED, f"{bar}: it could not be measured: {reason}"))
        elif bar.stops(figure):
            missed.append((BAR_MISSED, f"{bar}: found {figure:.6g}"))
    return sorted(missed, key=lambda each: -each[0])


def _figure(evaluation: Evaluation, path: str) -> float | None:
    found = evaluation.figure(path)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        shown = ", ".join(sorted(found)) if isinstance(found, Mapping) else repr(found)
        raise ParameterError(f"figure {path!r}: expected a number, found {shown:.200}")
    return float(found)


def audited(made: SynthGAN, real: Path, random_state: int | None) -> dict[str, Any]:
    """Say how a table was made, with an attack on the budget of its model.

    Raises
    ------
    ParameterError
        If the model has none.
    """
    from synthgan import audit_privacy

    if made.privacy_ is None:
        raise ParameterError(
            "--privacy: expected a model with a budget, found one without; fit with --epsilon"
        )
    audit = audit_privacy(made, real, random_state=random_state)
    return {**made.provenance(), "audit": audit.to_dict()}


def print_privacy(made: Mapping[str, Any], quiet: bool) -> list[tuple[int, str]]:
    """Say what was promised and what an attack refutes; a promise that is refuted fails."""
    from synthgan.cli.info import privacy_line

    if not quiet:
        typer.echo(privacy_line(made["ledger"]))
        typer.echo(f"note: {made['keep']}")
    if "audit" not in made:
        return []
    audit = made["audit"]
    told = (
        f"audit: {audit['right']} of {audit['guesses']} guesses at {audit['canaries']:,} canaries "
        f"were right, which refutes an epsilon below {audit['lower_bound']:.3g} "
        f"({audit['confidence']:.0%} sure); claimed is {audit['claimed']:.4g}"
    )
    if not quiet:
        typer.echo(told)
    return [] if audit["passed"] else [(BAR_MISSED, told)]


def write_report(evaluation: Evaluation, path: Path, *, force: bool) -> None:
    """Write the page, or the figures alone, whole or not at all; the suffix says which."""
    if path.suffix.lower() == _FIGURES_ONLY:
        with replacing(path) as temporary:
            temporary.write_text(f"{evaluation.to_json()}\n", encoding="utf-8")
    else:
        evaluation.to_html(path, force=force)


def print_evaluation(evaluation: Evaluation, *, as_json: bool) -> None:
    """Print to stdout: exactly one JSON object, or a short table for people."""
    if as_json:
        typer.echo(evaluation.to_json())
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    for line in _tables(evaluation.result["tables"]):
        console.print(line)
    console.print(_table(evaluation, console.width))
    _print_verdicts(console, evaluation.result["verdicts"])
    for note in evaluation.result["notes"]:
        console.print(f"note: {_line(note)}")


def _tables(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for role, table in tables.items():
        used = f", {table['rows_used']:,} used" if table["rows_used"] < table["rows"] else ""
        yield f"{role}: {_line(table['name'])}, {table['rows']:,} rows{used}"


def _table(evaluation: Evaluation, width: int) -> Table:
    """Lay out one line per figure with its floors; a narrow terminal gets fewer of these."""
    from rich import box
    from rich.table import Table

    floors = evaluation.result["floors"]
    shown = [heading for heading, least in _HEADINGS.items() if width >= least]
    shown = [heading for heading in shown if heading not in _FLOORS or heading in floors]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in shown:
        words = heading in ("group", "figure")
        table.add_column(heading, justify="left" if words else "right", overflow="fold")
    last = None
    for row in evaluation.summary():
        group = row["path"].partition(".")[0]
        cells = {heading: _number_text(row.get(heading)) for heading in ("value", *_FLOORS)}
        cells |= {"figure": row["figure"], "group": group if group != last else ""}
        if last not in (None, group):
            table.add_section()
        table.add_row(*(cells[heading] for heading in shown))
        last = group
    return table


def _number_text(value: float | None) -> str:
    """Three digits after the point, of large numbers fewer."""
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.4g}"


def _print_verdicts(console: Console, verdicts: Mapping[str, Mapping[str, Any]]) -> None:
    from rich.text import Text

    console.print()
    for group, verdict in verdicts.items():
        grade = str(verdict["grade"])
        line = Text(f"{group}: ").append(grade, style=_STYLES.get(grade, ""))
        console.print(line.append(f". {_line(verdict['text'])}"))
        for reason in verdict["reasons"][:_MOST_REASONS]:
            console.print(f"  {_line(reason)}")
    console.print()


def _line(text: str) -> str:
    """Keep a name on one line: line breaks and the like are written as Python writes them."""
    return text if text.isprintable() else repr(text)
