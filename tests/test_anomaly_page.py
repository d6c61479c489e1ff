"""The anomaly report in a real browser: it shows what was found, loads nothing, fits a telephone.

`REPORT_SHOTS` names a folder for the screenshots, for whoever wants to look at them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan import GANOutlierDetector

EVIL = "<script>document.title = 'owned'</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    rng = np.random.default_rng(0)

    def table(rows: int) -> pd.DataFrame:
        size = rng.normal(100, 20, rows).round(1)
        return pd.DataFrame(
            {
                "size": size,
                "price": (size * 3 + rng.normal(0, 10, rows)).round(),
                "town": np.where(size > 100, "Ulm", "Bonn"),
                EVIL: rng.integers(0, 5, rows),
            }
        )

    fresh = table(300)
    fresh.loc[3, "price"], fresh.loc[4, "town"] = 9_000.0, EVIL
    fresh["size"] += 12
    path = tmp_path_factory.mktemp("page") / "odd.html"
    GANOutlierDetector(random_state=0).fit(table(600)).report(fresh).to_html(path)
    return path


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_shows_its_parts_and_loads_nothing(browser: Any, page: Path, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    problems: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto(page.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == [] == problems
    assert "rows are odd" in tab.inner_text("h1") and tab.title().startswith("Odd rows")
    for part in ("scores", "rows", "columns", "drift"):
        assert tab.locator(f"#{part}").is_visible()
    assert "9000" in tab.inner_text("#rows tbody tr >> nth=0")
    assert tab.locator("#drift tbody tr >> nth=0").inner_text().startswith("size")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    box = tab.locator("svg").bounding_box()
    assert box is not None and box["width"] > 0.6 * min(width, 1080)
    if folder := os.environ.get("REPORT_SHOTS"):
        tab.screenshot(path=f"{folder}/anomalies-{width}.png", full_page=True)
    tab.close()
