"""The command line: ``synthgan fit``, ``sample``, ``complete``, ``augment``, ``score`` and others.

Nothing heavy is imported at the top: ``--help`` and ``--version`` answer at once, and wrong paths
and words are refused before torch is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthgan.cli import imputing
from synthgan.cli import options as ask
from synthgan.cli.augment import augment
from synthgan.cli.conditions import check_conditions, read_conditions
from synthgan.cli.exits import Commands, printing, reporting, say
from synthgan.cli.parameters import merge_parameters, read_settings
from synthgan.cli.score import score
from synthgan.errors import InputNotFoundError, OutputError, ParameterError

if TYPE_CHECKING:
    from synthgan import SynthGAN
    from synthgan.evaluation.result import Evaluation

app = typer.Typer(
    cls=Commands,
    name="synthgan",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(score)


def main() -> None:
    """Run the command line of this process."""
    # torch's threads spin for long while they wait for each other, which on a busy machine makes
    # two of them slower than one; a short spin costs nothing on a quiet one. It has to be said
    # before torch is loaded
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    app(prog_name="synthgan")


@app.callback(help="Learn a table, and draw new tables like it.")
def _commands(version: ask.Version = False) -> None:
    """Hold the options that stand before a command."""


@app.command()
def fit(
    context: typer.Context,
    data: ask.DataFile,
    output: ask.ModelOutput = None,
    max_seconds: ask.MaxSeconds = None,
    epochs: ask.Epochs = None,
    objective: ask.Objective = None,
    batch_size: ask.BatchSize = None,
    schema: ask.SchemaFile = None,
    rare_threshold: ask.RareThreshold = None,
    random_state: ask.RandomState = None,
    device: ask.Device = None,
    critic_steps: ask.CriticSteps = None,
    pack: ask.Pack = None,
    critics: ask.Critics = None,
    critic_vote: ask.CriticVote = None,
    minibatch_discrimination: ask.MinibatchDiscrimination = None,
    spectral_norm: ask.SpectralNorm = None,
    dropout: ask.Dropout = None,
    instance_noise: ask.InstanceNoise = None,
    feature_matching: ask.FeatureMatching = None,
    target: ask.FitTarget = None,
    target_weight: ask.TargetWeight = None,
    refine: ask.Refine = None,
    settings: ask.Settings = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Learn the table DATA and write a model."""
    from synthgan.bundle import MODEL_SUFFIX
    from synthgan.cli.info import training_line

    _check_inputs(data, schema)
    model_file = output or Path(f"{data.resolve().stem}{MODEL_SUFFIX}")
    _check_output(model_file, data, schema, force=force, suffixes=(MODEL_SUFFIX,))
    given = {**context.params, "schema": _overrides(schema)}
    others = read_settings(settings or [])
    with reporting(quiet=quiet, verbose=verbose, output=model_file):
        estimator = _estimator()
        level = 0 if quiet else 2 if verbose else 1
        parameters = {**merge_parameters(estimator, given, others), "verbose": level}
        model = estimator(**parameters)
        model.fit(data)
        model.save(model_file, force=force)
        _report(quiet, training_line(model.describe()))
        _report(quiet, f"wrote {model_file}")


