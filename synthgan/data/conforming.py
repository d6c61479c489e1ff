"""Bringing the columns of one table to the names and types of another."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from synthgan.data.arrow_types import canonical_array, is_number, is_text
from synthgan.data.native import RefusedColumn, plain_values
from synthgan.data.problems import nearest


def name_problems(found: list[str], wanted: list[str], partial: bool) -> list[str]:
    """Say which columns are unknown, and which are missing if none may be."""
    problems = [
        f"column {name!r} is unknown to the model{nearest(name, wanted)}"
        for name in found
        if name not in wanted
    ]
    missing = [name for name in wanted if name not in found]
    if missing and not partial:
        problems.append(f"columns are missing: {', '.join(map(repr, missing))}")
    return problems


def cast_problems(chunks: Iterable[pa.Table], schema: pa.Schema) -> list[str]:
    """Try all casts on all rows, so that no later read fails."""
    problems: dict[str, str] = {}
    for chunk in chunks:
        for each in schema:
            if each.name in problems:
                continue
            try:
                fit(chunk[each.name], each.type)
            except (pa.ArrowException, RefusedColumn) as error:
                problems[each.name] = (
                    f"column {each.name!r}: expected {each.type}, "
                    f"found {chunk[each.name].type}: {error}"
                )
    return list(problems.values())


def fit(array: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    """Return the column in the canonical type wanted, if its values have a place there.

    Raises
    ------
    RefusedColumn
        If the types say different things, such as text and a number.
    pyarrow.ArrowException
        If a value does not fit, such as 1.5 among whole numbers.
    """
    if array.type == target:
        return array
    if pat.is_dictionary(target):
        dense = fit(plain_values(array), target.value_type)
        return canonical_array(dense.dictionary_encode(), target)
    array = plain_values(array)
    if array.type == target:
        return array
    if array.null_count == len(array):
        return pa.chunked_array([pa.nulls(len(array), target)])
    sorts = _sort(array.type), _sort(target)
    if sorts[0] != sorts[1] and not (pat.is_integer(array.type) and sorts[1] == "text"):
        raise RefusedColumn(f"{sorts[0]} cannot be taken for {sorts[1]}; convert the column")
    made = array.cast(target)
    if pat.is_date(target) and not pc.all(pc.equal(made.cast(array.type), array)).as_py():
        raise RefusedColumn("moments with a time of day are no dates")
    return made


def _sort(found: pa.DataType) -> str:
    if pat.is_timestamp(found) and found.tz is not None:
        return "a moment with a time zone"
    words = (
        (is_text, "text"),
        (is_number, "a number"),
        (pat.is_boolean, "true or false"),
        (pat.is_duration, "a length of time"),
        (pat.is_time, "a time of day"),
    )
    return next((word for check, word in words if check(found)), "a moment without a time zone")
