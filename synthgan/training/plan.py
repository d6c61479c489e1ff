"""The plan of a fit: every size and rate, with "auto" settled from the table's own size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from synthgan.data.layout import Layout
from synthgan.nets.objectives import OBJECTIVES, Objective

# what "auto" is, where no budget asks for another game
USUAL = "relativistic"
# bins by which a critic sees a scalar
SCALAR_BINS = 16
# columns from which on a zero-centred penalty has its full weight
MANY_COLUMNS = 15
# what binds in tables of less than some 5,000 rows: steps by a power of the rows, and no fewer than
FEW_ROWS_STEPS, FEW_ROWS_POWER, LEAST_STEPS = 4.2, 0.8, 300.0
# steps at most, and with the root of the rows: fewer on a processor, which takes 50 times as long
# for a step as a GPU, and where refining makes up for most of what more of them would bring
MOST_STEPS, STEPS, STEPS_BY_ROOT = 15_000, 600.0, 45.0
CPU_STEPS, CPU_STEPS_BY_ROOT = 1_000.0, 10.0
Auto = Literal["auto"]
_AS_GIVEN = (
    "critics",
    "critic_vote",
    "minibatch_discrimination",
    "spectral_norm",
    "dropout",
    "instance_noise",
    "feature_matching",
    "target",
    "target_weight",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user asked for; "auto" follows the table.

    Parameters
    ----------
    objective : str
        A name in `OBJECTIVES`, or "auto".
    epochs : int or "auto"
        Passes over the rows; "auto" ends on a plateau of quality.
    batch_size : int or "auto"
        Rows in a step.
    learning_rate, penalty : float or "auto"
        Adam's rate, and the weight of the gradient penalty.
    width, depth, latent_size : int or "auto"
        The generator's residual width and blocks, and its latent length; the critic is once or
        twice as wide, as the objective has it.
    precision : {"auto", "float32", "bfloat16"}
        Number type of the hidden layers; "auto" takes bfloat16 where the hardware multiplies it.
    critic_steps, pack : int or "auto"
        Moves of a critic for each of the generator, and rows that it judges together; "auto" leaves
        both to the objective.
    critics : int
        Number of critics.
    critic_vote : {"mean", "hardest"}
        Which of them the generator answers to.
    minibatch_discrimination, spectral_norm : bool
        Whether critics see how far a batch is spread, and have layers of spectral norm 1.
    dropout : float
        Share of the critics' hidden units that are silenced.
    instance_noise : float
        Standard deviation of the noise on rows that critics see, falling to 0.
    feature_matching : float
        Weight of the gap between the critics' features of real and of fake rows.
    target : str or None
        A column that the others should tell as well in fake rows as in real ones.
    target_weight : float
        Weight of that.
    """

    objective: str = "auto"
    epochs: int | Auto = "auto"
    batch_size: int | Auto = "auto"
    learning_rate: float | Auto = "auto"
    penalty: float | Auto = "auto"
    width: int | Auto = "auto"
    depth: int | Auto = "auto"
    latent_size: int | Auto = "auto"
    precision: str = "auto"
    critic_steps: int | Auto = "auto"
    pack: int | Auto = "auto"
    critics: int = 1
    critic_vote: str = "mean"
    minibatch_discrimination: bool = False
    spectral_norm: bool = False
    dropout: float = 0.0
    instance_noise: float = 0.0
    feature_matching: float = 0.0
    target: str | None = None
    target_weight: float = 1.0

    def resolve(self, rows: int, layout: Layout, device: str = "cpu") -> ResolvedPlan:
        """Settle every "auto" for a table of `rows` rows and this layout."""
        name = USUAL if self.objective == "auto" else self.objective
        objective = OBJECTIVES[name]
        batch = 500 if self.batch_size == "auto" else self.batch_size
        pack = int(_or(self.pack, objective.pack))
        batch = _whole_packs(min(batch, rows), pack)
        steps_per_epoch = max(1, rows // batch)
        plateau = self.epochs == "auto"
        steps = _auto_steps(rows, device)
        if self.epochs != "auto":
            steps = self.epochs * steps_per_epoch
        precision = native_precision(device) if self.precision == "auto" else self.precision
        width = int(_or(self.width, 128 if layout.width <= 400 else 192))
        return ResolvedPlan(
            objective=name,
            steps=steps,
            stop_on_plateau=plateau,
            batch_size=batch,
            steps_per_epoch=steps_per_epoch,
            learning_rate=_or(self.learning_rate, objective.learning_rate),
            penalty=_or(self.penalty, _auto_penalty(objective, layout)),
            width=width,
            critic_width=width * objective.critic_widths,
            depth=int(_or(self.depth, 3)),
            latent_size=int(_or(self.latent_size, 128)),
            precision=precision,
            critic_steps=int(_or(self.critic_steps, objective.critic_steps)),
            pack=pack,
            **{name: getattr(self, name) for name in _AS_GIVEN},
            scalar_bins=SCALAR_BINS,
        )


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A plan with nothing left open; it goes into the model file.

    Files of earlier versions lack the options that have defaults here.
    """

    objective: str
    steps: int
    stop_on_plateau: bool
    batch_size: int
    steps_per_epoch: int
    learning_rate: float
    penalty: float
    width: int
    critic_width: int
    depth: int
    latent_size: int
    precision: str
    critic_steps: int = 1
    pack: int = 1
    critics: int = 1
    critic_vote: str = "mean"
    minibatch_discrimination: bool = False
    spectral_norm: bool = False
    dropout: float = 0.0
    instance_noise: float = 0.0
    feature_matching: float = 0.0
    target: str | None = None
    target_weight: float = 1.0
    scalar_bins: int = 0

    @property
    def game(self) -> Objective:
        """The objective itself."""
        return OBJECTIVES[self.objective]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and words."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ResolvedPlan:
        """The reverse of `to_dict`, for files of earlier versions too."""
        settled = {"critic_width": 2 * values["width"]}
        if (objective := OBJECTIVES.get(values["objective"])) is not None:
            settled |= {"critic_steps": objective.critic_steps, "pack": objective.pack}
        return cls(**{**settled, **values})


def native_precision(device: str) -> str:
    """The number type for hidden layers: bfloat16 where the device multiplies it natively."""
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if device != "cpu":
        return "float32"
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16")
    return "bfloat16" if fast else "float32"


def _auto_steps(rows: int, device: str = "cpu") -> int:
    """Steps at most; few rows a critic would know by heart long before it has played as many.

    Examples
    --------
    >>> [_auto_steps(rows) for rows in (50, 400, 2_000, 5_000, 30_000)]
    [300, 506, 1447, 1707, 2732]
    >>> _auto_steps(30_000, "cuda")
    8394
    """
    few = max(LEAST_STEPS, FEW_ROWS_STEPS * rows**FEW_ROWS_POWER)
    base, slope = (CPU_STEPS, CPU_STEPS_BY_ROOT) if device == "cpu" else (STEPS, STEPS_BY_ROOT)
    return int(min(MOST_STEPS, base + slope * math.sqrt(rows), few))


def _auto_penalty(objective: Objective, layout: Layout) -> float:
    """The objective's own weight; where slopes are held to 0, less for tables of few columns.

    Rows of few columns lie close together, and a critic must be steep to tell them apart.
    """
    if objective.penalty_at != "ends":
        return objective.penalty_weight
    columns = len({span.column for span in layout.spans})
    return objective.penalty_weight * min(1.0, (columns / MANY_COLUMNS) ** 2)


def _whole_packs(batch: int, pack: int) -> int:
    return max(pack, batch - batch % pack)


def _or(value: float | Auto, default: float) -> float:
    return default if value == "auto" else float(value)
