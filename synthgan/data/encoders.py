"""One final encoder per kind of column, behind one way to build and to restore them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from synthgan.data.categories import CategoryEncoder
from synthgan.data.identifiers import IdEncoder
from synthgan.data.inference import infer_column
from synthgan.data.layout import Span
from synthgan.data.numbers import NumberEncoder
from synthgan.data.problems import listed
from synthgan.data.schema import Column
from synthgan.data.summaries import LevelSummary, NumberSummary
from synthgan.errors import SchemaError, SynthganWarning

__all__ = [
    "CategoryEncoder",
    "Encoder",
    "IdEncoder",
    "NumberEncoder",
    "build_encoder",
    "build_encoders",
    "restore_encoder",
    "spans_of",
]

Encoder = NumberEncoder | CategoryEncoder | IdEncoder

# columns that a warning names
_NAMED = 5

_ENCODERS: dict[str, type[NumberEncoder] | type[CategoryEncoder] | type[IdEncoder]] = {
    "number": NumberEncoder,
    "datetime": NumberEncoder,
    "duration": NumberEncoder,
    "category": CategoryEncoder,
    "boolean": CategoryEncoder,
    "id": IdEncoder,
}


def build_encoder(column: Column, summary: NumberSummary | LevelSummary, threshold: int) -> Encoder:
    """Finish a summary into the encoder of the column's kind.

    Parameters
    ----------
    column : Column
        What the column is.
    summary : NumberSummary or LevelSummary
        Its values.
    threshold : int
        Values in fewer rows are not emitted; 1 switches protection off.

    Raises
    ------
    SchemaError
        If protection leaves nothing to emit.
    """
    return _ENCODERS[column.kind].build(column, summary, threshold)  # type: ignore[arg-type]


def build_encoders(
    types: Mapping[str, pa.DataType],
    summaries: dict[str, Any],
    levels: Mapping[str, pa.Array],
    said: Mapping[str, Mapping[str, Any]],
    rare_threshold: int,
) -> tuple[list[Column], list[Encoder]]:
    """Decide what each column is, and finish the summaries of those that are kept, one by one.

    Parameters
    ----------
    types, levels : mapping
        Of each column, and the declared levels of ordered ones.
    summaries : dict
        Of each column; it is emptied, since a summary may be large.
    said : mapping
        What the user says of single columns, as `parse_overrides` returns it.
    rare_threshold : int
        Values in fewer rows are protected.

    Raises
    ------
    SchemaError
        If a column cannot be learned as it is; all problems at once.

    Warns
    -----
    SynthganWarning
        If protection leaves a column nothing but missing cells.
    """
    columns: list[Column] = []
    encoders: list[Encoder] = []
    problems: list[str] = []
    for name, found in types.items():
        override, summary = said.get(name, {}), summaries.pop(name)
        try:
            column = infer_column(name, found, summary, override, levels=levels.get(name))
            columns.append(column)
            if column.kind != "drop":
                threshold = 1 if _is_public(column, override) else rare_threshold
                encoders.append(build_encoder(column, summary, threshold))
        except SchemaError as error:
            problems.append(str(error))
    if problems:
        raise SchemaError(problems[0] if len(problems) == 1 else listed("schema", problems))
    _tell_what_is_hidden(encoders, rare_threshold)
    return columns, encoders


def _tell_what_is_hidden(encoders: Sequence[Encoder], rare_threshold: int) -> None:
    """Warn of columns that come out all missing, since each of their values is rare."""
    hidden = [each for each in encoders if _is_hidden(each)]
    if not hidden:
        return
    names = [each.column.name for each in hidden]
    shown = [f"{each.column.name!r} ({each.protected:,} values)" for each in hidden[:_NAMED]]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    warnings.warn(
        f"{'columns' if len(names) > 1 else 'column'} {', '.join(shown)}{more}: each value is seen "
        f"in fewer than {rare_threshold} rows, so none is emitted and all cells come out missing; "
        f"to have them learned, say {{{names[0]!r}: {{'rare': False}}}} in the schema or set "
        f"rare_threshold=1; to leave such a column out, say {{{names[0]!r}: 'drop'}}",
        SynthganWarning,
        stacklevel=2,
    )


def _is_hidden(encoder: Encoder) -> bool:
    """Whether a column has values and none of them may be emitted."""
    if isinstance(encoder, NumberEncoder):
        return encoder.protected > 0 and encoder.learned is None
    return isinstance(encoder, CategoryEncoder) and encoder.is_hidden


def _is_public(column: Column, override: Mapping[str, Any]) -> bool:
    """Whether a column's values may all be shown: exempt, declared, or true and false."""
    return not column.rare or "levels" in override or column.kind == "boolean"


def restore_encoder(
    column: Column, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Encoder:
    """Return the encoder that `to_state` described."""
    return _ENCODERS[column.kind].from_state(column, header, arrays)


def spans_of(encoders: Iterable[Encoder]) -> Iterator[Span]:
    """The spans of columns in the order of the table."""
    choices = 0
    for encoder in encoders:
        name = encoder.column.name
        if encoder.options:
            yield Span(name, "choice", encoder.options)
        if encoder.ranks is not None:
            gate = None if encoder.alive is None else (choices, encoder.alive)
            yield Span(name, "scalar", 1, gate)
        choices += bool(encoder.options)
