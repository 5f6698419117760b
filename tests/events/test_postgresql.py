"""A PostgreSQL that falls silent, takes no writes for a while or is set oddly: nothing hangs, nothing is lost."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import pytest

from lepton_ai import ModelManager, PendingVersion
from lepton_ai.errors import Refused, Unavailable
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.database import Database
from lepton_ai.events.sql.postgresql_connection import DeadlineConnection
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger

from ..asking import PATIENCE, commit, note, until
from ..conftest import running
from ..servers import PASSWORD, PostgreSQL, SilentProxy

WAIT: Final = 0.5
"""Seconds for a server that will not answer; one that will has as many as it needs."""
BOUND: Final = 30.0
"""Seconds: far more than a bounded call takes on a busy machine, far less than one without an end."""


@pytest.fixture(scope="module")
def own(postgresql: PostgreSQL) -> Iterator[PostgreSQL]:
    """A server of this file's own, for it is stopped, frozen and set in ways that nobody else would like."""
    yield from running(type(postgresql))


@pytest.fixture
def ledger(own: PostgreSQL) -> Iterator[Ledger]:
    """A fresh ledger on it, with one version."""
    ledger = opened(own.url())
    yield ledger
    ledger.store.database.close()


@pytest.fixture
def manager(own: PostgreSQL, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelManager]:
    """A home whose ledger lies on it, with one version."""
    monkeypatch.setenv("LEPTON_DATABASE", own.url())
    monkeypatch.setenv("LEPTON_LEDGER", fresh())
    monkeypatch.setenv("LEPTON_WAIT", str(PATIENCE))
    with ModelManager(home, actor="ada") as manager:
        manager.save_version(weights(0), name="net")
        yield manager


def fresh() -> str:
    return f"p{uuid4().hex[:12]}"


def weights(number: float) -> dict[str, np.ndarray]:
    return {"w": np.full(3, number, "float32")}


def opened(url: str, name: str | None = None, wait: float = PATIENCE) -> Ledger:
    """A ledger, made where there is none, with one version."""
    database = database_at(url, name or fresh(), wait=wait)
    open_or_create(database, lambda: str(uuid4()))
    ledger = Ledger(Store(database))
    if not ledger.store.end():
        ledger.admit(commit(1), Actors(database).named("Ada"))
    return ledger


@contextmanager
def in_time() -> Generator[None]:
    """What happens within does not hang."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < BOUND


@contextmanager
def hurried(database: Database) -> Generator[None]:
    """What is asked of a server within it is given up soon, and does not hang, on an open connection too."""
    usual = DeadlineConnection.wait

    def brief(connection: DeadlineConnection, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        kept, connection.patience = connection.patience, 2 * WAIT
        try:
            return usual(connection, gen, interval, timeout)
        finally:
            connection.patience = kept

    with in_time(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(DeadlineConnection, "wait", brief)
        patch.setattr(database, "wait", WAIT)
        yield


@contextmanager
def answering(manager: ModelManager) -> Generator[None]:
    """As `hurried`, of a manager's ledger."""
    with hurried(manager._workspace.ledger.store.database):
        yield


def delivered(manager: ModelManager) -> bool:
    """Whether nothing waits in the spool any more, and nothing was refused."""
    try:
        assert manager.sync().refused == ()
    except Unavailable:
        return False
    return True


def spooled_and_delivered_once(manager: ModelManager, outage: Callable[[], object]) -> None:
    """A save in an outage answers in time, and is there once, whatever became of the COMMIT that was under way."""
    with answering(manager):
        pending = manager.save_version(weights(1), name="net", message="in the outage")
    assert isinstance(pending, PendingVersion)
    outage()

    until(lambda: delivered(manager))

    assert manager.show(pending).version == 2
    assert len(manager.log("net")) == 2
    assert manager.load_arrays(pending)["w"].tolist() == [1, 1, 1]
    manager.verify()


def test_a_save_on_a_frozen_server_is_spooled_and_delivered_once(manager: ModelManager, own: PostgreSQL) -> None:
    frozen = own.frozen()
    with frozen, answering(manager):
        pending = manager.save_version(weights(1), name="net")
        with pytest.raises(Unavailable):
            manager.log("net")
    assert isinstance(pending, PendingVersion)

    until(lambda: delivered(manager))

    assert [each.version for each in manager.log("net")] == [2, 1]
    assert manager.load_arrays(pending)["w"].tolist() == [1, 1, 1]


