"""Verdicts: grades from figures and floors, and what is said where they are missing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from synthgan.evaluation.grades import GRADES, GROUPS, LIMITS, SENTENCES
from synthgan.evaluation.verdicts import verdicts


def attack(risk: float | None, low: float | None) -> dict[str, Any]:
    return {"rate": 0.5, "risk": risk, "risk_interval": [low, 1.0] if low is not None else None}


def good_result() -> dict[str, Any]:
    """Figures like those of a published diffusion model on Adult, with their floors."""
    return {
        "fidelity": {"shape_error_pct": 0.76, "trend_error_pct": 1.9},
        "manifold": {"precision": 0.92, "coverage": 0.96},
        "collapse": {"share_lost": 0.0},
        "detection": {
            "boosted_auc": 0.56,
            "boosted_auc_interval": [0.55, 0.57],
            "boosted_auc_holdout": 0.58,
            "boosted_auc_holdout_interval": [0.57, 0.59],
        },
        "utility": {"auc": 0.911, "real": {"auc": 0.930}},
        "risk": {
            "exact_copies": 0.002,
            "exact_copies_holdout": 0.0018,
            "exact_copies_real": 0.0019,
            "closest_share": 0.518,
            "membership": {
                "distance": {"auc": 0.51, "auc_interval": [0.49, 0.53]},
                "density_ratio": {"auc": 0.51, "auc_interval": [0.505, 0.52]},
            },
            "singling_out": {"univariate": attack(0.01, 0.0), "multivariate": attack(0.02, 0.001)},
            "rare_values": {
                "levels": {"rare": 3, "share_matched": 1.0, "share_holdout": 0.3},
                "numbers": {"rare": 900, "share_matched": 0.1, "share_holdout": 0.4},
            },
            "linkability": attack(0.0, 0.0),
            "attribute_inference": {"columns": {"age": attack(0.03, 0.01)}, "worst": "age"},
        },
        "floors": {
            "holdout": {
                "fidelity": {"shape_error_pct": 0.5, "trend_error_pct": 1.4},
                "manifold": {"precision": 0.95, "coverage": 0.97},
                "collapse": {"share_lost": 0.0},
                "detection": {"boosted_auc": 0.5},
            },
            "independent": {
                "fidelity": {"shape_error_pct": 0.4, "trend_error_pct": 7.5},
                "utility": {"auc": 0.5},
            },
        },
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good result with one figure put in place of another, or taken away."""
    result: dict[str, Any] = copy.deepcopy(good_result())
    *parents, name = path.split(".")
    holder = result
    for parent in parents:
        holder = holder[parent]
    if value is None:
        del holder[name]
    else:
        holder[name] = value
    return result


def grades(result: dict[str, Any]) -> dict[str, str]:
    found = verdicts(result)
    json.dumps(found, allow_nan=False)
    assert all(set(each) == {"grade", "text", "reason"} for each in found.values())
    assert all(each["text"] and each["reason"] for each in found.values())
    return {name: each["grade"] for name, each in found.items()}


def test_a_good_table_is_called_so() -> None:
    found = verdicts(good_result())
    assert grades(good_result()) == dict.fromkeys([*GROUPS, "overall"], "excellent")
    assert "column error 0.76 % (the holdout: 0.50 %)" in found["fidelity"]["reason"]
    assert "independent columns: 7.50 %" in found["fidelity"]["reason"]
    assert "AUC 0.58" in found["rows"]["reason"]
    assert "AUC 0.911, trained on real rows 0.930" in found["utility"]["reason"]
    assert found["overall"]["text"].startswith("Likeness of columns excellent, likeness of whole")


@pytest.mark.parametrize(
    ("path", "value", "group", "grade"),
    [
        ("fidelity.shape_error_pct", 2.0, "fidelity", "good"),
        ("fidelity.shape_error_pct", 5.0, "fidelity", "fair"),
        ("fidelity.shape_error_pct", 9.2, "fidelity", "poor"),
        ("fidelity.trend_error_pct", 3.6, "fidelity", "good"),
        ("fidelity.trend_error_pct", 5.5, "fidelity", "fair"),
        ("fidelity.trend_error_pct", 7.5, "fidelity", "poor"),
        ("floors.holdout.fidelity.shape_error_pct", 0.0, "fidelity", "excellent"),
        ("detection.boosted_auc_holdout", 0.64, "rows", "good"),
        ("detection.boosted_auc_holdout", 0.78, "rows", "fair"),
        ("detection.boosted_auc_holdout", 0.96, "rows", "poor"),
        ("detection.boosted_auc_holdout", 0.40, "rows", "excellent"),
        ("manifold.precision", 0.85, "rows", "good"),
        ("manifold.coverage", 0.70, "rows", "fair"),
        ("manifold.coverage", 0.30, "rows", "poor"),
        ("collapse.share_lost", 0.2, "rows", "poor"),
        ("utility.auc", 0.95, "utility", "excellent"),
        ("utility.auc", 0.88, "utility", "good"),
        ("utility.auc", 0.80, "utility", "fair"),
        ("utility.auc", 0.60, "utility", "poor"),
        ("risk.exact_copies", 0.009, "risk", "good"),
        ("risk.exact_copies", 0.5, "risk", "poor"),
        ("risk.exact_copies_holdout", 0.0, "risk", "good"),
        ("risk.rare_values.numbers.share_matched", 0.7, "risk", "fair"),
        ("risk.rare_values.levels.rare", 60, "risk", "poor"),
        ("risk.holdout_overlap", "25 % of the holdout stands in the real table", "risk", "good"),
        ("risk.closest_share", 0.57, "risk", "fair"),
        ("risk.closest_share", 0.98, "risk", "poor"),
        ("risk.closest_share", 0.40, "risk", "excellent"),
        (
            "risk.membership.density_ratio",
            {"auc": 0.62, "auc_interval": [0.6, 0.64]},
            "risk",
            "fair",
        ),
        (
            "risk.membership.density_ratio",
            {"auc": 0.62, "auc_interval": [0.48, 0.76]},
            "risk",
            "excellent",
        ),
        ("risk.linkability", attack(0.4, 0.3), "risk", "poor"),
        ("risk.linkability", attack(0.4, 0.0), "risk", "excellent"),
        ("risk.linkability", attack(None, None), "risk", "excellent"),
        ("risk.attribute_inference.columns.sex", attack(0.2, 0.1), "risk", "fair"),
        ("risk.attribute_inference.columns.sex", attack(0.9, 0.0), "risk", "excellent"),
    ],
)
def test_each_figure_moves_its_group_and_no_other(
    path: str, value: Any, group: str, grade: str
) -> None:
    expected = dict.fromkeys([*GROUPS, "overall"], "excellent") | {group: grade, "overall": grade}
    assert grades(changed(path, value)) == expected


