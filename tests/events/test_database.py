"""The two databases: how a ledger comes into being there, what they refuse, and how they come back."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from lepton_ai.errors import Damaged, LeptonError, Malformed, NewerLedger, Refused, Unavailable
from lepton_ai.events import forks
from lepton_ai.events.actor import Actor
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.sqlite_file import network_file_system
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger
from lepton_ai.settings import load

from ..asking import PATIENCE, commit, note
from ..servers import PASSWORD, PostgreSQL, free_port

ROUNDS = 12

CREATOR = """
import sys
from uuid import uuid4
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.address import database_at
print("ready", flush=True)
for line in sys.stdin:
    url, ledger = line.split()
    database = database_at(url, ledger, wait=30)
    open_or_create(database, lambda: str(uuid4()))
    with database.connection() as connection:
        print(connection.execute("SELECT ledger FROM head").fetchone()[0], flush=True)
    database.close()
"""


@pytest.fixture(scope="module")
def creators() -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that open or create the ledger they are told to."""
    command = [sys.executable, "-c", CREATOR]
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    yield both
    for each in both:
        each.communicate()


def test_two_processes_create_one_ledger_at_once(creators: list[subprocess.Popen[str]], url: str) -> None:
    for n in range(ROUNDS):
        place = url.replace("main.db", f"{n}.db")
        ledger = f"c{uuid4().hex[:12]}"
        for each in creators:
            assert each.stdin is not None
            each.stdin.write(f"{place} {ledger}\n")
        for each in creators:
            assert each.stdin is not None
            each.stdin.flush()
        found = {each.stdout.readline() for each in creators if each.stdout is not None}
        assert len(found) == 1
        assert found != {""}


def test_opening_again_changes_nothing(store: Store) -> None:
    before = store.ledger_id
    open_or_create(store.database, lambda: "another")

    assert Store(store.database).ledger_id == before


def test_a_database_refuses_to_be_another_ledger(home: Path) -> None:
    url = f"sqlite:///{home / 'shared.db'}"
    one, two = (database_at(url, name, wait=30) for name in ("one", "two"))
    open_or_create(one, lambda: "its-id")

    with pytest.raises(Refused, match=r"holds the ledger 'one', not 'two'; set LEPTON_LEDGER=one"):
        open_or_create(two, lambda: "another")

    open_or_create(one, lambda: "another")
    one.close()
    two.close()


def test_a_relative_path_stays_the_file_it_was_when_the_settings_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEPTON_DATABASE", "sqlite:///own.db")
    loaded = load(tmp_path / "home")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    database = database_at(loaded.database, "main", wait=30)
    open_or_create(database, lambda: "an-id")
    database.close()

    assert (tmp_path / "own.db").is_file()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_older_format_is_refused_and_named_with_the_way_out(store: Store) -> None:
    with store.database.connection() as connection:
        connection.execute("UPDATE head SET format = 0")

    with pytest.raises(Refused, match="`lepton upgrade`"):
        open_or_create(store.database, str)


def test_a_newer_format_is_refused(store: Store) -> None:
    with store.database.connection() as connection:
        connection.execute("UPDATE head SET format = 99")

    with pytest.raises(NewerLedger, match="format 99"):
        open_or_create(store.database, str)


def test_a_ledger_without_its_head_is_damaged(store: Store) -> None:
    with store.database.connection() as connection:
        connection.execute("DELETE FROM head")

    with pytest.raises(Damaged):
        open_or_create(store.database, str)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:hunter2@host/db",
        "nonsense hunter2",
        "postgresql://me:hunter2@host:port/db",
        "sqlite://",
        "sqlite:///:memory:",
        "oracle+hunter2://x",
    ],
)
def test_a_url_of_no_ledger_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Malformed, match="LEPTON_DATABASE") as caught:
        database_at(url, "main", wait=1)

    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def refusal(url: str, wait: float = 1.0) -> LeptonError:
    database = database_at(url, "main", wait=wait)
    with pytest.raises(LeptonError) as caught:
        open_or_create(database, str)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_wrong_password_is_refused_and_never_shown(postgresql: PostgreSQL) -> None:
    for url in (postgresql.url(password="hunter2"), f"{postgresql.url(password='')}?password=hunter2"):
        error = refusal(url)
        assert isinstance(error, Refused)
        assert "password authentication failed" in str(error)
        assert "hunter2" not in str(error)


