"""A run of a training script as it stands, what it kept on its way, and runs in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from ..answer import Listing, Result
from ..description import Block, Text, grid, section, text, title
from ..figures import ABSENT, figure, when
from ..words import word

NOTHING: Final = "it kept nothing on its way"
Status = Literal["running", "finished", "failed", "lost"]
COLOURS: Final = {"finished": "green", "failed": "red", "lost": "red", "running": "yellow"}


@dataclass(frozen=True)
class CheckpointRecord(Result):
    """Parameters that a run kept on its way."""

    run: str
    step: int | None
    time: datetime
    tensors: str
    """Digest of their manifest."""
    architecture: Mapping[str, Any] | None = field(default=None, repr=False)


class CheckpointRecords(Listing, tuple[CheckpointRecord, ...]):
    """What a run kept on its way."""

    called = "checkpoints"

    def blocks(self) -> Iterator[Block]:
        rows = ((figure(each.step), when(each.time, seconds=True), each.tensors) for each in self)
        yield grid(rows, head=map(word, ("step", "kept", "tensors")), indent=2) if self else word(NOTHING)


@dataclass(frozen=True)
class RunRecord(Result):
    """A run of a training script as it stands."""

    run: str
    name: str | None
    model: str
    status: Status
    tags: tuple[str, ...]
    actor: str
    started: datetime
    heard: datetime | None
    """When it was heard of last, where it is not known to have ended."""
    ended: datetime | None
    """When it finished, failed, or was found to be lost."""
    resumed: tuple[datetime, ...]
    """The times it was gone on with."""
    error: str | None
    reason: str
    points: int | None
    """How many it logged, once it has ended."""
    hyperparameters: Mapping[str, Any]
    data: Mapping[str, Any] | None
    environment: Mapping[str, Any]
    code: Mapping[str, Any]
    checkpoints: CheckpointRecords
    """The oldest first."""

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return text(self.status, style=COLOURS[self.status])

    def blocks(self) -> Iterator[Block]:
        yield text(title(self.run), f"  {self.model}  ", self.coloured)
        rows = [("name", self.name or ABSENT), ("tags", ", ".join(self.tags) or ABSENT), ("by", self.actor)]
        times = (("started", self.started), ("heard of last", self.heard), ("ended", self.ended))
        rows += [(name, when(moment, seconds=True)) for name, moment in times if moment]
        rows += [("resumed", when(moment, seconds=True)) for moment in self.resumed]
        rows += [("why", f"{self.error}: {self.reason}")] if self.error else []
        yield grid(((word(name), said) for name, said in rows), indent=2)
        yield from section(
            word("hyperparameters"), ((name, figure(value)) for name, value in self.hyperparameters.items())
        )
        if self.checkpoints:
            yield from ("", title(word("checkpoints")), *self.checkpoints.blocks())


class RunRecords(Listing, tuple[RunRecord, ...]):
    """Runs, one below the other."""

    called = "runs"

    def blocks(self) -> Iterator[Block]:
        rows = (
            (each.run, each.name or ABSENT, each.model, each.coloured, when(each.started), str(len(each.checkpoints)))
            for each in self
        )
        head = ("run", "name", "model", "status", "started", "checkpoints")
        yield grid(rows, head=map(word, head), right=(5,)) if self else word("there is no such run")
