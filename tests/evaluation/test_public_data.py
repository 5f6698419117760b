"""Public data sets, one a task at least: figures are scikit-learn's to 1e-9, intervals hold what their README states.

The README's baselines are fitted as it says; where no model of it is fitted the figures alone are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import scipy.ndimage
from sklearn import metrics
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lepton_ai.evaluation import resampling
from lepton_ai.evaluation.diagnostics.costs import Costs, cost_curve
from lepton_ai.evaluation.intervals import bootstrap
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.report import Asked, report_of
from lepton_ai.evaluation.structured import forecasting, multilabel, ranking, segmentation, sequences
from lepton_ai.evaluation.structured.measures import of_masks
from lepton_ai.results import Report

Array = npt.NDArray[Any]
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def close(found: Mapping[str, Any], theirs: Mapping[str, float]) -> None:
    """The figures are theirs."""
    assert {name: found[name] for name in theirs} == pytest.approx(dict(theirs), rel=0, abs=1e-9)


def holds(report: Report, baselines: Mapping[str, float]) -> None:
    """The intervals hold the published figures."""
    ends = {name: report.intervals[name] for name in baselines}
    assert all(ends[name].low <= value <= ends[name].high for name, value in baselines.items()), ends


def binary(truth: Array, chance: Array) -> Report:
    """The report of chances out of folds, whose figures are scikit-learn's."""
    called = (chance >= 0.5).astype(int)
    report = report_of(outcomes_of_predictions("binary", truth, called, chance), Asked(draws=200))
    close(
        report.performance.figures(),
        {
            "accuracy": metrics.accuracy_score(truth, called),
            "precision": metrics.precision_score(truth, called),
            "recall": metrics.recall_score(truth, called),
            "f1": metrics.f1_score(truth, called),
            "roc_auc": metrics.roc_auc_score(truth, chance),
            "brier": metrics.brier_score_loss(truth, chance),
            "log_loss": metrics.log_loss(truth, chance),
        },
    )
    return report


def test_german_credit_is_judged_as_published(public_data: Path) -> None:
    table = pd.read_csv(public_data / "german.data", sep=r"\s+", header=None)
    truth = (table[20] == 2).to_numpy().astype(int)
    encoder = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    model = make_pipeline(encoder, LogisticRegression(max_iter=5000))
    chance = cross_val_predict(model, table.drop(columns=20), truth, cv=FOLDS, method="predict_proba")[:, 1]

    holds(binary(truth, chance), {"roc_auc": 0.792, "accuracy": 0.750})
    costs = Costs(false_positive=1, false_negative=5)
    at_sixth = costs.of_rows(truth, chance >= costs.threshold).mean()
    assert at_sixth == pytest.approx(0.527, abs=0.05)
    assert cost_curve(truth, chance, costs).best[1] <= at_sixth


def test_breast_cancer_is_judged_as_published(public_data: Path) -> None:
    table = pd.read_csv(public_data / "breast-cancer-wisconsin.csv")
    truth = (table.pop("Diagnosis") == "M").to_numpy().astype(int)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    chance = cross_val_predict(model, table.drop(columns="ID"), truth, cv=FOLDS, method="predict_proba")[:, 1]

    holds(binary(truth, chance), {"roc_auc": 0.995, "accuracy": 0.979})


def test_sentences_are_judged_as_published(public_data: Path) -> None:
    table = pd.read_parquet(public_data / "sentiment-sentences.parquet")
    truth = table["score"].to_numpy()
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, solver="liblinear"))
    chance = cross_val_predict(model, table["sentence"], truth, cv=FOLDS, method="predict_proba")[:, 1]

    holds(binary(truth, chance), {"accuracy": 0.835})


