"""Actors: free text is sealed, and what names a person can be forgotten without changing one hash."""

from __future__ import annotations

import random
import sqlite3
from base64 import urlsafe_b64decode
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.commands import Describe
from lepton_ai.errors import Malformed, Unavailable
from lepton_ai.events.actor import FORGOTTEN, Actor
from lepton_ai.events.model import VersionCommitted
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.sqlite import SQLite
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger

from ..asking import PATIENCE, commit
from ..servers import PostgreSQL

NAME, MESSAGE = "Ada Lovelace-Byron", "the note of a person who wished to be forgotten"
ADA = Actor("an-id", "Ada", bytes(32))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_sealed_text_opens_under_its_actors_key_alone(text: str) -> None:
    sealed = ADA.seal(text)

    assert ADA.open(sealed) == text
    assert Actor("an-id", "Ada", bytes([1] * 32)).open(sealed) == (FORGOTTEN if text else "")
    assert Actor("other", "Ada", bytes(32)).open(sealed) == (FORGOTTEN if text else "")
    written = sealed.removeprefix("sealed:v1:")
    assert not text.strip() or len(text) < 4 or text not in written
    hidden = urlsafe_b64decode(written)
    assert len(text.encode()) < 8 or text.encode() not in hidden  # fewer bytes may stand there by chance


def test_the_same_text_is_never_sealed_alike() -> None:
    assert ADA.seal("x") != ADA.seal("x")


@pytest.mark.parametrize("damaged", ["sealed:v1:", "sealed:v1:AAAA", "sealed:v1:%%%", "sealed:v1:ü"])
def test_a_damaged_seal_is_forgotten_not_an_error(damaged: str) -> None:
    assert ADA.open(damaged) == FORGOTTEN


def test_a_commands_digest_is_a_trace_only_under_the_key() -> None:
    assert ADA.digest(b"x") == ADA.digest(b"x") != ADA.digest(b"y")
    assert ADA.digest(b"x") != Actor("an-id", "Ada", bytes([1] * 32)).digest(b"x")
    assert ADA.digest(b"x").startswith("hmac-sha256:")


def test_an_actor_stays_who_it_is_and_forgets_nobody_else(store: Store) -> None:
    actors = Actors(store.database)
    ada, grace = actors.named("Ada"), actors.named("Grace")

    assert actors.named("Ada") == ada
    assert actors.all() == {ada.id: ada, grace.id: grace}
    assert actors.forget("Ada")
    assert not actors.forget("Ada")
    assert actors.all() == {grace.id: grace}
    assert actors.named("Ada").id != ada.id


@pytest.mark.parametrize("name", ["", "a\x00b", "line\nbreak", "x" * 201, "\ud800"])
def test_what_cannot_name_an_actor_is_refused(store: Store, name: str) -> None:
    with pytest.raises(Malformed, match="actor's name"):
        Actors(store.database).named(name)


def traces(store: Store, server: PostgreSQL | None, *texts: str | bytes) -> list[str | bytes]:
    """Which texts can be found in the database's files."""
    if server:
        with store.database.connection() as connection:
            connection.execute("CHECKPOINT")
        paths = list((server.data / "base").rglob("*"))
    else:
        paths = list(store.database.path.parent.iterdir())
    read: list[bytes] = []
    for path in paths:
        with suppress(FileNotFoundError, IsADirectoryError):  # the server removes files of its own
            read.append(path.read_bytes())
    content = b"".join(read)
    return [text for text in texts if (text.encode() if isinstance(text, str) else text) in content]


def test_forgetting_removes_name_and_key_from_the_files_and_changes_no_hash(
    store: Store, request: pytest.FixtureRequest
) -> None:
    server = None if isinstance(store.database, SQLite) else request.getfixturevalue("postgresql")
    actors = Actors(store.database)
    ada = actors.named(NAME)
    ledger = Ledger(store)
    ledger.admit(commit(1, message=MESSAGE), ada, key="k")
    ledger.admit(Describe(model="credit", version=1, description=MESSAGE), ada)
    event = ledger.admit(commit(1, message=MESSAGE), ada, key="k").events[1].event
    assert isinstance(event, VersionCommitted)
    assert ada.open(event.message) == MESSAGE
    assert traces(store, server, NAME, MESSAGE, ada.key) == [NAME, ada.key]
    before = verify(store)

    actors.forget(NAME)

    assert traces(store, server, NAME, MESSAGE, ada.key) == []
    assert verify(store)[:2] == before[:2]
    assert event.message != ""
    again = ledger.store.read(1, 1)[0]
    assert event.message.encode() in again.envelope
    assert actors.named(NAME).open(event.message) == FORGOTTEN


def test_no_trace_of_many_who_came_and_went_is_left(store: Store, request: pytest.FixtureRequest) -> None:
    """Rows that moved between pages when others came and went must leave nothing behind either."""
    server = None if isinstance(store.database, SQLite) else request.getfixturevalue("postgresql")
    actors, order = Actors(store.database), random.Random(0)
    known: dict[str, Actor] = {}
    gone: list[Actor] = []
    for n in range(150):
        name = f"{order.choice('abcdefgh')}-{n}-" + "person" * order.randint(1, 30)
        known[name] = actors.named(name)
        if order.random() < 0.4:
            gone.append(known.pop(order.choice(sorted(known))))
            actors.forget(gone[-1].name)

    assert traces(store, server, *(part for actor in gone for part in (actor.name, actor.key))) == []
    assert {actor.name for actor in actors.all().values()} == set(known)


def test_a_reader_that_keeps_traces_alive_is_named(home: Path) -> None:
    database = database_at(f"sqlite:///{home / 'main.db'}", "main", wait=0.1)
    open_or_create(database, lambda: str(uuid4()))
    actors = Actors(database)
    actors.named("Ada Lovelace")
    reader = sqlite3.connect(home / "main.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM actors").fetchall()

    with pytest.raises(Unavailable, match="the name is forgotten, but a reader kept traces"):
        actors.forget("Ada Lovelace")
    reader.close()
    database.wait = PATIENCE
    actors.forget("Ada Lovelace")

    assert b"Lovelace" not in b"".join(path.read_bytes() for path in home.iterdir())
    database.close()
