"""What happened to a model, and what one version recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .answer import Result
from .version import Version, VersionRef


@dataclass(frozen=True)
class LogEntry(Result):
    """One line of history: a version that was committed, or a move of a branch or alias."""

    seq: int
    time: datetime
    kind: str
    """committed, merged, created, moved, rolled_back or deleted."""
    actor: str
    message: str
    version: Version | None
    """Where the ref stands afterwards, None where it was deleted."""
    from_version: int | None
    ref: str
    parents: tuple[int, ...] = ()
    """Those of the same model."""
    other_parents: tuple[VersionRef, ...] = ()
    """Those of other models."""
    tags: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    """The branches whose head the version is now."""
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Log(Result):
    """A model's history, newest first."""

    model: str
    entries: tuple[LogEntry, ...]

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return "\n".join(_line(entry) for entry in self.entries)


def _line(entry: LogEntry) -> str:
    names = ", ".join((*entry.branches, *(f"tag {tag}" for tag in entry.tags), *entry.aliases))
    where = (
        f"{entry.version}"
        if entry.kind in ("committed", "merged", "created")
        else f"{entry.from_version or '-'} → {entry.version or '-'}"
    )
    return (
        f"{where:>8}  {entry.time:%Y-%m-%d %H:%M}  {entry.ref} {entry.kind}"
        + (f" ({names})" if names else "")
        + (f"  {entry.message}" if entry.message else "")
        + (f"  from {', '.join(map(str, entry.other_parents))}" if entry.other_parents else "")
    )


@dataclass(frozen=True)
class ModelRecord(Result):
    """A model at a glance."""

    model: str
    description: str
    archived: bool
    versions: int
    """How many there are."""
    changed: datetime | None
    """When the last version was committed."""
    branches: Mapping[str, Version]
    tags: Mapping[str, Version]
    aliases: Mapping[str, Version]


@dataclass(frozen=True)
class VersionRecord(Result):
    """All that a version recorded."""

    version: Version
    seq: int
    time: datetime
    actor: str
    message: str
    description: str
    tags: tuple[str, ...]
    branches: tuple[str, ...]
    aliases: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    architecture: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Mapping[str, Any] | None
    derivation: Mapping[str, Any] | None
    environment: Mapping[str, Any]
    code: Mapping[str, Any]
    metrics: Mapping[str, float]
    annotations: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]
    tensors: tuple[Mapping[str, Any], ...]
    """Each with name, dtype, shape, bytes and digest."""
    parameters: int
    bytes: int
    keyframe: bool
    delta: Mapping[str, Any] | None
    """The exact difference from the first parent, where one was kept."""
    run: str | None
