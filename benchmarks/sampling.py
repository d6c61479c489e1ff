"""Rows a second that a fitted model draws, as drawn and refined, and where the time goes.

    python benchmarks/sampling.py [MODEL.synthgan | TABLE.parquet] [--rows 100000] [--threads 1 2]

A table is fitted first (`--epochs`), and `--keep` keeps that model for the next run. Rows a second
are those of the clock; on a machine that does other work too, the processor's own microseconds for
a row say more: those of all threads together, and by phase, each without the phases inside it.
What refining costs is the number of trees: a generator that was trained for longer leaves them less
to do, so compare runs of one model only. The first call of each kind is not counted.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from synthgan import SynthGAN

TABLE = Path(__file__).parent.parent / "examples" / "data" / "adult.parquet"
SMALL, SMALL_CALLS = (1, 100, 1_000), 5
# what is timed, by the phase that it belongs to: module, owner inside it or "", function
PHASES = {
    "noise": [("synthgan.nets.noise", "Noise", "latent")],
    "network": [("synthgan.nets.mlp", "MLPGenerator", "raw")],
    "options": [
        ("synthgan.sampling", "Sampler", "_drawn"),
        ("synthgan.sampling", "Sampler", "to_matrix"),
    ],
    "joining the pool": [("synthgan.sampling", "Sampler", "pool")],
    "features": [("synthgan.data.features", "Features", "of")],
    "weighing": [("synthgan.density_ratio.weighing", "LearnedRatio", "weights")],
    "raking": [("synthgan.raking", "Rake", "log_weights")],
    "selection": [("synthgan.refinement.refiner", "", "select")],
    "redrawing": [("synthgan.refinement.refiner", "Refiner", "redraw")],
    "refining, the rest": [("synthgan.refinement.refiner", "Refiner", "refine")],
    "mending": [("synthgan.data.codec", "", "mend_rows")],
    "decoding": [("synthgan.data.codec", "TableCodec", "decode")],
    "joining blocks": [("synthgan.estimators.model", "", "_joined")],
    "frame": [("synthgan.data.home", "Home", "restore")],
}


class Watch:
    """Processor time of functions, each without those of the others that it calls."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inner = threading.local()
        self._lock = threading.Lock()
        for phase, places in PHASES.items():
            for module, owner, name in places:
                home: Any = importlib.import_module(module)
                home = getattr(home, owner) if owner else home
                setattr(home, name, self._timed(phase, getattr(home, name)))

    def _timed(self, phase: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def timed(*args: Any, **given: Any) -> Any:
            outside = getattr(self._inner, "spent", 0.0)
            self._inner.spent = 0.0
            start = time.thread_time()
            try:
                return work(*args, **given)
            finally:
                took = time.thread_time() - start
                with self._lock:
                    self.spent[phase] += took - self._inner.spent
                self._inner.spent = outside + took

        return timed


def fitted(path: Path, epochs: int, keep: Path | None) -> SynthGAN:
    """The model of a file, or one of the table in it."""
    if path.suffix == ".synthgan":
        return SynthGAN.load(path)
    model = SynthGAN(epochs=epochs, random_state=0, verbose=0).fit(pd.read_parquet(path))
    if keep is not None:
        model.save(keep, force=True)
    return model


def measure(model: SynthGAN, rows: int, watch: Watch) -> None:
    """Print one table: rows a second and microseconds a row, by phase."""
    found = {}
    for refine in (False, True):
        model.set_params(refine=refine)
        model.sample(1_000)
        watch.spent.clear()
        clock, process = time.perf_counter(), time.process_time()
        model.sample(rows)
        clock, process = time.perf_counter() - clock, time.process_time() - process
        found[refine] = clock, process, dict(watch.spent)
    print(f"| {torch.get_num_threads()} threads | as drawn | refined |\n|---|---|---|")
    print(f"| rows/s | {' | '.join(f'{rows / each[0]:,.0f}' for each in found.values())} |")
    micros = [[1e6 * each[1] / rows] for each in found.values()]
    print(f"| processor, us/row | {' | '.join(f'{each[0]:.2f}' for each in micros)} |")
    for phase in PHASES:
        told = [1e6 * each[2].get(phase, 0.0) / rows for each in found.values()]
        if max(told) >= 0.005:
            print(f"| {phase} | {' | '.join(f'{each:.2f}' for each in told)} |")


def measure_small(model: SynthGAN) -> None:
    """Print the milliseconds of samples of few rows."""
    print("\n| rows | as drawn, ms | refined, ms |\n|---|---|---|")
    for rows in SMALL:
        told = []
        for refine in (False, True):
            model.set_params(refine=refine)
            times = []
            for _ in range(SMALL_CALLS):
                start = time.process_time()
                model.sample(rows)
                times.append(1e3 * (time.process_time() - start))
            told.append(statistics.median(times))
        print(f"| {rows:,} | {told[0]:.1f} | {told[1]:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", nargs="?", type=Path, default=TABLE)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--threads", type=int, nargs="+", default=[torch.get_num_threads()])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="write the fitted model there")
    told = parser.parse_args()
    model = fitted(told.source, told.epochs, told.keep)
    about = model.refinement_
    print(f"{told.source.name}: {about.trees:,} trees, effective sample {about.effective:.0%}\n")
    watch = Watch()
    for threads in told.threads:
        torch.set_num_threads(threads)
        measure(model, told.rows, watch)
    measure_small(model)


if __name__ == "__main__":
    main()
