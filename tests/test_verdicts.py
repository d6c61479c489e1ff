"""Verdicts: grades from figures and floors, and what is said where they are missing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from synthgan.evaluation.grades import GRADES, GROUPS, LIMITS, SENTENCES
from synthgan.evaluation.verdicts import verdicts


def attack(risk: float | None, low: float | None, high: float | None = None) -> dict[str, Any]:
    if risk is None or low is None:
        return {"rate": 0.5, "risk": None, "risk_interval": None}
    return {"rate": 0.5, "risk": risk, "risk_interval": [low, risk + 0.1 if high is None else high]}


def member(auc: float, low: float, high: float, found: float = 0.012) -> dict[str, Any]:
    return {"auc": auc, "auc_interval": [low, high], "tpr_at_1pct_fpr": found}


def good_result() -> dict[str, Any]:
    """Figures like those of a published diffusion model on Adult, with their floors."""
    return {
        "tables": {
            name: {"rows": rows, "rows_used": rows}
            for name, rows in (("real", 4000), ("synthetic", 4000), ("holdout", 3000))
        },
        "fidelity": {
            "shape_error_pct": 0.76,
            "trend_error_pct": 1.9,
            "missing": {"error_pct": 0.1, "columns": {"age": {"real_pct": 5, "synthetic_pct": 6}}},
            "coverage": {"outside_pct": 0.06, "unseen_pct": 0.0},
        },
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
            "exact_copies_real": 0.0019,
            "near_copies": 0.09,
            "near_copies_fresh": 0.085,
            "neighbour_rows": 2000,
            "closest_share": 0.518,
            "closest_share_interval": [0.508, 0.528],
            "membership": {
                "distance": member(0.51, 0.49, 0.53),
                "calibrated_distance": member(0.51, 0.49, 0.53),
                "density_ratio": member(0.51, 0.505, 0.52),
                "splits": 5,
                "rows": {"members": 400, "non_members": 400},
            },
            "singling_out": {"univariate": attack(0.01, 0.0), "multivariate": attack(0.02, 0.001)},
            "rare_values": {
                "levels": {"rare": 3, "share": 1.0},
                "numbers": {"rare": 900, "share": 0.1},
            },
            "linkability": attack(0.0, 0.0),
            "attribute_inference": {"columns": {"age": attack(0.03, 0.01)}, "worst": "age"},
        },
        "floors": {
            "holdout": {
                "rows": 3000,
                "fidelity": {
                    "shape_error_pct": 0.5,
                    "trend_error_pct": 1.4,
                    "missing": {"error_pct": 0.1},
                    "coverage": {"outside_pct": 0.05, "unseen_pct": 0.0},
                },
                "risk": {
                    "exact_copies": 0.0018,
                    "near_copies": 0.1,
                    "rare_values": {"levels": {"share": 0.3}, "numbers": {"share": 0.4}},
                },
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
    assert all(set(each) == {"grade", "text", "reason", "reasons"} for each in found.values())
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
        ("fidelity.missing.error_pct", 1.0, "fidelity", "good"),
        ("fidelity.missing.error_pct", 9.0, "fidelity", "poor"),
        ("fidelity.missing.columns.age.synthetic_pct", 15.0, "fidelity", "good"),
        ("fidelity.missing.columns.age.synthetic_pct", 60.0, "fidelity", "poor"),
        ("fidelity.coverage.outside_pct", 5.0, "fidelity", "fair"),
        ("fidelity.coverage.unseen_pct", 1.0, "fidelity", "good"),
        ("fidelity.coverage.unseen_pct", 30.0, "fidelity", "poor"),
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
        ("floors.holdout.risk.exact_copies", 0.0, "risk", "good"),
        ("risk.near_copies", 0.125, "risk", "good"),
        ("risk.near_copies", 0.15, "risk", "fair"),
        ("risk.near_copies", 0.3, "risk", "poor"),
        ("risk.rare_values.numbers.share", 0.7, "risk", "fair"),
        ("risk.rare_values.levels.rare", 60, "risk", "poor"),
        ("risk.holdout_overlap", "25 % of the holdout stands in the real table", "risk", "good"),
        ("risk.closest_share", 0.57, "risk", "fair"),
        ("risk.closest_share_interval", [0.51, 0.9], "risk", "excellent"),
        ("risk.closest_share", 0.98, "risk", "poor"),
        ("risk.closest_share", 0.40, "risk", "excellent"),
        ("risk.membership.density_ratio", member(0.62, 0.6, 0.64), "risk", "fair"),
        ("risk.membership.density_ratio", member(0.62, 0.48, 0.7), "risk", "excellent"),
        ("risk.membership.calibrated_distance", member(0.62, 0.6, 0.64), "risk", "fair"),
        ("risk.membership.distance", member(0.51, 0.49, 0.53, 0.04), "risk", "good"),
        ("risk.membership.distance", member(0.51, 0.49, 0.53, 0.3), "risk", "poor"),
        ("risk.linkability", attack(0.4, 0.3), "risk", "poor"),
        ("risk.linkability", attack(0.4, 0.0), "risk", "excellent"),
        ("risk.linkability", attack(None, None), "risk", "excellent"),
        ("risk.attribute_inference.columns.sex", attack(0.3, 0.2), "risk", "fair"),
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


def test_reasons_stay_whole_whatever_a_column_is_called() -> None:
    columns = {"size; colour": {"real_pct": 5, "synthetic_pct": 40}}
    found = verdicts(changed("fidelity.missing.columns", columns))["fidelity"]
    assert any("size; colour" in reason for reason in found["reasons"])
    assert found["reason"] == "; ".join(found["reasons"])


def test_as_many_copies_as_chance_makes_are_no_blame() -> None:
    """2.5 % of the real rows have a twin: of 200 fresh rows 3.5 % may repeat one, and not 12 %."""
    result = changed("risk.exact_copies_real", 0.025)
    result["floors"]["holdout"]["risk"]["exact_copies"] = 0.025
    result["tables"]["synthetic"] = {"rows": 200, "rows_used": 200}
    result["risk"]["exact_copies"] = 0.035
    assert grades(result)["risk"] == "excellent"
    result["risk"]["exact_copies"] = 0.12
    assert grades(result)["risk"] == "poor"


@pytest.mark.parametrize("group", ["fidelity", "risk"])
def test_nothing_is_excellent_while_columns_or_privacy_are_unknown(group: str) -> None:
    found = verdicts(changed(group, None))
    assert found[group]["grade"] == "unknown" and found["overall"]["grade"] == "good"
    assert found["overall"]["reasons"] == [f"not excellent while unknown: {GROUPS[group]}"]


def test_a_short_table_teaches_as_well_as_as_few_real_rows() -> None:
    result = changed("utility.auc", 0.82)
    result["floors"]["bootstrap"] = {"utility": {"auc": 0.83}}
    assert grades(result)["utility"] == "fair"
    result["tables"]["synthetic"] = {"rows": 200, "rows_used": 200}
    assert grades(result)["utility"] == "excellent"
    assert "on as few of them 0.830" in verdicts(result)["utility"]["reason"]


def test_an_overlapping_holdout_does_not_excuse_copies() -> None:
    result = changed("floors.holdout.risk.exact_copies", 0.25)
    result["risk"]["exact_copies"] = 0.25
    assert grades(result)["risk"] == "poor"
    result = changed("floors.holdout.risk.near_copies", 0.5)
    result["risk"]["near_copies"] = 0.5
    assert grades(result)["risk"] == "excellent"
    result["risk"]["holdout_overlap"] = "half of the holdout stands in the real table"
    assert grades(result)["risk"] == "poor"


def test_noise_of_a_small_table_is_not_held_against_it() -> None:
    """6 % of column error is poor in a long table, and nothing where real rows have 5.5 %."""
    small = changed("tables", None)
    small["fidelity"]["shape_error_pct"] = 6.0
    small["floors"]["holdout"]["fidelity"]["shape_error_pct"] = 5.5
    assert grades(small)["fidelity"] == "excellent"
    del small["floors"]["holdout"]
    assert grades(small)["fidelity"] == "fair"
    small["floors"]["bootstrap"] = {"fidelity": {"shape_error_pct": 5.0, "trend_error_pct": 1.4}}
    assert grades(small)["fidelity"] == "excellent"
    assert "resampled real rows: 7.07 %" in verdicts(small)["fidelity"]["reason"]


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
    result["risk"]["attribute_inference"]["columns"]["told"] = attack(0.37, 0.3)
    assert verdicts(result)["risk"]["grade"] == "poor"


def test_a_short_holdout_excuses_no_error() -> None:
    """60 real rows are 5.8 % off by chance; 4,000 rows that are 6.5 % off are not."""
    result = changed("fidelity.shape_error_pct", 6.5)
    result["floors"]["holdout"]["fidelity"]["shape_error_pct"] = 5.8
    result["floors"]["bootstrap"] = {"fidelity": {"shape_error_pct": 0.9, "trend_error_pct": 1.0}}
    assert grades(result)["fidelity"] == "excellent"
    result["floors"]["holdout"]["rows"] = 60
    assert grades(result)["fidelity"] == "fair"
    assert "resampled real rows: 1.27 %" in verdicts(result)["fidelity"]["reason"]


def test_a_short_holdout_excuses_neither_near_copies_nor_a_lost_part() -> None:
    result = changed("floors.holdout.rows", 60)
    assert grades(result)["risk"] == "excellent"
    result["risk"]["near_copies"] = 0.3
    result["floors"]["holdout"]["risk"]["near_copies"] = 0.4
    result["collapse"]["share_lost"] = result["floors"]["holdout"]["collapse"]["share_lost"] = 0.3
    assert (grades(result)["risk"], grades(result)["rows"]) == ("poor", "poor")


def test_a_short_synthetic_table_is_held_to_as_few_real_rows() -> None:
    result = changed("fidelity.shape_error_pct", 5.0)
    assert grades(result)["fidelity"] == "fair"
    result["floors"]["bootstrap"] = {"fidelity": {"shape_error_pct": 4.6}}
    assert grades(result)["fidelity"] == "excellent"


def test_the_worse_of_two_floors_counts() -> None:
    result = changed("manifold.coverage", 0.70)
    assert grades(result)["rows"] == "fair"
    result["floors"]["bootstrap"] = {"manifold": {"coverage": 0.99}}
    assert "near (the holdout: 97%)" in verdicts(result)["rows"]["reason"]
    result["floors"]["bootstrap"]["manifold"]["coverage"] = 0.72
    assert grades(result)["rows"] == "excellent"


def test_near_copies_of_few_rows_are_unknown() -> None:
    result = changed("risk.neighbour_rows", 20)
    assert (
        "near copies of a single real one (real rows: 10.0%): too few rows"
        in (verdicts(result)["risk"]["reason"])
    )
    result["risk"]["near_copies"] = 0.9
    assert grades(result)["risk"] == "poor"


@pytest.mark.parametrize("name", ["real", "synthetic"])
def test_tables_of_a_few_rows_have_no_grade(name: str) -> None:
    result = changed(f"tables.{name}", {"rows": 29, "rows_used": 29})
    assert grades(result) == dict.fromkeys([*GROUPS, "overall"], "unknown")
    assert f"29 {name} rows: too few rows to be sure" in verdicts(result)["rows"]["reason"]
    result["risk"]["exact_copies"] = 0.5
    assert grades(result)["risk"] == "poor"
    result["tables"][name] = {"rows": 30, "rows_used": 30}
    assert grades(result)["fidelity"] == "excellent"


def test_a_few_test_rows_tell_no_use() -> None:
    assert grades(changed("utility.rows", {"test": 29}))["utility"] == "unknown"
    assert grades(changed("utility.rows", {"test": 30}))["utility"] == "excellent"


def test_collapse_alone_decides_nothing() -> None:
    result = changed("detection", None)
    assert grades(result)["rows"] == "excellent"
    del result["manifold"]
    assert grades(result)["rows"] == "unknown"
    result["collapse"]["share_lost"] = 0.5
    assert grades(result)["rows"] == "unknown"


def test_attacks_that_say_nothing_are_no_evidence_of_safety() -> None:
    result = changed("risk.closest_share_interval", [0.3, 0.7])
    unsure = member(0.5, 0.3, 0.7)
    result["risk"]["membership"] = {"distance": unsure, "density_ratio": unsure}
    for name in ("singling_out", "linkability", "attribute_inference"):
        result["risk"][name] = attack(0.0, 0.0, 0.4)
    found = verdicts(result)["risk"]
    assert found["grade"] == "unknown"
    assert "linkability attack, 1 of 1 tries: too few rows to be sure" in found["reason"]
    result["risk"]["linkability"] = attack(0.5, 0.3, 0.7)
    assert grades(result)["risk"] == "poor"


def test_a_closest_share_within_chance_is_excellent() -> None:
    result = changed("risk.closest_share", 0.58)
    assert grades(result)["risk"] == "fair"
    result["risk"]["closest_share_interval"] = [0.49, 0.67]
    assert grades(result)["risk"] == "excellent"
    assert "no copying), no more than chance" in verdicts(result)["risk"]["reason"]
    result["risk"]["closest_share_interval"] = [0.4, 0.76]
    assert "no copying), too few rows to be sure" in verdicts(result)["risk"]["reason"]


def test_rare_values_are_held_to_as_many_fresh_rows() -> None:
    result = changed("risk.rare_values.numbers.share", 0.64)
    assert grades(result)["risk"] == "good"
    result["risk"]["rare_values"]["rows"] = 4000
    result["floors"]["holdout"]["risk"]["rare_values"]["rows"] = 2000
    assert grades(result)["risk"] == "excellent"
    assert "64% of rare numbers are met (the holdout: 64%)" in verdicts(result)["risk"]["reason"]


def test_members_found_by_a_few_guesses_are_chance() -> None:
    result = changed("risk.membership.distance", member(0.51, 0.49, 0.53, 0.04))
    assert grades(result)["risk"] == "good"
    result["risk"]["membership"]["rows"] = {"members": 20, "non_members": 20}
    assert grades(result)["risk"] == "excellent"
    assert (
        "finds 4.0% of members at 1 % false alarms, no more than chance"
        in (verdicts(result)["risk"]["reason"])
    )


def test_numbers_beyond_the_ends_of_a_short_real_table_are_chance() -> None:
    result = changed("fidelity.coverage.outside_pct", 5.0)
    assert grades(result)["fidelity"] == "fair"
    result["tables"]["real"] = {"rows": 40, "rows_used": 40}
    assert grades(result)["fidelity"] == "excellent"


@pytest.mark.parametrize("name", ["real", "synthetic"])
def test_rows_that_were_not_looked_at_keep_privacy_from_excellence(name: str) -> None:
    result = changed(f"tables.{name}", {"rows": 16_000, "rows_used": 4000})
    assert grades(result)["risk"] == "good"
    reason = verdicts(result)["risk"]["reason"]
    assert f"only 25.0% of the {name} rows were looked at: " in reason
    result["risk"] = {"exact_copies": 0.0}
    assert grades(result)["risk"] == "unknown"
