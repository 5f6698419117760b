"""Delivery: what waits in the spool is told to the ledger, once and in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..domain.commands import FinishRun, StartRun
from ..errors import Damaged, LeptonError, Refused, Unavailable, UnknownRevision
from ..events.heartbeats import Heartbeats
from ..results import PendingVersion, Synced, Version
from . import saving
from .asking import Save
from .entries import RunCommand, read_command, read_save, tensors_of
from .spool import Entry, Spool
from .workspace import Workspace

if TYPE_CHECKING:
    from ..tensors.tensor import Tensor

log = logging.getLogger("lepton")


@dataclass
class Delivery:
    """Takes entries from a spool to the ledger, each under its own key and in the name of who spooled it.

    `opened` gives the workspace, or raises `Unavailable`. An entry leaves the spool after it was admitted: killed in
    between, it is told again, and its key sees to it that it acts once. What the ledger refuses is put aside.
    """

    spool: Spool
    opened: Callable[[], Workspace]
    origins: WeakKeyDictionary[Any, Version] = field(default_factory=WeakKeyDictionary[Any, Version])
    """Which version a live object was loaded from or last saved as."""

    def deliver(self, *, patient: bool = True) -> list[Mapping[str, Any]]:
        """Tell the ledger all that waits, in order: what became of each. Raises `Unavailable` where it cannot now."""
        told: list[Mapping[str, Any]] = []
        if not self.spool.waiting():
            return told
        workspace = self.opened()
        with self.spool.lock(patient=patient):
            while names := self.spool.waiting():
                told.append(self._deliver(workspace, names[0]))
        return told

    def sync(self, *, again: bool = False) -> Synced:
        """Deliver all that waits, with `again` also what was refused before. Raises `Unavailable`."""
        if again:
            self.spool.again()
        delivered = [told for told in self.deliver() if "reason" not in told]
        return Synced(tuple(delivered), tuple(self._aside(name) for name in self.spool.refused()))

    def arrived(self, pending: PendingVersion) -> Version:
        """The version that a pending one has become, delivered now if it still waits.

        Raises `Unavailable` while the ledger is away, `Refused` where the save was refused.
        """
        try:
            self.deliver()
            workspace = self.opened()
            return workspace.version(workspace.model(pending.model), self._number(workspace, pending))
        except Unavailable as error:
            raise Unavailable(f"a pending version of {pending.model} has no number yet, for {error}") from error

    def known(self, workspace: Workspace, save: Save) -> Save:
        """A save whose pending parents have the numbers that they got. Raises `Refused` where one was refused."""

        def number(version: Any) -> Any:
            return self._number(workspace, version) if isinstance(version, PendingVersion) else version

        parents = save.parents and tuple(each._replace(version=number(each.version)) for each in save.parents)
        return replace(save, parents=parents, origin=number(save.origin), expected=number(save.expected))

    def _deliver(self, workspace: Workspace, name: str) -> Mapping[str, Any]:
        try:
            entry = self.spool.read(name)
            tensors, files = tensors_of(entry.asked, self.spool.objects(name))
        except Damaged as damage:
            return self._refused(name, damage)
        try:
            own = workspace if entry.actor == workspace.actor else replace(workspace, actor=entry.actor)
            version = self._told(own, entry, tensors, files)
        except Refused as refusal:
            return self._refused(name, refusal)
        self.spool.done(name)
        log.info("a spooled %s of %s was delivered", entry.kind, entry.time.isoformat())
        return _about(entry) | {"version": None if version is None else int(version)}

    def _told(
        self, workspace: Workspace, entry: Entry, tensors: Mapping[str, Tensor], files: Mapping[str, bytes]
    ) -> Version | None:
        with workspace.ledger.store.admission((entry.key,)):
            pass  # a ledger that takes nothing now is found out before tensors are written to its store in vain
        if entry.kind == "save":
            subject, save = read_save(entry.asked, tensors, files)
            version = saving.save(workspace, subject, self.known(workspace, save), entry.key, entry.time)
            self._arrived(workspace, entry.key, version)
            return version
        if entry.kind == "checkpoint":
            place, shape = (entry.asked["run"], tensors, entry.asked["step"]), entry.asked.get("architecture")
            saving.checkpoint(workspace, *place, entry.key, entry.time, shape)
        else:
            command = read_command(entry.kind, entry.asked)
            workspace.admit(command, entry.key, time=entry.time)
            told(workspace, command)
        return None

    def _arrived(self, workspace: Workspace, key: str, version: Version) -> None:
        """Let what was pending be found: by its key, and by the live objects it was saved from."""
        if workspace.ledger.store.known(key) is None:  # it repeats the head, so no event bears the key
            self.spool.note(key, int(version))
        for source, origin in list(self.origins.items()):
            if isinstance(origin, PendingVersion) and origin.key == key:
                self.origins[source] = version

    def _number(self, workspace: Workspace, pending: PendingVersion) -> int:
        """The number that a delivered save got, by its key."""
        if number := saving.number_under(workspace, pending.key) or self.spool.noted(pending.key):
            return number
        for name in self.spool.refused():
            if (about := self._aside(name))["key"] == pending.key:
                raise Refused(f"the save that was pending was refused when it was delivered: {about['reason']}")
        raise UnknownRevision(f"nothing is known of the pending version {pending.key}; was it spooled in another home?")

    def _refused(self, name: str, error: LeptonError) -> Mapping[str, Any]:
        self.spool.refuse(name, str(error))
        log.warning("a spooled entry was refused and put aside, `lepton sync` lists it: %s", error)
        return self._aside(name)

    def _aside(self, name: str) -> Mapping[str, Any]:
        try:
            about = _about(self.spool.read(name))
        except Damaged:
            about = dict.fromkeys(("kind", "key", "actor", "time", "model", "run"))
        return about | {"reason": self.spool.reason(name)}


def told(workspace: Workspace, command: RunCommand) -> None:
    """Expect a run to be heard of that was begun here, and no more of one that has ended."""
    beats = Heartbeats(workspace.ledger.store)
    if isinstance(command, StartRun):
        beats.expect(command.run)
    elif isinstance(command, FinishRun):
        beats.end(command.run)


def _about(entry: Entry) -> dict[str, Any]:
    told = {"model": entry.asked.get("name", entry.asked.get("model")), "run": entry.asked.get("run")}
    return {"kind": entry.kind, "key": entry.key, "actor": entry.actor, "time": entry.time.isoformat(), **told}
