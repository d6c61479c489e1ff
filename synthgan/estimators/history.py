"""The training history as a frame that also shows itself as a picture in notebooks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

_WIDTH, _HEIGHT, _MARGIN = 480, 120, 4


class History(pd.DataFrame):
    """One row per round of training: step, epoch, seconds, pace, rate, losses, quality.

    `quality` is minus the mean of shape and trend error against real rows, `lost` the share of
    these that live where the model hardly draws; both are missing in rounds without a check. In a
    notebook the frame shows a curve of the quality above the rows.

    Examples
    --------
    >>> History([{"step": 50, "quality": -0.25}, {"step": 100, "quality": -0.125}])
       step  quality
    0    50   -0.250
    1   100   -0.125
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        # slices and filters of a history are plain frames
        return pd.DataFrame

    def _repr_html_(self) -> str:
        frame = pd.DataFrame(self)
        table = frame.to_html(max_rows=12, border=0)
        return f"<div>{_curve(frame)}{table}</div>"


def history_frame(records: Iterable[Mapping[str, Any]]) -> History:
    """Collect the records of a training run in a frame.

    Parameters
    ----------
    records : iterable of mapping
        What the trainer said after each round.

    Returns
    -------
    History
        One row per record; whole steps as whole numbers.
    """
    frame = pd.DataFrame(list(records))
    if "step" in frame:
        frame["step"] = frame["step"].astype("int64")
    return History(frame)


def last_record(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say how training stood at the end, with the best quality of all checks; empty without any."""
    if not records:
        return {}
    checked = [r["quality"] for r in records if math.isfinite(r.get("quality", math.nan))]
    best = max(checked) if checked else None
    return plain_records([records[-1]])[0] | {"quality": best}


def plain_records(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records as JSON can hold them: a value that is not finite is None."""
    return [{name: _finite(value) for name, value in record.items()} for record in records]


def records_from(plain: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records from what `plain_records` wrote."""
    return [
        {name: math.nan if value is None else value for name, value in record.items()}
        for record in plain
    ]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _curve(frame: pd.DataFrame) -> str:
    """The checked qualities over the steps, as a small picture."""
    if not {"step", "quality"} <= set(frame.columns):
        return ""
    checked = frame[["step", "quality"]].dropna()
    if len(checked) < 2:
        return ""
    across = _scaled(checked["step"].tolist(), _WIDTH)
    down = [_HEIGHT - y for y in _scaled(checked["quality"].tolist(), _HEIGHT)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    best = checked["quality"].max()
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img">'
        f"<title>quality by step, best {best:.4f}</title>"
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )


def _scaled(values: list[float], size: int) -> list[float]:
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return [_MARGIN + (size - 2 * _MARGIN) * (value - low) / span for value in values]
