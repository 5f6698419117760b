"""PostgreSQL behind a pooler: nothing depends on a session, and no two ledgers are mixed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Refused, Unavailable
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.relay import Relay
from lepton_ai.events.sql import postgresql_lock
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.database import Database
from lepton_ai.events.sql.postgresql_lock import LeaseLock, SessionLock
from lepton_ai.events.sql.statements import Statements
from lepton_ai.events.sql.store import Store
from lepton_ai.events.sql.tables import metadata
from lepton_ai.ledger import Ledger

from ..asking import PATIENCE, commit, note, until
from ..conftest import running
from ..pooler import PgBouncer
from ..servers import PostgreSQL
from .relaying import topic

EACH = 30

WRITER = """
import sys
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger
from lepton_ai.domain.commands import Annotate
url, who, each, *names = sys.argv[1:]
ledgers = [Ledger(Store(database_at(url, name, wait=30))) for name in names]
actors = [Actors(ledger.store.database).named(who) for ledger in ledgers]
for n in range(int(each)):
    for name, ledger, actor in zip(names, ledgers, actors):
        ledger.admit(Annotate(model="credit", version=1, annotations={"of": name, who: n}), actor, key=f"{who}-{n}")
"""


def ledger_at(url: str, name: str | None = None, wait: float = 30) -> Ledger:
    """A ledger with one version, made where there is none."""
    database = database_at(url, name or f"p{uuid4().hex[:12]}", wait=wait)
    open_or_create(database, lambda: str(uuid4()))
    ledger = Ledger(Store(database))
    if not ledger.store.end():
        ledger.admit(commit(1), Actors(database).named("Ada"))
    return ledger


@pytest.fixture
def two(pooler: PgBouncer) -> Iterator[tuple[Ledger, Ledger]]:
    """Two ledgers in one database, behind a pooler that gives every transaction another server process."""
    one, other = ledger_at(pooler.url()), ledger_at(pooler.url())
    yield one, other
    one.store.database.close()
    other.store.database.close()


def test_two_ledgers_that_several_processes_write_at_once_are_not_mixed(
    two: tuple[Ledger, Ledger], pooler: PgBouncer
) -> None:
    names = [ledger.store.database.ledger for ledger in two]
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, pooler.url(), who, str(EACH), *order], env=environment)
        for who, order in (("w0", names), ("w1", names[::-1]))
    ]
    for n in range(EACH):
        for ledger in two:
            ledger.admit(note(n), Actors(ledger.store.database).named("Ada"))
    assert [writer.wait(120) for writer in writers] == [0, 0]

    for ledger in two:
        assert verify(ledger.store).size == 2 + 3 * EACH
        rows = ledger.store.read(0, 10_000)
        other = next(name for name in names if name != ledger.store.database.ledger)
        assert all(
            ledger.store.ledger_id.encode() in row.envelope and other.encode() not in row.envelope for row in rows
        )
        assert all(ledger.store.known(f"{who}-{n}") for who in ("w0", "w1") for n in range(EACH))


def test_several_first_starts_through_a_pooler_make_one_ledger(pooler: PgBouncer) -> None:
    name = f"p{uuid4().hex[:12]}"
    found: list[str] = []

    def start() -> None:
        database = database_at(pooler.url(), name, wait=30)
        open_or_create(database, lambda: str(uuid4()))
        found.append(Store(database).ledger_id)
        database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_pooler_of_one_connection_is_enough_to_save_load_and_ask(
    postgresql: PostgreSQL, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pooler in running(lambda: PgBouncer(postgresql, size=1)):
        monkeypatch.setenv("LEPTON_DATABASE", pooler.url())
        monkeypatch.setenv("LEPTON_LEDGER", f"p{uuid4().hex[:12]}")
        monkeypatch.setenv("LEPTON_WAIT", "10")
        with ModelManager(home, actor="ada") as manager:
            for n in range(3):
                manager.save_version({"w": np.full(3, n, "float32")}, name="net", message=f"number {n}")
            with manager.run("net") as run:
                run.log({"loss": 0.5}, step=1)

            assert manager.load_arrays("net@2")["w"].tolist() == [1, 1, 1]
            manager.rollback(to="net@1")
            assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 3}]
            assert manager.fsck() == []
            manager.verify()
            assert manager.forget_actor("ada")


def test_nothing_is_left_on_a_session_that_another_application_gets(
    two: tuple[Ledger, Ledger], pooler: PgBouncer
) -> None:
    usual = {"search_path": '"$user", public', "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}

    with psycopg.connect(pooler.url(), autocommit=True, prepare_threshold=None) as other:
        for _ in range(4):
            found = {name: other.execute(f"SHOW {name}".encode()).fetchone() for name in usual}
            assert found == {name: (value,) for name, value in usual.items()}
        prepared = other.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        ours = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        held = other.execute(ours).fetchone()
    assert (prepared, held) == ((0,), (0,))


def test_every_statement_names_the_schema_of_its_tables(postgresql: PostgreSQL) -> None:
    ledger = ledger_at(postgresql.url())
    sql = ledger.store.database.sql
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute("SET search_path TO ''")
        names = [name for name, text in vars(Statements).items() if isinstance(text, str) and name[0] != "_"]
        assert len(names) > 50
        for n, name in enumerate(names):
            told = sql.of_many(getattr(sql, name), 2).replace(":now", ledger.store.database.now)
            parts = re.split("%[sb]", told)
            text = "".join(part + f"${place}" for place, part in enumerate(parts[:-1], 1)) + parts[-1]
            connection.execute(f"PREPARE s{n} AS {text}".encode())
    ledger.store.database.close()


def test_no_table_is_missing_among_those_that_are_qualified(postgresql: PostgreSQL) -> None:
    sql = Statements("%s", "schema")
    texts = " ".join(text for text in vars(sql).values() if isinstance(text, str))

    assert all(f'"schema".{table}' in texts for table in metadata.tables)


def test_a_ledger_that_was_swapped_under_a_living_process_takes_nothing(
    two: tuple[Ledger, Ledger], postgresql: PostgreSQL
) -> None:
    one, other = two
    mine, theirs = one.store.database.schema, other.store.database.schema
    ids, ends = (one.store.ledger_id, other.store.ledger_id), one.store.end()
    rename = 'ALTER SCHEMA "{}" RENAME TO "{}"'.format
    swap = [rename(mine, f"{mine}_"), rename(theirs, mine), rename(f"{mine}_", theirs)]
    postgresql.execute(*swap)
    try:
        with pytest.raises(Refused, match="which this process opened"):
            one.admit(note(1), Actors(one.store.database).named("Ada"))
    finally:
        postgresql.execute(rename(mine, f"{theirs}_"), rename(theirs, mine), rename(f"{theirs}_", theirs))

    assert (one.store.end(), other.store.end()) == (ends, ends)
    assert (Store(one.store.database).ledger_id, Store(other.store.database).ledger_id) == ids


def test_a_pooler_in_session_mode_serves_as_well(postgresql: PostgreSQL) -> None:
    for pooler in running(lambda: PgBouncer(postgresql, "session", size=5)):
        ledger = ledger_at(pooler.url())
        ledger.admit(note(1), Actors(ledger.store.database).named("Ada"))

        assert verify(ledger.store).size == 3
        ledger.store.database.close()


def test_a_pooler_in_statement_mode_is_refused_with_the_way_out(postgresql: PostgreSQL) -> None:
    for pooler in running(lambda: PgBouncer(postgresql, "statement")):
        with pytest.raises(Refused, match="set its pool_mode to transaction or session"):
            ledger_at(pooler.url())


def test_a_pooler_that_knows_no_such_user_or_loses_its_server_says_so(
    postgresql: PostgreSQL, pooler: PgBouncer
) -> None:
    with pytest.raises(Refused, match="check LEPTON_DATABASE"):
        ledger_at(pooler.url(password="hunter2"))
    with pytest.raises(Refused, match="check LEPTON_DATABASE"):
        ledger_at(pooler.url(database="nowhere"))
    away = type(postgresql)()
    try:
        for lonely in running(lambda: PgBouncer(away)):
            with pytest.raises(Unavailable):
                ledger_at(lonely.url(), wait=1)
    finally:
        away.remove()


def test_backends_that_are_ended_behind_a_pooler_lose_no_commit_and_double_none(
    two: tuple[Ledger, Ledger], postgresql: PostgreSQL
) -> None:
    ledger = two[0]
    actor = Actors(ledger.store.database).named("Ada")
    acknowledged: list[str] = []
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '' AND pid != pg_backend_pid()"
    )
    for n in range(20):
        key = f"k{n}"
        if n % 4 == 0:
            postgresql.execute(end)

        until(lambda n=n, key=key: passes(lambda: ledger.admit(note(n), actor, key=key)))
        acknowledged.append(key)

    assert verify(ledger.store).size == 2 + len(acknowledged)
    assert all(ledger.store.known(key) for key in acknowledged)


async def test_a_relay_behind_a_pooler_copies_the_log_and_is_the_only_one(
    two: tuple[Ledger, Ledger], pooler: PgBouncer, cluster: Cluster
) -> None:
    ledger, stop = two[0], asyncio.Event()
    end = ledger.store.end()
    relay = Relay(ledger.store, cluster, until=end)

    await asyncio.wait_for(relay.run(stop), 60)

    assert relay.position == end
    assert [message.value for message in await topic(cluster)] == [row.envelope for row in ledger.store.read(0, 100)]
    held = opened(pooler.url(), ledger).lock("relay")
    second = Relay(Store(opened(pooler.url(), ledger)), cluster)
    with pytest.raises(Unavailable, match="the relay of the database"):
        await second.run(asyncio.Event())
    held.release()


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> float:
    """Leases that end after two seconds."""
    monkeypatch.setattr(postgresql_lock, "TERM", 2.0)
    monkeypatch.setattr(postgresql_lock, "RENEWAL", 0.2)
    return 2.0


def opened(url: str, ledger: Ledger, wait: float = 0.0) -> Database:
    """The same ledger, as another process opens it."""
    return database_at(url, ledger.store.database.ledger, wait=wait)


def test_one_process_relays_whether_it_comes_through_the_pooler_or_not(
    two: tuple[Ledger, Ledger], pooler: PgBouncer, postgresql: PostgreSQL
) -> None:
    urls = {LeaseLock: pooler.url(), SessionLock: postgresql.url()}
    for kind, url in urls.items():
        held = opened(url, two[0], wait=PATIENCE).lock("relay")
        assert isinstance(held, kind)
        held.check()
        for other in urls.values():
            with pytest.raises(Unavailable, match="held by another process"):
                opened(other, two[0]).lock("relay")
        opened(pooler.url(), two[0], wait=PATIENCE).lock("assigner").release()
        opened(pooler.url(), two[1], wait=PATIENCE).lock("relay").release()
        held.release()
        held.release()


def test_a_lease_that_nobody_renews_is_taken_by_another_and_its_holder_knows_first(
    brief: float, two: tuple[Ledger, Ledger], postgresql: PostgreSQL
) -> None:
    for lonely in running(lambda: PgBouncer(postgresql)):
        held = opened(lonely.url(), two[0], wait=PATIENCE).lock("relay")
        until(lambda held=held: passes(held.check))
        lonely.stop()

        direct = opened(postgresql.url(), two[0], wait=PATIENCE).lock("relay")

        with pytest.raises(Unavailable, match="lease"):
            held.check()
        lonely.start()
        time_of_renewals = time.monotonic() + 3 * brief
        while time.monotonic() < time_of_renewals:
            with pytest.raises(Unavailable, match="lease"):
                held.check()
        direct.release()
        until(lambda held=held: passes(held.check))  # nobody else has it: it is renewed
        held.release()
        opened(postgresql.url(), two[0], wait=PATIENCE).lock("relay").release()


def test_a_lease_is_renewed_as_long_as_its_holder_lives_and_its_child_takes_nothing_from_it(
    two: tuple[Ledger, Ledger], pooler: PgBouncer, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_lock, "RENEWAL", 0.2)
    lease = f"""SELECT * FROM "{two[0].store.database.schema}".holders WHERE what = 'relay'"""
    held = opened(pooler.url(), two[0], wait=PATIENCE).lock("relay")
    child = os.fork()
    if not child:
        held.release()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for _ in range(4):
        before = postgresql.execute(lease)
        until(lambda before=before: postgresql.execute(lease) != before)
        with pytest.raises(Unavailable, match="held by another"):
            opened(pooler.url(), two[0], wait=1).lock("relay")
        held.check()
    held.release()


def test_a_lock_of_a_session_whose_backend_is_gone_is_lost(two: tuple[Ledger, Ledger], postgresql: PostgreSQL) -> None:
    held = opened(postgresql.url(), two[0], wait=PATIENCE).lock("relay")
    assert isinstance(held, SessionLock)
    own = f"classid = hashtext('{two[0].store.database.schema}')::oid"
    postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND {own}")

    until(lambda: not passes(held.check))

    held.release()
    opened(postgresql.url(), two[0], wait=PATIENCE).lock("relay").release()


def test_a_pooler_that_is_killed_and_started_again_is_used_again(postgresql: PostgreSQL) -> None:
    for pooler in running(lambda: PgBouncer(postgresql)):
        ledger = ledger_at(pooler.url())
        actor = Actors(ledger.store.database).named("Ada")
        pooler.stop(signal.SIGKILL)
        with pytest.raises(Unavailable) as caught:
            ledger.admit(note(1), actor, key="k")
        pooler.start()

        assert caught.value.key == "k"
        assert not ledger.admit(note(1), actor, key="k").repeated
        assert verify(ledger.store).size == 3
        ledger.store.database.close()


def passes(check: Callable[[], Any]) -> bool:
    """Whether it raises nothing."""
    try:
        check()
    except Unavailable:
        return False
    return True
