"""Patterns of text identifiers, and new identifiers in them that were never learned from."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.data.arrow_types import TEXT
from synthgan.data.level_summary import LevelSummary, common_start
from synthgan.data.text_hash import mix

# A pattern that has not this many new identifiers, and twice as many as were learned, is no use.
LEAST_ROOM = 20_000
# Enough for any sample, and small enough that products of two stay below 64 bits.
MOST_ROOM = 1 << 32
_MOST_DIGITS = 17
_FEW_TEXTS = 200
_DIGITS = "0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_ALPHABETS = (
    _DIGITS,
    "0123456789abcdef",
    "0123456789ABCDEF",
    _LOWER,
    _LOWER.upper(),
    _DIGITS + _LOWER,
    _DIGITS + _LOWER.upper(),
    _DIGITS + _LOWER.upper() + _LOWER,
)


@dataclass(frozen=True, slots=True)
class Running:
    """A head, a number that goes on above all learned ones, and a tail."""

    head: str
    width: int
    start: int
    tail: str

    @property
    def room(self) -> int:
        """How many identifiers there are."""
        return int(10**18 - self.start)

    def spell(self, numbers: np.ndarray) -> pa.Array:
        """Identifiers of shape (numbers,), each a function of its number."""
        digits = pa.array(numbers + self.start).cast(TEXT)
        digits = pc.utf8_lpad(digits, self.width, "0")
        ends = (pa.scalar(end, TEXT) for end in (self.head, self.tail, ""))
        head, tail, glue = ends
        return pc.binary_join_element_wise(head, digits, tail, glue)


@dataclass(frozen=True, slots=True)
class Spelled:
    """Text of one length, read as a number whose digits are the letters allowed in each place.

    The numbers made leave the remainder `residue` when divided by `modulus`; no learned one does.

    Attributes
    ----------
    places : tuple of str
        The letters allowed in each place, in order; ASCII.
    residue, modulus : int
        What tells new texts from learned ones; 0 and 1 where the length does.
    """

    places: tuple[str, ...]
    residue: int
    modulus: int

    @property
    def tail(self) -> tuple[int, int]:
        """First of the places whose number runs, and how many numbers they have in all."""
        first, room = len(self.places), 1
        while first > 0 and room // self.modulus < MOST_ROOM:
            first -= 1
            room *= len(self.places[first])
        return first, room

    @property
    def room(self) -> int:
        """How many identifiers there are."""
        return self.tail[1] // self.modulus

    def spell(self, numbers: np.ndarray) -> pa.Array:
        """Identifiers of shape (numbers,), each a function of its number."""
        first, room = self.tail
        letters = np.empty((len(numbers), len(self.places)), dtype=np.uint8)
        head = np.zeros(len(numbers), dtype=np.int64)
        for place in range(first):
            size = len(self.places[place])
            # the places before the running ones only look random
            code = mix((numbers * 131 + place).astype(np.uint64)) % np.uint64(size)
            code = code.astype(np.int64)
            letters[:, place] = _bytes(self.places[place])[code]
            head = (head * size + code) % self.modulus
        value = _scattered(numbers, room // self.modulus) * self.modulus
        value += (self.residue - head * (room % self.modulus)) % self.modulus
        for place in range(len(self.places) - 1, first - 1, -1):
            size = len(self.places[place])
            letters[:, place] = _bytes(self.places[place])[value % size]
            value //= size
        offsets = np.arange(len(numbers) + 1, dtype=np.int64) * len(self.places)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters.ravel())]
        return pa.Array.from_buffers(TEXT, len(numbers), buffers)


Pattern = Running | Spelled


def pattern_to_dict(pattern: Pattern) -> dict[str, Any]:
    """JSON-safe form of a pattern."""
    state = {"kind": type(pattern).__name__, **asdict(pattern)}
    if isinstance(pattern, Spelled):
        state["places"] = list(pattern.places)
    return state


def pattern_from_dict(state: dict[str, Any]) -> Pattern:
    """The reverse of `pattern_to_dict`."""
    values = {name: value for name, value in state.items() if name != "kind"}
    if state["kind"] == "Running":
        return Running(**values)
    return Spelled(**{**values, "places": tuple(values["places"])})


def rounded_up(number: int) -> int:
    """The next number above with at most two digits that are not zero, so that none is given away.

    Examples
    --------
    >>> rounded_up(32_561), rounded_up(7), rounded_up(-1)
    (33000, 8, 0)
    """
    if number < 10:
        return number + 1
    step = 10 ** (len(str(number)) - 2)
    return int((number // step + 1) * step)


def learn_patterns(summary: LevelSummary) -> list[Pattern]:
    """Learn how to make new texts.

    Parameters
    ----------
    summary : LevelSummary
        Of a column of text with at least one value.

    Returns
    -------
    list of Pattern
        The first that has room makes an identifier; texts of different patterns differ.
    """
    letters = _letters(summary.levels)
    patterns: list[Pattern] = []
    if summary.exact:
        running = _running(summary.levels)
        if running is not None and not _leaves_its_width(running, summary):
            return [running]
        spelled = _spelled(letters)
        if spelled is not None:
            patterns.append(spelled)
        elif running is not None:
            return [running]
    return [*patterns, _longer(summary, letters)]


def _letters(levels: pa.Array) -> np.ndarray | None:
    """ASCII texts of the most frequent length as letters of shape (texts, length)."""
    lengths = np.asarray(pc.binary_length(levels))
    sizes = np.bincount(lengths)
    size = int(np.argmax(sizes))
    texts = levels.filter(pa.array(lengths == size))
    if size == 0 or not pc.all(pc.string_is_ascii(texts)).as_py():
        return None
    texts = pa.concat_arrays([texts.cast(TEXT)])
    start = int(np.frombuffer(texts.buffers()[1], np.int64)[texts.offset])
    letters = np.frombuffer(texts.buffers()[2], np.uint8)[start : start + size * len(texts)]
    return letters.reshape(len(texts), size)


def _running(levels: pa.Array) -> Running | None:
    """Texts that are alike but for one run of digits."""
    head = _common(levels).rstrip(_DIGITS)
    tail = _common(pc.utf8_reverse(levels))[::-1].lstrip(_DIGITS)
    rest = pc.utf8_slice_codeunits(levels, len(head))
    if tail:
        rest = pc.utf8_slice_codeunits(rest, 0, -len(tail))
    widths = pc.min_max(pc.utf8_length(rest)).as_py()
    if widths["min"] == 0 or widths["max"] > _MOST_DIGITS:
        return None
    if not (pc.all(pc.ascii_is_decimal(rest)).as_py() and pc.all(pc.string_is_ascii(rest)).as_py()):
        return None
    highest = pc.max(rest.cast(pa.int64())).as_py()
    return Running(head, widths["min"], rounded_up(highest), tail)


def _common(levels: pa.Array) -> str:
    return common_start(pc.min_max(levels).as_py().values())


def _leaves_its_width(running: Running, summary: LevelSummary) -> bool:
    """Whether numbers of one width would soon get longer."""
    one_width = len(summary.lengths) == 1
    return one_width and running.start + _least_room(len(summary.levels)) > 10**running.width


def _least_room(texts: int) -> int:
    return max(LEAST_ROOM, 2 * texts)


def _spelled(letters: np.ndarray | None) -> Spelled | None:
    """Letters by place, and a remainder that none of the texts leaves."""
    if letters is None:
        return None
    places = tuple(_alphabet(column) for column in letters.T)
    values = math.prod(len(place) for place in places)
    count = len(letters)
    modulus = _prime_above(2 * count)
    residues = _residues(letters, places, modulus)
    # a smaller modulus has more room, if it has a free remainder
    while modulus > 3:
        smaller = _prime_above(modulus // 2)
        tried = _residues(letters, places, smaller)
        if smaller >= modulus or len(np.unique(tried)) == smaller:
            break
        modulus, residues = smaller, tried
    if values // modulus < _least_room(count):
        return None
    free = np.setdiff1d(np.arange(modulus), residues)
    return Spelled(places, int(free[len(free) // 2]), modulus)


def _residues(letters: np.ndarray, places: tuple[str, ...], modulus: int) -> np.ndarray:
    """Remainders of the texts whose letters are all allowed; others cannot be made anyway."""
    value = np.zeros(len(letters), dtype=np.int64)
    allowed = np.ones(len(letters), dtype=bool)
    for place, alphabet in enumerate(places):
        code = np.full(256, -1, dtype=np.int64)
        code[_bytes(alphabet)] = np.arange(len(alphabet))
        digit = code[letters[:, place]]
        allowed &= digit >= 0
        value = (value * len(alphabet) + digit) % modulus
    return value[allowed]


def _alphabet(column: np.ndarray) -> str:
    """What may stand in a place: the one letter seen, a usual alphabet, or all that is frequent."""
    counts = np.bincount(column, minlength=128)
    seen = {chr(code) for code in np.flatnonzero(counts)}
    if len(seen) == 1:
        return seen.pop()
    usual = next((each for each in _ALPHABETS if seen <= set(each)), None)
    if usual is not None and (2 * len(seen) >= len(usual) or len(column) < _FEW_TEXTS):
        return usual
    frequent = np.flatnonzero(counts >= max(5, len(column) // 1_000))
    if len(frequent) > 1:
        return "".join(chr(code) for code in frequent)
    return usual or "".join(sorted(seen))


def _longer(summary: LevelSummary, letters: np.ndarray | None) -> Pattern:
    """Texts that are longer than all that were learned."""
    length = summary.max_length + 1
    if letters is None:
        head = (summary.prefix or "").rstrip(_DIGITS)
        # the running number has this many digits or more, whatever the row
        return Running(head, max(length - len(head), 9), 0, "")
    places = [_alphabet(column) for column in letters.T]
    varied = next((place for place in reversed(places) if len(place) > 1), _DIGITS)
    while len(places) < length or Spelled(tuple(places), 0, 1).room < MOST_ROOM:
        places.append(varied)
    return Spelled(tuple(places), 0, 1)


def _prime_above(least: int) -> int:
    candidate = max(least, 3) | 1
    while any(candidate % d == 0 for d in range(3, math.isqrt(candidate) + 1, 2)):
        candidate += 2
    return candidate


def _bytes(alphabet: str) -> np.ndarray:
    return np.frombuffer(alphabet.encode("ascii"), np.uint8)


def _scattered(numbers: np.ndarray, count: int) -> np.ndarray:
    """A permutation of 0..count-1 that sends neighbours far apart."""
    factor = int(count * 0.6180339887) | 1
    while math.gcd(factor, count) != 1:
        factor += 2
    # the product in two steps, so that it stays below 64 bits
    high, low = divmod(factor, 1 << 19)
    numbers = numbers % count
    moved = (numbers * high % count << 19) + numbers * low
    return np.asarray((moved + int(count * 0.3819660113)) % count)
