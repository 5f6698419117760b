"""Checking: is history what it was, and are all bytes whole?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..domain.commands import OBJECTS
from ..errors import Damaged
from ..events import verify as log
from ..events.envelope import decode
from ..events.objects import PackWritten
from ..results import Verified
from .restoring import graph_of, verified_event
from .workspace import Workspace


def verify(workspace: Workspace) -> Verified:
    """Recompute every leaf and the root from the stored bytes; `Damaged` names the first event that differs."""
    found = log.verify(workspace.ledger.store)
    return Verified(ledger=workspace.ledger.store.ledger_id, size=found.size, root=f"sha256:{found.root}")


def fsck(workspace: Workspace, projection: Callable[[], Any], parts: Mapping[str, bool]) -> Iterator[Damaged]:
    """Every damage there is, each once: the events, the objects, the read model against a rebuild."""
    # what a version needs is read with its pack, and again for each version that needs it
    yield from {str(damage): damage for damage in _damages(workspace, projection, parts)}.values()


def _damages(workspace: Workspace, projection: Callable[[], Any], parts: Mapping[str, bool]) -> Iterator[Damaged]:
    if parts["events"]:
        yield from log.damages(workspace.ledger.store)
    if parts["objects"]:
        yield from _packs(workspace)
        yield from _versions(workspace)
    if parts["projection"]:
        yield from _read_model(workspace, projection)


def _packs(workspace: Workspace) -> Iterator[Damaged]:
    """Every pack that the log names, entry by entry."""
    _, rows = workspace.ledger.store.stream(OBJECTS, types=(PackWritten.type_name(),))
    for row in rows:
        event = decode(row.envelope, row.leaf).event
        assert isinstance(event, PackWritten)
        yield from workspace.vault.check_pack(event.pack, event.index)


def _versions(workspace: Workspace) -> Iterator[Damaged]:
    """Every version, restored and compared with its digest."""
    for name in workspace.models():
        model = workspace.model(name)
        graph = graph_of(model)
        for number in sorted(model.versions):
            try:
                event = verified_event(model, number)
                yield from workspace.vault.check_manifest(event.tensors, graph)
            except Damaged as damage:
                yield damage


def _read_model(workspace: Workspace, projection: Callable[[], Any]) -> Iterator[Damaged]:
    from ..projections.check import compare

    with projection() as opened:
        opened.catch_up()
        for difference in compare(opened, workspace.ledger.store):
            yield Damaged("the read model", expected="what the log gives", found=difference)
