"""Who acts: pseudonyms for the log, and outside it the names and keys that can be forgotten."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import uuid_utils

from .database import Database

_PREFIX: Final = "sealed:v1:"
FORGOTTEN: Final = "[forgotten]"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: `id` is what events bear."""

    id: str
    name: str
    key: bytes

    def seal(self, text: str) -> str:
        """Free text as it may stand in an event for ever: AES-256-GCM under this actor's key, bound to its id."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not text:
            return text
        nonce = os.urandom(12)
        return (
            _PREFIX
            + urlsafe_b64encode(nonce + AESGCM(self.key).encrypt(nonce, text.encode(), self.id.encode())).decode()
        )

    def open(self, sealed: str) -> str:
        """What `seal` was given; text that was never sealed as it is."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not sealed.startswith(_PREFIX):
            return sealed
        try:
            raw = urlsafe_b64decode(sealed.removeprefix(_PREFIX))
            return AESGCM(self.key).decrypt(raw[:12], raw[12:], self.id.encode()).decode()
        except (InvalidTag, ValueError):
            return FORGOTTEN

    def digest(self, content: bytes) -> str:
        """A command's digest: HMAC-SHA256 under this actor's key, so that it is no trace of the text once forgotten."""
        return f"hmac-sha256:{hmac.new(self.key, content, sha256).hexdigest()}"


class Actors:
    """The table of names and keys. Forgetting deletes a row and changes no event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mark = "?" if database.sqlite else "%s"

    def named(self, name: str) -> Actor:
        """The actor of a name, made on first use."""
        fresh = (str(uuid_utils.uuid4()), name, os.urandom(32))
        with self._database.connection() as connection:
            found = connection.execute(
                f"SELECT id, name, key FROM actors WHERE name = {self._mark}", (name,)
            ).fetchone()
            if found is None:
                marks = ", ".join([self._mark] * 3)
                connection.execute(f"INSERT INTO actors VALUES ({marks}) ON CONFLICT (name) DO NOTHING", fresh)
                found = connection.execute(
                    f"SELECT id, name, key FROM actors WHERE name = {self._mark}", (name,)
                ).fetchone()
        return Actor(found[0], found[1], bytes(found[2]))

    def all(self) -> dict[str, Actor]:
        """Everybody who is not forgotten, by id."""
        with self._database.connection() as connection:
            rows = connection.execute("SELECT id, name, key FROM actors").fetchall()
        return {id: Actor(id, name, bytes(key)) for id, name, key in rows}

    def forget(self, name: str) -> bool:
        """Delete a name and its key: whether there was one. Its sealed texts can be opened no more."""
        with self._database.connection() as connection:
            return connection.execute(f"DELETE FROM actors WHERE name = {self._mark}", (name,)).rowcount > 0
