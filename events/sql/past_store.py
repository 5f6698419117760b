"""The event store as it was behind an event: what was recorded later is not there, and nothing is written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from ...errors import ReadOnly
from ..log import CommandRow, Row
from .admission import Admission
from .rows import counted, rows_of
from .store import Store

MANY = 500
"""Streams that one statement asks for."""


class PastStore(Store):
    """The reading half of a store, up to `until`. What stands beside the log (placements, leases) is as it is now."""

    def __init__(self, store: Store, until: int) -> None:
        super().__init__(store.database, store.ledger_id)
        self.until = until

    @contextmanager
    def admission(self, keys: Sequence[str], since: int | None = None) -> Generator[Admission]:  # noqa: ARG002
        raise ReadOnly(self.until)
        yield

    def end(self) -> int:
        return min(self.until, super().end())

    def read(self, after: int, limit: int) -> Sequence[Row]:
        return super().read(after, min(limit, self.until - after)) if after < self.until else ()

    def commands(self, after: int, limit: int) -> list[CommandRow]:
        rows = super().commands(after, min(limit, self.until - after)) if after < self.until else []
        return [row for row in rows if row.seq <= self.until]

    def version_at(self, stream: str) -> int:
        """The last version that a stream had, 0 where it had none: its versions are in the order of their events."""
        with self.database.connection() as connection:
            last, at = connection.execute(self.sql.stream_last, (stream,)).fetchone() or (0, 0)

            def seq(version: int) -> int:
                found = connection.execute(self.sql.seq_of, (stream, version)).fetchone()
                return counted(found[0] if found else None, f"the event of version {version} of {stream}")

            if counted(at, f"the last event of {stream}") <= self.until:
                return last
            return bisect_right(range(1, last), self.until, key=seq)

    def span(self, stream: str, after: int, last: int) -> list[Row]:
        """The rows of a stream from behind version `after` to version `last`."""
        with self.database.connection() as connection:
            return rows_of(connection.execute(self.sql.stream_span, (stream, after, last)))

    def stream(self, stream: str, after: int = 0, types: tuple[str, ...] | None = None) -> tuple[int, list[Row]]:
        last = self.version_at(stream)
        if types is None:
            return last, self.span(stream, after, last)
        if not types or last <= after:
            return last, []
        with self.database.connection() as connection:
            chosen = self.sql.of_many(self.sql.stream_of_types, len(types))
            return last, rows_of(connection.execute(chosen, (stream, after, last, *types)))

    def streams(self, prefix: str) -> list[str]:
        return self._begun(super().streams(prefix))

    def streams_holding(self, prefix: str, type: str) -> list[str]:
        begun = self._begun(super().streams_holding(prefix, type))
        first = set(self._chosen(self.sql.begun_with, begun, type))
        # hardly ever any: what a stream is about is what it begins with
        later = [stream for stream in begun if stream not in first]
        return sorted(first.union(self._chosen(self.sql.holding, later, type)))

    def newest_streams(self, prefix: str, most: int, before: str | None = None) -> list[str]:
        with self.database.connection() as connection:
            begun = None if before is None else connection.execute(self.sql.seq_of, (before, 1)).fetchone()
            last = self.until if before is None else min(self.until, begun[0] - 1 if begun else 0)
            asked = (prefix, prefix + "\U0010ffff", last, most)
            return [row[0] for row in connection.execute(self.sql.newest_streams_until, asked)]

    def rows_of_type(self, kind: str, after: int, last: int) -> list[Row]:
        return super().rows_of_type(kind, after, min(last, self.until))

    def rows_of_types(self, types: tuple[str, ...], after: int, last: int) -> list[Row]:
        return super().rows_of_types(types, after, min(last, self.until))

    def _begun(self, streams: Sequence[str]) -> list[str]:
        return sorted(self._chosen(self.sql.begun, streams))

    def _chosen(self, statement: str, streams: Sequence[str], *first: str) -> list[str]:
        """Those of some streams that a statement finds up to `until`."""
        chosen: list[str] = []
        with self.database.connection() as connection:
            for start in range(0, len(streams), MANY):
                some = streams[start : start + MANY]
                asked = (*first, self.until, *some)
                chosen += [row[0] for row in connection.execute(self.sql.of_many(statement, len(some)), asked)]
        return chosen
