"""Which kind a column is, guessed from its type and summary, or as the user says; and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.arrow_types import is_number, is_text, own_value
from synthgan.data.overrides import KINDS_OF
from synthgan.data.problems import listed
from synthgan.data.schema import Column
from synthgan.errors import SchemaError

# From this share of different values on, a column tells rows apart instead of describing them.
UNIQUE_SHARE = 0.99
MIN_ID_ROWS = 20
# A nameless run of whole numbers is only a key in a table that is not small.
MIN_DENSE_ROWS = 100
FREE_TEXT_SHARE = 0.5
FREE_TEXT_WORDS = 4
FREE_TEXT_LENGTH = 64

_KEY_NAME = re.compile(r"(?:^|[\s_.\-#])(?:[cgnopsu]?id|key|uuid|guid|identifier)$", re.IGNORECASE)
_KEY_CAMEL = re.compile(r"[a-z\d](?:Id|ID|Key|Uuid|UUID)$")
_NUMBER_NAME = re.compile(
    r"(?:^|[\s_.\-#])(?:no|nr|num|number|code|index|account|instant|serial)$", re.IGNORECASE
)


_ISO_DATE = re.compile(r"\d{4}-[01]\d-[0-3]\d(?:$|[T ])")


class Summary(Protocol):
    """What both sorts of summaries say of a column."""

    rows: int
    missing: int


def infer_column(
    name: str,
    arrow_type: pa.DataType,
    summary: Summary,
    override: Mapping[str, Any] | None = None,
    *,
    levels: pa.Array | None = None,
) -> Column:
    """Decide what a column is.

    Parameters
    ----------
    name : str
        The column's name.
    arrow_type : pyarrow.DataType
        Its canonical type.
    summary : NumberSummary or LevelSummary
        Its values.
    override : mapping, optional
        What the user says of it, as `parse_overrides` returns it.
    levels : pyarrow.Array, optional
        The levels that the table itself declares: the dictionary of an ordered categorical.

    Returns
    -------
    Column

    Raises
    ------
    SchemaError
        If the column is free text, or what the user says does not fit; all its problems.
    """
    said = dict(override or {})
    if "kind" in said:
        kind, reason = said["kind"], said.get("reason", "declared by the user")
        problems = _kind_problems(kind, arrow_type, summary)
    else:
        kind, reason = _guess(name, arrow_type, summary)
        problems = _key_problems(kind, said)
    declared = {"rare": said.get("rare", True)}
    if said.get("follows") is False:
        declared["follows"] = False
    if not problems and kind != "drop":
        declared |= _declared(kind, arrow_type, summary, said, levels, problems)
    if problems:
        raise SchemaError(listed(f"column {name!r}", problems))
    return Column(name, kind, str(arrow_type), reason, **declared)


def _present(summary: Summary) -> int:
    return summary.rows - summary.missing


def _guess(name: str, found: pa.DataType, summary: Any) -> tuple[str, str]:
    """Return kind and reason; free text raises."""
    empty = not _present(summary)
    if pat.is_boolean(found):
        return "boolean", "no values" if empty else "true or false"
    if pat.is_dictionary(found):
        return "category", f"{'an ordered ' if found.ordered else 'a '}categorical in the table"
    if pat.is_timestamp(found):
        return "datetime", "no values" if empty else f"moments in {_unit(found.unit)}"
    if pat.is_date(found):
        return "datetime", "no values" if empty else "dates"
    if pat.is_duration(found):
        return "duration", "no values" if empty else f"lengths of time in {_unit(found.unit)}"
    if pat.is_time(found):
        return "duration", "no values" if empty else "times of day"
    if empty:
        return ("number" if is_number(found) else "category"), "no values"
    return _guess_number(name, found, summary) if is_number(found) else _guess_text(name, summary)


def _unit(unit: str) -> str:
    return {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[unit]


def _guess_number(name: str, found: pa.DataType, summary: Any) -> tuple[str, str]:
    whole = pat.is_integer(found) or summary.decimals == 0
    distinct = _count(summary, len(summary.values))
    if whole and (why := _why_id(name, summary)):
        return "id", f"whole numbers, {why}"
    if whole:
        return "number", f"whole numbers, {distinct}"
    if summary.decimals is None:
        return "number", f"numbers, {distinct}"
    plural = "" if summary.decimals == 1 else "s"
    return "number", f"numbers with at most {summary.decimals} decimal{plural}, {distinct}"


def _count(summary: Any, count: int) -> str:
    least = "" if summary.exact else "at least "
    return f"{least}{count:,} distinct value{'' if count == 1 else 's'}"


def _why_id(name: str, summary: Any) -> str:
    """Say why whole numbers are an identifier; nothing if they are not."""
    rows = _present(summary)
    key = bool(_KEY_NAME.search(name) or _KEY_CAMEL.search(name))
    span = int(summary.highest) - int(summary.lowest) + 1
    if rows < MIN_ID_ROWS or not _unique(summary, rows, span, key):
        return ""
    if key:
        return "all different, and named like a key"
    if rows >= MIN_DENSE_ROWS and span <= 2 * rows:
        return "all different and nearly without gaps"
    digits = {len(str(int(end))) for end in (summary.lowest, summary.highest)}
    if _NUMBER_NAME.search(name) and len(digits) == 1 and int(summary.lowest) > 0:
        return f"all different, each of {digits.pop()} digits, and named like a key"
    return ""


def _unique(summary: Any, rows: int, span: int, key: bool) -> bool:
    if summary.exact:
        return len(summary.values) >= UNIQUE_SHARE * rows
    if span < UNIQUE_SHARE * rows:
        return False
    if span > 2 * rows:
        # Too many values to have counted each one, and too wide to tell: the name decides.
        return key
    # Of unique whole numbers a bucket cannot hold more than fit between its ends.
    lows, highs, counts = summary.ranges()
    return bool(np.mean(counts <= highs - lows + 1) >= UNIQUE_SHARE)


def _guess_text(name: str, summary: Any) -> tuple[str, str]:
    rows = _present(summary)
    distinct = len(summary.levels)
    # Beyond the exact limit the levels are a sample, whose counts are exact.
    share = distinct / int(summary.counts.sum())
    long = summary.mean_length > FREE_TEXT_LENGTH and len(summary.lengths) > 1
    wordy = long or summary.mean_words > FREE_TEXT_WORDS
    if rows >= MIN_ID_ROWS and share >= FREE_TEXT_SHARE and wordy:
        raise SchemaError(
            f"column {name!r} is free text ({share:.0%} of its values differ, "
            f"{summary.mean_words:.0f} words on average), which is not learned; say in the schema "
            f"what to do: {{{name!r}: 'drop'}}, or 'category', or 'id' to have it made anew"
        )
    if rows >= MIN_ID_ROWS and share >= UNIQUE_SHARE:
        return "id", f"short text, {share:.1%} of the values differ{_hint(summary.levels)}"
    return "category", f"text, {_count(summary, distinct)}{_hint(summary.levels)}"


def _hint(levels: pa.Array) -> str:
    dates = all(_ISO_DATE.match(each) for each in levels.slice(0, 20).to_pylist())
    return "; they look like dates: as datetimes they would be learned better" if dates else ""


def _kind_problems(kind: str, found: pa.DataType, summary: Any) -> list[str]:
    """Say why a column of that type cannot be of the kind declared."""
    if kind == "drop" or (not _present(summary) and not is_text(found) and kind == "category"):
        return []
    fits = {
        "number": is_number(found),
        "boolean": pat.is_boolean(found) or _zero_one(found, summary),
        "datetime": pat.is_timestamp(found) or pat.is_date(found),
        "duration": pat.is_duration(found) or pat.is_time(found),
        "id": _can_be_id(found, summary),
        "category": True,
    }[kind]
    if not fits:
        return [f"declared {kind}, but holds {_words(found)} ({found}); {_REMEDIES[kind]}"]
    if kind == "category" and not summary.exact:
        return ["declared category, but has too many distinct values; declare id or drop it"]
    return []


_REMEDIES = {
    "number": "turn it into numbers first, or declare category",
    "boolean": "turn it into true and false (or 0 and 1) first, or declare category",
    "datetime": "turn it into dates or datetimes first, or declare category",
    "duration": "turn it into durations or times first, or declare number or category",
    "id": "identifiers are whole numbers or text; declare category, or drop it",
}


def _words(found: pa.DataType) -> str:
    if pat.is_dictionary(found):
        return "a categorical"
    names = ((is_text, "text"), (is_number, "numbers"), (pat.is_boolean, "true and false"))
    return next((word for check, word in names if check(found)), "times")


def _zero_one(found: pa.DataType, summary: Any) -> bool:
    return is_number(found) and bool(np.isin(summary.values, (0, 1)).all())


def _can_be_id(found: pa.DataType, summary: Any) -> bool:
    if pat.is_dictionary(found):
        return is_text(found.value_type)
    return is_text(found) or pat.is_integer(found) or (is_number(found) and summary.decimals == 0)


def _key_problems(kind: str, said: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} belongs to kind {' or '.join(kinds)}, but the column was taken for {kind}; "
        "declare its kind too"
        for key, kinds in KINDS_OF.items()
        if said.get(key) not in (None, False) and kind not in kinds
    ]


def _declared(
    kind: str,
    found: pa.DataType,
    summary: Any,
    said: Mapping[str, Any],
    levels: pa.Array | None,
    problems: list[str],
) -> dict[str, Any]:
    """Return bounds, decimals, levels and order as the column's own values."""
    declared: dict[str, Any] = {}
    if "bounds" in said:
        declared["bounds"] = _own(said["bounds"], "bounds", found, problems)
        problems += [] if problems else _bounds_problems(declared["bounds"], found, summary)
    if "decimals" in said:
        declared["decimals"] = said["decimals"]
    ordered = pat.is_dictionary(found) and found.ordered and kind == "category"
    if "levels" in said:
        declared["levels"] = _own(said["levels"], "levels", found, problems)
        problems += [] if problems else _levels_problems(declared["levels"], found, summary)
    elif ordered and levels is not None:
        declared["levels"] = tuple(levels.to_pylist())
    elif kind == "boolean" and is_number(found):
        declared["levels"] = (0, 1)
    declared["ordered"] = bool(said.get("ordered", ordered))
    if said.get("ordered") and declared.get("levels") is None:
        problems.append("ordered: expected the levels in their order too, found none")
    return declared