def test_a_frozen_server_hangs_no_command_and_the_error_carries_its_key(ledger: Ledger, own: PostgreSQL) -> None:
    actor = Actors(ledger.store.database).named("Ada")
    with own.frozen(), hurried(ledger.store.database), pytest.raises(Unavailable, match="no answer in") as caught:
        ledger.admit(note(1), actor, key="k")

    assert caught.value.key == "k"
    ledger.admit(note(1), actor, key="k")
    assert verify(ledger.store).size == 3


def test_a_lock_of_a_session_is_checked_in_time_on_a_frozen_server(ledger: Ledger, own: PostgreSQL) -> None:
    held = ledger.store.database.lock("relay")
    with own.frozen(), hurried(ledger.store.database), pytest.raises(Unavailable):
        held.check()
    held.release()


def test_a_commit_that_waits_for_a_standby_that_is_not_there_is_looked_up_and_never_told_as_done(
    manager: ModelManager, own: PostgreSQL
) -> None:
    own.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'", "SELECT pg_reload_conf()")
    until(lambda: own.execute("SHOW synchronous_standby_names") == [("ghost",)])

    def arrives() -> None:
        own.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

    spooled_and_delivered_once(manager, arrives)


def test_a_role_whose_statements_are_timed_out_is_told_no_commit_that_did_not_reach_its_standby(
    own: PostgreSQL,
) -> None:
    name, url = fresh(), role(own, "hurried", "statement_timeout = '300ms'", "lock_timeout = '200ms'")
    ledger = opened(url, name)
    actor = Actors(ledger.store.database).named("Ada")
    own.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'", "SELECT pg_reload_conf()")
    try:
        until(lambda: own.execute("SHOW synchronous_standby_names") == [("ghost",)])
        with (
            hurried(ledger.store.database),
            pytest.raises(Unavailable, match="whether the command was recorded is unknown"),
        ):
            ledger.admit(note(1), actor, key="k")
    finally:
        own.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

    until(lambda: bool(admitted(ledger, "k")))

    assert ledger.admit(note(1), actor, key="k").repeated
    assert verify(ledger.store).size == 3
    ledger.store.database.close()


def admitted(ledger: Ledger, key: str, value: int = 1) -> bool:
    """Whether a command goes through, under a key of its own."""
    try:
        return bool(ledger.admit(note(value), Actors(ledger.store.database).named("Ada"), key=key).events)
    except Unavailable:
        return False


@pytest.mark.parametrize("after", [1, 40])
def test_a_wire_that_falls_silent_in_the_middle_of_an_answer_hangs_nothing(own: PostgreSQL, after: int) -> None:
    proxy = SilentProxy(own.port)
    ledger = opened(f"postgresql://lepton:{PASSWORD}@127.0.0.1:{proxy.port}/postgres")
    actor = Actors(ledger.store.database).named("Ada")
    proxy.fall_silent(after)
    with hurried(ledger.store.database), pytest.raises(Unavailable) as caught:
        ledger.admit(note(1), actor, key="k")
    assert caught.value.key == "k"
    assert PASSWORD not in str(caught.value)
    with hurried(ledger.store.database), pytest.raises(Unavailable):
        ledger.store.head()
    proxy.speak()

    until(lambda: admitted(ledger, "k"))

    assert verify(ledger.store).size == 3
    ledger.store.database.close()
    proxy.close()


@pytest.mark.parametrize("after", [10, 60])
def test_a_server_that_falls_silent_while_one_connects_hangs_nothing(own: PostgreSQL, after: int) -> None:
    proxy = SilentProxy(own.port)
    proxy.fall_silent(after)
    address = f"postgresql://lepton:{PASSWORD}@127.0.0.1:{proxy.port}/postgres?connect_timeout=0"
    with in_time(), pytest.raises(Unavailable):
        opened(address, wait=WAIT)
    proxy.close()


def test_a_port_that_takes_connections_and_says_nothing_hangs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, in_time(), pytest.raises(Unavailable):
        opened(f"postgresql://lepton@127.0.0.1:{listener.getsockname()[1]}/postgres", wait=WAIT)


