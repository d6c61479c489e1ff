"""Identifiers: kept out of the game and made anew, never one that was learned from."""

from __future__ import annotations

import re
from math import gcd
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.arrow_types import is_text
from synthgan.data.layout import Span
from synthgan.data.region import Region
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary
from synthgan.errors import ConditionError

# a pattern must have room for this many new identifiers, or it is made one character longer
LEAST_ROOM = 10_000_000
MOST_NUMBER = 1 << 62
ALPHABETS = ("0123456789", "0123456789abcdef", "0123456789ABCDEF")

Arrays = pa.Array | pa.ChunkedArray
_RUNNING = re.compile(r"^(\D*)(\d+)(\D*)$", re.DOTALL)


class IdEncoder:
    """Make identifiers anew, disjoint from the learned ones by construction.

    None of the learned identifiers is stored. Whole numbers, and text that differs in one run of
    digits only, go on above the largest. Other text of one length is read as a number whose digits
    are the characters seen in each place; the new ones lie in a residue class, modulo a prime, that
    no learned one lies in. Where a pattern has no room, or lengths vary, the new ones are a
    character longer than any learned one.

    Parameters
    ----------
    column : Column
        What the column is.
    pattern : dict
        How to make identifiers; JSON-safe.
    rows, missing : int
        Rows learned, and those without a value.
    """

    protected = 0
    options = 0

    def __init__(self, column: Column, pattern: dict[str, Any], rows: int, missing: int) -> None:
        self.column, self.type = column, column.arrow_type
        self.pattern, self.rows, self.missing = pattern, rows, missing

    @classmethod
    def build(
        cls, column: Column, summary: LevelSummary | NumberSummary, threshold: int = 1
    ) -> IdEncoder:
        """Learn a pattern from a finished summary."""
        if summary.missing == summary.rows:
            pattern: dict[str, Any] = {"kind": "null"}
        elif isinstance(summary, NumberSummary):
            pattern = _above(int(summary.highest), int(summary.lowest), column.arrow_type)
        else:
            pattern = _text_pattern(summary)
        return cls(column, pattern, summary.rows, summary.missing)

    @property
    def spans(self) -> list[Span]:
        """Nothing for the networks."""
        return []

    def encode(self, array: Arrays, rng: np.random.Generator | None) -> tuple[None, None]:
        """No codes."""
        return None, None

    def decode(
        self,
        codes: np.ndarray | None,
        scalar: np.ndarray | None,
        rng: np.random.Generator,
        wanted: Any = ...,
        rows: int = 0,
        first_row: int = 0,
    ) -> pa.Array:
        """Identifiers of the rows `first_row` on; each is a function of its row number alone."""
        number = np.arange(first_row, first_row + rows, dtype=np.int64)
        kind = self.pattern["kind"]
        if kind == "null":
            return pa.nulls(rows, self.type)
        if kind == "number":
            made = pa.array(self.pattern["start"] + number * self.pattern["step"])
        elif kind == "running":
            made = _running(self.pattern, number)
        else:
            made = _spelled(self.pattern, number)
        mask = rng.random(rows) < self.missing / self.rows if self.missing else None
        if mask is not None:
            made = pc.if_else(pa.array(mask), pa.scalar(None, made.type), made)
        if pat.is_dictionary(self.type):
            return made.cast(self.type.value_type).dictionary_encode().cast(self.type)
        return made.cast(self.type)

    def region(self, wanted: Any) -> Region:
        """Identifiers take no condition."""
        raise ConditionError(
            f"column {self.column.name!r}: asked for {wanted!r}, but it holds identifiers, which "
            "are made anew and take no condition"
        )

    def describe(self) -> dict[str, Any]:
        """What `info` shows: an example of what will be made."""
        example = self.decode(None, None, np.random.default_rng(0), rows=1)
        return {
            "missing_share": self.missing / self.rows if self.rows else 0.0,
            "example": example.to_pylist()[0],
        }

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-safe header; no arrays."""
        return {"pattern": self.pattern, "rows": self.rows, "missing": self.missing}, {}

    @classmethod
    def from_state(
        cls, column: Column, header: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> IdEncoder:
        """The reverse of `to_state`."""
        return cls(column, header["pattern"], header["rows"], header["missing"])


def _above(highest: int, lowest: int, found: pa.DataType) -> dict[str, Any]:
    """Numbers above the largest, or below the smallest where the type ends too soon."""
    most = MOST_NUMBER
    if pat.is_integer(found):
        most = min(most, int(np.iinfo(found.to_pandas_dtype()).max))
    if most - highest >= min(LEAST_ROOM, most // 2) or lowest <= 0:
        return {"kind": "number", "start": highest + 1, "step": 1}
    return {"kind": "number", "start": lowest - 1, "step": -1}


def _text_pattern(summary: LevelSummary) -> dict[str, Any]:
    longer = {"kind": "spelled", "places": [_seen(summary)] * (summary.max_length + 1), "free": 0}
    longer |= {"residue": 0, "modulus": 1}
    if not summary.exact or not is_text(summary.levels.type):
        return longer
    texts = summary.levels.to_pylist()
    running = _running_pattern(texts)
    if running is not None:
        return running
    if len({len(text) for text in texts}) > 1:
        return longer
    return _spelled_pattern(texts) or longer


def _seen(summary: LevelSummary) -> str:
    """The smallest usual alphabet that spells all levels, or all the characters they use."""
    used = set("".join(summary.levels.to_pylist()))
    usual = (alphabet for alphabet in ALPHABETS if used <= set(alphabet))
    return next(usual, "".join(sorted(used | set("0123456789"))))


def _running_pattern(texts: list[str]) -> dict[str, Any] | None:
    """A constant head and tail around a run of digits that counts."""
    parts = [_RUNNING.match(text) for text in texts]
    if any(part is None for part in parts):
        return None
    heads, digits, tails = zip(*(part.groups() for part in parts if part), strict=True)
    width = max(map(len, digits))
    if len(set(heads)) > 1 or len(set(tails)) > 1 or width > 17:
        return None
    return {
        "kind": "running",
        "head": heads[0],
        "tail": tails[0],
        "width": min(map(len, digits)),
        "start": max(map(int, digits)) + 1,
    }


def _running(pattern: dict[str, Any], number: np.ndarray) -> pa.Array:
    digits = pa.array(number + pattern["start"]).cast(pa.string())
    digits = pc.utf8_lpad(digits, pattern["width"], "0")
    return pc.binary_join_element_wise(pattern["head"], digits, pattern["tail"], "")


def _spelled_pattern(texts: list[str]) -> dict[str, Any] | None:
    """Characters per place, and a residue class of the last places that no text lies in."""
    letters = np.array(texts, dtype=np.str_).view(np.uint32).reshape(len(texts), -1)
    places = [_alphabet(column) for column in letters.T]
    free, room = len(places), 1
    while free > 0 and room * len(places[free - 1]) < MOST_NUMBER:
        free, room = free - 1, room * len(places[free - 1])
    modulus = _prime_above(2 * len(texts))
    if room // modulus < LEAST_ROOM:
        return None
    residues = np.zeros(len(texts), dtype=np.int64)
    for place in range(free, len(places)):
        alphabet = np.array([ord(letter) for letter in places[place]], dtype=np.uint32)
        digit = np.searchsorted(alphabet, letters[:, place])
        residues = (residues * len(alphabet) + digit) % modulus
    empty = np.setdiff1d(np.arange(modulus), residues)
    residue = int(empty[len(empty) // 2])
    return {
        "kind": "spelled", "places": places, "free": free, "residue": residue, "modulus": modulus
    }


def _alphabet(column: np.ndarray) -> str:
    """What may stand in a place: the one character seen, a usual alphabet, or all seen."""
    used = {chr(code) for code in np.unique(column)}
    if len(used) == 1:
        return used.pop()
    usual = (alphabet for alphabet in ALPHABETS if used <= set(alphabet))
    return next(usual, "".join(sorted(used)))


def _prime_above(least: int) -> int:
    candidate = max(least, 3) | 1
    while any(candidate % d == 0 for d in range(3, int(candidate**0.5) + 1, 2)):
        candidate += 2
    return candidate


def _spelled(pattern: dict[str, Any], number: np.ndarray) -> pa.Array:
    """Spell the numbers of the residue class, in an order that looks random."""
    places, free = pattern["places"], pattern["free"]
    last, room = len(places), 1
    first = last
    while first > free and room * len(places[first - 1]) < MOST_NUMBER:
        first, room = first - 1, room * len(places[first - 1])
    count = room // pattern["modulus"]
    value = _scattered(number, count) * pattern["modulus"] + pattern["residue"]
    letters = np.empty((len(number), last), dtype=np.uint32)
    for place in range(last - 1, first - 1, -1):
        alphabet = np.array([ord(letter) for letter in places[place]], dtype=np.uint32)
        letters[:, place] = alphabet[value % len(alphabet)]
        value //= len(alphabet)
    for place in range(first):
        alphabet = np.array([ord(letter) for letter in places[place]], dtype=np.uint32)
        letters[:, place] = alphabet[_scattered(number + place + 1, MOST_NUMBER) % len(alphabet)]
    texts = letters.view(f"<U{last}").ravel() if last else np.full(len(number), "")
    return pa.array(texts.tolist(), type=pa.large_string())


def _scattered(number: np.ndarray, count: int) -> np.ndarray:
    """A permutation of 0..count-1 that sends neighbours far apart, as whole numbers mod count."""
    factor = int(count * 0.6180339887) | 1
    while gcd(factor, count) != 1:
        factor += 2
    # Python's whole numbers, since the product may pass 64 bits
    return np.array([(int(n) * factor + count // 3) % count for n in number], dtype=np.int64)
