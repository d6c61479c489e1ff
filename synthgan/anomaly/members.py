"""What stands behind the name of each score: how it is learned, asked, and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthgan.anomaly.critic import CriticView
from synthgan.anomaly.density import Density
from synthgan.anomaly.isolation import Isolation
from synthgan.anomaly.neighbours import NEAREST, REFERENCES, Neighbours, typical_points
from synthgan.anomaly.reconstruction import Reconstruction
from synthgan.anomaly.rows import Rows
from synthgan.anomaly.scale import Scale
from synthgan.anomaly.surprise import Surprise
from synthgan.streams import stream
from synthgan.training import Trained

# generated rows that a density is learned from, at most
_DRAWN = 12_000
# seeds of the parts of one fit; the gauges take theirs from here too
_CUTTING, _BLENDING, _DENSITY, _SURPRISE, GAUGING, _ENCODER = range(6)

Floats = NDArray[np.float64]


class Context(NamedTuple):
    """What members share and do not keep themselves."""

    scale: Scale
    trained: Trained | None


class Score(NamedTuple):
    """A score by name.

    Attributes
    ----------
    ask : callable
        From a member and rows to oddness of shape (n,), higher is odder.
    read : callable
        From a member's header and arrays, and what all share, to the member.
    generator : bool
        Whether it needs a trained pair.
    slow : bool
        Whether a search is made for each row.
    """

    ask: Callable[[Any, Rows], Any]
    read: Callable[[Any, Any, Context], Any]
    generator: bool = False
    slow: bool = False


def _alone(kind: Any) -> Callable[[Any, Any, Context], Any]:
    return lambda header, arrays, shared: kind.from_state(header, arrays)


def _by_points(member: Neighbours, rows: Rows) -> Floats:
    return member.oddness(rows.points)


def _reconstruction(header: Any, arrays: Any, shared: Context) -> Reconstruction:
    assert shared.trained is not None
    return Reconstruction.from_state(header, arrays, shared.trained)


SCORES: Mapping[str, Score] = {
    "isolation": Score(lambda member, rows: member.oddness(rows.filled), _alone(Isolation)),
    "neighbours": Score(_by_points, _alone(Neighbours)),
    "profile": Score(_by_points, _alone(Neighbours)),
    "surprise": Score(
        lambda member, rows: member.oddness(rows.marks),
        lambda header, arrays, shared: Surprise.from_state(header, arrays, shared.scale),
    ),
    "tails": Score(
        lambda member, rows: member.tails(rows.marks).sum(axis=1),
        lambda header, arrays, shared: shared.scale,
    ),
    "generated": Score(_by_points, _alone(Neighbours), generator=True),
    "density": Score(
        lambda member, rows: member.oddness(rows.marks), _alone(Density), generator=True
    ),
    "features": Score(
        lambda member, rows: member.distance(rows.seen[1]), _alone(CriticView), generator=True
    ),
    "critic": Score(
        lambda member, rows: member.unusual_score(rows.seen[0]), _alone(CriticView), generator=True
    ),
    "encoder": Score(
        lambda member, rows: member.oddness(rows.matrix), _reconstruction, generator=True
    ),
    "inversion": Score(
        lambda member, rows: member.searched(rows.matrix),
        _reconstruction,
        generator=True,
        slow=True,
    ),
}
# what the default is the mean of: chosen on tables, see docs/anomalies.md, and never by labels
AUTO_SCORES = ("isolation", "neighbours", "profile")


def learn_members(
    rows: Rows,
    scale: Scale,
    draw: Callable[[int], pa.Table] | None,
    names: Sequence[str],
    seed: int,
    odd: float,
) -> dict[str, Any]:
    """What the scores wanted are learned as; and what explanations need, whatever is wanted."""
    members: dict[str, Any] = {}
    if "tails" in names:
        members["tails"] = scale
    if {"isolation", "neighbours", "profile"} & {*names}:
        forest = Isolation.learn(rows.filled, stream(seed, _CUTTING))
        typical = typical_points(
            rows.points, forest.oddness(rows.filled), stream(seed, _BLENDING), odd
        )
        # where no row is doubted the very nearest counts, else one that a few odd rows cannot be
        if "neighbours" in names:
            members["neighbours"] = Neighbours(typical, NEAREST if odd else 1)
        if "profile" in names:
            members["profile"] = Neighbours(typical, 1, drawn_in=True)
        if "isolation" in names:
            members["isolation"] = forest
    if {"generated", "density"} & {*names}:
        assert draw is not None
        made = rows.like(draw(min(max(rows.count, REFERENCES), _DRAWN)))
        if "generated" in names:
            members["generated"] = Neighbours(made.points[:REFERENCES])
        if "density" in names:
            members["density"] = Density.learn(made.marks, scale, stream(seed, _DENSITY))
    if {"critic", "features"} & {*names}:
        view = CriticView.learn(*rows.seen)
        members |= {name: view for name in ("critic", "features") if name in names}
    if {"encoder", "inversion"} & {*names}:
        assert rows.trained is not None
        random = int(stream(seed, _ENCODER).integers(2**31))
        encoder = Reconstruction.learn(rows.trained, rows.matrix, random)
        members |= {name: encoder for name in ("encoder", "inversion") if name in names}
    members["surprise"] = Surprise.learn(rows.marks, scale, stream(seed, _SURPRISE))
    return members