def _own(
    values: tuple[Any, ...], key: str, found: pa.DataType, problems: list[str]
) -> tuple[Any, ...]:
    own = []
    for value in values:
        try:
            own.append(None if value is None else own_value(value, found))
        except ValueError as error:
            problems.append(f"{key}: {error}")
    return tuple(own)


def _bounds_problems(bounds: tuple[Any, ...], found: pa.DataType, summary: Any) -> list[str]:
    low, high = (None if each is None else _tick(each, found) for each in bounds)
    if low is not None and high is not None and low > high:
        return [f"bounds: expected low <= high, found {bounds!r}"]
    if not _present(summary):
        return []
    lows, highs, counts = summary.ranges()
    below = 0 if low is None else int(counts[lows < low].sum())
    above = 0 if high is None else int(counts[highs > high].sum())
    if below + above == 0:
        return []
    about = "" if summary.exact else "about "
    return [
        f"bounds: {about}{below:,} rows lie below and {above:,} above the bounds declared; "
        "widen the bounds, or clean the table first"
    ]


def _tick(value: Any, found: pa.DataType) -> Any:
    """Return a value as the summary counts it: times in ticks of their unit."""
    if pat.is_decimal(found):
        return float(value)
    if not pat.is_temporal(found):
        return value
    width = pa.int32() if pat.is_date32(found) else pa.int64()
    return pa.scalar(value, type=found).cast(width).as_py()


def _levels_problems(levels: tuple[Any, ...], found: pa.DataType, summary: Any) -> list[str]:
    if not _present(summary):
        return []
    if hasattr(summary, "levels"):
        seen = summary.levels
        known = pa.array(levels).cast(seen.type)
        extra = seen.filter(pc.invert(pc.is_in(seen, value_set=known))).drop_null().to_pylist()
    else:
        ticks = [_tick(each, found) for each in levels]
        extra = summary.values[~np.isin(summary.values, ticks)].tolist()
    if not extra:
        return []
    shown = ", ".join(map(repr, extra[:5])) + (", ..." if len(extra) > 5 else "")
    return [f"levels: the table holds {len(extra):,} values beyond those declared: {shown}"]
