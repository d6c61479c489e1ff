"""``synthgan score``: how odd each row of a table is, by a detector or by another table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan.cli import options as ask
from synthgan.cli.exits import in_words, reporting, tell
from synthgan.cli.paths import check_inputs, check_output, is_model
from synthgan.errors import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

    from synthgan import GANOutlierDetector

PAGE_SUFFIXES = (".html", ".htm")

Learned = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL_OR_TABLE",
        help="A detector (.synthgan), or the table of what is normal, from which one is learned.",
    ),
]
Judged = Annotated[Path, typer.Argument(metavar="DATA", help="The rows to be judged.")]
Page = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page about them too.")
]
Kept = Annotated[
    Path | None,
    typer.Option(
        "--save-model", metavar="FILE.synthgan", help="Keep the detector that was learned."
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option("--score", metavar="NAME", help="What to judge by; may be said several times."),
]
Share = Annotated[
    str | None,
    typer.Option(
        "--contamination", metavar="SHARE", help="Share of odd rows in the table; or auto."
    ),
]
Novelty = Annotated[
    bool, typer.Option("--novelty", help="The table learned from holds normal rows only.")
]


def score(
    learned: Learned,
    data: Judged,
    output: ask.TableOutput,
    report: Page = None,
    by: By = None,
    contamination: Share = None,
    novelty: Novelty = False,
    save_model: Kept = None,
    random_state: ask.RandomState = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Say how odd each row of DATA is: its columns with a score, a verdict and the oddest cell."""
    import pyarrow as pa

    from synthgan.bundle import MODEL_SUFFIX
    from synthgan.data.files import TABLE_SUFFIXES
    from synthgan.data.output import write_table
    from synthgan.data.source import open_source

    inputs = (learned, data)
    check_inputs(*inputs)
    check_output(output, *inputs, force=force, suffixes=TABLE_SUFFIXES)
    if report is not None:
        check_output(report, *inputs, output, force=force, suffixes=PAGE_SUFFIXES)
    is_detector = is_model(learned)
    given: dict[str, Any] = {
        "scores": by or None,
        "contamination": _share(contamination),
        "random_state": random_state,
        "novelty": novelty or None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if is_detector and (given or save_model is not None):
        raise ParameterError(
            "--score, --contamination, --novelty, --random-state and --save-model are for a table "
            "to learn from; a detector has its own"
        )
    if save_model is not None:
        check_output(save_model, *inputs, output, force=force, suffixes=(MODEL_SUFFIX,))
    with reporting(quiet=quiet, verbose=verbose, output=output):
        detector = _detector().load(learned) if is_detector else _detector()(**given).fit(learned)
        if save_model is not None:
            detector.save(save_model, force=force)
        table = open_source(data, where="DATA", min_rows=1).table()
        verdicts = _verdicts(detector, table)
        odd = int(verdicts["is_odd"].sum())
        scored = table
        for name, values in verdicts.items():
            scored = scored.append_column(_free(scored, name), pa.array(values))
        write_table(scored, output, force=force)
        if report is not None:
            detector.report(table).to_html(report, force=force)
        tell(quiet, f"wrote {output}: {in_words(table.num_rows)}, {odd:,} of them odd")
        if report is not None:
            tell(quiet, f"wrote {report}")


def _verdicts(detector: GANOutlierDetector, table: pa.Table) -> dict[str, Any]:
    """What is said of each row: its score, whether it is odd, and its oddest column or None."""
    scores = detector.score_samples(table)
    found = detector.explain(table, cells=1)
    oddest: list[str | None] = [None] * len(scores)
    for row, name in zip(found["row"], found["column"], strict=True):
        oddest[row] = name
    return {"score": scores, "is_odd": scores < detector.offset_, "oddest_column": oddest}


def _free(table: pa.Table, name: str) -> str:
    """A name that no column of the table has."""
    while name in table.column_names:
        name += "_"
    return name


def _share(text: str | None) -> float | str | None:
    try:
        return None if text is None or text == "auto" else float(text)
    except ValueError:
        return text


def _detector() -> type[GANOutlierDetector]:
    from synthgan import GANOutlierDetector

    return GANOutlierDetector
