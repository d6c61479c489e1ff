"""What the figures mean, in words: a grade for each group, held to the floors beside it.

A figure alone says little: an error of 2 % is noise in a table of 300 rows and much in one of a
million. So figures are graded by how far they are from what real rows come to (the holdout, else a
bootstrap of the real table) and from what columns drawn independently come to. The limits are
conventions, all in `grades.LIMITS`; the reason beside each grade has the figures, for other ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from synthgan.evaluation.grades import (
    EXCELLENT,
    FAIR,
    GOOD,
    GRADES,
    GROUPS,
    LEAST_RARE,
    LEAST_SKILL,
    LEAST_TREND_GAP,
    LIMITS,
    POOR,
    SENTENCES,
    UNKNOWN,
    WIDEST,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure's grade, and the figure in words."""

    grade: str
    reason: str


Result = Mapping[str, Any]


def verdicts(result: Result) -> dict[str, dict[str, str]]:
    """A grade for each group of figures, in words.

    A group is as good as the worst of its figures, and the whole as the worst of its groups;
    figures that are missing do not count. Privacy is never graded above fair without a holdout
    (without rows that the generator has not seen, likeness and copying look the same), nor above
    good with one that shares rows with the real table.

    Parameters
    ----------
    result : mapping
        The result of an evaluation; groups, figures and floors may be missing.

    Returns
    -------
    dict
        For "fidelity", "rows", "utility", "risk" and "overall": `grade` (excellent, good, fair,
        poor or unknown), `text` (a sentence for anybody) and `reason` (the figures, worst first).

    Examples
    --------
    >>> found = verdicts({"fidelity": {"shape_error_pct": 4.0, "trend_error_pct": 2.5}})
    >>> found["fidelity"]["grade"], found["fidelity"]["reason"]
    ('fair', 'column error 4.00 %; pair error 2.50 %')
    """
    findings = {
        "fidelity": [*_shape(result), *_trend(result)],
        "rows": [*_detection(result), *_manifold(result), *_collapse(result)],
        "utility": list(_utility(result)),
        "risk": list(_risk(result)),
    }
    found = {name: _verdict(name, each) for name, each in findings.items()}
    found["overall"] = _overall(found)
    return found


def _verdict(group: str, findings: list[Finding]) -> dict[str, str]:
    findings = findings or [Finding(UNKNOWN, "it was not measured")]
    order = [POOR, FAIR, GOOD, EXCELLENT, UNKNOWN]
    findings = sorted(findings, key=lambda finding: order.index(finding.grade))
    grade = findings[0].grade
    reason = "; ".join(finding.reason for finding in findings)
    return {"grade": grade, "text": SENTENCES[group][grade], "reason": reason}


