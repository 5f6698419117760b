"""Medicine: diagnoses by measurements and by pictures, cells in pictures, genes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import gaussian_filter
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.resampling import Sampling
from lepton_ai.models import DiagnosisModel, ImageDiagnosisModel, SegmentationModel, TableModel

from .judged import Desk, FieldTask, Pair, Said, chosen, crossed, fitted_by
from .sets import arrays, table


def breast(desk: Desk) -> Pair:
    """569 aspirates, 1 malignant."""
    rows = table("breast").drop(columns="ID")
    labels = (rows.pop("Diagnosis") == "M").to_numpy().astype(np.int64)
    return _diagnosed(desk, "breast", rows, labels, StandardScaler())


def heart(desk: Desk) -> Pair:
    """303 patients with gaps, 1 ill to whatever degree."""
    rows = table("heart")
    labels = (rows.pop("num") > 0).to_numpy().astype(np.int64)
    kinds = ["cp", "restecg", "slope", "ca", "thal"]
    coded = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), kinds),
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [*rows.columns.drop(kinds)]),
    )
    return _diagnosed(desk, "heart", rows, labels, coded)


def _diagnosed(desk: Desk, name: str, rows: Any, labels: npt.NDArray[np.int64], encoded: Any) -> Pair:
    logistic = fitted_by(lambda: make_pipeline(clone(encoded), LogisticRegression(max_iter=5000)), (0, 1))
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(rows, labels)
    pair = crossed(desk, name, rows, labels, splits, DiagnosisModel, logistic, task="binary", classes=(0, 1))
    return pair._replace(note=f"{pair.ours.performance.to_dict()['recall']:.1%} of the cases found, 95 % asked for")


def ultrasound(desk: Desk) -> Pair:
    """BreastMNIST on its official split, 1 malignant."""
    held = arrays("breastmnist")
    pictures = np.concatenate([held["train_images"], held["val_images"]])
    labels = 1 - np.concatenate([held["train_labels"], held["val_labels"]]).ravel().astype(np.int64)
    truth = 1 - held["test_labels"].ravel().astype(np.int64)
    model = desk.learnt("ultrasound", ImageDiagnosisModel(), pictures, labels)
    forest = fitted_by(lambda: RandomForestClassifier(500, random_state=0, n_jobs=1), (0, 1))
    said = forest(_flat(pictures), labels, _flat(held["test_images"]))
    ours = Said(model.predict(held["test_images"]), model.predict_proba(held["test_images"]))
    sides = [outcomes_of_predictions("binary", truth, *each, (0, 1)) for each in (ours, said)]
    return Pair(*sides, note=f"{sides[0].performance.to_dict()['recall']:.1%} of the cases found, 95 % asked for")


def nuclei(desk: Desk) -> Pair:
    """Masks of cell nuclei in tiles of pictures that it never saw."""
    held = arrays("nuclei")
    test = held["image_id"] % 5 == 0
    model = SegmentationModel().add_hyperparameter("epochs", 25)
    learnt = desk.learnt("nuclei", model, held["images"][~test], held["masks"][~test])
    drawn = Sampling(held["image_id"][test])
    sides = [
        outcomes_of_predictions("segmentation", held["masks"][test], called, sampling=drawn)
        for called in (learnt.predict(held["images"][test]), np.stack([_otsu(each) for each in held["images"][test]]))
    ]
    return Pair(*sides, note=f"IoU {sides[0].performance.to_dict()['pixel_iou']:.3f}")


def splice(desk: Desk) -> Pair:
    """Sixty bases around a splice site, three kinds."""
    rows = table("splice")
    labels = rows["class"].to_numpy().astype(str)
    bases = np.array([list(each.strip()) for each in rows["sequence"]])
    logistic = fitted_by(
        lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.1, max_iter=5000))
    )
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(bases, labels)
    columns = {f"base{place}": bases[:, place] for place in range(bases.shape[1])}
    return crossed(desk, "splice", pd.DataFrame(columns), labels, splits, TableModel, logistic, task="multiclass")


def mice(desk: Desk) -> Pair:
    """77 proteins of mice; all measurements of a mouse on one side."""
    rows = table("mice")
    mouse = rows["MouseID"].str.split("_").str[0].to_numpy()
    labels = rows["class"].to_numpy().astype(str)
    proteins = rows[[name for name in rows.columns if name.endswith("_N")]]
    logistic = fitted_by(lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=5000)))
    splits = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(proteins, labels, mouse)

    def model() -> TableModel:
        return chosen(TableModel(), epochs=100)

    return crossed(desk, "mice", proteins, labels, splits, model, logistic, task="multiclass", groups=mouse)


def _flat(pictures: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return pictures.reshape(len(pictures), -1)


def _otsu(picture: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The threshold that parts two classes of pixels best (Otsu 1979), after a blur; dark is the background."""
    smooth = gaussian_filter(picture.astype(np.float64), 1)
    if np.median(smooth) > 127:
        smooth = 255 - smooth
    counts, edges = np.histogram(smooth, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below, above = counts.cumsum(), counts[::-1].cumsum()[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        low = (counts * middles).cumsum() / below
        high = ((counts * middles)[::-1].cumsum() / counts[::-1].cumsum())[::-1]
        apart = below[:-1] * above[1:] * (low[:-1] - high[1:]) ** 2
    return (smooth > middles[int(np.nanargmax(apart))]).astype(np.int64)


TASKS = {
    "breast": FieldTask(
        "medicine", "diagnosis, breast cancer", ("breast",), "diagnosis-model",
        "lepton train diagnosis-model breast-cancer-wisconsin.csv --label Diagnosis --drop ID --set positive_label=M",
        "roc_auc", "5 folds", "logistic regression, scaled", breast,
    ),
    "heart": FieldTask(
        "medicine", "diagnosis with gaps, heart disease", ("heart",), "diagnosis-model",
        "lepton train diagnosis-model heart.csv --label ill --set positive_label=1",
        "roc_auc", "5 folds", "logistic regression, imputed, one-hot", heart,
    ),
    "ultrasound": FieldTask(
        "medicine", "imaging, classification", ("breastmnist",), "image-diagnosis-model",
        "manager.train(ImageDiagnosisModel(), images, labels)",
        "roc_auc", "the official test part", "random forest on pixels", ultrasound,
        published="ResNet-18 0.901 (Yang et al. 2023)",
    ),
    "nuclei": FieldTask(
        "medicine", "imaging, segmentation", ("nuclei",), "segmentation-model",
        "manager.train(SegmentationModel().add_hyperparameter('epochs', 25), images, masks)",
        "pixel_dice", "pictures whose number 5 divides", "Otsu's threshold after a blur", nuclei,
    ),
    "splice": FieldTask(
        "medicine", "gene analysis, sequences", ("splice",), "table-model",
        "lepton train table-model splice-junctions.csv --label class",
        "accuracy", "5 folds", "logistic regression, one-hot, C 0.1", splice,
    ),
    "mice": FieldTask(
        "medicine", "gene analysis, expression", ("mice",), "table-model",
        "lepton train table-model mice-protein.parquet --label class --set epochs=100",
        "accuracy", "5 folds by mouse", "logistic regression, imputed, scaled", mice,
    ),
}  # fmt: skip
