"""Workers are who they say: what is forged, said again or bent moves no job, stops no worker, and is told."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai import settings
from lepton_ai.errors import Malformed
from lepton_ai.events.actor import Actor
from lepton_ai.events.sql.leases import Heard
from lepton_ai.jobs.protocol.identity import WorkerKeys, named, seal, verified, vouched
from lepton_ai.jobs.protocol.messages import Failed, Finished, KeptTensors, Left, MadeVersion, Started, encoded, said
from lepton_ai.jobs.protocol.orders import Order, digest, opened, sealed
from lepton_ai.jobs.protocol.over_tables import MailResults
from lepton_ai.jobs.protocol.ports import Fact
from lepton_ai.jobs.roll import DAY
from lepton_ai.ledger import Ledger
from lepton_ai.settings import Terms
from lepton_ai.workers.order_book import Odd, OrderBook
from lepton_ai.workers.worker import Post, Worker

from ..jobs.channels import ME, Open, order
from ..jobs.identities import identity, incarnation
from ..jobs.office import Counted, Office, ready

SECRET = "a secret that is long enough"
MADE = MadeVersion(kept=KeptTensors(tensors=f"blake3:{0:064d}"), keyframe=True)


def reasons(office: Office) -> list[str]:
    """Why messages stand rejected."""
    return [each.reason for _, each, _ in office.workspace.ledger.store.rejected()]


# ── the keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.binary(min_size=1, max_size=300), st.data())
def test_not_one_byte_of_what_was_signed_can_be_another(noise: bytes, data: st.DataObject) -> None:
    raw = ME.signed(encoded(Started(job="j1", epoch=1, n=0), ME.incarnation), "here")
    place = data.draw(st.integers(0, len(raw) - 1))
    bent = raw[:place] + noise + raw[place + len(noise) :]

    assert verified(raw, "here").by == ME.incarnation
    if bent != raw:
        with suppress(Malformed):
            assert said(bent, "here") == said(raw, "here"), "only the unused bits of base64 may differ"


def test_a_key_is_written_in_one_way() -> None:
    raw = ME.signed(encoded(Started(job="j1", epoch=1, n=0), ME.incarnation), "here")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [ME.key[:-1] + letter for letter in letters if letter != ME.key[-1]]

    for other in others:
        with pytest.raises(Malformed):
            said(raw.replace(ME.key.encode(), other.encode()), "here")


def test_what_is_signed_for_one_place_counts_at_no_other() -> None:
    raw = ME.signed(b'{"a":1}', "lepton.results/0")

    for place in ("lepton.results/1", "risk.results/0", "lepton.results/0\0", ""):
        with pytest.raises(Malformed, match="another place"):
            verified(raw, place)


def test_a_name_follows_from_its_keys_and_two_lives_share_none() -> None:
    lives = [WorkerKeys() for _ in range(50)]

    assert len({life.incarnation for life in lives}) == 50
    assert all(named(life.key) == life.incarnation and life.incarnation[14] == "8" for life in lives)


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_seal_opens_whole_for_its_worker_alone(plain: bytes, place: int, noise: bytes) -> None:
    closed = seal(plain, b"about", ME.key)
    place %= len(closed)
    bent = closed[:place] + noise + closed[place + len(noise) :]

    assert ME.opened(closed, b"about") == plain
    for raw, about, who in ((closed, b"else", ME), (closed, b"about", identity("x")), (closed[:-1], b"about", ME)):
        with pytest.raises(Malformed):
            who.opened(raw, about)
    if bent != closed:
        with pytest.raises(Malformed):
            ME.opened(bent, b"about")


# ── what the ledger hears ────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_ends_measures_or_begins_the_attempt_of_another(office: Office) -> None:
    office.submit("j1", retries=0)
    office.hear(ready("w1"))
    place = office.results.place
    forged = [
        Failed(job="j1", epoch=1, n=9, error="Forged"),
        Finished(job="j1", epoch=1, n=9, made=MADE),
        Started(job="j1", epoch=1, n=9),
    ]
    for message in forged:
        body, mine = encoded(message, incarnation("w1")), encoded(message, incarnation("w9"))
        office.hear_raw(body, identity("w9").signed(body, place), identity("w9").signed(mine, place))
        signed = office.signed(message, "w1")
        office.hear_raw(signed.replace(b'"n":9', b'"n":8'), identity("w1").signed(body, "elsewhere"))

    assert office.job("j1").status == "assigned"
    assert len(reasons(office)) == 5 * len(forged)
    office.hear(Started(job="j1", epoch=1, n=0), Failed(job="j1", epoch=1, n=1, error="ValueError"))
    assert (office.job("j1").status, office.job("j1").error) == ("failed", "ValueError")


def test_an_announcement_that_is_said_again_draws_no_job_and_prolongs_no_lease(office: Office) -> None:
    office.submit("j1", retries=9)
    old = office.signed(ready("w1"))
    office.hear_raw(old)
    assert office.orders.taken == [("w1", "j1", 1)]
    renewed = office.signed(ready("w1", running=(("j1", 1),)))
    office.hear(Started(job="j1", epoch=1, n=0))
    office.hear_raw(renewed)
    (lease,) = office.leases.held()
    with office.leases.change() as change:
        change.lease(lease._replace(until=1))
    started = office.signed(Started(job="j1", epoch=1, n=0))
    office.hear_raw(old, renewed, started)

    assert office.job("j1").status == "queued", "its lease ran out, whatever was said again"
    office.hear(Left(incarnation=incarnation("w1")))
    office.later = timedelta(seconds=601)
    office.hear_raw(old, renewed)
    assert office.orders.taken == [("w1", "j1", 1)], "who left does not come back by its old words"
    assert reasons(office) == []


def test_an_announcement_from_long_ago_is_known_after_its_worker_was_forgotten(office: Office) -> None:
    announced = ready("w1")
    body = json.loads(encoded(announced, incarnation("w1")))
    body["time"] = (datetime.now(UTC) - timedelta(microseconds=DAY, hours=1)).isoformat()
    office.submit("j1")
    office.hear_raw(identity("w1").signed(json.dumps(body).encode(), office.results.place))

    assert office.orders.sent == []
    assert "an old message said again, or the clock is wrong" in reasons(office)[0]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "never", 5, None, ""])
def test_a_time_that_no_clock_shows_is_rejected(time: Any, office: Office) -> None:
    body = json.loads(encoded(ready("w1"), incarnation("w1"))) | {"time": time}
    office.submit("j1")
    office.hear_raw(identity("w1").signed(json.dumps(body).encode(), office.results.place))
    office.hear(ready("w2"))

    assert office.orders.taken == [("w2", "j1", 1)]
    assert len(reasons(office)) == 1


def test_with_a_secret_only_who_knows_it_is_given_work(ledger: Ledger, actor: Actor, tmp_path: Path) -> None:
    office = Office(ledger, actor, tmp_path / "objects", Counted(MailResults(ledger.store)), SECRET)
    place = office.results.place
    mine = vouched(incarnation("w2"), SECRET, place)
    office.submit("j1")
    others = (
        vouched(incarnation("w1"), "another secret of this length", place),
        mine,
        "",
        "\udcff".encode("utf-8", "replace").decode(),
    )
    office.hear(*(ready("w1", vouched=each) for each in others))
    assert office.orders.sent == []
    assert all("does not know the ledger's secret; set LEPTON_WORKER_SECRET" in each for each in reasons(office))
    office.hear(ready("w2", vouched=mine))

    assert office.orders.taken == [("w2", "j1", 1)]
    assert len(reasons(office)) == len(others)
    assert SECRET not in repr(office.assigner) + str(reasons(office))


def test_workers_that_announced_themselves_to_an_older_ledger_are_given_nothing(office: Office) -> None:
    row = Heard("old", "default", frozenset(("train",)), 5, office.assigner._time.now())
    with office.leases.change() as change:
        change.hear(row)
    office.submit("j1")
    office.hear()
    assert office.orders.sent == []
    office.hear(ready("w1"))

    assert office.orders.taken == [("w1", "j1", 1)]


def test_a_key_that_nothing_can_be_sealed_for_fails_no_job(office: Office) -> None:
    who = WorkerKeys(b"zero")
    who._public = who._public[:32] + bytes(32)
    who.key = urlsafe_b64encode(who._public).decode().rstrip("=")
    who.incarnation = named(who.key)
    office.submit("j1", retries=0)
    body = encoded(ready("w1", incarnation=who.incarnation), who.incarnation)
    office.hear_raw(who.signed(body, office.results.place))
    office.hear(ready("w2"))

    assert office.orders.taken == [("w2", "j1", 1)]


def bent(rng: random.Random, value: Any) -> Any:
    """A value of JSON with one thing in it that is another."""
    odd = [None, True, -1, 0, 1e308, 10**30, "", "x" * 5000, "\0", "../../x", [], {}, [[[[]]]], "file:///etc/passwd"]
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        if rng.random() < 0.2:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: bent(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], bent(rng, value[place]), *value[place + 1 :]]
    return rng.choice(odd)


def test_whatever_a_worker_itself_signs_stops_neither_the_assigner_nor_another_job(
    ledger: Ledger, actor: Actor, tmp_path: Path
) -> None:
    rng, office = random.Random(5), Office(ledger, actor, tmp_path / "objects", Counted(MailResults(ledger.store)))
    office.submit("mine", retries=1000)
    office.hear(ready("w1"))
    raws: list[bytes] = []
    for _ in range(700):
        job = office.job("mine")
        message = rng.choice(
            [
                ready("w1", running=(("mine", job.epoch),)),
                Started(job="mine", epoch=job.epoch, n=0),
                Failed(job="mine", epoch=job.epoch, n=rng.randrange(9), error="E", again=True, counted=False),
                Finished(job="mine", epoch=job.epoch, n=7, made=MADE),
            ]
        )
        body = bent(rng, json.loads(encoded(message, incarnation("w1"))))
        text = json.dumps(body).encode()
        raws.append(identity("w1").signed(text if text.endswith(b"}") else b"{" + text + b"}", office.results.place))
        if len(raws) == 100:
            office.hear_raw(*raws)
            raws.clear()
    office.submit("good", pool="other")
    office.hear(ready("w2", pool="other"))
    office.hear_raw(office.signed(Started(job="good", epoch=1, n=0), "w2"))

    assert office.job("good").status == "running"
    assert office.job("mine").status in ("queued", "assigned", "running", "failed")


# ── what a worker is told ────────────────────────────────────────────────────────────────────────────────────────────


def odd_orders(rng: random.Random) -> Iterator[tuple[Order, bytes]]:
    """Orders of the ledger's own, sealed and named by the log, with something in them that is not as it must be."""
    way = {
        "tensors": f"blake3:{1:064d}",
        "start": f"blake3:{1:064d}",
        "start_bytes": 4,
        "packs": [f"packs/00/{0:032d}"],
    }
    base = {"version": 1, "way": way, "architecture": {}, "hyperparameters": {}, "settings": {}, "data": None}
    whole = order(payload={"does": "finish"}, source="file:///data.csv", memory=10**9, seconds=60.0).model_dump(
        mode="json"
    )
    whole |= {"base": base | {"metrics": {"f1": 1.0}}, "checkpoint": {"step": 1, "way": way}}
    for n in range(300):
        job = f"odd{n}"
        told = bent(rng, whole | {"job": job})
        about = f'{{"worker":"{ME.incarnation}","job":"{job}","epoch":1'.encode()
        raw = about + b',"sealed":"' + b64encode(seal(json.dumps(told).encode(), about, ME.key)) + b'"}'
        yield order(job), raw


