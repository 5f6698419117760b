"""A run: the training script's door to the ledger."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import index
from types import TracebackType
from typing import Any, Final

import uuid_utils

from ..domain.commands import FinishRun, LogMetrics, ResumeRun, StartRun
from ..domain.names import checked_label, checked_model, figure
from ..errors import LeptonError, Malformed, Refused, Unavailable
from ..events.bounds import SIGNED
from ..events.run import MetricsLogged
from ..plain import plain, whole
from ..provenance import code, environment
from ..results import Version
from .heartbeat import Heart
from .runs import Resumed, RunRecord, load
from .source import read
from .spool.outbox import Outbox, fresh_key

POINTS: Final = 1000
"""Points an event holds at most."""
BLOCK_BYTES: Final = 192 * 1024
"""What an event's points may take of the 256 KiB that it holds."""
BUFFERED: Final = 5000
POINT_BYTES: Final = 80
"""What a point takes beside its name: step, value and time."""
LOGGED_BYTES: Final = 640 * 1024
"""What the points of one command may take of the 768 KiB that its events may."""
SECONDS: Final = 5.0
BEATS: Final = 4
"""Times that a run is heard of within its term."""
log = logging.getLogger("lepton")

Point = tuple[str, int | None, float, float]
"""A metric's name, step, value, and when it was logged."""


