"""Forgetting reaches everyone who is named: outside sources, what was refused of them, and what waits in a spool."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Refused
from lepton_ai.events.actor import FORGOTTEN, Actor
from lepton_ai.events.inbox import Letter
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.restore import restore
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.sql import migrations
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.database import Database
from lepton_ai.events.sql.rows import Rejected
from lepton_ai.events.sql.store import Store
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.jobs.intake.rejected import EXPIRED, RefusedMessages
from lepton_ai.ledger import Ledger, Receipt, Request
from lepton_ai.settings import Terms

from ..asking import commit
from ..cli_home import Cli
from ..versions.outage import locked
from .relaying import records, relayed

NAME = "Grace Hopper's lab"


def letter(id: object, position: int = 0, **changes: Any) -> Letter:
    """A message of a source that names a person."""
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(id),
        "source": NAME,
        "type": "lepton.metrics.recorded.v1",
        "subject": "model/net",
        "data": {"version": 1, "metrics": {"f1": 0.5}},
    }
    return Letter(position, json.dumps(whole | changes).encode())


TOLD = (
    letter(1, 0),
    letter(2, 1, subject=f"model/{NAME}"),
    letter(3, 2, time=NAME),
    letter(4, 3, type=NAME),
    letter(5, 4, specversion=NAME),
    letter(1, 5, data={"version": 1, "metrics": {"f1": 0.9}}),
    letter(6, 6, data={"version": 1, "metrics": {f"{NAME}\0": 0.9}}),
    letter("\n", 7),
    Letter(8, b"{" + NAME.encode()),
    Letter(9, b"{}", (("ce_specversion", b"1.0"), ("ce_source", NAME.encode()))),
)
"""One is admitted; all others are refused, each for another reason."""


def messages(ledger: Ledger, term: float = Terms().rejected) -> RefusedMessages:
    return RefusedMessages(ledger.store, Actors(ledger.store.database), term)


def rejected(ledger: Ledger) -> list[Rejected]:
    return [each for _, each, _ in ledger.store.rejected()]


@contextmanager
def hurried() -> Generator[None]:
    """Within it a ledger that another holds is not waited for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPTON_WAIT", "0.05")
        yield


