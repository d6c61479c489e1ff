"""The page itself: sections, style and script put together into one file."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synthgan.evaluation.paths import at
from synthgan.evaluation.report import about, charts, measures, sections
from synthgan.evaluation.report.wording import (
    counted,
    isolated,
    name,
    named,
    sentence,
    text_of,
    value,
)

PACKAGE = "synthgan.evaluation.report"
NOTEBOOK_HEIGHT = 760

# Order, title and maker of the sections; those without content are left out.
SECTIONS = {
    "columns": ("Columns", sections.columns),
    "pairs": ("Pairs and triples", sections.pairs),
    "gaps": ("Missing values and ranges", sections.gaps),
    "rows": ("Whole rows", sections.rows),
    "collapse": ("Mode collapse", sections.collapse),
    "detection": ("Detection", measures.detection),
    "utility": ("Usefulness", measures.utility),
    "risk": ("Privacy risk", measures.risk),
    "provenance": ("Provenance", about.provenance),
    "definitions": ("Definitions and notes", about.definitions),
}
# The group whose every figure a section lists.
GROUPS = {
    "gaps": "fidelity",
    "rows": "manifold",
    "collapse": "collapse",
    "detection": "detection",
    "utility": "utility",
    "risk": "risk",
}


def render(result: Mapping[str, Any]) -> str:
    """The report as one HTML page that loads nothing from anywhere.

    Parameters
    ----------
    result : mapping
        The result of an evaluation; groups and figures that are absent or None are left out.

    Returns
    -------
    str
        The page. Its content policy allows this one script and no request at all.

    Examples
    --------
    >>> page = render({"metrics_version": "2", "fidelity": {"shape_error_pct": 0.5}})
    >>> page.startswith("<!doctype html>"), "Column error" in page
    (True, True)
    """
    made = {key: make(result) for key, (_, make) in SECTIONS.items()}
    script = _text("script.js")
    page = _environment().get_template("page.html.j2")
    return page.render(
        summary=sections.summary(result),
        parts={key: part for key, part in made.items() if part},
        titles={key: title for key, (title, _) in SECTIONS.items()},
        every={key: about.every(result, group) for key, group in GROUPS.items()},
        names=_names(result),
        tables=at(result, "tables") or {},
        metrics_version=at(result, "metrics_version"),
        synthgan_version=at(result, "synthgan_version"),
        style=Markup(_text("style.css")),
        script=Markup(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def notebook_html(result: Mapping[str, Any]) -> str:
    """The report inside a frame of its own, for a notebook's output.

    Parameters
    ----------
    result : mapping
        As in `render`.

    Returns
    -------
    str
        An ``iframe`` whose style and script cannot touch the notebook around it.

    Examples
    --------
    >>> notebook_html({"metrics_version": "2"}).startswith("<iframe")
    True
    """
    return (
        f'<iframe title="Report on a synthetic table" srcdoc="{html.escape(render(result))}" '
        'sandbox="allow-scripts" '
        f'style="width:100%;height:{NOTEBOOK_HEIGHT}px;border:1px solid #8884;border-radius:8px">'
        "</iframe>"
    )


def _names(result: Mapping[str, Any]) -> dict[str, str]:
    tables = at(result, "tables") or {}
    return {key: str(at(table, "name") or key) for key, table in tables.items()}


@cache
def _text(name: str) -> str:
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "text": text_of,
        "name": name,
        "named": named,
        "value": value,
        "isolated": isolated,
        "counted": counted,
        "sentence": sentence,
    }
    made.globals["LABEL_WIDTH"] = charts.LABEL_WIDTH
    return made