@app.command()
def sample(
    model: ask.ModelFile,
    output: ask.TableOutput,
    n_samples: ask.RowCount = 1000,
    where: ask.Where = None,
    refine: ask.Refine = None,
    pool_factor: ask.PoolFactor = None,
    random_state: ask.RandomState = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Draw new rows from MODEL and write them."""
    from synthgan.data.files import TABLE_SUFFIXES
    from synthgan.data.output import write_table

    _check_inputs(model)
    _check_output(output, model, force=force, suffixes=TABLE_SUFFIXES)
    check_conditions(where or [])
    with reporting(quiet=quiet, verbose=verbose, output=output):
        fitted = _estimator().load(model)
        given = {"refine": refine, "pool_factor": pool_factor}
        fitted.set_params(**{name: value for name, value in given.items() if value is not None})
        conditions = read_conditions(where or [], fitted.schema_) or None
        rows = fitted.sample(n_samples, where=conditions, random_state=random_state)
        write_table(rows, output, force=force)
        _report(quiet, f"wrote {output}: {_rows(n_samples)}")


@app.command()
def complete(
    model: ask.ModelFile,
    rows: ask.RowsFile,
    output: ask.TableOutput,
    random_state: ask.RandomState = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Fill the missing cells of ROWS, and draw the columns that it lacks."""
    from synthgan.data.files import TABLE_SUFFIXES
    from synthgan.data.output import write_table

    _check_inputs(model, rows)
    _check_output(output, model, rows, force=force, suffixes=TABLE_SUFFIXES)
    with reporting(quiet=quiet, verbose=verbose, output=output):
        completed = _estimator().load(model).complete(rows, random_state=random_state)
        write_table(completed, output, force=force)
        _report(quiet, f"wrote {output}: {_rows(len(completed))}")


app.command()(augment)


@app.command()
def report(
    real: ask.RealFile,
    synthetic: ask.SyntheticFile,
    output: ask.ReportOutput = None,
    as_json: ask.Json = False,
    holdout: ask.HoldoutFile = None,
    target: ask.Target = None,
    schema: ask.SchemaFile = None,
    model: ask.Maker = None,
    random_state: ask.RandomState = None,
    max_rows: ask.MostRows = None,
    fail_under: ask.FailUnder = None,
    fail_over: ask.FailOver = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Judge SYNTHETIC by REAL: how alike they are, how useful it is, and how risky."""
    from synthgan.cli.report import (
        REPORT_SUFFIXES,
        missed_bars,
        print_evaluation,
        read_bars,
        write_report,
    )

    inputs = (real, synthetic, holdout, schema, model)
    _check_inputs(*inputs)
    if output is not None:
        _check_output(output, *inputs, force=force, suffixes=REPORT_SUFFIXES)
    needed = {"--holdout": holdout, "--target": target}
    bars = read_bars(fail_under or [], fail_over or [], needed)
    given = {"random_state": random_state, "max_rows": max_rows}
    with reporting(quiet=quiet, verbose=verbose, output=output):
        evaluation = _evaluate()(
            real,
            synthetic,
            holdout=holdout,
            target=target,
            schema=_overrides(schema),
            provenance=None if model is None else _estimator().load(model).provenance(),
            **{name: value for name, value in given.items() if value is not None},
        )
        if output is not None:
            write_report(evaluation, output, force=force)
            _report(quiet, f"wrote {output}")
        with printing():
            print_evaluation(evaluation, as_json=as_json)
        missed = missed_bars(evaluation, bars)
        for _, line in missed:
            say(f"error: {line}")
        if missed:
            raise typer.Exit(missed[0][0])


@app.command()
def info(
    path: ask.ModelOrData,
    as_json: ask.Json = False,
    schema: ask.SchemaFile = None,
    rare_threshold: ask.RareThreshold = None,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Show how each column is understood and why, what is hidden, how a model was trained."""
    from synthgan.cli.info import describe_data, print_description

    _check_inputs(path, schema)
    with reporting(quiet=quiet, verbose=verbose):
        if not _is_model(path):
            found = describe_data(path, _overrides(schema), rare_threshold)
        elif schema is None and rare_threshold is None:
            found = _estimator().load(path).describe()
        else:
            raise ParameterError(
                "--schema and --rare-threshold are for a table; a model has its own"
            )
        with printing():
            print_description({"file": str(path), **found}, as_json=as_json)


imputing.register(app)


def _estimator() -> type[SynthGAN]:
    from synthgan import SynthGAN

    return SynthGAN


def _evaluate() -> Callable[..., Evaluation]:
    from synthgan import evaluate

    return evaluate


def _overrides(schema: Path | None) -> dict[str, Any] | None:
    from synthgan.data.overrides import read_overrides

    return None if schema is None else read_overrides(schema)


def _check_inputs(*paths: Path | None) -> None:
    missing = [str(path) for path in paths if path is not None and not path.exists()]
    if missing:
        raise InputNotFoundError(f"no such file or folder: {', '.join(missing)}")


def _check_output(output: Path, *inputs: Path | None, force: bool, suffixes: Sequence[str]) -> None:
    """Check that an output can be written, and that nothing that is read would be lost by it."""
    from synthgan.data.output import check_output

    if any(given is not None and _holds(given, output) for given in inputs):
        raise OutputError(
            f"output {str(output)!r} is one of the inputs, or a part of it; choose another name"
        )
    check_output(output, force=force, suffixes=suffixes)


def _holds(given: Path, output: Path) -> bool:
    """Whether an input is the file to be written, or a folder of tables with that file in it."""
    from synthgan.data.files import TABLE_SUFFIXES

    if not output.is_file():
        return False
    if given.is_dir():
        is_table = output.suffix.lower() in TABLE_SUFFIXES
        return is_table and given.resolve() in output.resolve().parents
    return output.samefile(given)


def _is_model(path: Path) -> bool:
    """Any suffix that no table has is taken for a model, whose own check then speaks."""
    from synthgan.bundle import MODEL_SUFFIX

    return path.is_file() and path.suffix.lower() == MODEL_SUFFIX


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _report(quiet: bool, message: str) -> None:
    if not quiet:
        say(message)
