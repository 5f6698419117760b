"""Saves that were refused: what was to be saved stays in the spool until it is adopted or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import uuid_utils

from ...domain.names import checked_model
from ...errors import Damaged, Refused, UnknownRevision
from ...results import RefusedSave, RefusedSaves, Version
from ..save_request import Save, asked_for, filled, named_parents
from ..source import Subject
from ..spool import entries
from .entry import SpoolEntry
from .spool import Spool

if TYPE_CHECKING:
    from .delivery import Delivery
    from .destination import Destination

SHOWN: Final = 12
"""Hexadecimal digits of its name that an entry is called by."""
_INCIDENTAL: Final = ("environment", "code")


def keep(spool: Spool, subject: Subject, save: Save, actor: str, error: Exception) -> str:
    """Keep a refused save: the name to adopt it by. What is kept already, the same in all, is not kept twice."""
    before = [(name, _content(spool.read(name))) for name in _saves(spool)]
    entry = SpoolEntry(
        "save", str(uuid_utils.uuid7()), actor, datetime.now(UTC), entries.written_save(subject.name, save)
    )
    name = spool.put_aside(entry, entries.kept(subject.tensors, save.files), _reason(error))
    content = _content(spool.read(name))
    if known := next((older for older, stored in before if stored == content), None):
        spool.drop(name)
    return _short(known or name)


def listed(spool: Spool) -> RefusedSaves:
    """The saves that are kept, the oldest first."""
    return RefusedSaves(_record(spool, name) for name in _saves(spool))


def load(spool: Spool, words: str, into: Any = None) -> Any:
    """The object that was to be saved: filled into one the caller built, rebuilt where its class is registered here,
    else its tensors by name."""
    from ...models.model import Model as LeptonModel
    from ...models.places import fill
    from ...models.rebuild import rebuilt
    from ...models.registry import knows
    from ...models.state import to_torch

    _, subject, save = _read(spool, named(spool, words))
    architecture = save.architecture or {}
    if into is None and not (knows(architecture.get("class")) and isinstance(architecture.get("config"), dict)):
        return {name: to_torch(tensor) for name, tensor in subject.tensors.items()}
    target = rebuilt(architecture, subject.tensors) if into is None else into
    fill(target, subject.tensors)
    if isinstance(target, LeptonModel):
        target.recall(
            hyperparameters=save.hyperparameters or {},
            settings=save.settings or {},
            data=save.data,
            metrics=save.metrics or {},
            validation=save.validation,
        )
    return target


def adopt(delivery: Delivery, words: str, changes: Mapping[str, Any], key: str | None) -> Version:
    """Take a refused save into the ledger after all, and drop it from the spool.

    Where neither parents nor a branch of its own is named it becomes a child of its branch's head; tags that are taken
    by now are left out, unless they are named again.
    """
    spool = delivery.spool
    name, ledger = named(spool, words), delivery.opened()
    entry, subject, save = _read(spool, name)
    subject = replace(subject, name=checked_model(changes.get("model") or subject.name))
    save = _changed(ledger, subject, delivery.known(ledger, save), changes)
    version = ledger.save(subject, filled(subject, save), key or f"adopt.{name}", time=entry.time)
    spool.note(entry.key, int(version))
    spool.drop(name)
    return version


def drop(spool: Spool, words: str) -> str:
    """Give a refused save up for good: its name."""
    name = named(spool, words)
    spool.drop(name)
    return _short(name)


def named(spool: Spool, words: str) -> str:
    """The entry whose digest begins so. Raises `UnknownRevision` where there is none, or more than one."""
    names = [name for name in _saves(spool) if words and name.rpartition("-")[2].startswith(words)]
    if len(names) != 1:
        many = f"{len(names)} refused saves have names like" if names else "no refused save is kept as"
        raise UnknownRevision(f"{many} {words!r}; `lepton kept` lists them")
    return names[0]


def _changed(ledger: Destination, subject: Subject, save: Save, changes: Mapping[str, Any]) -> Save:
    """The save as its adopter wants it, on a branch that may have moved since."""
    given = {name: value for name, value in changes.items() if name not in ("model", "parents") and value is not None}
    changed = asked_for(None, given)
    if "metrics" in given:  # they are not of the rows that the save's own are of
        save = replace(save, validation=None, task=None)
    save = replace(save, expected=None, **{name: getattr(changed, name) for name in given})
    model = subject.name
    if changes.get("parents") is not None:
        save = replace(save, parents=named_parents(changes["parents"]), origin=None)
    elif (head := ledger.head(model, save.branch)) is not None and head not in ledger.parents(model, save):
        others = tuple(each for each in save.parents or () if each.of_another(model))
        save = replace(save, parents=others or None, origin=None)
    if changes.get("tags") is None:
        save = replace(save, tags=ledger.free_tags(model, save))
    return save


def _read(spool: Spool, name: str) -> tuple[SpoolEntry, Subject, Save]:
    entry = spool.read(name)
    return entry, *entries.read_save(entry.asked, *entries.tensors_of(entry.asked, lambda: spool.objects(name)))


def _saves(spool: Spool) -> list[str]:
    """The refused entries that are saves. One that is damaged or crafted is `lepton sync`'s to tell."""
    names: list[str] = []
    for name in spool.refused():
        with suppress(Damaged, Refused, KeyError, TypeError, ValueError, AttributeError):
            names += [name] if spool.read(name).kind == "save" and _record(spool, name) else []
    return names


def _record(spool: Spool, name: str) -> RefusedSave:
    entry = spool.read(name)
    request = entry.asked
    return RefusedSave(
        name=_short(name),
        model=request["name"],
        branch=request["branch"],
        tags=tuple(request["tags"]),
        message=request["message"],
        metrics=request["metrics"] or {},
        run=request["run"],
        time=entry.time,
        actor=entry.actor,
        reason=spool.reason(name),
        tensors=request["tensors"],
    )


def _content(entry: SpoolEntry) -> Mapping[str, Any]:
    return {name: value for name, value in entry.asked.items() if name not in _INCIDENTAL}


def _short(name: str) -> str:
    return name.rpartition("-")[2][:SHOWN]


def _reason(error: Exception) -> str:
    return error.fact if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
