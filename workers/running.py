"""A run: the training script's door to the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import index
from types import TracebackType
from typing import Any, Final

import uuid_utils

from ..domain.commands import Checkpoint, FinishRun, LogMetrics, StartRun
from ..domain.names import checked_key
from ..errors import LeptonError, Malformed, Refused
from ..events.run import MetricsLogged
from ..results import Version
from ..settings import log
from . import saving
from .environment import code, environment
from .subject import read
from .workspace import Workspace

POINTS: Final = 1000
"""Points an event holds at most."""
BUFFERED: Final = 5000
SECONDS: Final = 5.0


class Run:
    """An open run, as a context manager: what raises inside it is recorded as its failure and raised on.

    Points are buffered, and recorded as columns of up to 1,000: when 5,000 wait, after 5 seconds, and at the end.
    """

    def __init__(
        self,
        workspace: Workspace,
        model: str,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = str(uuid_utils.uuid7())
        self.model = model
        self.hyperparameters = dict(hyperparameters or {})
        self._workspace = workspace
        self._data = data
        self._points: list[tuple[str, int | None, float, float]] = []
        self._names: set[str] = set()
        self._logged = 0
        self._flushed = time.monotonic()
        self._state = "new"

    def __enter__(self) -> Run:
        command = StartRun(
            run=self.id,
            model=self.model,
            hyperparameters=self.hyperparameters,
            data=self._data,
            environment=environment(),
            code=code(),
        )
        self._workspace.admit(command, None)
        self._state = "open"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        trouble = _tried(self.flush)
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
        self._workspace.admit(command, None)

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Note figures, at a step of the training if it has one; NaN and infinities too, since trainings diverge.

        Raises `Malformed` for what is no number, and then notes none of them.
        """
        self._opened()
        now, step = time.time(), None if step is None else _step(step)
        self._points += [(self._name(name), step, _figure(name, value), now) for name, value in metrics.items()]
        if len(self._points) >= BUFFERED or time.monotonic() - self._flushed > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Record what is buffered."""
        self._opened()
        self._flushed = time.monotonic()
        if not self._points:
            return
        blocks = tuple(_block(self._points[n : n + POINTS]) for n in range(0, len(self._points), POINTS))
        self._workspace.admit(LogMetrics(run=self.id, blocks=blocks), None)
        self._logged += len(self._points)
        self._points.clear()

    def checkpoint(self, module: Any, *, step: int | None = None) -> str:
        """Keep a module's tensors on the way, without making a version: the digest of their manifest."""
        from ..tensors.graph import Graph

        subject = read(module, self.model)
        kept = self._workspace.vault_to_save().keep(subject.tensors, base=None, graph=Graph({}, ()))
        command = Checkpoint(run=self.id, tensors=kept.manifest.digest, step=step, stored=saving.stored(kept))
        self._workspace.admit(command, None, placements=saving.placed(kept))
        return kept.manifest.digest

    def save(self, module: Any, *, name: str | None = None, **asked: Any) -> Version:
        """Keep a version that bears this run; takes what `ModelManager.save_version` takes."""
        self.flush()
        subject = read(module, name or self.model)
        subject = replace(
            subject,
            hyperparameters=subject.hyperparameters or self.hyperparameters,
            data=subject.data or self._data,
        )
        return saving.keep(self._workspace, module, subject, run=self.id, **asked)

    def _opened(self) -> None:
        if self._state != "open":
            raise Refused("the run is not open; use it as `with manager.run(...) as run:`")

    def _name(self, name: str) -> str:
        if name not in self._names:
            self._names.add(checked_key(name, "metric"))
        return name


def _tried(act: Callable[[], None]) -> LeptonError | None:
    """What went wrong at a run's end: told, for it must neither leave the run open nor hide why the run ended."""
    try:
        act()
    except LeptonError as trouble:
        log.warning("%s", trouble)
        return trouble
    return None


def _figure(name: str, value: Any) -> float:
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is torch's, for several numbers
        pass
    raise Malformed(f"metric {name!r} is a {type(value).__name__}; a run logs one number a name")


def _step(step: Any) -> int:
    try:
        return index(step)
    except TypeError:
        raise Malformed(f"the step is a {type(step).__name__}; give a whole number, or none") from None


def _block(points: list[tuple[str, int | None, float, float]]) -> MetricsLogged:
    names, steps, values, times = zip(*points, strict=True)
    moments = tuple(datetime.fromtimestamp(each, UTC) for each in times)
    return MetricsLogged(names=names, steps=steps, values=values, times=moments)