def test_splice_junctions_are_judged_as_published(public_data: Path) -> None:
    table = pd.read_parquet(public_data / "splice-junctions.parquet")
    truth, bases = table["class"].to_numpy(str), np.array([list(each) for each in table["sequence"]])
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.1, tol=1e-3, max_iter=1000))
    chances = cross_val_predict(model, bases, truth, cv=FOLDS, method="predict_proba")
    classes = np.unique(truth)
    called = classes[chances.argmax(axis=1)]

    report = report_of(
        outcomes_of_predictions("multiclass", truth, called, chances, classes.tolist()), Asked(draws=200)
    )

    average = {"average": "macro"}
    theirs = {
        "accuracy": metrics.accuracy_score(truth, called),
        "macro_precision": metrics.precision_score(truth, called, **average),
        "macro_recall": metrics.recall_score(truth, called, **average),
        "macro_f1": metrics.f1_score(truth, called, **average),
        "weighted_f1": metrics.f1_score(truth, called, average="weighted"),
        "log_loss": metrics.log_loss(truth, chances, labels=classes),
    }
    close(report.performance.figures(), theirs)
    holds(report, {"accuracy": 0.956, "macro_f1": 0.951})


def test_concrete_is_judged_as_published(public_data: Path) -> None:
    table = pd.read_parquet(public_data / "concrete-strength.parquet")
    truth = table.pop(table.columns[-1]).to_numpy()
    predicted = cross_val_predict(LinearRegression(), table, truth, cv=KFold(10, shuffle=True, random_state=0))

    report = report_of(outcomes_of_predictions("regression", truth, predicted), Asked(draws=200))

    theirs = {
        "rmse": metrics.root_mean_squared_error(truth, predicted),
        "mae": metrics.mean_absolute_error(truth, predicted),
        "max_error": metrics.max_error(truth, predicted),
        "r2": metrics.r2_score(truth, predicted),
    }
    close(report.performance.figures(), theirs)
    holds(report, {"rmse": 10.45, "r2": 0.608})


@pytest.mark.parametrize(
    ("series", "rmse", "mae", "days"), [("WTI", 1.880, 1.344, 1248), ("Brent", 1.951, 1.364, 1263)]
)
def test_yesterdays_oil_price_is_judged_as_published(
    series: str, rmse: float, mae: float, days: int, public_data: Path
) -> None:
    table = pd.read_parquet(public_data / "crude-oil-prices.parquet")
    price = table[table["series"] == series].set_index("Date")["Price"]
    forecast = price.shift(1)
    later = price.index.astype(str) >= "2021"
    truth, given, past = price[later].to_numpy(), forecast[later].to_numpy(), price[~later].to_numpy()

    found = forecasting.score(truth, given, past)
    sampling = resampling.Sampling(block=resampling.block_length(days))
    report = report_of(outcomes_of_predictions("forecasting", truth, given, sampling=sampling), Asked(draws=200))

    theirs = {"rmse": metrics.root_mean_squared_error(truth, given), "mae": metrics.mean_absolute_error(truth, given)}
    close(found.figures(), {**theirs, "mape": metrics.mean_absolute_percentage_error(truth, given)})
    assert (found.n, found.rmse, found.mae) == (days, pytest.approx(rmse, abs=1e-3), pytest.approx(mae, abs=1e-3))
    holds(report, {"rmse": rmse, "mae": mae})


def otsu(image: Array) -> float:
    """The threshold that tells two kinds of pixels apart best (Otsu 1979)."""
    counts = np.bincount(image.ravel(), minlength=256).astype(float)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (sums[-1] * below - sums * below[-1]) ** 2 / (below * (below[-1] - below))
    return int(np.nanargmax(between))


def test_nuclei_are_judged_as_published(public_data: Path) -> None:
    held = np.load(public_data / "nuclei-dsb2018.npz")
    some = held["image_id"] % 5 == 0
    images, masks = held["images"][some], held["masks"][some].astype(int)
    images = np.array([255 - each if np.median(each) > 127 else each for each in images])
    blurred = np.array([scipy.ndimage.gaussian_filter(each, 1) for each in images])
    called = np.array([each > otsu(each) for each in blurred]).astype(int)

    found = segmentation.score(masks, called)
    draws = bootstrap(of_masks(segmentation.overlaps(masks, called)), resampling.SingleRows(len(masks)), 200)

    pixels = (masks.ravel(), called.ravel())
    either = [(mask.ravel(), call.ravel()) for mask, call in zip(masks, called, strict=True) if (mask | call).any()]
    theirs = {
        "pixel_dice": metrics.f1_score(*pixels),
        "pixel_iou": metrics.jaccard_score(*pixels),
        "pixel_accuracy": metrics.accuracy_score(*pixels),
        "dice": np.mean([metrics.f1_score(*each) for each in either]),
        "iou": np.mean([metrics.jaccard_score(*each) for each in either]),
    }
    close(found.figures(), theirs)
    assert found.images == 52
    for name, published in (("pixel_dice", 0.662), ("pixel_iou", 0.495)):
        low, high = draws.interval(name) or (0, 0)
        assert low <= published <= high, name


