"""Which token a secret is of: hashes in a table outside the log, which a restore from Kafka does not bring back."""

from __future__ import annotations

import hmac

from .rows import typed
from .store import Store


class TokenHashes:
    """The table of one ledger's tokens. Each act is one statement, beside the writers' lock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, hash: bytes, token: str) -> None:
        """Let a secret stand for a token, before the event that makes it."""
        with self._store.database.connection() as connection:
            connection.execute(self._store.sql.insert_hash, (hash, token))

    def drop(self, token: str) -> None:
        """Let no secret stand for a token any more."""
        with self._store.database.connection() as connection:
            connection.execute(self._store.sql.delete_hashes, (token,))

    def find(self, hash: bytes) -> str | None:
        """The token that a secret of this hash is of, None where it is of none."""
        with self._store.database.connection() as connection:
            row = connection.execute(self._store.sql.hashed, (hash,)).fetchone()
        if row is None or not hmac.compare_digest(bytes(typed(row[1], bytes, "the hash of a token")), hash):
            return None
        return typed(row[0], str, "the token of a hash")
