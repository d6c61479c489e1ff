"""What the figures of risk mean: copies, attacks, membership and rare values, each in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from synthgan.evaluation.findings import (
    UNSURE,
    Finding,
    Result,
    figure,
    holdout_is_long,
    interval,
    led_by,
    margin,
    rows_used,
)
from synthgan.evaluation.grades import (
    EXCELLENT,
    FAIR,
    GOOD,
    LEAST_RARE,
    LIMITS,
    POOR,
    UNKNOWN,
    WIDEST,
)
from synthgan.evaluation.measures.membership import ATTACKS as MEMBERSHIP_ATTACKS
from synthgan.evaluation.measures.membership import FALSE_POSITIVES
from synthgan.evaluation.paths import at

# Attacks are many and told by many: only what chance does once in a thousand tables is said.
ALARM = 0.001
# A closest share that is surely below this is no chance: the holdout is not what it should be.
LEAST_CLOSEST = 0.4


def disclosure(result: Result) -> list[Finding]:
    """What the table gives away of single real rows.

    Copies and rare values alone say little good: without a figure that is held to rows the
    generator has not seen, only what is bad keeps its grade.
    """
    held = [*_attacks(result), *_closest(result), *_membership(result), *_members_found(result)]
    alone = [*_exact_copies(result), *_near_copies(result), *_rare(result)]
    found = led_by(held, [*alone, *_overlap(result), *_thinned(result)], keep=(FAIR, POOR))
    if found and not held:
        found.append(Finding(UNKNOWN, "without a holdout, copying cannot be told from likeness"))
    return found


def _above_chance(low: float, high: float, chance: float, limit: str, value: float) -> Finding:
    """The grade of a value above chance, its interval given; chance itself is excellent."""
    if low > chance:
        return Finding(LIMITS[limit].grade(value - chance), "more than chance")
    if high - low > WIDEST:
        return Finding(UNKNOWN, UNSURE)
    return Finding(EXCELLENT, "no more than chance")


def _exact_copies(result: Result) -> Iterator[Finding]:
    share = figure(result, "risk.exact_copies")
    if share is not None:
        # The share of real rows with a twin is what fresh rows repeat (Good 1953); a holdout that
        # overlaps the real table repeats more.
        paths = ("floors.holdout.risk.exact_copies", "risk.exact_copies_real")
        known = [figure(result, path) for path in paths]
        floor = min((each for each in known if each is not None), default=0.0)
        # Where no real row has a twin there is no chance to allow for.
        chance = margin(floor, floor, min(rows_used(result).values(), default=0.0))
        said = f"{share:.2%} of rows are exact copies of real ones (real rows: {floor:.2%})"
        yield Finding(LIMITS["copies"].grade(share - floor - chance), said)


def _near_copies(result: Result) -> Iterator[Finding]:
    share = figure(result, "risk.near_copies")
    if share is None:
        return
    known = [figure(result, "risk.near_copies_fresh")]
    # A holdout that overlaps the real table, or is short, would excuse copies.
    if holdout_is_long(result) and not isinstance(at(result, "risk.holdout_overlap"), str):
        known.append(figure(result, "floors.holdout.risk.near_copies"))
    floor = max((each for each in known if each is not None), default=0.0)
    looked = (
        figure(result, f"risk.{name}") for name in ("neighbour_rows", "near_copies_fresh_rows")
    )
    chance = margin(share, floor, min((rows for rows in looked if rows), default=1.0))
    grade = LIMITS["copies"].grade(share - floor - chance)
    said = f"{share:.1%} of rows are near copies of a single real one (real rows: {floor:.1%})"
    if grade == EXCELLENT and 2 * chance > WIDEST:
        yield Finding(UNKNOWN, f"{said}: {UNSURE}")
    else:
        yield Finding(grade, said)


def _overlap(result: Result) -> Iterator[Finding]:
    overlap = at(result, "risk.holdout_overlap")
    if isinstance(overlap, str):
        yield Finding(GOOD, overlap)


def _thinned(result: Result) -> Iterator[Finding]:
    """Rows that were not looked at may be copied, or be copies."""
    hidden = {"real": "near copies of the others", "synthetic": "copies among the others"}
    for name, used in rows_used(result).items():
        rows = figure(result, f"tables.{name}.rows")
        if rows is not None and used < rows:
            looked = f"only {used / rows:.1%} of the {name} rows were looked at"
            yield Finding(GOOD, f"{looked}: {hidden[name]} are not seen")


def _rare(result: Result) -> Iterator[Finding]:
    for name in ("levels", "numbers", "pairs"):
        path = f"risk.rare_values.{name}"
        share, floor = figure(result, f"{path}.share"), _rare_floor(result, name)
        enough = (figure(result, f"{path}.rare") or 0) >= LEAST_RARE
        if share is not None and floor is not None and enough:
            said = f"{share:.0%} of rare {name} are met (the holdout: {floor:.0%})"
            yield Finding(LIMITS["rare"].grade(share - floor), said)


def _rare_floor(result: Result, name: str) -> float | None:
    """The share of rare values that as many fresh rows as the synthetic table's hold, at most.

    Twice the rows miss no less than the square of the share that the rows missed: that would be so
    were all values equally likely (Jensen).
    """
    path = "risk.rare_values"
    floor = figure(result, f"floors.holdout.{path}.{name}.share")
    rows = figure(result, f"{path}.rows")
    held = figure(result, f"floors.holdout.{path}.rows")
    if floor is None or not rows or not held:
        return floor
    missed: float = (1 - floor) ** (rows / held)
    return 1 - missed


def _closest(result: Result) -> Iterator[Finding]:
    share = figure(result, "risk.closest_share")
    if share is not None:
        low, high = interval(result, "risk.closest_share_interval", share)
        found = _above_chance(low, high, 0.5, "closest", share)
        said = f"{share:.1%} of rows are closer to rows that the generator saw than to others"
        if high < LEAST_CLOSEST:
            yield Finding(FAIR, f"{said}: has the generator seen the holdout?")
        else:
            yield Finding(found.grade, f"{said} (50 % is no copying), {found.reason}")


def _membership(result: Result) -> Iterator[Finding]:
    for name in MEMBERSHIP_ATTACKS:
        path = f"risk.membership.{name}.auc"
        auc = figure(result, path)
        if auc is not None:
            low, high = interval(result, f"{path}_interval", auc)
            found = _above_chance(low, high, 0.5, "membership", auc)
            said = f"membership attack by {name.replace('_', ' ')}: AUC {auc:.3f}"
            yield Finding(found.grade, f"{said}, {found.reason}")


def _members_found(result: Result) -> Iterator[Finding]:
    """How many members the best attack names while it hardly ever names anybody else."""
    paths = {name: f"risk.membership.{name}.tpr_at_1pct_fpr" for name in MEMBERSHIP_ATTACKS}
    known = {name: figure(result, path) for name, path in paths.items()}
    found = [(share, name) for name, share in known.items() if share is not None]
    asked = _asked(result)
    if not found or not asked:
        return
    share, name = max(found)
    others = figure(result, "risk.membership.rows.non_members") or asked
    # One score of n lies above those of n others once in n + 1 times.
    chance = max(FALSE_POSITIVES, 1 / (others + 1))
    apart = margin(share, chance, asked, tries=len(found))
    told = _above_chance(share - apart, share + apart, chance, "members", share)
    said = f"the membership attack by {name.replace('_', ' ')} finds {share:.1%} of members"
    yield Finding(told.grade, f"{said} at 1 % false alarms, {told.reason}")


def _asked(result: Result) -> float:
    """Different rows, of the real table or of the holdout, that membership attacks asked for."""
    members = figure(result, "risk.membership.rows.members") or 0
    splits = figure(result, "risk.membership.splits") or 1
    tables = [figure(result, f"tables.{name}.rows_used") for name in ("real", "holdout")]
    return min(members * splits, *(rows for rows in tables if rows is not None), float("inf"))


@dataclass(frozen=True, slots=True)
class _Attack:
    """The risk that an attack found, and both ends of its interval."""

    risk: float
    low: float
    high: float

    def sure(self, attacks: int) -> float:
        """Low end of an interval that holds for so many attacks at once (Bonferroni)."""
        if self.low <= 0:
            return self.low
        normal = NormalDist()
        wider = normal.inv_cdf(1 - ALARM / 2 / attacks) / normal.inv_cdf(0.975)
        return self.risk - (self.risk - self.low) * wider


def _attacks(result: Result) -> Iterator[Finding]:
    """The surest of each family of attacks, and those that say nothing."""
    for family in ("singling_out", "linkability", "attribute_inference"):
        tried = list(_tried(at(result, f"risk.{family}")))
        said = f"{family.replace('_', ' ')} attack"
        sure, risk = max(((each.sure(len(tried)), each.risk) for each in tried), default=(0.0, 0.0))
        if sure > 0:
            grade = LIMITS["attack"].grade(sure)
            yield Finding(grade, f"{said}: risk {risk:.1%} above its control, at least {sure:.1%}")
        elif tried:
            yield from _by_chance(said, tried)


def _by_chance(said: str, tried: list[_Attack]) -> Iterator[Finding]:
    """Attacks of which none did surely better than its control."""
    narrow = [each.risk for each in tried if each.high - each.low <= WIDEST]
    if narrow:
        risk = f"risk {max(narrow):.1%} above its control"
        yield Finding(EXCELLENT, f"{said}: {risk}, no more than chance")
    if len(narrow) < len(tried):
        wide = len(tried) - len(narrow)
        yield Finding(UNKNOWN, f"{said}, {wide} of {len(tried)} tries: {UNSURE}")


def _tried(found: Any) -> Iterator[_Attack]:
    """Every attack below."""
    if not isinstance(found, Mapping):
        return
    risk = figure(found, "risk")
    if risk is not None:
        yield _Attack(risk, *interval(found, "risk_interval", risk))
        return
    # The worst column stands among the columns too.
    for name in found:
        if name != "worst":
            yield from _tried(found[name])
