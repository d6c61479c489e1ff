"""What a fit leaves behind: codec and networks together draw, fill and score Arrow tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthgan.data.codec import TableCodec
from synthgan.data.features import Features
from synthgan.data.matrix import EncodedMatrix
from synthgan.data.problems import listed
from synthgan.data.region import Region
from synthgan.data.source import Home
from synthgan.errors import ConditionError
from synthgan.estimators.history import plain_records, records_from
from synthgan.estimators.randomness import seed_for, seed_from, stream
from synthgan.refinement import RefinedSampler, Refinement, Refiner
from synthgan.refinement.account import OLD_FILE
from synthgan.sampling import BLOCK_ROWS, Sampler
from synthgan.training import Trained

# what a row of text, or of a type without a fixed width, takes as an object with its pointer
_TEXT_BYTES = 72
# codes, the Arrow table and the caller's own frame live side by side for a moment
_COPIES = 3
# blocks that are decoded before they are joined into one table
_BLOCKS_AT_ONCE = 8
# the random streams of one seed
_DRAWING, _DECODING, _SAMPLING, _SCORING = range(10, 14)
_NAMED_VALUES = 5


@dataclass(frozen=True, slots=True)
class TableModel:
    """A codec, the networks trained on its codes, and what the caller's table was.

    Attributes
    ----------
    codec : TableCodec
        From tables to codes and back.
    home : Home
        The caller's frame type, dtypes and null style.
    trained : Trained
        The sampler and the critic.
    seed : int
        The seed of the fit.
    repeatable : bool
        Whether the caller gave a `random_state`: then samples without one repeat as well.
    refinement : Refinement
        What samples can be refined by, or why by nothing.
    refiner : Refiner or None
        What refines them.
    """

    codec: TableCodec
    home: Home
    trained: Trained
    seed: int
    repeatable: bool
    refinement: Refinement = OLD_FILE
    refiner: Refiner | None = None

    def seed_of(self, random_state: Any) -> int:
        """The seed of a sample: the caller's, else the fit's own if the caller named that one."""
        if random_state is None and self.repeatable:
            return seed_for(self.seed, _SAMPLING)
        return seed_from(random_state)

    def judging_seed(self) -> int:
        """The seed of the sample by which `score` judges: always the same."""
        return seed_for(self.seed, _SCORING)

    def size_of(self, rows: int) -> int:
        """Estimate the memory that a table of that many rows needs while it is made, bytes."""
        return rows * _COPIES * sum(map(_cell_bytes, self.codec.arrow_schema.types))

    def draw(
        self,
        rows: int,
        seed: int,
        where: Mapping[str, Any] | None = None,
        *,
        pool_factor: int = 0,
    ) -> pa.Table:
        """Draw new rows.

        Parameters
        ----------
        rows : int
            How many.
        seed : int
            Decides every cell, block by block.
        where : mapping, optional
            Conditions that every row meets.
        pool_factor : int, default 0
            Rows to choose each refined row from; 0 for rows as the generator draws them.

        Returns
        -------
        pyarrow.Table
            Of shape (rows, columns), in canonical types.
        """
        regions = self.codec.regions(where) if where else []
        if rows == 0:
            return self.codec.arrow_schema.empty_table()
        # whole blocks, so that a shorter sample is the beginning of a longer one; under a condition
        # they would cost too much
        drawn = rows if regions else math.ceil(rows / BLOCK_ROWS) * BLOCK_ROWS
        sampler: Sampler | RefinedSampler = self.trained.sampler
        if self.refiner is not None and pool_factor:
            sampler = RefinedSampler(self.trained.sampler, self.refiner, pool_factor)
        blocks = sampler.blocks(drawn, seed_for(seed, _DRAWING), regions)
        return self._decode(blocks, seed, where).slice(0, rows)

    def fill(self, given: pa.Table, seed: int) -> pa.Table:
        """Fill the null cells of rows, and draw the columns that they lack.

        Parameters
        ----------
        given : pyarrow.Table
            Some of the columns, in canonical types.
        seed : int
            Decides every cell drawn.

        Returns
        -------
        pyarrow.Table
            All columns, in the model's order; cells that were given are the caller's own.
        """
        if given.num_rows == 0:
            return self.codec.arrow_schema.empty_table()
        matrix, filled = self._given_codes(given)
        whole = self.trained.sampler.complete(matrix, seed_for(seed, _DRAWING), filled)
        drawn = self._decode(_cut(whole), seed)
        columns = {
            name: _overlay(given.column(name), drawn.column(name))
            if name in given.column_names
            else drawn.column(name)
            for name in drawn.column_names
        }
        return pa.table(columns)

    def scores(self, table: pa.Table) -> NDArray[np.float64]:
        """Score rows with the critic, shape (rows,); higher is more like the table learned."""
        return self.trained.score(self.codec.encode([table], None))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Describe the model in a JSON-safe header and named arrays."""
        codec, tables = self.codec.to_state()
        trained, nets = self.trained.to_state()
        header = {
            "codec": codec,
            "home": self.home.to_dict(),
            "trained": trained,
            "history": plain_records(self.trained.history),
            "seed": self.seed,
            "repeatable": self.repeatable,
            "refinement": self.refinement.to_dict(),
        }
        arrays = {f"codec.{name}": array for name, array in tables.items()}
        arrays |= {f"trained.{name}": array for name, array in nets.items()}
        if self.refiner is not None:
            header["refiner"], trees = self.refiner.to_state()
            arrays |= {f"refiner.{name}": array for name, array in trees.items()}
        return header, arrays

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `to_state` described; it runs on the CPU."""
        codec = TableCodec.from_state(header["codec"], _part(arrays, "codec."))
        trained = Trained.from_state(header["trained"], _part(arrays, "trained."), codec.layout)
        trained.history = records_from(header["history"])
        home = Home.from_dict(header["home"])
        refinement, refiner = OLD_FILE, None
        if "refinement" in header:
            refinement = Refinement.from_dict(header["refinement"])
        if "refiner" in header:
            trees = _part(arrays, "refiner.")
            refiner = Refiner.from_state(header["refiner"], trees, Features(codec))
        return cls(codec, home, trained, header["seed"], header["repeatable"], refinement, refiner)

    def _decode(
        self,
        blocks: Iterable[EncodedMatrix],
        seed: int,
        where: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        done: list[pa.Table] = []
        for block, codes in enumerate(blocks):
            random, first_row = stream(seed, _DECODING, block), block * BLOCK_ROWS
            done.append(self.codec.decode(codes, random, where=where, first_row=first_row))
            if block % _BLOCKS_AT_ONCE == _BLOCKS_AT_ONCE - 1:
                # many small Arrow buffers among torch's own would keep the heap from shrinking
                done[-_BLOCKS_AT_ONCE:] = [_joined(done[-_BLOCKS_AT_ONCE:])]
        return _joined(done)

    def _given_codes(self, given: pa.Table) -> tuple[EncodedMatrix, list[tuple[str, Region]]]:
        """Codes of the cells that were given, and what may fill their columns' empty cells.

        Everything unknown is -1 or NaN; an empty cell is never filled with another null.

        Raises
        ------
        ConditionError
            Naming every value that the model does not know, with its column.
        """
        matrix = self.codec.encode([given], None, partial=True)
        codes, scalars = matrix.codes.copy(), matrix.scalars.copy()
        layout, regions, problems = self.codec.layout, [], []
        for name in given.column_names:
            empty = given.column(name).is_null().to_numpy()
            choice, scalar = layout.column_choice(name), layout.column_scalar(name)
            if scalar is not None:
                scalars[empty, scalar] = np.nan
            if choice is None:
                continue
            unknown = (codes[:, choice] < 0) & ~empty
            if unknown.any():
                problems.append(_unknown_values(name, given.column(name), unknown))
            if empty.any():
                options = np.arange(layout.choices[choice].size)
                regions.append((name, Region(options != codes[empty, choice][0])))
            codes[empty, choice] = -1
        if problems:
            raise ConditionError(listed("rows", problems))
        return EncodedMatrix(codes, scalars), regions


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _cut(matrix: EncodedMatrix) -> Iterator[EncodedMatrix]:
    """A matrix in blocks, the last one as long as what is left."""
    for start in range(0, matrix.rows, BLOCK_ROWS):
        yield matrix.take(np.arange(start, min(start + BLOCK_ROWS, matrix.rows)))


def _overlay(given: pa.ChunkedArray, drawn: pa.ChunkedArray) -> pa.ChunkedArray:
    """Given cells where there are any, drawn ones elsewhere."""
    if given.null_count == 0:
        return given
    kind = given.type
    if pa.types.is_dictionary(kind):
        # two dictionaries: their values are what can be mixed
        given, drawn = given.cast(kind.value_type), drawn.cast(kind.value_type)
    mixed = pc.if_else(given.is_null(), drawn, given)
    if not pa.types.is_dictionary(kind):
        return mixed
    return mixed.combine_chunks().dictionary_encode().cast(kind)


def _unknown_values(name: str, column: pa.ChunkedArray, unknown: NDArray[np.bool_]) -> str:
    values = column.filter(pa.array(unknown)).unique().to_pylist()
    shown = ", ".join(map(repr, values[:_NAMED_VALUES]))
    more = f" and {len(values) - _NAMED_VALUES} more" if len(values) > _NAMED_VALUES else ""
    return (
        f"column {name!r}: the model does not know {shown}{more} (too rare when it was fitted, or "
        "never seen); empty these cells to have them filled, or leave the column out"
    )


def _cell_bytes(kind: pa.DataType) -> int:
    try:
        return max(8, int(kind.bit_width) // 8)
    except ValueError:
        return _TEXT_BYTES


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
