"""Workers as real processes, which are killed, stopped, poisoned and called off: each job ends exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from opentelemetry.sdk.trace import TracerProvider

from lepton_ai import ModelManager, settings
from lepton_ai.datasets.read import labelled
from lepton_ai.domain.job.commands import CancelJob, SubmitJob
from lepton_ai.domain.job.state import JobState
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.sql.leases import Lease
from lepton_ai.events.sql.queue import Mail
from lepton_ai.jobs.protocol.identity import WorkerKeys
from lepton_ai.jobs.protocol.messages import Finished, KeptTensors, MadeVersion, encoded
from lepton_ai.jobs.protocol.over_kafka import opened
from lepton_ai.jobs.protocol.over_tables import MailResults
from lepton_ai.jobs.protocol.ports import Fact
from lepton_ai.models import CreditScoringModel
from lepton_ai.settings import Terms
from lepton_ai.versions.feed import heard
from lepton_ai.wiring import Home
from lepton_ai.workers.worker import Post, Worker

from ..asking import PATIENCE, freeze, until
from ..cli_home import loans
from ..events.relaying import relaying
from ..jobs.channels import ME, Away, Open, Silence, order
from ..jobs.identities import identity, incarnation
from ..programs.light_work import LIGHT

PROGRAMS = Path(__file__).parents[1] / "programs"
TERMS = {"start": 60.0, "lease": 60.0, "heartbeat": 0.5, "pause": 0.1, "drain": 4.0, "poll": 0.02}
LEPTON_WORKER = [sys.executable, "-c", "from lepton_ai.cli import main; main()", "worker"]
ENDS = ("finished", "failed", "cancelled")


class Place:
    """A ledger whose jobs are given out by this process, and workers in processes of their own."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder
        self.home = Home(settings.load(home, actor="ada"))
        self.workspace = self.home.workspace
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self, slots: int = 1) -> subprocess.Popen[bytes]:
        """A worker that has announced itself."""
        command = [sys.executable, str(PROGRAMS / "worker.py"), str(self.home.settings.home), str(slots)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONSAFEPATH": "1"})
        self.workers.append(process)
        assert process.stdout is not None
        name = process.stdout.readline().decode().strip()
        until(lambda: name in {each.incarnation for each in self.home.desk.leases.workers(0)})
        return process

    def say(self, body: bytes, who: WorkerKeys | None = None) -> None:
        """Say something as if a worker did: under its signature, or under none."""
        if not self.home.settings.kafka:
            place = MailResults(self.home.store).place
            Mail(self.home.database).send("results", who.signed(body, place) if who else body)
            return
        with opened(self.home.cluster, "results") as (first, *_):
            first.say(who.signed(body, first.place) if who else body)

    def submit(self, job: str, does: str = "finish", **asked: Any) -> None:
        """Ask for work."""
        payload = {"does": does, "branch": "main"}
        command = SubmitJob(job=job, kind=LIGHT, model="net", payload=payload, source=str(self.folder), **asked)
        self.workspace.admit(command, None)

    def job(self, name: str) -> JobState:
        """A job as it stands."""
        return cast(JobState, self.workspace.ledger.state(f"job/{name}"))

    def lapse(self, name: str) -> None:
        """Have the term of a job's attempt end now, and its worker be one that was not heard of for as long."""
        job = self.job(name)
        with self.home.desk.leases.change() as change:
            change.lease(Lease(name, job.epoch, job.worker, 0))
            known = change.heard(job.worker)
            assert known is not None
            change.hear(known._replace(heard=0))

    def begun(self, name: str, epoch: int = 1) -> int:
        """The process of an attempt, once it is at work."""
        path = self.folder / f"begun-{name}-{epoch}"
        until(lambda: path.exists() and bool(path.read_text()))
        return int(path.read_text())

    def let_go(self, name: str, epoch: int) -> None:
        """Let an attempt that waits go on to its end."""
        (self.folder / f"go-{name}-{epoch}").touch()

    def ended(self, *names: str) -> list[str]:
        """How jobs ended, once all have; each exactly once."""
        until(lambda: all(self.job(name).ended for name in names))
        for name in names:
            assert sum(kind in ENDS for kind in self.story(name)) == 1
            assert self.story(name)[-1] in ENDS
        return [self.job(name).status for name in names]

    def story(self, name: str) -> list[str]:
        """The kinds of a job's events, in order."""
        return [event["type"].split(".")[2] for event in self.events(name)]

    def events(self, name: str) -> list[dict[str, Any]]:
        """A job's events, opened."""
        return list(
            heard(self.workspace, self.workspace.ledger.store.stream(f"job/{name}")[1], self.workspace.actors.all())
        )

    def versions(self) -> int:
        """How many versions the work has made."""
        return len(self.workspace.model("net").versions)


@pytest.fixture
def tables(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Workers beside the ledger's own tables."""
    with _placed(home, tmp_path, monkeypatch) as place:
        yield place


@pytest.fixture(params=["tables", "kafka"])
def place(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """Workers beside each way that messages go."""
    if request.param == "kafka":
        cluster: Cluster = request.getfixturevalue("cluster")
        monkeypatch.setenv("LEPTON_KAFKA", ",".join(cluster.servers))
        monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)
    with _placed(home, tmp_path, monkeypatch) as place, ExitStack() as stack:
        if request.param == "kafka":
            stack.enter_context(relaying(place.home.store, cluster))
        yield place


@contextmanager
def _placed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, seconds in TERMS.items():
        monkeypatch.setenv(f"LEPTON_TERM_{name.upper()}", str(seconds))
    folder = tmp_path / "signals"
    folder.mkdir()
    place = Place(home, folder)
    with place.home.desk.assigning():
        yield place
    for process in place.workers:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()
    place.home.close()


def gone(pid: int) -> bool:
    """Whether a process is no more, or only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_worker_killed_before_it_began_loses_the_job_to_another(place: Place) -> None:
    first = place.worker()
    freeze(first.pid)
    place.submit("j1")
    until(lambda: place.job("j1").status == "assigned")
    first.kill()
    place.lapse("j1")
    place.worker()

    assert place.ended("j1") == ["finished"]
    assert place.story("j1") == ["submitted", "assigned", "requeued", "assigned", "started", "finished"]
    assert place.events("j1")[2]["data"]["error"] == "NotStarted"
    assert place.versions() == 1


def test_a_worker_killed_at_work_takes_its_process_with_it_and_another_does_the_job(place: Place) -> None:
    first = place.worker()
    place.submit("j1", "wait")
    pid = place.begun("j1")
    until(lambda: place.job("j1").status == "running")
    first.kill()
    until(lambda: gone(pid))
    place.lapse("j1")
    place.worker()
    place.begun("j1", 2)
    place.let_go("j1", 2)

    assert place.ended("j1") == ["finished"]
    assert (place.job("j1").epoch, place.versions()) == (2, 1)
    assert place.events("j1")[3]["data"]["error"] == "LeaseLost"


def test_a_worker_killed_with_its_answer_on_its_lips_makes_no_second_version(tables: Place) -> None:
    first = tables.worker()
    tables.submit("j1", "wait")
    pid = tables.begun("j1")
    until(lambda: tables.job("j1").status == "running")
    with tables.home.database.connection() as connection:
        connection.execute("BEGIN IMMEDIATE")  # nobody can say anything now
        tables.let_go("j1", 1)
        until(lambda: gone(pid))
        first.kill()
        first.wait()
        connection.execute("ROLLBACK")
    tables.lapse("j1")
    tables.worker()
    tables.begun("j1", 2)
    tables.let_go("j1", 2)

    assert tables.ended("j1") == ["finished"]
    assert (tables.job("j1").epoch, tables.versions()) == (2, 1)


def test_a_worker_that_slept_beyond_its_lease_is_too_late(place: Place) -> None:
    first = place.worker()
    place.submit("j1", "wait")
    place.begun("j1")
    until(lambda: place.job("j1").status == "running")
    freeze(first.pid)
    place.let_go("j1", 1)
    place.lapse("j1")
    place.worker()
    place.begun("j1", 2)
    first.send_signal(signal.SIGCONT)
    made = MadeVersion(kept=KeptTensors(tensors=f"blake3:{0:064d}"), keyframe=True)
    late = Finished(job="j1", epoch=1, n=99, made=made)
    place.say(encoded(late, incarnation("other")), identity("other"))
    place.let_go("j1", 2)

    assert place.ended("j1") == ["finished"]
    assert (place.job("j1").epoch, place.versions()) == (2, 1)
    assert first.poll() is None


def test_no_poison_stops_a_worker_or_what_is_behind_it(place: Place) -> None:
    worker = place.worker()
    place.submit("segfault", "segfault", retries=1)
    place.submit("hog", "hog", memory=400_000_000)
    place.submit("raise", "raise")
    place.submit("exit", "exit", retries=0)
    place.submit("slow", "wait", seconds=1.0)
    place.submit("good")

    statuses = place.ended("segfault", "hog", "raise", "exit", "slow", "good")

    assert statuses == ["failed"] * 5 + ["finished"]
    assert worker.poll() is None
    last = {name: place.events(name)[-1]["data"] for name in ("segfault", "hog", "raise", "exit", "slow")}
    assert {name: data["error"] for name, data in last.items()} == {
        "segfault": "Killed", "hog": "OutOfMemory", "raise": "ValueError", "exit": "Exited", "slow": "TimeLimit",
    }  # fmt: skip
    assert "SIGSEGV" in last["segfault"]["reason"]
    assert last["raise"]["reason"] == "no such luck"
    assert place.job("segfault").epoch == 2
    assert place.versions() == 1


def test_what_is_away_is_tried_again_until_the_retries_are_used_up(place: Place) -> None:
    place.worker()
    place.submit("j1", "away", retries=2)

    assert place.ended("j1") == ["failed"]
    assert place.story("j1").count("started") == 3
    assert place.events("j1")[-1]["data"]["reason"] == "the store is away"


def test_a_job_called_off_is_stopped_and_the_next_one_begins(place: Place) -> None:
    place.worker()
    place.submit("j1", "wait")
    pid = place.begun("j1")
    until(lambda: place.job("j1").status == "running")
    place.submit("j2")

    place.workspace.admit(CancelJob(job="j1", epoch=1, reason="wrong data"), None)

    until(lambda: gone(pid))
    assert place.ended("j1", "j2") == ["cancelled", "finished"]
    assert place.versions() == 1


def test_a_worker_told_to_leave_gives_its_job_back_in_good_order(place: Place) -> None:
    first = place.worker()
    place.submit("j1", "wait", retries=0)
    place.begun("j1")

    first.terminate()

    assert first.wait(PATIENCE) == 0
    requeued = next(event["data"] for event in place.events("j1") if event["type"].endswith("requeued.v1"))
    assert (requeued["error"], requeued["counted"]) == ("Drained", False)
    place.worker()
    place.begun("j1", 2)
    place.let_go("j1", 2)
    assert place.ended("j1") == ["finished"]


def test_two_workers_with_slots_share_many_jobs_and_all_become_versions_of_one_branch(place: Place) -> None:
    names = [f"j{n}" for n in range(6)]
    place.worker(slots=2)
    place.worker(slots=2)
    for name in names:
        place.submit(name)

    assert place.ended(*names) == ["finished"] * 6
    assert place.versions() == 6
    heads = [place.workspace.model("net").version(n).parents for n in range(2, 7)]
    assert heads == [(n,) for n in range(1, 6)]


def test_a_trace_goes_from_who_asks_to_the_worker_and_back_into_every_event(place: Place) -> None:
    tracer = TracerProvider().get_tracer("test")
    place.worker()
    with tracer.start_as_current_span("asking") as span:
        place.submit("j1", "trace")

    assert place.ended("j1") == ["finished"]
    mine = f"00-{span.get_span_context().trace_id:032x}-"
    traces = {event["type"].split(".")[2]: event["traceparent"] for event in place.events("j1")}
    assert set(traces) == {"submitted", "assigned", "started", "finished"}
    assert all(each.startswith(mine) for each in traces.values())
    assert traces["finished"] == (place.folder / "trace-j1").read_text(), "the worker's own span, where it has one"
    assert traces["finished"] != traces["submitted"]
    committed = place.workspace.ledger.store.stream("model/net")[1][-1]
    assert json.loads(committed.envelope)["traceparent"] == traces["finished"]


def test_an_answer_too_large_for_any_topic_ends_its_own_job_alone(place: Place) -> None:
    worker = place.worker()
    place.submit("j1", "boast")
    place.submit("j2")

    assert place.ended("j1", "j2") == ["failed", "finished"]
    assert "describes too much" in place.events("j1")[-1]["data"]["reason"]
    assert worker.poll() is None


def test_a_process_is_told_of_no_database_and_no_broker(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_DATABASE", place.home.settings.database)
    if not place.home.settings.kafka:
        monkeypatch.setenv("LEPTON_KAFKA_KEY_PASSWORD", "secret")
    place.worker()
    place.submit("j1", "look")

    assert place.ended("j1") == ["finished"]
    seen = (place.folder / "environment").read_text().split()
    assert "PYTHONSAFEPATH" in seen
    assert not {"LEPTON_DATABASE", "LEPTON_KAFKA", "LEPTON_KAFKA_KEY_PASSWORD"} & set(seen)


# ── alone ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_idle_worker_leaves_at_once_though_nobody_hears_that_it_does(tmp_path: Path) -> None:
    worker = Worker(Post(identity=ME, objects={}), Away(), Terms(drain=3600))
    stop = Event()
    stop.set()

    worker.run(stop)

    assert worker.idle


def test_an_order_that_comes_twice_or_after_its_end_is_taken_once(tmp_path: Path) -> None:
    channel = Open()
    worker = Worker(Post(identity=ME, objects={}, program="no_such_program"), channel, Terms(**TERMS))
    worker.step()
    raw = channel.give(order())
    channel.raws += [raw, raw]
    channel.told.append(Fact("j2", 3, "requeued"))
    channel.give(order("j2", 2))
    until(lambda: worker.step() or not worker.at_work)
    channel.raws.append(raw)
    worker.step()

    assert worker.answered == 1


def test_a_worker_that_nobody_hears_stops_its_process_when_its_lease_is_over(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    post = Post(
        identity=ME,
        objects={"url": (tmp_path / "objects").as_uri(), "ledger": "main", "wait": 1.0},
        program="light_work",
        environment={"PYTHONPATH": str(PROGRAMS)},
    )
    given = order(kind="light", payload={"does": "wait"}, source=str(tmp_path))
    later = [0.0]
    worker = Worker(post, Silence(given), Terms(**TERMS | {"lease": 600.0}), lambda: time.monotonic() + later[0])
    path = tmp_path / "begun-j1-1"

    until(lambda: worker.step() or (path.exists() and bool(path.read_text())))
    pid = int(path.read_text())
    later[0] = 601.0
    until(lambda: worker.step() or gone(pid))


def test_a_worker_tells_of_a_training_and_an_evaluation_what_one_here_tells(place: Place, tmp_path: Path) -> None:
    """Rows, figures, task and directions: the same events, but for who did it and when."""
    rows, held = (str(tmp_path / f"{name}.csv") for name in ("rows", "held"))
    loans(Path(rows))
    lines = Path(rows).read_text().splitlines()
    Path(held).write_text("\n".join([lines[0], *lines[:20:-1], ""]))
    chosen: dict[str, Any] = {"epochs": 2, "members": 1, "hidden": [4]}
    better = {"cost_saving": "higher"}
    with ModelManager(place.home.settings.home, actor="ada") as there, ModelManager(tmp_path / "here") as here:
        asked = {"name": "credit", "tags": ["v1"], "validation": held, "better": better, "hyperparameters": chosen}
        trained = there.jobs.train("credit-scoring-model", rows, "default", **asked)
        folder = place.home.settings.home
        (folder / "objects").mkdir(exist_ok=True)
        environment = os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_HOME": str(folder)}
        place.workers.append(subprocess.Popen(LEPTON_WORKER, env=environment, stdout=subprocess.DEVNULL))
        assert place.ended(trained.job) == ["finished"], there.jobs.show(trained.job).reason
        judged = there.jobs.evaluate("credit@v1", held, "default", name="held", better={"waste": "lower"})
        assert place.ended(judged.job) == ["finished"]

        model = CreditScoringModel()
        for name, value in chosen.items():
            model.add_hyperparameter(name, value)
        learnt = labelled(rows, "default")
        others = labelled(held, "default")
        here.train(model, *learnt, validation=others, name="credit", tags=["v1"], better=better)
        here.evaluate("credit@v1", held, "default", name="held", better={"waste": "lower"})
        mine, theirs = ([*map(_said, manager.events(stream="model/credit"))] for manager in (here, there))

    assert theirs == mine
    assert [each["type"].split(".")[1] for each in mine] == [
        "model", "version", "tag", "metric", "evaluation", "metric",
    ]  # fmt: skip
    assert (mine[1]["task"], mine[4]["task"]) == ("binary", "binary")
    assert mine[1]["validation"]["digest"] == mine[4]["data"]["digest"]


def _said(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says, without the run and where it ran."""
    return {"type": event["type"], **event["data"], "run": None, "environment": None, "code": None}
