"""A run: the training script's door to the ledger."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

import uuid_utils

from ..domain.commands import Checkpoint, FinishRun, LogMetrics, StartRun
from ..errors import Malformed, Refused
from ..events.run import MetricsLogged
from ..results import Version
from . import saving
from .environment import code, environment
from .saving import Save
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
        self.flush()
        self._state = "closed"
        command = FinishRun(
            run=self.id,
            error=None if kind is None else kind.__qualname__,
            reason="" if error is None else str(error)[:2000],
            points=self._logged,
        )
        self._workspace.admit(command, None)

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Note figures, at a step of the training if it has one; NaN and infinities too, since trainings diverge."""
        now = time.time()
        for name, value in metrics.items():
            self._points.append((name, step, value, now))
        if len(self._points) >= BUFFERED or time.monotonic() - self._flushed > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Record what is buffered."""
        if self._state != "open":
            raise Refused("the run is not open; use it as `with manager.run(...) as run:`")
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

    def save(self, module: Any, **asked: Any) -> Version:
        """Keep a version that bears this run; takes what `ModelManager.save_version` takes."""
        self.flush()
        subject = read(module, self.model)
        hyperparameters = asked.pop("hyperparameters", None) or subject.hyperparameters or self.hyperparameters
        origin = self._workspace.origin(module)
        save = Save(
            run=self.id,
            origin=int(origin) if origin is not None and origin.model == subject.name else None,
            hyperparameters=hyperparameters,
            data=asked.pop("data", None) or subject.data or self._data,
            **asked,
        )
        version = saving.save(self._workspace, subject, save)
        self._workspace.remember(module, version)
        return version


def _block(points: list[tuple[str, int | None, float, float]]) -> MetricsLogged:
    names, steps, values, times = zip(*points, strict=True)
    try:
        return MetricsLogged(
            names=names,
            steps=steps,
            values=tuple(float(value) for value in values),
            times=tuple(datetime.fromtimestamp(each, UTC) for each in times),
        )
    except (TypeError, ValueError) as error:
        raise Malformed(f"a run logs names with numbers: {error}") from error
