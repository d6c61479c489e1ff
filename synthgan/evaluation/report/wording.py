"""How names, amounts and ends of ranges read on the page."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

from markupsafe import Markup

# Widths of characters in sizes of the font, for the wider ones of the usual fonts.
WIDE, TALL, NARROW, USUAL = 1.0, 0.76, 0.4, 0.62
# Fractions that people read as percents, by the words in their names.
PERCENTS = frozenset({"share", "copies", "coverage", "adherence", "tpr"})
_PLAIN = re.compile(r"(-?)(\d{5,})(\.\d+)?")


def named(name: object) -> str:
    """A name as plain text; one of nothing but spaces says so.

    Examples
    --------
    >>> named("age"), named("")
    ('age', '(no name)')
    """
    text = str(name)
    return text if text.strip() else "(no name)"


def name(name: object) -> Markup:
    """A name as markup of its own, so that one written from right to left leaves the rest alone.

    Examples
    --------
    >>> name("a<b")
    Markup('<bdi>a&lt;b</bdi>')
    """
    return Markup("<bdi>{}</bdi>").format(named(name))


def valued(value: object) -> str:
    """A value as plain text; one of nothing but spaces says so.

    Examples
    --------
    >>> valued("Ulm"), valued(" ")
    ('Ulm', '(empty)')
    """
    text = str(value)
    return text if text.strip() else "(empty)"


def value(value: object) -> Markup:
    """A value as markup of its own, as `name` does it.

    Examples
    --------
    >>> value("")
    Markup('<bdi>(empty)</bdi>')
    """
    return Markup("<bdi>{}</bdi>").format(valued(value))


def isolated(text: str) -> str:
    r"""What `name` and `value` do, where there is no markup: in titles and in labels.

    Examples
    --------
    >>> isolated("age").encode("ascii", "backslashreplace")
    b'\\u2068age\\u2069'
    """
    return f"\u2068{text}\u2069"


def counted(amount: object, what: str) -> str:
    """An amount with its noun, in the singular where it is one.

    Examples
    --------
    >>> counted(1, "row"), counted(12345, "row"), counted(1, "category")
    ('1 row', '12,345 rows', '1 category')
    """
    if amount == 1:
        return f"1 {what}"
    many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{text_of(amount)} {many}"


def sentence(text: str) -> str:
    """A text with a capital at its start and a stop at its end.

    Examples
    --------
    >>> sentence("as its lowest grade: privacy"), sentence("Fine."), sentence("")
    ('As its lowest grade: privacy.', 'Fine.', '')
    """
    text = f"{text[:1].upper()}{text[1:]}"
    return text if not text or text[-1] in ".!?" else f"{text}."


def ranged(ends: object) -> str:
    """Two ends of a range, thousands apart as on the axes; whatever else they are is left alone.

    Examples
    --------
    >>> ranged(["25429", "584259.5"]), ranged(["1999-01-31", "7"]), ranged(None)
    ('25,429 to 584,259.5', '1999-01-31 to 7', '')
    """
    return " to ".join(map(_apart, ends)) if isinstance(ends, list) else ""


def _apart(end: object) -> str:
    found = _PLAIN.fullmatch(str(end))
    return f"{found[1]}{int(found[2]):,}{found[3] or ''}" if found else str(end)


def short(text: str, room: float) -> str:
    """A text that takes at most so many sizes of its font, as far as can be told without a font.

    Examples
    --------
    >>> short("hours-per-week", 9), short("HOURS PER WEEK", 9)
    ('hours-per-week', 'HOURS PER W…')
    """
    if sum(map(_width, text)) <= room:
        return text
    ends = accumulate(map(_width, text), initial=WIDE)
    kept = sum(end <= room for end in ends) - 1
    return f"{text[: max(kept, 0)].rstrip()}…"


def _width(character: str) -> float:
    if east_asian_width(character) in "WF" or character in "mwMW@%—<>=+&":
        return WIDE
    if character in "iljtfr.,:;'|!()[]- ":
        return NARROW
    return TALL if character.isupper() else USUAL


def text_of(value: Any, path: str = "") -> str:
    r"""A value for people: percents by the name of the figure, whole numbers with thousands apart.

    Examples
    --------
    >>> text_of(24403), text_of(0.50241), text_of(None)
    ('24,403', '0.502', 'not measured')
    >>> text_of(0.7612, "shape_error_pct").replace("\xa0", " ")
    '0.76 %'
    """
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    name = path.rpartition(".")[2]
    if name.endswith("_pct") or (
        not path.startswith("manifold.") and not PERCENTS.isdisjoint(name.split("_"))
    ):
        value = value if name.endswith("_pct") else 100 * value
        return f"{value:.2f}\u00a0%" if abs(value) < 9.995 else f"{value:.1f}\u00a0%"
    if abs(value) < 10:
        return f"{value:.3f}" if abs(value) >= 0.0005 or value == 0 else f"{value:.1e}"
    return f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"


def words(name: str) -> str:
    """A key of the result as words: ``dcr_median`` becomes ``dcr median``."""
    return name.removesuffix("_pct").replace("_", " ")
