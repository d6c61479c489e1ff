"""One HTML page about the odd rows of a table: pictures drawn by hand, nothing loaded."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synthgan import __version__

PACKAGE = "synthgan.anomaly"
NOTEBOOK_HEIGHT = 760
# the picture of the scores, in its own units
WIDTH, HEIGHT = 720, 200
# drift from which on a column is said to have moved, and moved far
MOVED, FAR = 0.1, 0.3
# natural logarithms: one in 100 million is as odd as anything
FULL_SURPRISE = 8.0


def render(result: Mapping[str, Any]) -> str:
    """The page of an account's result.

    Parameters
    ----------
    result : mapping
        As `synthgan.anomaly.account.take_account` makes it.

    Returns
    -------
    str
        Its content policy allows no script and no request at all.
    """
    page = _environment().get_template("anomalies.html.j2")
    return page.render(
        result=result,
        picture=picture(result["histogram"]),
        share=result["odd"] / max(result["rows"], 1),
        moved=[each for each in result["drift"] if each["distance"] >= MOVED],
        FAR=FAR,
        FULL=FULL_SURPRISE,
        most_blamed=max((each["rows"] for each in result["blamed"]), default=1),
        version=__version__,
        style=Markup(files(PACKAGE).joinpath("templates/style.css").read_text(encoding="utf-8")),
    )


def notebook_html(result: Mapping[str, Any]) -> str:
    """The page inside a frame of its own, for a notebook's output."""
    return (
        f'<iframe title="Odd rows of a table" srcdoc="{html.escape(render(result))}" sandbox="" '
        f'style="width:100%;height:{NOTEBOOK_HEIGHT}px;border:1px solid #8884;border-radius:8px">'
        "</iframe>"
    )


def picture(histogram: Mapping[str, Any]) -> dict[str, Any]:
    """Paths of the two tables' scores, and where odd rows begin.

    Parameters
    ----------
    histogram : mapping
        ``edges``, the shares of both tables between them, and the ``offset``.

    Examples
    --------
    >>> drawn = picture({"edges": [0, 1, 2], "table": [0.5, 0.5], "fitted": [0, 1], "offset": 1})
    >>> drawn["cut"], drawn["fitted"]
    (360.0, 'M0 200.0V200.0H360.0V12.0H720.0V200.0')
    """
    edges = histogram["edges"]
    low, high = float(edges[0]), float(edges[-1])
    top = max([*histogram["table"], *histogram["fitted"]]) or 1.0

    def across(value: float) -> float:
        return round((value - low) / (high - low) * WIDTH, 1)

    def steps(shares: Sequence[float]) -> str:
        drawn = [
            f"V{HEIGHT - share / top * (HEIGHT - 12):.1f}H{across(edge)}"
            for share, edge in zip(shares, edges[1:], strict=True)
        ]
        return f"M0 {float(HEIGHT)}{''.join(drawn)}V{float(HEIGHT)}"

    ticks = [low + (high - low) * part / 4 for part in range(5)]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "table": steps(histogram["table"]),
        "fitted": steps(histogram["fitted"]),
        "cut": across(histogram["offset"]),
        "ticks": [{"x": across(each), "text": f"{each:.2f}"} for each in ticks],
        "top": f"{100 * top:.0f} %",
    }


def percent(share: float) -> str:
    """A share in words.

    Examples
    --------
    >>> percent(0.1234), percent(0.00012), percent(0.0)
    ('12.3 %', '0.01 %', '0 %')
    """
    if share == 0:
        return "0 %"
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.2f} %"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"percent": percent, "counted": lambda number: f"{number:,}"}
    return made