def test_an_odd_order_of_the_ledgers_own_is_answered_and_the_worker_goes_on() -> None:
    channel = Open()
    worker = Worker(Post(identity=ME, objects={}, program="no_such_program"), channel, Terms())
    sent = list(odd_orders(random.Random(3)))
    for each, raw in sent:
        channel.raws.append(raw)
        channel.told.append(Fact(each.job, 1, "assigned", ME.incarnation, digest(raw)))
    waiting = {each.job for each, _ in sent}
    while waiting:
        worker.step()
        answers = {message.job for message in channel.said if isinstance(message, Failed | Finished)}
        waiting -= answers

    refused = [message for message in channel.said if isinstance(message, Failed) and message.error == "Malformed"]
    assert len(refused) > 100
    assert all(message.reason and not message.again for message in refused)


GARBAGE = [
    b"",
    b"{}",
    b"[" * 100_000,
    b"\xff" * 1000,
    b'{"worker":"%s",' % ME.incarnation.encode(),
    b'{"worker":"%s",' % ME.incarnation.encode() + b"[" * 100_000,
    b'{"worker":"%s","job":"j1","epoch":99999999999999999999999,"sealed":""}' % ME.incarnation.encode(),
    b'{"worker":"%s","job":"j1","epoch":1,"sealed":"AAAA"}' % ME.incarnation.encode(),
]


