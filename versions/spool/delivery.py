"""Delivery: what waits in the spool is told to the ledger, once and in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import uuid_utils

from ...errors import Damaged, LeptonError, Refused, Unavailable, UnknownRevision, recorded
from ...isolation import sentence, unforeseen
from ...results import PendingVersion, Synced, Version, VersionRef
from ..runs.run_file import RunFile
from ..save_request import Named, Save, filled
from .destination import Destination
from .entries import read_command, read_save, tensors_of
from .entry import SpoolEntry
from .spool import Spool

if TYPE_CHECKING:
    from ...tensors.tensor import Tensor

log = logging.getLogger("lepton")

_OWN_WORDS: Final = ("message", "reason")
"""What an actor wrote freely: the ledger seals it, the spool has it in the clear."""
_ABOUT: Final = ("kind", "key", "actor", "time", "model", "run")


@dataclass
class Delivery:
    """Takes entries from a spool to the ledger, each under its own key and in the name of who spooled it.

    `opened` gives the ledger, or raises `Unavailable`. An entry leaves the spool after it was admitted: killed in
    between, it is told again, and its key sees to it that it acts once. What the ledger refuses is put aside.
    """

    spool: Spool
    opened: Callable[[], Destination]
    origins: WeakKeyDictionary[Any, Version | PendingVersion] = field(
        default_factory=WeakKeyDictionary[Any, Version | PendingVersion]
    )
    """Which version a live object was loaded from or last saved as."""

    def deliver(self, *, patient: bool = True) -> list[Mapping[str, Any]]:
        """Tell the ledger all that waits, in order: what became of each. Raises `Unavailable` where it cannot now."""
        delivered: list[Mapping[str, Any]] = []
        if not (self.spool.waiting() or self.spool.strays()):
            return delivered
        ledger = self.opened()
        with self.spool.lock(patient=patient) as held:
            self._set_strays_aside()
            stuck = set[str]()
            while names := [name for name in self.spool.waiting() if name not in stuck]:
                held.check()
                delivered.append(self._deliver(ledger, names[0], stuck))
        return delivered

    def sync(self, *, again: bool = False) -> Synced:
        """Deliver all that waits, with `again` also what was refused before. Raises `Unavailable`."""
        if again:
            self.spool.again()
        delivered = [entry for entry in self.deliver() if "reason" not in entry]
        aside = [self._aside(name) for name in (*self.spool.refused(), *self.spool.strange())]
        return Synced(tuple(delivered), (*aside, *map(_left_lying, self.spool.strays())))

    def forget(self, actor: str) -> bool:
        """Take an actor's name and words out of what still stands in the spool: whether there was anything of theirs.

        What they saved and logged stays, asked by nobody in particular. What cannot be read is left as it is.
        """
        if not (names := [*self.spool.waiting(), *self.spool.refused()]):
            return False
        there = False
        with self.spool.lock():
            for name in names:
                with suppress(Damaged, Refused, FileNotFoundError):
                    entry = self.spool.read(name)
                    if entry.actor == actor:
                        nobody = f"forgotten-{uuid_utils.uuid4()}"
                        content = entry.asked | {word: "" for word in _OWN_WORDS if entry.asked.get(word)}
                        self.spool.rewrite(name, replace(entry, actor=nobody, asked=content))
                        there = True
        return there

    def arrived(self, pending: PendingVersion) -> Version:
        """The version that a pending one has become, delivered now if it still waits.

        Raises `Unavailable` while the ledger is away, `Refused` where the save was refused.
        """
        try:
            self.deliver()
            ledger = self.opened()
            return ledger.version(pending.model, self._number(ledger, pending))
        except Unavailable as error:
            raise Unavailable(f"a pending version of {pending.model} has no number yet, for {error}") from error

    def known(self, ledger: Destination, save: Save) -> Save:
        """A save whose pending parents have the numbers that they got. Raises `Refused` where one was refused."""

        def number(version: Any) -> Any:
            return self._number(ledger, version) if isinstance(version, PendingVersion) else version

        def parent(named: Named) -> Named:
            if not isinstance(pending := named.version, PendingVersion):
                return named
            return named._replace(version=VersionRef(pending.model, self._number(ledger, pending)))

        parents = save.parents and tuple(map(parent, save.parents))
        return replace(save, parents=parents, origin=number(save.origin), expected=number(save.expected))

    def _deliver(self, ledger: Destination, name: str, stuck: set[str]) -> Mapping[str, Any]:
        """Tell one entry: what became of it. An entry that cannot be moved is `stuck`, and stays where it is."""
        try:
            entry = self.spool.read(name)
            tensors, files = tensors_of(entry.asked, lambda: self.spool.objects(name))
        except (Damaged, Refused) as error:
            return self._refused(name, error, stuck)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one entry holds must not keep those behind it waiting
            return self._refused(name, unforeseen(error, "the entry"), stuck)
        ledger.check_open(entry.key)
        try:
            version = self._told(ledger.acting(entry.actor), entry, tensors, files)
        except Unavailable:
            raise
        except LeptonError as refusal:
            return self._refused(name, refusal, stuck)
        except Exception as error:  # noqa: BLE001 - as above
            return self._refused(name, unforeseen(error, "the entry"), stuck)
        try:
            self.spool.done(name)
        except OSError as error:
            stuck.add(name)
            log.warning("a spooled entry was delivered and cannot be removed (%s); see to the home", error.strerror)
        log.info("a spooled %s of %s was delivered", entry.kind, entry.time.isoformat())
        return _about(entry) | {"version": None if version is None else int(version)}

    def _told(
        self, ledger: Destination, entry: SpoolEntry, tensors: Mapping[str, Tensor], files: Mapping[str, bytes]
    ) -> Version | None:
        if entry.kind == "save":
            subject, save = read_save(entry.asked, tensors, files)
            version = ledger.save(subject, filled(subject, self.known(ledger, save)), entry.key, time=entry.time)
            self._arrived(ledger, entry.key, version)
            return version
        if entry.kind == "checkpoint":
            place, shape = (entry.asked["run"], tensors, entry.asked["step"]), entry.asked.get("architecture")
            ledger.checkpoint(*place, entry.key, architecture=shape, time=entry.time)
        elif entry.kind == "files":
            logged = [RunFile(name, content, entry.asked["step"]) for name, content in files.items()]
            ledger.log_files(entry.asked["run"], logged, entry.key, time=entry.time)
        else:
            ledger.send(read_command(entry.kind, entry.asked), entry.key, time=entry.time)
        return None

    def _arrived(self, ledger: Destination, key: str, version: Version) -> None:
        """Let what was pending be found: by its key, and by the live objects it was saved from."""
        if ledger.number_under(key) is None:  # it repeats the head, so no event bears the key
            self.spool.note(key, int(version))
        for source, origin in list(self.origins.items()):
            if isinstance(origin, PendingVersion) and origin.key == key:
                self.origins[source] = version

    def _number(self, ledger: Destination, pending: PendingVersion) -> int:
        """The number that a delivered save got, by its key."""
        if number := ledger.number_under(pending.key) or self.spool.noted(pending.key):
            return number
        for name in self.spool.refused():
            if (about := self._aside(name))["key"] == pending.key:
                raise Refused(f"the save that was pending was refused when it was delivered: {about['reason']}")
        raise UnknownRevision(
            f"nothing is known of the pending version {pending.key}; it was spooled in another home, or stands among "
            "what `lepton sync` lists as damaged"
        )

    def _set_strays_aside(self) -> None:
        for name in self.spool.strays():
            try:
                log.warning("%s; `lepton sync` lists it", self.spool.set_aside(name))
            except OSError as error:
                log.warning("%s (%s)", _left_lying(name)["reason"], error.strerror)

    def _refused(self, name: str, error: LeptonError, stuck: set[str]) -> Mapping[str, Any]:
        reason = sentence(recorded(error))
        log.warning("a spooled entry was refused and put aside, `lepton sync` lists it: %s", reason)
        try:
            self.spool.refuse(name, reason)
        except OSError as cause:
            stuck.add(name)
            log.warning("the entry cannot be put aside (%s); see to the home", cause.strerror)
            return dict.fromkeys(_ABOUT) | {"reason": reason}
        return self._aside(name)

    def _aside(self, name: str) -> Mapping[str, Any]:
        about: Mapping[str, Any] = dict.fromkeys(_ABOUT)
        with suppress(Damaged, Refused):
            about = _about(self.spool.read(name))
        return {**about, "reason": self.spool.reason(name)}


def _left_lying(name: str) -> Mapping[str, Any]:
    """What is told of a stray that lies where it was found."""
    return dict.fromkeys(_ABOUT) | {"reason": f"{name!r} is no entry of the spool and cannot be moved; take it away"}


def _about(entry: SpoolEntry) -> dict[str, Any]:
    subject = {"model": entry.asked.get("name", entry.asked.get("model")), "run": entry.asked.get("run")}
    return {"kind": entry.kind, "key": entry.key, "actor": entry.actor, "time": entry.time.isoformat(), **subject}
