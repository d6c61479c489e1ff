"""All scores of a table together: learned once, asked by name, and brought to one measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.anomaly.marks import Marks
from synthgan.anomaly.members import GAUGING, SCORES, Context, learn_members
from synthgan.anomaly.neighbours import ODD_SHARE
from synthgan.anomaly.rows import Rows
from synthgan.anomaly.scale import Scale
from synthgan.anomaly.surprise import Cells
from synthgan.bundle import part
from synthgan.data.codec import TableCodec
from synthgan.streams import stream
from synthgan.training import Trained

# rows of the table by which a score's measure is taken
GAUGED, SLOWLY_GAUGED = 20_000, 1_000
# in quartile ranges: how odd one score alone can make a row, and what a broken relation adds
MOST, BREACH = 10.0, 10.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OddCell:
    """A cell that makes its row odd.

    Attributes
    ----------
    row : int
        Number of the row.
    column : str
        Its column.
    value, expected : object
        What stands there, and what was to be expected.
    surprise : float
        Minus the natural logarithm of the chance of a cell as odd as this one.
    """

    row: int
    column: str
    value: Any
    expected: Any
    surprise: float


class AnomalyModel:
    """What is usual in a table, by one or more scores.

    Parameters
    ----------
    codec : TableCodec
        What was learned of the columns.
    trained : Trained or None
        The pair, where a score asks for one.
    scale : Scale
        What is usual in each column.
    members : mapping of str to object
        What each score was learned as.
    gauges : mapping of str to (float, float)
        Median and quartile range of each score on the rows that were learned.
    """

    def __init__(
        self,
        codec: TableCodec,
        trained: Trained | None,
        scale: Scale,
        members: Mapping[str, Any],
        gauges: Mapping[str, tuple[float, float]],
    ) -> None:
        self.codec, self.trained, self.scale = codec, trained, scale
        self.marks = Marks(codec)
        self.members, self.gauges = dict(members), dict(gauges)

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that the combination is the mean of."""
        return tuple(self.gauges)

    @classmethod
    def learn(
        cls,
        table: pa.Table,
        codec: TableCodec,
        trained: Trained | None,
        draw: Callable[[int], pa.Table] | None,
        names: Sequence[str],
        seed: int,
        *,
        odd: float = ODD_SHARE,
    ) -> Self:
        """Learn scores from a table and a pair that was trained on it.

        Parameters
        ----------
        table : pyarrow.Table
            The rows.
        codec, trained
            The model of the table.
        draw : callable or None
            Gives so many generated rows, where a score asks for them.
        names : sequence of str
            The scores wanted.
        seed : int
            Decides everything random.
        odd : float
            Share of the rows that are not taken for typical; 0 where all are known to be normal.
        """
        marks = Marks(codec)
        rows = Rows(table, codec, marks, None, trained)
        robust = odd > 0
        scale = Scale.learn(rows.marks, marks.categorical, marks.levels, robust=robust)
        rows.scale = scale
        members = learn_members(rows, scale, draw, names, seed, odd)
        model = cls(codec, trained, scale, members, {})
        for name in names:
            model.gauges[name] = model._gauge(name, rows, seed)
        return model

    def _gauge(self, name: str, rows: Rows, seed: int) -> tuple[float, float]:
        most = SLOWLY_GAUGED if SCORES[name].slow else GAUGED
        if rows.count > most:
            drawn = np.sort(stream(seed, GAUGING).permutation(rows.count)[:most])
            rows = self.rows(rows.table.take(pa.array(drawn)))
        found = self.oddness(name, rows)
        low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
        spread = high - low if high > low else found.std()
        return float(middle), float(spread) if spread > 1e-12 else 1.0

    def rows(self, table: pa.Table) -> Rows:
        """A table in every form that a score asks for."""
        return Rows(table, self.codec, self.marks, self.scale, self.trained)

    def oddness(self, name: str, rows: Rows) -> Floats:
        """One score as it comes, of shape (n,); higher is odder."""
        return np.asarray(SCORES[name].ask(self.members[name], rows), dtype=np.float64)

    def measured(self, rows: Rows) -> dict[str, Floats]:
        """Every score in quartile ranges above its median among the rows that were learned."""
        found = {}
        for name, (middle, spread) in self.gauges.items():
            found[name] = np.clip((self.oddness(name, rows) - middle) / spread, -MOST, MOST)
        return found

    def combined(self, rows: Rows) -> Floats:
        """Mean of all scores, of shape (n,); higher is odder.

        A row that contradicts a relation between columns which the learned table keeps without
        exception is odd, whatever else is said of it.
        """
        total: Floats = np.mean(list(self.measured(rows).values()), axis=0)
        return total + BREACH * rows.breaches

    def cells(self, rows: Rows) -> Cells:
        """What is odd about each cell: by the others of its row, or by itself."""
        found: Cells = self.members["surprise"].cells(rows.marks)
        alone = self.scale.tails(rows.marks)
        # rare by itself, and just what the others of its row say: then it is rare against the rest
        rare = (alone > found.surprise) & (found.expected == rows.marks)
        expected = np.where(rare, self.scale.usual, found.expected)
        return Cells(np.maximum(found.surprise, alone), expected)

    def odd_cells(self, rows: Rows, most: int, least: float) -> list[OddCell]:
        """At most so many cells of each row whose surprise is at least so large, oddest first."""
        cells, found = self.cells(rows), []
        order = np.argsort(-cells.surprise, axis=1, kind="stable")[:, :most]
        named = np.take_along_axis(cells.surprise, order, axis=1) >= least
        expected = {
            number: self.marks.values(number, cells.expected[:, number])
            for number in np.unique(order[named]).tolist()
        }
        for row, place in zip(*np.nonzero(named), strict=True):
            number = int(order[row, place])
            name = self.marks.names[number]
            found.append(
                OddCell(
                    int(row),
                    name,
                    rows.table.column(name)[int(row)].as_py(),
                    expected[number][row],
                    float(cells.surprise[row, number]),
                )
            )
        return found

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A JSON-safe header and arrays, without codec and pair."""
        header: dict[str, Any] = {"gauges": {k: list(v) for k, v in self.gauges.items()}}
        arrays: dict[str, NDArray[Any]] = {}
        own_states = {k: v for k, v in self.members.items() if v is not self.scale}
        kept = {"scale": self.scale, **own_states}
        header["members"] = list(self.members)
        header["states"] = {}
        for name, member in kept.items():
            header["states"][name], own = member.to_state()
            arrays |= {f"{name}.{key}": value for key, value in own.items()}
        return header, arrays

    @classmethod
    def from_state(
        cls,
        header: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        codec: TableCodec,
        trained: Trained | None,
    ) -> Self:
        """The reverse of `to_state`."""
        states = header["states"]
        scale = Scale.from_state(states["scale"], part(arrays, "scale."))
        shared = Context(scale, trained)
        members = {
            name: SCORES[name].read(states.get(name), part(arrays, f"{name}."), shared)
            for name in header["members"]
        }
        gauges = {name: (each[0], each[1]) for name, each in header["gauges"].items()}
        return cls(codec, trained, scale, members, gauges)
