"""Ledgers that somebody rewrote, or cut short, with all hashes made anew: whole in themselves, and another history."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

from lepton_ai.events.clock import microseconds
from lepton_ai.events.merkle import Frontier, leaf_hash


def rewrite(database: Path, seq: int, old: bytes, new: bytes) -> None:
    """Replace bytes in one event, and make the tree over all of them anew."""
    with sqlite3.connect(database) as connection:
        (envelope,) = connection.execute("SELECT envelope FROM events WHERE seq = ?", (seq,)).fetchone()
        assert envelope.count(old) == 1
        changed = envelope.replace(old, new)
        connection.execute("UPDATE events SET envelope = ?, leaf = ? WHERE seq = ?", (changed, leaf_hash(changed), seq))
        _seal(connection)
    connection.close()


def cut(database: Path, last: int) -> None:
    """Take away all events behind `last`."""
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM events WHERE seq > ?", (last,))
        _seal(connection)
    connection.close()


def _seal(connection: sqlite3.Connection) -> None:
    rows = connection.execute("SELECT leaf, envelope FROM events ORDER BY seq").fetchall()
    frontier, tiles = Frontier().extended(leaf for leaf, _ in rows)
    connection.execute("DELETE FROM tiles")
    connection.executemany("INSERT INTO tiles (level, place, hash) VALUES (?, ?, ?)", tiles)
    recorded = datetime.fromisoformat(json.loads(rows[-1][1])["recordedtime"])
    connection.execute(
        "UPDATE head SET seq = ?, frontier = ?, recorded_at = ?",
        (frontier.size, frontier.encode(), microseconds(recorded)),
    )
