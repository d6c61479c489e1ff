"""Few rows of the class that matters, as with fraud: do new rows help, or do class weights do?

Run it with ``python examples/rare_class.py``. Of Adult, three in a hundred rows that are taken earn
more than 50K; they play the fraud. Half of the rows are kept from everything and judge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from synthgan import AugmentedClassifier, GANSampler, SynthGAN

DATA = Path(__file__).parent / "data" / "adult.parquet"


def learner() -> Pipeline:
    numbers = make_column_selector(dtype_include="number")
    texts = make_column_selector(dtype_exclude="number")
    hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    columns = make_column_transformer((StandardScaler(), numbers), (hot, texts))
    return make_pipeline(columns, LogisticRegression(max_iter=2000))


def judge(name: str, model: Pipeline | AugmentedClassifier, X: pd.DataFrame, y: pd.Series) -> None:
    balanced = balanced_accuracy_score(y, model.predict(X))
    precision = average_precision_score(y, model.predict_proba(X)[:, 1])
    print(f"{name:32} balanced accuracy {balanced:.3f}, average precision {precision:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=60, help="for each generator")
    parser.add_argument("--rows", type=int, default=6_000, help="rows of the table")
    options = parser.parse_args()

    adult = pd.read_parquet(DATA).sample(frac=1, random_state=0)
    few = adult[adult["income"] == ">50K"].head(round(0.03 * options.rows))
    many = adult[adult["income"] != ">50K"].head(options.rows - len(few))
    rows = pd.concat([few, many]).reset_index(drop=True)
    X, y = rows.drop(columns="income"), (rows["income"] == ">50K").astype(int)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    generator = SynthGAN(max_seconds=options.max_seconds, rare_threshold=1)

    sampler = GANSampler(generator=generator, sampling_strategy=0.5, random_state=0)
    X_more, y_more = sampler.fit_resample(X, y)
    print(f"{len(X):,} rows, {y.sum()} of them positive; {sampler.synthetic_.sum():,} rows added")
    print(X_more[sampler.synthetic_].head(3).to_string(), "\n")

    judge("as it is", learner().fit(X, y), X_test, y_test)
    judge("rows added whether or not", learner().fit(X_more, y_more), X_test, y_test)
    model = AugmentedClassifier(learner(), generator=generator, random_state=0).fit(X, y)
    judge("decided by balanced accuracy", model, X_test, y_test)
    print(f"\n{model.augmentation_report_['words']}")


if __name__ == "__main__":
    main()
