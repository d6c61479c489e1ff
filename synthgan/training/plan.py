"""The plan of a fit: every size and rate, with "auto" settled from the table's own size."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from synthgan.data.layout import Layout
from synthgan.nets.objectives import OBJECTIVES, Objective

Auto = Literal["auto"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user asked for; "auto" follows the table.

    Parameters
    ----------
    objective : str
        A name in `OBJECTIVES`.
    epochs : int or "auto"
        Passes over the rows; "auto" ends on a plateau of held-out quality.
    batch_size : int or "auto"
        Rows in a step.
    learning_rate, penalty : float or "auto"
        Adam's rate, and the weight of the gradient penalty.
    width, depth, latent_size : int or "auto"
        The generator's residual width and blocks, and its latent length; the critic is twice as
        wide.
    precision : {"auto", "float32", "bfloat16"}
        Number type of the hidden layers; "auto" takes bfloat16 where the hardware multiplies it.
    """

    objective: str = "relativistic"
    epochs: int | Auto = "auto"
    batch_size: int | Auto = "auto"
    learning_rate: float | Auto = "auto"
    penalty: float | Auto = "auto"
    width: int | Auto = "auto"
    depth: int | Auto = "auto"
    latent_size: int | Auto = "auto"
    precision: str = "auto"

    def resolve(self, rows: int, layout: Layout, device: str = "cpu") -> ResolvedPlan:
        """Settle every "auto" for a table of `rows` rows and this layout."""
        objective = OBJECTIVES[self.objective]
        batch = 500 if self.batch_size == "auto" else self.batch_size
        batch = _whole_packs(min(batch, rows), objective.pack)
        steps_per_epoch = max(1, rows // batch)
        plateau = self.epochs == "auto"
        steps = _auto_steps(rows) if self.epochs == "auto" else self.epochs * steps_per_epoch
        precision = native_precision(device) if self.precision == "auto" else self.precision
        return ResolvedPlan(
            objective=self.objective,
            steps=steps,
            stop_on_plateau=plateau,
            batch_size=batch,
            steps_per_epoch=steps_per_epoch,
            learning_rate=_or(self.learning_rate, objective.learning_rate),
            penalty=_or(self.penalty, objective.penalty_weight),
            width=int(_or(self.width, 128 if layout.width <= 400 else 192)),
            depth=int(_or(self.depth, 3)),
            latent_size=int(_or(self.latent_size, 128)),
            precision=precision,
        )


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A plan with nothing left open; it goes into the model file."""

    objective: str
    steps: int
    stop_on_plateau: bool
    batch_size: int
    steps_per_epoch: int
    learning_rate: float
    penalty: float
    width: int
    depth: int
    latent_size: int
    precision: str

    @property
    def game(self) -> Objective:
        """The objective itself."""
        return OBJECTIVES[self.objective]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and words."""
        return asdict(self)


def native_precision(device: str) -> str:
    """The number type for hidden layers: bfloat16 where the device multiplies it natively."""
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if device != "cpu":
        return "float32"
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16")
    return "bfloat16" if fast else "float32"


def _auto_steps(rows: int) -> int:
    return int(min(24_000, 1_000 + 72 * math.sqrt(rows)))


def _whole_packs(batch: int, pack: int) -> int:
    return max(pack, batch - batch % pack)


def _or(value: float | Auto, default: float) -> float:
    return default if value == "auto" else float(value)
