"""Jobs that wait for others: released in time, failed with the story of what failed, whoever is killed meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lepton_ai import ModelManager, Refused, UnknownRevision
from lepton_ai.domain.job.commands import CancelJob
from lepton_ai.jobs.protocol.messages import Failed, Started

from ..cli_home import Cli, loans
from .office import Office, ready

CHOSEN: dict[str, Any] = {"epochs": 2, "members": 1, "hidden": [4]}
TERMS = {"start": 4, "lease": 2, "heartbeat": 0.3, "pause": 0.1}
KILLED = """
import os, sys
from lepton_ai import ModelManager
from lepton_ai.ledger import Ledger
admit = Ledger.admit
def dying(self, command, *given, **named):
    if type(command).__name__ == sys.argv[1] and command.job == sys.argv[2]:
        os._exit(9)
    return admit(self, command, *given, **named)
Ledger.admit = dying
ModelManager(actor="ada").jobs.wait(sys.argv[2])
"""


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


@pytest.fixture
def data(tmp_path: Path) -> str:
    loans(tmp_path / "loans.csv")
    return str(tmp_path / "loans.csv")


def training(manager: ModelManager, data: str, **asked: Any) -> str:
    """A training that was asked for."""
    return manager.jobs.train(
        "credit-scoring-model", data, "default", name="credit", hyperparameters=CHOSEN, **asked
    ).job


def test_what_a_job_makes_is_judged_once_though_its_assigner_is_killed_in_between(
    home: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in TERMS.items():
        monkeypatch.setenv(f"LEPTON_TERM_{name.upper()}", str(seconds))
    manager = ModelManager(home, actor="ada")
    first = training(manager, data)
    asked = {"name": "again", "key": "judge"}
    second = manager.jobs.evaluate(f"job:{first[-8:]}", data, "default", **asked)
    with pytest.raises(UnknownRevision, match=f"job {first} is queued and has made none yet"):
        manager.show(f"job:{first}")
    environment = os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_HOME": str(home)}
    for command in ("ReleaseJob", "AssignJob"):
        words = [sys.executable, "-c", KILLED, command, second.job]
        assert subprocess.run(words, env=environment, capture_output=True, check=False).returncode == 9
    between = manager.jobs.show(second.job)

    done = manager.jobs.wait(second.job)

    assert (second.status, second.after, between.status) == ("waiting", (first,), "queued")
    assert (done.status, done.version) == ("finished", manager.show(f"job:{first}").version)
    (released,) = (event for event in manager.jobs.events(second.job) if "released" in event["type"])
    assert released["data"] == {"payload": {"version": 1}}
    assert manager.jobs.evaluate(f"job:{first}", data, "default", **asked).job == second.job
    assert manager.diff(f"job:{first}", "credit@1").after == manager.show("credit@1").version
    assert manager.fsck() == []


def test_what_failed_is_told_by_all_that_waited_for_it(manager: ModelManager, data: str) -> None:
    first = training(manager, data)
    second = manager.jobs.evaluate(f"job:{first}", data, "default").job
    third = training(manager, data, after=[manager.jobs.show(second)])
    manager.jobs.cancel(first, reason="wrong data")

    last, middle = manager.jobs.wait(third), manager.jobs.show(second)

    story = f"job {first} (train credit) was cancelled: wrong data"
    assert (middle.status, middle.error, middle.reason) == ("failed", "UpstreamFailed", story)
    assert (last.status, last.reason) == ("failed", f"job {second} did not begin, since {story}")
    rows = manager.sql("SELECT status, after FROM jobs ORDER BY seq").to_pylist()
    assert rows == [
        {"status": "cancelled", "after": []},
        {"status": "failed", "after": [first]},
        {"status": "failed", "after": [second]},
    ]
    with pytest.raises(UnknownRevision, match="is failed and has made none"):
        manager.show(f"job:{third}")


def test_a_job_waits_and_is_called_off_by_the_command_line(home: Path, data: str) -> None:
    lepton = Cli(home)

    def told(words: str) -> Any:
        return lepton(f"{words} --json").json

    asked = f"train credit-scoring-model {data} --label default --detach"
    first = told(asked)["job"]["job"]
    second = told(f"{asked} --after {first[-8:]} --name other")["job"]
    third = told(f"evaluate job:{first} {data} --label default --detach")["job"]

    assert (second["status"], second["after"]) == ("waiting", [first])
    assert third["status"] == "waiting"
    assert told("status")["jobs"] == {"queued": 1, "at_work": 0, "workers": 0, "waiting": 2}
    assert told(f"cancel {second['job']}")["job"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"after": "nowhere"}, "there is no job 'nowhere'"),
        ({"rev": "job:nowhere"}, "there is no job 'nowhere'"),
        ({"rev": "other@job:{job}"}, "is of model credit, and 'other@job:.*' asks for a version of other; name one"),
        ({"rev": "job:{job}~1"}, "goes back from a version that may not be made yet"),
        ({"rev": "job:{job}", "drop": ["income"]}, "leave types, drop and columns out"),
        ({"data": "job:{job}"}, "no kind of work makes data"),
    ],
)
def test_what_cannot_be_waited_for_is_refused_in_a_sentence(
    asked: dict[str, Any], complaint: str, manager: ModelManager, data: str
) -> None:
    job = training(manager, data)
    usual = {"rev": "job:{job}", "data": data} | asked
    rev, rows = (usual.pop(name).format(job=job) for name in ("rev", "data"))

    with pytest.raises(Refused, match=complaint):
        manager.jobs.evaluate(rev, rows, "default", **usual)
    assert len(manager.jobs.recent()) == 1


def test_an_assigner_that_begins_knows_what_waits(office: Office) -> None:
    office.submit("j1", retries=0)
    office.submit("j2", after=("j1",))
    office.submit("j3", after=("j2",))
    office.hear(ready("w1", slots=9))
    given = [order.job for order in office.orders.sent]
    office.workspace.admit(CancelJob(job="j2", epoch=0), None)
    office.submit("j4", after=("j1",))

    office.assigner = office.begin()
    office.hear(Started(job="j1", epoch=1, n=0), Failed(job="j1", epoch=1, n=1, error="ValueError", reason="no"))

    assert given == ["j1"]
    assert [office.job(name).status for name in ("j1", "j2", "j3", "j4")] == ["failed", "cancelled", "failed", "failed"]
    assert [office.job(name).upstream for name in ("j3", "j4")] == ["j2", "j1"]
