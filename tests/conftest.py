"""What every test shares: one thread each, and a small piece of a real table."""

from __future__ import annotations

import os

# Before anything heavy is imported: two workers with a pool of threads each only get in each
# other's way, and bit-for-bit comparisons need a fixed number of threads.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def _unusable(reason: str) -> None:
    """Fail where the browser must be there, skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, one for all pages."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _unusable("playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        _unusable("no chromium on the path: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
