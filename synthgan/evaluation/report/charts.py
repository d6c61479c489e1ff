"""Geometry of the pictures: numbers of a portrait in, SVG coordinates and paths out.

No markup is made here; the templates write it, so that every name and label is escaped in one way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthgan.evaluation.paths import is_number
from synthgan.evaluation.report.wording import counted, isolated, short, text_of, valued

WIDTH, HEIGHT = 320, 150
# Beneath the bars of a histogram; what is missing stands in a bar of its own on the right.
TICKS, NULL_WIDTH, NULL_GAP = 16, 22, 14
LABEL_WIDTH, LEAST_ROW, MOST_ROW = 118, 16.5, 34
# Room for a level, in sizes of its font.
LEVEL_ROOM = 11
# A bar that towers over all others by this factor is cut, so that the others can be seen.
TOWERS, CUT = 6.0, 1.35
HEAT_STEPS = 10
MAP_WIDTH, MAP_HEIGHT = 320, 260

Chart = dict[str, Any]


def percent(share: float) -> str:
    """A share in words.

    Examples
    --------
    >>> [percent(share).split() for share in (0.1234, 0.004, 0.00001)]
    [['12.3', '%'], ['0.40', '%'], ['<0.01', '%']]
    """
    tiny = 0 < share < 0.0001
    return f"{'<' if tiny else ''}{text_of(0.01 if tiny else 100.0 * share, '_pct')}"


def chart_of(portrait: Mapping[str, Any]) -> Chart:
    """The picture of a column: a histogram, or bars."""
    return histogram(portrait) if portrait.get("kind") == "histogram" else bars(portrait)


def histogram(portrait: Mapping[str, Any]) -> Chart:
    """Real bins as an area, synthetic ones as a line over it.

    Parameters
    ----------
    portrait : mapping
        As `synthgan.evaluation.portraits` makes it.
    """
    real, found = list(portrait["real"]), list(portrait["synthetic"])
    null = [float(share) for share in portrait.get("null", [0, 0])]
    right = WIDTH - (NULL_WIDTH + NULL_GAP if any(null) else 0)
    top, cut = _top([*real, *found, *null])
    width = right / max(len(real), 1)
    scale = (HEIGHT - 6) / top
    return {
        "kind": "histogram",
        "height": HEIGHT + TICKS,
        "base": HEIGHT,
        "right": right,
        "area": _area(real, width, scale),
        "line": _steps(found, width, scale),
        "cut": [
            {"x": round((i + 0.5) * width, 1), "text": percent(max(pair))}
            for i, pair in enumerate(zip(real, found, strict=True))
            if cut and max(pair) > top
        ],
        "bins": [
            {"x": round(i * width, 2), "width": round(width, 2), "title": _told(label, r, s)}
            for i, (label, r, s) in enumerate(zip(portrait["labels"], real, found, strict=True))
        ],
        "ticks": [_tick(place, text, right) for place, text in portrait.get("ticks", [])],
        "null": _null(null, scale) if any(null) else None,
        "values": _values(
            [*zip(portrait["labels"], real, found, strict=True), *_null_row(null)], "Range"
        ),
        "top": percent(top),
        # The word for the height stands where the picture is lower.
        "top_right": sum(real[: len(real) // 2]) > sum(real[len(real) // 2 :]) and not any(null),
        "described": _largest_gap(portrait["labels"], real, found, null),
    }


def _top(shares: Sequence[float]) -> tuple[float, bool]:
    """The share at the top of the picture, and whether some bars are cut there."""
    ordered = sorted(shares, reverse=True) or [0.0]
    tall = ordered[0] or 1.0
    # Real and synthetic bars of one bin tower together.
    rest = next((share for share in ordered[1:] if share < tall / TOWERS), 0.0)
    above = sum(share > rest for share in ordered)
    if rest > 0 and above <= 2 < len(ordered) / 2:
        return rest * CUT, True
    return tall, False


def _area(shares: Sequence[float], width: float, scale: float) -> str:
    if not shares:
        return ""
    parts = [f"M0 {HEIGHT}"]
    for i, share in enumerate(shares):
        parts.append(f"V{_y(share, scale)}H{(i + 1) * width:.1f}")
    return "".join([*parts, f"V{HEIGHT}Z"])


def _steps(shares: Sequence[float], width: float, scale: float) -> str:
    parts = [
        f"{'M0 ' if i == 0 else 'V'}{_y(share, scale)}H{(i + 1) * width:.1f}"
        for i, share in enumerate(shares)
    ]
    return "".join(parts)


def _y(share: float, scale: float) -> str:
    return f"{max(HEIGHT - share * scale, 0):.1f}"


def _tick(place: float, text: str, right: float) -> Chart:
    at = place * right
    # Approximate width of the text: what would stick out is set flush with the edge.
    half = 3.2 * len(text)
    anchor = "start" if at < half else "end" if at > WIDTH - half else "middle"
    edge = {"start": 0.0, "end": float(WIDTH), "middle": at}[anchor]
    return {"x": round(at, 1), "at": round(edge, 1), "text": text, "anchor": anchor}


def _null(null: Sequence[float], scale: float) -> Chart:
    x = WIDTH - NULL_WIDTH
    return {
        "x": x,
        "width": NULL_WIDTH,
        "y": _y(null[0], scale),
        "height": round(HEIGHT - float(_y(null[0], scale)), 1),
        "line": _y(null[1], scale),
        "title": _told("null", null[0], null[1]),
    }


def _told(label: str, real: float, found: float) -> str:
    return f"{isolated(label)}: real {percent(real)}, synthetic {percent(found)}"


def _null_row(null: Sequence[float]) -> list[tuple[str, float, float]]:
    return [("null", null[0], null[1])] if any(null) else []


def _values(rows: Sequence[tuple[str, float, float]], what: str) -> Chart:
    """The picture as a table, for those who cannot point at it."""
    cells = [(label, percent(real), percent(found)) for label, real, found in rows]
    return {"what": what, "rows": cells}


def _largest_gap(
    labels: Sequence[str], real: Sequence[float], found: Sequence[float], null: Sequence[float]
) -> str:
    """The place where the tables differ most, for those who cannot see the picture."""
    rows = [*zip(labels, real, found, strict=True), ("null", null[0], null[1])]
    label, r, s = max(rows, key=lambda row: abs(row[1] - row[2]))
    return f"Largest difference at {_told(label, r, s)}."


def bars(portrait: Mapping[str, Any]) -> Chart:
    """Real levels as bars, synthetic ones as a mark on each.

    Parameters
    ----------
    portrait : mapping
        As `synthgan.evaluation.portraits` makes it.
    """
    rows = _rows(portrait)
    # The others together may be more than any level: then they are words, so that levels have room.
    top = (
        max((max(r, s) for label, r, s, _ in rows if label != _others(portrait)), default=0) or 1.0
    )
    scale = (WIDTH - LABEL_WIDTH - 4) / top
    null = portrait.get("null", [0, 0])
    row = min(max(HEIGHT / max(len(rows), 1), LEAST_ROW), MOST_ROW)
    base = round(row * max(len(rows), 1), 1)
    return {
        "kind": "bars",
        "height": base + TICKS,
        "base": base,
        "row": round(row, 1),
        "rows": [
            {
                "y": round(i * row, 1),
                "label": short(label, LEVEL_ROOM),
                "quiet": quiet,
                "width": round(real * scale, 1),
                "mark": round(LABEL_WIDTH + found * scale, 1),
                "title": _told(label, real, found),
                "said": f"{percent(real)}, {percent(found)}" if max(real, found) > top else "",
            }
            for i, (label, real, found, quiet) in enumerate(rows)
        ],
        "values": _values([row[:3] for row in rows], "Category"),
        "top": percent(top),
        "described": _largest_gap(
            [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], null
        ),
    }


def _rows(portrait: Mapping[str, Any]) -> list[tuple[str, float, float, bool]]:
    """Label, real share, synthetic share, and whether it is no level of its own."""
    shares = zip(portrait["labels"], portrait["real"], portrait["synthetic"], strict=True)
    rows = [(valued(label), r, s, False) for label, r, s in shares]
    other, null = portrait.get("other", [0, 0]), portrait.get("null", [0, 0])
    unseen = portrait.get("unseen", 0)
    if portrait.get("other_levels"):
        rows.append((_others(portrait), other[0], other[1], True))
    if any(null):
        rows.append(("null", null[0], null[1], True))
    if unseen:
        rows.append(("not in real", 0.0, unseen, True))
    return rows


def _others(portrait: Mapping[str, Any]) -> str:
    return counted(portrait.get("other_levels", 0), "other")


def heat(values: Sequence[Sequence[Any]], reach: float) -> list[Chart]:
    """Cells of a matrix as one path for each sign and strength.

    Parameters
    ----------
    values : sequence of sequence of float
        Of shape (n, n).
    reach : float
        The size at which the colour is full.

    Examples
    --------
    >>> heat([[1.0, -0.5], [0.0, 1.0]], 1.0)
    [{'sign': 'minus', 'strength': 0.5, 'path': 'M1 0h1v1h-1z'}, {'sign': 'plus', ...}]
    """
    cells: dict[int, list[str]] = {}
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            share = value / reach if reach > 0 and is_number(value) else 0.0
            step = round(HEAT_STEPS * min(max(share, -1.0), 1.0))
            if step:
                cells.setdefault(step, []).append(f"M{x} {y}h1v1h-1z")
    return [
        {
            "sign": "plus" if step > 0 else "minus",
            "strength": abs(step) / HEAT_STEPS,
            "path": "".join(paths),
        }
        for step, paths in sorted(cells.items())
    ]


def points(*tables: Sequence[Sequence[float]]) -> list[str]:
    """Rows as dots of one path for each table, all on the same plane.

    Examples
    --------
    >>> points([[0, 0], [1, 1]], [[0, 1]])
    ['M10 250h0M310 10h0', 'M10 10h0']
    """
    rows = [point for table in tables for point in table]
    if not rows:
        return ["" for _ in tables]
    spans = [(min(axis), max(axis)) for axis in zip(*rows, strict=True)]
    return ["".join(_dot(point, spans) for point in table) for table in tables]


def _dot(point: Sequence[float], spans: Sequence[tuple[float, float]]) -> str:
    shares = [
        (value - low) / (high - low) if high > low else 0.5
        for value, (low, high) in zip(point, spans, strict=True)
    ]
    x = 10 + (MAP_WIDTH - 20) * shares[0]
    y = MAP_HEIGHT - 10 - (MAP_HEIGHT - 20) * shares[1]
    return f"M{x:.4g} {y:.4g}h0"


def curve(xs: Sequence[Any], ys: Sequence[Any], low: float, high: float) -> str:
    """A line through the known points, on a plane of 100 by 100; empty below two of them.

    Examples
    --------
    >>> curve([0, 5, 10], [0.0, None, 1.0], 0.0, 1.0)
    'M0 100L100 0'
    """
    known = [(x, y) for x, y in zip(xs, ys, strict=True) if is_number(x) and is_number(y)]
    if len(known) < 2:
        return ""
    first, last = known[0][0], known[-1][0]
    across, up = (last - first) or 1, (high - low) or 1
    at = [(100 * (x - first) / across, 100 - 100 * (y - low) / up) for x, y in known]
    return "M" + "L".join(f"{x:.4g} {y:.4g}" for x, y in at)


def thinned(rows: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the rows, evenly spread, the last one always among them."""
    step = max(1, -(-len(rows) // most))
    kept = list(rows[::step])
    return kept if not rows or kept[-1] is rows[-1] else [*kept, rows[-1]]
