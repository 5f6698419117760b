"""Keeping what an attempt has made: bytes into the object store, and the words in which the ledger is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..events.objects import packs_written
from ..jobs.protocol import messages
from ..jobs.protocol.messages import KeptDelta, MadeVersion
from ..jobs.protocol.orders import Base, Way
from ..tensors.graph import Graph
from ..tensors.keep import KeptTensors
from ..tensors.placements import KnownPlacements, told_by
from ..tensors.tensor import Tensor
from ..tensors.vault import Vault
from .context import Work


def vault(work: Work, way: Way | None) -> Vault:
    """The object store, with what the packs of a way hold."""
    return Vault(work.objects, KnownPlacements(lambda: told_by(work.objects, way.packs if way else ())))


def keep(work: Work, tensors: Mapping[str, Tensor], base: Base | None) -> KeptTensors:
    """Write tensors to the object store, as a delta from the base where that is smaller."""
    way = base.way if base else None
    store = vault(work, way)
    manifest = store.manifest(way.tensors) if way else None
    return store.keep(tensors, base=manifest, graph=way.graph() if way else Graph({}, ()))


def told(kept: KeptTensors) -> messages.Kept:
    """What was kept, in the worker's words."""
    return messages.Kept(
        tensors=kept.manifest.digest, packs=packs_written(kept.packs), relies_on=tuple(sorted(kept.relies_on))
    )


def version(kept: KeptTensors, base: Base | None, **recorded: Any) -> MadeVersion:
    """What was kept as the version that it becomes, with what is recorded of it."""
    return MadeVersion(
        kept=told(kept),
        base=base.version if base else None,
        keyframe=kept.keyframe,
        delta=None if kept.delta is None else KeptDelta.model_validate(_delta(kept)),
        **recorded,
    )


def _delta(kept: KeptTensors) -> dict[str, Any]:
    delta = kept.delta
    assert delta is not None
    return {name: getattr(delta, name) for name in KeptDelta.model_fields}
