"""The examples run as they stand, on fewer rows and for a few steps."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import synthgan

EXAMPLES = Path(__file__).parent.parent / "examples"


EXAMPLE_NAMES = [
    "quick_start",
    "conditions",
    "schema",
    "report",
    "rare_class",
    "anomaly_report",
    "cleaning",
    "private",
]


@pytest.mark.filterwarnings("ignore:the noise of", "ignore:column .* no value is shared")
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_an_example_runs(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, whole = EXAMPLES / f"{name}.py", synthgan.SynthGAN.fit

    def short_fit(
        self: synthgan.SynthGAN, X: object, sample_weight: object = None
    ) -> synthgan.SynthGAN:
        short = self.set_params(epochs=1, width=16, depth=1)
        return whole(short, X, sample_weight=sample_weight)

    monkeypatch.setattr(synthgan.SynthGAN, "fit", short_fit)
    monkeypatch.setattr(
        sys,
        "argv",
        [str(path), "--max-seconds", "5" if name == "cleaning" else "60", "--rows", "1500"],
    )
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    wrote = {
        "quick_start": {"adult.synthgan", "new.parquet"},
        "report": {"report.html"},
        "anomaly_report": {"anomalies.html"},
    }.get(name, set())
    assert {path.name for path in tmp_path.iterdir()} == wrote


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80