def _overall(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    grades = {group: found[group]["grade"] for group in GROUPS}
    known = [grade for grade in grades.values() if grade != UNKNOWN]
    said = ", ".join(f"{GROUPS[group]} {grade}" for group, grade in grades.items())
    worst = max(known, key=GRADES.index, default=UNKNOWN)
    lowest = [GROUPS[group] for group, grade in grades.items() if grade == worst]
    reason = f"as its lowest grade: {', '.join(lowest)}" if known else "no figure could be graded"
    return {"grade": worst, "text": f"{said[0].upper()}{said[1:]}.", "reason": reason}


def _at(result: Any, path: str) -> Any:
    """What stands at a path, None if nothing does."""
    for name in path.split("."):
        result = result.get(name) if isinstance(result, Mapping) else None
    return result


def _figure(result: Any, path: str) -> float | None:
    value = _at(result, path)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _interval(result: Any, path: str, otherwise: float) -> tuple[float, float]:
    """Both ends of an interval; without one the given value twice."""
    found = _at(result, path)
    if not isinstance(found, list | tuple) or len(found) != 2 or None in found:
        return otherwise, otherwise
    return float(found[0]), float(found[1])


def _real_rows(result: Result, path: str, otherwise: float) -> tuple[float, str]:
    """What real rows come to at a path, and that in words; else the given value, and nothing."""
    for name, who in (("holdout", "the holdout"), ("bootstrap", "resampled real rows")):
        value = _figure(result, f"floors.{name}.{path}")
        if value is not None:
            return value, who
    return otherwise, ""


def _shape(result: Result) -> Iterator[Finding]:
    error = _figure(result, "fidelity.shape_error_pct")
    if error is not None:
        floor, who = _real_rows(result, "fidelity.shape_error_pct", 0.0)
        beside = f" ({who}: {floor:.2f} %)" if who else ""
        yield Finding(LIMITS["shape"].grade(error - floor), f"column error {error:.2f} %{beside}")


def _trend(result: Result) -> Iterator[Finding]:
    error = _figure(result, "fidelity.trend_error_pct")
    if error is None:
        return
    floor, who = _real_rows(result, "fidelity.trend_error_pct", 0.0)
    grade = LIMITS["trend"].grade(error - floor)
    beside = [f"{who}: {floor:.2f} %"] if who else []
    independent = _figure(result, "floors.independent.fidelity.trend_error_pct")
    if independent is not None:
        beside.append(f"independent columns: {independent:.2f} %")
        if independent - floor >= LEAST_TREND_GAP:
            grade = LIMITS["trend_lost"].grade((error - floor) / (independent - floor))
    said = f" ({', '.join(beside)})" if beside else ""
    yield Finding(grade, f"pair error {error:.2f} %{said}")


def _detection(result: Result) -> Iterator[Finding]:
    key = "boosted_auc_holdout"
    if _figure(result, f"detection.{key}") is None:
        key = "boosted_auc"
    auc = _figure(result, f"detection.{key}")
    if auc is None:
        return
    floor, who = _real_rows(result, "detection.boosted_auc", 0.5)
    low, high = _interval(result, f"detection.{key}_interval", auc)
    beside = f" ({who}: {floor:.2f})" if who else ""
    said = f"trees tell synthetic from real rows with AUC {auc:.2f}{beside}, 0.50 being a coin"
    if high - low > WIDEST:
        yield Finding(UNKNOWN, f"{said}: too few rows to be sure")
    else:
        yield Finding(LIMITS["detection"].grade(auc - max(floor, 0.5)), said)


def _manifold(result: Result) -> Iterator[Finding]:
    words = {
        "precision": "{:.0%} of rows lie where real ones do",
        "coverage": "{:.0%} of real rows have synthetic ones near",
    }
    for name, said in words.items():
        value = _figure(result, f"manifold.{name}")
        if value is not None:
            floor, who = _real_rows(result, f"manifold.{name}", 1.0)
            beside = f" ({who}: {floor:.0%})" if who else ""
            missing = 1 - value / floor if floor > 0 else 0.0
            yield Finding(LIMITS[name].grade(missing), said.format(value) + beside)


def _collapse(result: Result) -> Iterator[Finding]:
    lost = _figure(result, "collapse.share_lost")
    if lost is not None:
        floor, _ = _real_rows(result, "collapse.share_lost", 0.0)
        said = f"{lost:.1%} of real rows belong to parts of the table that got almost no row"
        yield Finding(LIMITS["collapse"].grade(lost - floor), said)


def _utility(result: Result) -> Iterator[Finding]:
    name, chance = ("auc", 0.5) if _figure(result, "utility.auc") is not None else ("r2", 0.0)
    value = _figure(result, f"utility.{name}")
    real = _figure(result, f"utility.real.{name}")
    if value is None or real is None:
        yield Finding(UNKNOWN, str(_at(result, "utility.reason") or "it was not measured"))
        return
    independent = _figure(result, f"floors.independent.utility.{name}")
    beside = "" if independent is None else f", on independent columns {independent:.3f}"
    said = f"{name.upper()} {value:.3f}, trained on real rows {real:.3f}{beside}"
    if real - chance < LEAST_SKILL:
        yield Finding(UNKNOWN, f"{said}: even real rows do not teach this target")
    else:
        yield Finding(LIMITS["utility"].grade(1 - (value - chance) / (real - chance)), said)


def _risk(result: Result) -> Iterator[Finding]:
    found = [*_copies(result), *_attacks(result)]
    seen = [*_closest(result), *_membership(result), *_rare(result), *_overlap(result)]
    if seen or not found:
        yield from [*found, *seen]
        return
    for finding in found:
        shown = finding.grade in (FAIR, POOR)
        yield finding if shown else Finding(UNKNOWN, finding.reason)
    yield Finding(UNKNOWN, "without a holdout, copying cannot be told from likeness")


def _copies(result: Result) -> Iterator[Finding]:
    share = _figure(result, "risk.exact_copies")
    if share is not None:
        # The share of real rows with a twin is what fresh rows repeat (Good 1953); a holdout that
        # overlaps the real table repeats more.
        known = [_figure(result, f"risk.exact_copies_{who}") for who in ("holdout", "real")]
        floor = min((each for each in known if each is not None), default=0.0)
        said = f"{share:.2%} of rows are exact copies of real ones (real rows: {floor:.2%})"
        yield Finding(LIMITS["copies"].grade(share - floor), said)


def _overlap(result: Result) -> Iterator[Finding]:
    overlap = _at(result, "risk.holdout_overlap")
    if isinstance(overlap, str):
        yield Finding(GOOD, overlap)


def _rare(result: Result) -> Iterator[Finding]:
    for name in ("levels", "numbers", "pairs"):
        path = f"risk.rare_values.{name}"
        share, floor = (_figure(result, f"{path}.share_{of}") for of in ("matched", "holdout"))
        enough = (_figure(result, f"{path}.rare") or 0) >= LEAST_RARE
        if share is not None and floor is not None and enough:
            said = f"{share:.0%} of rare {name} are met (the holdout: {floor:.0%})"
            yield Finding(LIMITS["rare"].grade(share - floor), said)


def _closest(result: Result) -> Iterator[Finding]:
    share = _figure(result, "risk.closest_share")
    if share is not None:
        said = f"{share:.1%} of rows are closer to rows that the generator saw than to others"
        yield Finding(LIMITS["closest"].grade(share - 0.5), f"{said} (50 % is no copying)")


def _membership(result: Result) -> Iterator[Finding]:
    for name in ("distance", "density_ratio"):
        auc = _figure(result, f"risk.membership.{name}.auc")
        if auc is not None:
            low, _ = _interval(result, f"risk.membership.{name}.auc_interval", auc)
            said = f"membership attack by {name.replace('_', ' ')}: AUC {auc:.3f}"
            grade = EXCELLENT if low <= 0.5 else LIMITS["membership"].grade(auc - 0.5)
            yield Finding(grade, f"{said}, {'no more than' if low <= 0.5 else 'more than'} chance")


def _attacks(result: Result) -> Iterator[Finding]:
    """The surest of each family of attacks."""
    for family in ("singling_out", "linkability", "attribute_inference"):
        tried = _tried(_at(result, f"risk.{family}"))
        if not tried:
            continue
        sure, risk = max((_sure(risk, low, len(tried)), risk) for risk, low in tried)
        said = f"{family.replace('_', ' ')} attack: risk {risk:.1%} above its control"
        if sure <= 0:
            yield Finding(EXCELLENT, f"{said}, no more than chance")
        else:
            yield Finding(LIMITS["attack"].grade(sure), f"{said}, at least {sure:.1%}")


def _tried(found: Any) -> list[tuple[float, float]]:
    """Risk, and the low end of its interval, of every attack below."""
    if not isinstance(found, Mapping):
        return []
    risk = _figure(found, "risk")
    if risk is not None:
        return [(risk, _interval(found, "risk_interval", risk)[0])]
    # The worst column stands among the columns too.
    return [each for name in found if name != "worst" for each in _tried(found[name])]


def _sure(risk: float, low: float, attacks: int) -> float:
    """Low end of an interval that holds for all of so many attacks at once (Bonferroni)."""
    if low <= 0:
        return low
    one, all_of_them = (NormalDist().inv_cdf(1 - 0.025 / tries) for tries in (1, attacks))
    return risk - (risk - low) * all_of_them / one
