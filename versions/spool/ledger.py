"""The ledger that is opened here, as outbox and delivery tell it of saves and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ...domain.access.rights import ALL
from ...domain.commands import FinishRun, ResumeRun, StartRun, run_stream
from ...domain.model.commit import free_tag
from ...domain.run.state import RunState
from ...errors import Refused, RunTaken
from ...events.sql.heartbeats import Heartbeats
from ...settings import log
from .. import save as saving
from ..runs.run_file import RunFile
from ..save_request import Save
from ..source import Subject
from ..workspace import Workspace
from .entries import RunCommand

if TYPE_CHECKING:
    from ...results import Version
    from ...tensors.tensor import Tensor


@dataclass(frozen=True, slots=True)
class LedgerDestination:
    """A `Destination` over a workspace."""

    workspace: Workspace

    def acting(self, actor: str) -> LedgerDestination:
        """As the port says, with all rights: whoever spooled could open the home."""
        if (self.workspace.actor, self.workspace.rights) == (actor, ALL):
            return self
        return LedgerDestination(self.workspace.acting(actor, ALL))

    def check_open(self, key: str) -> None:
        with self.workspace.ledger.store.admission((key,)):
            pass

    def save(
        self, subject: Subject, save: Save, key: str, *, time: datetime | None = None, writer: str | None = None
    ) -> Version:
        if save.run is not None:
            self._check_writer(save.run, writer)
        return saving.save_filled(self.workspace, subject, save, key, time)

    def send(self, command: RunCommand, key: str, *, time: datetime | None = None, writer: str | None = None) -> None:
        self._check_writer(command.run, writer)
        self.workspace.admit(command, key, time=time)
        if isinstance(command, StartRun):
            self._beats.expect(command.run)  # a run is to be heard of that was begun here, and
        elif isinstance(command, FinishRun):
            self._beats.end(command.run)  # no more of one that has ended

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
        self._check_writer(run, writer)
        return saving.checkpoint(self.workspace, run, tensors, step, key, time, architecture)

    def log_files(
        self, run: str, files: Sequence[RunFile], key: str, *, time: datetime | None = None, writer: str | None = None
    ) -> tuple[str, ...]:
        from ..runs.files import keep

        self._check_writer(run, writer)
        return keep(self.workspace, run, files, key, time)

    def load_checkpoint(self, run: str, step: int | None, into: Any, optimizer: Any) -> Any:
        from ..runs.record import load

        return load(self.workspace, run, step, into, optimizer)

    def resume(self, run: str, writer: str, command: ResumeRun, key: str) -> None:
        receipt, beat = self.workspace.admit(command, key), self._beats.of(run)
        if receipt.repeated and beat is not None and beat.writer not in ("", writer):
            raise RunTaken(run)  # another went on with it since this was recorded
        self._beats.begin(run, writer)

    def beat(self, run: str, writer: str) -> bool:
        """As the port says; one that was taken for lost is resumed by this."""
        if self._beats.beat(run, writer):
            return True
        status = cast(RunState, self.workspace.ledger.state(run_stream(run))).status
        if self._beats.of(run) is not None or status not in ("unknown", "open", "lost"):
            return False
        if status == "lost":
            self.workspace.admit(ResumeRun(run=run), None)
        if status != "unknown":  # else its start is in the spool still
            self._beats.begin(run, writer)
        return True

    def number_under(self, key: str) -> int | None:
        return saving.number_under(self.workspace, key)

    def version(self, model: str, number: int) -> Version:
        return self.workspace.version(self.workspace.model(model), number)

    def head(self, model: str, branch: str) -> int | None:
        return self.workspace.model(model).head(branch)

    def parents(self, model: str, save: Save) -> tuple[int, ...]:
        with suppress(Refused):
            parents, _ = saving.parents_of(self.workspace, self.workspace.model(model), save)
            return tuple(parent.version for parent in parents if parent.model == model)
        return ()

    def free_tags(self, model: str, save: Save) -> tuple[str, ...]:
        state, free = self.workspace.model(model), list[str]()
        for tag in save.tags:
            try:
                free_tag(state, tag, state.next_number, branch=save.branch)
                free.append(tag)
            except Refused as taken:
                log.warning("%s; the version is adopted without it", taken)
        return tuple(free)

    def check_savable(self, model: str, branch: str, tags: tuple[str, ...], *, named: bool) -> None:
        state = saving.admissible(self.workspace, model, branch, tags)
        if not named:
            saving.tell_of_new(self.workspace, state, model)

    @property
    def _beats(self) -> Heartbeats:
        return Heartbeats(self.workspace.ledger.store)

    def _check_writer(self, run: str, writer: str | None) -> None:
        if writer is None:
            return
        beat = self._beats.of(run)
        if beat is not None and beat.writer not in ("", writer):
            raise RunTaken(run)
