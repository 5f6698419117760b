"""Files that a run logged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..answer import Listing, Result
from ..description import Block, grid
from ..figures import figure, size, when
from ..words import word


@dataclass(frozen=True)
class RunFileRecord(Result):
    """A file that a run logged, at a step if it was said."""

    run: str
    name: str
    step: int | None
    time: datetime
    media_type: str
    """What it is, by the ending of its name."""
    bytes: int
    digest: str


class RunFileRecords(Listing, tuple[RunFileRecord, ...]):
    """Files that a run logged, by name and step."""

    called = "files"

    def blocks(self) -> Iterator[Block]:
        rows = (
            (each.name, figure(each.step), size(each.bytes), each.media_type, when(each.time, seconds=True))
            for each in self
        )
        head = ("name", "step", "size", "media type", "kept")
        yield grid(rows, head=map(word, head), right=(1, 2), indent=2) if self else word("it logged no files")
