"""The report's markup: complete, escaped, self-contained, and sound for screen readers."""

from __future__ import annotations

import copy
import hashlib
import html
import json
import re
from base64 import b64encode
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from synthgan.evaluation.grades import GROUPS as GROUPS_OF_VERDICTS
from synthgan.evaluation.report import charts, notebook_html, render
from synthgan.evaluation.report.figures import FIGURES
from synthgan.evaluation.report.strips import strip_of
from synthgan.evaluation.report.wording import text_of

EVIL = "</title></style></script><script>alert('x')</script>\"&"


def attack(rate: float | None, risk: float | None = 0.03) -> dict[str, Any]:
    spans = {"interval": [0.1, 0.2], "control_interval": [0.08, 0.18], "risk_interval": [0.0, 0.1]}
    return {"rate": rate, "control_rate": 0.13, "baseline_rate": 0.05, "risk": risk, **spans}


def histogram(bins: int = 4) -> dict[str, Any]:
    return {
        "kind": "histogram",
        "labels": [f"{i} to {i + 1}" for i in range(bins)],
        "ticks": [[0.0, "0"], [1.0, str(bins)]],
        "real": [0.9 / bins] * bins,
        "synthetic": [0.8 / bins] * bins,
        "null": [0.1, 0.2],
    }


BARS = {
    "kind": "bars",
    "labels": ["Ulm", EVIL],
    "real": [0.6, 0.2],
    "synthetic": [0.3, 0.4],
    "null": [0.1, 0.1],
    "other": [0.1, 0.1],
    "other_levels": 1234,
    "levels": 1236,
    "unseen": 0.1,
}
SAMPLE: dict[str, Any] = {
    "metrics_version": "7",
    "synthgan_version": "9.8",
    "tables": {
        "real": {"name": "real.parquet", "rows": 12345, "rows_used": 12345},
        "synthetic": {"name": EVIL, "rows": 12000, "rows_used": 5000},
    },
    "settings": {"seed": 12345, "target": "town", "max_rows": 5000},
    "columns": [
        {"name": "age", "kind": "number", "compared": True, "reason": ""},
        {"name": EVIL, "kind": "category", "compared": True, "reason": ""},
        {"name": "passport", "kind": "id", "compared": False, "reason": "all values differ"},
    ],
    "notes": [f"a note {EVIL}"],
    "fidelity": {
        "shape_error_pct": 1.234,
        "trend_error_pct": 2.5,
        "columns": {
            "age": {"error_pct": 1.0, "measure": "KS", "rounded": True},
            EVIL: {"error_pct": 1.468, "measure": "TV"},
        },
        "pairs": [["age", EVIL, 2.5]],
        "pairs_total": 9,
        "pairs_used": 1,
        "triples": {"error_pct": None, "reason": "needs at least three columns", "used": 0},
        "missing": {
            "error_pct": 0.5,
            "patterns": [{"columns": ["age", EVIL], "real_pct": 1.0, "synthetic_pct": 2.0}],
        },
        "coverage": {
            "range_coverage": 0.9,
            "rounded": {"age": 12.5},
            "columns": {
                "age": {
                    "range_coverage": 0.9,
                    "outside_pct": 3.0,
                    "real": ["0", "9"],
                    "synthetic": ["1", "9"],
                }
            },
        },
    },
    "manifold": {"precision": 0.91, "recall": 0.92, "rows": 4000, "k": 5, "embedding": "ranks"},
    "collapse": {
        "share_lost": 0.02,
        "categories": {
            "real": 9,
            "missing": 1,
            "missing_by_chance": 0.1,
            "lost_parts": 1,
            "lost": [{"text": f"town = {EVIL}", "real_pct": 2.0, "synthetic_pct": 0.0}],
        },
    },
    "detection": {
        "boosted_auc": 0.6,
        "boosted_auc_interval": [0.55, 0.65],
        "boosted_auc_holdout": None,
        "reason_holdout": "no holdout was given",
        "logistic": 0.97,
        "columns": [{"name": EVIL, "auc_alone": None, "importance": 0.1}],
    },
    "utility": {
        "target": "town",
        "auc": 0.8,
        "real": {"auc": 0.9},
        "learners": {"boosted_trees": {"auc": 0.8, "real": {"auc": 0.9}}},
        "importances": [{"name": EVIL, "real": 0.2, "synthetic": -0.1}],
        "importance_agreement": 0.5,
    },
    "risk": {
        "exact_copies": 0.001,
        "closest_share": None,
        "closest_share_reason": "no holdout was given",
        "exact_copies_real": 0.003,
        "dcr": {"median": 0.512},
        "membership": {"distance": {"auc": 0.51, "tpr_at_1pct_fpr": 0.02}, "splits": 5},
        "rare_values": {
            "levels": {"rare": 8, "found": 2, "share": 0.25},
            "columns": [{"name": EVIL, "rare": 8, "found": 2, "share": 0.25}],
        },
        "singling_out": {"univariate": attack(0.15), "multivariate": attack(None, None)},
        "linkability": attack(0.15),
        "attribute_inference": {"columns": {EVIL: attack(0.5), "age": attack(0.4, 0.2)}},
    },
    "floors": {
        "holdout": {
            "fidelity": {"shape_error_pct": 0.4},
            "detection": {"boosted_auc": 0.5},
            "risk": {
                "dcr": {"median": 0.487},
                "membership": {"distance": {"auc": 0.495, "tpr_at_1pct_fpr": 0.0123}},
                "rare_values": {"levels": {"share": 0.375}},
            },
        },
        "independent": {"fidelity": {"shape_error_pct": 0.1, "trend_error_pct": 22.5}},
    },
    "verdicts": {
        "fidelity": {"grade": "good", "text": "Close.", "reasons": ["'a; b'", "second", "third"]},
        "risk": {"grade": "unknown", "text": "Nobody knows.", "reasons": []},
        "overall": {"grade": "good", "text": "All good.", "reasons": ["as its lowest grade"]},
    },
    "portraits": {
        "columns": {"age": histogram(), EVIL: BARS},
        "columns_chosen": None,
        "associations": {
            "names": ["age", EVIL],
            "real": [[1.0, 0.5], [0.5, 1.0]],
            "synthetic": [[1.0, 0.2], [0.2, 1.0]],
            "chosen": None,
        },
        "map": {
            "real": [[0.0, 1.0], [1.0, 0.0]],
            "synthetic": [[0.5, 0.5]],
            "explained": [0.4, 0.1],
            "embedding": "ranks",
        },
    },
    "provenance": {
        "model": {"what": "model", "estimator": "SynthGAN", "parameters": {"epochs": "auto"}},
        "history": [{"step": i, "quality": [None, -0.5, -0.25][i]} for i in range(3)],
        "seed": 1851592575405977859,
        "ledger": [{"who": EVIL, "epsilon": 0.1}],
    },
}
GROUPS = [key for key, value in SAMPLE.items() if isinstance(value, dict)]


