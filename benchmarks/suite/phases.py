"""One phase of a cell as a process of its own: threads fixed, time limited, nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
DONE, UNFINISHED, FAILED = "done", "did not finish", "failed"
PHASES = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """How a phase ended; the reason is the last line that it wrote, if it failed."""

    status: str
    seconds: float
    reason: str | None = None


def run_phase(
    phase: str,
    order: Mapping[str, Any],
    *,
    python: Path,
    threads: int,
    limit: float,
    stem: Path,
    own_environment: bool,
) -> Outcome:
    """Run `phase`.py on an order written beside `stem`, with its output in a log there."""
    paper, log = Path(f"{stem}.{phase}.order.json"), Path(f"{stem}.{phase}.log")
    paper.write_text(json.dumps(order, indent=1))
    # -P: neither this folder nor the methods' may hide a package of the same name.
    command = [str(python), "-P", str(PHASES / f"{phase}.py"), str(paper)]
    started = time.monotonic()
    with log.open("w") as output:
        status = _run(command, environment(threads, own_environment), output, limit)
    return Outcome(status, time.monotonic() - started, last_line(log) if status == FAILED else None)


def _run(command: list[str], variables: dict[str, str], output: Any, limit: float) -> str:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=variables,
        start_new_session=True,
    )
    try:
        return DONE if process.wait(timeout=limit) == 0 else FAILED
    except subprocess.TimeoutExpired:
        return UNFINISHED
    finally:
        # Its whole session: a method's own workers must not run on beside the next cell.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(threads: int, own: bool) -> dict[str, str]:
    """Variables for a phase: no GPU, a number of threads, a method's own packages only."""
    variables = dict(os.environ)
    variables.update({name: str(threads) for name in THREAD_VARIABLES})
    variables.update({"CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0"})
    if own:
        variables.pop("PYTHONPATH", None)
    return variables


def last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it wrote nothing"


def machine() -> dict[str, Any]:
    """What the seconds depend on, as far as the system says."""
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": found[1] if found else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory),
        "system": platform.system(),
    }
