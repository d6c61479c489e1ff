"""The real tables of a suite: loaded, cut into a real part and a holdout, fingerprinted."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from suite.plan import PlanError, TablePlan

ROOT = Path(__file__).parents[2]
SPLIT_SEED = 0


@dataclass(frozen=True)
class Parts:
    """The two parts of a real table as files, with the fingerprints of what they hold."""

    real: Path
    holdout: Path
    rows: int
    real_print: str
    holdout_print: str


def prepare(plan: TablePlan, data: Path | None, work: Path) -> Parts:
    """Load a table, cut it, and write its parts below `work`."""
    real, holdout = load(plan, data)
    work.mkdir(parents=True, exist_ok=True)
    paths = (work / f"{plan.name}.real.parquet", work / f"{plan.name}.holdout.parquet")
    for table, path in zip((real, holdout), paths, strict=True):
        # runs for other methods, on other cores, write the same
        part = path.with_suffix(f".{os.getpid()}.part")
        pq.write_table(table, part)
        part.replace(path)
    prints = fingerprint(real), fingerprint(holdout)
    return Parts(paths[0], paths[1], real.num_rows, prints[0], prints[1])


def load(plan: TablePlan, data: Path | None) -> tuple[pa.Table, pa.Table]:
    """Read the real part and the holdout of a table."""
    if plan.sklearn is not None:
        table = from_sklearn(plan.sklearn)
    else:
        table = read(plan.real, data) if plan.real else read(plan.bundled, ROOT)
    table = table.drop_columns(list(plan.without))
    order = np.random.default_rng(SPLIT_SEED).permutation(table.num_rows)[: plan.rows]
    if plan.holdout is not None:
        return table, read(plan.holdout, data).drop_columns(list(plan.without))
    held = int(plan.holdout_share * len(order))
    return table.take(order[held:]), table.take(order[:held])


def read(name: str | None, folder: Path | None) -> pa.Table:
    """Read a file of the data folder, without the metadata of whoever wrote it."""
    if name is None or folder is None:
        raise PlanError(f"{name or 'a table'}: give the folder that holds it with --data")
    path = folder / name
    if not path.is_file():
        raise PlanError(f"{path}: no such file; --data must name the folder that holds it")
    return pq.read_table(path).replace_schema_metadata(None)


def from_sklearn(name: str) -> pa.Table:
    """One of scikit-learn's own tables; a target of classes becomes their names."""
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")()
    columns = {str(n): pa.array(bunch.data[:, i]) for i, n in enumerate(bunch.feature_names)}
    if "target_names" in bunch:
        columns["diagnosis"] = pa.array(bunch.target_names[bunch.target].tolist())
    else:
        columns["target"] = pa.array(bunch.target)
    return pa.table(columns)


def fingerprint(table: pa.Table) -> str:
    """Names, types and cells of a table, however it was stored."""
    sink = pa.BufferOutputStream()
    whole = table.combine_chunks().replace_schema_metadata(None)
    with pa.ipc.new_stream(sink, whole.schema) as stream:
        stream.write_table(whole)
    return hashlib.sha256(sink.getvalue()).hexdigest()[:16]
