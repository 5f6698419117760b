"""The log as its readers see it: rows in order, from any position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One event as stored: its place (from 1, without holes), the hash of its leaf, its exact bytes."""

    seq: int
    leaf: bytes
    envelope: bytes


class CommandRow(NamedTuple):
    """A row, and how many events its command became where it is the first of them; else None."""

    seq: int
    leaf: bytes
    envelope: bytes
    span: int | None


class EventLog(Protocol):
    """Where a projector or a verifier reads from: the event table, or a topic."""

    @property
    def ledger_id(self) -> str:
        """The id of the ledger, which `source` bears."""
        ...

    def end(self) -> int:
        """The last `seq`, 0 where there is none."""
        ...

    def read(self, after: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows behind `seq` `after`, in order."""
        ...
