"""What a rollback does, would do, or should do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answer import Result
from .version import Version


@dataclass(frozen=True)
class Rehearsal(Result):
    """How head and target of a rollback did on the same rows."""

    model: str
    from_version: int
    to_version: int
    metric: str
    metrics_from: Mapping[str, float]
    metrics_to: Mapping[str, float]
    difference: Mapping[str, float]
    """Metric of the target minus metric of the head."""
    worse: bool


@dataclass(frozen=True)
class RollbackPlan(Result):
    """What a rollback would change."""

    model: str
    ref: str
    from_version: Version
    to_version: Version
    crossed: tuple[int, ...]
    """Versions that the ref would leave, beside the one it stands on."""
    tensors_changed: int
    bytes_changed: int
    """Raw bytes of the tensors that differ."""
    bytes_read: int
    """Stored bytes that the restore reads."""
    deltas: int
    """How many exact deltas the restore replays."""
    metrics_now: Mapping[str, float]
    metrics_then: Mapping[str, float]
    aliases_left_behind: tuple[str, ...]
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it leaves."""
    rehearsal: Rehearsal | None


@dataclass(frozen=True)
class RolledBack(Result):
    """A rollback that took place, or that had nothing to do."""

    model: str
    ref: str
    from_version: Version
    to_version: Version
    replayed: tuple[str, ...]
    """Digests of the deltas that the restore replayed, in order."""
    rehearsal: Rehearsal | None
    moved: bool
    """Whether the branch or alias itself moved."""
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it left."""


@dataclass(frozen=True)
class Suggestion(Result):
    """Versions to roll back to, best first, each with its figures and why."""

    model: str
    branch: str
    metric: str | None
    candidates: tuple[Mapping[str, Any], ...]
    words: str
    """Where the branch stands, and which version is suggested why."""

    @property
    def version(self) -> int:
        """The version proposed."""
        return self.candidates[0]["version"]

    def __str__(self) -> str:
        return "\n".join((self.words, *(str(candidate["words"]) for candidate in self.candidates)))
