"""The library's estimators: each family learns tables with text and gaps, and is kept, judged and loaded as any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from lepton_ai import ModelManager
from lepton_ai.building.estimators.hyperparameters import EstimatorFamily
from lepton_ai.errors import Malformed, Refused
from lepton_ai.models import EstimatorModel

ROWS = 240
_CHANCE = np.random.default_rng(3)
AGE = np.where(_CHANCE.random(ROWS) < 0.1, np.nan, _CHANCE.normal(size=ROWS))
KIND = _CHANCE.choice(np.array(["car", "house", "boat", None], object), ROWS)
SCORE = np.nan_to_num(AGE) * 2 + (KIND == "car") * 3 + _CHANCE.normal(scale=0.2, size=ROWS)
DATA = pd.DataFrame({"age": AGE, "kind": KIND, "day": pd.date_range("2024-01-01", periods=ROWS)})
LABELS: dict[str, Any] = {
    "binary": (SCORE > 1).astype(int),
    "multiclass": np.where(SCORE > 2, "high", np.where(SCORE > 0, "middle", "low")),
    "regression": SCORE,
}
FEW = {"family": "random-forest", "rounds": 15, "min_rows": 2, "leaves": 8}
FAMILIES = get_args(EstimatorFamily)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads that wait for cores which other tests have would take most of the time."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with threadpool_limits(1):
        yield


def model(**chosen: Any) -> EstimatorModel:
    made = EstimatorModel()
    for name, value in {**FEW, **chosen}.items():
        made.add_hyperparameter(name, value)
    return made


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("task", LABELS)
def test_each_family_learns_each_task_and_comes_back_the_same(home: Path, family: str, task: str) -> None:
    with ModelManager(home, actor="ada") as manager:
        here = model(family=family)
        version = manager.train(here, DATA, LABELS[task], name="loans")
        again = manager.load_version(version)

        assert isinstance(again, EstimatorModel)
        assert again.predict(DATA).tolist() == here.predict(DATA).tolist()
        performance = again.evaluate(DATA, LABELS[task])
        assert performance.task == task
        assert (performance.r2 if task == "regression" else performance.accuracy) > 0.6
        record = manager.show(version)
        assert record.hyperparameters["family"] == family
        assert record.metrics
        assert [each["name"] for each in record.architecture["config"]["columns"]] == ["age", "kind", "day"]
        assert b"house" not in b"".join(each.tobytes() for each in manager.load_arrays(version).values())
        assert manager.save_version(again, name="loans") == version


def test_a_worker_trains_what_training_here_does(home: Path, tmp_path: Path) -> None:
    rows = tmp_path / "loans.csv"
    DATA.drop(columns="day").assign(y=LABELS["binary"]).to_csv(rows, index=False)
    with ModelManager(home, actor="ada") as manager:
        asked = {**FEW, "family": "xgboost"}
        job = manager.jobs.wait(
            manager.jobs.train("estimator-model", str(rows), "y", name="loans", hyperparameters=asked).job
        )

        here = model(family="xgboost").train(DATA.drop(columns="day"), LABELS["binary"])
        assert (
            manager.load_version(job.version).predict_proba(DATA.drop(columns="day")).tobytes()
            == here.predict_proba(DATA.drop(columns="day")).tobytes()
        )
        assert manager.evaluate("loans", str(rows), "y", name="all").performance.f1 > 0.8


def test_a_level_that_was_never_shown_and_a_gap_are_read() -> None:
    learnt = model().train(DATA, LABELS["binary"])

    strange = DATA.head(3).assign(kind=["plane", None, "car"], age=np.nan)

    assert learnt.predict_proba(strange).shape == (3, 2)


def test_what_was_chosen_counts() -> None:
    rare, linear = (SCORE > 4.2).astype(int), {"family": "linear", "threshold": 0.5}

    alike, balanced = (model(class_weight=weight, **linear).train(DATA, rare) for weight in (None, "balanced"))
    grouped = model(split_time="day").train(DATA, LABELS["binary"])

    assert balanced.predict(DATA).sum() > alike.predict(DATA).sum()
    assert [name for name, _ in grouped._schema] == ["age", "kind"]
    assert grouped.predict(DATA).shape == (ROWS,)
    assert model(positive_label="low").train(DATA, np.where(SCORE > 1, "high", "low")).classes_ == ("high", "low")


def test_given_rows_validate_the_fit() -> None:
    learnt = model().train(DATA[:200], SCORE[:200], validation=(DATA[200:], SCORE[200:]))

    assert learnt.metrics["rmse"] == learnt.evaluate(DATA[200:], SCORE[200:]).rmse


@pytest.mark.parametrize(
    ("data", "labels", "said"),
    [
        (DATA, np.ones(ROWS), "all labels are the same"),
        (DATA, LABELS["binary"][:5], "there are 5 labels for 240 rows"),
        (DATA.assign(kind=[np.zeros((2, 2))] * ROWS), LABELS["binary"], "array"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_a_sentence(data: Any, labels: Any, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        model().train(data, labels)


def test_other_columns_and_values_against_their_rule_are_refused() -> None:
    learnt = model().train(DATA, LABELS["binary"])

    with pytest.raises(Malformed, match="lacks column 'age'"):
        learnt.predict(DATA.drop(columns="age"))
    with pytest.raises(Malformed, match="family"):
        model(family="catboost")
    with pytest.raises(Malformed, match="exclude each other"):
        model(split_groups="kind", split_time="day").check_hyperparameters()
    with pytest.raises(Refused, match="holds no estimator yet"):
        model().predict(DATA)