def traces(home: Path, name: str = NAME) -> list[str]:
    """The files below a folder that hold a name."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return [str(path.relative_to(home)) for path in files if name.encode() in path.read_bytes()]


def test_after_forgetting_a_source_no_file_of_the_home_names_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.ones(3)}, name="net")
        work = manager._workspace
        intake = Intake(work.ledger, work.actors, "inbox")
        answers = intake.take(TOLD, None)
        with locked(home), hurried(), ModelManager(home, actor=NAME) as away:
            away.save_version({"w": np.ones(4)}, name="net", branch="main", parents=["net@1"], message=f"by {NAME}")
        manager.tag("delivered", "net@2")
        assert manager.sql("SELECT count(*) AS n FROM events").to_pylist()[0]["n"] > 3
    assert [isinstance(each, Receipt) for each in answers] == [True] + [False] * (len(TOLD) - 1)
    assert all(NAME not in str(each.reason) for each in rejected(work.ledger))
    cli = Cli(home)
    assert NAME in cli("rejected 2").out
    root = cli("verify --json").json["root"]

    assert cli(f'forget "{NAME}" --yes').code == 0

    assert traces(home) == []
    assert NAME not in "".join(record.getMessage() + str(record.exc_text) for record in caplog.records)
    assert cli("rejected 2").out.splitlines()[-1] == FORGOTTEN
    assert "is [forgotten]" in cli("rejected 2 --retry").err
    assert cli("verify --json").json["root"] == root
    assert cli(f'forget "{NAME}" --yes').code == 1


def test_what_a_spool_refused_loses_the_name_and_the_words_of_who_is_forgotten(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.ones(3)}, name="net")
        manager.tag("taken", "net@1")
        with locked(home), hurried(), ModelManager(home, actor=NAME) as away:
            away.save_version(
                {"w": np.ones(4)}, name="net", tags=("taken",), message=f"by {NAME}", annotations={"n": 1}
            )
        assert [each["actor"] for each in manager.sync().refused] == [NAME]
        assert traces(home) != []

        assert manager.forget_actor(NAME)

        assert traces(home) == []
        (kept,) = manager.sync().refused
        assert kept["actor"].startswith("forgotten-")
        assert "taken" in kept["reason"]


def test_no_record_on_a_topic_names_a_source(ledger: Ledger, actor: Actor, cluster: Cluster) -> None:
    asyncio.run(open_topics(cluster))
    ledger.admit(commit(1, model="net"), actor)
    Intake(ledger, Actors(ledger.store.database), cluster.topic("inbox")).take(TOLD, None)

    asyncio.run(relayed(ledger.store, cluster))

    events, refusals = (asyncio.run(records(cluster, topic)) for topic in ("events", "rejected"))
    assert len(events) == ledger.store.end()
    assert [dict(each.headers)["lepton-place"].decode().split()[-1] for each in refusals] == [
        str(each.position) for each in TOLD[1:]
    ]
    for each in (*events, *refusals):
        assert NAME.encode() not in each.value + b"".join(value for _, value in each.headers)


def test_a_ledger_restored_without_its_actors_still_knows_what_it_took_in(
    ledger: Ledger, actor: Actor, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.admit(commit(1, model="net"), actor)
    intake, origin = Intake(ledger, Actors(ledger.store.database), "inbox"), Request.origin

    def as_before(request: Any, now: Any) -> Any:
        whole: Any = origin(request, now)
        return whole._replace(inbox=(request.outside.source, *whole.inbox[1:]))

    with monkeypatch.context() as patch:  # events of format 1 bear the name itself
        patch.setattr(Request, "origin", as_before)
        intake.take([letter("old")], None)
    intake.take([letter("new", 1)], 1)
    database = database_at(f"sqlite:///{home / 'restored.db'}", ledger.store.database.ledger, wait=30)
    open_or_create(database, lambda: ledger.store.ledger_id)

    restore(Store(database), ledger.store)
    again = Intake(Ledger(Store(database)), Actors(database), "inbox")
    answers = again.take([letter("old"), letter("new", 1), letter("newer", 2)], None)

    assert [each.repeated for each in answers if isinstance(each, Receipt)] == [True, True, False]
    with sqlite3.connect(home / "restored.db") as connection:
        assert NAME not in str(connection.execute("SELECT source FROM seen").fetchall())
    assert verify(Store(database)).size == ledger.store.end() + 1


def test_what_was_refused_expires_and_so_do_the_keys_of_what_nobody_told(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.admit(commit(1, model="net"), actor)
    actors = Actors(ledger.store.database)
    intake = Intake(ledger, actors, "inbox")
    intake.take([Letter(0, b"nobody's"), letter(2, 1, subject="model/none")], None)
    assert [messages(ledger).opened(each) for each in rejected(ledger)] == [
        Letter(0, b"nobody's"), letter(2, 1, subject="model/none"),
    ]  # fmt: skip
    messages(ledger).expire()
    assert all(isinstance(messages(ledger).opened(each), Letter) for each in rejected(ledger))

    assert [messages(ledger, 0).opened(each) for each in rejected(ledger)] == [EXPIRED] * 2
    messages(ledger, -86_400).expire()  # as a day later

    assert [each.raw for each in rejected(ledger)] == [b"", b""]
    assert [each.reason != "" for each in rejected(ledger)] == [True, True]
    assert {each.name for each in actors.all().values()} == {"Ada", NAME}
    with pytest.raises(Refused, match="have its sender send it again"):
        intake.retry(1)


def test_a_ledger_of_format_1_has_its_sources_made_pseudonyms_and_its_refusals_sealed(database: Database) -> None:
    known, key = str(uuid4()), b"k" * 32
    clear = [letter("a").raw, letter("b", source="gone").raw, b"garbage"]
    headers = json.dumps([("ce_source", b64encode(b"gone").decode())]).encode()
    with database.translated(), database.creating() as driver, database.engine(driver).connect() as connection:
        for statement in database.begin_creation:
            connection.exec_driver_sql(statement)
        database.check_creation(connection)
        _migrate(connection, "0001")
        run = connection.exec_driver_sql
        mark = database.mark
        run(f"INSERT INTO actors (id, name, key) VALUES ({mark}, {mark}, {mark})", (known, NAME, key))
        for source, id in ((NAME, "a"), (NAME, "b"), ("gone", "a"), ("gone", "b")):
            run(f"INSERT INTO seen (source, id, digest) VALUES ({mark}, {mark}, 'sha256:0')", (source, id))
        for n, raw in enumerate(clear, 1):
            told = (n, n, f"of {NAME}", raw, headers if n == 3 else b"[]")
            run(f"INSERT INTO rejected VALUES ({mark}, 'inbox', 0, {mark}, 9, {mark}, {mark}, {mark}, NULL)", told)
        _migrate(connection, "head")
        connection.exec_driver_sql("COMMIT")

    store, actors = Store(database), Actors(database)
    with database.connection() as connection:
        rows = sorted(connection.execute("SELECT source, id FROM seen").fetchall(), key=lambda row: row[0] != known)
    assert [row[0] for row in rows[:2]] == [known, known]
    assert len({row[0] for row in rows}) == 2
    assert all(row[0] != "gone" for row in rows)
    kept = RefusedMessages(store, actors, 1e12)
    found = [each for _, each, _ in store.rejected()]
    assert [each.raw for each in map(kept.opened, found) if isinstance(each, Letter)] == clear
    assert found[0].sealed_by == known
    assert found[0].reason == "of [its source]"
    assert NAME.encode() not in b"".join(each.raw + each.headers for each in found)
    assert actors.forget(NAME)
    assert kept.opened(found[0]) == FORGOTTEN
    assert isinstance(kept.opened(found[2]), Letter)


def _migrate(connection: Any, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
