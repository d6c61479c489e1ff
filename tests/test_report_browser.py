"""The report in a real browser: its controls, its widths, its themes, and that it loads nothing.

`REPORT_SHOTS` names a folder for the screenshots, for whoever wants to look at them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.measures.closeness import closeness
from synthgan.evaluation.measures.collapse import collapse
from synthgan.evaluation.measures.coverage import coverage
from synthgan.evaluation.measures.manifold import manifold
from synthgan.evaluation.measures.rare import rare_values
from synthgan.evaluation.portraits import portraits
from synthgan.evaluation.reference import Reference
from synthgan.evaluation.report import notebook_html, render
from synthgan.evaluation.verdicts import verdicts

DESKTOP, PHONE, SMALL = 1280, 390, 360
EVIL = "<script>document.title = 'owned'</script>"
LONG = "a_name_without_any_place_to_break_it_that_is_wider_than_a_telephone_by_far"


def table(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    age = rng.integers(17, 90, rows)
    towns = np.array(["Ulm", "Bonn", "<b>Rom</b>", "Oslo & Co"])[rng.integers(0, 4, rows)]
    return pa.table(
        {
            "age": age,
            EVIL: pa.array(rng.normal(age / 10, 1), mask=rng.random(rows) < 0.1),
            "town": pa.array(towns.tolist(), mask=rng.random(rows) < 0.2),
            LONG: age + rng.normal(0, 10 + 20 * seed, rows) > 50,
            "day": pa.array(rng.integers(0, 3000, rows).astype("datetime64[D]")),
        }
    )


def attack(rate: float) -> dict[str, Any]:
    parts = {"": rate, "control_": rate - 0.02, "baseline_": 0.05}
    found: dict[str, Any] = {f"{name}rate": value for name, value in parts.items()}
    spans = {f"{name}interval": [value - 0.02, value + 0.02] for name, value in parts.items()}
    return found | spans | {"risk": 0.02, "risk_interval": [0.0, 0.06], "attacks": 500}


def sample() -> dict[str, Any]:
    """A result: the quick groups measured, the slow ones made up."""
    reference = Reference(table(300, 0), table(300, 1), target=LONG)
    found, unseen = (reference.code(table(300, seed)) for seed in (2, 3))
    fidelity = reference.fidelity.compare_coded(found)
    names = reference.real.names
    result: dict[str, Any] = {
        "metrics_version": "1",
        "synthgan_version": "0.0",
        "tables": {n: {"name": f"{n}.parquet", "rows": 300} for n in ("real", "synthetic")},
        "settings": {"seed": 0, "target": LONG},
        "columns": [{"name": name, "kind": "number", "compared": True} for name in names]
        + [{"name": "key", "kind": "id", "compared": False, "reason": "all values differ"}],
        "notes": [f"a note on {EVIL}"],
        "fidelity": coverage(reference, found)
        | {
            "shape_error_pct": 100 * fidelity.shape_error,
            "trend_error_pct": 100 * fidelity.trend_error,
            "columns": {
                name: {"error_pct": 100 * error, "measure": "KS"}
                for name, error in fidelity.columns.items()
            },
            "pairs": [[*pair, 100 * error] for pair, error in fidelity.pairs.items()],
            "pairs_total": len(fidelity.pairs),
            "pairs_used": len(fidelity.pairs),
        },
        "manifold": manifold(reference, found),
        "collapse": collapse(reference, found),
        "detection": {
            "boosted_auc": 0.7,
            "boosted_auc_interval": [0.68, 0.72],
            "logistic": 0.8,
            "columns": [{"name": n, "auc_alone": 0.6, "importance": 0.1} for n in names],
            "rows": 300,
        },
        "utility": {
            "task": "classification",
            "target": LONG,
            "auc": 0.8,
            "real": {"auc": 0.9},
            "learners": {"linear": {"auc": 0.7, "real": {"auc": 0.8}}},
            "importances": [{"name": name, "real": 0.2, "synthetic": 0.1} for name in names],
            "importance_agreement": 0.9,
            "tested_on": "300 rows of the holdout",
        },
        "risk": closeness(reference, found)
        | {
            "membership": {"distance": {"auc": 0.51, "tpr_at_1pct_fpr": 0.01}, "splits": 5},
            "rare_values": rare_values(reference, found),
            "singling_out": {"univariate": attack(0.1)},
            "linkability": attack(0.2),
            "attribute_inference": {"columns": {name: attack(0.3) for name in names}},
        },
        "floors": {
            "holdout": {
                "fidelity": {"shape_error_pct": 3.0},
                "detection": {"boosted_auc": 0.5},
                "risk": closeness(reference, unseen, detail=False)
                | {"rare_values": rare_values(reference, unseen, detail=False)},
            },
            "independent": {"fidelity": {"shape_error_pct": 0.0}},
        },
        "portraits": portraits(reference, found),
        "provenance": {
            "model": {"estimator": "SynthGAN", "parameters": {"epochs": "auto"}},
            "history": [{"step": 10 * i, "quality": -1 / (i + 1)} for i in range(9)],
            "seed": 7,
            "ledger": {"epsilon": 1.0, "entries": [{"who": "bounds", "epsilon": 0.1}]},
        },
    }
    return result | {"verdicts": verdicts(result)}


@pytest.fixture(scope="session")
def result() -> dict[str, Any]:
    return sample()


@pytest.fixture(scope="session")
def file(result: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(result), encoding="utf-8")
    return path


Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, file: Path) -> Iterator[Open]:
    """Open the report; whatever it complained about or asked for fails the test at its end."""
    wrong: list[str] = []
    contexts = []

    def open_(width: int = DESKTOP, scheme: str = "light", path: Path = file, **more: Any) -> Any:
        view = {"width": width, "height": 800}
        context = browser.new_context(
            viewport=view, color_scheme=scheme, reduced_motion="reduce", **more
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url == path.as_uri() else wrong.append(asked.url),
        )
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def shown(page: Any) -> list[str]:
    """Names of the columns that are visible, in order."""
    names: list[str] = page.locator("#cards .card:visible h3").all_inner_texts()
    return names


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_fits_and_is_photographed(open_page: Open, tmp_path: Path, width: int, scheme: str) -> None:
    page = open_page(width, scheme)
    folder = Path(os.environ.get("REPORT_SHOTS", tmp_path))
    picture = page.screenshot(path=folder / f"report-{width}-{scheme}.png", full_page=True)
    assert picture.startswith(b"\x89PNG")
    assert overflow(page) <= 0
    assert page.title() == "Report: synthetic.parquet"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in ground[4:-1].split(",")) / 3
    assert brightness > 200 if scheme == "light" else brightness < 60


def test_smallest_phone_does_not_scroll_sideways(open_page: Open) -> None:
    page = open_page(SMALL)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert overflow(page) <= 0


def test_search_finds_columns(open_page: Open) -> None:
    page = open_page()
    assert len(shown(page)) == 5
    page.get_by_label("Find a column").fill("TOW")
    assert shown(page) == ["town"]
    assert page.locator("#count-columns").inner_text() == "1 of 5 columns"
    page.get_by_label("Find a column").fill("nothing like this")
    assert shown(page) == [] and page.locator("#no-columns").is_visible()
    page.get_by_label("Find a column").fill("<script>")
    assert shown(page) == [EVIL]


def test_columns_can_be_ordered(open_page: Open, result: dict[str, Any]) -> None:
    page = open_page()
    errors = {name: each["error_pct"] for name, each in result["fidelity"]["columns"].items()}
    worst = sorted(errors, key=lambda name: -errors[name])
    assert shown(page) == worst
    page.get_by_label("Order").select_option(label="smallest error first")
    assert shown(page) == worst[::-1]
    page.get_by_label("Order").select_option(label="as in the table")
    assert shown(page) == list(errors)
    page.get_by_label("Order").select_option(label="name")
    assert [name for name in shown(page) if name in ("town", "age", "day")] == [
        "age",
        "day",
        "town",
    ]


def test_tables_can_be_sorted_and_searched(open_page: Open) -> None:
    page = open_page()
    cells = page.locator("#pair-table tbody td.number")
    falling = [float(text.split()[0]) for text in cells.all_inner_texts()]
    assert falling == sorted(falling, reverse=True) and falling[0] > falling[-1]
    heading = page.locator("#pair-table th", has_text="Error")
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [float(text.split()[0]) for text in cells.all_inner_texts()] == falling[::-1]
    page.get_by_label("Find a pair").fill("town")
    rows = page.locator("#pair-table tbody tr:visible").all_inner_texts()
    assert len(rows) == 4 and all("town" in row for row in rows)
    assert page.locator("#pair-table-count").inner_text() == "4 of 10 pairs"
    page.get_by_label("Find a pair").fill("nothing like this")
    assert page.get_by_text("No pair has that in its names.").is_visible()
    assert not page.locator("#pair-table").is_visible()
    page.get_by_label("Find a pair").fill("")
    assert page.locator("#pair-table-count").inner_text() == "10 pairs"
    assert page.locator("#pair-table tbody tr:visible").count() == 10


def test_theme_is_switched_and_remembered(open_page: Open) -> None:
    page = open_page()
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    page.get_by_role("button", name="Switch to dark colours").click()
    assert page.evaluate(scheme) == "dark"
    page.reload()
    assert page.evaluate(scheme) == "dark"
    page.get_by_role("button", name="Switch to light colours").click()
    assert page.evaluate(scheme) == "light"


def test_keyboard_reaches_the_report_and_reads_the_heat_maps(
    open_page: Open, result: dict[str, Any]
) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("[data-panel=real] > svg").focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("#heat-read").inner_text()
    maps = result["portraits"]["associations"]
    first, second = (f"\u2068{name}\u2069" for name in maps["names"][:2])
    assert said.startswith(f"{first} and {second}: real")
    assert f"{maps['real'][0][1]:.3f}" in said


def test_heat_maps_are_read_by_a_tap(open_page: Open, result: dict[str, Any]) -> None:
    page = open_page(PHONE, has_touch=True, is_mobile=True)
    heat = page.locator("[data-panel=synthetic] > svg")
    assert heat.get_attribute("role") == "application"
    heat.scroll_into_view_if_needed()
    box = heat.bounding_box()
    heat.tap(position={"x": box["width"] - 3, "y": 3})
    names = result["portraits"]["associations"]["names"]
    read = page.locator("#heat-read")
    assert read.inner_text().startswith(f"\u2068{names[0]}\u2069 and \u2068{names[-1]}\u2069: real")
    seen = read.bounding_box()
    assert 0 <= seen["y"] <= 800 - seen["height"]


def test_labels_of_heat_maps_lie_within(open_page: Open) -> None:
    page = open_page()
    cut = page.evaluate("""() => [...document.querySelectorAll(".heat > svg")].flatMap((map) => {
      const box = map.getBoundingClientRect();
      return [...map.querySelectorAll("text")].filter((text) => {
        const own = text.getBoundingClientRect();
        return own.left < box.left - 1 || own.bottom > box.bottom + 1;
      }).map((text) => text.textContent);
    })""")
    assert cut == []


def test_values_of_a_picture_open_on_demand(open_page: Open) -> None:
    card = open_page(PHONE).locator(".card", has_text="town")
    assert not card.get_by_role("table").is_visible()
    card.get_by_text("Values of town", exact=True).click()
    assert card.get_by_role("row", name="Oslo & Co").is_visible()


def test_sections_are_reached_by_their_links(open_page: Open) -> None:
    page = open_page()
    links = page.get_by_role("navigation").get_by_role("link")
    assert links.count() == page.locator("main > section").count()
    links.get_by_text("Privacy risk").click()
    top = page.evaluate("document.querySelector('#risk').getBoundingClientRect().top")
    assert -1 <= top < 200


def test_print_shows_everything_but_the_controls(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Find a column").fill("town")
    page.emulate_media(media="print")
    assert page.locator("#cards .card:visible").count() == 5
    assert page.locator("#risk details:not(.every) td, .glossary").first.is_visible()
    for left in (".every", ".values"):
        assert not page.locator(left).first.is_visible(), left
    for control in ("#theme", "#find-column", ".contents", ".skip"):
        assert not page.locator(control).is_visible(), control


def test_works_without_javascript(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator("#cards .card:visible").count() == 5
    assert page.locator("#cards svg:visible").count() == 5
    assert not page.get_by_label("Find a column").is_visible()


CONTRAST = """([selector, property, outside]) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(selector);
  let ground = outside ? element.parentElement : element;
  const clear = (each) => getComputedStyle(each).backgroundColor === "rgba(0, 0, 0, 0)";
  while (clear(ground)) ground = ground.parentElement;
  const ink = getComputedStyle(element)[property];
  const both = [ink, getComputedStyle(ground).backgroundColor].map(light);
  return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""
