"""The small language of ``--where``: text typed in a shell, read by the kind of its column.

``age=30`` is a value, ``age=30:40`` an inclusive range (``30:`` and ``:40`` are open), ``sex=a|b``
any of several, ``age=`` a missing value; in ``title="a|b"`` the quoted text is taken as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from synthgan.data.problems import listed
from synthgan.errors import ConditionError, ParameterError

if TYPE_CHECKING:
    from synthgan.data.schema import Column, Schema

# A quote opens only where a value may start, closes only where one may end: 5" pipe is itself.
_TOKEN = re.compile(r'(?P<quoted>"(?:[^"]|"")*")(?=[|:]|$)|(?P<mark>[|:])|(?P<plain>[^|:]+)')
# Stricter than fromisoformat, which in Python 3.11 takes 08:00:09:30 for one time of day.
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_MOMENT = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[T ]{_TIME}(?:Z|[+-]\d\d:?\d\d)?)?")
_CLOCK = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<days>\d+)\s*d(?:ays?)?,?\s*)?"
    r"(?P<hours>\d+):(?P<minutes>\d\d)(?::(?P<seconds>\d\d(?:\.\d+)?))?"
)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(weeks?|days?|hours?|min|minutes?|ms|us|[wdhms])\s*")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6}
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def check_conditions(texts: Iterable[str]) -> None:
    """Refuse conditions that are not of the form ``COLUMN=VALUE``, before any file is read."""
    wrong = [text for text in texts if "=" not in text[1:]]
    if wrong:
        found = ", ".join(repr(text) for text in wrong)
        raise ParameterError(
            f"--where: expected COLUMN=VALUE, found {found}; for example --where age=30:40"
        )


def read_conditions(texts: Sequence[str], schema: Schema) -> dict[str, Any]:
    """Turn the texts of ``--where`` into the mapping that ``SynthGAN.sample(where=...)`` takes."""
    conditions: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, value = _split(text, schema.names)
        if name in conditions:
            problems.append(f"column {name!r}: has two conditions; use low:high or a|b in one")
        try:
            conditions[name] = _read_value(value, schema[name] if name in schema.names else None)
        except ValueError as error:
            problems.append(f"column {name!r}: {error}")
    if problems:
        raise ConditionError(listed("--where", problems))
    return conditions


def _split(text: str, names: Sequence[str]) -> tuple[str, str]:
    """Split at the '=' after the longest column name that fits: a name may hold '=' itself."""
    known = [name for name in map(str, names) if text.startswith(f"{name}=")]
    name = max(known, key=len) if known else text[: text.index("=", 1)]
    return name, text[len(name) + 1 :]


def _read_value(text: str, column: Column | None) -> Any:
    alternatives: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(text):
        if token.group() == "|" and token.lastgroup == "mark":
            alternatives.append([])
        else:
            alternatives[-1].append(token)
    values = [_read_alternative(tokens, column) for tokens in alternatives]
    if len(values) == 1:
        return values[0]
    if any(isinstance(value, tuple) for value in values):
        raise ValueError(f"{text!r} mixes ranges and '|'; give one range, or several values")
    return values


def _read_alternative(tokens: list[re.Match[str]], column: Column | None) -> Any:
    if not tokens:
        return None
    read = _reader(column)
    marks = [i for i, token in enumerate(tokens) if token.lastgroup == "mark"]
    if not marks or not _has_order(column):
        return read(_text(tokens))
    if (whole := _attempt(read, tokens)) is not None:
        return whole[0]
    ends = [(_attempt(read, tokens[:i]), _attempt(read, tokens[i + 1 :])) for i in marks]
    ranges = [(low[0], high[0]) for low, high in ends if low and high]
    ranges = [(low, high) for low, high in ranges if low is not None or high is not None]
    found = "".join(token.group() for token in tokens)
    if not ranges:
        raise ValueError(f"expected a value or low:high ({_shape(column)}), found {found!r}")
    if len(ranges) > 1:
        raise ValueError(f'{found!r} can be read in several ways; write "low":"high", in quotes')
    return ranges[0]


def _attempt(read: Callable[[str], Any], tokens: list[re.Match[str]]) -> tuple[Any] | None:
    """Read one end of a range; no text is an open end, None says that it cannot be read."""
    if not tokens:
        return (None,)
    try:
        return (read(_text(tokens)),)
    except ValueError:
        return None


def _text(tokens: list[re.Match[str]]) -> str:
    if len(tokens) == 1 and tokens[0].lastgroup == "quoted":
        return tokens[0].group()[1:-1].replace('""', '"')
    return "".join(token.group() for token in tokens)


def _has_order(column: Column | None) -> bool:
    if column is None:
        return False
    return column.kind in ("number", "datetime", "duration") or column.ordered


def _shape(column: Column | None) -> str:
    """Say what a value of this column looks like."""
    if column is None or column.kind in ("id", "drop"):
        return "text"
    if column.kind == "datetime":
        return "a date such as 2013-01-31 or 2013-01-31T14:30"
    if column.kind == "duration":
        return "14:30:00" if column.type.startswith("time") else "a duration such as 90s or 1d 2:30"
    if column.kind == "category" and column.levels:
        return f"one of {', '.join(map(str, column.levels[:8]))}"
    return {"number": "a number", "boolean": "true or false"}.get(column.kind, column.type)


def _reader(column: Column | None) -> Callable[[str], Any]:
    if column is None:
        return str
    if column.kind == "duration" and column.type.startswith("time"):
        return _told(_time_of_day, column)
    readers: dict[str, Callable[[str], Any]] = {
        "number": _decimal if column.type.startswith("decimal") else _number,
        "boolean": _boolean if "bool" in column.type else _zero_one,
        "datetime": _datetime,
        "duration": _duration,
        "category": _level_reader(column),
    }
    return _told(readers.get(column.kind, str), column)


def _told(read: Callable[[str], Any], column: Column) -> Callable[[str], Any]:
    """Make the reader's refusal say what was expected."""

    def told(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, ArithmeticError):
            raise ValueError(f"expected {_shape(column)}, found {text!r}") from None

    return told


