"""The events of the object store: which packs hold the bytes of parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from .event import Digest, Event


class PackWritten(Event):
    """A pack was written, synced and named; its index says what lies where."""

    type: Literal["lepton.pack.written.v1"] = "lepton.pack.written.v1"
    pack: str = Field(description="its key, used once and never again")
    bytes: int = Field(ge=0)
    entries: int = Field(ge=0)
    index: Digest


class ManifestWritten(Event):
    """A page of up to 500 tensors of a manifest, as columns, for readers without objects."""

    type: Literal["lepton.manifest.written.v1"] = "lepton.manifest.written.v1"
    manifest: Digest
    page: int = Field(ge=0)
    names: tuple[str, ...]
    dtypes: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    bytes: tuple[int, ...]
    digests: tuple[Digest, ...]


class PackRepacked(Event):
    """What a pack held was written again into others."""

    type: Literal["lepton.pack.repacked.v1"] = "lepton.pack.repacked.v1"
    pack: str
    into: tuple[str, ...]


class ObjectsCondemned(Event):
    """Packs that nothing refers to will be deleted; no append may rely on them any more."""

    type: Literal["lepton.objects.condemned.v1"] = "lepton.objects.condemned.v1"
    packs: tuple[str, ...]
    delete_after: datetime


ObjectsEvent = PackWritten | ManifestWritten | PackRepacked | ObjectsCondemned
