"""Fit one method to one table, sample as many rows, and say what it took: one process per cell.

    python -P generate.py ORDER.json

Runs in the method's own environment, so it needs pandas and pyarrow only. The clock covers `fit`
and `sample`; imports, reading and writing lie outside. The rows go home under the columns and
types of the real table, whole numbers whole.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text())
    packages = check_pins(order["requirements"])
    method = load(order["script"])
    fix_threads(order["threads"])
    schema = pq.read_schema(order["real"]).remove_metadata()
    frame = pd.read_parquet(order["real"])
    seed = order["seed"]
    fitting, model = timed(lambda: method.fit(frame, seed=seed, **order["settings"]))
    sampling, drawn = timed(lambda: method.sample(model, order["rows"], seed=seed))
    pq.write_table(conform(drawn, schema), order["synthetic"], compression="zstd")
    facts = {"fit": fitting, "sample": sampling, "peak_mib": peak_mib(), "packages": packages}
    Path(order["facts"]).write_text(json.dumps(facts))


def check_pins(requirements: list[str]) -> dict[str, str]:
    """Versions of what the method stands on; another than the pinned one is an error."""
    found = {"python": sys.version.split()[0]}
    for requirement in requirements:
        name, pinned = requirement.split("==")
        found[name] = importlib.metadata.version(name)
        if found[name] != pinned:
            raise SystemExit(f"expected {requirement} in {sys.prefix}, found {found[name]}")
    for name in ("torch", "scikit-learn", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def load(script: str) -> Any:
    specification = importlib.util.spec_from_file_location("method", script)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def fix_threads(threads: int) -> None:
    """Hold torch to the number that the environment variables give everybody else."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def timed(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = work()
    spent = time.perf_counter() - wall, cpu_seconds() - cpu
    return {"wall_seconds": round(spent[0], 2), "cpu_seconds": round(spent[1], 2)}, result


def cpu_seconds() -> float:
    """CPU time of this process and of the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_mib() -> float:
    """The most memory that this process, or the largest of its children, ever held."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # What getrusage says of the process itself may be its parent's, from before the exec.
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    own = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(max(own, children) / 1024, 1)


def conform(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Bring rows to the real table's columns, order and types."""
    columns = [pa.array(typed(frame[field.name], field.type), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def typed(column: pd.Series[Any], kind: pa.DataType) -> list[Any]:
    """Values that Arrow takes for the type, None for null."""
    present = column.notna().to_numpy()
    if pa.types.is_temporal(kind):
        values: Any = list(column)
    elif pa.types.is_integer(kind):
        values = pd.to_numeric(column).round().fillna(0).astype("int64").tolist()
    elif pa.types.is_floating(kind):
        values = pd.to_numeric(column).astype("float64").tolist()
    elif pa.types.is_boolean(kind):
        values = [str(value) in ("True", "true", "1", "1.0") for value in column]
    else:
        values = [str(value) for value in column]
    return [value if there else None for value, there in zip(values, present, strict=True)]


if __name__ == "__main__":
    main()
