"""clean: find cells that do not fit the rest of their row, put them right, and say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch

from synthgan.data.native import plain_values
from synthgan.data.schema import dropped
from synthgan.data.source import open_source
from synthgan.errors import TableError
from synthgan.estimators.base import by_name
from synthgan.estimators.imputing.overlay import put_columns
from synthgan.estimators.parameters import Rule, check_values, kind, real
from synthgan.estimators.randomness import RANDOM_STATE, seed_from
from synthgan.imputation.cells import Cells, learn_cells
from synthgan.imputation.finding import Finder, Finding

if TYPE_CHECKING:
    import pandas as pd

_RULES = {
    "fdr": real("a rate from 0 to 0.5", 0, 0.5),
    "propose_only": kind("True or False", bool, np.bool_),
    "schema": Rule(
        "None, a dict or a Schema",
        lambda value: value is None or isinstance(value, Mapping) or hasattr(value, "to_dict"),
    ),
    "random_state": RANDOM_STATE,
}


class Cleaned(NamedTuple):
    """A cleaned table and what was done to it.

    Attributes
    ----------
    table : table
        Of the type that was given; unchanged if changes were only proposed.
    changes : pandas.DataFrame
        One line for each cell that does not fit: ``row`` (counted from 0), ``column``, ``old``,
        ``new``, ``chance`` (of so unlikely a value as this one, or as one that it contradicts,
        given the rest of the row), ``why``, ``applied``.
    """

    table: Any
    changes: pd.DataFrame


def clean(
    X: Any,
    *,
    fdr: float = 0.05,
    propose_only: bool = False,
    schema: Any = None,
    random_state: Any = None,
) -> Cleaned:
    """Find cells that do not fit the rest of their row, and put what would fit in their place.

    Each column is told from the others by boosted trees that have not seen the row; a cell is
    changed if a value as unlikely as its own would hardly come by chance. Missing cells stay
    missing: fill them with `GANImputer`.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        A frame, an array or the path of a file, as `SynthGAN.fit` takes it; it is not changed.
    fdr : float, default 0.05
        False discovery rate: which share of the found cells may be right in expectation, as far as
        the chances are. Rare truths look like errors, so that where nothing is wrong a few cells
        may still be found; lower it to find less. 0 finds nothing.
    propose_only : bool, default False
        Whether the table stays as it is and the changes are only listed.
    schema : dict, Schema or None, default None
        What the columns are, as of `SynthGAN`; ``{column: "drop"}`` leaves a column alone.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Decides the folds; the same seed finds the same cells.

    Returns
    -------
    Cleaned
        ``table`` and ``changes``.

    Raises
    ------
    ParameterError
        For parameters out of range.
    TableError
        For a table that cannot be read, or of which no column can be judged: fewer than 50 rows,
        or columns of text that is nowhere repeated.

    Notes
    -----
    Identifiers, columns of more than 64 categories and those with fewer than 50 known cells are
    not judged. What two columns say of each other alone cannot tell which of them is wrong.

    References
    ----------
    .. [1] Benjamini and Hochberg, "Controlling the false discovery rate", 1995.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from synthgan import clean
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=400)
    >>> table = pd.DataFrame({"x": x, "y": x + 0.1 * rng.normal(size=400),
    ...                       "z": x + 0.1 * rng.normal(size=400)})
    >>> table.loc[7, "y"] = 40.0
    >>> cleaned = clean(table, random_state=0)
    >>> bool(((cleaned.changes["row"] == 7) & (cleaned.changes["column"] == "y")).any())
    True
    >>> float(table.loc[7, "y"]), bool(cleaned.table.loc[7, "y"] < 4)
    (40.0, True)
    """
    check_values("clean", {**locals()}, _RULES)
    seed = seed_from(random_state)
    source = open_source(X, drop=dropped(schema))
    given = source.table()
    cells = learn_cells(given, by_name(source.home, schema))
    floats = cells.floats(given) if cells.names else np.zeros((given.num_rows, 0))
    finder = Finder(cells, floats.copy(), seed=seed, threads=torch.get_num_threads())
    if not finder.judged:
        raise TableError(
            "X: expected a column that can be told from the others, found none: at least 50 rows "
            "and two columns of numbers or of at most 64 categories are needed"
        )
    found = finder.find(float(fdr))
    columns = _changed_columns(cells, given, found)
    changes = _log(cells, given, columns, found, applied=not propose_only)
    table = X if hasattr(X, "columns") or isinstance(X, np.ndarray) else None
    if table is None and source.home.frame == "numpy":
        table = np.asarray(X)
    return Cleaned(put_columns(table, source, given, {} if propose_only else columns), changes)


def _changed_columns(
    cells: Cells, given: pa.Table, found: Sequence[Finding]
) -> dict[str, pa.ChunkedArray]:
    """The columns that change, whole and in the types of the table."""
    columns: dict[str, pa.ChunkedArray] = {}
    for number in sorted({each.column for each in found}):
        name = cells.names[number]
        mine = [each for each in found if each.column == number]
        old = given.column(name)
        new = cells.array(number, np.array([each.proposed for each in mine]))
        # numbers that are told stand among the table's own, and look like them
        values = plain_values(old)
        made = plain_values(pa.chunked_array([_rounded(cells, number, new)])).cast(values.type)
        places = np.arange(len(values))
        places[[each.row for each in mine]] = len(values) + np.arange(len(mine))
        mixed = pa.chunked_array([*values.chunks, *made.chunks]).take(pa.array(places))
        if pa.types.is_dictionary(old.type):
            mixed = mixed.combine_chunks().dictionary_encode().cast(old.type)
        columns[name] = mixed
    return columns


def _rounded(cells: Cells, number: int, array: pa.Array) -> pa.Array:
    from synthgan.data.numbers import NumberEncoder
    from synthgan.data.ticks import from_ticks, to_ticks

    encoder = cells.encoders[number]
    if not isinstance(encoder, NumberEncoder):
        return array
    return from_ticks(encoder.rounding.round(to_ticks(array)[0]), encoder.type)


def _log(
    cells: Cells,
    given: pa.Table,
    columns: Mapping[str, pa.ChunkedArray],
    found: Sequence[Finding],
    *,
    applied: bool,
) -> pd.DataFrame:
    import pandas as pd

    lines = []
    for each in found:
        name = cells.names[each.column]
        old = given.column(name)[each.row].as_py()
        new = columns[name][each.row].as_py()
        if old != new:
            lines.append((each.row, name, old, new, each.chance, _why(each, new), applied))
    names = ["row", "column", "old", "new", "chance", "why", "applied"]
    frame = pd.DataFrame(lines, columns=names)
    for name in ("old", "new"):
        # values of all columns stand here: each keeps its own type
        frame[name] = pd.Series([line[names.index(name)] for line in lines], dtype=object)
    return frame


def _why(finding: Finding, new: Any) -> str:
    by = f", as told by {' and '.join(map(repr, finding.tellers))}" if finding.tellers else ""
    sure = "" if np.isnan(finding.share) else f" ({finding.share:.0%} sure)"
    return (
        f"so unlikely a value has a chance of {finding.chance:.1g} in such a row; "
        f"{new!r}{sure} fits best{by}"
    )
