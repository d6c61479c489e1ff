"""One call that judges a synthetic table by every measure, beside its floors."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

from synthgan import __version__
from synthgan.data.schema import dropped
from synthgan.errors import ParameterError
from synthgan.evaluation.attacks import attacks
from synthgan.evaluation.coding import HOLDOUT, LEFT_OUT_KINDS, REAL, SYNTHETIC, Coded
from synthgan.evaluation.disclosure import LEAST_CLOSEST
from synthgan.evaluation.fidelity import Fidelity
from synthgan.evaluation.floors import bootstrap, independent, smote
from synthgan.evaluation.measures.closeness import closeness
from synthgan.evaluation.measures.collapse import collapse
from synthgan.evaluation.measures.coverage import coverage
from synthgan.evaluation.measures.detection import detection
from synthgan.evaluation.measures.manifold import manifold
from synthgan.evaluation.measures.membership import membership
from synthgan.evaluation.measures.rare import rare_values
from synthgan.evaluation.measures.utility import utility
from synthgan.evaluation.portraits import portraits
from synthgan.evaluation.reading import AllBut, read_sampled
from synthgan.evaluation.reference import Reference
from synthgan.evaluation.result import Evaluation, plain
from synthgan.evaluation.roles import infer_roles
from synthgan.evaluation.verdicts import verdicts
from synthgan.evaluation.version import METRICS_VERSION

if TYPE_CHECKING:
    from synthgan.data.schema import Schema

MAX_ROWS = 200_000
# scikit-learn takes no larger seeds.
MOST_SEED = 2**32 - 1
# Streams of the draws that bring a longer table down to the rows used.
_REAL, _SYNTHETIC, _HOLDOUT, _HALVES = range(4)

Result = dict[str, Any]

logger = logging.getLogger("synthgan")


def evaluate(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any | None = None,
    target: str | None = None,
    schema: Mapping[str, Any] | Schema | None = None,
    provenance: Mapping[str, Any] | None = None,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
) -> Evaluation:
    """Judge a synthetic table, whoever made it: fidelity, utility and risk, beside their floors.

    Parameters
    ----------
    real : table
        The rows the generator learned from: a pandas, polars or pyarrow table, an array of shape
        (n_rows, n_columns), or the path of a file.
    synthetic : table
        The rows it made; columns are found by name, those the real table lacks are passed over.
    holdout : table, optional
        Real rows that the generator has not seen. Without it there is no figure against unseen
        rows, and most risks cannot be told from what the population gives away anyway.
    target : str, optional
        The column a model would predict; without it utility is not measured.
    schema : mapping or Schema, optional
        What you say of single columns, as in `SynthGAN`: ``{"zip": "category", "key": "id"}``.
        Ids, free text and dropped columns are not compared.
    provenance : mapping, optional
        How the synthetic table was made, in JSON's own types, shown with the result: ``model``,
        ``history``, ``seed``, ``ledger``.
    max_rows : int, default 200,000
        Longer tables are sampled down to this many rows each, those of more than 100 columns to
        fewer: 20 million cells.
    random_state : int, default 0
        Seed of every draw, below 2**32; the same tables and seed give the same figures.

    Returns
    -------
    Evaluation
        All figures in a dict, as JSON and as a report.

    Raises
    ------
    TableError
        When a table is empty or cannot be read, or the synthetic one or the holdout lacks columns.
    ParameterError
        When the target is no compared column, or a number is out of range.
    SchemaError
        When `schema` does not fit the real table.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> found = evaluate(rng.normal(size=(200, 2)), rng.normal(size=(200, 2)))
    >>> found.figure("fidelity.shape_error_pct") < 15
    True
    """
    max_rows, random_state = _check_numbers(max_rows, random_state)
    told = None if provenance is None else plain(provenance)
    draws = {"most_rows": max_rows, "seed": random_state}
    logger.info("reading the tables")
    left_out = dropped(schema)
    tables = {"real": read_sampled(real, REAL, stream=_REAL, drop=left_out, **draws)}
    strange = AllBut(set(tables["real"].table.column_names) - set(left_out))
    tables["synthetic"] = read_sampled(
        synthetic, SYNTHETIC, stream=_SYNTHETIC, drop=strange, **draws
    )
    if holdout is not None:
        tables["holdout"] = read_sampled(holdout, HOLDOUT, stream=_HOLDOUT, drop=strange, **draws)
    roles = infer_roles(tables["real"].table, schema)
    _check_target(target, roles)
    reference = Reference(
        tables["real"].table,
        tables["holdout"].table if holdout is not None else None,
        target=target,
        schema=roles,
        seed=random_state,
        all_rows=None if tables["real"].is_whole else tables["real"].chunks,
    )
    found = reference.code(tables["synthetic"].table)
    logger.info("judging the synthetic table")
    result: Result = {
        "metrics_version": METRICS_VERSION,
        "synthgan_version": __version__,
        "tables": {name: table.to_dict() for name, table in tables.items()},
        "settings": {"seed": random_state, "target": target, "max_rows": max_rows},
        "columns": _columns(roles),
        **judge(reference, found, _GROUPS),
        "floors": dict(_floors(reference, min(found.rows, reference.real.rows))),
        "portraits": portraits(reference, found),
    }
    result["notes"] = _notes(result, tables["synthetic"].table.column_names)
    result["verdicts"] = verdicts(result)
    if told is not None:
        result["provenance"] = told
    return Evaluation(result)


def judge(
    reference: Reference, found: Coded, groups: Iterable[str], *, detail: bool = True
) -> Result:
    """Every measure of a table, by group; without detail only the figures that floors need."""
    result: Result = {}
    for name in groups:
        result[name] = {}
        for measure in _GROUPS[name]:
            logger.debug("measuring %s: %s", name, measure.__name__)
            result[name] |= measure(reference, found, detail=detail)
    return result


def fidelity_figures(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Shape and trend error, percent; in detail those of every column and pair."""
    result = reference.fidelity.compare_coded(found)
    figures: Result = {
        "shape_error_pct": 100 * result.shape_error,
        "trend_error_pct": 100 * result.trend_error if result.pairs else None,
    }
    if not result.pairs:
        figures["trend_error_pct_reason"] = "there is one column only, so there are no pairs"
    return figures | _fidelity_detail(reference, result) if detail else figures


