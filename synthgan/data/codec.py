"""TableCodec: from tables to codes and back, learned from chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from synthgan.bundle import part
from synthgan.data.blocks import even_blocks, summarise_chunks
from synthgan.data.described import described
from synthgan.data.encoders import Encoder, build_encoders, restore_encoder, spans_of
from synthgan.data.indicators import Group, find_structure, with_groups
from synthgan.data.layout import Layout
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.mending import mend_rows
from synthgan.data.problems import listed, nearest
from synthgan.data.region import Region
from synthgan.data.relations import Relation, Relations
from synthgan.data.schema import Schema, parse_overrides
from synthgan.data.summaries import one_array
from synthgan.data.wanted import ANYTHING
from synthgan.errors import ConditionError, TableError

# the array of a column's state that says which of its values goes with each of its parent's
_FOLLOWS = "follows"
_MOST_SHORT = np.iinfo(np.int16).max


class TableCodec:
    """From tables to codes and back.

    Parameters
    ----------
    schema : Schema
        All columns, dropped ones too.
    encoders : sequence of Encoder
        Those of the columns that are kept, in order.
    rare_threshold : int
        Values in fewer rows are protected.
    rows : int
        How many rows were learned.
    relations : iterable of Relation
        Columns that follow others, and are derived from them.
    groups : iterable of Group
        Categories that columns of the table are dealt out of; they stand behind the columns.

    Attributes
    ----------
    layout : Layout
        Where the columns lie in a row of codes.
    coded : tuple of Encoder
        Those of columns and categories that may have codes, in the order of the layout.

    Examples
    --------
    >>> table = pa.table({"town": ["Ulm", "Bonn", "Ulm"], "n": [1, 2, 2]})
    >>> codec = TableCodec.fit([table], rare_threshold=1)
    >>> rng = np.random.default_rng(0)
    >>> codec.decode(codec.encode([table], rng), rng).column("town").to_pylist()
    ['Ulm', 'Bonn', 'Ulm']
    """

    def __init__(
        self,
        schema: Schema,
        encoders: Sequence[Encoder],
        rare_threshold: int,
        rows: int = 0,
        relations: Iterable[Relation] = (),
        groups: Iterable[Group] = (),
    ) -> None:
        self.schema, self.encoders, self.rare_threshold = schema, tuple(encoders), rare_threshold
        self.rows, self.groups = rows, tuple(groups)
        self._by_name = {encoder.column.name: encoder for encoder in self.encoders}
        every = self._by_name | {group.name: group.encoder for group in self.groups}
        self.relations = Relations(relations, every)
        self._drawn = {
            name: encoder for name, encoder in every.items() if not self.relations.is_folded(name)
        }
        self.coded = tuple(self._drawn.values())
        self.layout = Layout(spans_of(self.coded))

    @classmethod
    def fit(
        cls,
        chunks: Iterable[pa.Table],
        *,
        overrides: Mapping[str, Any] | None = None,
        rare_threshold: int = 5,
    ) -> Self:
        """Learn a codec in one pass.

        Parameters
        ----------
        chunks : iterable of pyarrow.Table
            A table in canonical types.
        overrides : mapping, optional
            What the user says of single columns.
        rare_threshold : int
            Values seen in fewer rows are not emitted; 1 switches protection off.

        Raises
        ------
        SchemaError
            If a column cannot be learned as it is; all problems at once.
        TableError
            If there are no rows.
        """
        types, summaries, levels = summarise_chunks(chunks)
        said = parse_overrides(overrides, list(types))
        rows = next(iter(summaries.values())).rows
        columns, encoders = build_encoders(types, summaries, levels, said, rare_threshold)
        return cls(Schema(tuple(columns)), encoders, rare_threshold, rows)

    def relate(self, chunks: Iterable[pa.Table]) -> Self:
        """Find the columns that follow others, in a second pass.

        Parameters
        ----------
        chunks : iterable of pyarrow.Table
            The rows that were learned, cut in any way.

        Returns
        -------
        TableCodec
            One that keeps these relations; its schema says what follows what.
        """
        found, groups = find_structure(even_blocks(chunks), self.encoders, self.rare_threshold)
        parents = {relation.child: relation.parent for relation in found}
        columns = (
            replace(column, follows=parents.get(column.name, column.follows))
            for column in self.schema
        )
        schema = Schema(tuple(columns))
        return type(self)(schema, self.encoders, self.rare_threshold, self.rows, found, groups)

    @property
    def arrow_schema(self) -> pa.Schema:
        """Types of the columns that come out."""
        return pa.schema([(each.column.name, each.type) for each in self.encoders])

    def encode(
        self, chunks: Iterable[pa.Table], rng: np.random.Generator | None, *, partial: bool = False
    ) -> EncodedMatrix:
        """Encode a table.

        Parameters
        ----------
        chunks : iterable of pyarrow.Table
            The learned columns in their types; others are passed over, and so are those that have
            no codes since they follow another one.
        rng : numpy.random.Generator or None
            Spreads ranks over their intervals and replaces values that are not emitted; without it
            the result is certain, and levels that are not emitted have code -1.
        partial : bool
            Whether columns may be missing: their codes are -1 and their scalars nan.

        Raises
        ------
        TableError
            If columns are missing.
        """
        parts = [self._encode_block(block, rng, partial) for block in even_blocks(chunks)]
        if not parts:
            parts = [EncodedMatrix(*self._empty(0))]
        return parts[0] if len(parts) == 1 else EncodedMatrix.concat(parts)

    def _empty(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes and scalars of unknown cells."""
        most = self.layout.choice_sizes.max(initial=0)
        dtype = np.int16 if most < _MOST_SHORT else np.int32
        # row by row, as training draws them
        codes = np.full((rows, len(self.layout.choices)), -1, dtype=dtype)
        scalars = np.full((rows, self.layout.n_scalars), np.nan, dtype=np.float32)
        return codes, scalars

    def _encode_block(
        self, block: pa.Table, rng: np.random.Generator | None, partial: bool
    ) -> EncodedMatrix:
        block = with_groups(block, self.groups)
        missing = [name for name in self._drawn if name not in block.column_names]
        if missing and not partial:
            raise TableError(f"columns are missing: {', '.join(map(repr, missing))}")
        codes, scalars = self._empty(block.num_rows)
        for name, encoder in self._drawn.items():
            if name not in block.column_names:
                continue
            code, scalar = encoder.encode(one_array(block.column(name)), rng)
            if code is not None:
                codes[:, self.layout.column_choice(name)] = code
            if scalar is not None:
                scalars[:, self.layout.column_scalar(name)] = scalar
        return EncodedMatrix(codes, scalars)

    def decode(
        self,
        matrix: EncodedMatrix,
        rng: np.random.Generator,
        *,
        where: Mapping[str, Any] | None = None,
        first_row: int = 0,
        mend: bool = True,
    ) -> pa.Table:
        """Turn codes back into a table of the learned columns without the dropped ones.

        Parameters
        ----------
        matrix : EncodedMatrix
            Codes of shape (rows, ...).
        rng : numpy.random.Generator
            Draws levels inside their bucket.
        where : mapping, optional
            Conditions; every value that comes out meets them.
        first_row : int
            Number of the first row, from which identifiers are made.
        mend : bool
            Whether parents give way to children that contradict them, see `mend_rows`.

        Raises
        ------
        ConditionError
            If a condition cannot be met; all problems at once.
        """
        wanted = self._settled(where or {})
        if mend:
            matrix = mend_rows(self, matrix, self.relations.wishes(wanted, matrix.rows), rng)
        arrays = {
            name: self.decode_column(name, matrix, rng, wanted.get(name, ANYTHING), first_row)
            for name in self._drawn
        }
        for relation in self.relations:
            parent = arrays[relation.parent]
            arrays[relation.child] = self.relations.derive(relation.child, parent)
        made = [arrays[name] for name in self._by_name]
        return pa.Table.from_arrays(made, schema=self.arrow_schema)

    def decode_column(
        self,
        name: str,
        matrix: EncodedMatrix,
        rng: np.random.Generator,
        wanted: Any = ANYTHING,
        first_row: int = 0,
    ) -> pa.Array:
        """The cells of one column that has codes; all meet the condition, if there is one."""
        choice, scalar = self.layout.column_choice(name), self.layout.column_scalar(name)
        return self._drawn[name].decode(
            None if choice is None else np.ascontiguousarray(matrix.codes[:, choice]),
            None if scalar is None else np.ascontiguousarray(matrix.scalars[:, scalar]),
            rng,
            wanted,
            rows=matrix.rows,
            first_row=first_row,
        )

    def regions(self, where: Mapping[str, Any]) -> list[tuple[str, Region]]:
        """Say which codes meet conditions.

        Parameters
        ----------
        where : mapping
            For each column a value, a list of values, a (low, high) tuple, or None for missing.

        Raises
        ------
        ConditionError
            If a column or value is unknown or cannot come out, or conditions contradict a relation;
            all problems at once.
        """
        settled = self._settled(where)
        # a scalar parent is moved to what its children are, and need not be drawn there
        said = {name: where.get(name) for name in self.relations.scalar_parents if name in settled}
        regions = {name: said.get(name, wanted) for name, wanted in settled.items()}
        return [
            (name, self._drawn[name].region(wanted))
            for name, wanted in regions.items()
            if name not in said or name in where
        ]

    def _settled(self, where: Mapping[str, Any]) -> dict[str, Any]:
        """Conditions on the columns that have codes; those on others are said of their parents."""
        problems = []
        for name, wanted in where.items():
            try:
                self._encoder_of(name).region(wanted)
            except ConditionError as error:
                problems.append(str(error))
        if problems:
            raise ConditionError(problems[0] if len(problems) == 1 else listed("where", problems))
        return self.relations.settle(where)

    def _encoder_of(self, name: Any) -> Encoder:
        if name in self._by_name:
            return self._by_name[name]
        if name in self.schema:
            raise ConditionError(f"column {name!r} was dropped by the schema and is not drawn")
        raise ConditionError(
            f"column {name!r} is not in the learned table{nearest(name, self._by_name)}"
        )

    def describe(self) -> list[dict[str, Any]]:
        """Say of each column what it is taken for and what is hidden, JSON-safe."""
        return described(self.schema, self._by_name, self.rows)

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Describe the codec as a JSON-safe header and named arrays; no whole column is in it."""
        headers = []
        arrays: dict[str, np.ndarray] = {}
        for number, encoder in enumerate(self.encoders):
            header, own = encoder.to_state()
            headers.append(header)
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
            if (name := encoder.column.name) in self.relations:
                arrays[f"{number}.{_FOLLOWS}"] = self.relations[name].places
        header = {
            "schema": self.schema.to_dict(),
            "rare_threshold": self.rare_threshold,
            "rows": self.rows,
            "encoders": headers,
        }
        groups = [group.to_state() for group in self.groups]
        header["groups"] = [told for told, _ in groups]
        for number, (_, own) in enumerate(groups):
            arrays |= {f"group{number}.{name}": array for name, array in own.items()}
        return header, arrays

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the codec that `to_state` described."""
        schema = Schema.from_dict(header["schema"])
        encoders, relations = [], []
        for number, (column, state) in enumerate(zip(schema.kept, header["encoders"], strict=True)):
            own = part(arrays, f"{number}.")
            encoders.append(restore_encoder(column, state, own))
            if isinstance(column.follows, str):
                relations.append(Relation(column.name, column.follows, own[_FOLLOWS]))
        groups = [
            Group.from_state(told, part(arrays, f"group{number}."))
            for number, told in enumerate(header.get("groups", ()))
        ]
        return cls(schema, encoders, header["rare_threshold"], header["rows"], relations, groups)