def test_what_the_ledger_did_not_assign_is_no_order_whatever_it_says() -> None:
    genuine = order("j1")
    forged = sealed(genuine.model_copy(update={"source": "file:///etc/passwd"}), ME.key).raw
    clock = [0.0]
    book = OrderBook(ME, ("train",), 10.0, lambda: clock[0])
    for raw in (*GARBAGE, forged):
        book.came(raw)
    right = sealed(genuine, ME.key)
    for fact in (
        Fact("j1", 1, "assigned", incarnation("x"), digest(forged)),
        Fact("j1", 1, "assigned", ME.incarnation, None),
        Fact("j1", 1, "assigned", ME.incarnation, right.digest),
    ):
        book.told(fact)
    assert book.taken() == []
    book.came(right.raw)
    assert book.taken() == [genuine]
    clock[0] = 11.0
    assert book.taken() == []

    assert not book.waiting
    assert book.strange == len(set(GARBAGE)) + 1


def test_an_order_for_another_attempt_under_a_digest_of_the_log_is_odd() -> None:
    book = OrderBook(ME, ("train",), 10.0)
    raw = sealed(order("j2", 7), ME.key).raw
    book.came(raw)
    book.told(Fact("j1", 1, "assigned", ME.incarnation, digest(raw)))

    (odd,) = book.taken()
    assert isinstance(odd, Odd)
    assert (odd.job, odd.epoch) == ("j1", 1)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"kind": "mine-bitcoin"}, "knows no work of kind 'mine-bitcoin'"),
        ({"needs": ("cuda",)}, "has no cuda"),
        ({"source": "http://169.254.169.254/latest"}, "does not say which bytes it stands for"),
        ({"source": "gopher://x/y"}, "not from gopher:// addresses"),
        ({"source": "http://[x"}, "no address of a file on the web"),
    ],
)
def test_what_a_worker_cannot_do_is_said_by_the_sentence_that_names_it(asked: dict[str, Any], reason: str) -> None:
    channel = Open(order(**asked))
    worker = Worker(Post(identity=ME, objects={}), channel, Terms())
    worker.step()
    worker.step()

    (failed,) = [message for message in channel.said if isinstance(message, Failed)]
    assert reason in failed.reason


