"""What runs by itself falls and goes on, and whoever waits for it learns why: never a hang, never in silence."""

from __future__ import annotations

import gc
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import urlopen

import pytest

from lepton_ai import retries, settings
from lepton_ai.cli.work.observing import observed
from lepton_ai.domain.job.commands import SubmitJob
from lepton_ai.domain.job.state import JobState
from lepton_ai.errors import LockHeld, Refused, Unavailable
from lepton_ai.events.run import MetricsLogged
from lepton_ai.jobs import assignment, wait
from lepton_ai.jobs.protocol.messages import Failed, Finished, Measured, Started, encoded
from lepton_ai.jobs.protocol.orders import Order
from lepton_ai.settings import Terms
from lepton_ai.supervised import Supervised
from lepton_ai.versions.workspace import Workspace
from lepton_ai.wiring import Home
from lepton_ai.workers.attempt import Attempt
from lepton_ai.workers.local import Workplace
from lepton_ai.workers.worker import Post, Worker

from ..asking import PATIENCE, until
from ..conftest import running
from ..jobs.channels import ME, Open, Silence, order
from ..jobs.office import Office, ready
from ..programs.light_work import LIGHT
from ..servers import PostgreSQL, free_port

PROGRAMS = Path(__file__).parents[1] / "programs"
QUICK = {"START": "5", "LEASE": "5", "HEARTBEAT": "0.2", "PAUSE": "0.1", "DRAIN": "4"}


@pytest.fixture
def there(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A ledger on one machine, with short terms."""
    for name, seconds in QUICK.items():
        monkeypatch.setenv(f"LEPTON_TERM_{name}", seconds)
    monkeypatch.setattr(retries, "PAUSE", 0.01)
    found = Home(settings.load(home, actor="ada"))
    yield found
    found.close()


def submit(there: Home, folder: Path, does: str = "finish", **asked: Any) -> str:
    """Ask for light work."""
    payload = {"does": does, "branch": "main"}
    asked = {"job": "j1", "kind": LIGHT, "model": "net", "payload": payload, "source": str(folder)} | asked
    there.workspace.admit(SubmitJob(**asked), None)
    return asked["job"]


def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the workers of this process do light work."""
    post = Workplace.post

    def lighter(*args: Any, **asked: Any) -> Post:
        return replace(post(*args, **asked), program="light_work", environment={"PYTHONPATH": str(PROGRAMS)})

    monkeypatch.setattr(Workplace, "post", lighter)


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_work_that_falls_once_is_begun_anew_and_told(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    times: list[int] = []
    again = Event()

    def work(stop: Event) -> None:
        times.append(len(times))
        if len(times) == 1:
            raise error
        again.set()
        stop.wait()

    with Supervised(work, "worker", 5.0) as part:
        assert again.wait(PATIENCE)
        assert part.trouble is None
    assert "the worker fell, and is begun anew" in caplog.text


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (Refused("no right to read"), "no right to read"),
        (ValueError("odd"), "fell 3 times in a row, last of ValueError: odd"),
    ],
)
def test_work_that_cannot_go_on_is_trouble_until_it_can(error: Exception, trouble: str) -> None:
    mended = Event()

    def work(stop: Event) -> None:
        if not mended.is_set():
            raise error
        stop.wait()

    with Supervised(work, "worker", 5.0) as part:
        until(lambda: part.trouble is not None)
        assert trouble in str(part.trouble)


def test_what_is_away_is_no_trouble_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    times: list[int] = []

    def work(stop: Event) -> None:
        times.append(1)
        raise Unavailable("the database is away")

    with Supervised(work, "assigner", 5.0) as part:
        until(lambda: len(times) > 2)
        assert part.trouble is None
    assert caplog.text.count("the database is away") == 1


# ── whoever waits ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_of_this_process_that_falls_is_followed_by_another_and_the_job_ends(
    there: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    light(monkeypatch)
    step, times = Worker.step, iter(range(10**9))

    def falling(self: Worker) -> None:
        if next(times) == 3:
            raise SystemExit("something that nobody foresaw")
        step(self)

    monkeypatch.setattr(Worker, "step", falling)
    done = wait.wait(there.workspace, there.desk, submit(there, tmp_path), timeout=PATIENCE)

    assert done.status == "finished"
    assert "the worker fell, and is begun anew" in caplog.text


