"""AutoGluon's side: run by the Python of an environment that has it, on rows in a folder, where its answers go."""

import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor

KINDS = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
FIGURES = {"roc_auc": "roc_auc", "accuracy": "accuracy", "rmse": "root_mean_squared_error"}


def main(folder: str, task: str, figure: str, budget: str) -> None:
    place = Path(folder)
    learn, others = pd.read_parquet(place / "learn.parquet"), pd.read_parquet(place / "others.parquet")
    begun = time.perf_counter()
    predictor = TabularPredictor(
        "__label__",
        problem_type=KINDS[task],
        eval_metric=FIGURES[figure],
        path=str(place / "models"),
        verbosity=0,
    )
    predictor.fit(learn, time_limit=float(budget))
    seconds = time.perf_counter() - begun
    called = predictor.predict(others).to_numpy()
    chances = predictor.predict_proba(others).to_numpy()[:, 1] if task == "binary" else np.zeros(0)
    called = called.astype(str) if called.dtype == object else called
    words = f"{predictor.model_best}, {version('autogluon.tabular')}"
    np.savez(place / "said.npz", called=called, chances=chances, seconds=seconds, words=words)


if __name__ == "__main__":
    main(*sys.argv[1:])
