"""One training step on Adult: its time, and that of its matrix products alone.

    python benchmarks/step.py [TABLE] [--device cuda] [--precision float32] [--threads 1]

The products of one step are recorded with their shapes, strides and types, and then run again on
random numbers, nothing else between them. Times are those of the host, which on a GPU waits for the
device after every few steps; there the products are replayed as one CUDA graph, since single
launches would hide them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from synthgan.data.codec import TableCodec
from synthgan.data.source import open_source
from synthgan.nets.objectives import OBJECTIVES
from synthgan.training.games import TableGame
from synthgan.training.plan import Plan

TABLE = Path(__file__).parent.parent / "examples" / "data" / "adult.parquet"
RATE, REPEATS, STEPS = 1e-4, 15, 20
ATEN = torch.ops.aten
PRODUCTS = (ATEN.mm.default, ATEN.addmm.default, ATEN.bmm.default)
Product = Callable[[], torch.Tensor]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps every matrix product that runs under it, ready to run again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: list[Product] = []
        self.operations = 0
        self.flops = 0.0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.operations += 1
        if func in PRODUCTS:
            factors = args[-2:]
            like = [random_like(factor) for factor in factors]
            self.products.append(lambda: torch.matmul(*like))
            self.flops += 2.0 * factors[0].numel() * factors[1].shape[-1]
        return func(*args, **(kwargs or {}))


def random_like(tensor: torch.Tensor) -> torch.Tensor:
    """Random numbers laid out in memory as a tensor is, which decides what a product costs."""
    out = torch.empty_strided(
        tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device
    )
    return out.copy_(torch.randn(tensor.shape, device=tensor.device))


def build_game(path: Path, plan: Plan, device: str) -> TableGame:
    source = open_source(pd.read_parquet(path))
    codec = TableCodec.fit(source.chunks()).relate(source.chunks())
    matrix = codec.encode(source.chunks(), np.random.default_rng(0))
    resolved = plan.resolve(matrix.rows, codec.layout, device)
    print(f"{path.stem}: {matrix.rows:,} rows, rows of {codec.layout.width} numbers, {resolved}")
    return TableGame(matrix, codec.layout, resolved, 0, device)


def milliseconds(work: Callable[[], Any], device: str) -> float:
    """Median time of one call."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(STEPS):
            work()
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start) / STEPS)
    return statistics.median(times)


def all_products(products: list[Product], device: str) -> Callable[[], None]:
    def work() -> None:
        for product in products:
            product()

    if device == "cpu":
        return work
    work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", nargs="?", type=Path, default=TABLE)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--objective", default="relativistic", choices=OBJECTIVES)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--profile", action="store_true", help="print what takes the time")
    told = parser.parse_args()
    if told.threads:
        torch.set_num_threads(told.threads)
    plan = Plan(objective=told.objective, precision=told.precision)
    game = build_game(told.table, plan, told.device)
    recorder = Recorder()
    # the first step: later ones a GPU replays unseen
    with recorder:
        game.step(RATE)
    for _ in range(STEPS):
        game.step(RATE)
    step = milliseconds(lambda: game.step(RATE), told.device)
    with torch.no_grad():
        alone = milliseconds(all_products(recorder.products, told.device), told.device)
    print(
        f"{told.device}, {torch.get_num_threads()} threads: step {step:.2f} ms, its "
        f"{len(recorder.products)} products alone {alone:.2f} ms "
        f"({recorder.flops / alone / 1e6:.0f} GFLOP/s), ratio {step / alone:.2f}; "
        f"{recorder.operations} operations"
    )
    if told.profile:
        profile(game, told.device)


def profile(game: TableGame, device: str) -> None:
    from torch.profiler import ProfilerActivity

    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device != "cpu" else [])]
    with torch.profiler.profile(activities=activities) as found:
        for _ in range(STEPS):
            game.step(RATE)
    order = "self_cpu_time_total" if device == "cpu" else "self_cuda_time_total"
    print(found.key_averages().table(sort_by=order, row_limit=25, max_name_column_width=50))


if __name__ == "__main__":
    main()
