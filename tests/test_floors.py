"""The floors are what their names say."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from synthgan.evaluation.floors import bootstrap, independent, smote
from synthgan.evaluation.reference import Reference


@pytest.fixture(scope="module")
def reference(adult: pa.Table) -> Reference:
    return Reference(adult, seed=0)


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_a_bootstrap_holds_real_rows_some_of_them_twice(reference: Reference) -> None:
    made = rows_of(bootstrap(reference, 1_000).table)
    assert len(made) == reference.real.rows
    assert set(made) <= set(rows_of(reference.real.table))
    assert 0.55 < len(set(made)) / len(set(rows_of(reference.real.table))) < 0.7


def test_independent_columns_keep_margins_and_lose_dependence(reference: Reference) -> None:
    found = reference.fidelity.compare_coded(independent(reference, 1_000))
    assert found.shape_error == 0
    assert (
        found.trend_error
        > reference.fidelity.compare_coded(bootstrap(reference, 1_000)).trend_error
    )


def test_interpolated_rows_lie_near_and_are_new(reference: Reference) -> None:
    made = smote(reference, 1_000)
    real = set(rows_of(reference.real.table))
    assert made.rows == reference.real.rows
    assert made.table.schema.types == reference.real.table.schema.types
    assert np.mean([row in real for row in rows_of(made.table)]) < 0.1
    # Alike to the eye, and the dependence is there: this floor is bought with near copies.
    assert reference.fidelity.compare_coded(made).trend_error < 0.1


def test_interpolation_takes_every_type_nulls_and_single_rows() -> None:
    days = [dt.date(2020, 1, 1), None, dt.date(2020, 3, 1)]
    table = pa.table({"day": days, "n": pa.array([1, 2, None], pa.int8()), "b": [True, None, True]})
    for rows in (1, 2, 3):
        made = smote(Reference(table.slice(0, rows), seed=1), 3)
        assert made.rows == rows
        assert made.table.schema.types == table.schema.types


def test_floors_have_as_many_rows_as_the_table_they_stand_beside(reference: Reference) -> None:
    for make in (bootstrap, independent, smote):
        assert make(reference, 70).rows == 70
