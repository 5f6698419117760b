"""The tables of format 2: what is added to those that a ledger of format 1 has."""

from __future__ import annotations

import json
import os
import time
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what format 2 brought."""
    _head()
    _holders()
    _positions()
    _outside()
    _runs()


def _head() -> None:
    """A process of format 1 that lives on knows no such column: it cannot write any more, and spools."""
    op.execute("ALTER TABLE head RENAME COLUMN recorded TO recorded_at")
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("head", sa.Column("trusted_at", count, nullable=True))


def _holders() -> None:
    """Leases of tasks that one process does at a time, for connections that cannot hold a lock."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "holders",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("holder", sa.String(36), nullable=False),
        sa.Column("until", count, nullable=False),
    )


def _positions() -> None:
    """Which topic a position is in, and what of it is not the ledger's."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("positions", sa.Column("topic_id", sa.String(36), nullable=True))
    op.add_column("positions", sa.Column("digest", sa.String(80), nullable=True))
    op.add_column("positions", sa.Column("seq", count, nullable=True))
    op.add_column("positions", sa.Column("strangers", count, nullable=True))
    op.add_column("positions", sa.Column("stranger_at", count, nullable=True))
    op.add_column("positions", sa.Column("stranger_why", sa.Text, nullable=True))


def _outside() -> None:
    """Pseudonyms for outside sources, and refused messages sealed."""
    op.add_column("rejected", sa.Column("sealed_by", sa.String(36), nullable=True))
    op.create_index("seen_by_id", "seen", ["id"])
    pseudonymous_seen(op.get_bind())
    sealed_rejected(op.get_bind())


def pseudonymous_seen(connection: Any) -> None:
    """Have `seen` bear pseudonyms: the id of a source's actor, and of one who is forgotten an id that is no trace."""
    actors = dict(connection.execute(sa.text("SELECT name, id FROM actors")).fetchall())
    for (source,) in connection.execute(sa.text("SELECT DISTINCT source FROM seen")).fetchall():
        told = {"pseudonym": actors.get(source) or str(uuid4()), "source": source}
        connection.execute(sa.text("UPDATE seen SET source = :pseudonym WHERE source = :source"), told)


def sealed_rejected(connection: Any) -> None:
    """Seal refused messages: under the key of their source's actor where that is known, else of the ledger's own."""
    select = sa.text("SELECT id, raw, headers, reason FROM rejected WHERE sealed_by IS NULL")
    actors = {name: (id, key) for id, name, key in connection.execute(sa.text("SELECT id, name, key FROM actors"))}
    update = sa.text(
        "UPDATE rejected SET raw = :raw, headers = :headers, sealed_by = :by, reason = :reason WHERE id = :id"
    )
    for id, raw, headers, reason in connection.execute(select).fetchall():
        source = _source(bytes(raw), bytes(headers))
        by, key = actors.get(source or "") or _ledgers_own(connection, actors)
        sealed = {"raw": _sealed(by, key, bytes(raw)), "headers": _sealed(by, key, bytes(headers))}
        reason = reason.replace(source, "[its source]") if source else reason
        connection.execute(update, {"id": id, "by": by, "reason": reason, **sealed})


def _source(raw: bytes, headers: bytes) -> str | None:
    """Who tells a message, as far as it can be read."""
    try:
        told = {name.lower(): value for name, value in json.loads(headers)}
        if "ce_source" in told:
            return b64decode(told["ce_source"]).decode()
        source = json.loads(raw)["source"]
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        return None
    return source if isinstance(source, str) and source else None


def _ledgers_own(connection: Any, actors: dict[str, tuple[str, bytes]]) -> tuple[str, bytes]:
    """The ledger's own key for messages of nobody known: of today, so that they expire with those refused today."""
    name = f"lepton/rejected/{datetime.now(UTC):%Y-%m-%d}"
    if name not in actors:
        actors[name] = str(uuid4()), os.urandom(32)
        row = dict(zip(("id", "key"), actors[name], strict=True), name=name)
        connection.execute(sa.text("INSERT INTO actors (id, name, key) VALUES (:id, :name, :key)"), row)
    return actors[name]


def _sealed(by: str, key: bytes, raw: bytes) -> bytes:
    """Bytes as `events/sql/actors.py` seals them."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return nonce + AESGCM(bytes(key)).encrypt(nonce, raw, by.encode())


def _runs() -> None:
    """When each open run was heard of last."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "run_heartbeats",
        sa.Column("run", sa.String(100), primary_key=True),
        sa.Column("writer", sa.String(36), nullable=False),
        sa.Column("heard", count, nullable=False),
    )
    _expect_open_runs()


def _expect_open_runs() -> None:
    """Give a fresh term to the runs that have not ended, else nobody would ever find those lost that are."""
    bind = op.get_bind()
    begun = {row[0] for row in bind.execute(sa.text("SELECT stream FROM events WHERE version = 1"))}
    ended = {row[0] for row in bind.execute(sa.text("SELECT stream FROM events WHERE type = 'lepton.run.finished.v1'"))}
    runs = [stream.removeprefix("run/") for stream in begun - ended if stream.startswith("run/")]
    heard = int(time.time() * 1_000_000)
    for run in runs:
        if f"job/{run.rpartition('.')[0]}" not in begun:  # an attempt at a job has a lease
            told = {"run": run, "heard": heard}
            bind.execute(sa.text("INSERT INTO run_heartbeats (run, writer, heard) VALUES (:run, '', :heard)"), told)