def _level_reader(column: Column) -> Callable[[str], Any]:
    known = {str(level): level for level in column.levels or ()}
    if known and column.ordered:
        return lambda text: _lookup(known, text)
    if "string" in column.type:
        return str
    if "bool" in column.type:
        return _boolean
    return _number if re.search(r"int|float|double", column.type) else str


def _lookup(known: dict[str, Any], text: str) -> Any:
    if text not in known:
        raise ValueError(text)
    return known[text]


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _decimal(text: str) -> Decimal:
    number = Decimal(text.strip())
    if not number.is_finite():
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool:
    return bool(_lookup(_TRUTH, text.strip().lower()))


def _zero_one(text: str) -> int:
    return int(_boolean(text))


def _datetime(text: str) -> str:
    """Check the date and pass it on as text: Python's own datetime would lose nanoseconds."""
    text = text.strip()
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    datetime.fromisoformat(text)
    return text


def _time_of_day(text: str) -> time:
    if not re.fullmatch(_TIME, text.strip()):
        raise ValueError(text)
    return time.fromisoformat(text.strip())


def _duration(text: str) -> timedelta:
    text = text.strip().lower()
    if clock := _CLOCK.fullmatch(text):
        parts = {key: float(clock[key] or 0) for key in ("days", "hours", "minutes", "seconds")}
        return timedelta(**parts) * (-1 if clock["sign"] == "-" else 1)
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    amounts = _AMOUNT.findall(rest)
    if not amounts or _AMOUNT.sub("", rest):
        raise ValueError(text)
    units = [unit if unit in _SECONDS else unit[0] for _, unit in amounts]
    seconds = sum(float(n) * _SECONDS[u] for (n, _), u in zip(amounts, units, strict=True))
    return sign * timedelta(seconds=seconds)
