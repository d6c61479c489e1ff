"""How names, amounts and ends of ranges read on the page."""

from __future__ import annotations

import re
from itertools import accumulate
from unicodedata import east_asian_width

from markupsafe import Markup

from synthgan.evaluation.report.figures import text_of

# Widths of characters in sizes of the font, for the wider ones of the usual fonts.
WIDE, TALL, NARROW, USUAL = 1.0, 0.76, 0.4, 0.62
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