TEXTS = [
    ".lead",
    ".hint",
    ".verdict-text",
    ".verdict-reasons",
    ".strip-value",
    ".ends",
    ".card-sub",
    ".contents a",
    "thead th",
    ".glossary dd",
    "footer p",
]


CONTROLS = ["#theme", "#find-column", "#sort-columns", "[data-filter]"]
# What is held to the ground inside or outside of it, and how much it has to stand out.
INKS = [
    *((selector, "color", False, 4.5) for selector in TEXTS),
    (".chart text", "fill", False, 4.5),
    *((each, "borderTopColor", outside, 3) for each in CONTROLS for outside in (False, True)),
    (".step:not(.full)", "stroke", False, 3),
    (".key .real-fill", "stroke", False, 3),
    (".card .real-fill", "stroke", False, 3),
    (".importances .real-fill", "stroke", False, 3),
    (".synthetic-line", "stroke", False, 3),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_outlines_stand_out(open_page: Open, scheme: str) -> None:
    page = open_page(scheme=scheme)
    ratios = {ink: page.evaluate(CONTRAST, ink[:3]) for ink in INKS}
    assert {ink: ratio for ink, ratio in ratios.items() if ratio < ink[-1]} == {}


def test_keys_and_values_have_names(open_page: Open, result: dict[str, Any]) -> None:
    page = open_page()
    assert page.get_by_role("group", name="Key of the pictures").count() == 2
    summaries = page.locator(".values summary").all_text_contents()
    assert sorted(summaries) == sorted(f"Values of {n}" for n in result["portraits"]["columns"])
    assert page.locator(".values summary span").first.bounding_box()["width"] <= 1


def test_notebook_frame_shows_the_report(
    open_page: Open, result: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><title>n</title>{notebook_html(result)}", encoding="utf-8")
    page = open_page(path=path)
    frame = page.frame_locator("iframe")
    frame.get_by_label("Find a column").fill("town")
    assert frame.locator("#cards .card:visible").count() == 1
    frame.get_by_role("link", name="Privacy risk").click()
    assert frame.locator("#risk-h").is_visible()
    assert page.title() == "n"