def _fidelity_detail(reference: Reference, result: Fidelity) -> Result:
    columns = reference.coder.columns
    pairs = len(columns) * (len(columns) - 1) // 2
    return {
        "columns": {
            column.name: {
                "error_pct": 100 * result.columns[column.name],
                "measure": "KS" if column.is_number else "TV",
            }
            for column in columns
        },
        "pairs": [[*names, 100 * error] for names, error in result.pairs.items()],
        "pairs_total": pairs,
        "pairs_used": len(result.pairs),
    }


def membership_figures(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Membership inference, under its key."""
    return {"membership": membership(reference, found, detail=detail)}


def rare_figures(reference: Reference, found: Coded, *, detail: bool = True) -> Result:
    """Rare-value disclosure, under its key."""
    return {"rare_values": rare_values(reference, found, detail=detail)}


_GROUPS = {
    "fidelity": (fidelity_figures, coverage),
    "manifold": (manifold,),
    "collapse": (collapse,),
    "detection": (detection,),
    "utility": (utility,),
    "risk": (closeness, membership_figures, rare_figures, attacks),
}
# Where the holdout is held to another part of itself, since it cannot be its own holdout.
_NEED_HOLDOUT = ("detection", "utility", "risk")


def _floors(reference: Reference, rows: int) -> Iterator[tuple[str, Result]]:
    if reference.holdout is not None and reference.holdout.rows > 1:
        logger.info("judging the floor: holdout")
        found = _holdout_floor(reference, reference.holdout)
        yield "holdout", {"rows": reference.holdout.rows, **found}
    makers = {"bootstrap": bootstrap, "independent": independent, "smote": smote}
    for name, make in makers.items():
        logger.info("judging the floor: %s", name)
        table = make(reference, rows)
        yield name, {"rows": table.rows, **judge(reference, table, _GROUPS, detail=False)}


def _holdout_floor(reference: Reference, holdout: Coded) -> Result:
    """The holdout judged as a synthetic table; one half beside the other where one is needed."""
    order = reference.rng(_HALVES).permutation(holdout.rows)
    first, second = (holdout.take(half) for half in (order[::2], order[1::2]))
    alone = [name for name in _GROUPS if name not in _NEED_HOLDOUT]
    whole = judge(reference, holdout, alone, detail=False)
    halved = judge(reference.with_holdout(second), first, _NEED_HOLDOUT, detail=False)
    # Rare values are held to as many rows of the holdout as there are.
    halved["risk"] |= rare_figures(reference, holdout, detail=False)
    return {name: (whole | halved)[name] for name in _GROUPS}


def _columns(roles: Schema) -> list[Result]:
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "compared": column.kind not in LEFT_OUT_KINDS,
            "reason": column.reason,
        }
        for column in roles
    ]


def _notes(result: Result, names: list[str]) -> list[str]:
    """What a reader has to know to read the figures aright."""
    notes = []
    known = {column["name"] for column in result["columns"]}
    if new := [name for name in names if name not in known]:
        notes.append(f"in the synthetic table only, so not compared: {', '.join(new)}")
    left_out = [column["name"] for column in result["columns"] if not column["compared"]]
    if left_out:
        notes.append(f"not compared (ids, free text, dropped): {', '.join(left_out)}")
    for name, table in result["tables"].items():
        if table["rows_used"] < table["rows"]:
            notes.append(f"{name}: {table['rows_used']:,} of {table['rows']:,} rows were used")
    found = result["fidelity"]
    if found["pairs_used"] < found["pairs_total"]:
        notes.append(f"{found['pairs_used']:,} of {found['pairs_total']:,} pairs were compared")
    rounded = found["coverage"].get("rounded")
    if rounded:
        notes.append(f"whole numbers in the real table, so compared rounded: {', '.join(rounded)}")
    if overlap := result["risk"].get("holdout_overlap"):
        notes.append(overlap)
    closest = result["risk"].get("closest_share_interval")
    if closest is not None and closest[1] < LEAST_CLOSEST:
        notes.append(
            "synthetic rows lie nearer to the holdout than to the real rows: is it a holdout, that "
            "the generator has not seen?"
        )
    if "holdout" not in result["tables"]:
        notes.append("no holdout was given: figures against unseen rows are missing")
    return notes


def _check_numbers(max_rows: int, random_state: int) -> tuple[int, int]:
    """Python's own numbers, whichever whole numbers are given."""
    ranges = {"max_rows": (max_rows, 2, sys.maxsize), "random_state": (random_state, 0, MOST_SEED)}
    for name, (value, least, most) in ranges.items():
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or not least <= value <= most:
            raise ParameterError(
                f"{name}: expected a whole number from {least} to {most}, found {value!r}"
            )
    return int(max_rows), int(random_state)


def _check_target(target: str | None, roles: Schema) -> None:
    compared = [column.name for column in roles if column.kind not in LEFT_OUT_KINDS]
    if target is not None and target not in compared:
        raise ParameterError(
            f"target: expected one of the compared columns {compared}, found {target!r}"
        )
