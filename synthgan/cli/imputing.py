"""``synthgan impute`` and ``synthgan clean``: gaps filled, and cells that do not fit put right."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synthgan.cli import options as ask
from synthgan.cli.exits import in_words, printing, reporting, tell
from synthgan.cli.parameters import merge_parameters
from synthgan.cli.paths import check_inputs, check_output, read_schema
from synthgan.errors import ParameterError

Rounds = Annotated[
    int | None,
    typer.Option(
        "--rounds",
        parser=ask.whole_number(0),
        metavar="N",
        help="Rounds of boosted trees over the columns; 0 for none.",
    ),
]
Draw = Annotated[
    bool,
    typer.Option("--sample-posterior", help="Draw cells instead of filling in what is likeliest."),
]
Indicator = Annotated[
    bool, typer.Option("--add-indicator", help="Add columns that say where cells were missing.")
]
CleanOutput = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Where the cleaned table goes."),
]
Log = Annotated[
    Path | None,
    typer.Option("--log", metavar="FILE", help="Where the changes go; else they are printed."),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--fdr", metavar="RATE", help="Share of the changes that may be wrong; 0.05 if not given."
    ),
]
ProposeOnly = Annotated[
    bool, typer.Option("--propose-only", help="Change nothing, only say what would be changed.")
]


def impute(
    data: ask.DataFile,
    output: ask.TableOutput,
    max_seconds: ask.MaxSeconds = None,
    epochs: ask.Epochs = None,
    rounds: Rounds = None,
    sample_posterior: Draw = False,
    add_indicator: Indicator = False,
    schema: ask.SchemaFile = None,
    random_state: ask.RandomState = None,
    device: ask.Device = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Learn the table DATA and fill its missing cells; the others stay as they are."""
    from synthgan.data.files import TABLE_SUFFIXES
    from synthgan.data.output import write_table

    check_inputs(data, schema)
    check_output(output, data, schema, force=force, suffixes=TABLE_SUFFIXES)
    given = {"max_seconds": max_seconds, "epochs": epochs, "device": device}
    with reporting(quiet=quiet, verbose=verbose, output=output):
        from synthgan import GANImputer, SynthGAN

        parameters = merge_parameters(SynthGAN, {**given, "schema": read_schema(schema)}, {})
        imputer = GANImputer(
            generator=SynthGAN(**parameters, verbose=0),
            sample_posterior=sample_posterior,
            add_indicator=add_indicator,
            random_state=random_state,
            **({} if rounds is None else {"rounds": rounds}),
        )
        filled = imputer.fit_transform(data)
        write_table(filled, output, force=force)
        tell(quiet, f"wrote {output}: {in_words(len(filled))}")


def clean(
    data: ask.DataFile,
    output: CleanOutput = None,
    log: Log = None,
    fdr: Rate = None,
    propose_only: ProposeOnly = False,
    schema: ask.SchemaFile = None,
    random_state: ask.RandomState = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Find cells of DATA that do not fit their row, put them right and list the changes."""
    from synthgan.data.files import TABLE_SUFFIXES
    from synthgan.data.output import write_table

    _check_paths(output, log, propose_only)
    check_inputs(data, schema)
    for path in (output, log):
        if path is not None:
            check_output(path, data, schema, force=force, suffixes=TABLE_SUFFIXES)
    with reporting(quiet=quiet, verbose=verbose, output=output or log):
        from synthgan import clean as clean_table

        cleaned = clean_table(
            data,
            propose_only=propose_only,
            schema=read_schema(schema),
            random_state=random_state,
            **({} if fdr is None else {"fdr": fdr}),
        )
        lines = _as_text(cleaned.changes)
        # the log first: a table is never changed without it
        if log is not None:
            write_table(lines, log, force=force)
        if output is not None:
            write_table(cleaned.table, output, force=force)
        tell(quiet, _summary(cleaned.changes, propose_only))
        for path in filter(None, (log, output)):
            tell(quiet, f"wrote {path}")
        if log is None:
            with printing():
                lines.to_csv(sys.stdout, index=False)


def _check_paths(output: Path | None, log: Path | None, propose_only: bool) -> None:
    if output is None and not propose_only:
        raise ParameterError(
            "-o: expected the file that the cleaned table goes to, found none; or say "
            "--propose-only, which changes nothing"
        )
    if output is not None and propose_only:
        raise ParameterError("-o and --propose-only: a table that is not changed is not written")
    if output is not None and log is not None and output.resolve() == log.resolve():
        raise ParameterError(f"-o and --log: expected two files, found {str(log)!r} for both")


def _as_text(changes: Any) -> Any:
    """The log with old and new values as text: those of all columns stand there together."""

    def text(value: Any) -> str | None:
        return None if value is None else str(value)

    return changes.assign(old=changes["old"].map(text), new=changes["new"].map(text))


def _summary(changes: Any, propose_only: bool) -> str:
    cells, rows = len(changes), changes["row"].nunique()
    verb = "would be" if propose_only else "were"
    counts = changes["column"].value_counts()
    often = "".join(f"; {name}: {count}" for name, count in counts.head(5).items())
    return f"{cells:,} cells in {rows:,} rows {verb} changed{often}"
