"""What can be asked of a name of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..commands import OBJECTS, OfData, Stored
from ..streams import data_stream


@dataclass(frozen=True, slots=True, kw_only=True)
class NameData(OfData):
    """Give rows a name, by which they are judged on later."""

    free_text: ClassVar = ("source", "message")
    incidental: ClassVar = ("profile", "kept", "bytes", "stored", "moved", "described")
    data: Mapping[str, Any]
    label: str | None = None
    selection: Mapping[str, Any] = field(default_factory=dict[str, Any])
    profile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    source: str = ""
    kept: str | None = None
    bytes: int = 0
    stored: Stored = field(default_factory=Stored)
    moved: bool = False
    """Whether they lie elsewhere than the name says, if it stands for them already."""
    described: bool = False
    """Whether another message is told of them than the name has."""
    message: str = ""

    def reads(self) -> tuple[str, ...]:
        return (data_stream(self.name), OBJECTS)