class Run:
    """An open run, as a context manager: what raises inside it is recorded as its failure and raised on.

    Points are buffered, and recorded as columns of up to 1,000: when 5,000 wait, after 5 seconds, and at the end.
    While the ledger is away all of it is spooled, in order, and the run goes on.
    """

    def __init__(
        self,
        outbox: Outbox,
        model: str,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        resumes: Resumed | None = None,
    ) -> None:
        self.id = resumes.run if resumes else str(uuid_utils.uuid7())
        self.model = checked_model(model)
        self.hyperparameters = {} if hyperparameters is None else plain(hyperparameters, "hyperparameters")
        self.name = None if name is None else checked_label(name, "run")
        self.tags = tuple(checked_label(tag, "run's tag") for tag in tags)
        self.step = resumes.step if resumes else None
        """The greatest step that was logged."""
        self._resumes = resumes is not None
        self._writer = str(uuid_utils.uuid7())
        self._heart = Heart(lambda: outbox.beat(self.id, self._writer), outbox.run_term / BEATS)
        self._outbox = outbox
        self._data = data
        self._points: list[Point] = []
        self._unsent: list[tuple[str, LogMetrics]] = []
        """Points that nobody took, each under the key it was sent under."""
        self._names: set[str] = set()
        self._longest = 0
        """Bytes of the longest of them, as JSON."""
        self._logged = resumes.points if resumes else 0
        self._flushed = time.monotonic()
        self._state = "new"
        self._owner = self._process = os.getpid()

    def __enter__(self) -> Run:
        if self._state != "new":
            raise Refused("a run is begun once; `manager.resume(run)` goes on with one")
        if self._resumes:
            again = ResumeRun(run=self.id, environment=environment(), code=code())
            self._outbox.resume(self.id, self._writer, again)
        else:
            self._outbox.send(self._start(), key=fresh_key())
        self._state, self._owner, self._process = "open", os.getpid(), os.getpid()
        self._heart.start()
        return self

    def _start(self) -> StartRun:
        return StartRun(
            run=self.id,
            model=self.model,
            hyperparameters=self.hyperparameters,
            data=None if self._data is None else plain(self._data, "data"),
            environment=environment(),
            code=code(),
            name=self.name,
            tags=self.tags,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if os.getpid() != self._owner:  # a forked child on its way out: the run is its parent's
            return
        trouble = _tried(self.flush)
        self._heart.stop()
        if self._heart.ended and self._state == "taken":
            return
        trouble = _tried(lambda: self._finish(error or trouble)) or trouble
        if trouble is not None and error is None:
            raise trouble

    def _finish(self, error: BaseException | None) -> None:
        self._state = "closed"
        command = FinishRun(
            run=self.id,
            error=None if error is None else type(error).__qualname__,
            reason="" if error is None else str(error)[:2000].encode(errors="replace").decode(),
            points=self._logged,
        )
        self._outbox.send(command, key=fresh_key())

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Note figures, at a step of the training if it has one; NaN and infinities too, since trainings diverge.

        Raises `Malformed` for what is no number, and then notes none of them.
        """
        self._opened()
        now, step = time.time(), None if step is None else _step(step)
        self.step = max((each for each in (self.step, step) if each is not None), default=None)
        self._points += [(self._name(name), step, figure(name, value), now) for name, value in metrics.items()]
        if len(self._points) >= BUFFERED or time.monotonic() - self._flushed > SECONDS:
            self._flush_in_passing()

    def flush(self) -> None:
        """Record what is buffered."""
        self._flush(patient=True)

    def checkpoint(self, module: Any, *, step: int | None = None) -> str:
        """Keep a module's tensors on the way, without making a version: the digest of their manifest."""
        at = None if step is None else _step(step)
        self.flush()
        return self._outbox.checkpoint(self.id, read(module, self.model), at)

    def load_checkpoint(self, step: int | None = None, *, into: Any = None) -> Any:
        """What the run kept at a step, or last: as `ModelManager.load_checkpoint` has it."""
        return load(self._outbox.delivery.opened(), self.id, step, into)

    def save(self, module: Any, *, name: str | None = None, **asked: Any) -> Version:
        """Keep a version that bears this run; takes what `ModelManager.save_version` takes."""
        self._opened()
        _tried(self.flush)  # it is told again at the end, and must not cost what was trained
        name = name or self.model
        known = read(module, name)
        own = {
            "hyperparameters": asked.pop("hyperparameters", None) or known.hyperparameters or self.hyperparameters,
            "data": asked.pop("data", None) or known.data or self._data,
        }
        return self._outbox.save(module, name, run=self.id, **own, **asked)

    def _flush(self, *, patient: bool) -> None:
        self._opened()
        self._flushed = time.monotonic()
        if self._points:
            weight = self._longest + POINT_BYTES
            for points in _cut(self._points, min(BUFFERED, LOGGED_BYTES // weight)):
                blocks = tuple(map(_block, _cut(points, min(POINTS, BLOCK_BYTES // weight))))
                self._unsent.append((fresh_key(), LogMetrics(run=self.id, blocks=blocks)))
            self._logged += len(self._points)
            self._points.clear()
        while self._unsent:
            key, command = self._unsent[0]
            self._outbox.send(command, key=key, patient=patient)
            del self._unsent[0]

    def _flush_in_passing(self) -> None:
        """Record what is buffered; where neither ledger nor spool takes it, it stays here and the training goes on."""
        try:
            self._flush(patient=False)
        except Unavailable as error:
            if self._outbox.strict:
                raise
            log.warning("%s; the run's points are kept in memory until then", error)

    def _opened(self) -> None:
        if os.getpid() != self._process:  # its parent records what was buffered before the fork
            self._process, self._points, self._unsent, self._logged = os.getpid(), [], [], 0
        if self._state == "open" and self._heart.ended:
            self._state = "taken"
        if self._state == "taken":
            raise Refused(f"run {self.id} goes on elsewhere, or was ended there; this script logs to it no more")
        if self._state != "open":
            raise Refused("the run is not open; use it as `with manager.run(...) as run:`")

    def _name(self, name: str) -> str:
        if name not in self._names:
            self._names.add(checked_label(name, "metric"))
            self._longest = max(self._longest, len(json.dumps(name, ensure_ascii=False).encode()))
        return name


def resumed(outbox: Outbox, found: RunRecord, far: Resumed) -> Run:
    """A run to go on with, as it was begun."""
    return Run(
        outbox,
        found.model,
        hyperparameters=found.hyperparameters,
        data=found.data,
        name=found.name,
        tags=found.tags,
        resumes=far,
    )


def _tried(act: Callable[[], None]) -> LeptonError | None:
    """What went wrong at a run's end: told, for it must neither leave the run open nor hide why the run ended."""
    try:
        act()
    except LeptonError as trouble:
        log.warning("%s", trouble)
        return trouble
    return None


def _step(step: Any) -> int:
    try:
        return whole(index(step), "the step", SIGNED)
    except TypeError:
        raise Malformed(f"the step is a {type(step).__name__}; give a whole number, or none") from None


def _cut(points: list[Point], most: int) -> Iterator[list[Point]]:
    return (points[start : start + most] for start in range(0, len(points), most))


def _block(points: list[Point]) -> MetricsLogged:
    names, steps, values, times = zip(*points, strict=True)
    moments = tuple(datetime.fromtimestamp(each, UTC) for each in times)
    return MetricsLogged(names=names, steps=steps, values=values, times=moments)
