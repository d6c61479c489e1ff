"""What every figure is called, which way is better, and how it is defined."""

from __future__ import annotations

from dataclasses import dataclass

LOWER, HIGHER = "lower is better", "higher is better"
HALF = "ideal 0.5, more is worse"
FRESH = "best as the real holdout"
CAUGHT = "ideal 1 %, more is worse"
AS_UNSEEN = "less than the holdout's is worse"
NO_MORE = "more than the holdout's is worse"

FLOORS = {
    "holdout": "real holdout",
    "bootstrap": "bootstrap of real",
    "independent": "independent columns",
    "smote": "SMOTE-like mix",
}
FLOOR_TEXTS = {
    "holdout": "Real rows the generator never saw, judged as if they were synthetic: "
    "as good as a table can honestly get.",
    "bootstrap": "The real rows drawn again with replacement: perfect likeness, bought by copying.",
    "independent": "Every real column shuffled by itself: right columns, no relation between them.",
    "smote": "Points between neighbouring real rows: plausible, but close to real rows.",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the result, in words.

    Attributes
    ----------
    label : str
        What people call it.
    better : str
        Which way is better; empty where neither is.
    ideal : float or None
        The best possible value, always shown on its axis.
    text : str
        The definition, with its source.
    """

    label: str
    better: str
    ideal: float | None
    text: str


FIGURES: dict[str, Figure] = {
    "fidelity.shape_error_pct": Figure(
        "Column error",
        LOWER,
        0,
        "Mean over columns of the Kolmogorov-Smirnov distance (numbers and dates, nulls dropped) "
        "or the total variation distance (categories, null being one), times 100. As SDMetrics' "
        "KSComplement and TVComplement.",
    ),
    "fidelity.trend_error_pct": Figure(
        "Pair error",
        LOWER,
        0,
        "Mean over pairs of half the difference of Pearson's correlations (two numbers) or the "
        "total variation of the contingency table, numbers cut into 10 equal-width bins over the "
        "real range, times 100. As SDMetrics 0.11 and the TabSyn paper.",
    ),
    "fidelity.triples.error_pct": Figure(
        "Triple error",
        LOWER,
        0,
        "Mean total variation of three-way contingency tables over a sample of triples, times 100. "
        "It grows with the number of cells by chance alone: read it beside its floors only.",
    ),
    "fidelity.missing.error_pct": Figure(
        "Missing values",
        LOWER,
        0,
        "Mean absolute difference of the null shares of the columns, in percent points.",
    ),
    "fidelity.missing.patterns_error_pct": Figure(
        "Missing together",
        LOWER,
        0,
        "Total variation over the patterns (which columns a row lacks together), times 100.",
    ),
    "fidelity.coverage.range_coverage": Figure(
        "Range coverage",
        HIGHER,
        1,
        "How much of the real range of a number the synthetic values reach. SDMetrics.",
    ),
    "fidelity.coverage.boundary_adherence": Figure(
        "Boundary adherence",
        HIGHER,
        1,
        "Share of synthetic numbers within the real minimum and maximum. SDMetrics.",
    ),
    "fidelity.coverage.category_coverage": Figure(
        "Category coverage",
        HIGHER,
        1,
        "Share of the real categories that occur in the synthetic table. SDMetrics.",
    ),
    "fidelity.coverage.category_adherence": Figure(
        "Category adherence",
        HIGHER,
        1,
        "Share of synthetic rows whose category occurs in the real table. SDMetrics.",
    ),
    "fidelity.coverage.outside_pct": Figure(
        "Outside the real range", LOWER, 0, "Synthetic numbers below or above all real ones."
    ),
    "fidelity.coverage.unseen_pct": Figure(
        "Unseen categories", LOWER, 0, "Synthetic rows with a category the real table never held."
    ),
    "manifold.precision": Figure(
        "Precision",
        HIGHER,
        1,
        "Share of synthetic rows inside a ball around some real row that reaches to its k-th real "
        "neighbour: are the synthetic rows realistic? Kynkäänniemi et al., 2019.",
    ),
    "manifold.recall": Figure(
        "Recall",
        HIGHER,
        1,
        "The reverse: share of real rows inside such a ball around a synthetic one. Is all of the "
        "real variety there? Kynkäänniemi et al., 2019.",
    ),
    "manifold.density": Figure(
        "Density",
        FRESH,
        None,
        "Mean number of real balls a synthetic row lies in, over k; may exceed 1. "
        "Naeem et al., 2020.",
    ),
    "manifold.coverage": Figure(
        "Coverage",
        HIGHER,
        1,
        "Share of real rows whose ball holds a synthetic row. Naeem et al., 2020.",
    ),
    "manifold.alpha_precision": Figure(
        "Alpha-precision",
        HIGHER,
        1,
        "How well the synthetic rows fill the nested typical regions of the real ones. "
        "Alaa et al., 2022.",
    ),
    "manifold.beta_recall": Figure(
        "Beta-recall",
        FRESH,
        None,
        "How well the real rows are found in the typical regions of the synthetic ones; a fresh "
        "real sample has about one half. Alaa et al., 2022.",
    ),
    "manifold.authenticity": Figure(
        "Authenticity",
        FRESH,
        None,
        "Share of synthetic rows farther from their closest real row than that one is from its own "
        "neighbour: low where rows were copied. Alaa et al., 2022.",
    ),
    "collapse.share_lost": Figure(
        "Real rows in lost parts",
        LOWER,
        0,
        "Share of the real rows that live in categories, clusters or regions which got less than a "
        "tenth of the synthetic rows they should have, beyond what chance explains.",
    ),
    "collapse.categories.share_lost": Figure(
        "Real rows in lost categories",
        LOWER,
        0,
        "The same for the levels of category columns, and nulls.",
    ),
    "collapse.clusters.share_lost": Figure(
        "Real rows in lost clusters", LOWER, 0, "The same for clusters of rows, found by k-means."
    ),
    "collapse.regions.share_lost": Figure(
        "Real rows in lost regions",
        LOWER,
        0,
        "The same for tenths of a number's range, and two columns' levels or tenths together.",
    ),
    "detection.boosted_auc": Figure(
        "Told from training rows (AUC)",
        HALF,
        0.5,
        "AUC of gradient-boosted trees telling synthetic from real training rows, cross-validated; "
        "0.5 means they cannot. Two-sample classifier test, Lopez-Paz and Oquab, 2017.",
    ),
    "detection.boosted_auc_holdout": Figure(
        "Told from unseen rows (AUC)",
        HALF,
        0.5,
        "The same against real rows the generator never saw: the honest figure.",
    ),
    "detection.logistic": Figure(
        "Logistic detection score",
        HIGHER,
        1,
        "1 - max(0, 2 AUC - 1) of a logistic regression telling the tables apart. SDMetrics.",
    ),
    "detection.logistic_holdout": Figure(
        "Logistic detection score, holdout", HIGHER, 1, "The logistic score against the holdout."
    ),
    "detection.logistic_auc": Figure(
        "Logistic AUC against training rows",
        HALF,
        0.5,
        "AUC of that logistic regression, cross-validated; 0.5 means it cannot.",
    ),
    "detection.logistic_auc_holdout": Figure(
        "Logistic AUC against unseen rows",
        HALF,
        0.5,
        "The same against real rows the generator never saw.",
    ),
    "utility.auc": Figure(
        "Model trained on it (AUC)",
        HIGHER,
        1,
        "Boosted trees trained on the synthetic table, tested on real rows. Esteban et al., 2017.",
    ),
    "utility.macro_f1": Figure(
        "Model trained on it (macro F1)",
        HIGHER,
        1,
        "Mean F1 over the classes of the same model on the same rows.",
    ),
    "utility.rmse": Figure(
        "Model trained on it (RMSE)",
        LOWER,
        0,
        "Root mean squared error, in the target's unit, of boosted trees trained on the synthetic "
        "table, tested on real rows. Esteban et al., 2017.",
    ),
    "utility.r2": Figure(
        "Model trained on it (R2)",
        HIGHER,
        1,
        "Share of the target's variance the same model explains; below 0: none.",
    ),
    "utility.importance_agreement": Figure(
        "Importance agreement",
        HIGHER,
        1,
        "Spearman's correlation of the columns' permutation importances, models trained on "
        "synthetic against real rows.",
    ),
    "risk.exact_copies": Figure(
        "Exact copies", LOWER, 0, "Share of synthetic rows equal to a real row in every column."
    ),
    "risk.near_copies": Figure(
        "Near copies",
        LOWER,
        0,
        "Share of synthetic rows at least three times nearer to their closest real row than to the "
        "second closest: nobody else can be meant. After Lowe's ratio test, 2004.",
    ),
    "risk.closest_share": Figure(
        "Closer to training rows",
        "ideal 50 %, more is worse",
        0.5,
        "Share of synthetic rows nearer to a training row than to any of as many holdout rows, "
        "ties half: 50 % without copying.",
    ),
    "risk.dcr.p05": Figure(
        "Distance to the closest (DCR), nearest 5 %",
        AS_UNSEEN,
        None,
        "Five percent of the rows lie nearer than this to their closest real row.",
    ),
    "risk.dcr.median": Figure(
        "Distance to the closest (DCR), median",
        AS_UNSEEN,
        None,
        "Half of the rows lie nearer than this to their closest real row. Zhao et al., 2021.",
    ),
    "risk.nndr.p05": Figure(
        "Ratio to the next (NNDR), nearest 5 %",
        AS_UNSEEN,
        None,
        "The distance to the closest real row, divided by that to the second closest: five percent "
        "of the rows have less than this.",
    ),
    "risk.nndr.median": Figure(
        "Ratio to the next (NNDR), median",
        AS_UNSEEN,
        None,
        "The same for half of the rows; 1 where the two are as far. Zhao et al., 2021.",
    ),
    "risk.rare_values.levels.share": Figure(
        "Rare categories that reappear",
        NO_MORE,
        None,
        "Share of the categories that fewer than five real rows hold which stand in the synthetic "
        "table too, brought to the holdout's number of rows.",
    ),
    "risk.rare_values.numbers.share": Figure(
        "Rare numbers that reappear", NO_MORE, None, "The same for exact numbers and moments."
    ),
    "risk.rare_values.pairs.share": Figure(
        "Rare pairs that reappear",
        NO_MORE,
        None,
        "The same for pairs of categories that are common each, but rare together.",
    ),
    "risk.membership.distance.auc": Figure(
        "Membership attack (AUC)",
        HALF,
        0.5,
        "AUC of telling training rows from unseen ones by their distance to the closest synthetic "
        "row; 0.5 is a coin toss. Hilprecht et al., 2019.",
    ),
    "risk.membership.distance.tpr_at_1pct_fpr": Figure(
        "Caught by distance",
        CAUGHT,
        0.01,
        "Share of training rows that attack finds where it wrongly names 1 % of the unseen ones. "
        "Carlini et al., 2022.",
    ),
    "risk.membership.calibrated_distance.auc": Figure(
        "Calibrated distance attack (AUC)",
        HALF,
        0.5,
        "The same, the distance to the closest row of the population set off against it. "
        "Chen et al., 2020.",
    ),
    "risk.membership.calibrated_distance.tpr_at_1pct_fpr": Figure(
        "Caught by calibrated distance", CAUGHT, 0.01, "As caught by distance."
    ),
    "risk.membership.density_ratio.auc": Figure(
        "Density ratio attack (AUC)",
        HALF,
        0.5,
        "The same by how likely a row is among the synthetic rows against the population. "
        "Van Breugel et al., 2023.",
    ),
    "risk.membership.density_ratio.tpr_at_1pct_fpr": Figure(
        "Caught by density ratio", CAUGHT, 0.01, "As caught by distance."
    ),
}
