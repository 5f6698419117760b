"""Fitted estimators of each kind, small, and the rows that they learnt."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, TweedieRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

_CHANCE: Final = np.random.default_rng(0)
X: Final = _CHANCE.normal(size=(120, 4))
Y: Final = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)
NUMBER: Final = X[:, 0] * 3 + X[:, 1]
FRAME: Final = pd.DataFrame(
    {
        "income": np.where(_CHANCE.random(120) < 0.1, np.nan, X[:, 0]),
        "debt": X[:, 1],
        "kind": _CHANCE.choice(np.array(["car", "house", None], object), 120),
    }
)
LABELS: Final = np.where(Y == 1, "good", "bad")
TEXTS: Final = [f"a {label} {kind or 'thing'}" for label, kind in zip(LABELS, FRAME["kind"], strict=True)]
CODED: Final = FRAME.assign(kind=FRAME["kind"].astype("category"))


class Fitted(NamedTuple):
    """An estimator, the rows that it learnt, and their labels."""

    estimator: Any
    rows: Any
    labels: Any


def pipeline(**chosen: Any) -> Pipeline:
    """A pipeline over text and gaps, two of its steps named as torch names methods."""
    columns = [
        ("float", make_pipeline(SimpleImputer(), StandardScaler()), ["income", "debt"]),
        ("kind", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
    ]
    return Pipeline([("train", ColumnTransformer(columns)), ("forward", LogisticRegression(**chosen))])


NAMES: Final = (
    "logistic", "linear", "forest", "boosted", "stages", "isolation", "svc", "neighbours", "mlp", "calibrated",
    "voting", "selected", "xgboost", "xgboost-dart", "xgboost-linear", "lightgbm", "lightgbm-linear",
    "xgboost-in-pipeline", "pipeline",
    "boosted-categories", "xgboost-categories", "lightgbm-categories", "xgboost-booster", "lightgbm-booster", "texts",
    "xgboost-classes-at-once", "xgboost-numbers-at-once", "lightgbm-gone-on", "words-of-skops", "truths-weighted",
    "tweedie",
)  # fmt: skip


@cache
def fitted() -> dict[str, Fitted]:
    """One of each kind by name."""
    numbers: dict[str, tuple[Any, Any]] = {
        "logistic": (LogisticRegression(), Y),
        "linear": (LinearRegression(), np.c_[NUMBER, -NUMBER]),
        "forest": (RandomForestClassifier(8, random_state=0), Y),
        "boosted": (HistGradientBoostingClassifier(max_iter=8, random_state=0), Y),
        "stages": (GradientBoostingRegressor(n_estimators=5, random_state=np.random.RandomState(0)), NUMBER),
        "isolation": (IsolationForest(n_estimators=4, max_features=0.5, random_state=0), Y),
        "svc": (SVC(), Y),
        "neighbours": (make_pipeline(StandardScaler(), KNeighborsClassifier()), Y),
        "mlp": (MLPClassifier((3, 3), max_iter=5, random_state=0), Y),
        "calibrated": (CalibratedClassifierCV(LinearSVC()), Y),
        "voting": (VotingClassifier([("a", LogisticRegression()), ("b", RandomForestClassifier(3))]), Y),
        "selected": (make_pipeline(SelectKBest(f_classif, k=2), LogisticRegression()), Y),
        "xgboost": (xgboost.XGBClassifier(n_estimators=4, max_depth=3, n_jobs=1), Y),
        "xgboost-dart": (xgboost.XGBRegressor(n_estimators=4, booster="dart", n_jobs=1), NUMBER),
        "xgboost-linear": (xgboost.XGBRegressor(n_estimators=4, booster="gblinear", n_jobs=1), NUMBER),
        "lightgbm": (lightgbm.LGBMClassifier(n_estimators=4, n_jobs=1, verbose=-1, min_child_samples=5), Y),
        "lightgbm-linear": (lightgbm.LGBMRegressor(n_estimators=4, n_jobs=1, verbose=-1, linear_tree=True), NUMBER),
        "xgboost-in-pipeline": (
            make_pipeline(StandardScaler(), xgboost.XGBRegressor(n_estimators=3, n_jobs=1)),
            NUMBER,
        ),
    }
    made: dict[str, Fitted] = {
        name: Fitted(estimator.fit(X, labels), X, labels) for name, (estimator, labels) in numbers.items()
    }
    made |= _odd()
    made["pipeline"] = Fitted(pipeline().fit(FRAME, LABELS), FRAME, LABELS)
    texts = GridSearchCV(make_pipeline(TfidfVectorizer(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2)
    made["texts"] = Fitted(texts.fit(TEXTS, LABELS), TEXTS, LABELS)
    coded: dict[str, Any] = {
        "boosted-categories": HistGradientBoostingClassifier(max_iter=4, min_samples_leaf=3),
        "xgboost-categories": xgboost.XGBClassifier(
            n_estimators=3, n_jobs=1, enable_categorical=True, max_cat_to_onehot=1
        ),
        "lightgbm-categories": lightgbm.LGBMClassifier(
            n_estimators=3, n_jobs=1, verbose=-1, min_child_samples=3, min_data_per_group=1, cat_smooth=0
        ),
    }
    made |= {name: Fitted(estimator.fit(CODED, Y), CODED, Y) for name, estimator in coded.items()}
    return made | _boosters()


def _odd() -> dict[str, Fitted]:
    """Those whose libraries keep something in a way of their own."""
    at_once: dict[str, Any] = {"multi_strategy": "multi_output_tree", "tree_method": "hist", "n_estimators": 3}
    three, truths = Y + (X[:, 3] > 0), Y.astype(bool)
    small: dict[str, Any] = {"n_estimators": 2, "n_jobs": 1, "verbose": -1}
    words = np.where(Y == 1, "__id__ __loader__ content", "attrs file __reduce__ bad")
    return {
        "xgboost-classes-at-once": Fitted(xgboost.XGBClassifier(**at_once, n_jobs=1).fit(X, three), X, three),
        "xgboost-numbers-at-once": Fitted(xgboost.XGBRegressor(**at_once, n_jobs=1).fit(X, X[:, :2]), X, NUMBER),
        "lightgbm-gone-on": Fitted(
            lightgbm.LGBMClassifier(**small).fit(X, Y, init_model=lightgbm.LGBMClassifier(**small).fit(X, Y)), X, Y
        ),
        "words-of-skops": Fitted(make_pipeline(CountVectorizer(), LogisticRegression()).fit(words, Y), words, Y),
        "truths-weighted": Fitted(LogisticRegression(class_weight={False: 20, True: 1}).fit(X, truths), X, truths),
        "tweedie": Fitted(TweedieRegressor(power=1.5).fit(X, np.exp(NUMBER)), X, np.exp(NUMBER)),
    }


def _boosters() -> dict[str, Fitted]:
    """Boosters as XGBoost's and LightGBM's own `train` gives them."""
    three = Y + (X[:, 3] > 0)
    return {
        "xgboost-booster": Fitted(
            xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(X, Y), 3), X, Y
        ),
        "lightgbm-booster": Fitted(
            lightgbm.train(
                {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1},
                lightgbm.Dataset(X, three.astype(float)),
                3,
            ),
            X,
            three,
        ),
    }


def fitted_rows(name: str) -> Any:
    """The rows that one of them learnt."""
    if name == "words-of-skops":
        return fitted()[name].rows
    others = {"pipeline": FRAME, "texts": TEXTS}
    return others.get(name, CODED if name.endswith("categories") else X)


def answers(estimator: Any, rows: Any) -> dict[str, Any]:
    """All that it says of rows."""
    if isinstance(estimator, xgboost.Booster):
        return {"predict": estimator.predict(xgboost.DMatrix(rows))}
    asked = ("predict", "predict_proba", "decision_function")
    return {name: np.asarray(getattr(estimator, name)(rows)) for name in asked if hasattr(estimator, name)}
