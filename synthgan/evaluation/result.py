"""What an evaluation found: figures by path, as JSON, as text and as a report."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthgan.data.output import check_output, replacing
from synthgan.errors import ParameterError
from synthgan.evaluation.paths import at, walk

PAGE_SUFFIXES = (".html", ".htm")

# The figures of the short table, in order: path and what people call it.
HEADLINES = {
    "fidelity.shape_error_pct": "column shape error, %",
    "fidelity.trend_error_pct": "pair trend error, %",
    "manifold.precision": "precision",
    "manifold.recall": "recall",
    "detection.boosted_auc": "boosted AUC, against real",
    "detection.boosted_auc_holdout": "boosted AUC, against holdout",
    "detection.logistic": "logistic detection score",
    "utility.auc": "utility AUC",
    "utility.rmse": "utility RMSE",
    "risk.exact_copies": "exact copies, share",
    "risk.closest_share": "closest to real, share",
    "risk.membership.distance.auc": "membership AUC",
}


class Evaluation:
    """The result of `evaluate`.

    In a notebook it shows itself as the report.

    Parameters
    ----------
    result : mapping
        All figures, in JSON's own types.

    Attributes
    ----------
    result : dict
        The same dict that is written as JSON and drawn as the report.

    Examples
    --------
    >>> found = Evaluation({"fidelity": {"shape_error_pct": 1.25}})
    >>> found.figure("fidelity.shape_error_pct")
    1.25
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result = dict(result)

    def figure(self, path: str) -> Any:
        """The figure at a path such as ``detection.boosted_auc``; None where it was not taken.

        Raises
        ------
        ParameterError
            When nothing stands at that path.
        """
        value, rest = walk(self.result, path)
        if rest:
            place = path[: len(path) - len(rest)].rstrip(".") or "the result"
            known = f"; it has {', '.join(value)}" if isinstance(value, Mapping) else ""
            wanted = rest.split(".")[0]
            raise ParameterError(f"figure {path!r}: {place} has no {wanted!r}{known}")
        return value

    def summary(self) -> list[dict[str, Any]]:
        """The headline figures, each with the same figure of every floor.

        Returns
        -------
        list of dict
            With the keys ``path``, ``figure``, ``value`` and one for each floor.
        """
        return [
            {"path": path, "figure": name, "value": value}
            | {floor: at(found, path) for floor, found in self.result.get("floors", {}).items()}
            for path, name in HEADLINES.items()
            if (value := at(self.result, path)) is not None
        ]

    def to_dict(self) -> dict[str, Any]:
        """A copy of everything, in JSON's own types."""
        copied: dict[str, Any] = json.loads(self.to_json())
        return copied

    def to_json(self, *, indent: int | None = None) -> str:
        """Everything as strict JSON."""
        return json.dumps(self.result, ensure_ascii=False, allow_nan=False, indent=indent)

    def to_html(self, path: str | os.PathLike[str] | None = None, *, force: bool = False) -> str:
        """The report: one HTML page that needs nothing else.

        Parameters
        ----------
        path : path, optional
            Where to write it, whole or not at all.
        force : bool
            Whether an existing file may be overwritten.

        Returns
        -------
        str
            The page.

        Raises
        ------
        OutputExistsError, OutputError
            If the file exists and `force` is false, or it cannot be written there.
        """
        if path is not None:
            check_output(path, force=force, suffixes=PAGE_SUFFIXES)
        page = self._page()
        if path is not None:
            with replacing(path) as temporary:
                Path(temporary).write_text(page, encoding="utf-8")
        return page

    def _page(self) -> str:
        from synthgan.evaluation.report import render

        return render(self.result)

    def _repr_html_(self) -> str:
        from synthgan.evaluation.report import notebook_html

        return notebook_html(self.result)

    def __repr__(self) -> str:
        rows = self.summary()
        width = max((len(row["figure"]) for row in rows), default=0)
        lines = [f"{row['figure']:{width}}  {row['value']:.4g}" for row in rows]
        return "\n".join(["Evaluation", *lines])


def plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping in strict JSON's own types, NaN and infinities as null.

    Raises
    ------
    ParameterError
        When it holds what JSON cannot say.
    """
    if not isinstance(told, Mapping):
        raise ParameterError(f"provenance: expected a mapping, found {type(told).__name__}")
    try:
        copied: dict[str, Any] = json.loads(
            json.dumps(dict(told), default=_scalar), parse_constant=lambda _: None
        )
    except (TypeError, ValueError) as error:
        raise ParameterError(f"provenance: expected JSON's own types, found: {error}") from error
    return copied


def _scalar(value: Any) -> Any:
    """What a numpy scalar holds, a moment or a path as text."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, dt.date | dt.time | os.PathLike):
        return str(value)
    raise TypeError(f"a {type(value).__name__}")
