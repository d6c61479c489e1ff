"""Ranks and values: a number's learned distribution as a monotone, piecewise linear relation."""

from __future__ import annotations

import numpy as np


def between(low: np.ndarray, high: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Values on the way from `low` to `high`, in their own dtype; whole numbers keep every bit."""
    if low.dtype.kind == "f":
        with np.errstate(over="ignore"):
            way = np.nan_to_num(high - low, posinf=np.finfo(np.float64).max)
        return np.asarray(low + way * share)
    # modulo 2**64 the sum is right even where the difference does not fit into 63 bits
    way = high.view(np.uint64) - low.view(np.uint64)
    steps = np.rint(way.astype(np.float64) * share).astype(np.uint64)
    return np.asarray((low.view(np.uint64) + np.minimum(steps, way)).view(low.dtype))


def distance(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Differences of values as floats, of shape (values,)."""
    if low.dtype.kind == "f":
        with np.errstate(over="ignore"):
            way = np.nan_to_num(high - low, posinf=np.finfo(np.float64).max)
            return np.asarray(way)
    way = (high.view(np.uint64) - low.view(np.uint64)).view(np.int64)
    return np.asarray(way.view(np.uint64).astype(np.float64))


class RankMap:
    """Points of a monotone relation between ranks in [0, 1] and values.

    A point is an atom where its rank has a width, `lows` < `highs`: a value that many rows share.
    Two neighbours are joined where ranks lie between them: values there are interpolated. Where
    nothing lies between, there is a gap, and no value comes out of it. A point of no width that is
    joined to nothing only marks a value that has an option of its own.

    Parameters
    ----------
    points : ndarray of shape (points,)
        Values, rising.
    lows, highs : ndarray of shape (points,)
        Ranks at which each value begins and ends.
    grid : float
        Distance between neighbouring values of a rounded column; 0 for none.
    """

    def __init__(
        self, points: np.ndarray, lows: np.ndarray, highs: np.ndarray, grid: float
    ) -> None:
        self.points, self.lows, self.highs, self.grid = points, lows, highs, grid
        self.joined = lows[1:] > highs[:-1]
        self.atoms = highs > lows
        self._prepare_decoding()
        self._prepare_encoding()

    @property
    def discrete(self) -> bool:
        """Whether atoms are all there is."""
        return not self.joined.any()

    @property
    def emitted(self) -> np.ndarray:
        """Which points are values of their own: atoms and ends of joined stretches."""
        part = np.zeros(len(self.points), dtype=bool)
        part[1:] |= self.joined
        part[:-1] |= self.joined
        return self.atoms | part

    def _prepare_decoding(self) -> None:
        real = self.emitted
        ranks = np.stack([self.lows[real], self.highs[real]], axis=1).ravel()
        values = np.repeat(self.points[real], 2)
        # a knot of no width stands once
        keep = np.ones(len(ranks), dtype=bool)
        keep[1::2] = self.atoms[real]
        ranks, values = ranks[keep], values[keep]
        self._ends = ranks
        self._starts = values[:-1] if len(values) > 1 else values
        self._next = values[1:] if len(values) > 1 else values
        rise = np.diff(ranks) if len(ranks) > 1 else np.ones(1)
        self._per_rank = np.divide(1.0, rise, out=np.zeros(len(rise)), where=rise > 0)
        self._way = distance(self._starts, self._next)

    def value(self, ranks: np.ndarray) -> np.ndarray:
        """Values at ranks in [0, 1], of the same shape."""
        if self.discrete:
            atoms = self.points[self.atoms]
            place = np.searchsorted(self.highs[self.atoms], ranks, side="right")
            return atoms.take(place, mode="clip")
        place = np.searchsorted(self._ends, ranks, side="right") - 1
        np.clip(place, 0, len(self._starts) - 1, out=place)
        share = (ranks - self._ends.take(place)) * self._per_rank.take(place)
        np.clip(share, 0.0, 1.0, out=share)
        start = self._starts.take(place)
        if start.dtype.kind == "f":
            return np.asarray(start + share * self._way.take(place))
        return between(start, self._next.take(place), share)

    def _prepare_encoding(self) -> None:
        """Tables over where a value can lie: 2 i below point i, 2 i + 1 on it, 2 n above all."""
        count = len(self.points)
        size = 2 * count + 1
        self._rank, self._slope, self._spread = np.zeros((3, size))
        self._from, self._to = np.zeros(size), np.ones(size)
        self.dead = np.zeros(size, dtype=bool)
        self._origin = np.repeat(self.points, 2)
        self._origin = np.concatenate([self.points[:1], self._origin])
        for at in range(count):
            self._prepare_point(at)
        for gap in range(count + 1):
            self._prepare_gap(gap)
        self._linear = bool(self._slope.any())

    def _prepare_point(self, at: int) -> None:
        low, high = self.lows[at], self.highs[at]
        here = 2 * at + 1
        self._rank[here], self._spread[here] = (low + high) / 2, high - low
        self._from[here], self._to[here] = low, high
        if high > low:
            return
        slopes = [self._slope_of(side) for side in (at - 1, at) if self._is_joined(side)]
        if slopes:
            self._spread[here] = self.grid * float(np.mean(slopes))
            self._from[here], self._to[here] = self._stretch(at)
        else:
            self.dead[here] = True

    def _prepare_gap(self, gap: int) -> None:
        here = 2 * gap
        left = gap - 1
        if self._is_joined(left):
            self._rank[here], self._slope[here] = self.highs[left], self._slope_of(left)
            self._spread[here] = self.grid * self._slope[here]
            self._from[here], self._to[here] = self._stretch(left)
            return
        # rows beyond a protected end of a stretch belong to the outermost part of that stretch
        for side, point in ((gap, gap), (gap - 2, gap - 1)):
            if self._is_joined(side) and not self.atoms[point]:
                low, high = self.highs[side], self.lows[side + 1]
                self._rank[here], self._spread[here] = (low + high) / 2, high - low
                self._from[here], self._to[here] = low, high
                return
        rank = self.highs[left] if left >= 0 else self.lows[0]
        self._rank[here] = self._from[here] = self._to[here] = rank
        self.dead[here] = True

    def _is_joined(self, gap: int) -> bool:
        return 0 <= gap < len(self.joined) and bool(self.joined[gap])

    def _slope_of(self, gap: int) -> float:
        way = distance(self.points[gap : gap + 1], self.points[gap + 1 : gap + 2])[0]
        return float((self.lows[gap + 1] - self.highs[gap]) / way)

    def _stretch(self, at: int) -> tuple[float, float]:
        """Ranks within one joined step of a point: how far a rounded value may be spread."""
        first = at - 1 if self._is_joined(at - 1) and not self.atoms[at] else at
        last = at + 1 if self._is_joined(at) else at
        if self._is_joined(last) and not self.atoms[last]:
            last += 1
        return float(self.highs[first]), float(self.lows[last])

    def places(self, values: np.ndarray) -> np.ndarray:
        """Where values lie: 2 i just below point i, 2 i + 1 on it; of shape (values,)."""
        place = np.searchsorted(self.points, values)
        return np.asarray(2 * place + (self.points.take(place, mode="clip") == values))

    def is_between(self, value: np.ndarray) -> bool:
        """Say whether a value, of shape (1,), lies where values are interpolated."""
        place = int(self.places(value)[0])
        left = place // 2 - 1
        return self._is_joined(left) or (place % 2 == 1 and self._is_joined(left + 1))

    def rank(self, values: np.ndarray, places: np.ndarray, draw: np.ndarray | None) -> np.ndarray:
        """Ranks of values that lie at `places`, of shape (values,).

        Parameters
        ----------
        values : ndarray of shape (values,)
            Values.
        places : ndarray of shape (values,)
            From `places`.
        draw : ndarray of shape (values,) or None
            Uniform in [0, 1): where in its interval of ranks each value falls; None for the middle.
        """
        ranks = self._rank.take(places)
        if self._linear:
            ranks += self._way_to(values, places) * self._slope.take(places)
        if draw is not None:
            ranks += (draw - 0.5) * self._spread.take(places)
        if self._linear:
            np.clip(ranks, self._from.take(places), self._to.take(places), out=ranks)
        return ranks

    def _way_to(self, values: np.ndarray, places: np.ndarray) -> np.ndarray:
        origin = self._origin.take(places)
        if values.dtype.kind == "f":
            return np.asarray(values - origin)
        return np.asarray((values.view(np.uint64) - origin.view(np.uint64)).astype(np.float64))

    def interval(self, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
        """Ranks that give values in [low, high], each of shape (1,); none if first >= second."""
        return self._edge(low, self.lows, "left"), self._edge(high, self.highs, "right")

    def _edge(self, value: np.ndarray, on_point: np.ndarray, side: str) -> float:
        place = int(self.places(value)[0])
        if place % 2:
            return float(on_point[place // 2])
        left = place // 2 - 1
        if self._is_joined(left):
            way = distance(self.points[left : left + 1], value)[0]
            return float(self.highs[left] + way * self._slope[place])
        if side == "left":
            return float(self.lows[left + 1]) if left + 1 < len(self.lows) else 1.0
        return float(self.highs[left]) if left >= 0 else 0.0