def test_the_worst_figure_comes_first() -> None:
    reason = verdicts(changed("risk.closest_share", 0.9))["risk"]["reason"]
    assert reason.startswith("90.0% of rows are closer to rows that the generator saw")


def test_an_overlapping_holdout_does_not_excuse_copies() -> None:
    result = changed("risk.exact_copies_holdout", 0.25)
    result["risk"]["exact_copies"] = 0.25
    assert grades(result)["risk"] == "poor"


def test_noise_of_a_small_table_is_not_held_against_it() -> None:
    """6 % of column error is poor in a long table, and nothing where real rows have 5.5 %."""
    small = changed("fidelity.shape_error_pct", 6.0)
    small["floors"]["holdout"]["fidelity"]["shape_error_pct"] = 5.5
    assert grades(small)["fidelity"] == "excellent"
    del small["floors"]["holdout"]
    assert grades(small)["fidelity"] == "fair"
    small["floors"]["bootstrap"] = {"fidelity": {"shape_error_pct": 5.0, "trend_error_pct": 1.4}}
    assert grades(small)["fidelity"] == "excellent"
    assert "resampled real rows: 5.00 %" in verdicts(small)["fidelity"]["reason"]


def test_a_table_without_relations_is_graded_by_points() -> None:
    result = changed("floors.independent.fidelity.trend_error_pct", 1.5)
    assert grades(result)["fidelity"] == "excellent"


def test_too_few_rows_to_detect_anything_is_unknown() -> None:
    result = changed("detection.boosted_auc_holdout_interval", [0.4, 0.8])
    del result["manifold"], result["collapse"]
    found = verdicts(result)
    assert found["rows"]["grade"] == "unknown"
    assert "too few rows" in found["rows"]["reason"]
    assert found["overall"]["grade"] == "excellent"
    assert "likeness of whole rows unknown" in found["overall"]["text"]


def test_regression_is_graded_by_r2() -> None:
    result = changed("utility", {"rmse": 3.0, "r2": 0.60, "real": {"rmse": 2.0, "r2": 0.80}})
    assert grades(result)["utility"] == "fair"
    assert "R2 0.600, trained on real rows 0.800" in verdicts(result)["utility"]["reason"]


def test_a_target_that_nobody_can_learn_is_unknown() -> None:
    result = changed("utility", {"auc": 0.51, "real": {"auc": 0.52}})
    assert grades(result)["utility"] == "unknown"
    assert "even real rows do not teach" in verdicts(result)["utility"]["reason"]


def test_without_a_holdout_privacy_is_unknown_or_worse() -> None:
    result = good_result()
    result["risk"] = {"exact_copies": 0.0, "closest_share": None, "linkability": attack(None, None)}
    found = verdicts(result)["risk"]
    assert found["grade"] == "unknown"
    assert "without a holdout" in found["reason"]
    result["risk"]["exact_copies"] = 0.3
    found = verdicts(result)["risk"]
    assert found["grade"] == "poor"
    assert found["reason"].startswith("30.00% of rows are exact copies")


@pytest.mark.parametrize("group", ["fidelity", "utility", "risk", "floors"])
def test_missing_groups_and_floors_are_said_not_raised(group: str) -> None:
    found = grades(changed(group, None))
    if group != "floors":
        assert found[group] == "unknown"
    assert verdicts(changed("utility", {"auc": None, "reason": "no target was given"}))["utility"][
        "reason"
    ].startswith("no target was given")


def test_nothing_at_all_is_unknown() -> None:
    assert grades({}) == dict.fromkeys([*GROUPS, "overall"], "unknown")


def test_every_grade_has_its_sentence_and_limits_grow() -> None:
    assert set(SENTENCES) == set(GROUPS)
    assert all(tuple(sentences) == GRADES for sentences in SENTENCES.values())
    for limit in LIMITS.values():
        assert 0 < limit.excellent < limit.good < limit.fair
        assert limit.grade(limit.good) == "good"
        assert limit.grade(limit.fair + 1e-9) == "poor"


def test_the_surest_of_many_columns_is_no_finding_by_chance() -> None:
    result = good_result()
    columns = {f"c{i}": attack(0.02, 0.0) for i in range(13)}
    result["risk"]["attribute_inference"] = {"columns": columns | {"lucky": attack(0.27, 0.002)}}
    assert verdicts(result)["risk"]["grade"] == "excellent"
    result["risk"]["attribute_inference"]["columns"]["told"] = attack(0.27, 0.2)
    assert verdicts(result)["risk"]["grade"] == "poor"