def test_a_flood_of_forged_orders_takes_no_more_room_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.workers.order_book.ROOM", 10_000)
    book = OrderBook(ME, ("train",), 10.0)
    for n in range(100):
        book.came(b'{"worker":"%s",%d' % (ME.incarnation.encode(), n) + b"x" * 900)
    right = sealed(order("j1"), ME.key)
    book.came(right.raw)
    book.told(Fact("j1", 1, "assigned", ME.incarnation, right.digest))

    assert [each.job for each in book.taken()] == ["j1"]
    assert book.strange >= 89


def test_only_the_worker_that_an_order_is_for_can_read_where_the_data_lies(office: Office) -> None:
    office.submit("j1", source="s3://secret-bucket/loans.csv")
    office.hear(ready("w1"))

    (raw,) = office.orders.raws
    assert b"secret-bucket" not in raw
    assert opened(raw, identity("w1")).source == "s3://secret-bucket/loans.csv"
    with pytest.raises(Malformed):
        opened(raw, identity("w2"))
    event = office.workspace.ledger.store.stream("job/j1")[1][-1]
    assert json.loads(event.envelope)["data"]["order"] == digest(raw)


# ── the secret ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_comes_from_a_file_too_and_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    monkeypatch.setenv("LEPTON_WORKER_SECRET_FILE", str(path))
    found = settings.load(tmp_path)

    assert found.worker_secret == SECRET
    assert SECRET not in repr(found)
    for text, complaint in (("short", "shorter than 16"), ("\n", "is empty")):
        path.write_text(text)
        with pytest.raises(Malformed, match=complaint):
            settings.load(tmp_path)
    path.unlink()
    with pytest.raises(settings.Refused, match="cannot be read"):
        settings.load(tmp_path)
