"""The outbox: what a training script says goes to the ledger, or into the spool while that is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import uuid_utils

from ...domain.commands import ResumeRun
from ...errors import LeptonError, Unavailable
from ...events.actor import checked_actor
from ...models.wrapped import followed, unwrapped
from ...plain import plain
from ...results import PendingVersion, Version
from ..runs.run_file import RunFile
from ..save_request import Save, asked_for, filled
from ..source import Subject, read
from ..spool import refused
from . import entries
from .delivery import Delivery
from .destination import Destination
from .entry import SpoolEntry
from .salvage import salvaged

T = TypeVar("T")
U = TypeVar("U")
log = logging.getLogger("lepton")

_PATIENCE: Final = 9.0
"""After a vain attempt a run's flushes make none for so many times as long as it took: a tenth of the time is lost."""


class Outbox:
    """The way of saves, runs and metrics into the ledger: behind all that waits, each at once or as soon as it is back.

    With `strict` nothing is spooled: `Unavailable` is raised, carrying the key. What is refused is kept for its caller,
    unless it is not `keeping`, as for those who ask from elsewhere.
    """

    def __init__(
        self, deliveries: Delivery, actor: str, *, strict: bool = False, keeping: bool = True, run_term: float = 90.0
    ) -> None:
        self.delivery = deliveries
        self.run_term = run_term
        """Seconds for which a run may be silent."""
        self.strict = strict
        self._keeping = keeping
        self._actor = actor
        self._rest_until = 0.0
        self._away = False

    def save(
        self, source: Any, name: str | None, /, *, key: str | None = None, writer: str | None = None, **asked: Any
    ) -> Version | PendingVersion:
        """Keep an object as a version; takes what `ModelManager.save_version` takes, and the `run` it comes from.

        With `writer` the run must be that writer's still.

        Where it is refused, for whatever reason, what was to be saved is kept in the spool, and the error names it.
        """
        subject = read(source, name)
        source = unwrapped(source)
        origin = self._origin(source, subject)
        try:
            version = self._save(subject, filled(subject, asked_for(origin, asked)), key or fresh_key(), writer)
        except Unavailable:
            raise
        except Exception as error:
            self._keep_refused(subject, origin, asked, error)
            raise
        if followed(source):
            self.delivery.origins[source] = version
        return version

    def keep_refused(self, source: Any, name: Any, asked: Mapping[str, Any], error: Exception) -> None:
        """Keep what a save was given that was refused before it was looked at, if it is anything to keep."""
        with suppress(LeptonError):
            subject = read(source, name if isinstance(name, str) else None)
            self._keep_refused(subject, self._origin(source, subject), asked, error)

    def _origin(self, source: Any, subject: Subject) -> Version | PendingVersion | None:
        """The version of the same model that the object was loaded from or last saved as."""
        origin = self.delivery.origins.get(unwrapped(source)) if followed(source) else None
        return origin if origin is not None and origin.model == subject.name else None

    def _keep_refused(
        self, subject: Subject, origin: Version | PendingVersion | None, arguments: Mapping[str, Any], error: Exception
    ) -> None:
        if not self._keeping:
            return
        try:
            checked_actor(self._actor)
            name = refused.keep(self.delivery.spool, subject, salvaged(subject, origin, arguments), self._actor, error)
        except (OSError, LeptonError) as trouble:
            log.warning("what was to be saved could not be kept either: %s", trouble)
            return
        if isinstance(error, LeptonError):
            error.kept_as(name)
        else:
            error.add_note(f"what was to be saved is kept as {name}; `lepton adopt {name}` takes it in")

    def send(self, command: entries.RunCommand, *, key: str, patient: bool = True, writer: str | None = None) -> None:
        """Tell a run's command; where not `patient`, without asking again what was away a moment ago.

        Raises `RunTaken` where another writer than this one goes on with the run.
        """

        def keep() -> None:
            kind, plain = entries.written_command(command)
            self.delivery.spool.put(SpoolEntry(kind, key, self._actor, begun, plain))

        def tell(ledger: Destination) -> None:
            ledger.send(command, key, writer=writer)

        begun = datetime.now(UTC)
        self._tell(tell, keep, key, patient)

    def resume(self, run: str, writer: str, command: ResumeRun) -> None:
        """Go on with a run in the place of whoever logged to it before. Raises `Unavailable` while that cannot be."""
        self.ready()
        self.delivery.opened().resume(run, writer, command, fresh_key())

    def beat(self, run: str, writer: str) -> bool:
        """Let a run be heard of: False where it has ended, or somebody else goes on with it.

        One that was taken for lost is resumed by this. Raises `Unavailable`.
        """
        return self.delivery.opened().beat(run, writer)

    def checkpoint(self, run: str, subject: Subject, step: int | None, writer: str) -> str:
        """Keep a run's tensors on the way: the digest of their manifest. Raises `RunTaken` as `send` does."""

        def keep() -> str:
            entry = SpoolEntry("checkpoint", key, self._actor, begun, {"run": run, "step": step, "architecture": shape})
            return self.delivery.spool.put(entry, entries.kept(subject.tensors, {}))["tensors"]

        def tell(ledger: Destination) -> str:
            return ledger.checkpoint(run, subject.tensors, step, key, architecture=shape, writer=writer)

        key, begun = fresh_key(), datetime.now(UTC)
        shape = plain(subject.architecture, "architecture") or None
        return self._tell(tell, keep, key)

    def log_files(self, run: str, files: Sequence[RunFile], writer: str, asked_key: str | None) -> tuple[str, ...]:
        """Keep files of one step of a run: the digests of their bytes. Raises `RunTaken` as `send` does."""

        def keep() -> tuple[str, ...]:
            entry = SpoolEntry("files", key, self._actor, begun, {"run": run, "step": files[0].step})
            digests = self.delivery.spool.put(entry, entries.kept_files(files))["files"]
            return tuple(digests[file.name] for file in files)

        def tell(ledger: Destination) -> tuple[str, ...]:
            return ledger.log_files(run, files, key, writer=writer)

        key, begun = asked_key or fresh_key(), datetime.now(UTC)
        return self._tell(tell, keep, key, patient=False)

    def ready(self) -> None:
        """Deliver what waits, before something else is changed. What cannot be delivered now goes on waiting."""
        try:
            self.delivery.deliver()
        except Unavailable as error:
            log.warning("what is spooled waits on, for %s", error)

    def _save(self, subject: Subject, save: Save, key: str, writer: str | None) -> Version | PendingVersion:
        def tell(ledger: Destination) -> Version:
            return ledger.save(subject, self.delivery.known(ledger, save), key, writer=writer)

        def keep() -> PendingVersion:
            entry = SpoolEntry("save", key, self._actor, begun, entries.written_save(subject.name, save))
            self.delivery.spool.put(entry, entries.kept(subject.tensors, save.files))
            return PendingVersion(key, model=subject.name, branch=save.branch)

        begun = datetime.now(UTC)
        return self._tell(tell, keep, key)

    def _tell(self, tell: Callable[[Destination], T], keep: Callable[[], U], key: str, patient: bool = True) -> T | U:
        """Tell the ledger, once all is told that waits; while that is in vain, wait behind it."""
        begun = time.monotonic()
        if begun < self._rest_until and not patient and not self.strict:
            return self._kept(keep, Unavailable("the ledger was away a moment ago; try again", key=key))
        try:
            self.delivery.deliver(patient=patient)
            answer = tell(self.delivery.opened())
        except Unavailable as error:
            error.key = error.key or key
            if self.strict:
                raise
            self._rest_until = time.monotonic() + _PATIENCE * (time.monotonic() - begun)
            return self._kept(keep, error)
        self._away = False
        return answer

    def _kept(self, keep: Callable[[], T], error: Unavailable) -> T:
        """Keep it in the spool; where there is no room either, what was wrong first is raised."""
        checked_actor(self._actor)
        try:
            answer = keep()
        except (OSError, Unavailable) as full:
            raise error from full
        if not self._away:
            log.warning("%s; what is saved and logged until then is spooled", error)
        self._away = True
        return answer


def fresh_key() -> str:
    """A key that no command has had."""
    return str(uuid_utils.uuid7())
