"""When open runs, and trials of studies, were heard of last: a table that may be lost, by the database's own clock."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .store import Store

_TRIAL: Final = "trial/"
"""What the keys of trials begin with; no id of a run has a slash."""


class Beat(NamedTuple):
    """Who logs to a run, empty for nobody yet, and when the run was heard of last, in microseconds."""

    writer: str
    heard: int


class Heartbeats:
    """The table of one ledger's heartbeats. Each act is one statement, beside the writers' lock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, run: str, writer: str) -> None:
        """A run is at work, and logged to by this writer from now on, whoever did before."""
        self._act("begin_beat", run, writer)

    def expect(self, run: str) -> None:
        """A run was begun by somebody who has not been heard of yet: it gets a fresh term."""
        self._act("expect_beat", run)

    def beat(self, run: str, writer: str) -> bool:
        """A run is still at work: whether it is still this writer's."""
        return self._act("beat", writer, run, writer) > 0

    def end(self, run: str, heard: int | None = None) -> None:
        """A run has ended; with `heard` only where it was not heard of since."""
        if heard is None:
            self._act("end_beat", run)
        else:
            self._act("end_stale_beat", run, heard)

    def of(self, run: str) -> Beat | None:
        """What is known of a run's heartbeat."""
        rows = self._rows("beating", run)
        return Beat(*rows[0]) if rows else None

    def stale(self, term: float) -> list[tuple[str, int]]:
        """The runs that were not heard of for so many seconds, each with when it was, the longest ago first."""
        return [(run, heard) for run, heard in self._rows("stale_beats", int(term * 1_000_000))]

    def of_trial(self, trial: int) -> None:
        """A trial of a study, by its id, is at work."""
        self._act("begin_beat", f"{_TRIAL}{trial}", "")

    def end_trial(self, trial: int) -> None:
        """A trial has ended."""
        self._act("end_beat", f"{_TRIAL}{trial}")

    def stale_trials(self, term: float) -> list[int]:
        """The trials that were not heard of for so many seconds, by their ids, the longest ago first."""
        return [int(key.removeprefix(_TRIAL)) for (key,) in self._rows("stale_trials", int(term * 1_000_000))]

    def _act(self, statement: str, *values: Any) -> int:
        with self._store.database.connection() as connection:
            return connection.execute(self._text(statement), values).rowcount

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._store.database.connection() as connection:
            return connection.execute(self._text(statement), values).fetchall()

    def _text(self, statement: str) -> str:
        return getattr(self._store.sql, statement).replace(":now", self._store.database.now)
