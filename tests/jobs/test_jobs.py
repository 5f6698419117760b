"""Jobs as their user sees them: real trainings and evaluations, by a worker of one's own or by nobody else's."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import numpy as np
import pytest
from pyarrow import fs

from lepton_ai import ModelManager, Refused, UnknownRevision
from lepton_ai.errors import LockHeld
from lepton_ai.jobs.desk import log
from lepton_ai.models import CreditScoringModel

from ..asking import PATIENCE, until
from ..cli_home import Cli, loans
from ..worker_process import worker

LONG = 120.0
CHOSEN: dict[str, Any] = {"epochs": 4, "members": 1, "hidden": [4]}


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


@pytest.fixture
def data(tmp_path: Path) -> str:
    loans(tmp_path / "loans.csv")
    return str(tmp_path / "loans.csv")


def submitted(manager: ModelManager, data: str, **asked: Any) -> str:
    """A training that was asked for."""
    hyperparameters = CHOSEN | asked.pop("hyperparameters", {})
    return manager.jobs.train(
        "credit-scoring-model", data, "default", name="credit", hyperparameters=hyperparameters, **asked
    ).job


def test_a_job_makes_the_version_that_training_here_makes_and_judges_it_alike(
    manager: ModelManager, data: str, tmp_path: Path
) -> None:
    told: list[int] = []
    job = manager.jobs.wait(submitted(manager, data, message="first"), on_epoch=lambda epoch, _: told.append(epoch))
    model = CreditScoringModel()
    for name, value in CHOSEN.items():
        model.add_hyperparameter(name, value)
    from lepton_ai.datasets.read import labelled

    here = ModelManager(tmp_path / "here", actor="ada")
    other = here.train(model, *labelled(data, "default"), name="credit")
    judged = manager.jobs.wait(manager.jobs.evaluate("credit@1", data, "default", name="again").job)

    assert (job.status, job.version, told) == ("finished", 1, [1, 2, 3, 4])
    assert job.version is not None
    assert job.version.digest == other.digest
    assert manager.show("credit@1").message == "first"
    assert manager.show("credit@1").run == f"{job.job}.1"
    assert judged.figures == here.evaluate(other, *labelled(data, "default"), name="again").performance.to_dict()
    record, known = manager.show("credit@1"), here.show(other)
    assert (record.metrics, record.rows) == (known.metrics, known.rows), "figures of both are of the same rows"
    assert {"f1", "again/f1"} <= record.rows.keys()
    assert manager.fsck() == []


def test_a_training_that_two_workers_shared_is_bit_for_bit_that_of_one(
    manager: ModelManager, home: Path, data: str
) -> None:
    longer = {"epochs": 1500, "patience": 1500}
    name = submitted(manager, data, hyperparameters=longer)
    first = worker(home, drain=60)
    until(lambda: any("metrics" in event["type"] for event in manager.jobs.events(name)), LONG)
    first.send_signal(signal.SIGTERM)
    assert first.wait(LONG) == 0
    kept = manager.jobs.show(name)
    second = worker(home, "--once", drain=60)
    assert second.wait(LONG) == 0

    assert kept.status == "queued"
    assert kept.step is not None
    assert 0 < kept.step < 1500
    done = manager.jobs.show(name)
    assert (done.status, done.epoch) == ("finished", 2)
    steps = manager.sql(f"SELECT min(step) AS first FROM metrics WHERE run = '{name}.2'").to_pylist()
    assert steps == [{"first": kept.step + 1}]
    whole = manager.jobs.wait(submitted(manager, data, hyperparameters=longer))
    assert whole.version == done.version, "the same bits and the same recipe make no new version"


def test_whoever_waits_works_for_one_job_after_another(manager: ModelManager, data: str) -> None:
    done = [manager.jobs.wait(submitted(manager, data, hyperparameters={"seed": n}), timeout=60) for n in range(2)]

    assert [job.version for job in done] == [1, 2]


def test_a_job_asked_for_twice_under_one_key_is_one(manager: ModelManager, data: str) -> None:
    one, two = (submitted(manager, data, key="k") for _ in range(2))

    assert one == two
    assert [job.job for job in manager.jobs.recent()] == [one]


def test_where_the_data_lies_stands_nowhere_in_the_ledger(manager: ModelManager, home: Path, data: str) -> None:
    manager.jobs.wait(submitted(manager, data))

    assert all(data not in str(event) for event in manager.events(opened=False))
    manager.close()  # which empties SQLite's write-ahead log
    assert all(data.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_job_is_named_by_a_part_of_its_id_and_called_off_once(manager: ModelManager, data: str) -> None:
    name = submitted(manager, data)

    assert manager.jobs.show(name[-8:]).status == "queued"
    assert manager.jobs.cancel(name[-8:], reason="wrong data").reason == "wrong data"
    assert manager.jobs.cancel(name).status == "cancelled"
    with pytest.raises(UnknownRevision, match="there is no job"):
        manager.jobs.show("zzzz")


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"model": "credit"}, "there is no model 'credit' to train"),
        ({"label": "defualt"}, "has no column 'defualt'; did you mean default?"),
        ({"data": "nowhere.csv"}, "there is no file 'nowhere.csv'"),
        ({"branch": ".."}, "cannot name a branch"),
        ({"retries": -1}, "no fewer than 0 retries"),
        ({"memory": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_done_is_refused_before_a_worker_hears_of_it(
    asked: dict[str, Any], complaint: str, manager: ModelManager, home: Path, data: str
) -> None:
    Cli(home)("init")
    usual = {"model": "credit-scoring-model", "data": data, "label": "default"} | asked
    model, path, label = (usual.pop(name) for name in ("model", "data", "label"))

    with pytest.raises(Refused, match=complaint):
        manager.jobs.train(model, path, label, **usual)
    assert manager.jobs.recent() == []


def test_a_training_reads_its_rows_from_a_bucket(manager: ModelManager, data: str, s3: str) -> None:
    store, place = fs.FileSystem.from_uri(f"{s3}/data/loans.csv")
    with store.open_output_stream(place) as file:
        file.write(Path(data).read_bytes())

    there = manager.jobs.wait(submitted(manager, f"{s3}/data/loans.csv"), timeout=LONG)
    away = manager.jobs.wait(submitted(manager, f"{s3}/data/none.csv"), timeout=LONG)

    here = manager.jobs.wait(submitted(manager, data), timeout=LONG)
    assert (there.status, away.status) == ("finished", "failed")
    assert here.version == there.version, "the same rows make no new version, wherever they lay"
    assert (away.epoch, away.reason) == (1, "there is no none.csv in its bucket; give the address of a file")


def test_a_training_reads_what_it_is_told_and_an_evaluation_what_the_version_learnt(
    manager: ModelManager, tmp_path: Path
) -> None:
    path, later = tmp_path / "codes.csv", tmp_path / "later.csv"
    bad = [place % 2 for place in range(60)]
    lines = [f"{n},{10 + y},{n % 7},{y}" for n, y in enumerate(bad)]
    path.write_text("\n".join(["id,zip,n,default", *lines]))
    later.write_text("\n".join(["zip,n,default", *(line.partition(",")[2] for line in lines)]))

    asked = manager.jobs.train(
        "credit-scoring-model",
        str(path),
        "default",
        name="zip",
        hyperparameters=CHOSEN,
        types={"zip": "text"},
        drop=["id"],
    )
    trained = manager.jobs.wait(asked.job)
    judged = [manager.jobs.wait(manager.jobs.evaluate("zip@1", str(each), "default").job) for each in (path, later)]

    assert trained.status == "finished", trained.reason
    columns = manager.show("zip@1").architecture["config"]["columns"]
    assert columns == [{"name": "zip", "type": "category"}, {"name": "n", "type": "number"}]
    assert [remark.partition(" alone ")[0] for remark in trained.remarks] == ["column 'zip'"]
    assert judged[0].figures == judged[1].figures
    assert judged[0].figures["roc_auc"] == manager.evaluate("zip@1", str(later), "default").performance.roc_auc


def test_that_somebody_else_gives_jobs_out_is_told_to_whoever_does_nothing_else(
    manager: ModelManager, caplog: pytest.LogCaptureFixture
) -> None:
    tried = Event()

    def held() -> NoReturn:
        tried.set()
        raise LockHeld("the assigner is held by process 1")

    manager.save_version({"w": np.ones(3)}, name="net")
    desk = replace(manager.jobs.desk(), lock=held)
    caplog.set_level("INFO", "lepton")

    with desk.assigning(log.debug):
        assert tried.wait(PATIENCE)
    assert "is held by process" not in caplog.text
    tried.clear()
    desk.assign(tried)
    assert "is held by process 1" in caplog.text
