"""Tables with a question each: those of docs/fields.md, and four that come with scikit-learn and statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from ..fields.sets import table

Places = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """Columns, labels, and what each row belongs to, if that parts them."""

    columns: pd.DataFrame
    labels: npt.NDArray[Any]
    groups: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class Question:
    """What is predicted of a table, and by which figure it is judged."""

    title: str
    task: str
    figure: str
    rows: Callable[[], Rows]
    miss: str = ""
    """Why it is below, where it is."""


def split(question: Question, rows: Rows) -> tuple[Places, Places]:
    """A quarter held out: whole groups where there are some, else alike of each class."""
    places = np.arange(len(rows.labels))
    if rows.groups is not None:
        return next(GroupShuffleSplit(1, test_size=0.25, random_state=0).split(places, groups=rows.groups))
    strata = None if question.task == "regression" else rows.labels
    learn, held = train_test_split(places, test_size=0.25, random_state=0, stratify=strata)
    return np.sort(learn), np.sort(held)


def _credit() -> Rows:
    rows = table("german")
    return Rows(rows.drop(columns="class"), (rows["class"] == 2).to_numpy().astype(np.int64))


def _risk() -> Rows:
    rows = table("taiwan").drop(columns="ID")
    labels = rows.pop("default payment next month")
    return Rows(rows, labels.to_numpy())


def _breast() -> Rows:
    rows = table("breast").drop(columns="ID")
    return Rows(rows.drop(columns="Diagnosis"), (rows["Diagnosis"] == "M").to_numpy().astype(np.int64))


def _heart() -> Rows:
    rows = table("heart")
    return Rows(rows.drop(columns="num"), (rows["num"] > 0).to_numpy().astype(np.int64))


def _splice() -> Rows:
    rows = table("splice")
    bases = np.array([list(each.strip()) for each in rows["sequence"]])
    columns = {f"base{place}": bases[:, place] for place in range(bases.shape[1])}
    return Rows(pd.DataFrame(columns), rows["class"].to_numpy().astype(str))


def _mice() -> Rows:
    rows = table("mice")
    mouse = rows["MouseID"].str.split("_").str[0].to_numpy()
    proteins = rows[[name for name in rows.columns if name.endswith("_N")]]
    return Rows(proteins, rows["class"].to_numpy().astype(str), mouse)


def _steel() -> Rows:
    rows = table("steel")
    faults = ["Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults"]
    return Rows(rows.drop(columns=faults), rows[faults].idxmax(axis=1).to_numpy().astype(str))


def _milling() -> Rows:
    rows = table("milling")
    columns = rows[["Type", *rows.columns[3:8]]]
    columns.columns = [each.split(" [")[0] for each in columns.columns]
    return Rows(columns, rows["Machine failure"].to_numpy())


def _concrete() -> Rows:
    rows = table("concrete")
    return Rows(rows.iloc[:, :-1], rows.iloc[:, -1].to_numpy(np.float64))


def _digits() -> Rows:
    rows, labels = load_digits(return_X_y=True, as_frame=True)
    return Rows(rows, labels.to_numpy())


def _diabetes() -> Rows:
    rows, labels = load_diabetes(return_X_y=True, as_frame=True)
    return Rows(rows, labels.to_numpy(np.float64))


def _affairs() -> Rows:
    from statsmodels.datasets import fair

    rows = fair.load_pandas().data
    return Rows(rows.drop(columns="affairs"), (rows["affairs"] > 0).to_numpy().astype(np.int64))


def _vote() -> Rows:
    from statsmodels.datasets import anes96

    rows = anes96.load_pandas().data
    return Rows(rows.drop(columns="vote"), rows["vote"].to_numpy().astype(np.int64))


QUESTIONS: Final = {
    "credit": Question("credit assessment, German credit", "binary", "roc_auc", _credit),
    "risk": Question("risk management, card holders of Taiwan", "binary", "roc_auc", _risk),
    "breast": Question("diagnosis, breast cancer", "binary", "roc_auc", _breast),
    "heart": Question("diagnosis, heart disease", "binary", "roc_auc", _heart),
    "splice": Question("splice junctions", "multiclass", "accuracy", _splice),
    "mice": Question("protein expression, by mouse", "multiclass", "accuracy", _mice),
    "steel": Question("faults of steel plates", "multiclass", "accuracy", _steel),
    "milling": Question("rare failures of a mill", "binary", "roc_auc", _milling),
    "concrete": Question("strength of concrete", "regression", "rmse", _concrete),
    "digits": Question("digits, of scikit-learn", "multiclass", "accuracy", _digits),
    "diabetes": Question("diabetes, of scikit-learn", "regression", "rmse", _diabetes),
    "affairs": Question("affairs (fair), of statsmodels", "binary", "roc_auc", _affairs),
    "vote": Question("votes (anes96), of statsmodels", "binary", "roc_auc", _vote),
}
