"""The table of actors: outside the log, the names and keys that can be forgotten."""

from __future__ import annotations

import os

import uuid_utils

from ...errors import Damaged
from ..actor import KEY_BYTES, Actor, checked_actor
from .database import Database
from .rows import typed


def _actor(id: str, name: str, key: bytes) -> Actor:
    typed(id, str, "the pseudonym of an actor")
    typed(name, str, f"the name of actor {id}")
    if len(typed(key, bytes, f"the key of actor {id}")) != KEY_BYTES:
        raise Damaged(f"the key of actor {id}", expected=f"{KEY_BYTES} bytes", found=f"{len(key)}")
    return Actor(id, name, bytes(key))


class Actors:
    """The table of names and keys. Forgetting deletes a row and changes no event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def named(self, name: str) -> Actor:
        """The actor of a name, made on first use. Raises `Malformed` where it cannot be one."""
        fresh = (str(uuid_utils.uuid4()), checked_actor(name), os.urandom(KEY_BYTES))
        with self._database.connection() as connection:
            found = connection.execute(self._sql.find_actor, (name,)).fetchone()
        if found is None:
            with self._database.transaction() as connection:
                connection.execute(self._sql.insert_actor, fresh)
                found = connection.execute(self._sql.find_actor, (name,)).fetchone()
        return _actor(*found)

    def known(self, id: str) -> Actor | None:
        """The actor of an id, None once forgotten."""
        with self._database.connection() as connection:
            found = connection.execute(self._sql.actor, (id,)).fetchone()
        return _actor(*found) if found else None

    def all(self) -> dict[str, Actor]:
        """Everybody who is not forgotten, by id."""
        with self._database.connection() as connection:
            rows = connection.execute(self._sql.actors).fetchall()
        return {row[0]: _actor(*row) for row in rows}

    def forget(self, name: str) -> bool:
        """Delete a name and its key: whether there was one. Its sealed texts can be opened no more.

        On return nothing of them is left in the database's files, SQLite's write-ahead log included, nor in copies that
        an upgrade made. A PostgreSQL's
        own write-ahead log, and backups, hold them until they are recycled. Raises `Unavailable` where a reader kept
        SQLite from clearing its log: forget again when it is done.
        """
        with self._database.transaction() as connection:
            deleted = connection.execute(self._sql.delete_actor, (name,)).rowcount > 0
        with self._database.connection() as connection:
            self._database.erase(connection)
            self._database.copies.forget(connection, name)
        return deleted
