"""What is learned of a number's distribution: spikes, atoms, and quantiles of what lies between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgan.data.ranks import RankMap, between

# A spike holds so many of the rows, and so many times what a rarer value does. Values of about the
# same weight are better drawn by their rank: their order tells what goes with what.
SPIKE_SHARE, STANDING_OUT = 0.02, 4.0
FEW_VALUES = 10
# Values that are kept one by one: all of them in a column that has no more, else the frequent ones.
MOST_VALUES = 1_000
MOST_ATOMS = 500
ATOM_SHARE = 0.001
MOST_KNOTS = 1_000
# Rows that may lose their values to protection: all that are rare, in a column of repeated values;
# else those in stretches too short to interpolate, before neighbours are put together instead.
RARE_SHARE = 0.01
SHORT_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Ranges:
    """Rows of a column in order: single values (low = high) and ranges, each with its count."""

    lows: np.ndarray
    highs: np.ndarray
    counts: np.ndarray

    @property
    def single(self) -> np.ndarray:
        """Which are single values."""
        return np.asarray(self.lows == self.highs)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    def part(self, chosen: np.ndarray | slice) -> Ranges:
        """Some of them."""
        return Ranges(self.lows[chosen], self.highs[chosen], self.counts[chosen])

    def at(self, rows: np.ndarray) -> np.ndarray:
        """Values of the rows of some numbers, counted from 0 in the order of the values."""
        ends = np.cumsum(self.counts)
        place = np.searchsorted(ends, rows, side="right")
        share = (rows - (ends - self.counts)[place] + 0.5) / self.counts[place]
        return between(self.lows[place], self.highs[place], share)

    def middle(self) -> np.ndarray:
        """The mean of two rows in the middle, of shape (1,): never one of more rows than one."""
        ends = self.at(np.array([max(self.rows // 2 - 1, 0), self.rows // 2]))
        return between(ends[:1], ends[1:], np.array([0.5]))


@dataclass(frozen=True, eq=False)
class Distribution:
    """The learned distribution of a number.

    Attributes
    ----------
    spikes, counts : ndarray of shape (spikes,)
        Values with an option of their own and their rows, in order.
    ranks : RankMap or None
        The rest.
    rest : int
        Rows of the rest.
    protected : int
        Different values that are not emitted.
    """

    spikes: np.ndarray
    counts: np.ndarray
    ranks: RankMap | None
    rest: int
    protected: int


def learn_distribution(ranges: Ranges, threshold: int, grid: float) -> Distribution:
    """Learn what may be emitted of a column.

    Parameters
    ----------
    ranges : Ranges
        At least one row.
    threshold : int
        Values seen in fewer rows are not emitted as such, and the `threshold` - 1 most extreme
        rows of whatever is interpolated are not reached.
    grid : float
        Distance between neighbouring values of a rounded column; 0 for none.
    """
    rows = ranges.rows
    kept = ranges.single & (ranges.counts >= threshold)
    dropped = rows - int(ranges.counts[kept].sum())
    if kept.sum() <= MOST_VALUES and dropped <= RARE_SHARE * rows:
        stretches: list[slice] = []
        atoms = kept
    else:
        atoms, stretches = _split(ranges, kept, threshold)
    few = not stretches and atoms.sum() <= FEW_VALUES
    spikes = atoms if few else atoms & _spiky(ranges)
    ranks, rest = _rank_map(ranges, atoms, spikes, stretches, threshold, grid)
    hidden = _hidden(ranges, atoms, ranks)
    learned = Distribution(ranges.lows[spikes], ranges.counts[spikes], ranks, rest, hidden)
    return _without_few(learned)


def _spiky(ranges: Ranges) -> np.ndarray:
    """Which values hold far more rows than what is left without them does for a value.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> counts = np.full(100, 50)
    >>> counts[[0, 1, 7]] = 900, 1_000, 100
    >>> np.flatnonzero(_spiky(Ranges(values, values, counts)))
    array([0, 1])
    """
    weights = ranges.counts / ranges.rows
    # of ranges no value is known to hold more than a row
    shares = np.where(ranges.single, weights, 0.0)
    order = np.argsort(-shares, kind="stable")
    falling = shares[order]
    # what the value of a row holds, in the mean over all rows with a rarer one
    rows = np.cumsum(weights[order][::-1])[::-1]
    squares = np.cumsum((falling**2)[::-1])[::-1]
    usual = np.append(squares[1:], 0.0) / np.append(rows[1:], np.inf)
    standing_out = (falling > SPIKE_SHARE) & (falling > STANDING_OUT * usual)
    # fewer than the others: else the last of many even ones would make spikes of all
    last = np.flatnonzero(standing_out[: len(shares) // 2]).max(initial=-1)
    spiky = np.zeros(len(shares), dtype=bool)
    spiky[order[: last + 1]] = True
    return spiky


def _without_few(learned: Distribution) -> Distribution:
    """Make options of all values if there are few in the end."""
    ranks = learned.ranks
    if ranks is None or not ranks.discrete:
        return learned
    if ranks.atoms.sum() + len(learned.spikes) > FEW_VALUES:
        return learned
    width = (ranks.highs - ranks.lows)[ranks.atoms]
    values = np.concatenate([learned.spikes, ranks.points[ranks.atoms]])
    counts = np.concatenate([learned.counts, np.rint(width * learned.rest).astype(np.int64)])
    order = np.argsort(values)
    return Distribution(values[order], counts[order], None, 0, learned.protected)


def _split(ranges: Ranges, kept: np.ndarray, threshold: int) -> tuple[np.ndarray, list[slice]]:
    """Which values stand by themselves, and the stretches of others that are interpolated.

    A stretch between two atoms that is too short to interpolate is not emitted; where that would
    hide too many rows, fewer values stand by themselves, until the stretches are long enough.
    """
    counts, rows = ranges.counts, ranges.rows
    least = max(threshold, 2, ATOM_SHARE * rows)
    if kept.sum() > MOST_ATOMS:
        least = max(least, int(np.sort(counts[kept])[-MOST_ATOMS - 1]) + 1)
    shortest = 4 * threshold if threshold > 1 else 1
    while True:
        atoms = kept & (counts >= least)
        stretches = _stretches(atoms)
        short = [each for each in stretches if counts[each].sum() < shortest]
        hidden = sum(int(counts[each].sum()) for each in short)
        if hidden <= SHORT_SHARE * rows or not atoms.any():
            long = [each for each in stretches if counts[each].sum() >= shortest]
            return atoms, long if atoms.any() else stretches
        least *= 2


def _stretches(atoms: np.ndarray) -> list[slice]:
    """Runs of neighbours that are no atoms."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], atoms, [True]]).astype(np.int8)))
    return [slice(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _rank_map(
    ranges: Ranges,
    atoms: np.ndarray,
    spikes: np.ndarray,
    stretches: list[slice],
    threshold: int,
    grid: float,
) -> tuple[RankMap | None, int]:
    """The relation of ranks to values for all but the spikes, and its rows."""
    free = sum(ranges.part(each).rows for each in stretches)
    gap = max(threshold, -(-free // MOST_KNOTS))
    pieces = [(int(at), *_atom(ranges, int(at), bool(spikes[at]))) for at in np.flatnonzero(atoms)]
    pieces += [(each.start, *_knots(ranges.part(each), threshold, gap)) for each in stretches]
    pieces.sort(key=lambda piece: piece[0])
    values = np.concatenate([piece[1] for piece in pieces])
    masses = np.cumsum(np.concatenate([[0], *(piece[2] for piece in pieces)]))
    lows, highs = masses[1::2], masses[2::2]
    total = int(masses[-1])
    if not total:
        return None, 0
    points, first = np.unique(values, return_index=True)
    last = np.append(first[1:], len(values)) - 1
    return RankMap(points, lows[first] / total, highs[last] / total, grid), total


def _atom(ranges: Ranges, at: int, spike: bool) -> tuple[np.ndarray, np.ndarray]:
    """The value, and the mass before and on it."""
    return ranges.lows[at : at + 1], np.array([0, 0 if spike else ranges.counts[at]])


def _knots(part: Ranges, threshold: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of a stretch, and the mass before and on each.

    Knots are means of two neighbouring rows, so nobody's value: the outermost of the `threshold`-th
    row from the end and the next, which without protection is the end itself. Inner ones stand at
    least `threshold` rows apart, close together near the ends, where a heavy tail is far from a
    straight line.
    """
    rows = part.rows
    reach = min(threshold, (rows + 1) // 2)
    if 2 * reach >= rows - 1 and threshold > 1:
        return part.middle(), np.array([0, rows])
    cuts = _cuts(rows, threshold, gap)
    inward = int(threshold > 1)
    outer = part.at(np.array([reach - 1, rows - reach - inward]))
    ends = between(outer, part.at(np.array([reach - 1 + inward, rows - reach])), np.full(2, 0.5))
    inner = between(part.at(cuts - 1), part.at(cuts), np.full(len(cuts), 0.5))
    values = np.concatenate([ends[:1], np.clip(inner, ends[0], ends[1]), ends[1:]])
    steps = np.diff(np.concatenate([[0], cuts, [rows]]))
    masses = np.zeros(2 * len(values), dtype=np.int64)
    masses[2::2] = steps
    return values, masses


def _cuts(rows: int, threshold: int, gap: int) -> np.ndarray:
    """Rows at which a stretch is cut: doubling steps from both ends, even ones between."""
    tail, step = [], max(threshold, 1)
    at = 2 * step
    while step < gap and at < rows // 2:
        tail.append(at)
        step *= 2
        at += step
    inner = tail[-1] if tail else 0
    count = max((rows - 2 * inner) // max(gap, threshold), 1)
    middle = np.linspace(inner, rows - inner, count + 1).astype(np.int64)
    cuts = np.unique(np.concatenate([tail, middle, [rows - at for at in tail]]).astype(np.int64))
    return cuts[(cuts >= threshold) & (cuts <= rows - threshold) & (cuts > 0) & (cuts < rows)]


def _hidden(ranges: Ranges, atoms: np.ndarray, ranks: RankMap | None) -> int:
    """How many different values are neither emitted nor inside an interpolated stretch."""
    others = ranges.part(ranges.single & ~atoms)
    if ranks is None or not len(others.lows):
        return len(others.lows)
    place = np.searchsorted(ranks.points, others.lows)
    on_point = ranks.emitted.take(place, mode="clip")
    on_point &= ranks.points.take(place, mode="clip") == others.lows
    joined = np.concatenate([[False], ranks.joined, [False]])[place]
    return int((~on_point & ~joined).sum())
