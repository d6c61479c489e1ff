"""Cleaning: what does not fit is found, named and put right; nothing else changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from synthgan import clean
from synthgan.errors import ParameterError, TableError
from synthgan.imputation.chances import Tail, discoveries

ERRORS = {"height": [3, 50, 99, 140], "inches": [20, 77]}


def people(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    height = rng.normal(170, 10, rows).round(1)
    return pd.DataFrame(
        {
            "height": height,
            "inches": (height / 2.54 + 0.2 * rng.normal(size=rows)).round(1),
            "reach": (height + 2 * rng.normal(size=rows)).round(1),
            "size": np.where(height > 170, "L", "S"),
        },
        index=pd.RangeIndex(1000, 1000 + rows),
    )


def dirty() -> pd.DataFrame:
    frame = people()
    for name, rows in ERRORS.items():
        frame.iloc[rows, frame.columns.get_loc(name)] *= 10.0
    return frame


@pytest.fixture(scope="module")
def cleaned():
    return clean(dirty(), random_state=0)


def places(changes: pd.DataFrame) -> set[tuple[str, int]]:
    return set(zip(changes["column"], changes["row"], strict=True))


def test_errors_are_found_and_hardly_anything_else(cleaned):
    wanted = {(name, row) for name, rows in ERRORS.items() for row in rows}
    found = places(cleaned.changes)
    assert wanted <= found
    assert len(found - wanted) <= 2


def test_proposals_are_near_what_was_there(cleaned):
    rows = ERRORS["height"]
    truth, made = people()["height"].iloc[rows], cleaned.table["height"].iloc[rows]
    assert np.abs(truth - made).max() < 10


def test_every_change_is_in_the_log_and_no_other_cell_changed(cleaned):
    before, after = dirty(), cleaned.table
    changed = {
        (name, int(row))
        for name in before
        for row in np.flatnonzero((before[name] != after[name]).to_numpy())
    }
    assert changed == places(cleaned.changes)
    assert cleaned.changes["applied"].all()
    for line in cleaned.changes.itertuples():
        assert before[line.column].iloc[line.row] == line.old
        assert after[line.column].iloc[line.row] == line.new
        assert 0 <= line.chance < 0.05 and line.why
    assert list(after.dtypes) == list(before.dtypes) and after.index.equals(before.index)


def test_the_caller_s_table_is_not_touched():
    frame = dirty()
    clean(frame, random_state=0)
    pd.testing.assert_frame_equal(frame, dirty())


def test_proposing_changes_nothing(cleaned):
    proposed = clean(dirty(), propose_only=True, random_state=0)
    pd.testing.assert_frame_equal(proposed.table, dirty())
    assert not proposed.changes["applied"].any()
    same = proposed.changes.drop(columns="applied")
    pd.testing.assert_frame_equal(same, cleaned.changes.drop(columns="applied"))


def test_missing_cells_stay_missing():
    frame = dirty()
    frame.loc[frame.index[::5], "reach"] = np.nan
    result = clean(frame, random_state=0)
    assert (result.table["reach"].isna() == frame["reach"].isna()).all()


def test_a_rate_of_0_finds_nothing():
    assert clean(dirty(), fdr=0, random_state=0).changes.empty


def test_a_clean_table_stays_nearly_as_it_is():
    assert len(clean(people(), random_state=0).changes) <= 2


def gains(rows: int = 800) -> pd.DataFrame:
    """A number that is 0 in eleven of twelve rows, and twice another one in the rest."""
    rng = np.random.default_rng(0)
    base = np.exp(rng.normal(8, 0.8, rows)).round()
    return pd.DataFrame(
        {
            "age": rng.normal(40, 12, rows).round(),
            "base": base,
            "gain": np.where(rng.random(rows) < 1 / 12, 2 * base, 0.0),
            "job": np.where(rng.random(rows) < 0.3, "part", "full"),
        }
    )


def test_values_beside_a_spike_are_no_errors_for_being_few():
    assert len(clean(gains(), random_state=0).changes) <= 1


def test_a_value_beside_a_spike_is_judged_among_its_like():
    table = gains(3_000)
    at = int(table.index[table["gain"] > 0][7])
    table.loc[at, "gain"] = 3e7
    changes = clean(table, random_state=0).changes
    assert changes[["row", "column"]].to_numpy().tolist() == [[at, "gain"]]
    told = float(changes["new"].iloc[0])
    assert told == 0 or told < 1e5


def test_categories_that_contradict_the_rest_are_found():
    rng = np.random.default_rng(0)
    rows = 3_000
    kind = rng.integers(0, 3, rows)
    names = np.array(["ant", "bee", "cat"])
    frame = pd.DataFrame({"kind": names[kind], "legs": np.array([6, 7, 4])[kind]})
    frame["weight"] = kind * 10.0 + rng.normal(size=rows)
    frame["length"] = kind * 5.0 + rng.normal(size=rows)
    frame.loc[[10, 20], "kind"] = np.where(frame.loc[[10, 20], "kind"] == "ant", "cat", "ant")
    truth = names[kind[[10, 20]]]
    result = clean(frame, random_state=0)
    # the numbers of the row say so as well, and the category is to blame for all of them
    assert ("kind", 20) in places(result.changes) <= {("kind", 10), ("kind", 20)}
    assert result.table.loc[20, "kind"] == truth[1]


def test_polars_and_numpy_come_home():
    frame = pl.from_pandas(dirty())
    result = clean(frame, random_state=0)
    assert result.table.schema == frame.schema and len(result.changes) >= 6
    array = dirty()[["height", "inches", "reach"]].to_numpy()
    made = clean(array, random_state=0)
    assert made.table.dtype == array.dtype
    assert (made.table != array).sum() == len(made.changes)


def test_a_dropped_column_is_left_alone():
    changes = clean(dirty(), schema={"height": "drop"}, random_state=0).changes
    assert "height" not in set(changes["column"])


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(TableError, match="at least 50 rows"):
        clean(people(20))
    with pytest.raises(ParameterError, match="fdr"):
        clean(people(), fdr=2.0)


def test_chances_of_normal_distances_are_about_right():
    rng = np.random.default_rng(0)
    tail = Tail.fit(np.abs(rng.normal(size=20_000)))
    fresh = np.abs(rng.normal(size=100_000))
    for level in (0.1, 0.01, 0.001):
        assert (tail.chance(fresh) <= level).mean() < 1.2 * level
    assert tail.chance(np.array([9.0]))[0] < 1e-4


def test_discoveries_are_those_of_benjamini_and_hochberg():
    chances = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205])
    assert discoveries(chances, 0.05) == 0.008
    assert discoveries(chances, 0.001) == 0.0
