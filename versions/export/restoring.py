"""What a client needs to restore a version by itself: where its payloads lie, the deltas, and the facts to verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...domain.model.state import ModelState
from ...tensors.graph import Graph
from ..deltas import graph_of
from ..restore import verified_event
from ..runs.record import checkpoint
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...tensors.vault import Vault
    from ...tensors.virtual_pack import VirtualPack


@dataclass(frozen=True)
class Restorable:
    """A version or checkpoint as it is stored: `facts` about it, and the payloads that a restore of it rests on."""

    facts: Mapping[str, Any]
    pack: VirtualPack
    _vault: Vault

    def to_dict(self) -> dict[str, Any]:
        """The facts, and the index of the payloads under `stored`."""
        return {**self.facts, "stored": {**self.pack.index, "etag": self.pack.etag}}

    def pieces(self, start: int, stop: int) -> Iterator[memoryview]:
        """Bytes of the payloads."""
        return self._vault.read_virtual(self.pack, start, stop)


def restorable(workspace: Workspace, model: ModelState, number: int, since: int | None = None) -> Restorable:
    """A version, or with `since` the deltas alone that lead to it from another: `Refused` where none do."""
    event = verified_event(workspace, model, number)
    vault, version = workspace.vault, workspace.version(model, number).to_dict()
    if since is None:
        pack = vault.virtual_pack(event.tensors, graph_of(model, event.tensors))
    else:
        live = model.version(since).event.tensors
        pack = vault.virtual_deltas(event.tensors, graph_of(model, event.tensors, live), live)
    facts = version | {
        "parents": [_parent(workspace, each) for each in version["parents"]],
        "all_parents": len(version["parents"]) == len(event.parents),
        "tensors": event.tensors,
        "from": None if since is None else model.version(since).event.tensors,
        "hyperparameters": event.hyperparameters,
        "architecture": event.architecture,
        "settings": event.settings,
        "data": event.data,
        "derivation": event.derivation,
        "metrics": event.metrics,
        "validation": event.validation,
        "files": [{"name": each.name, "digest": each.digest, "bytes": each.bytes} for each in event.files],
    }
    return Restorable(facts, pack, vault)


def restorable_checkpoint(workspace: Workspace, run: str, step: int | None) -> Restorable:
    """A checkpoint of a run: the last, or that of a step."""
    kept = checkpoint(workspace, run, step)
    pack = workspace.vault.virtual_pack(kept.tensors, Graph({kept.tensors: 1}, ()))
    facts = {"run": kept.run, "step": kept.step, "tensors": kept.tensors, "architecture": kept.architecture}
    return Restorable(facts, pack, workspace.vault)


def _parent(workspace: Workspace, parent: dict[str, Any]) -> dict[str, Any]:
    """A parent with its digest, of which its child's is made."""
    return parent | {"digest": workspace.any_model(parent["model"]).version(parent["version"]).event.digest}