def test_a_server_that_is_read_only_for_a_while_has_saves_spooled(manager: ModelManager, own: PostgreSQL) -> None:
    """By ALTER SYSTEM, which living sessions heed too."""
    own.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    until(lambda: own.execute("SHOW default_transaction_read_only") == [("on",)])

    def writable() -> None:
        own.execute("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        until(lambda: own.execute("SHOW default_transaction_read_only") == [("off",)])

    with pytest.raises(Unavailable, match="takes no writes now"):
        manager.tag("t", "net@1")
    assert manager.load_arrays("net@1")["w"].tolist() == [0, 0, 0]
    spooled_and_delivered_once(manager, writable)


def test_a_database_that_is_read_only_for_a_while_has_saves_spooled(manager: ModelManager, own: PostgreSQL) -> None:
    own.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    own.hang_up()

    def writable() -> None:
        own.execute("SET default_transaction_read_only = off", "ALTER DATABASE postgres RESET ALL")
        own.hang_up()

    spooled_and_delivered_once(manager, writable)


def test_saves_on_a_standby_are_delivered_once_it_is_promoted(manager: ModelManager, own: PostgreSQL) -> None:
    own.stop()
    (own.data / "standby.signal").touch()
    own.start()

    def promoted() -> None:
        assert own.execute("SELECT pg_promote()") == [(True,)]

    spooled_and_delivered_once(manager, promoted)


def test_sessions_that_an_operator_ends_again_and_again_lose_and_double_nothing(
    ledger: Ledger, own: PostgreSQL
) -> None:
    for n in range(12):
        operator = threading.Thread(target=own.hang_up)
        operator.start()
        until(lambda n=n: admitted(ledger, f"k{n}", n))
        operator.join()
    until(lambda: admitted(ledger, "k11", 11))  # again, for the last session may have been ended behind it

    assert verify(ledger.store).size == 14
    assert all(ledger.store.known(f"k{n}") for n in range(12))


def role(own: PostgreSQL, name: str, *settings: str, may: str = "CREATE") -> str:
    """The address of a role with settings of its own, which may make schemas."""
    own.execute(
        f'DROP OWNED BY "{name}"; DROP ROLE "{name}"'
        if own.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'")
        else "SELECT 1",
        f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'",
        *(f'ALTER ROLE "{name}" SET {setting}' for setting in settings),
    )
    if may:
        own.execute(f'GRANT {may} ON DATABASE postgres TO "{name}"')
    return f"postgresql://{name.replace(' ', '%20')}:{PASSWORD}@127.0.0.1:{own.port}/postgres"


ODD: Final = [
    (
        "client_encoding = 'LATIN1'",
        "search_path = ''",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
        "datestyle = 'German, DMY'",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
    ),
    (
        "client_encoding = 'SQL_ASCII'",
        "search_path = nowhere",
        "default_transaction_isolation = 'repeatable read'",
        "intervalstyle = 'sql_standard'",
        "timezone = 'Asia/Kathmandu'",
        "row_security = off",
        "idle_in_transaction_session_timeout = '5s'",
        "idle_session_timeout = '5s'",
    ),
    (
        "client_encoding = 'GBK'",
        "lc_messages = 'C'",
        "extra_float_digits = 0",
        "enable_indexscan = off",
        "plan_cache_mode = 'force_generic_plan'",
        "jit = off",
    ),
]


def test_a_role_may_be_set_as_it_likes(own: PostgreSQL) -> None:
    for n, settings in enumerate(ODD):
        ledger = opened(role(own, f"odd{n}", *settings), wait=10)
        actor = Actors(ledger.store.database).named("信用 Ångström")
        receipt = ledger.admit(note("信用 Ångström"), actor, key="ключ")

        assert ledger.admit(note("信用 Ångström"), actor, key="ключ").events == receipt.events
        assert Actors(ledger.store.database).all()[actor.id].name == "信用 Ångström"
        assert verify(ledger.store).size == 3
        assert ledger.store.streams("model/") == ["model/credit"]
        ledger.store.database.lock("assigner").release()
        ledger.store.database.close()


def test_several_first_starts_under_any_default_isolation_make_one_ledger(own: PostgreSQL) -> None:
    for level in ("serializable", "repeatable read"):
        url, name = role(own, f"starter {level}", f"default_transaction_isolation = '{level}'"), fresh()
        found: list[tuple[str, str]] = []

        def start(url: str = url, name: str = name, found: list[tuple[str, str]] = found) -> None:
            database = database_at(url, name, wait=30)
            open_or_create(database, lambda: str(uuid4()))
            found.append((Store(database).ledger_id, Actors(database).named("Ada").id))
            database.close()

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1


def test_databases_and_roles_of_odd_names_hold_ledgers(own: PostgreSQL) -> None:
    for n, odd in enumerate(["Mixed Case", 'quo"ted', "apo'strophe", "信用", "semi;colon", "per%cent"]):
        quoted = odd.replace('"', '""')
        own.execute(f'CREATE DATABASE "{quoted}"')
        written = odd.encode().hex(" ").split()
        url = own.url(database="".join(f"%{byte}" for byte in written))
        ledger = opened(url, "a" + "x" * 39 if n else None)

        assert verify(ledger.store).size == 2
        ledger.store.database.close()


def test_a_role_with_one_connection_can_make_a_ledger_and_write_to_it(own: PostgreSQL) -> None:
    url = role(own, "lonely")
    own.execute('ALTER ROLE "lonely" CONNECTION LIMIT 1')

    ledger = opened(url)

    assert verify(ledger.store).size == 2
    with pytest.raises(Unavailable, match="too many connections"), ledger.store.database.connection():
        opened(url, ledger.store.database.ledger, wait=WAIT)
    ledger.store.database.close()


def test_a_role_that_may_make_no_schema_is_told_what_to_grant_and_one_that_has_its_schema_needs_no_grant(
    own: PostgreSQL,
) -> None:
    url, name = role(own, "guest", may=""), fresh()
    with pytest.raises(Refused, match='GRANT CREATE ON DATABASE "postgres" TO "guest"'):
        opened(url, name)
    own.execute(f"CREATE SCHEMA lepton_{name}")
    with pytest.raises(Refused, match=f'GRANT ALL ON SCHEMA "lepton_{name}" TO "guest"'):
        opened(url, name)
    own.execute(f"GRANT ALL ON SCHEMA lepton_{name} TO guest")

    ledger = opened(url, name)

    assert verify(ledger.store).size == 2
    ledger.store.database.close()


def test_a_role_that_may_read_only_is_refused_for_its_rights(own: PostgreSQL, ledger: Ledger) -> None:
    url, schema = role(own, "reader"), ledger.store.database.schema
    own.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader", f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader")
    read = opened(url, ledger.store.database.ledger)

    assert read.store.end() == 2
    with pytest.raises(Refused, match="permission denied"):
        read.admit(note(1), Actors(ledger.store.database).named("Ada"))
    read.store.database.close()


