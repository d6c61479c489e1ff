"""Options against copies that prove nothing: a filter, and an end to training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from synthgan import SynthGAN
from synthgan.cli import app
from synthgan.errors import ParameterError, SynthganWarning, TableError
from synthgan.estimators.avoiding import CopyFilter
from synthgan.training.check import Check
from synthgan.training.schedule import Budget
from synthgan.training.trainer import EARLY_CHECKS, Trainer

SOON: dict[str, Any] = {"epochs": 2, "batch_size": 50, "width": 16, "verbose": 0, "random_state": 0}


def frame(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "y": random.normal(size=rows),
            "k": random.choice(["a", "b"], rows),
        }
    )


def test_a_filter_refuses_copies_of_single_rows_and_no_others() -> None:
    real = pa.Table.from_pandas(frame(), preserve_index=False)
    fresh = pa.Table.from_pandas(frame(900)[400:], preserve_index=False)
    copies = CopyFilter(real)
    assert copies.is_copy(real).all()
    assert copies.is_copy(fresh).mean() < 0.2
    # what many rows have is nobody's
    twins = pa.table({"k": ["a"] * 50 + ["b"] * 50})
    assert not CopyFilter(twins).is_copy(twins).any()
    assert CopyFilter(real).is_copy(real.slice(0, 0)).shape == (0,)


def test_samples_keep_away_from_rows_as_asked(tmp_path: Path) -> None:
    table = frame()
    model = SynthGAN(rare_threshold=1, **SOON).fit(table)
    real = pa.Table.from_pandas(table, preserve_index=False)
    sample = model.sample(600, avoid=table, where={"k": "a"}, random_state=1)
    assert len(sample) == 600 and set(sample["k"]) == {"a"}
    drawn = pa.Table.from_pandas(sample, preserve_index=False)
    assert not CopyFilter(real).is_copy(drawn).any()
    again = model.sample(600, avoid=table, where={"k": "a"}, random_state=1)
    pd.testing.assert_frame_equal(sample, again)
    with pytest.raises(TableError):
        model.sample(5, avoid=table.drop(columns="k"))
    table.to_parquet(tmp_path / "t.parquet")
    model.save(tmp_path / "m.synthgan")
    told = CliRunner().invoke(
        app,
        ["sample", str(tmp_path / "m.synthgan"), "-n", "50", "-o", str(tmp_path / "s.csv"),
         "--avoid", str(tmp_path / "t.parquet")],
    )  # fmt: skip
    assert told.exit_code == 0, told.output


def test_a_filter_that_leaves_nothing_says_so() -> None:
    real = pa.Table.from_pandas(frame(), preserve_index=False)
    with pytest.warns(SynthganWarning, match=r"7 of 7 rows are copies"):
        found = CopyFilter(real).draw(7, lambda rows, turn: real.slice(turn, rows))
    assert found.num_rows == 7


class Still:
    """A game that goes nowhere."""

    def step(self, learning_rate: float, progress: float) -> dict[str, Any]:
        return {}

    def snapshot(self) -> dict[str, Any]:
        return {"taken": True}

    def restore(self, state: dict[str, Any]) -> None:
        self.restored = state

    def broken_column(self) -> None: ...

    def calm(self) -> None: ...

    def balance(self, losses: Any) -> None: ...


def test_training_ends_where_an_attack_tells_too_much() -> None:
    told = iter([0.5, 0.51, 0.6])
    qualities = iter([-0.5, -0.4, -0.1])
    trainer = Trainer(
        Still(),
        Budget(2_000, None),
        peak_rate=1e-3,
        rows_per_step=1,
        steps_per_epoch=1,
        quality=lambda: Check(next(qualities), membership=next(told)),
        stop_on_plateau=False,
        most_membership=0.55,
    )
    assert trainer.run() == "membership"
    assert trainer.step == EARLY_CHECKS[1]
    # the better state that told too much was not kept
    assert trainer.kept.quality == -0.4


def test_a_limit_on_membership_needs_rows_held_out() -> None:
    with pytest.raises(ParameterError, match=r"holdout=0\.1"):
        SynthGAN(membership_limit=0.6, **SOON).fit(frame())
    with pytest.raises(ParameterError, match="membership_limit"):
        SynthGAN(membership_limit=0.3, **SOON).fit(frame())
    model = SynthGAN(membership_limit=0.5, holdout=0.3, **{**SOON, "epochs": 40}).fit(frame(600))
    assert model.stopped_ in ("membership", "epochs")