class Page(HTMLParser):
    """Start tags with their attributes, and the text inside each kind of tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self.open), data))

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def text(self) -> str:
        shown = [text for inside, text in self.texts if not {"script", "style"} & set(inside)]
        return re.sub(r"\s+", " ", "".join(shown))


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(SAMPLE))


def test_tags_are_balanced_and_ids_unique(page: Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_names_stay_names(page: Page) -> None:
    scripts = [text for inside, text in page.texts if "script" in inside]
    assert len(page.of("script")) == 2 and not any("alert(" in text for text in scripts[1:])
    assert page.text.count(EVIL) > 10
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_loads_nothing() -> None:
    page = render(SAMPLE)
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|\ssrc=", page)
    targets = re.findall(r'href="([^"]*)"', page)
    assert targets and all(target.startswith("#") or target == "data:," for target in targets)


def test_policy_allows_this_script_only() -> None:
    page = render(SAMPLE)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(policy)
    assert html.unescape(policy).startswith("default-src 'none'")


def test_headings_are_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_landmarks_and_links(page: Page) -> None:
    for landmark in ("header", "nav", "main", "footer"):
        assert len(page.of(landmark)) == 1, landmark
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = [str(attributes["href"]) for attributes in page.of("a", "use")]
    assert {link[1:] for link in links} <= ids
    assert page.of("html")[0]["lang"] == "en"
    assert page.of("a")[0] == {"class": "skip", "href": "#main"}


def test_pictures_have_words(page: Page) -> None:
    ids = {attributes.get("id") for _, attributes in page.tags}
    pictures = page.of("svg")
    assert len(pictures) > 30
    for picture in pictures:
        if picture.get("aria-hidden") == "true":
            continue
        assert picture.get("role") == "img"
        names = (picture.get("aria-labelledby") or "").split()
        assert picture.get("aria-label") or (len(names) == 2 and set(names) <= ids)


def test_only_what_may_have_a_name_has_one(page: Page) -> None:
    plain = [attributes for attributes in page.of("p", "span", "div") if "role" not in attributes]
    assert not any({"aria-label", "aria-labelledby"} & set(attributes) for attributes in plain)


def test_tables_have_captions_and_scopes(page: Page) -> None:
    assert len(page.of("table")) == len(page.of("caption")) > 8
    assert all(heading.get("scope") for heading in page.of("th"))


def test_controls_have_labels() -> None:
    page = render(SAMPLE)
    controls = [found.start() for found in re.finditer("<(?:input|select)[ >]", page)]
    assert len(controls) == 3
    for place in controls:
        assert page.rindex("<label>", 0, place) > page.rfind("</label>", 0, place)


def test_says_what_was_found(page: Page) -> None:
    for text in (
        "12,345 rows",
        "5,000 used",
        "1.23 %",
        "real holdout 0.40 %",
        "independent columns 22.5 %",
        "real holdout 0.487",
        "real holdout 1.23 %",
        "real holdout 37.5 %",
        "the real rows themselves 0.30 %",
        "95 % interval 0.550 to 0.650",
        "no holdout was given",
        "needs at least three columns",
        "Overall good",
        "Close.",
        "'a; b'",
        "1 more reason",
        "1,234 others",
        "not in real",
        "rounded",
        "age (12.5 % of its values)",
        "1851592575405977859",
        "metrics version 7",
        "passport (id): all values differ",
        "Attribute inference: age",
        "1 of 9",
    ):
        assert text in page.text, text
    assert page.text.index("Attribute inference: age") < page.text.index("Attribute inference: </t")


def test_every_measured_figure_is_defined(page: Page) -> None:
    for path in ("fidelity.shape_error_pct", "manifold.precision", "risk.exact_copies"):
        assert FIGURES[path].text in page.text
    assert FIGURES["utility.rmse"].text not in page.text


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("left", [None, {}])
def test_does_without_a_group(group: str, left: Any) -> None:
    result = {key: value for key, value in SAMPLE.items() if key != group}
    found = Page(render(result if left is None else result | {group: left}))
    assert found.open == [] and "</main>" in render(result)


@pytest.mark.parametrize("key", ["model", "history", "ledger", "parameters"])
@pytest.mark.parametrize(
    "value",
    [
        "CTGAN",
        ["CTGAN", "TVAE"],
        [{"step": "first", "quality": 10**400}, {"step": None, "quality": -1e308}, {}],
        {"history": 5, "": {"": [[]]}, "ledger": {"entries": [1, [2]]}},
        {"a": {"b": {"c": [{}, None]}}},
        [0.5, [1], None],
        7.5,
        10**400,
        False,
        None,
        [],
    ],
)
def test_any_provenance_is_shown(key: str, value: Any) -> None:
    for given in ({key: value, "seed": 3}, {"model": {key: value}, "seed": 3}, value):
        assert Page(render({"provenance": given})).open == []
    if value == "CTGAN":
        assert "CTGAN" in Page(render({"provenance": {key: value}})).text
        assert "CTGAN" in Page(render({"provenance": value})).text


def test_names_of_nothing_and_from_right_to_left() -> None:
    arabic = "\u0627\u0644\u0639\u0645\u0631"
    columns = {name: {"error_pct": 1.0, "measure": "KS"} for name in ("", arabic)}
    pictures = {name: histogram() for name in columns}
    pairs = [["", arabic, 1.0]]
    page = render(
        {"fidelity": {"columns": columns, "pairs": pairs}, "portraits": {"columns": pictures}}
    )
    assert 'data-name="(no name)"' in page and "<h3><bdi>(no name)</bdi></h3>" in page
    assert f"<td><bdi>(no name)</bdi></td><td><bdi>{arabic}</bdi></td>" in page


ARABIC, HEBREW = "\u0627\u0644\u0639\u0645\u0631", "\u05e2\u05d9\u05e8"


def strange(name: str, level: str) -> dict[str, Any]:
    """A result with a name and a value wherever the page shows one."""
    flat = [[1.0, 0.5], [0.5, 1.0]]
    maps = {"names": [name, "age"], "real": flat, "synthetic": flat, "chosen": None}
    ends = {"real": ["0", "9"], "synthetic": ["1", "9"]}
    pattern = {"columns": [name, "age"], "real_pct": 1.0, "synthetic_pct": 2.0}
    lost = {"column": name, "level": level, "text": f"{name} = {level}", "real_pct": 2.0}
    return {
        "settings": {"target": name},
        "columns": [{"name": name, "kind": "id", "compared": False, "reason": "all differ"}],
        "fidelity": {
            "columns": {name: {"error_pct": 1.0}},
            "pairs": [[name, "age", 2.5]],
            "triples": {"error_pct": 1.0, "used": 1, "total": 1, "worst": [[name, "a", "b", 1.0]]},
            "missing": {"error_pct": 0.5, "patterns": [pattern]},
            "coverage": {
                "rounded": {name: 2.0},
                "columns": {name: {"range_coverage": 0.5, **ends}},
            },
        },
        "collapse": {"share_lost": 0.1, "categories": {"lost": [lost]}},
        "detection": {"columns": [{"name": name, "auc_alone": 0.6, "importance": 0.1}]},
        "utility": {
            "target": name,
            "auc": 0.8,
            "importances": [{"name": name, "real": 0.2, "synthetic": 0.1}],
            "missing_classes": [level, "b"],
        },
        "risk": {
            "attribute_inference": {"columns": {name: attack(0.5)}},
            "rare_values": {
                "levels": {"rare": 1, "found": 0, "share": 0.0},
                "columns": [{"name": name, "rare": 1, "found": 0, "share": 0.0}],
            },
        },
        "portraits": {"columns": {name: BARS | {"labels": [level, "b"]}}, "associations": maps},
        "provenance": {"model": {"parameters": {"towns": [level, "b"], "home": level}}},
    }


def test_blank_names_and_values_say_so() -> None:
    page = render(strange(ARABIC, HEBREW))
    for text, said in ((ARABIC, "(no name)"), (HEBREW, "(empty)")):
        page = page.replace(text, said).replace(json.dumps(text)[1:-1], said)
    assert render(strange("", " ")) == page
    assert "predict <b><bdi>(no name)</bdi></b>" in page
    assert "never has: <bdi>(empty)</bdi>, <bdi>b</bdi>." in page


def test_names_and_values_from_right_to_left_are_isolated() -> None:
    page = Page(render(strange(ARABIC, HEBREW)))
    own = {"bdi", "text"}
    for name in (ARABIC, HEBREW):
        alone = f"\u2068{name}\u2069"
        told = [text for inside, text in page.texts if text != name or not own & set(inside)]
        told += [str(each) for _, found in page.tags for each in found.values() if each != name]
        told = [text for text in told if name in text]
        assert len(told) > 2
        assert [text for text in told if text.count(name) > text.count(alone)] == []


def test_a_blank_key_of_a_provenance_says_so() -> None:
    given = {"model": {"": {"": 1}}, "ledger": [{"": 1}]}
    page = render({"provenance": given})
    assert page.count("(no name)") == 3


def test_pictures_have_their_values_as_tables(page: Page) -> None:
    made = charts.histogram(histogram(2))
    assert made["values"]["rows"] == [
        ("0 to 1", charts.percent(0.45), charts.percent(0.4)),
        ("1 to 2", charts.percent(0.45), charts.percent(0.4)),
        ("null", charts.percent(0.1), charts.percent(0.2)),
    ]
    labels = [row[0] for row in charts.bars(BARS)["values"]["rows"]]
    assert labels == ["Ulm", EVIL, "1,234 others", "null", "not in real"]
    details = page.of("details")
    assert sum(each.get("class") == "values" for each in details) == 2
    assert not any("open" in each for each in details)


def test_values_say_whose_they_are(page: Page) -> None:
    told = "".join(text for inside, text in page.texts if "summary" in inside)
    assert "Values of age" in told and f"Values of {EVIL}" in told


def test_groups_are_called_as_in_the_verdicts() -> None:
    verdict = {"grade": "fair", "text": "", "reasons": []}
    result = {"verdicts": dict.fromkeys(GROUPS_OF_VERDICTS, verdict)}
    text = Page(render(result)).text
    assert all(f"{title.capitalize()} Fair" in text for title in GROUPS_OF_VERDICTS.values())


@pytest.mark.parametrize(("grade", "level"), [("excellent", 4), ("poor", 1), ("unknown", 0)])
def test_a_meter_shows_the_grade(grade: str, level: int) -> None:
    result = {"verdicts": {"risk": {"grade": grade, "text": "", "reasons": []}}}
    page = render(result)
    assert f'aria-label="{level} of 4"' in page and f"verdict grade-{level}" in page


def test_a_missing_figure_has_the_nearest_reason() -> None:
    result = {
        "fidelity": {
            "trend_error_pct": None,
            "trend_error_pct_reason": "one column",
            "reason": "no",
        },
        "risk": {"dcr": {"median": None}, "near_copies": None, "reason": "one row"},
    }
    paths = ("fidelity.trend_error_pct", "risk.dcr.median", "risk.near_copies")
    found = [strip_of(result, path) for path in paths]
    assert [strip.reason for strip in found if strip] == ["one column", "one row", "one row"]


def test_one_is_singular() -> None:
    assert charts.bars(BARS | {"other_levels": 1})["rows"][2]["label"] == "1 other"
    tables = {"synthetic": {"name": "t", "rows": 1, "rows_used": 1}}
    text = Page(render({"tables": tables})).text
    assert "1 row" in text and "1 rows" not in text


def test_ends_of_ranges_read_as_ticks_do() -> None:
    ends = {"real": ["12285", "1484705"], "synthetic": ["2008-01-31", "-20000.5"]}
    columns = {"age": {"range_coverage": 0.5, **ends}}
    text = Page(
        render({"fidelity": {"coverage": {"range_coverage": 0.5, "columns": columns}}})
    ).text
    assert "12,285 to 1,484,705" in text and "2008-01-31 to -20,000.5" in text


def test_pairs_beyond_those_listed_are_told() -> None:
    pairs = [["a", f"b{i}", float(i)] for i in range(300)]
    text = Page(render({"fidelity": {"pairs": pairs, "pairs_total": 300}})).text
    assert "Among the 200 pairs with the largest error" in text


def test_labels_of_heat_maps_fit() -> None:
    names = ["hours-per-week", "W" * 14, "\u6f22" * 14, "i" * 14]
    flat = [[1.0] * 4] * 4
    maps = {"names": names, "real": flat, "synthetic": flat, "chosen": None}
    page = render({"portraits": {"associations": maps}})
    labels = re.findall(r"rotate\(-90\)\" text-anchor=\"end\">([^<]*)<", page)
    assert labels[:4] == ["hours-per-week", "W" * 7 + "…", "\u6f22" * 7 + "…", "i" * 14]


def test_does_without_anything() -> None:
    assert "Synthetic table" in render({})


def nothing(value: Any) -> Any:
    """The same with None for every number."""
    if isinstance(value, dict):
        return {key: nothing(each) for key, each in value.items()}
    return None if isinstance(value, float) else value


@pytest.mark.parametrize("group", ["manifold", "detection", "utility", "risk", "collapse"])
def test_does_without_figures(group: str) -> None:
    result = copy.deepcopy(SAMPLE) | {group: {**nothing(SAMPLE[group]), "reason": f"no {group}!"}}
    page = Page(render(result))
    assert page.open == []
    if group in ("detection", "utility", "risk"):
        assert f"no {group}!" in page.text


def test_provenance_only_where_it_is_given(page: Page) -> None:
    assert "Provenance" in page.text and "SynthGAN" in page.text and "Privacy ledger" in page.text
    without = {key: value for key, value in SAMPLE.items() if key != "provenance"}
    assert "Provenance" not in Page(render(without)).text


def test_a_long_history_keeps_its_few_checks() -> None:
    history = [{"step": i, "quality": -1 / i if i % 50 == 7 else None} for i in range(1, 5_000)]
    page = render({"provenance": {"history": history}})
    (path,) = re.findall(r'class="line-1" d="([^"]*)"', page)
    assert path.count("L") == 99 and path.startswith("M0 100")
    assert "From step 7 to 4,957" in page


def test_same_result_same_page() -> None:
    assert render(copy.deepcopy(SAMPLE)) == render(SAMPLE)


def test_fifty_columns_stay_small() -> None:
    names = [f"column {i}" for i in range(50)]
    matrix = [[round(((i * j) % 19) / 10 - 0.9, 3) for j in range(50)] for i in range(50)]
    portraits = {
        "columns": {name: histogram(32) for name in names},
        "associations": {"names": names, "real": matrix, "synthetic": matrix[::-1]},
        "map": {side: [[i / 7, i / 3] for i in range(800)] for side in ("real", "synthetic")},
    }
    pairs = [[a, b, 1.0] for i, a in enumerate(names) for b in names[:i]]
    columns = {name: {"error_pct": 1.0, "measure": "KS"} for name in names}
    fidelity = SAMPLE["fidelity"] | {"pairs": pairs, "columns": columns}
    page = render(SAMPLE | {"portraits": portraits, "fidelity": fidelity})
    assert 200_000 < len(page.encode()) < 1_500_000
    assert "The order of the columns in the maps" in page


def test_notebook_frame_holds_the_page() -> None:
    frame = notebook_html(SAMPLE)
    (source,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(source) == render(SAMPLE)
    assert 'sandbox="allow-scripts"' in frame


def test_histogram_has_its_shares() -> None:
    portrait = histogram(2) | {"real": [1.0, 0.5], "synthetic": [0.5, 1.0], "null": [0.0, 0.0]}
    made = charts.histogram(portrait)
    assert made["area"] == "M0 150V6.0H160.0V78.0H320.0V150Z"
    assert made["line"] == "M0 78.0H160.0V6.0H320.0"
    assert made["null"] is None and made["cut"] == []
    told = f"\u20680 to 1\u2069: real {charts.percent(1)}, synthetic {charts.percent(0.5)}"
    assert made["bins"][0]["title"] == told
    assert made["described"] == f"Largest difference at {told}."


def test_a_tower_is_cut_and_says_so() -> None:
    shares = [0.9, 0.02, 0.03, 0.02, 0.03]
    made = charts.histogram(
        histogram(5) | {"real": shares, "synthetic": shares, "null": [0.0, 0.0]}
    )
    assert [cut["text"] for cut in made["cut"]] == [charts.percent(0.9)]
    assert made["top"].split() == ["4.05", "%"]
    even = histogram(5) | {"null": [0.0, 0.0]}
    assert charts.histogram(even)["cut"] == []


def test_bars_are_as_long_as_their_shares() -> None:
    made = charts.bars(BARS)
    ulm, evil, other, null, unseen = made["rows"]
    assert ulm["width"] == pytest.approx(3 * evil["width"], abs=0.2)
    assert ulm["mark"] - 118 == pytest.approx(ulm["width"] / 2, abs=0.2)
    assert [row["quiet"] for row in (ulm, evil, other, null, unseen)] == [False] * 2 + [True] * 3
    assert unseen["width"] == 0


def test_others_beyond_all_levels_are_words() -> None:
    made = charts.bars(BARS | {"real": [0.2, 0.1], "synthetic": [0.1, 0.1], "other": [0.6, 0.7]})
    assert made["top"] == charts.percent(0.2)
    words = f"{charts.percent(0.6)}, {charts.percent(0.7)}"
    assert [row["said"] for row in made["rows"]] == ["", "", words, "", ""]


def test_column_without_a_value_is_drawn() -> None:
    empty = {"kind": "histogram", "labels": [], "ticks": [], "real": [], "synthetic": []}
    made = charts.histogram(empty | {"null": [1.0, 1.0]})
    assert made["area"] == "" and made["null"]["height"] == 144


def test_an_axis_without_length_gets_one() -> None:
    result = {
        "fidelity": {"missing": {"error_pct": 0.0}, "coverage": {"range_coverage": 1.0}},
        "floors": {"smote": {"fidelity": {"missing": {"error_pct": 0.01}}}},
    }
    missing = strip_of(result, "fidelity.missing.error_pct")
    assert missing is not None and missing.own is not None
    assert (missing.low, missing.high) == tuple(map(charts.percent, (0, 0.01)))
    assert missing.own.place == 0 and missing.floors[0].place == 1
    reached = strip_of(result, "fidelity.coverage.range_coverage")
    assert reached is not None and reached.own is not None
    assert (reached.low, reached.high) == tuple(map(charts.percent, (0.98, 1)))
    assert reached.own.place == 100


def test_holdout_stands_beside_the_figure_against_the_holdout() -> None:
    floors = {"holdout": {"detection": {"boosted_auc": 0.3, "boosted_auc_holdout": 0.5}}}
    result = {"detection": {"boosted_auc_holdout": 0.75}, "floors": floors}
    strip = strip_of(result, "detection.boosted_auc_holdout")
    assert strip is not None
    assert [(mark.label, mark.text) for mark in strip.floors] == [("real holdout", "0.500")]


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        (0.05, "risk.exact_copies", charts.percent(0.05)),
        (0.05, "manifold.coverage", "0.050"),
        (-0.0001, "utility.r2", "-1.0e-04"),
        (123456.7, "utility.rmse", "123,457"),
        (True, "x", "yes"),
        (None, "x", "not measured"),
    ],
)
def test_figures_in_words(value: Any, path: str, text: str) -> None:
    assert text_of(value, path) == text
