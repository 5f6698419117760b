"""A run: the training script's door to the ledger."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast

import uuid_utils

from ...domain.commands import FinishRun, LogMetrics, ResumeRun, StartRun
from ...domain.model.metric import checked_better
from ...domain.names import checked_label, checked_model
from ...errors import LeptonError, Malformed, Refused, RunTaken, Unavailable, recorded
from ...events.bounds import SIGNED
from ...models.optimizer_state import as_tensor
from ...plain import plain, whole, words_of
from ...provenance import code, environment
from ...results import PendingVersion, Version
from ..arguments import check
from ..source import read
from ..spool.outbox import Outbox, fresh_key
from .heartbeat import Heart
from .points import Points, Resumed
from .run_file import run_files

if TYPE_CHECKING:
    from .record import RunRecord

BEATS: Final = 4
"""Times that a run is heard of within its term."""
log = logging.getLogger("lepton")


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
        better: Mapping[str, str] | None = None,
        resumes: Resumed | None = None,
    ) -> None:
        self.id = resumes.run if resumes else str(uuid_utils.uuid7())
        self.model = checked_model(model)
        self.hyperparameters = {} if hyperparameters is None else plain(hyperparameters, "hyperparameters")
        self.name = None if name is None else checked_label(name, "run")
        self.tags = tuple(checked_label(tag, "run's tag") for tag in tags)
        self.better = checked_better(better or {})
        self.step = resumes.step if resumes else None
        """The greatest step that was logged."""
        self.version: Version | PendingVersion | None = None
        """The version that was saved last."""
        self._resumes = resumes is not None
        self._writer = str(uuid_utils.uuid7())
        self._heart = Heart(lambda: outbox.beat(self.id, self._writer), outbox.run_term / BEATS)
        self._outbox = outbox
        self._data = data
        self._points = Points(self.id, resumes.points if resumes else 0)
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
        if self._state == "taken":
            return
        trouble = _tried(lambda: self._finish(error or trouble)) or trouble
        if trouble is not None and error is None and not isinstance(trouble, RunTaken):
            raise trouble

    def _finish(self, error: BaseException | None) -> None:
        self._state = "closed"
        command = FinishRun(
            run=self.id,
            error=None if error is None else type(error).__qualname__,
            reason="" if error is None else recorded(error)[:2000].encode(errors="replace").decode(),
            points=self._points.logged,
        )
        self._outbox.send(command, key=fresh_key(), writer=self._writer)

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Note figures, at a step of the training if it has one; NaN and infinities too, since trainings diverge.

        Raises `Malformed` for what is no number, and then notes none of them.
        """
        self._opened()
        if not isinstance(cast(Any, metrics), Mapping):
            raise Malformed(f"metrics are {words_of(metrics)}; give a mapping of names to numbers")
        step = None if step is None else _step(step)
        due = self._points.add(metrics, step)
        if step is not None and (self.step is None or step > self.step):
            self.step = step
        if due:
            self._flush_in_passing()

    def log_file(self, name: str, what: Any, *, step: int | None = None, key: str | None = None) -> str:
        """Keep a file of the run, called `figures/confusion.png` or the like: the digest of its bytes.

        `what` is a path, bytes, or an object that the ending of the name says how to write: a figure of matplotlib, a
        picture of Pillow, an array of uint8 as .png (height × width, or with 3 or 4 channels behind), a table as
        .parquet or .csv, a chart as .html or .json, a mapping or list as .json. Of two of one name and step the later
        one counts.
        """
        return self.log_files({name: what}, step=step, key=key)[0]

    def log_files(
        self, named: Mapping[str, Any], *, step: int | None = None, key: str | None = None
    ) -> tuple[str, ...]:
        """Keep up to 500 files at once, all of them or none, which takes hardly longer than one: their digests."""
        self._opened()
        check("key", key, str | None, self.log_files)
        files = run_files(named, None if step is None else _step(step))
        with self._noticing():
            return self._outbox.log_files(self.id, files, self._writer, key)

    def log_text(self, name: str, text: str, *, step: int | None = None, key: str | None = None) -> str:
        """Keep a text as a file of the run, in UTF-8, as `log_file` has it."""
        check("text", text, str, self.log_text)
        return self.log_file(name, text.encode(), step=step, key=key)

    def flush(self) -> None:
        """Record what is buffered."""
        self._flush(patient=True)

    def checkpoint(self, module: Any, *, step: int | None = None, optimizer: Any = None) -> str:
        """Keep a module's tensors on the way, without making a version: the digest of their manifest.

        The state of an `optimizer` is kept beside them, for `load_checkpoint` to fill one.
        """
        at = None if step is None else _step(step)
        subject = read(module, self.model)
        if optimizer is not None:
            subject = replace(subject, tensors={**subject.tensors, **as_tensor(optimizer)})
        self.flush()
        with self._noticing():
            return self._outbox.checkpoint(self.id, subject, at, self._writer)

    def load_checkpoint(self, step: int | None = None, *, into: Any = None, optimizer: Any = None) -> Any:
        """What the run kept at a step, or last: as `ModelManager.load_checkpoint` has it."""
        return self._outbox.delivery.opened().load_checkpoint(self.id, step, into, optimizer)

    def save(
        self, module: Any, *, name: str | None = None, key: str | None = None, **asked: Any
    ) -> Version | PendingVersion:
        """Keep a version that bears this run; takes what `ModelManager.save_version` takes."""
        try:
            self._opened()
            for word, value in (("name", name), ("key", key)):
                check(word, value, str | None, self.save)
            if own := sorted({"run", "writer"} & asked.keys()):
                raise Malformed(f"a run's save takes no {own[0]!r}; the version bears the run that saves it")
        except (Malformed, Refused) as refusal:
            self._outbox.keep_refused(module, self.model, asked, refusal)
            raise
        _tried(self.flush)  # it is told again at the end, and must not cost what was trained
        name = name or self.model
        known = read(module, name)
        usual = {
            "hyperparameters": known.hyperparameters or self.hyperparameters,
            "data": known.data or self._data,
            "better": self.better,
        }
        own = {word: value for word, value in usual.items() if asked.get(word) is None}
        with self._noticing():
            self.version = self._outbox.save(module, name, key=key, writer=self._writer, run=self.id, **asked | own)
        return self.version

    def _flush(self, *, patient: bool) -> None:
        self._opened()

        def send(key: str, command: LogMetrics) -> None:
            self._outbox.send(command, key=key, patient=patient, writer=self._writer)

        with self._noticing():
            self._points.send(send, fresh_key, patient=patient)

    @contextmanager
    def _noticing(self) -> Generator[None]:
        """Notice that another script goes on with the run."""
        try:
            yield
        except RunTaken:
            self._state = "taken"
            raise

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
            self._process = os.getpid()
            self._points.own()
        if self._state == "open" and self._heart.ended:
            self._state = "taken"
        if self._state == "taken":
            raise RunTaken(self.id)
        if self._state != "open":
            raise Refused("the run is not open; use it as `with manager.run(...) as run:`")


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
        raise Malformed(f"the step is {words_of(step)}; give a whole number, or none") from None