def test_a_database_that_is_not_there_is_refused(postgresql: PostgreSQL) -> None:
    error = refusal(postgresql.url(database="nowhere"))

    assert isinstance(error, Refused)
    assert '"nowhere" does not exist' in str(error)


def test_a_server_that_is_away_is_unavailable(postgresql: PostgreSQL) -> None:
    for host in (f"127.0.0.1:{free_port()}", "nowhere.invalid"):
        error = refusal(f"postgresql://lepton:{PASSWORD}@{host}/postgres")
        assert isinstance(error, Unavailable)
        assert PASSWORD not in str(error)


def test_a_server_that_comes_back_is_used_again(actor_away: tuple[PostgreSQL, Ledger, Actor]) -> None:
    server, ledger, actor = actor_away
    server.stop()
    with pytest.raises(Unavailable) as caught:
        ledger.admit(note(1), actor, key="k")
    assert caught.value.key == "k"
    with pytest.raises(Unavailable):
        ledger.state("model/credit")

    server.start()

    assert not ledger.admit(note(1), actor, key="k").repeated
    assert verify(ledger.store).size == 3


def test_idle_connections_that_the_server_closed_are_not_used(actor_away: tuple[PostgreSQL, Ledger, Actor]) -> None:
    server, ledger, actor = actor_away
    server.stop()
    server.start()

    assert ledger.admit(note(2), actor).events


@pytest.fixture
def actor_away(postgresql: PostgreSQL) -> Iterator[tuple[PostgreSQL, Ledger, Actor]]:
    """A ledger on a server of its own, which can be stopped."""
    server = type(postgresql)()
    server.start()
    database = database_at(server.url(), "main", wait=30)
    open_or_create(database, lambda: "a-ledger")
    ledger, actor = Ledger(Store(database)), Actors(database).named("Ada")
    ledger.admit(commit(1), actor)
    yield server, ledger, actor
    database.close()
    server.remove()


def test_a_file_that_is_no_database_is_damaged(home: Path) -> None:
    (home / "main.db").write_bytes(b"not a database" * 1000)

    assert isinstance(refusal(f"sqlite:///{home / 'main.db'}"), Damaged)


def test_a_folder_that_is_not_there_is_refused(home: Path) -> None:
    error = refusal(f"sqlite:///{home / 'missing' / 'main.db'}")

    assert isinstance(error, Refused)
    assert "check the folder" in str(error)


def test_a_file_that_cannot_be_opened_for_the_moment_is_unavailable(home: Path) -> None:
    """Descriptors that ran out are given back; a folder that is missing stays so."""
    database = database_at(f"sqlite:///{home / 'main.db'}", "main", wait=1)
    open_or_create(database, lambda: "an-id")
    database.close()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        with pytest.raises(Unavailable), database.connection():
            pass
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert Store(database).head().seq == 0
    database.close()


def test_a_network_file_system_is_recognised_by_its_longest_mount(tmp_path: Path) -> None:
    shared = tmp_path / "with blank" / "home"
    shared.mkdir(parents=True)
    mounts = tmp_path / "mounts"
    point = str(tmp_path / "with blank").replace(" ", r"\040")
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nhost:/x {point} nfs4 rw 0 0\n")

    assert network_file_system(shared, mounts) == "nfs4"
    assert network_file_system(tmp_path, mounts) is None
    assert network_file_system(shared, tmp_path / "none") is None


def test_sqlite_is_durable_and_writes_ahead(home: Path) -> None:
    database = database_at(f"sqlite:///{home / 'main.db'}", "main", wait=1)
    open_or_create(database, str)
    with database.connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    database.close()


def test_a_ledger_survives_forks_in_the_middle_of_its_work(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "PATIENCE", PATIENCE)
    ledger.admit(commit(1), actor)
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            ledger.admit(note(n := n + 1), actor)

    thread = threading.Thread(target=write)
    thread.start()
    for n in range(5):
        child = os.fork()
        if not child:
            code = 1
            try:
                ledger.admit(note(f"child {n}"), actor)
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        ledger.admit(note(f"parent {n}"), actor)
    stop.set()
    thread.join()

    assert verify(ledger.store).size > 12
    assert ledger.state("model/credit") == Ledger(ledger.store).state("model/credit")
