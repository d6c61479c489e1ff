"""``synthgan augment``: rows of small classes added to a table in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan.cli import options as ask
from synthgan.cli.exits import reporting, tell
from synthgan.cli.parameters import merge_parameters, read_settings
from synthgan.cli.paths import check_inputs, check_output, read_schema
from synthgan.data.problems import listed, nearest
from synthgan.errors import ParameterError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

    from synthgan import GANSampler

AugmentTarget = Annotated[
    str, typer.Option("--target", metavar="COLUMN", help="The column whose classes get rows.")
]
Strategy = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        metavar="WORD|RATIO|CLASS=ROWS",
        help="auto, minority, not minority, not majority, all; a ratio of two classes; or the rows "
        "wanted of a class, repeatable.",
        show_default="auto",
    ),
]
Task = Annotated[
    str,
    typer.Option(
        "--task", metavar="NAME", help="Whether the target is classification, regression, or auto."
    ),
]
QualityFilter = Annotated[
    str,
    typer.Option(
        "--quality-filter", metavar="NAME", help="Keep rows by label, density, both, auto or none."
    ),
]
Mark = Annotated[
    str,
    typer.Option("--mark", metavar="COLUMN", help="Name of the column that marks new rows."),
]
NoMark = Annotated[bool, typer.Option("--no-mark", help="Add no such column.")]


def augment(
    context: typer.Context,
    data: ask.DataFile,
    output: ask.TableOutput,
    target: AugmentTarget,
    strategy: Strategy = None,
    task: Task = "auto",
    quality_filter: QualityFilter = "auto",
    mark: Mark = "synthetic",
    no_mark: NoMark = False,
    max_seconds: ask.MaxSeconds = None,
    epochs: ask.Epochs = None,
    schema: ask.SchemaFile = None,
    random_state: ask.RandomState = None,
    settings: ask.Settings = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Add rows of the small classes of a column to the table DATA."""
    from synthgan.data.files import TABLE_SUFFIXES
    from synthgan.data.output import write_table

    check_inputs(data, schema)
    check_output(output, data, schema, force=force, suffixes=TABLE_SUFFIXES)
    names = ("max_seconds", "epochs")
    given = {name: context.params[name] for name in names} | {"schema": read_schema(schema)}
    others = read_settings(settings or [])
    with reporting(quiet=quiet, verbose=verbose, output=output):
        table = _read(data, target, None if no_mark else mark)
        sampler = _sampler(given, others, len(table), verbosity=0 if quiet else 1)
        kept = None if quality_filter == "none" else quality_filter
        sampler.set_params(task=task, quality_filter=kept, random_state=random_state)
        labels = table.column(target).unique().to_pylist()
        sampler.set_params(sampling_strategy=read_strategy(strategy or ["auto"], labels))
        made = augmented_table(sampler, table, target, None if no_mark else mark)
        write_table(made, output, force=force)
        for line in added_lines(sampler):
            tell(quiet, line)
        new = int(sampler.synthetic_.sum())
        tell(quiet, f"wrote {output}: {len(table):,} rows, and {new:,} synthetic ones")


def read_strategy(words: Sequence[str], labels: Sequence[Any]) -> Any:
    """Read ``--strategy``: one word, one ratio, or the rows wanted of classes.

    Parameters
    ----------
    words : sequence of str
        As they were given.
    labels : sequence
        The classes of the target.

    Raises
    ------
    ParameterError
        For classes that there are not, and rows that are no whole number.

    Examples
    --------
    >>> read_strategy(["minority"], ["a", "b"]), read_strategy(["0.5"], ["a", "b"])
    ('minority', 0.5)
    >>> read_strategy(["1=20", "2=30"], [1, 2])
    {1: 20, 2: 30}
    """
    if len(words) == 1:
        try:
            return float(words[0])
        except ValueError:
            if "=" not in words[0]:
                return words[0]
    known = {str(label): label for label in labels}
    problems, wanted = [], {}
    for word in words:
        name, _, rows = word.rpartition("=")
        if name not in known:
            hint = nearest(name, known)
            problems.append(f"expected CLASS=ROWS with a class of the target, found {word!r}{hint}")
        elif not rows.isdecimal():
            problems.append(f"expected a whole number of rows of class {name!r}, found {rows!r}")
        else:
            wanted[known[name]] = int(rows)
    if problems:
        raise ParameterError(listed("--strategy", problems))
    return wanted


def augmented_table(
    sampler: GANSampler, table: pa.Table, target: str, mark: str | None
) -> pa.Table:
    """The table with new rows below, its columns in their order, and a column that marks them."""
    import pyarrow as pa

    X, y = sampler.fit_resample(table.drop_columns([target]), table.column(target))
    whole = X.add_column(table.column_names.index(target), table.schema.field(target), y)
    return whole if mark is None else whole.append_column(mark, pa.array(sampler.synthetic_))


def added_lines(sampler: GANSampler) -> list[str]:
    """What was added of each class, a line for each."""
    lines = []
    for each in sampler.augmentation_report_:
        label = each["label"]
        name = f"{label[0]:g} to {label[1]:g}" if isinstance(label, tuple) else f"{label!r}"
        passed = f", {each['passed']:,} passed the filter" if "passed" in each else ""
        lines.append(f"{name}: {each['rows']:,} rows {each['how']}{passed}")
    return lines


def _read(data: Path, target: str, mark: str | None) -> pa.Table:
    from synthgan.data.source import open_source

    source = open_source(data)
    if target not in source.names:
        raise ParameterError(
            f"--target: expected a column of {str(data)!r}, found {target!r}"
            f"{nearest(target, source.names)}"
        )
    if mark in source.names:
        raise ParameterError(
            f"--mark: column {mark!r} is in the table already; choose another name, or --no-mark"
        )
    if len(source.names) < 2:
        raise TableError(f"{str(data)!r}: expected columns beside the target, found none")
    return source.home.restore(source.table())


def _sampler(
    given: Mapping[str, Any], others: Mapping[str, Any], rows: int, *, verbosity: int
) -> GANSampler:
    from synthgan import GANSampler, SynthGAN
    from synthgan.estimators.augmentation.generators import default_generator

    parameters = merge_parameters(SynthGAN, given, dict(others))
    if "epochs" not in parameters and "max_seconds" in parameters:
        # a time limit alone says how long
        parameters["epochs"] = "auto"
    generator = default_generator(rows).set_params(**parameters, verbose=verbosity)
    return GANSampler(generator=generator)
