"""What a save kept in the object store, as commands tell it."""

from __future__ import annotations

from dataclasses import dataclass

from ..events.objects import ManifestWritten, PackWritten


@dataclass(frozen=True, slots=True)
class Delta:
    """The difference that a save kept, from its first parent to the version about to be numbered."""

    digest: str
    bytes: int
    elements: int
    tensors: int
    two_way: bool
    base: int | None = None
    """The version it leads from, where that is not the first parent: a branch may move while a job is at work."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that stand in the object store and what they need there; `relies_on` are older packs."""

    packs: tuple[PackWritten, ...] = ()
    manifests: tuple[ManifestWritten, ...] = ()
    relies_on: frozenset[str] = frozenset()
