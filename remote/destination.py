"""A server as outbox and delivery tell it of saves and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from ..domain.commands import FinishRun, LogMetrics, ResumeRun, StartRun
from ..domain.model.revision import parts
from ..errors import Refused, RunTaken, UnknownRevision
from ..plain import in_json
from ..results import Refs, Version, VersionRef
from ..settings import log
from ..versions.runs.run_file import RunFile
from ..versions.save_request import Save
from ..versions.source import Subject
from ..versions.spool.entries import RunCommand
from .client import Client
from .transfer.saving import checkpointed, files_logged, saved
from .transfer.vault import RemoteVersions

if TYPE_CHECKING:
    from ..tensors.tensor import Tensor


class ServerDestination:
    """A `Destination` over a client. Who acts is whoever the token belongs to."""

    def __init__(self, client: Client, versions: RemoteVersions) -> None:
        self._client = client
        self._versions = versions
        self._models: dict[str, str] = {}
        """By run what it trains."""

    def acting(self, actor: str) -> ServerDestination:  # noqa: ARG002 - the server knows whose the token is
        return self

    def check_open(self, key: str) -> None:  # noqa: ARG002
        self._client.get("/position")

    def save(
        self, subject: Subject, save: Save, key: str, *, time: datetime | None = None, writer: str | None = None
    ) -> Version:
        if save.run is not None and writer is not None and not self.beat(save.run, writer):
            raise RunTaken(save.run)
        return saved(self._client, subject, save, key, time)

    def send(self, command: RunCommand, key: str, *, time: datetime | None = None, writer: str | None = None) -> None:
        told: dict[str, Any] = {"time": None if time is None else time.isoformat(), "writer": writer}
        told |= {each.name: getattr(command, each.name) for each in fields(command) if each.name != "asked"}
        match command:
            case StartRun():
                path, self._models[command.run] = "/runs", command.model
            case LogMetrics():
                told["blocks"] = [in_json(block.model_dump(mode="json")) for block in command.blocks]
                path = _run(told.pop("run"), "metrics")
            case FinishRun():
                path = _run(told.pop("run"), "finish")
        self._client.write("POST", path, _said(told), key=key)

    def checkpoint(
        self,
        run: str,
        tensors: Mapping[str, Tensor],
        step: int | None,
        key: str,
        *,
        architecture: Mapping[str, Any] | None = None,
        time: datetime | None = None,
        writer: str | None = None,
    ) -> str:
        if writer is not None and not self.beat(run, writer):
            raise RunTaken(run)
        told: dict[str, Any] = {"time": time, "architecture": architecture}
        return checkpointed(self._client, self._model_of(run), run, tensors, step, key, **told)

    def log_files(
        self, run: str, files: Sequence[RunFile], key: str, *, time: datetime | None = None, writer: str | None = None
    ) -> tuple[str, ...]:
        return files_logged(self._client, self._model_of(run), run, files, key, time=time, writer=writer)

    def load_checkpoint(self, run: str, step: int | None, into: Any, optimizer: Any) -> Any:
        return self._versions.load_checkpoint(run, step, into, optimizer)

    def resume(self, run: str, writer: str, command: ResumeRun, key: str) -> None:
        told = {"writer": writer, "environment": command.environment, "code": command.code}
        self._client.write("POST", _run(run, "resume"), _said(told), key=key)

    def beat(self, run: str, writer: str) -> bool:
        return bool(self._client.post(_run(run, "beat"), {"writer": writer})["open"])

    def number_under(self, key: str) -> int | None:  # noqa: ARG002
        """None: what a save became is noted in the spool."""
        return None

    def version(self, model: str, number: int) -> Version:
        return version_of(self._client.read(f"/models/{quote(model, safe='')}/versions/{number}"))

    def head(self, model: str, branch: str) -> int | None:
        try:
            head = self._refs(model, "branches").get(branch)
        except UnknownRevision:
            return None
        return None if head is None else int(head)

    def parents(self, model: str, save: Save) -> tuple[int, ...]:
        try:
            known = [self._parent(model, each.words, each.version) for each in save.parents or ()]
        except Refused:
            return ()
        own = tuple(each.number for each in known if each.model == model)
        if own or (save.parents is not None and not known):
            return own
        first = self.head(model, save.branch) if save.origin is None else int(cast(int, save.origin))
        return () if first is None else (first,)

    def free_tags(self, model: str, save: Save) -> tuple[str, ...]:
        try:
            taken = self._refs(model, "tags")
        except UnknownRevision:
            return tuple(save.tags)
        for tag in save.tags:
            if tag in taken:
                log.warning("tag %r names version %d by now; the version is adopted without it", tag, taken[tag])
        return tuple(tag for tag in save.tags if tag not in taken)

    def check_savable(self, model: str, branch: str, tags: tuple[str, ...], *, named: bool) -> None:
        """As the port says, as far as a server tells it: whether the model is closed, and which tags are taken."""
        del branch
        try:
            record = self._client.read(f"/models/{quote(model, safe='')}")
        except UnknownRevision:
            if not named and (others := self._client.get("/models")):
                names = ", ".join(each["model"] for each in others["models"][:10])
                log.warning("%s is a new model beside %s; name= would keep it as one of theirs", model, names)
            return
        if record.archived:
            raise Refused(f"model {model!r} is archived; unarchive it first")
        if taken := next((tag for tag in tags if tag in record.tags), None):
            raise Refused(f"tag {taken!r} names version {int(record.tags[taken])} already; choose another")

    def _model_of(self, run: str) -> str:
        """The model of a run that was begun here, or that the server knows."""
        if run not in self._models:
            self._models[run] = self._client.read(f"/runs/{quote(run, safe='')}").model
        return self._models[run]

    def _refs(self, model: str, kind: str) -> Refs:
        return self._client.read(f"/models/{quote(model, safe='')}/{kind}")

    def _parent(self, model: str, words: str, version: Any) -> VersionRef:
        if isinstance(version, VersionRef):
            return version
        if isinstance(version, int):
            return VersionRef(model, int(version))
        of = parts(words)[0] or model
        found = version_of(self._client.read(f"/models/{quote(of, safe='')}/versions/{quote(words, safe='')}"))
        return VersionRef(found.model, int(found))


def version_of(record: Any) -> Version:
    """The version that a record is of, as callers hold it."""
    return record if isinstance(record, Version) else record.version


def _run(run: str, what: str) -> str:
    return f"/runs/{quote(run, safe='')}/{what}"


def _said(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is said: nothing is sent for what is not."""
    return {name: value for name, value in told.items() if value is not None}
