"""Who answers: Lepton's build, scikit-learn searched by plain Optuna, and AutoGluon in an environment of its own."""

from __future__ import annotations

import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from optuna.trial import Trial
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from lepton_ai import ModelManager
from lepton_ai.building.automatic.plan import usual_folds
from optuna import create_study, logging

from .questions import Question, Rows

_SCORING: Final = {"roc_auc": "roc_auc", "accuracy": "accuracy", "rmse": "neg_root_mean_squared_error"}
_SIDE: Final = Path(__file__).parent / "autogluon_side.py"


class Answered(NamedTuple):
    """What was said of the held-out rows, and how long it took to be able to."""

    called: npt.NDArray[Any]
    chances: npt.NDArray[np.float64] | None
    """Of two classes the second one's probability."""
    seconds: float
    words: str
    """What was chosen."""


def by_build(question: Question, learn: Rows, others: pd.DataFrame, budget: float) -> Answered:
    """`manager.build`, and the version that it kept."""
    with tempfile.TemporaryDirectory() as folder, ModelManager(Path(folder)) as manager:
        columns, groups = learn.columns, None
        if learn.groups is not None:
            columns, groups = learn.columns.assign(group=learn.groups), "group"
        begun = time.perf_counter()
        built = manager.build(
            columns, learn.labels, name="built", task=question.task, metric=question.figure, budget=budget,
            groups=groups,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        model: Any = manager.load_version(f"built@{built.version}")
        chances = model.predict_proba(others)[:, 1] if question.task == "binary" else None
        return Answered(model.predict(others), chances, seconds, f"{built.best.candidate}, {built.trials} trials")


def by_optuna(question: Question, learn: Rows, others: pd.DataFrame, budget: float) -> Answered:
    """Logistic regression (ridge for numbers), random forest and histogram gradient boosting, searched together."""
    logging.set_verbosity(logging.WARNING)
    begun, count = time.perf_counter(), max(2, usual_folds(len(learn.labels)))
    folds: Any = KFold(count, shuffle=True, random_state=0)
    if learn.groups is not None:
        folds = GroupKFold(count, shuffle=True, random_state=0)
    elif question.task != "regression":
        folds = StratifiedKFold(count, shuffle=True, random_state=0)

    def objective(trial: Trial) -> float:
        estimator = _estimator(trial, question.task)
        scoring = _SCORING[question.figure]
        told = {"groups": learn.groups, "cv": folds, "scoring": scoring, "error_score": "raise"}
        return float(cross_val_score(estimator, learn.columns, learn.labels, **told).mean())

    study = create_study(direction="maximize", sampler=_sampler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.optimize(objective, timeout=0.85 * budget)
        best = _estimator(study.best_trial, question.task).fit(learn.columns, learn.labels)
    seconds = time.perf_counter() - begun
    chances = best.predict_proba(others)[:, 1] if question.task == "binary" else None
    words = f"{study.best_params['family']}, {len(study.trials)} trials"
    return Answered(best.predict(others), chances, seconds, words)


def by_autogluon(question: Question, learn: Rows, others: pd.DataFrame, budget: float, python: str) -> Answered:
    """AutoGluon's usual preset, by the Python of its own environment; it holds rows out by itself, not by groups."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        learnt = learn.columns.assign(__label__=learn.labels)
        learnt.to_parquet(place / "learn.parquet")
        others.to_parquet(place / "others.parquet")
        command = (python, str(_SIDE), folder, question.task, question.figure, str(budget))
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        said = dict(np.load(place / "said.npz", allow_pickle=False))
    chances = said["chances"] if question.task == "binary" else None
    return Answered(said["called"], chances, float(said["seconds"]), str(said["words"]))


def _sampler() -> Any:
    from optuna.samplers import TPESampler

    return TPESampler(seed=0)


def _estimator(trial: Any, task: str) -> Any:
    """What a trial tries; `trial` is one that draws, or one that was drawn."""
    params = trial.params if not isinstance(trial, Trial) else None

    def real(name: str, low: float, high: float, *, log: bool = False) -> float:
        return params[name] if params is not None else trial.suggest_float(name, low, high, log=log)

    def whole(name: str, low: int, high: int) -> int:
        return params[name] if params is not None else trial.suggest_int(name, low, high, log=True)

    kinds = ["logistic", "forest", "boosting"]
    family = params["family"] if params is not None else trial.suggest_categorical("family", kinds)
    numbers, words = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")
    classes = task != "regression"
    if family == "logistic":
        scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        coded = make_column_transformer((scaled, numbers), (OneHotEncoder(handle_unknown="ignore"), words))
        strength = real("C", 1e-3, 100, log=True)
        model: Any = LogisticRegression(C=strength, max_iter=2000) if classes else Ridge(alpha=1 / strength)
        return make_pipeline(coded, model)
    places = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    if family == "forest":
        kind: Any = RandomForestClassifier if classes else RandomForestRegressor
        model = kind(
            whole("trees", 100, 500),
            min_samples_leaf=whole("forest_leaf", 1, 20),
            max_features=real("share", 0.1, 1.0),
            n_jobs=-1,
            random_state=0,
        )
        return make_pipeline(make_column_transformer((SimpleImputer(), numbers), (places, words)), model)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = kind(
        max_iter=whole("rounds", 50, 800),
        learning_rate=real("rate", 0.01, 0.3, log=True),
        max_leaf_nodes=whole("leaves", 4, 128),
        min_samples_leaf=whole("leaf", 1, 60),
        l2_regularization=real("l2", 1e-3, 30, log=True),
        early_stopping=False,
        random_state=0,
    )
    return make_pipeline(make_column_transformer(("passthrough", numbers), (places, words)), model)
