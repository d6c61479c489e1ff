"""The command line: ``synthgan fit``, ``sample``, ``complete``, ``report``, ``info`` and others.

Nothing heavy is imported at the top: ``--help`` and ``--version`` answer at once, and wrong paths
and words are refused before torch is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthgan.cli import options as ask
from synthgan.cli.augment import augment
from synthgan.cli.conditions import check_conditions, read_conditions
from synthgan.cli.exits import Commands, in_words, printing, reporting, say, tell
from synthgan.cli.imputing import clean, impute
from synthgan.cli.parameters import merge_parameters, read_budget, read_settings
from synthgan.cli.paths import check_inputs, check_output, is_model, read_schema
from synthgan.cli.score import score
from synthgan.errors import ParameterError

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
    epsilon: ask.Epsilon = None,
    delta: ask.Delta = None,
    unit: ask.Unit = None,
    rows_per_unit: ask.RowsPerUnit = None,
    public_rows: ask.PublicRows = None,
    settings: ask.Settings = None,
    force: ask.Force = False,
    quiet: ask.Quiet = False,
    verbose: ask.Verbose = False,
    debug: ask.Debug = False,
) -> None:
    """Learn the table DATA and write a model."""
    from synthgan.bundle import MODEL_SUFFIX
    from synthgan.cli.info import privacy_line, training_line

    check_inputs(data, schema)
    model_file = output or Path(f"{data.resolve().stem}{MODEL_SUFFIX}")
    check_output(model_file, data, schema, force=force, suffixes=(MODEL_SUFFIX,))
    budget = read_budget(context.params)
    given = {**context.params, "schema": read_schema(schema), "privacy": budget}
    others = read_settings(settings or [])
    with reporting(quiet=quiet, verbose=verbose, output=model_file):
        estimator = _estimator()
        level = 0 if quiet else 2 if verbose else 1
        parameters = {**merge_parameters(estimator, given, others), "verbose": level}
        model = estimator(**parameters)
        model.fit(data)
        model.save(model_file, force=force)
        known = model.describe()
        tell(quiet, training_line(known))
        if "privacy" in known:
            tell(quiet, privacy_line(known["privacy"]))
        tell(quiet, f"wrote {model_file}")


@app.command()
def sample(
    model: ask.ModelFile,
    output: ask.TableOutput,
    n_samples: ask.RowCount = 1000,
    where: ask.Where = None,
    avoid: ask.Avoid = None,
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

    check_inputs(model, avoid)
    check_output(output, model, avoid, force=force, suffixes=TABLE_SUFFIXES)
    check_conditions(where or [])
    with reporting(quiet=quiet, verbose=verbose, output=output):
        fitted = _estimator().load(model)
        given = {"refine": refine, "pool_factor": pool_factor}
        fitted.set_params(**{name: value for name, value in given.items() if value is not None})
        conditions = read_conditions(where or [], fitted.schema_) or None
        rows = fitted.sample(n_samples, where=conditions, avoid=avoid, random_state=random_state)
        write_table(rows, output, force=force)
        tell(quiet, f"wrote {output}: {in_words(n_samples)}")


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

    check_inputs(model, rows)
    check_output(output, model, rows, force=force, suffixes=TABLE_SUFFIXES)
    with reporting(quiet=quiet, verbose=verbose, output=output):
        completed = _estimator().load(model).complete(rows, random_state=random_state)
        write_table(completed, output, force=force)
        tell(quiet, f"wrote {output}: {in_words(len(completed))}")


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
    privacy: ask.PrivacyAudit = False,
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
        audited,
        missed_bars,
        print_evaluation,
        print_privacy,
        read_bars,
        write_report,
    )

    inputs = (real, synthetic, holdout, schema, model)
    check_inputs(*inputs)
    if output is not None:
        check_output(output, *inputs, force=force, suffixes=REPORT_SUFFIXES)
    needed = {"--holdout": holdout, "--target": target}
    bars = read_bars(fail_under or [], fail_over or [], needed)
    if privacy and model is None:
        raise ParameterError("--privacy: expected --model with a privacy budget, found no model")
    given = {"random_state": random_state, "max_rows": max_rows}
    with reporting(quiet=quiet, verbose=verbose, output=output):
        maker = None
        if model is not None:
            made = _estimator().load(model)
            maker = audited(made, real, random_state) if privacy else made.provenance()
        evaluation = _evaluate()(
            real,
            synthetic,
            holdout=holdout,
            target=target,
            schema=read_schema(schema),
            provenance=maker,
            **{name: value for name, value in given.items() if value is not None},
        )
        if output is not None:
            write_report(evaluation, output, force=force)
            tell(quiet, f"wrote {output}")
        with printing():
            print_evaluation(evaluation, as_json=as_json)
        missed = missed_bars(evaluation, bars)
        if maker is not None and "ledger" in maker:
            missed += print_privacy(maker, as_json or quiet)
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

    check_inputs(path, schema)
    with reporting(quiet=quiet, verbose=verbose):
        if not is_model(path):
            found = describe_data(path, read_schema(schema), rare_threshold)
        elif schema is None and rare_threshold is None:
            found = _estimator().load(path).describe()
        else:
            raise ParameterError(
                "--schema and --rare-threshold are for a table; a model has its own"
            )
        with printing():
            print_description({"file": str(path), **found}, as_json=as_json)


for command in (augment, impute, clean, score):
    app.command()(command)


def _estimator() -> type[SynthGAN]:
    from synthgan import SynthGAN

    return SynthGAN


def _evaluate() -> Callable[..., Evaluation]:
    from synthgan import evaluate

    return evaluate
