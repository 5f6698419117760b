"""Runs of scripts elsewhere, which tell of themselves: begun, logged to, kept alive, ended, gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import NAMESPACE_OID, uuid5

import uuid_utils

from ...domain.commands import FinishRun, LogMetrics, ResumeRun, StartRun, run_stream
from ...domain.names import checked_run
from ...domain.run.state import RunState
from ...errors import Malformed, UnknownRevision
from ...events.run import MetricsLogged
from ...plain import plain
from ..spool.ledger import LedgerDestination
from ..spool.outbox import fresh_key
from ..workspace import Workspace

MOST_POINTS: Final = 10_000
"""Points that are logged at a time."""
_BLOCK: Final = 1000
Point = tuple[str, int | None, float, datetime | None]
"""A metric's name, step, value, and when it was measured, if not now."""


@dataclass(frozen=True, slots=True)
class OpenRuns:
    """A run is named by its whole id. `writer` is an id of whoever logs to it: while one does, others are `RunTaken`.

    Each act but `beat` acts once under its key; `time` is when it happened, if not now.
    """

    workspace: Workspace

    def start(
        self,
        model: str,
        *,
        run: str | None = None,
        writer: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
        code: Mapping[str, Any] | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        time: datetime | None = None,
        key: str | None = None,
    ) -> str:
        """Open a run: its id, the caller's own or one that follows from the key."""
        if run is None:
            run = str(uuid_utils.uuid7() if key is None else uuid5(NAMESPACE_OID, key))
        command = StartRun(
            run=checked_run(run),
            model=model,
            hyperparameters=plain(dict(hyperparameters or {}), "hyperparameters"),
            data=None if data is None else plain(dict(data), "data"),
            environment=dict(environment or {}),
            code=dict(code or {}),
            name=name,
            tags=tuple(tags),
        )
        ledger, repeated = self._ledger, self.workspace.known(key) != ()
        ledger.send(command, key or fresh_key(), time=time)
        if writer is not None and not repeated:
            ledger.beat(run, writer)
        return run

    def log(
        self,
        run: str,
        points: Sequence[MetricsLogged],
        *,
        writer: str | None = None,
        time: datetime | None = None,
        key: str | None = None,
    ) -> int:
        """Note points, in columns of up to 1,000: how many they were. Raises `Malformed` above 10,000."""
        self._known(run)
        if count := _checked(sum(len(block.names) for block in points)):
            self._ledger.send(LogMetrics(run=run, blocks=tuple(points)), key or fresh_key(), time=time, writer=writer)
        return count

    def log_each(self, run: str, points: Sequence[Point], *, key: str | None = None, **told: Any) -> int:
        """As `log`, of points one by one. Sent again under a key, those that tell no time have that of the first."""
        count, now = _checked(len(points)), datetime.now(UTC)
        logged = (each.event for each in self.workspace.known(key))
        before = [time for event in logged if isinstance(event, MetricsLogged) for time in event.times]
        times = before if len(before) == count else [now] * count
        return self.log(run, list(_blocks(points, times)), key=key, **told)

    def finish(
        self,
        run: str,
        *,
        error: str | None = None,
        reason: str = "",
        points: int = 0,
        writer: str | None = None,
        time: datetime | None = None,
        key: str | None = None,
    ) -> None:
        """Close a run; with `error`, the name of what went wrong, it failed."""
        self._known(run)
        command = FinishRun(run=run, error=error, reason=reason, points=points)
        self._ledger.send(command, key or fresh_key(), time=time, writer=writer)

    def resume(
        self,
        run: str,
        writer: str,
        *,
        environment: Mapping[str, Any] | None = None,
        code: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> None:
        """Go on with a run in the place of whoever logged to it before."""
        self._known(run)
        command = ResumeRun(run=run, environment=dict(environment or {}), code=dict(code or {}))
        self._ledger.resume(run, writer, command, key or fresh_key())

    def beat(self, run: str, writer: str) -> bool:
        """Let a run be heard of: False where it has ended, or another writer goes on with it."""
        rights, model = self.workspace.rights, self._state(run).model
        rights.check("write")
        if model and not rights.covers(model):
            return True  # as of a run that is not there: its start may be on its way
        return self._ledger.beat(run, writer)

    @property
    def _ledger(self) -> LedgerDestination:
        return LedgerDestination(self.workspace)

    def _known(self, run: str) -> None:
        """Raise `UnknownRevision` where there is no such run, or it may not be read."""
        self._check_visible(run, self._state(run).model)

    def _check_visible(self, run: str, model: str) -> None:
        if not model or not self.workspace.rights.covers(model):
            raise UnknownRevision(f"there is no run {run[:100]!r}; `lepton runs` lists them")

    def _state(self, run: str) -> RunState:
        return cast(RunState, self.workspace.ledger.state(run_stream(checked_run(run))))


def _checked(count: int) -> int:
    if count > MOST_POINTS:
        raise Malformed(f"{count:,} points at a time; log {MOST_POINTS:,} at most, a key each time")
    return count


def _blocks(points: Sequence[Point], times: Sequence[datetime]) -> Iterator[MetricsLogged]:
    """Points as columns of up to 1,000; one that tells no time of its own has that of `times`."""
    for start in range(0, len(points), _BLOCK):
        names, steps, values, own = zip(*points[start : start + _BLOCK], strict=True)
        known = tuple(each or other for each, other in zip(own, times[start:], strict=False))
        yield MetricsLogged(names=names, steps=steps, values=values, times=known)
