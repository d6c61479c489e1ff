"""The conventions of the verdicts: how far a figure may be off for each grade, and what to say."""

from __future__ import annotations

from dataclasses import dataclass

EXCELLENT, GOOD, FAIR, POOR, UNKNOWN = GRADES = ("excellent", "good", "fair", "poor", "unknown")
GROUPS = {
    "fidelity": "likeness of columns",
    "rows": "likeness of whole rows",
    "utility": "usefulness",
    "risk": "privacy",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest value of a figure that still has each grade; beyond `fair` it is poor."""

    meaning: str
    excellent: float
    good: float
    fair: float

    def grade(self, value: float) -> str:
        """The grade of a value."""
        limits = (self.excellent, self.good, self.fair)
        return next((g for g, most in zip(GRADES, limits, strict=False) if value <= most), POOR)


LIMITS = {
    # A published diffusion model has 0.3 on Adult, good autoregressive ones 1.5 to 2, and 9 is a
    # generator whose histograms look wrong at a glance.
    "shape": Limit("points of column error above real rows'", 1.0, 3.0, 8.0),
    "trend": Limit("points of pair error above real rows'", 1.0, 3.0, 6.0),
    # 100 points are a column of nulls for one without; the first is a mean over all columns.
    "nulls": Limit("points of null share off above real rows', mean of columns", 0.5, 1.5, 4.0),
    "nulls_of_one": Limit("points of null share that one column is off", 5.0, 15.0, 40.0),
    "never_held": Limit("points of values the real table lacks, above real rows'", 0.5, 2.0, 10.0),
    # 0 is real rows, 1 is columns drawn independently.
    "trend_lost": Limit("share of the way to independent columns", 0.25, 0.5, 0.8),
    # In AUC: 0 is a coin, 0.5 is every row told apart.
    "detection": Limit("AUC of the trees above that for real rows", 0.1, 0.25, 0.4),
    "precision": Limit("share of real rows' precision that is missing", 0.05, 0.15, 0.4),
    "coverage": Limit("share of real rows' coverage that is missing", 0.05, 0.15, 0.4),
    "collapse": Limit("share of real rows in regions that got almost no row", 0.01, 0.05, 0.15),
    # Of what the model trained on real rows has over guessing: AUC over 0.5, or R2.
    "utility": Limit("share of a real model's skill that is lost", 0.05, 0.15, 0.4),
    # Of near copies: so much of it that chance does not explain.
    "copies": Limit("share of exact or near copies above real rows'", 0.001, 0.01, 0.05),
    # Above 0.5; more than chance only where the interval lies above it.
    "closest": Limit("closest share above real rows'", 0.03, 0.06, 0.15),
    # AUC above 0.5; more than chance only where the interval lies above it.
    "membership": Limit("membership AUC above a coin's", 0.03, 0.06, 0.15),
    # Of what chance finds, 1 %; only where it does not explain the rest.
    "members": Limit("share of members found at 1 % false alarms, above chance", 0.01, 0.03, 0.1),
    "rare": Limit("share of rare values met, above the holdout's", 0.1, 0.25, 0.5),
    # Attack success above the control attack's, as a share of what is left to gain: so much of it
    # that chance does not explain, however many columns were attacked.
    "attack": Limit("low end of the interval of an attack's risk", 0.02, 0.05, 0.15),
}
# Independent columns closer to real rows than this leave nothing to measure lost trends by.
LEAST_TREND_GAP = 1.0
# What a model trained on real rows must have over guessing, for a loss of it to mean anything.
LEAST_SKILL = 0.05
# A figure whose interval is wider than this says nothing.
WIDEST = 0.25
# Fewer rows, real or synthetic, say nothing at all.
LEAST_ROWS = 30
# A holdout is held beside a table only with at least such a part of its rows: the errors of a
# shorter one are chance.
LEAST_FLOOR = 0.5
# Fewer rare values than this give no share worth a grade.
LEAST_RARE = 50

SENTENCES = {
    "fidelity": {
        EXCELLENT: "Columns and the relations between them look like the real ones.",
        GOOD: "Columns and the relations between them are close to the real ones.",
        FAIR: "The main patterns are there, but some columns or relations are visibly off.",
        POOR: "Columns or the relations between them differ strongly from the real ones.",
        UNKNOWN: "Whether columns look like the real ones could not be judged.",
    },
    "rows": {
        EXCELLENT: "Whole rows can hardly be told from real ones.",
        GOOD: "Most rows look real; a trained eye finds some that do not.",
        FAIR: "Many rows can be told from real ones, or parts of the real table are missing.",
        POOR: "Rows are easily told from real ones, or large parts of the real table are missing.",
        UNKNOWN: "Whether whole rows look real could not be judged.",
    },
    "utility": {
        EXCELLENT: "A model trained on this table does as well as one trained on the real one.",
        GOOD: "A model trained on this table does nearly as well as one trained on the real one.",
        FAIR: "A model trained on this table is clearly worse than one trained on the real one.",
        POOR: "A model trained on this table has lost most of what the real one teaches.",
        UNKNOWN: "How useful the table is for training models could not be judged.",
    },
    "risk": {
        EXCELLENT: "None of the attacks tried found out anything about single real rows.",
        GOOD: "The attacks tried found out very little about single real rows.",
        FAIR: "The table gives away something about single real rows; look before sharing it.",
        POOR: "The table gives away real rows; do not share it where they are confidential.",
        UNKNOWN: "Whether the table gives away real rows could not be judged.",
    },
}
