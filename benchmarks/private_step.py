"""What privacy costs a critic's move: seconds for each real row, beside the same move without.

    OMP_NUM_THREADS=1 python benchmarks/private_step.py --data DIR

Adult, objective hinge, layers of spectral norm 1, the same networks and as many generated rows as
real ones on both sides. Without privacy: scores, loss, backward, Adam. With it: a Poisson draw, the
clipped slopes of each row, noise from the operating system, Adam. The moves take turns, so that
another load on the machine meets both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synthgan.data.codec import TableCodec
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.source import open_source
from synthgan.privacy.accounting import Entry
from synthgan.privacy.budget import Privacy
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import Noise
from synthgan.privacy.units import Units
from synthgan.training import Plan
from synthgan.training.private.noisy_critic import MOVES, NoisyCritic
from synthgan.training.private.plan import DRAWN, plan_training, resolve

TURNS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    table = open_source(options.data / "adult_train.parquet").table()
    codec = TableCodec.fit([table])
    matrix = codec.encode([table], np.random.default_rng(0))
    game = noisy_critic(codec, matrix, options.turns + 5)
    rows = round(DRAWN * matrix.rows)
    fake = game.rows[torch.randint(0, matrix.rows, (rows,))]
    moves: dict[str, Callable[[], object]] = {
        "without privacy": lambda: plain_move(game, rows, fake),
        "with privacy": lambda: game.move(fake, 1e-3),
    }
    seconds: dict[str, list[float]] = {name: [] for name in moves}
    for _ in range(options.turns):
        for name, move in moves.items():
            started = time.process_time()
            move()
            seconds[name].append(time.process_time() - started)
    found = {name: 1e6 * statistics.median(each) / rows for name, each in seconds.items()}
    for name, each in found.items():
        print(f"{name}: {each:.1f} CPU microseconds for each real row, {rows:,} rows a move")
    print(f"times as long: {found['with privacy'] / found['without privacy']:.2f}")


def noisy_critic(codec: TableCodec, matrix: EncodedMatrix, moves: int) -> NoisyCritic:
    plan = resolve(Plan("hinge"), matrix.rows, codec.layout, plan_training(Plan("hinge")))
    ledger = Ledger(Privacy(epsilon=1.0), [Entry(MOVES, 10.0, rate=DRAWN, times=moves)])
    return NoisyCritic(
        matrix,
        codec.layout,
        Units.each_row(matrix.rows),
        plan,
        0,
        rate=DRAWN,
        expected=DRAWN * matrix.rows,
        ledger=ledger,
        noise=Noise(),
        device="cpu",
    )


def plain_move(game: NoisyCritic, rows: int, fake: Tensor) -> None:
    """The same critic's move on as many rows, as anybody would train it."""
    for layer in game._spectral:
        layer.iterate()
    real = game.rows[torch.randint(0, game.rows.rows, (rows,))]
    both = game.features(torch.cat([real, fake]))
    scores = game.critic(both)
    game._rate.fill_(1e-3)
    game._weights.descend(game._game.critic(*scores.chunk(2)))


if __name__ == "__main__":
    main()
