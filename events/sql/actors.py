"""Who acts: pseudonyms for the log, and outside it the names and keys that can be forgotten."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import uuid_utils

from ...errors import Damaged, Malformed
from .database import Database
from .rows import typed

SEALED: Final = "sealed:v1:"
"""What a sealed text begins with."""
FORGOTTEN: Final = "[forgotten]"
LONGEST_NAME: Final = 200
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: `id` is what events bear."""

    id: str
    name: str
    key: bytes

    def seal(self, text: str) -> str:
        """Free text as it may stand in an event for ever: AES-256-GCM under this actor's key, bound to its id.

        Raises `Malformed` where it is not Unicode.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not text:
            return text
        try:
            plain = text.encode()
        except UnicodeEncodeError as error:
            raise Malformed(f"the text holds what is not Unicode ({error}); leave lone surrogates out") from error
        nonce = os.urandom(12)
        sealed = AESGCM(self.key).encrypt(nonce, plain, self.id.encode())
        return SEALED + urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str) -> str:
        """What `seal` was given; text that was never sealed as it is."""
        text = self.unsealed(sealed)
        return FORGOTTEN if text is None else text

    def unsealed(self, sealed: str) -> str | None:
        """As `open`, but None where this actor's key opens nothing."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not sealed.startswith(SEALED):
            return sealed
        try:
            raw = urlsafe_b64decode(sealed.removeprefix(SEALED))
            return AESGCM(self.key).decrypt(raw[:12], raw[12:], self.id.encode()).decode()
        except (InvalidTag, ValueError):
            return None

    def seal_bytes(self, raw: bytes) -> bytes:
        """Bytes as they may lie in a table for as long as the key does, sealed as `seal` does."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return nonce + AESGCM(self.key).encrypt(nonce, raw, self.id.encode())

    def open_bytes(self, sealed: bytes) -> bytes | None:
        """What `seal_bytes` was given, None where this actor's key does not open it."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.key).decrypt(sealed[:12], sealed[12:], self.id.encode())
        except (InvalidTag, ValueError):
            return None

    def digest(self, content: bytes) -> str:
        """A command's digest: HMAC-SHA256 under this actor's key, so that it is no trace of the text once forgotten."""
        keyed = _keyed(self.key).copy()
        keyed.update(content)
        return f"hmac-sha256:{keyed.hexdigest()}"


def names_an_actor(name: str) -> bool:
    """Whether somebody may be called that."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


def checked_actor(name: str, what: str = "an actor's name") -> str:
    """The name of an actor, or `Malformed`, which does not quote it."""
    if not names_an_actor(name):
        raise Malformed(
            f"{what} has {len(name)} characters or one that does not print; it is 1 to {LONGEST_NAME} printable ones"
        )
    return name


def _actor(id: str, name: str, key: bytes) -> Actor:
    typed(id, str, "the pseudonym of an actor")
    typed(name, str, f"the name of actor {id}")
    if len(typed(key, bytes, f"the key of actor {id}")) != _KEY_BYTES:
        raise Damaged(f"the key of actor {id}", expected=f"{_KEY_BYTES} bytes", found=f"{len(key)}")
    return Actor(id, name, bytes(key))


@lru_cache(64)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


class Actors:
    """The table of names and keys. Forgetting deletes a row and changes no event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def named(self, name: str) -> Actor:
        """The actor of a name, made on first use. Raises `Malformed` where it cannot be one."""
        fresh = (str(uuid_utils.uuid4()), checked_actor(name), os.urandom(_KEY_BYTES))
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
