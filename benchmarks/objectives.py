"""Every objective on two tables: a piece of Adult, and a grid of 25 Gaussians.

    python benchmarks/objectives.py [NAME ...] [--steps 1500] [--grid-steps 1000] [--seed 0]
        [--turn DEGREES] [--set NAME=VALUE ...]

Adult: 4,000 rows at random, as many drawn; shape and trend error against them. Grid: 5,000 points
around a 5 x 5 grid of spacing 1, standard deviation 0.05, as many drawn; a mode counts if at least
a quarter of its fair share lies within three standard deviations of it. The codec spreads each
column evenly, so that the modes of an upright grid touch each other in the networks' eyes; turned
by 30 degrees they stay apart, which is much harder. Fits have the objective's own settings, and of
the rest those of `--set`; samples are as drawn, not refined. Steps are moves of the generator; CPU
seconds are of the whole fit. Prints one row of a table for each objective.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthgan import SynthGAN
from synthgan.cli.parameters import read_settings
from synthgan.evaluation.fidelity import fidelity
from synthgan.nets.objectives import OBJECTIVES

TABLE = Path(__file__).parent.parent / "examples" / "data" / "adult.parquet"
ADULT_ROWS, GRID_ROWS, BATCH, HELD = 4_000, 5_000, 500, 0.1
SIDE, SPREAD = 5, 0.05
HEADER = "| objective | shape | trend | CPU s | modes of 25 | points near one | CPU s |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(OBJECTIVES))
    parser.add_argument("--steps", type=int, default=1_500, help="of Adult; 0 leaves it out")
    parser.add_argument("--grid-steps", type=int, default=1_000, help="0 leaves the grid out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--turn", type=float, default=0.0, help="degrees by which the grid is turned"
    )
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    told = parser.parse_args()
    settings = read_settings(told.set)
    print(
        f"{torch.get_num_threads()} threads, seed {told.seed}, {settings}\n{HEADER}\n{'|---' * 7}|"
    )
    for name in told.names or OBJECTIVES:
        asked = {"objective": name, **settings}
        adult = on_adult(told.table, asked, told.steps, told.seed) if told.steps else ["-"] * 3
        turned = (asked, told.grid_steps, told.seed, told.turn)
        grid = on_grid(*turned) if told.grid_steps else ["-"] * 3
        print(f"| {' | '.join([name, *adult, *grid])} |", flush=True)


def on_adult(path: Path, asked: dict[str, Any], steps: int, seed: int) -> list[str]:
    real = pd.read_parquet(path).sample(ADULT_ROWS, random_state=seed).reset_index(drop=True)
    drawn, seconds = fit_and_draw(real, asked, steps, seed)
    found = fidelity(real, drawn)
    return [f"{100 * found.shape_error:.2f} %", f"{100 * found.trend_error:.2f} %", seconds]


def on_grid(asked: dict[str, Any], steps: int, seed: int, degrees: float) -> list[str]:
    points = grid_points(GRID_ROWS, np.random.default_rng(seed))
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    drawn, seconds = fit_and_draw(
        pd.DataFrame(points @ turn, columns=["x", "y"]), asked, steps, seed
    )
    modes, near = modes_met(drawn.to_numpy() @ turn.T)
    return [str(modes), f"{100 * near:.0f} %", seconds]


def fit_and_draw(
    real: pd.DataFrame, asked: dict[str, Any], steps: int, seed: int
) -> tuple[pd.DataFrame, str]:
    """As many rows as the real table has, and the CPU seconds of the fit."""
    epochs = max(1, round(steps / (len(real) * (1 - HELD) // BATCH)))
    model = SynthGAN(
        **{"epochs": epochs, "random_state": seed, "verbose": 0, "refine": False, **asked}
    )
    started = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(real)
    told = f" ({len(caught)} warnings)" if caught else ""
    return model.sample(len(real)), f"{time.process_time() - started:.0f}{told}"


def grid_points(rows: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points of shape (rows, 2) around a grid, each mode alike."""
    modes = rng.integers(0, SIDE, (rows, 2))
    return modes + rng.normal(0.0, SPREAD, (rows, 2))


def modes_met(points: NDArray[np.float64]) -> tuple[int, float]:
    """How many modes have at least a quarter of their share, and the share of points near one."""
    modes = np.clip(np.rint(points), 0, SIDE - 1)
    near = np.linalg.norm(points - modes, axis=1) <= 3 * SPREAD
    place = (modes[near] @ [SIDE, 1]).astype(int)
    counts = np.bincount(place, minlength=SIDE**2)
    return int((counts >= len(points) / SIDE**2 / 4).sum()), float(near.mean())


if __name__ == "__main__":
    main()