def test_faults_of_a_hydraulic_rig_are_judged_as_scikit_learn_does(public_data: Path) -> None:
    held = np.load(public_data / "hydraulic-condition.npz")
    channels = [held[name] for name in ("TS1", "TS2", "TS3", "TS4", "VS1", "CE", "CP", "SE")]
    data = np.concatenate([[each.mean(1), each.std(1), each.min(1), each.max(1)] for each in channels]).T
    sound = {"cooler": 100, "valve": 100, "pump_leakage": 0, "accumulator": 130}
    truth = np.array([held[name] != value for name, value in sound.items()]).T.astype(int)
    learnt = np.arange(len(data)) % 4 == 0
    model = RandomForestClassifier(20, random_state=0).fit(data[learnt], truth[learnt])
    chances = np.array([each[:, 1] for each in model.predict_proba(data[~learnt])]).T
    true, called = truth[~learnt], (chances >= 0.5).astype(int)

    found = multilabel.score(true, called, chances)

    theirs = {
        f"{kind}_f1": metrics.f1_score(true, called, average=kind, zero_division=0)
        for kind in ("micro", "macro", "weighted", "samples")
    }
    theirs |= {
        "hamming_loss": metrics.hamming_loss(true, called),
        "subset_accuracy": metrics.accuracy_score(true, called),
    }
    theirs["macro_roc_auc"] = metrics.roc_auc_score(true, chances, average="macro")
    theirs["macro_average_precision"] = metrics.average_precision_score(true, chances, average="macro")
    close(found.figures(), theirs)


def test_intents_of_a_bank_are_ranked_as_scikit_learn_does(public_data: Path) -> None:
    train, test = (pd.read_csv(public_data / f"banking77-{part}.csv") for part in ("train", "test"))
    names, codes = np.unique(train["category"], return_inverse=True)
    words = TfidfVectorizer().fit(train["text"])
    means = np.array([np.asarray(words.transform(train["text"][codes == code]).mean(axis=0))[0] for code in range(77)])
    some = test[::10]
    scores = words.transform(some["text"]) @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    relevance = (some["category"].to_numpy()[:, None] == names).astype(float)

    queries = np.repeat(np.arange(len(some)), 77)
    found = ranking.score(relevance.ravel(), scores.ravel(), queries)

    close(
        found.figures(),
        {
            "ndcg": metrics.ndcg_score(relevance, scores),
            "ndcg_at_10": metrics.ndcg_score(relevance, scores, k=10),
            "mrr": metrics.label_ranking_average_precision_score(relevance, scores),
            "map": metrics.label_ranking_average_precision_score(relevance, scores),
            "hit_rate_at_10": metrics.top_k_accuracy_score(some["category"], scores, k=10, labels=names),
        },
    )


def test_slots_of_a_dialogue_are_judged_as_scikit_learn_does(public_data: Path) -> None:
    table = pd.read_parquet(public_data / "multidogo-finance.parquet")
    table["words"], table["tags"] = table["utterance"].str.split(), table["slot-labels"].str.split()
    table = table[table["words"].str.len() == table["tags"].str.len()]
    learnt, judged = (table[table["split"] == part] for part in ("train", "test"))
    counts = pd.crosstab(learnt["words"].explode().str.lower().to_numpy(), learnt["tags"].explode().to_numpy())
    usual = counts.idxmax(axis=1).to_dict()
    true = judged["tags"].map(list).tolist()
    called = [[usual.get(word.lower(), "O") for word in words] for words in judged["words"]]

    found = sequences.score(true, called)

    sides = ([tag for each in side for tag in each] for side in (true, called))
    every, said = map(list, sides)
    theirs = {
        "accuracy": metrics.accuracy_score(every, said),
        "macro_f1": metrics.f1_score(every, said, average="macro"),
        "weighted_f1": metrics.f1_score(every, said, average="weighted"),
        "exact_match": np.mean([a == b for a, b in zip(true, called, strict=True)]),
    }
    close(found.figures(), theirs)
    assert found.sequences == len(judged)
