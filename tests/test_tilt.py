"""Tilts: what is chosen from a pool comes to noisy tables, as far as noise lets one know them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthgan.data.cell_map import CellMap
from synthgan.data.codec import TableCodec
from synthgan.data.marginals import Marginals
from synthgan.data.matrix import EncodedMatrix
from synthgan.refinement import Tilt, learn_tilt

ROWS, ERROR = 6000, 1e-3


class Pool:
    """A generator that knows columns, and of what goes together two thirds."""

    def __init__(self, matrix: EncodedMatrix) -> None:
        self.matrix = matrix

    def draw(self, rows: int, seed: int) -> EncodedMatrix:
        random = np.random.default_rng(seed)
        place, other = random.integers(0, self.matrix.rows, (2, rows))
        codes, apart = self.matrix.codes[place].copy(), random.random(rows) < 1 / 3
        codes[apart, 0] = self.matrix.codes[other[apart], 0]
        return EncodedMatrix(codes, self.matrix.scalars[place])


@pytest.fixture(scope="module")
def matrix() -> EncodedMatrix:
    return learned()[1]


def learned() -> tuple[TableCodec, EncodedMatrix]:
    random = np.random.default_rng(0)
    kind = random.integers(0, 5, ROWS)
    shade = np.where(random.random(ROWS) < 0.9, kind // 2, random.integers(0, 3, ROWS))
    size = random.normal(kind, 1.0)
    table = pa.table({"kind": kind.astype(str), "shade": shade.astype(str), "size": size})
    codec = TableCodec.fit([table], rare_threshold=1)
    return codec, codec.encode([table], random)


def bought(error: float) -> Marginals:
    codec, matrix = learned()
    cells = CellMap.of(codec.coded, codec.layout, deviation=5.0)
    tables = np.where(cells.apart, cells.tables(matrix) / ROWS, 0.0)
    noise = np.random.default_rng(1).normal(0.0, error, tables.shape)
    options = np.zeros(codec.layout.n_options)
    for choice, first in enumerate(codec.layout.choice_offsets):
        codes = matrix.codes[:, choice].astype(int) + first
        options += np.bincount(codes, minlength=len(options)) / ROWS
    told = tables + np.where(cells.apart, noise, 0.0)
    return Marginals(cells, told, error, options, error, ROWS)


def test_chosen_rows_come_to_the_tables(matrix: EncodedMatrix) -> None:
    told, pool = bought(ERROR), Pool(matrix)
    tilt, found = learn_tilt(pool, told, factor=5, seed=0)  # type: ignore[arg-type]
    assert tilt is not None and found.state == "learned" and 0.5 < found.effective < 1

    def gap(rows: EncodedMatrix) -> float:
        tables = told.cells.tables(rows) / rows.rows - told.cells.tables(matrix) / ROWS
        return float(np.square(tables[:, told.cells.apart]).sum())

    drawn = pool.draw(30_000, seed=9)
    chosen = tilt.refine(drawn, ROWS, np.random.default_rng(2))
    assert chosen.rows == ROWS and gap(chosen) < 0.2 * gap(drawn)


def test_a_tilt_goes_through_a_file_and_a_damaged_one_is_refused(matrix: EncodedMatrix) -> None:
    tilt, _ = learn_tilt(Pool(matrix), bought(ERROR), 5, 0)  # type: ignore[arg-type]
    assert tilt is not None
    header, arrays = tilt.to_state()
    again = Tilt.from_state(header, arrays, learned()[0])
    np.testing.assert_array_equal(again.weights(matrix), tilt.weights(matrix))
    for name in ("pairs", "options"):
        with pytest.raises(ValueError, match="other cells"):
            Tilt.from_state(header, {**arrays, name: arrays[name][..., :-1]}, learned()[0])


def test_a_pool_that_is_wanted_whole_stays_whole(matrix: EncodedMatrix) -> None:
    tilt, _ = learn_tilt(Pool(matrix), bought(ERROR), 5, 0)  # type: ignore[arg-type]
    assert tilt is not None
    assert tilt.refine(matrix.take(slice(0, 50)), 80, np.random.default_rng(0)).rows == 50


def test_what_noise_explains_is_let_be(matrix: EncodedMatrix) -> None:
    loud, pool = bought(1.0), Pool(matrix)
    tilt, found = learn_tilt(pool, loud, 5, 0)  # type: ignore[arg-type]
    assert tilt is None and found.state == "the tables find nothing to refine"


def test_no_time_is_no_tilt(matrix: EncodedMatrix) -> None:
    tilt, found = learn_tilt(Pool(matrix), bought(ERROR), 5, 0, deadline=0.0)  # type: ignore[arg-type]
    assert tilt is None and found.state == "no time was left"
