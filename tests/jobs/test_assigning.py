"""The assigner and its mail: whom it hears, whom it gives what, and when it believes that somebody is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from lepton_ai.domain.job.commands import CancelJob, SubmitJob, WarnJob
from lepton_ai.domain.job.kinds import UnknownKind
from lepton_ai.errors import Damaged, Unavailable
from lepton_ai.events.actor import Actor
from lepton_ai.events.envelope import decode
from lepton_ai.events.inbox import Letter
from lepton_ai.events.objects import ManifestWritten
from lepton_ai.events.sql.leases import Change, Lease
from lepton_ai.events.sql.queue import Mail
from lepton_ai.jobs.intake.rejected import RefusedMessages
from lepton_ai.jobs.protocol.broker_clock import BrokerClock
from lepton_ai.jobs.protocol.messages import Checkpointed, Failed, Finished, KeptTensors, Left, MadeVersion, Started
from lepton_ai.jobs.protocol.over_tables import MailResults
from lepton_ai.ledger import Ledger
from lepton_ai.settings import Terms
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.tensors.graph import Graph
from lepton_ai.tensors.pack import KnownPlacements
from lepton_ai.tensors.vault import Vault
from lepton_ai.versions.source import read
from lepton_ai.versions.spool.spool import Spool
from lepton_ai.workers.context import made_version

from ..asking import until
from .identities import identity, incarnation
from .office import TERMS, Counted, Office, ready


@pytest.fixture
def mail(ledger: Ledger) -> Mail:
    return Mail(ledger.store.database)


def test_jobs_go_to_whoever_is_ready_in_the_order_they_were_asked_for(office: Office) -> None:
    for name in ("j1", "j2", "j3"):
        office.submit(name)
    office.hear(ready("w1"), ready("w2"))

    assert [each[1:] for each in office.orders.taken] == [("j1", 1), ("j2", 1)]
    assert {each[0] for each in office.orders.taken} == {"w1", "w2"}
    assert office.job("j3").status == "queued"


def test_a_slot_that_a_lease_fills_is_not_free_whatever_an_old_heartbeat_says(office: Office) -> None:
    office.submit("j1")
    office.submit("j2")
    office.hear(ready("w1"))
    office.hear(ready("w1"), ready("w1"))

    assert [order.job for order in office.orders.sent] == ["j1"]


def test_who_left_gets_nothing(office: Office) -> None:
    office.hear(ready("w1"), Left(incarnation=incarnation("w1")))
    office.submit("j1")
    office.hear()

    assert office.orders.sent == []


def test_where_the_data_lies_stays_only_until_the_worker_has_begun(office: Office) -> None:
    office.submit("j1", source="file:///data/loans.csv")
    office.hear(ready("w1"))
    assert office.orders.sent[0].source == "file:///data/loans.csv"
    office.hear(ready("w1"))
    assert office.orders.kept == ("j1",)

    office.hear(Started(job="j1", epoch=1, n=0))

    assert office.orders.kept == ()


def test_a_lease_is_lost_only_once_all_that_was_said_before_its_end_is_read(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    office.hear(Started(job="j1", epoch=1, n=0))
    said_in_time = office.results.count
    office.later = timedelta(seconds=60)
    office.assigner.step()

    assert office.job("j1").status == "running", "its own clock alone gives nobody up"
    assert office.results.count == said_in_time + 1, "it asks what time it is by the clock of the mail"
    office.hear()
    assert office.job("j1").status == "running", "by that clock no time has gone by"


def test_every_lease_gets_a_fresh_term_when_the_assigner_starts(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    with office.leases.change() as change:
        change.end("j1", 1)
        change.forget(2**62)
    office.assigner = office.begin()

    (lease,) = office.leases.held()
    assert (lease.job, lease.epoch, lease.worker) == ("j1", 1, incarnation("w1"))
    assert lease.until > time.time() * 1_000_000 + 40_000_000


def test_an_assigner_that_begins_keeps_nobody_waiting_who_admits_beside_it(
    ledger: Ledger, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(ledger, actor, tmp_path / "objects", Counted(MailResults(ledger.store)))
    office.submit("j1")
    change, admitted = office.leases.change, list[bool]()
    beside = Thread(target=lambda: admitted.append(bool(ledger.admit(CancelJob(job="j1", epoch=0), actor).events)))

    @contextmanager
    def crowded() -> Iterator[Change]:
        """The writers' lock is ours, and somebody in this process waits for it."""
        with change() as opened:
            beside.start()
            until(lambda: not ledger._lock.acquire(blocking=False) or ledger._lock.release() is not None)
            yield opened

    monkeypatch.setattr(office.leases, "change", crowded)
    office.begin()
    beside.join()

    assert admitted == [True]


