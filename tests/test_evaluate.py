"""The whole judgement: every group beside its floors, strict JSON, the same figures for a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgan import Evaluation, evaluate
from synthgan.cli.report import read_bars
from synthgan.errors import OutputError, OutputExistsError, ParameterError, SchemaError, TableError
from synthgan.evaluation import METRICS_VERSION
from synthgan.evaluation.paths import reason_for
from synthgan.evaluation.result import HEADLINES

FLOORS = {"holdout", "bootstrap", "independent", "smote"}
PLAIN = (
    "fidelity.shape_error_pct",
    "fidelity.trend_error_pct",
    "detection.boosted_auc",
    "detection.boosted_auc_holdout",
    "detection.logistic",
    "risk.closest_share",
)


@pytest.fixture(scope="module")
def parts(adult: pa.Table) -> dict[str, pa.Table]:
    order = np.random.default_rng(0).permutation(adult.num_rows)
    real, synthetic, holdout = (adult.take(pa.array(part)) for part in np.array_split(order, 3))
    return {"real": real, "synthetic": synthetic, "holdout": holdout}


@pytest.fixture(scope="module")
def judged(parts: dict[str, pa.Table]) -> Evaluation:
    return evaluate(parts["real"], parts["synthetic"], holdout=parts["holdout"], target="income")


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for name in value for k, v in leaves(value[name], f"{path}.{name}").items()}
    return {path: value}


def test_plain_figures_stand_where_the_documents_say(judged: Evaluation) -> None:
    for path in (*PLAIN, "utility.auc"):
        assert isinstance(judged.figure(path), float), path
    assert judged.figure("metrics_version") == METRICS_VERSION


def test_every_number_of_a_result_can_be_held_to_a_bar(judged: Evaluation) -> None:
    groups = ("fidelity", "manifold", "collapse", "detection", "utility", "risk")
    numbers = [
        path.removeprefix(".")
        for path, value in leaves({name: judged.figure(name) for name in groups}).items()
        if isinstance(value, int | float)
    ]
    given = {"--target": "income", "--holdout": "holdout.parquet"}
    assert len(read_bars([f"{path}=0" for path in numbers], [], given)) == len(numbers) > 100


def test_floors_hold_the_same_paths_and_no_others(judged: Evaluation) -> None:
    floors = judged.figure("floors")
    assert set(floors) == FLOORS
    assert {floor["rows"] for floor in floors.values()} <= {333, 334}
    for name, floor in floors.items():
        for path in (*PLAIN, "utility.auc", "risk.membership.distance.auc"):
            assert Evaluation(floor).figure(path) is not None, (name, path)
        for path in leaves(floor):
            if "reason" not in path and path != ".rows":
                judged.figure(path.removeprefix("."))


def test_real_rows_are_judged_as_real_and_independent_columns_are_not(judged: Evaluation) -> None:
    assert judged.figure("fidelity.shape_error_pct") < 6
    assert judged.figure("detection.boosted_auc_holdout") < 0.6
    independent = judged.figure("floors.independent")
    assert independent["detection"]["boosted_auc"] > 0.8
    assert independent["utility"]["auc"] < judged.figure("utility.auc")
    assert independent["fidelity"]["trend_error_pct"] > judged.figure("fidelity.trend_error_pct")
    assert judged.figure("floors.bootstrap.risk.exact_copies") == 1


def test_the_result_is_strict_json_and_a_copy(judged: Evaluation) -> None:
    copied = judged.to_dict()
    assert json.loads(judged.to_json()) == copied
    copied["fidelity"]["shape_error_pct"] = -1
    assert judged.figure("fidelity.shape_error_pct") >= 0


def test_the_same_seed_gives_the_same_figures(parts: dict[str, pa.Table]) -> None:
    small = {name: table.slice(0, 60).select(["age", "sex"]) for name, table in parts.items()}
    first, second, other = (
        evaluate(small["real"], small["synthetic"], holdout=small["holdout"], random_state=seed)
        for seed in (1, 1, 2)
    )
    assert first.result == second.result
    assert first.result["floors"] != other.result["floors"]


def test_frames_and_files_give_the_same_figures(parts: dict[str, pa.Table], tmp_path: Path) -> None:
    real, synthetic = (
        parts[name].slice(0, 80).select(["age", "sex"]) for name in ("real", "synthetic")
    )
    pq.write_table(real, tmp_path / "real.parquet")
    from_files = evaluate(tmp_path / "real.parquet", synthetic.to_pandas()).to_dict()
    from_tables = evaluate(real, synthetic).to_dict()
    assert from_files["tables"]["real"]["name"] == "real.parquet"
    for changed in (from_files, from_tables):
        del changed["tables"], changed["columns"]
    assert from_files == from_tables


def test_without_holdout_and_target_those_figures_are_missing_with_a_note(
    parts: dict[str, pa.Table],
) -> None:
    found = evaluate(parts["real"].slice(0, 80), parts["synthetic"].slice(0, 80))
    assert found.figure("detection.boosted_auc_holdout") is None
    assert found.figure("utility.auc") is None
    assert found.figure("utility.reason") == "no target was given"
    assert set(found.figure("floors")) == FLOORS - {"holdout"}
    assert any("no holdout" in note for note in found.figure("notes"))


def test_ids_and_sampling_are_noted() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"customer_id": np.arange(400), "n": rng.normal(size=400)})
    found = evaluate(table, table, max_rows=300)
    assert "not compared (ids, free text, dropped): customer_id" in found.figure("notes")
    assert "real: 300 of 400 rows were used" in found.figure("notes")
    assert found.figure("tables.real") == {"name": "real table", "rows": 400, "rows_used": 300}
    assert [column["compared"] for column in found.figure("columns")] == [False, True]


def test_copies_of_rows_that_were_not_drawn_are_found() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([f"l{i}" for i in range(500)])
    real = pa.table({"n": rng.normal(size=2_000), "c": rng.choice(levels, 2_000)})
    found = evaluate(real, real.slice(0, 100), max_rows=200)
    assert found.figure("tables.real.rows_used") == 200
    assert found.figure("risk.exact_copies") == 1
    assert found.figure("risk.exact_copies_real") == 0
    fresh = pa.table({"n": rng.normal(size=100), "c": rng.choice(levels, 100)})
    assert evaluate(real, fresh, max_rows=200).figure("risk.exact_copies") == 0


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"n": [1.0, 2.0]}),
        pa.table({"c": ["a", "b", "a"]}),
        pa.table({"n": pa.array([None, None, None], pa.float64()), "c": [None, "x", None]}),
        pa.table({"constant": [7] * 12, "flag": [True, None] * 6}),
        pa.table({"same": ["x"] * 40, "n": pa.array(range(40), pa.float64())}),
    ],
    ids=["one number", "one category", "nulls", "constant", "forty rows"],
)
def test_small_and_odd_tables_are_judged_without_an_error(table: pa.Table) -> None:
    for target in (None, table.column_names[0]):
        found = evaluate(table, table, holdout=table, target=target)
        found.to_json()
        assert found.figure("fidelity.shape_error_pct") == 0
        assert "<html" in found.to_html()


def test_what_is_odd_about_the_tables_is_noted(parts: dict[str, pa.Table]) -> None:
    real, synthetic = (parts[name].slice(0, 200) for name in ("real", "synthetic"))
    named = synthetic.append_column("made", pa.array(range(200)))
    found = evaluate(real, named, holdout=synthetic)
    assert "in the synthetic table only, so not compared: made" in found.figure("notes")
    assert any("nearer to the holdout" in note for note in found.figure("notes"))


def test_columns_that_are_not_compared_are_not_looked_at() -> None:
    """What cannot be read is refused only where it would be compared."""
    rng = np.random.default_rng(0)
    numbers = [pd.DataFrame({"n": rng.normal(size=40)}) for _ in range(3)]
    real = numbers[0].assign(nested=[[1, 2]] * 40, infinite=np.inf)
    synthetic = numbers[1].assign(odd=[{"a": 1}] * 40)
    schema = {"nested": "drop", "infinite": "drop"}
    found = evaluate(real, synthetic, holdout=numbers[2].assign(odd=np.inf), schema=schema)
    assert list(found.figure("fidelity.columns")) == ["n"]
    assert "in the synthetic table only, so not compared: odd" in found.figure("notes")
    with pytest.raises(TableError, match="nested"):
        evaluate(real.drop(columns="infinite"), synthetic)


def test_the_largest_floats_are_judged() -> None:
    table = pa.table({"x": [1.5e308, -1.5e308] * 4, "n": np.arange(8.0)})
    assert "NaN" not in evaluate(table, table).to_json()


def test_moments_that_come_as_text_are_shown_as_moments() -> None:
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    found = evaluate(pa.table({"day": days}), pa.table({"day": days.astype(str).tolist()}))
    assert found.figure("fidelity.coverage.columns.day.real")[0].startswith("2020-01-01")


def test_a_missing_figure_of_a_column_with_a_dot_has_its_reason() -> None:
    real = pa.table({"a.b": [1.0, 2.0, 3.0], "n": [1.0, 2.0, 4.0]})
    empty = real.set_column(0, "a.b", pa.nulls(3, pa.float64()))
    path = "fidelity.coverage.columns.a.b.outside_pct"
    assert reason_for(evaluate(real, empty).result, path) == "the synthetic column is all null"


def test_one_column_has_no_pairs_to_err_in() -> None:
    found = evaluate(pa.table({"n": [1.0, 2.0]}), pa.table({"n": [1.0, 2.0]}))
    assert found.figure("fidelity.trend_error_pct") is None
    assert "one column" in found.figure("fidelity.trend_error_pct_reason")


def test_provenance_is_shown_where_given_and_absent_otherwise(judged: Evaluation) -> None:
    assert "provenance" not in judged.result
    table = pa.table({"n": [1.0, 2.0, 3.0]})
    found = evaluate(table, table, provenance={"seed": 7})
    assert found.figure("provenance.seed") == 7
    history = [{"loss": float("nan")}, {"loss": 0.5}]
    found = evaluate(table, table, provenance={"model": "CTGAN", "history": history})
    assert found.figure("provenance.history") == [{"loss": None}, {"loss": 0.5}]
    assert "CTGAN" in found.to_html()
    with pytest.raises(ParameterError, match="provenance: expected"):
        evaluate(table, table, provenance={"model": object()})
    with pytest.raises(ParameterError, match="provenance: expected a mapping"):
        evaluate(table, table, provenance="made by hand")  # type: ignore[arg-type]


def test_wrong_requests_are_refused_with_the_names(parts: dict[str, pa.Table]) -> None:
    real, synthetic = parts["real"], parts["synthetic"]
    with pytest.raises(ParameterError, match=r"target: expected one of .*'income'.* found 'incom'"):
        evaluate(real, synthetic, target="incom")
    with pytest.raises(ParameterError, match="target"):
        evaluate(real, synthetic, target="age", schema={"age": "drop"})
    with pytest.raises(TableError, match=r"the synthetic table.*missing are \['age'\]"):
        evaluate(real, synthetic.drop_columns(["age"]))
    with pytest.raises(TableError, match="the holdout"):
        evaluate(real, synthetic, holdout=synthetic.slice(0, 0))
    with pytest.raises(SchemaError, match="nothing"):
        evaluate(real, synthetic, schema={"nothing": "id"})
    for wrong in (
        {"max_rows": 1},
        {"max_rows": True},
        {"random_state": 2**32},
        {"random_state": 0.5},
    ):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            evaluate(real, synthetic, **wrong)


def test_figures_are_found_by_path_or_named() -> None:
    found = Evaluation({"fidelity": {"shape_error_pct": 1.5}})
    assert found.figure("fidelity.shape_error_pct") == 1.5
    dotted = Evaluation({"columns": {"a": 1, "a.b": {"error": 2}}})
    assert dotted.figure("columns.a.b.error") == 2
    assert dotted.figure("columns.a") == 1
    with pytest.raises(ParameterError, match="fidelity has no 'shape'; it has shape_error_pct"):
        found.figure("fidelity.shape")
    with pytest.raises(ParameterError, match=r"fidelity.shape_error_pct has no 'deeper'"):
        found.figure("fidelity.shape_error_pct.deeper")


def test_the_summary_holds_each_headline_with_its_floors(judged: Evaluation) -> None:
    rows = judged.summary()
    assert {row["path"] for row in rows} == set(HEADLINES) - {"utility.rmse"}
    for row in rows:
        assert set(row) >= FLOORS
        assert row["value"] == judged.figure(row["path"])
    assert "column shape error, %" in repr(judged)


def test_the_report_is_written_whole_or_not_at_all(judged: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    page = judged.to_html(path)
    assert path.read_text(encoding="utf-8") == page
    with pytest.raises(OutputExistsError):
        judged.to_html(path)
    judged.to_html(path, force=True)
    with pytest.raises(OutputError, match="suffix"):
        judged.to_html(tmp_path / "report.pdf")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert "<iframe" in judged._repr_html_()
