"""Users' own models on real data: trained, kept, loaded and judged by their task, here and by a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from lepton_ai import ModelManager, Refused, settings
from lepton_ai.jobs.record import JobRecord
from lepton_ai.models import Model
from lepton_ai.results import MulticlassPerformance, RegressionPerformance
from lepton_ai.wiring import Home

from ..asking import until
from ..programs.own_models import NearestCentroid, RidgeLine, SoftCentroid, matrix

PROGRAMS = Path(__file__).parents[1] / "programs"
STRENGTH = "Concrete compressive strength(MPa, megapascals)"
FAULTS = ["Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults"]
HELD_OUT = 5
"""Every fifth row is judged and not learnt from."""


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


@pytest.fixture
def concrete(public_data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from and rows to judge."""
    return parted(pd.read_parquet(public_data / "concrete-strength.parquet"))


@pytest.fixture
def plates(public_data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steel plates with the name of their fault."""
    table = pd.read_parquet(public_data / "steel-plates-faults.parquet")
    faults = table[FAULTS].to_numpy().argmax(axis=1)
    return parted(table.drop(columns=FAULTS).assign(fault=np.array(FAULTS)[faults]))


def parted(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    held = np.arange(len(table)) % HELD_OUT == 0
    return table[~held], table[held]


def rows(table: pd.DataFrame, label: str) -> tuple[pd.DataFrame, pd.Series]:
    return table.drop(columns=label), table[label]


@contextmanager
def worker(home: Path) -> Iterator[None]:
    """A worker whose jobs' processes know the classes of `own_models`, as it announces."""
    parts = Home(settings.load(home, actor="worker"))
    parts.begin()
    post = parts.workplace.post()
    known = (*post.capabilities, "class:ridge-line", "class:nearest-centroid")
    post = replace(post, program="own_models", environment={"PYTHONPATH": str(PROGRAMS)}, capabilities=known)
    with parts.desk.assigning(), parts.workplace.working(post):
        until(parts.desk.ready)
        yield
    parts.close()


def ended(manager: ModelManager, job: str) -> JobRecord:
    until(lambda: manager.jobs.show(job).ended, 120)
    return manager.jobs.show(job)


def test_a_regression_without_probabilities_is_trained_kept_loaded_and_judged(
    manager: ModelManager, concrete: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    learnt, held = concrete
    version = manager.train(RidgeLine(), *rows(learnt, STRENGTH))

    recorded = manager.evaluate(version, *rows(held, STRENGTH), name="held out")

    data, truth = rows(held, STRENGTH)
    predicted = manager.load_version(version).predict(data)
    performance = recorded.performance
    assert isinstance(performance, RegressionPerformance)
    assert performance.rmse == pytest.approx(metrics.root_mean_squared_error(truth, predicted), rel=1e-9)
    assert performance.mae == pytest.approx(metrics.mean_absolute_error(truth, predicted), rel=1e-9)
    assert performance.r2 == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-9)
    assert 9 < performance.rmse < 12, "the data's own notes give 10.45 for a linear model"
    assert recorded.to_dict()["task"] == recorded.to_dict()["performance"]["task"] == "regression"
    told = manager.sql("SELECT DISTINCT name FROM evaluations").to_pylist()
    assert told == [{"name": "held out"}]


def test_classes_by_name_are_judged_with_and_without_probabilities(
    manager: ModelManager, plates: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    learnt, held = plates
    data, truth = rows(held, "fault")
    judged = []
    for kind in (NearestCentroid, SoftCentroid):
        version = manager.train(kind(), *rows(learnt, "fault"))
        judged.append(manager.evaluate(version, data, truth).performance)
        predicted = manager.load_version(version).predict(data)
        assert judged[-1].macro_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro"), rel=1e-9)
        assert judged[-1].accuracy == pytest.approx(metrics.accuracy_score(truth, predicted), rel=1e-9)

    without, with_ = judged
    assert isinstance(without, MulticlassPerformance)
    assert (without.classes, without.n, without.log_loss) == (7, len(held), None)
    assert with_ == replace(without, log_loss=with_.log_loss)
    soft = manager.load_version("soft-centroid")
    theirs = metrics.log_loss(truth, soft.predict_proba(data), labels=soft.classes_)
    assert with_.log_loss == pytest.approx(theirs, rel=1e-9)


def test_a_rollback_of_a_regression_is_rehearsed_by_its_error(
    manager: ModelManager, concrete: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    learnt, held = concrete
    manager.train(RidgeLine(), *rows(learnt, STRENGTH))
    manager.train(RidgeLine().add_hyperparameter("ridge", 10), *rows(learnt[:12], STRENGTH))

    rehearsal = manager.rollback("1", model="ridge-line", rehearse=rows(held, STRENGTH)).rehearsal

    assert rehearsal is not None
    assert rehearsal.metric == "rmse"
    assert rehearsal.difference["rmse"] < 0
    assert not rehearsal.worse


@pytest.mark.parametrize("kind", [RidgeLine, NearestCentroid])
def test_a_worker_that_knows_the_class_trains_and_judges_it_as_this_process_does(
    home: Path, request: pytest.FixtureRequest, tmp_path: Path, kind: type[Model]
) -> None:
    table, label = ("concrete", STRENGTH) if kind is RidgeLine else ("plates", "fault")
    paths = [tmp_path / "learnt.parquet", tmp_path / "held.parquet"]
    for part, path in zip(request.getfixturevalue(table), paths, strict=True):
        part.to_parquet(path, index=False)
    learnt, held = map(pd.read_parquet, paths)
    here = kind().train(*rows(learnt, label))

    with ModelManager(home, actor="ada") as manager, worker(home):
        name = {RidgeLine: "ridge-line", NearestCentroid: "nearest-centroid"}[kind]
        trained = ended(manager, manager.jobs.train(name, str(paths[0]), label).job)
        judged = ended(manager, manager.jobs.evaluate(f"{name}@1", str(paths[1]), label).job)

        assert (trained.status, trained.reason, judged.status, judged.reason) == ("finished", "", "finished", "")
        assert judged.figures == here.evaluate(*rows(held, label)).to_dict()
        rows_alone = held.drop(columns=label)
        assert np.array_equal(manager.load_version(f"{name}@1").predict(rows_alone), here.predict(rows_alone))


def test_a_class_that_no_worker_knows_is_refused_as_a_job_at_once(
    manager: ModelManager, concrete: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    learnt, _ = concrete
    learnt.to_parquet(tmp_path / "rows.parquet", index=False)
    manager.train(RidgeLine(), *rows(learnt, STRENGTH))

    for ask in (
        lambda: manager.jobs.train("ridge-line", str(tmp_path / "rows.parquet"), STRENGTH),
        lambda: manager.jobs.evaluate("ridge-line@1", str(tmp_path / "rows.parquet"), STRENGTH),
    ):
        with pytest.raises(Refused, match="no worker of pool default knows the class 'ridge-line'"):
            ask()
    assert manager.jobs.recent() == []


def test_a_job_of_an_announced_class_comes_to_a_worker_of_that_pool_alone(
    home: Path, concrete: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    concrete[0].to_parquet(tmp_path / "rows.parquet", index=False)
    asked = ("ridge-line", str(tmp_path / "rows.parquet"), STRENGTH)

    with ModelManager(home, actor="ada") as manager, worker(home):
        with pytest.raises(Refused, match="no worker of pool night knows"):
            manager.jobs.train(*asked, pool="night")
        job = manager.jobs.train(*asked, needs=("cpu",)).job
        (submitted,) = (each for each in manager.jobs.events(job) if each["type"] == "lepton.job.submitted.v1")

    assert submitted["data"]["needs"] == ["cpu", "class:ridge-line"]


def test_a_regression_is_never_asked_for_probabilities(concrete: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    class WithoutChances(RidgeLine):
        def predict_proba(self, data: object) -> object:
            raise NotImplementedError

    learnt, held = (rows(part, STRENGTH) for part in concrete)

    assert WithoutChances().train(*learnt).evaluate(*held) == RidgeLine().train(*learnt).evaluate(*held)


def test_a_model_that_does_not_say_what_it_predicts_is_not_judged(concrete: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    class Silent(RidgeLine):
        TASK = ""

    with pytest.raises(Refused, match=r"silent does not say what it predicts.*; set TASK to 'binary'"):
        Silent().evaluate(*rows(concrete[1], STRENGTH))
    assert matrix(rows(concrete[1], STRENGTH)[0]).shape == (206, 8)