def test_a_lost_attempt_is_given_to_another_after_its_pause(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    (lease,) = office.leases.held()
    with office.leases.change() as change:
        change.lease(lease._replace(until=0))
    office.hear(ready("w2"))

    assert office.job("j1").status == "queued"
    office.later = timedelta(seconds=601)
    office.hear(ready("w2"))
    assert [order.epoch for order in office.orders.sent] == [1, 2]


def test_an_answer_that_is_repeated_acts_once(office: Office) -> None:
    office.submit("j1", retries=0)
    office.hear(ready("w1"))
    failed = Failed(job="j1", epoch=1, n=1, error="ValueError", reason="no")

    office.hear(failed, failed)
    end = office.workspace.ledger.store.end()
    office.hear(failed)

    assert office.job("j1").status == "failed"
    assert office.workspace.ledger.store.end() == end


def test_an_answer_whose_bytes_are_not_there_is_given_up_and_tried_again(office: Office) -> None:
    office.submit("j1", retries=1)
    office.hear(ready("w1"))
    made = MadeVersion(kept=KeptTensors(tensors=f"blake3:{0:064d}"), keyframe=True)

    office.hear(Finished(job="j1", epoch=1, n=1, made=made))

    assert (office.job("j1").status, office.job("j1").error) == ("queued", "Damaged")


def test_an_answer_of_more_tensors_than_one_command_tells_is_taken_in_whole(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    arrays = {f"layers.{n}.weight": np.full(1, n, np.float32) for n in range(6_000)}
    vault, tensors = Vault(office.workspace.objects, KnownPlacements(dict)), read(arrays, "net").tensors
    made = made_version(vault.keep(tensors, base=None, graph=Graph({}, ())), None)

    office.hear(Finished(job="j1", epoch=1, n=1, made=made))

    assert office.job("j1").status == "finished"
    rows = office.workspace.ledger.store.read(0, 1000)
    events = [recorded.event for recorded in (decode(row.envelope) for row in rows)]
    pages = [event for event in events if isinstance(event, ManifestWritten)]
    assert [page.page for page in pages] == list(range(12))
    assert [name for page in pages for name in page.names] == sorted(arrays)


def test_an_old_job_whose_payload_was_never_checked_stops_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("lepton_ai.domain.job.decide.checked_payload", lambda *_: UnknownKind())
        office.workspace.admit(SubmitJob(job="odd", kind="evaluate", model="net", payload={}), None)
        office.workspace.admit(SubmitJob(job="odder", kind="train", model="net", payload={"branch": 5}), None)
    office.submit("j1")
    office.hear(ready("w1", slots=3, capabilities=("train", "evaluate")))

    made = MadeVersion(kept=KeptTensors(tensors=f"blake3:{0:064d}"), keyframe=True)
    office.hear(Finished(job="odder", epoch=1, n=1, made=made), Started(job="j1", epoch=1, n=0))

    assert (office.job("odd").status, office.job("odd").error) == ("failed", "Malformed")
    assert office.job("j1").status == "running"


def test_an_answer_about_a_job_whose_events_are_damaged_holds_up_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def state(stream: str) -> Any:
        if stream == "job/j1":
            raise Damaged("event 7", expected="its bytes", found="others")
        return whole(stream)

    office.submit("j1")
    office.submit("j2")
    office.hear(ready("w1", slots=2))
    office.workspace.spool = Spool(tmp_path / "spool", FolderStore, wait=1.0)
    whole = office.workspace.ledger.state
    monkeypatch.setattr(office.workspace.ledger, "state", state)

    made = MadeVersion(kept=KeptTensors(tensors=f"blake3:{0:064d}"), keyframe=True)
    office.hear(Finished(job="j1", epoch=1, n=1, made=made), Started(job="j2", epoch=1, n=0))

    assert office.job("j2").status == "running"


def test_what_a_worker_had_when_it_left_is_given_back_though_the_database_goes_away_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def admit(command: Any, *given: Any, **named: Any) -> Any:
        if isinstance(command, WarnJob) and not away:
            away.append(command)
            raise Unavailable("the database is away")
        return known(command, *given, **named)

    office.submit("j1")
    office.hear(ready("w1"))
    office.hear(Started(job="j1", epoch=1, n=0))
    office.submit("j2")
    office.hear(ready("w2"))
    away: list[WarnJob] = []
    known = office.workspace.ledger.admit
    monkeypatch.setattr(office.workspace.ledger, "admit", admit)

    lost = Checkpointed(job="j1", epoch=1, n=1, step=1, kept=KeptTensors(tensors=f"blake3:{0:064d}"))
    for message in (lost, Left(incarnation=incarnation("w2"))):
        office.results.say(office.signed(message))
    with pytest.raises(Unavailable):
        until(lambda: not office.assigner.step() and office.read() == office.results.count)
    office.assigner = office.begin()
    until(lambda: not office.assigner.step() and office.read() == office.results.count)

    assert away
    assert office.job("j2").status == "queued"


def test_a_job_that_was_called_off_holds_no_slot(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    office.workspace.admit(CancelJob(job="j1", epoch=1), None)
    office.submit("j2")
    office.hear(ready("w1"))

    assert [order.job for order in office.orders.sent] == ["j1", "j2"]


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b'{"type":"lepton.worker.ready.v1","data":{}}'])
def test_what_is_no_message_holds_up_nothing(raw: bytes, office: Office) -> None:
    office.hear_raw(raw)
    office.submit("j1")
    office.hear(ready("w1"))

    assert [order.job for order in office.orders.sent] == ["j1"]


def test_who_has_nothing_to_do_with_an_attempt_has_no_say_in_it_and_is_kept_as_rejected(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    mine = Started(job="j1", epoch=1, n=0)

    office.hear(mine, by="w9")
    office.hear(Failed(job="j2", epoch=1, n=1, error="ValueError"))
    assert office.job("j1").status == "assigned"
    office.hear(mine)

    assert office.job("j1").status == "running"
    reasons = [each.reason for _, each, _ in office.workspace.ledger.store.rejected()]
    assert reasons == [
        f"attempt 1 of job 'j1' is another worker's than {incarnation('w9')!r}'s",
        f"there is no job 'j2'; worker {incarnation('w1')!r} spoke of it",
    ]


ODD: list[dict[str, Any]] = [
    {"source": "/lepton/worker/w\0"},
    {"source": "/lepton/worker/" + "w" * 600},
    {"source": 7},
    {"traceparent": "half \ud800"},
    {"traceparent": "x" * 600},
    {"type": ["lepton.worker.failed.v1"]},
    {"data": {"job": "j1", "epoch": 1, "n": 0, "error": "E", "reason": "nul \0"}},
    {"data": {"job": "j1", "epoch": 1, "n": 0, "error": "E", "points": 2**53}},
    {"data": {"job": "j1", "epoch": 1, "n": 0, "error": "E", "deep": json.loads("[" * 90 + "]" * 90)}},
]


def test_no_attribute_of_a_message_holds_up_those_behind_it(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    data = {"job": "j1", "epoch": 9, "n": 0, "error": "ValueError"}
    event = {"type": "lepton.worker.failed.v1", "source": "/lepton/worker/w1", "data": data}

    office.hear_raw(*(json.dumps(event | changes).encode() for changes in ODD))
    office.hear(Started(job="j1", epoch=1, n=1))

    assert office.job("j1").status == "running"
    assert office.workspace.ledger.store.rejected_count() == len(ODD)


def test_a_message_that_raises_what_nobody_foresaw_is_rejected_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(change: Change, worker: Any) -> None:
        if worker.incarnation == incarnation("poison"):
            raise OverflowError("date value out of range")
        hear(change, worker)

    hear = Change.hear
    monkeypatch.setattr(Change, "hear", poisoned)
    office.submit("j1")
    office.hear_raw(*(office.signed(ready(name), name) for name in ("w1", "poison", "w2")))

    heard = [each.incarnation for each in office.leases.workers(0)]
    assert heard == sorted([incarnation("w1"), incarnation("w2")])
    assert office.job("j1").status == "assigned"
    ((_, kept, _),) = office.workspace.ledger.store.rejected()
    assert "unforeseen OverflowError" in kept.reason


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ready", {"incarnation": "w" * 37}),
        ("ready", {"incarnation": "w\0"}),
        ("ready", {"pool": "p\0"}),
        ("ready", {"slots": 10**30}),
        ("ready", {"running": [["j1", 10**30]]}),
        ("started", {"job": "j\0"}),
        ("started", {"job": "j" * 300}),
        ("started", {"epoch": -1}),
        ("started", {"epoch": "1"}),
        ("started", {"n": 10**30}),
        ("checkpointed", {"step": 1, "kept": {"tensors": "blake3:0", "relies_on": ["packs/aa"]}}),
        ("checkpointed", {"step": 1, "kept": {"tensors": "../../etc/passwd"}}),
    ],
)
def test_a_message_that_no_table_could_hold_is_rejected_and_holds_up_nothing(
    said: str, told: dict[str, Any], office: Office
) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    whole = {"ready": {"incarnation": incarnation("w9"), "pool": "default", "capabilities": [], "slots": 1}}
    data = whole.get(said, {"job": "j1", "epoch": 1, "n": 0}) | told
    who = identity("w9" if said == "ready" else "w1")
    event = {"type": f"lepton.worker.{said}.v1", "source": f"/lepton/worker/{who.incarnation}", "data": data}
    event |= {"time": office.now().isoformat()}

    office.hear_raw(who.signed(json.dumps(event).encode(), office.results.place))
    office.hear(Started(job="j1", epoch=1, n=1))

    assert office.job("j1").status == "running"
    assert [each.incarnation for each in office.leases.workers(0)] == [incarnation("w1")]
    assert office.workspace.ledger.store.rejected_count() == 1


def test_a_job_that_fits_nobody_keeps_none_behind_it_waiting(office: Office) -> None:
    office.submit("j1", needs=("cuda",))
    office.submit("j2")
    office.hear(ready("w1"))

    assert [order.job for order in office.orders.sent] == ["j2"]


def test_a_worker_speaks_of_itself_alone(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    office.hear(Started(job="j1", epoch=1, n=0))
    (before,) = office.leases.held()

    office.hear(ready("w1"), Left(incarnation=incarnation("w1")), by="w2")
    office.hear(ready("w3", slots=0, running=(("j1", 1),)))

    assert office.leases.held() == [before], "nobody prolongs the lease of another"
    assert {each.incarnation for each in office.leases.workers(0)} == {incarnation("w1"), incarnation("w3")}
    assert office.workspace.ledger.store.rejected_count() == 2


def test_what_a_worker_had_not_begun_when_it_left_goes_to_another_at_once_and_costs_nothing(office: Office) -> None:
    office.submit("j1", retries=0)
    office.hear(ready("w1"))
    office.hear(ready("w2"))

    office.hear(Left(incarnation=incarnation("w1")))

    assert [each[0] for each in office.orders.taken] == ["w1", "w2"]
    assert (office.job("j1").epoch, office.job("j1").lost) == (2, 0)


def test_a_lease_is_neither_given_nor_ended_for_an_attempt_that_is_past(office: Office) -> None:
    with office.leases.change() as change:
        change.lease(Lease("j1", 2, "w2", 10))
        change.lease(Lease("j1", 1, "w1", 20))
        change.end("j1", 1)

    assert office.leases.held() == [Lease("j1", 2, "w2", 10)]


def test_a_pause_by_a_clock_that_was_hours_ahead_holds_up_no_job(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    office.later = timedelta(hours=3)
    office.hear(Failed(job="j1", epoch=1, n=1, error="Unavailable", again=True))
    office.later = timedelta()
    office.assigner = office.begin()
    office.hear(ready("w1"))

    assert [order.epoch for order in office.orders.sent] == [1, 2]


def test_workers_are_heard_however_the_clock_of_the_messages_was_set_back(mail: Mail, ledger: Ledger) -> None:
    sent = mail.send("results", b"")
    with ledger.store.database.connection() as connection:
        mark = ledger.store.database.mark
        connection.execute(f"UPDATE mail SET sent = {mark} WHERE position = 0", (sent.sent + 3_600_000_000,))
    clock = [0.0]
    there = BrokerClock([MailResults(ledger.store)], lambda: clock[0])

    for _ in range(60):
        clock[0] += 10.0
        there.keep_time(10.0)
        there.keep_time(9.0)

    assert there.now() - mail.send("results", b"").sent <= 10_000_000


def test_what_is_no_message_is_kept_with_its_bytes_and_what_comes_too_late_is_not(office: Office) -> None:
    office.submit("j1")
    office.hear(ready("w1"))
    office.hear(Failed(job="j1", epoch=1, n=1, error="ValueError"), Started(job="j1", epoch=1, n=0))
    office.hear_raw(b"{broken")

    ((_, kept, _),) = office.workspace.ledger.store.rejected()
    opened = RefusedMessages(office.workspace.ledger.store, office.workspace.actors, Terms().rejected).opened(kept)
    assert (kept.topic, opened) == (office.results.topic, Letter(kept.position, b"{broken"))
    assert "no message of a worker" in kept.reason


@pytest.mark.parametrize("hours", [-5, 5])
def test_an_assigner_whose_clock_is_hours_off_gives_terms_by_the_clock_of_the_messages(
    hours: int, office: Office
) -> None:
    office.later = timedelta(hours=hours)
    office.assigner = office.begin()
    office.submit("j1")
    office.hear(ready("w1"))

    (lease,) = office.leases.held()
    assert 0 < lease.until - time.time() * 1_000_000 <= TERMS.start * 1_000_000
    office.hear(Started(job="j1", epoch=1, n=0), ready("w1", running=(("j1", 1),)))
    (lease,) = office.leases.held()
    assert 0 < lease.until - time.time() * 1_000_000 <= TERMS.lease * 1_000_000
    assert office.job("j1").status == "running"


# ── the mail itself ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_mail_has_one_order_and_no_holes_whoever_sends(mail: Mail) -> None:
    with ThreadPoolExecutor(4) as pool:
        posted = list(pool.map(lambda n: mail.send("t", b"%d" % n), range(40)))

    found = mail.read("t", 0, 100)
    assert [each.position for each in found] == list(range(40))
    assert sorted(posted) == sorted(found)
    assert [each.sent for each in found] == sorted(each.sent for each in found)


def test_what_is_discarded_leaves_its_place_to_none(mail: Mail) -> None:
    for n in range(3):
        mail.send("t", b"%d" % n)
    mail.discard("t", 3)

    assert [(each.position, each.raw) for each in mail.read("t", 0, 9)] == [(2, b"")]
    assert mail.send("t", b"next").position == 3


def test_assigning_needs_neither_torch_nor_duckdb() -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['duckdb'] = None\n"
        "import lepton_ai.jobs.desk, lepton_ai.jobs.assigner, lepton_ai.workers.worker, lepton_ai.wiring"
    )

    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONSAFEPATH": "1"}, check=True, timeout=60)
