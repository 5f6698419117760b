"""Checking: is history what it was, and are all bytes whole?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from ...domain.model.state import ModelState
from ...errors import Damaged
from ...events.envelope import decode
from ...events.run import FileLogged
from ...events.sql import audit as log
from ...events.sql.audit import BATCH
from ...results import Damages as Damages
from ...results import Verified
from ...tensors.graph import Graph
from ..data.named_data import names, state_of
from ..deltas import graph_of
from ..restore import verified_event
from ..workspace import Workspace
from .heal import standing_packs


def verify(workspace: Workspace) -> Verified:
    """Recompute every leaf and the root from the stored bytes; `Damaged` names the first event that differs."""
    verified = log.verify(workspace.ledger.store)
    ledger = workspace.ledger.store.ledger_id
    return Verified(ledger=ledger, size=verified.size, root=f"sha256:{verified.root}", forgotten=verified.forgotten)


def fsck(workspace: Workspace, read_model: Callable[[], Any], parts: Mapping[str, bool]) -> Iterator[Damaged]:
    """Every damage there is, each once: the events, the objects, the read model against a rebuild."""
    # what a version needs is read with its pack, and again for each version that needs it
    yield from {str(damage): damage for damage in _damages(workspace, read_model, parts)}.values()


def _damages(workspace: Workspace, read_model: Callable[[], Any], parts: Mapping[str, bool]) -> Iterator[Damaged]:
    checks = {
        "events": (log.damages(workspace.ledger.store), _texts(workspace)),
        "objects": (_packs(workspace), _versions(workspace), _kept_data(workspace), _run_files(workspace)),
        "projection": (_read_model(read_model),),
    }
    for part, wanted in parts.items():
        for check in checks[part] if wanted else ():
            yield from _told(check)


def _told(check: Iterator[Damaged]) -> Iterator[Damaged]:
    """What a check finds, and last the damage that keeps it from going on: it must not keep the others from it."""
    try:
        yield from check
    except Damaged as damage:
        yield damage


def _texts(workspace: Workspace) -> Iterator[Damaged]:
    """Every sealed text whose actor has a key, opened on trial. Damaged events are named by the check of the log."""
    actors, store, after = workspace.actors.all(), workspace.ledger.store, 0
    while rows := store.read(after, BATCH):
        after = rows[-1].seq
        for row in rows:
            with suppress(Damaged):
                recorded = decode(row.envelope, row.leaf, row.seq)
                actor = actors.get(recorded.actor)
                for name in recorded.event.free_text if actor else ():
                    if actor and actor.unsealed(getattr(recorded.event, name)) is None:
                        yield Damaged(f"the {name} of event {row.seq}", expected="sealed by its actor", found="no seal")


def _packs(workspace: Workspace) -> Iterator[Damaged]:
    """Every pack that stands, entry by entry."""
    damages: list[Damaged] = []
    for pack in standing_packs(workspace, damages):
        yield from workspace.vault.check_pack(pack.pack, pack.index)
    yield from damages


def _versions(workspace: Workspace) -> Iterator[Damaged]:
    """Every version, restored and compared with its digest."""
    for name in workspace.models():
        yield from _told(_versions_of(workspace, name))


def _versions_of(workspace: Workspace, name: str) -> Iterator[Damaged]:
    model = workspace.model(name)
    for number in sorted(model.versions):
        yield from _told(_version(workspace, model, number))


def _version(workspace: Workspace, model: ModelState, number: int) -> Iterator[Damaged]:
    event = verified_event(workspace, model, number)
    yield from workspace.vault.check_manifest(event.tensors, graph_of(model, event.tensors))


def _kept_data(workspace: Workspace) -> Iterator[Damaged]:
    """All rows that are kept under a name, restored and compared with their digest."""
    for name in names(workspace):
        yield from _told(_kept_versions(workspace, name))


def _kept_versions(workspace: Workspace, name: str) -> Iterator[Damaged]:
    for rows in state_of(workspace, name).versions.values():
        if rows.event.kept:
            yield from _told(_kept_rows(workspace, rows.event.kept))


def _kept_rows(workspace: Workspace, manifest: str) -> Iterator[Damaged]:
    yield from workspace.vault.check_manifest(manifest, Graph({manifest: workspace.vault.manifest(manifest).size}, ()))


def _run_files(workspace: Workspace) -> Iterator[Damaged]:
    """All files of runs, read and compared with their digests."""
    store, after, digests = workspace.ledger.store, 0, set[str]()
    while rows := store.matching(after, store.end(), BATCH, types=(FileLogged.type_name(),)):
        after = rows[-1].seq
        for row in rows:
            with suppress(Damaged):  # the check of the log names it
                digests.add(cast(FileLogged, decode(row.envelope, row.leaf, row.seq).event).digest)
    for digest in sorted(digests):
        try:
            workspace.vault.blob(digest)
        except Damaged as damage:
            yield damage


def _read_model(read_model: Callable[[], Any]) -> Iterator[Damaged]:
    replaced, differences = read_model().check()
    if replaced is not None:
        found = f"{replaced.found}; it was built anew from the log"
        yield Damaged(replaced.thing, expected=replaced.expected, found=found)
    for difference in differences:
        yield Damaged("the read model", expected="what the log gives", found=difference)
