"""What every test shares: one thread each, and a small piece of a real table."""

from __future__ import annotations

import os

# Before anything heavy is imported: two workers with a pool of threads each only get in each
# other's way, and bit-for-bit comparisons need a fixed number of threads.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent
ADULT = ROOT / "examples" / "data" / "adult.parquet"


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Top folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def adult_path() -> Path:
    """Adult's official training part: 32,561 rows, 15 columns, nulls in three of them."""
    return ADULT


@pytest.fixture(scope="session")
def adult(adult_path: Path) -> pa.Table:
    """1,000 rows of Adult as an Arrow table, evenly spread over the file."""
    table = pq.read_table(adult_path)
    return table.take(list(range(0, table.num_rows, 32))).slice(0, 1_000)