def test_a_database_of_another_encoding_is_refused_before_it_loses_a_name(own: PostgreSQL) -> None:
    own.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")

    with pytest.raises(Refused, match="keeps text as LATIN1"):
        opened(own.url(database="narrow"))


def test_several_hosts_are_named_and_the_one_that_takes_writes_is_found(own: PostgreSQL) -> None:
    with socket.create_server(("127.0.0.1", 0)) as away:
        port = away.getsockname()[1]
    several = f"127.0.0.1:{port},127.0.0.1:{own.port}"
    ledger = opened(
        f"postgresql://lepton:{PASSWORD}@{several}/postgres?target_session_attrs=read-write&connect_timeout=2"
    )

    assert verify(ledger.store).size == 2
    ledger.store.database.close()


def test_a_server_without_tls_is_refused_where_tls_is_asked_for(own: PostgreSQL) -> None:
    for mode in ("require", "verify-full"):
        with pytest.raises(Refused):
            opened(f"{own.url()}?sslmode={mode}")
    for mode in ("disable", "allow", "prefer"):
        ledger = opened(f"{own.url()}?sslmode={mode}")
        ledger.store.database.close()


def test_a_fork_in_the_middle_of_a_wait_leaves_the_parents_connection_alone(ledger: Ledger) -> None:
    actor = Actors(ledger.store.database).named("Ada")
    child = os.fork()
    if not child:
        code = 1
        try:
            ledger.admit(note("child"), actor)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    ledger.admit(note("parent"), actor)

    assert verify(ledger.store).size == 4
