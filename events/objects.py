"""The events of the object store: which packs hold the bytes of parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, Self

from pydantic import Field, ValidationInfo, model_validator

from .bounds import STORED, Count, Moment, Small
from .event import Digest, Event


class PackWritten(Event):
    """A pack was written, synced and named; its index says what lies where."""

    type: Literal["lepton.pack.written.v1"] = "lepton.pack.written.v1"
    pack: str = Field(description="its key, used once and never again")
    bytes: Count = Field(description="its size")
    entries: Count = Field(description="how many digests lie in it")
    index: Digest = Field(description="digest of its index")


class Pack(Protocol):
    """A pack as whoever wrote it knows it."""

    @property
    def key(self) -> str: ...

    @property
    def bytes(self) -> int: ...

    @property
    def entries(self) -> int: ...

    @property
    def index(self) -> str: ...


def packs_written(packs: Iterable[Pack]) -> tuple[PackWritten, ...]:
    """The packs that a save wrote, as the ledger tells them."""
    return tuple(PackWritten(pack=pack.key, bytes=pack.bytes, entries=pack.entries, index=pack.index) for pack in packs)


class ManifestWritten(Event):
    """A page of up to 500 tensors of a manifest, as columns, for readers without objects."""

    type: Literal["lepton.manifest.written.v1"] = "lepton.manifest.written.v1"
    manifest: Digest = Field(description="digest of the whole manifest")
    page: Small = Field(description="which page, from 0")
    names: tuple[str, ...] = Field(description="the tensors, in the manifest's order")
    dtypes: tuple[str, ...] = Field(description="each tensor's element type")
    shapes: tuple[tuple[Count, ...], ...] = Field(description="each tensor's shape, empty for a scalar")
    bytes: tuple[Count, ...] = Field(description="each tensor's size")
    digests: tuple[Digest, ...] = Field(description="each tensor's digest")

    @model_validator(mode="after")
    def _columns_have_one_length(self, info: ValidationInfo) -> Self:
        lengths = {len(self.names), len(self.dtypes), len(self.shapes), len(self.bytes), len(self.digests)}
        if info.context != STORED and len(lengths) > 1:
            raise ValueError("the columns differ in length")
        return self


class PackRepacked(Event):
    """What a pack held was written again into others."""

    type: Literal["lepton.pack.repacked.v1"] = "lepton.pack.repacked.v1"
    pack: str = Field(description="key of the pack that is superseded")
    into: tuple[str, ...] = Field(description="keys of the packs that hold its content now")


class ObjectsCondemned(Event):
    """Packs that nothing refers to will be deleted; no append may rely on them any more."""

    type: Literal["lepton.objects.condemned.v1"] = "lepton.objects.condemned.v1"
    packs: tuple[str, ...] = Field(description="their keys")
    delete_after: Moment = Field(description="until then they are kept, for readers on their way")


ObjectsEvent = PackWritten | ManifestWritten | PackRepacked | ObjectsCondemned
