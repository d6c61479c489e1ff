"""What a fit leaves behind: codec and networks together draw, fill and score Arrow tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from synthgan.bundle import part
from synthgan.conditioning import binding
from synthgan.data.codec import TableCodec
from synthgan.data.indicators import broken
from synthgan.data.mending import mend_rows
from synthgan.data.source import Home
from synthgan.estimators.filling import given_codes, keep_ties, overlaid, places_of
from synthgan.estimators.history import plain_records, records_from
from synthgan.estimators.randomness import seed_from
from synthgan.estimators.workers import in_order
from synthgan.privacy.ledger import Ledger
from synthgan.refinement import RefinedSampler, Refinement, Refiner, Tilt
from synthgan.refinement.account import OLD_FILE
from synthgan.sampling import BLOCK_ROWS, Block, Sampler, block_rows, cut
from synthgan.streams import seed_for, stream
from synthgan.training import Trained

# what a row of text, or of a type without a fixed width, takes as an object with its pointer
_TEXT_BYTES = 72
# codes, the Arrow table and the caller's own frame live side by side for a moment
_COPIES = 3
# blocks that are decoded before they are joined into one table
_BLOCKS_AT_ONCE = 8
# what can refine samples, by its name in a file
_REFINERS: Mapping[str, type[Refiner] | type[Tilt]] = {"refiner": Refiner, "tilt": Tilt}
# the random streams of one seed
_DRAWING, _DECODING, _SAMPLING, _SCORING, _KEEPING = range(10, 15)
# what a row loses of its score for each relation between columns that it contradicts; a critic's
# own scores are some tens
BREACH = 1e6


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
    refiner : Refiner, Tilt or None
        What refines them.
    ledger : Ledger or None
        What was bought of the rows, if the fit was private.
    """

    codec: TableCodec
    home: Home
    trained: Trained
    seed: int
    repeatable: bool
    refinement: Refinement = OLD_FILE
    refiner: Refiner | Tilt | None = None
    ledger: Ledger | None = None

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
        regions = binding(self.codec.regions(where) if where else [], self.codec.layout)
        if rows == 0:
            return self.codec.arrow_schema.empty_table()
        sampler: Sampler | RefinedSampler = self.trained.sampler
        if self.refiner is not None and pool_factor:
            sampler = RefinedSampler(self.trained.sampler, self.refiner, pool_factor)
        drawing = seed_for(seed, _DRAWING)

        def decoded(block: Block) -> pa.Table:
            # a whole block, so that a shorter sample is the beginning of a longer one; under a
            # condition that would cost too much
            whole = block if regions else block._replace(rows=block_rows(block.number))
            matrix = sampler.block(whole, drawing, regions)
            random = stream(seed, _DECODING, block.number)
            made = self.codec.decode(matrix, random, where=where, first_row=block.start)
            return made.slice(0, block.rows)

        threads = torch.get_num_threads()
        return _together(in_order(decoded, cut(rows, regions), threads))

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
        matrix, filled = given_codes(self.codec, given)
        ties = self.codec.relations.ties(given)
        whole = self.trained.sampler.complete(
            matrix, seed_for(seed, _DRAWING), filled, ties, partial(places_of, self.codec)
        )
        keeping = stream(seed, _KEEPING)
        whole = keep_ties(self.codec, whole, ties, keeping)
        whole = mend_rows(self.codec, whole, ties, keeping)
        tables = (
            self.codec.decode(
                whole.take(slice(start, start + BLOCK_ROWS)),
                stream(seed, _DECODING, number),
                first_row=start,
                mend=False,
            )
            for number, start in enumerate(range(0, whole.rows, BLOCK_ROWS))
        )
        return overlaid(given, _together(tables))

    def scores(self, table: pa.Table) -> NDArray[np.float64]:
        """Score rows with the critic, shape (rows,); higher is more like the table learned.

        What follows another column the critic may never have seen: a row that contradicts what was
        learned without exception is set far below all that do not.
        """
        scores = self.trained.score(self.codec.encode([table], None))
        breaches = broken(self.codec.relations, self.codec.groups, table)
        return np.asarray(scores - BREACH * breaches)

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
        if self.ledger is not None:
            header["privacy"] = self.ledger.to_dict()
        if self.refiner is not None:
            kind = next(each for each, of in _REFINERS.items() if isinstance(self.refiner, of))
            header[kind], known = self.refiner.to_state()
            arrays |= {f"{kind}.{name}": array for name, array in known.items()}
        return header, arrays

    @classmethod
    def from_state(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `to_state` described; it runs on the CPU."""
        codec = TableCodec.from_state(header["codec"], part(arrays, "codec."))
        trained = Trained.from_state(header["trained"], part(arrays, "trained."), codec.layout)
        trained.history = records_from(header["history"])
        home = Home.from_dict(header["home"])
        refinement, refiner = OLD_FILE, None
        if "refinement" in header:
            refinement = Refinement.from_dict(header["refinement"])
        for kind, build in _REFINERS.items():
            if kind in header:
                refiner = build.from_state(header[kind], part(arrays, f"{kind}."), codec)
        ledger = Ledger.from_dict(header["privacy"]) if "privacy" in header else None
        seed, repeatable = header["seed"], header["repeatable"]
        return cls(codec, home, trained, seed, repeatable, refinement, refiner, ledger)


def _together(tables: Iterable[pa.Table]) -> pa.Table:
    """One table of the tables of blocks."""
    done: list[pa.Table] = []
    for number, table in enumerate(tables):
        done.append(table)
        if number % _BLOCKS_AT_ONCE == _BLOCKS_AT_ONCE - 1:
            # many small Arrow buffers among torch's own would keep the heap from shrinking
            done[-_BLOCKS_AT_ONCE:] = [_joined(done[-_BLOCKS_AT_ONCE:])]
    return _joined(done)


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _cell_bytes(kind: pa.DataType) -> int:
    try:
        return max(8, int(kind.bit_width) // 8)
    except ValueError:
        return _TEXT_BYTES
