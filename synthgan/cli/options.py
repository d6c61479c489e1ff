"""What each argument and option of the command line is called, takes and says about itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from synthgan.cli.exits import remember_debug, show_version


def whole_number(low: int) -> Callable[[str], int]:
    """Make a reader of whole numbers; unlike typer's own, its refusal says what was found."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if number < low:
            raise typer.BadParameter(f"expected a whole number of at least {low}, found {text!r}")
        return number

    return read


Version = Annotated[
    bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
]

# What is read
DataFile = Annotated[
    Path, typer.Argument(metavar="DATA", help="Parquet, CSV, Arrow or JSON lines; or a folder.")
]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A fitted model (.synthgan).")]
RowsFile = Annotated[
    Path, typer.Argument(metavar="ROWS", help="A table of some of the columns, with gaps.")
]
ModelOrData = Annotated[
    Path, typer.Argument(metavar="MODEL_OR_DATA", help="A model, or a table before it is learned.")
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", metavar="FILE.json", help="Kinds of columns, by column name."),
]
RealFile = Annotated[
    Path, typer.Argument(metavar="REAL", help="The table that was learned; a file or a folder.")
]
SyntheticFile = Annotated[
    Path, typer.Argument(metavar="SYNTHETIC", help="The table made from it, by whatever tool.")
]
HoldoutFile = Annotated[
    Path | None,
    typer.Option("--holdout", metavar="FILE", help="Real rows that nothing has learned from."),
]
Maker = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="MODEL.synthgan", help="Say in the report how SYNTHETIC was made."
    ),
]

# What is written
ModelOutput = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="Model file to write.", show_default="the stem of DATA + .synthgan"
    ),
]
TableOutput = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="Table to write: .parquet, .csv, .arrow, .feather or .jsonl."
    ),
]
ReportOutput = Annotated[
    Path | None, typer.Option("-o", "--output", help="Report to write: .html, or .json.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the output if it exists.")]

# How to learn
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="The game: relativistic, hinge, wgan-gp ...",
    ),
]
Epochs = Annotated[
    str | None,
    typer.Option("--epochs", metavar="N", help="Passes over the table; auto stops at a plateau."),
]
MaxSeconds = Annotated[
    str | None,
    typer.Option("--max-seconds", metavar="SECONDS", help="Time limit of the whole fit."),
]
BatchSize = Annotated[
    str | None, typer.Option("--batch-size", metavar="N", help="Rows in a step; or auto.")
]
Device = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="Where to train: auto, cpu, cuda ...")
]
RareThreshold = Annotated[
    int | None,
    typer.Option(
        "--rare-threshold",
        metavar="N",
        parser=whole_number(1),
        help="Values seen less often are hidden; 1 hides none.",
    ),
]
CriticSteps = Annotated[
    str | None,
    typer.Option("--critic-steps", metavar="N", help="The critic's moves for each of the other."),
]
Pack = Annotated[
    str | None, typer.Option("--pack", metavar="N", help="Rows that the critic judges together.")
]
Critics = Annotated[
    str | None, typer.Option("--critics", metavar="N", help="How many critics play.")
]
CriticVote = Annotated[
    str | None,
    typer.Option("--critic-vote", metavar="NAME", help="Which critics count: mean or hardest."),
]
MinibatchDiscrimination = Annotated[
    bool | None,
    typer.Option("--minibatch-discrimination", help="Let critics see how far a batch is spread."),
]
SpectralNorm = Annotated[
    bool | None,
    typer.Option("--spectral-norm", help="Hold the critic's layers to a spectral norm of 1."),
]
Dropout = Annotated[
    str | None,
    typer.Option("--dropout", metavar="SHARE", help="Share of the critic's units silenced."),
]
InstanceNoise = Annotated[
    str | None,
    typer.Option("--instance-noise", metavar="SIZE", help="Noise on rows, falling to 0."),
]
FeatureMatching = Annotated[
    str | None,
    typer.Option("--feature-matching", metavar="WEIGHT", help="Match what the critic sees."),
]
FitTarget = Annotated[
    str | None,
    typer.Option("--target", metavar="COLUMN", help="A column the others shall tell as in DATA."),
]
TargetWeight = Annotated[
    str | None, typer.Option("--target-weight", metavar="WEIGHT", help="How much that counts.")
]
Refine = Annotated[
    bool | None,
    typer.Option(
        "--refine/--no-refine",
        help="Improve samples by boosted trees, learned with the model.",
        show_default="as the model was fitted; --refine",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter; repeatable."),
]

# How much may be told of the rows
Epsilon = Annotated[
    float | None,
    typer.Option(
        "--epsilon",
        metavar="E",
        help="Learn within a privacy budget: all that the model tells of the rows together.",
    ),
]
Delta = Annotated[
    float | None,
    typer.Option("--delta", metavar="D", help="The chance that the budget leaves out; 1e-6."),
]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        metavar="COLUMN",
        help="Whose the rows are: all rows of one value are protected together.",
    ),
]
RowsPerUnit = Annotated[
    int | None,
    typer.Option(
        "--rows-per-unit",
        metavar="N",
        parser=whole_number(1),
        help="Rows of a unit that are used at most.",
    ),
]
PublicRows = Annotated[
    bool | None,
    typer.Option(
        "--public-rows",
        help="The number of rows is no secret, and need not be bought.",
        show_default=False,
    ),
]

# What to draw
RowCount = Annotated[
    int,
    typer.Option("-n", "--n-samples", metavar="ROWS", parser=whole_number(0), help="Rows to draw."),
]
RandomState = Annotated[
    int | None,
    typer.Option(
        "--random-state",
        metavar="SEED",
        parser=whole_number(0),
        help="The same seed: the same result.",
    ),
]
PoolFactor = Annotated[
    int | None,
    typer.Option(
        "--pool-factor",
        metavar="N",
        parser=whole_number(1),
        help="Rows drawn for each refined row to be chosen from.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="COLUMN=VALUE",
        help="Met by every row; repeatable. A value, low:high, a|b, nothing for a missing value; "
        'text in "double quotes" is taken as it is.',
    ),
]
Avoid = Annotated[
    Path | None,
    typer.Option(
        "--avoid", metavar="REAL", help="Real rows of which no row may be a copy, or nearly one."
    ),
]

# How to judge
Target = Annotated[
    str | None,
    typer.Option("--target", metavar="COLUMN", help="What a model of the table would predict."),
]
PrivacyAudit = Annotated[
    bool,
    typer.Option(
        "--privacy",
        help="Attack the budget of --model: fit it again on REAL with canaries, see who is told.",
    ),
]
MostRows = Annotated[
    int | None,
    typer.Option(
        "--max-rows",
        metavar="N",
        parser=whole_number(2),
        help="Of a longer table this many rows, drawn at random, are judged.",
    ),
]
FailUnder = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under",
        metavar="FIGURE=VALUE",
        help="Exit with 3 if the figure is lower, e.g. utility.auc=0.8; repeatable.",
    ),
]
FailOver = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-over",
        metavar="FIGURE=VALUE",
        help="Exit with 3 if the figure is higher, e.g. detection.boosted_auc=0.7; repeatable.",
    ),
]

# How to speak
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only warnings and errors.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]
Debug = Annotated[
    bool, typer.Option("--debug", callback=remember_debug, help="Show the traceback of an error.")
]
