"""What a table's columns are: kind, Arrow type, bounds, levels, and why."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from synthgan.data.arrow_types import own_value, type_from_text, value_to_json
from synthgan.data.overrides import KINDS, dropped, parse_overrides, read_overrides
from synthgan.errors import SchemaError

__all__ = ["KINDS", "Column", "Schema", "dropped", "parse_overrides", "read_overrides"]

_ALWAYS = ("name", "kind", "type", "reason")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, as the encoders will treat it.

    Parameters
    ----------
    name : str
        The column's name.
    kind : str
        One of `KINDS`.
    type : str
        The canonical Arrow type as text.
    reason : str
        Why the kind was chosen, in words.
    bounds : tuple of length 2, optional
        Declared lowest and highest value, inclusive, None where open.
    decimals : int, optional
        Declared number of decimals.
    levels : tuple, optional
        Declared levels: the whole list, in order.
    ordered : bool
        Whether the levels have an order.
    rare : bool
        False exempts the column from rare-value protection.
    follows : str or False, optional
        The column that determines this one; False if it is to be learned by itself whatever does.
    """

    name: str
    kind: str
    type: str
    reason: str
    bounds: tuple[Any, Any] | None = None
    decimals: int | None = None
    levels: tuple[Any, ...] | None = None
    ordered: bool = False
    rare: bool = True
    follows: str | bool | None = None

    @property
    def why(self) -> str:
        """The reason, and the column that this one follows."""
        if not isinstance(self.follows, str):
            return self.reason
        return f"{self.reason}; follows {self.follows!r}"

    @property
    def arrow_type(self) -> pa.DataType:
        """The canonical Arrow type."""
        return type_from_text(self.type)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict; what was not declared is left out."""
        plain: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "type": self.type,
            "reason": self.reason,
        }
        if self.bounds is not None:
            plain["bounds"] = [value_to_json(each) for each in self.bounds]
        if self.decimals is not None:
            plain["decimals"] = self.decimals
        if self.levels is not None:
            plain["levels"] = [value_to_json(each) for each in self.levels]
        if self.ordered:
            plain["ordered"] = True
        if not self.rare:
            plain["rare"] = False
        if self.follows is not None:
            plain["follows"] = self.follows
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Column:
        """Return the column that `to_dict` described."""
        found = type_from_text(plain["type"])
        given = dict(plain)
        for key in ("bounds", "levels"):
            if key in given:
                given[key] = tuple(
                    None if each is None else own_value(each, found) for each in given[key]
                )
        return cls(**given)


@dataclass(frozen=True, slots=True, repr=False)
class Schema:
    """The columns of a table, in the table's order; immutable.

    Examples
    --------
    >>> schema = Schema((Column("age", "number", "int64", "whole numbers"),))
    >>> schema["age"].kind
    'number'
    >>> schema
    Schema of 1 column
      age  number  int64  whole numbers
    """

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The names of all columns, dropped ones too."""
        return [column.name for column in self.columns]

    @property
    def kept(self) -> tuple[Column, ...]:
        """The columns that are not dropped."""
        return tuple(column for column in self.columns if column.kind != "drop")

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        rows = [(_line(c.name), c.kind, c.type, _line(c.why)) for c in self.columns]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
        lines = [
            "  " + "  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]) for row in rows
        ]
        plural = "" if len(rows) == 1 else "s"
        return "\n".join([f"Schema of {len(rows)} column{plural}", *lines])

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th>{title}</th>" for title in ("column", "kind", "type", "declared", "why")
        )
        body = "".join(_html_row(column) for column in self.columns)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict."""
        return {"columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_dict` described.

        Raises
        ------
        SchemaError
            If the dict does not describe a schema.
        """
        try:
            return cls(tuple(Column.from_dict(each) for each in plain["columns"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(
                f"expected the description of a schema, found one that cannot be read: {error}"
            ) from error

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the schema as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Return the schema that `to_json` wrote.

        Raises
        ------
        SchemaError
            If the text is not JSON, or does not describe a schema.
        """
        try:
            plain = json.loads(text)
        except ValueError as error:
            raise SchemaError(
                f"expected a schema as JSON, found text that is not: {error}"
            ) from error
        return cls.from_dict(plain)


def _line(text: str) -> str:
    return text if text.isprintable() else repr(text)


def _html_row(column: Column) -> str:
    plain = column.to_dict()
    if isinstance(column.follows, str):
        del plain["follows"]
    declared = ", ".join(f"{key}: {plain[key]}" for key in plain if key not in _ALWAYS)
    cells = (column.name, column.kind, column.type, declared, column.why)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
