"""What the figures mean, in words: a grade for each group, held to the floors beside it.

A figure alone says little: an error of 2 % is noise in a table of 300 rows and much in one of a
million. So figures are graded by how far they are from what real rows come to (a holdout that is
long enough, a bootstrap of the real table) and from what columns drawn independently come to. The
limits are conventions, all in `grades.LIMITS`; the reason beside each grade has the figures, for
other ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synthgan.evaluation.disclosure import disclosure
from synthgan.evaluation.findings import (
    UNSURE,
    Finding,
    Result,
    figure,
    interval,
    led_by,
    margin,
    real_rows,
    rows_used,
    ungraded,
    unseen_rows,
)
from synthgan.evaluation.grades import (
    EXCELLENT,
    FAIR,
    GOOD,
    GRADES,
    GROUPS,
    LEAST_ROWS,
    LEAST_SKILL,
    LEAST_TREND_GAP,
    LIMITS,
    POOR,
    SENTENCES,
    UNKNOWN,
    WIDEST,
)
from synthgan.evaluation.paths import at

Verdict = dict[str, Any]

# Without these nobody should be told that a table is excellent.
_DECISIVE = ("fidelity", "risk")


def verdicts(result: Result) -> dict[str, Verdict]:
    """A grade for each group of figures, in words.

    A group is as good as the worst of its figures, and the whole as the worst of its groups;
    figures that are missing do not count, and too few rows leave a grade unknown. The whole is not
    excellent while the likeness of columns or privacy is unknown. Privacy is never graded above
    fair without a holdout (without rows that the generator has not seen, likeness and copying look
    the same), nor above good with one that shares rows with the real table, or where not all rows
    were looked at.

    Parameters
    ----------
    result : mapping
        The result of an evaluation; groups, figures and floors may be missing.

    Returns
    -------
    dict
        For "fidelity", "rows", "utility", "risk" and "overall": `grade` (excellent, good, fair,
        poor or unknown), `text` (a sentence for anybody), `reasons` (the figures, worst first) and
        `reason` (these in one text).

    Examples
    --------
    >>> found = verdicts({"fidelity": {"shape_error_pct": 4.0, "trend_error_pct": 2.5}})
    >>> found["fidelity"]["grade"], found["fidelity"]["reason"]
    ('fair', 'column error 4.00 %; pair error 2.50 %')
    """
    shape, trend = list(_shape(result)), list(_trend(result))
    cells = [*_nulls(result), *_never_held(result)]
    rows = [*_detection(result), *_manifold(result)]
    findings = {
        "fidelity": led_by(trend or shape, [*(shape if trend else []), *cells], keep=(FAIR, POOR)),
        "rows": led_by(rows, list(_collapse(result))),
        "utility": list(_utility(result)),
        "risk": disclosure(result),
    }
    few = _few_rows(result)
    if few:
        # What a few rows do give away stays said.
        keep = {"risk": (FAIR, POOR)}
        findings = {
            name: [*ungraded(each, keep=keep.get(name, ())), few] for name, each in findings.items()
        }
    found = {name: _verdict(name, each) for name, each in findings.items()}
    found["overall"] = _overall(found)
    return found


def _verdict(group: str, findings: list[Finding]) -> Verdict:
    findings = findings or [Finding(UNKNOWN, "it was not measured")]
    order = [POOR, FAIR, GOOD, EXCELLENT, UNKNOWN]
    findings = sorted(findings, key=lambda finding: order.index(finding.grade))
    grade = findings[0].grade
    reasons = [finding.reason for finding in findings]
    return _said(grade, SENTENCES[group][grade], reasons)


def _said(grade: str, text: str, reasons: list[str]) -> Verdict:
    return {"grade": grade, "text": text, "reason": "; ".join(reasons), "reasons": reasons}


def _few_rows(result: Result) -> Finding | None:
    """Where a table has too few rows for any grade."""
    few = [f"{int(n)} {name} rows" for name, n in rows_used(result).items() if n < LEAST_ROWS]
    return Finding(UNKNOWN, f"{' and '.join(few)}: {UNSURE}") if few else None


def _overall(found: Mapping[str, Verdict]) -> Verdict:
    """The worst of the grades, and no praise where columns or privacy could not be graded."""
    grades = {group: found[group]["grade"] for group in GROUPS}
    said = ", ".join(f"{GROUPS[group]} {grade}" for group, grade in grades.items())
    text = f"{said[0].upper()}{said[1:]}."
    known = [grade for grade in grades.values() if grade != UNKNOWN]
    if not known:
        return _said(UNKNOWN, text, ["no figure could be graded"])
    worst = max(known, key=GRADES.index)
    unknown = [GROUPS[group] for group in _DECISIVE if grades[group] == UNKNOWN]
    if unknown and worst == EXCELLENT:
        return _said(GOOD, text, [f"not excellent while unknown: {', '.join(unknown)}"])
    lowest = [GROUPS[group] for group, grade in grades.items() if grade == worst]
    return _said(worst, text, [f"as its lowest grade: {', '.join(lowest)}"])


def _shape(result: Result) -> Iterator[Finding]:
    error = figure(result, "fidelity.shape_error_pct")
    if error is not None:
        floor, who = real_rows(result, "fidelity.shape_error_pct", 0.0)
        beside = f" ({who}: {floor:.2f} %)" if who else ""
        yield Finding(LIMITS["shape"].grade(error - floor), f"column error {error:.2f} %{beside}")


def _trend(result: Result) -> Iterator[Finding]:
    error = figure(result, "fidelity.trend_error_pct")
    if error is None:
        return
    floor, who = real_rows(result, "fidelity.trend_error_pct", 0.0)
    grade = LIMITS["trend"].grade(error - floor)
    beside = [f"{who}: {floor:.2f} %"] if who else []
    independent = figure(result, "floors.independent.fidelity.trend_error_pct")
    if independent is not None:
        beside.append(f"independent columns: {independent:.2f} %")
        if independent - floor >= LEAST_TREND_GAP:
            grade = LIMITS["trend_lost"].grade((error - floor) / (independent - floor))
        elif floor > LIMITS["trend"].good:
            grade, beside = UNKNOWN, [*beside, "too few rows to tell relations from none"]
    said = f" ({', '.join(beside)})" if beside else ""
    yield Finding(grade, f"pair error {error:.2f} %{said}")


def _nulls(result: Result) -> Iterator[Finding]:
    error = figure(result, "fidelity.missing.error_pct")
    if error:
        floor, who = real_rows(result, "fidelity.missing.error_pct", 0.0)
        beside = f" ({who}: {floor:.2f})" if who else ""
        beyond, name = max(_null_gaps(result), default=(0.0, None))
        most = f", most of all in {name!r}" if beyond > 0 else ""
        grades = [LIMITS["nulls"].grade(error - floor), LIMITS["nulls_of_one"].grade(beyond)]
        said = f"shares of nulls are {error:.2f} points off on average{beside}{most}"
        yield Finding(max(grades, key=GRADES.index), said)


def _null_gaps(result: Result) -> Iterator[tuple[float, str]]:
    """Points of null share that each column is off, beyond chance, with its name."""
    rows = min(rows_used(result).values(), default=0.0)
    for name, column in (at(result, "fidelity.missing.columns") or {}).items():
        shares = [figure(column, f"{of}_pct") for of in ("real", "synthetic")]
        real, found = (0.0 if each is None else each / 100 for each in shares)
        chance = margin(real, found, rows) if rows else 0.0
        yield 100 * (abs(found - real) - chance), name


def _never_held(result: Result) -> Iterator[Finding]:
    """Values out of the real range and unknown categories, where there are enough to be shown."""
    rows = rows_used(result).get("real")
    words = {
        # A fresh number is the smallest or largest of n + 1 in 2 of n + 1 times.
        "outside": ("numbers lie outside the real range", 200 / (rows + 1) if rows else 0.0),
        "unseen": ("categories' values never occur in the real table", 0.0),
    }
    for name, (said, chance) in words.items():
        path = f"fidelity.coverage.{name}_pct"
        share = figure(result, path)
        if share is not None and share >= 0.005:
            floor = max(unseen_rows(result, path), chance)
            beside = f"{share:.2f} % of {said} (fresh real rows: {floor:.2f} %)"
            yield Finding(LIMITS["never_held"].grade(share - floor), beside)


def _detection(result: Result) -> Iterator[Finding]:
    key = "boosted_auc_holdout"
    if figure(result, f"detection.{key}") is None:
        key = "boosted_auc"
    auc = figure(result, f"detection.{key}")
    if auc is None:
        return
    floor, who = real_rows(result, "detection.boosted_auc", 0.5)
    low, high = interval(result, f"detection.{key}_interval", auc)
    beside = f" ({who}: {floor:.2f})" if who else ""
    said = f"trees tell synthetic from real rows with AUC {auc:.2f}{beside}, 0.50 being a coin"
    if high - low > WIDEST:
        yield Finding(UNKNOWN, f"{said}: {UNSURE}")
    else:
        yield Finding(LIMITS["detection"].grade(auc - max(floor, 0.5)), said)


def _manifold(result: Result) -> Iterator[Finding]:
    words = {
        "precision": "{:.0%} of rows lie where real ones do",
        "coverage": "{:.0%} of real rows have synthetic ones near",
    }
    for name, said in words.items():
        value = figure(result, f"manifold.{name}")
        if value is not None:
            floor, who = real_rows(result, f"manifold.{name}", 1.0, worst=min)
            beside = f" ({who}: {floor:.0%})" if who else ""
            missing = 1 - value / floor if floor > 0 else 0.0
            yield Finding(LIMITS[name].grade(missing), said.format(value) + beside)


def _collapse(result: Result) -> Iterator[Finding]:
    lost = figure(result, "collapse.share_lost")
    if lost is not None:
        floor, _ = real_rows(result, "collapse.share_lost", 0.0)
        said = f"{lost:.1%} of real rows belong to parts of the table that got almost no row"
        yield Finding(LIMITS["collapse"].grade(lost - floor), said)


def _utility(result: Result) -> Iterator[Finding]:
    name, chance = ("auc", 0.5) if figure(result, "utility.auc") is not None else ("r2", 0.0)
    value = figure(result, f"utility.{name}")
    real = figure(result, f"utility.real.{name}")
    if value is None or real is None:
        yield Finding(UNKNOWN, str(at(result, "utility.reason") or "it was not measured"))
        return
    said = f"{name.upper()} {value:.3f}, trained on real rows {real:.3f}"
    few = _as_few_rows(result, f"utility.{name}")
    if few is not None:
        said += f", on as few of them {few:.3f}"
    independent = figure(result, f"floors.independent.utility.{name}")
    if independent is not None:
        said += f", on independent columns {independent:.3f}"
    best = real if few is None else min(real, few)
    if (figure(result, "utility.rows.test") or LEAST_ROWS) < LEAST_ROWS:
        yield Finding(UNKNOWN, f"{said}: {UNSURE}")
    elif best - chance < LEAST_SKILL:
        yield Finding(UNKNOWN, f"{said}: even real rows do not teach this target")
    else:
        yield Finding(LIMITS["utility"].grade(1 - (value - chance) / (best - chance)), said)


def _as_few_rows(result: Result, path: str) -> float | None:
    """What real rows come to where the synthetic table has fewer of them than the real one."""
    rows = rows_used(result)
    shorter = len(rows) == 2 and rows["synthetic"] < rows["real"]
    return figure(result, f"floors.bootstrap.{path}") if shorter else None
