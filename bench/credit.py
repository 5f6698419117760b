"""German credit: the ROC AUC of CreditScoringModel at its defaults against two scikit-learn baselines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lepton_ai.models import CreditScoringModel

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "german.data"
FOLDS, REPEATS, SEED = 5, 10, 2026  # fixed before any model was fitted to them

Fit = Callable[[pd.DataFrame, np.ndarray, pd.DataFrame], np.ndarray]


class Difference(NamedTuple):
    """A mean over the folds and its 95 % interval."""

    mean: float
    low: float
    high: float


def german_credit(path: Path = DATA) -> tuple[pd.DataFrame, np.ndarray]:
    """The 20 attributes of 1,000 loans, and 1 for a bad one (class 2 of Hofmann's data, UCI 1994)."""
    table = pd.read_csv(path, sep=r"\s+", header=None, names=[*(f"attribute_{i}" for i in range(1, 21)), "class"])
    return table.drop(columns="class"), (table["class"] == 2).to_numpy().astype(int)


def lepton(train: pd.DataFrame, labels: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """CreditScoringModel at its defaults."""
    return CreditScoringModel().train(train, labels).predict_proba(test)[:, 1]


def logistic(train: pd.DataFrame, labels: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """Logistic regression on scaled numbers and one-hot categories; C by AUC in five inner folds."""
    encoder = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    choice = LogisticRegressionCV(
        Cs=[0.03, 0.1, 0.3, 1.0, 3.0],
        cv=5,
        scoring="roc_auc",
        l1_ratios=(0,),
        max_iter=5000,
        use_legacy_attributes=False,
    )
    return make_pipeline(encoder, choice).fit(train, labels).predict_proba(test)[:, 1]


def boosting(train: pd.DataFrame, labels: np.ndarray, test: pd.DataFrame) -> np.ndarray:
    """Histogram gradient boosting with its own handling of categories, at its defaults."""
    levels = {name: train[name].astype("category").dtype for name in train.select_dtypes(exclude="number")}
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    return model.fit(train.astype(levels), labels).predict_proba(test.astype(levels))[:, 1]


def measure(fits: dict[str, Fit]) -> dict[str, np.ndarray]:
    """Each fit's ROC AUC and seconds on every test fold, shape (folds * repeats, 2)."""
    data, labels = german_credit()
    splits = list(RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED).split(data, labels))
    return {name: np.array([_judged(fit, data, labels, *split) for split in splits]) for name, fit in fits.items()}


def corrected_interval(differences: np.ndarray, test_share: float) -> Difference:
    """The corrected resampled t interval of Nadeau and Bengio 2003 (Inference for the Generalization Error).

    Folds of repeated cross-validation share training rows, so their plain variance over n is far too small; the
    correction adds the ratio of test to training rows: var * (1/n + test/train).
    """
    n = len(differences)
    ratio = test_share / (1 - test_share)
    half = stats.t.ppf(0.975, n - 1) * math.sqrt(differences.var(ddof=1) * (1 / n + ratio))
    return Difference(differences.mean(), differences.mean() - half, differences.mean() + half)


def rows() -> list[str]:
    """Markdown rows: model, mean AUC, Lepton's difference to it with its interval, median seconds a fit."""
    measured = measure({"CreditScoringModel": lepton, "LogisticRegression": logistic, "HistGradientBoosting": boosting})
    ours = measured["CreditScoringModel"][:, 0]
    lines = [
        f"| German credit, {FOLDS} folds × {REPEATS} | ROC AUC | ours minus it (95 % interval) | s a fit |",
        "| --- | --- | --- | --- |",
    ]
    for name, figures in measured.items():
        gap = corrected_interval(ours - figures[:, 0], 1 / FOLDS)
        words = "" if name == "CreditScoringModel" else f"{gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})"
        lines.append(f"| {name} | {figures[:, 0].mean():.4f} | {words} | {np.median(figures[:, 1]):.2f} |")
    return lines


def _judged(
    fit: Fit, data: pd.DataFrame, labels: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[float, float]:
    start = time.perf_counter()
    chances = fit(data.iloc[train], labels[train], data.iloc[test])
    return float(roc_auc_score(labels[test], chances)), time.perf_counter() - start


if __name__ == "__main__":
    print("\n".join(rows()))
