"""Spans and layouts: the treaty between tables and networks, and all column-offset arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class Span:
    """One group of codes of one column.

    Attributes
    ----------
    column : str
        The column it encodes.
    kind : {"choice", "scalar"}
        One of `size` options, or one number in [-1, 1].
    size : int
        Number of options; 1 for a scalar.
    gate : tuple of int or None
        For a scalar: the choice (by number among the choices) and option under which it is alive.
    """

    column: str
    kind: Literal["choice", "scalar"]
    size: int = 1
    gate: tuple[int, int] | None = None


class Layout:
    """Where every column lies in a row as the networks see it.

    A row, of shape (width,), is the one-hot of every choice span in order, then all scalars; a
    scalar whose gate is shut is 0.

    Parameters
    ----------
    spans : iterable of Span
        In the order of the table; at most one choice and one scalar for each column.

    Raises
    ------
    ValueError
        If a gate names a choice or an option that does not exist.

    Examples
    --------
    >>> layout = Layout([Span("sex", "choice", 3), Span("age", "scalar")])
    >>> layout.width, layout.column_choice("sex"), layout.column_scalar("age")
    (4, 0, 0)
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = tuple(spans)
        self.choices = tuple(span for span in self.spans if span.kind == "choice")
        self.scalars = tuple(span for span in self.spans if span.kind == "scalar")
        self.choice_sizes = np.array([span.size for span in self.choices], dtype=np.int64)
        self.choice_offsets = np.cumsum(self.choice_sizes) - self.choice_sizes
        self.n_options = int(self.choice_sizes.sum())
        self.n_scalars = len(self.scalars)
        gates = [span.gate or (-1, -1) for span in self.scalars]
        self.gate_choice = np.array([gate[0] for gate in gates], dtype=np.int64)
        self.gate_option = np.array([gate[1] for gate in gates], dtype=np.int64)
        for choice, option in zip(self.gate_choice, self.gate_option, strict=True):
            if choice >= len(self.choices) or (choice >= 0 and option >= self.choice_sizes[choice]):
                raise ValueError(f"a gate names option {option} of choice {choice}: no such option")
        self._choice_of = {span.column: number for number, span in enumerate(self.choices)}
        self._scalar_of = {span.column: number for number, span in enumerate(self.scalars)}

    @property
    def width(self) -> int:
        """Length of a row as the networks see it."""
        return self.n_options + self.n_scalars

    def column_choice(self, name: str) -> int | None:
        """Number of the column's choice among the choices, if it has one."""
        return self._choice_of.get(name)

    def column_scalar(self, name: str) -> int | None:
        """Number of the column's scalar among the scalars, if it has one."""
        return self._scalar_of.get(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self.spans == other.spans

    def __hash__(self) -> int:
        return hash(self.spans)