@pytest.mark.parametrize("error", [Refused("the object store forbids it"), ZeroDivisionError("by zero")])
def test_a_worker_that_can_never_work_is_told_to_whoever_waits_and_hangs_nobody(
    error: Exception, there: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> Worker:
        raise error

    monkeypatch.setattr(Workplace, "worker", failing)

    with pytest.raises((Refused, Unavailable), match=str(error)):
        wait.wait(there.workspace, there.desk, submit(there, tmp_path))


def test_an_assigner_that_can_never_assign_is_told_to_whoever_waits(
    there: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = submit(there, tmp_path)
    monkeypatch.setattr("lepton_ai.jobs.assigner.Assigner.step", lambda _: 1 / 0)

    with pytest.raises(Unavailable, match="the assigner here fell 3 times in a row, last of ZeroDivisionError"):
        wait.wait(there.workspace, there.desk, name)


def test_who_waits_beside_kafka_is_told_that_nobody_gives_jobs_out(
    there: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wait, "SURELY", 0.0)
    desk, name = replace(there.desk, here=False), submit(there, tmp_path, pool="gpu", needs=("cuda",))

    with pytest.raises(
        Unavailable, match=r"not ended in 0.5 s: nobody gives jobs out; `lepton intake` does; it goes on"
    ):
        wait.wait(there.workspace, desk, name, timeout=0.5)
    assert "job j1 is queued: nobody gives jobs out" in caplog.text
    with there.desk.assigning():
        until(lambda: not desk.unattended())
        with pytest.raises(Unavailable, match="no worker of pool gpu that does light cuda has been heard of"):
            wait.wait(there.workspace, desk, name, timeout=0.2)


def test_a_worker_counts_as_heard_of_for_the_terms_that_are_set(there: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = settings.load(there.settings.home).terms
    assert (kept.lease, kept.heartbeat) == (5.0, 0.2)
    monkeypatch.setenv("LEPTON_KAFKA", "localhost:1")
    beside = Home(settings.load(there.settings.home, actor="ada"))

    assert beside.desk.terms == kept
    assert not beside.desk.here
    beside.close()


def test_a_ledger_that_is_away_for_a_moment_ends_no_waiting_and_for_long_is_told(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with contextmanager(running)(PostgreSQL) as server:
        for name, seconds in (QUICK | {"LEASE": "60"}).items():
            monkeypatch.setenv(f"LEPTON_TERM_{name}", seconds)
        monkeypatch.setenv("LEPTON_DATABASE", server.url())
        monkeypatch.setenv("LEPTON_WAIT", "1")
        light(monkeypatch)
        there = Home(settings.load(home, actor="ada"))
        name = submit(there, tmp_path, "wait")
        with Supervised(lambda stop: cut(server, tmp_path), "fault", PATIENCE):
            done = wait.wait(there.workspace, there.desk, name, timeout=PATIENCE)
        assert done.status == "finished"
        assert "is waited for on" in caplog.text
        other = submit(there, tmp_path, job="j2", pool="nowhere")
        server.stop()
        beside = replace(there.desk, here=False, terms=replace(there.desk.terms, lease=2.0))
        with pytest.raises(Unavailable, match="job j2 goes on where its worker is"):
            wait.wait(there.workspace, beside, other)
        there.close()


def cut(server: PostgreSQL, folder: Path) -> None:
    """Stop the database while a job is at work, and let both go on."""
    until(lambda: any(folder.glob("begun-j1-*")))
    server.stop()
    server.start()
    for path in folder.glob("begun-j1-*"):
        (folder / path.name.replace("begun", "go")).touch()


# ── the lock ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_assigns_is_told_apart_from_a_database_that_is_away(
    there: Home, caplog: pytest.LogCaptureFixture, home: Path
) -> None:
    caplog.set_level(logging.INFO, "lepton")
    held = there.desk.lock()
    with there.desk.assigning() as part:
        until(lambda: "held by process" in caplog.text)
        assert part.trouble is None
        held.release()
        until(lambda: not there.desk.unattended())
    first = there.desk.lock()
    with pytest.raises(LockHeld):
        there.desk.lock()
    first.release()
    away = replace(there.desk, lock=lambda: gone(home))
    with away.assigning():
        until(lambda: "the assigner is begun anew: " in caplog.text)
    assert "there is no server" in caplog.text


def gone(home: Path) -> Any:
    from lepton_ai.events.sql.address import database_at

    try:
        return database_at("postgresql://nobody@127.0.0.1:1/nothing", "main", wait=0.1).lock("assigner")
    except LockHeld:
        raise AssertionError("a database that is away was taken for another process that assigns") from None
    except Unavailable as error:
        raise Unavailable(f"there is no server: {error}") from error


# ── one job's damage is its own ──────────────────────────────────────────────────────────────────────────────────────


def test_a_job_whose_events_are_damaged_holds_up_no_other(
    there: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    light(monkeypatch)
    submit(there, tmp_path, job="bad")
    there.close()
    with sqlite3.connect(there.settings.home / "main.db") as database:
        database.execute(
            "UPDATE events SET envelope = replace(CAST(envelope AS TEXT), 'light', 'l1ght') WHERE stream = 'job/bad'"
        )
    database.close()
    again = Home(settings.load(there.settings.home, actor="ada"))
    done = wait.wait(again.workspace, again.desk, submit(again, tmp_path, job="good"), timeout=PATIENCE)
    again.close()

    assert done.status == "finished"
    assert "job/bad is passed over: " in caplog.text


def test_a_job_whose_order_needs_what_is_away_waits_alone(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    written, away = assignment.compose, {"j1"}

    def compose(workspace: Workspace, name: str, job: JobState, worker: str) -> Order:
        if name in away:
            raise Unavailable("the object store is away")
        return written(workspace, name, job, worker)

    monkeypatch.setattr(assignment, "compose", compose)
    office.submit("j1", retries=0)
    office.submit("j2")
    office.hear(ready("w1", slots=2))
    assert office.orders.taken == [("w1", "j2", 1)]
    away.clear()
    office.later = timedelta(seconds=601)
    office.hear(ready("w1", slots=2))

    assert office.orders.taken == [("w1", "j2", 1), ("w1", "j1", 1)]


# ── refused metrics ──────────────────────────────────────────────────────────────────────────────────────────────────


def block(*names: str) -> MetricsLogged:
    """Points of so many metrics at one step."""
    now = datetime.now(UTC)
    return MetricsLogged(names=names, steps=(1,) * len(names), values=(0.5,) * len(names), times=(now,) * len(names))


def test_points_that_are_refused_are_told_in_the_jobs_record_and_the_training_goes_on(office: Office) -> None:
    from lepton_ai.jobs.record import record, story

    office.submit("j1")
    office.hear(ready("w1"))
    office.hear(Started(job="j1", epoch=1, n=0), Measured(job="j1", epoch=1, n=1, block=block("loss", "", "x" * 9000)))
    office.hear(Measured(job="j1", epoch=1, n=2, block=block("")))

    shown = record(office.workspace, "j1")
    assert (shown.status, shown.warnings, shown.lost_points) == ("running", 2, 3)
    assert "cannot name a metric" in shown.warning
    assert "2 warnings, 3 metric points are lost" in str(shown)
    kinds = [event["type"].split(".", 1)[1] for event in story(office.workspace, "j1")]
    assert kinds.count("metrics.logged.v1") == 1
    assert kinds.count("job.warned.v1") == 2
    sealed = office.workspace.ledger.store.stream("job/j1")[1][-1].envelope
    assert b"cannot name a metric" not in sealed


def test_a_story_that_repeats_itself_does_not_bury_the_job(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    office.hear(Started(job="j1", epoch=1, n=0))
    office.hear(*(Measured(job="j1", epoch=1, n=n, block=block("")) for n in range(1, 130)))

    assert office.job("j1").warnings == 100
    assert office.job("j1").status == "running"


def test_what_keeps_an_attempt_from_beginning_or_ending_ends_it_with_the_reason(office: Office) -> None:
    office.submit("j1", retries=0)
    office.hear(ready("w1"))
    office.hear(Failed(job="j1", epoch=1, n=1, error="E", reason="x" * 600_000))

    assert office.job("j1").status == "failed"
    assert len(office.workspace.opened(*office.job("j1").reason)) == 8000


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def at_work(tmp_path: Path, channel: Silence, program: str, **terms: float) -> Worker:
    """A worker whose processes run a program of the test's."""
    (tmp_path / "objects").mkdir(exist_ok=True)
    post = Post(
        identity=ME,
        objects={"url": (tmp_path / "objects").as_uri(), "ledger": "main", "wait": 1.0},
        program=program,
        environment={"PYTHONPATH": f"{PROGRAMS}{os.pathsep}{tmp_path}"},
    )
    return Worker(post, channel, Terms(**({"heartbeat": 0.2, "drain": 3.0, "lease": 30.0} | terms)))


def answer(worker: Worker, channel: Open) -> Failed | Finished:
    """What a worker answered at last."""
    until(lambda: worker.step() or any(isinstance(each, Failed | Finished) for each in channel.said))
    return next(each for each in channel.said if isinstance(each, Failed | Finished))


OTHERS = encoded(Failed(job="j9", epoch=1, n=1, error="E"), "x") + b"\n"
ODD_PROGRAMS = {
    "sigkill": ("import os; os.kill(os.getpid(), 9)", "Killed", "SIGKILL"),
    "realtime": ("import os; os.kill(os.getpid(), 40)", "Killed", "signal 40"),
    "garbage": ("import os, sys; os.write(int(sys.argv[1]), b'{garbage}\\n')", "Exited", "a part was no message"),
    "babble": (
        "import os, sys\nwhile True: os.write(int(sys.argv[1]), b'x' * 65536)", "Malformed", "bytes without an end",
    ),
    "other": (f"import os, sys; os.write(int(sys.argv[1]), {OTHERS!r})", "Exited", "it is of another attempt"),
    "still": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "Killed", "was stopped by a signal"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_PROGRAMS)
def test_however_a_process_ends_its_worker_answers_for_it_and_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Attempt.check
    monkeypatch.setattr(Attempt, "check", lambda attempt, drain, _: check(attempt, drain, still=1.0))
    code, error, reason = ODD_PROGRAMS[name]
    (tmp_path / f"odd_{name}.py").write_text(code)
    channel = Open(order())
    worker = at_work(tmp_path, channel, f"odd_{name}")

    failed = answer(worker, channel)

    assert isinstance(failed, Failed)
    assert failed.error == error
    assert reason in failed.reason
    assert worker.at_work == 0


def test_a_process_that_writes_without_end_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.workers.attempt.WRITTEN", 1 << 20)
    check, sizes = Attempt.check, list[int]()

    def checked(attempt: Attempt, drain: float, still: float) -> None:
        check(attempt, drain, still)
        with suppress(ValueError):
            sizes.append(os.fstat(attempt._written.fileno()).st_blocks * 512)

    monkeypatch.setattr(Attempt, "check", checked)
    # some 100 MB a second
    program = "import time\nwhile True: time.sleep(0.0001); print('x' * 20_000)"
    (tmp_path / "odd_writer.py").write_text(program)
    channel = Open(order(seconds=3.0))
    answer(at_work(tmp_path, channel, "odd_writer"), channel)

    assert 0 < max(sizes) < 64 << 20


def open_files() -> set[tuple[str, str]]:
    """What this process has open, each by its descriptor; what is closed meanwhile is left out."""
    gc.collect()
    found = set[tuple[str, str]]()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add((each.name, str(each.readlink())))
    return found


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("tempfile.TemporaryFile", OSError(28, "No space left on device")),
        ("os.pipe", OSError(24, "Too many open files")),
        ("subprocess.Popen", OSError(12, "Cannot allocate memory")),
        ("lepton_ai.workers.attempt.Thread", RuntimeError("can't start new thread")),
    ],
)
def test_a_process_that_cannot_be_spawned_is_answered_for_and_leaves_nothing_open(
    where: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Open()
    worker = at_work(tmp_path, channel, "light_work")
    worker.step()
    before = open_files()

    def refusing(*_: object, **__: object) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(where, refusing)
        channel.give(order(kind="light", payload={"does": "finish"}))
        failed = answer(worker, channel)

    assert isinstance(failed, Failed)
    assert (failed.error, failed.again) == ("NotSpawned", True)
    assert open_files() <= before


def test_an_attempt_that_cannot_be_looked_after_is_broken_off_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Open(order(kind="light", payload={"does": "wait"}, source=str(tmp_path)))
    worker = at_work(tmp_path, channel, "light_work")
    until(lambda: worker.step() or (tmp_path / "begun-j1-1").exists())
    monkeypatch.setattr(Attempt, "check", lambda *_: 1 / 0)

    failed = answer(worker, channel)

    assert isinstance(failed, Failed)
    assert (failed.error, failed.again) == ("WorkerFault", True)
    assert "ZeroDivisionError" in failed.reason
    assert worker.at_work == 0


def test_a_fault_of_the_workers_own_ends_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lepton_ai.workers.worker.AWAY", 0.01)

    class Odd(Open):
        faults = 3

        def facts(self) -> Any:
            if self.faults:
                self.faults -= 1
                raise TypeError("what nobody foresaw")
            return super().facts()

    channel, stop = Odd(order(kind="mine")), Event()
    worker = at_work(tmp_path, channel, "light_work")
    worker.run(stop, lambda: any(isinstance(each, Failed) for each in channel.said))

    assert caplog.text.count("a fault of the worker's own; it goes on") == 3


def test_a_figure_that_cannot_be_read_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    def away() -> float:
        raise Unavailable("the database is away")

    address = f"127.0.0.1:{free_port()}"
    with observed(address, {"log_events": ("events", away), "relay_events": ("relayed", lambda: 7)}):
        for _ in range(2):
            with urlopen(f"http://{address}/metrics", timeout=PATIENCE) as answer:
                text = answer.read().decode()

    assert "lepton_log_events NaN" in text
    assert "lepton_relay_events 7.0" in text
    assert caplog.text.count("the figure log_events cannot be read: the database is away") == 1
