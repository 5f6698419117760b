"""What a rollback does, would do, or should do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import at_door
from .answer import Result
from .description import Block, Words, arrow, dim, grid, number, text, title
from .figures import change, count, figure, size, told
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

    def blocks(self) -> Iterator[Block]:
        then, now = (figures[self.metric] for figures in (self.metrics_to, self.metrics_from))
        step = _step(now, then)
        yield text(f"rehearsed on versions {self.from_version} and {self.to_version}: {self.metric} ", step)


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
    """Figures on rows that both versions were judged on, and no others: a step between two may be read off them."""
    aliases_left_behind: tuple[str, ...]
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it leaves."""
    rehearsal: Rehearsal | None
    alias: bool = field(default=False, metadata={"json": False})
    """Whether the ref is an alias."""

    def blocks(self) -> Iterator[Block]:
        heading = title(f"{'alias ' * self.alias}{self.ref} of {self.model}")
        yield text(heading, ": ", number(self.from_version), f" {arrow()} ", number(self.to_version))
        if self.from_version == self.to_version:
            yield "it stands there already"
        else:
            yield grid(((dim(name), words) for name, words in self._facts() if words), indent=2)
        for name, stands in self.aliases_taken_along.items():
            yield text("  ", dim(f"alias {name}"), f"  {stands} {arrow()} {self.to_version}")
        if self.rehearsal:
            yield from self.rehearsal.blocks()

    def _facts(self) -> Iterator[tuple[str, Words]]:
        left = [int(self.from_version), *self.crossed]
        yield "leaves", ", ".join(map(str, left[:12])) + (f" and {len(left) - 12} more" if len(left) > 12 else "")
        written = f"{count(self.tensors_changed, 'tensor')} to change, {size(self.bytes_changed)}"
        replayed = f" and replays {count(self.deltas, 'delta')}" if self.deltas else ""
        yield "restores", f"{written}; reads {size(self.bytes_read)}{replayed}"
        for name in sorted({*self.metrics_now, *self.metrics_then}):
            now, then = self.metrics_now.get(name), self.metrics_then.get(name)
            if now != then:
                yield name, _step(now, then)
        if not self.metrics_now:
            yield "figures", "none on rows that both versions were judged on"
        for name in self.aliases_left_behind:
            takes = at_door(python=f"move_aliases=[{name!r}]", cli=f"--move-alias {name}")
            yield f"alias {name}", f"stays on {self.from_version} ({takes} takes it along)"


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
    alias: bool = field(default=False, metadata={"json": False})
    """Whether the ref is an alias."""

    def blocks(self) -> Iterator[Block]:
        if self.rehearsal:
            yield from self.rehearsal.blocks()
        what, to = f"{'alias ' * self.alias}{self.ref}", number(self.to_version)
        moves = [(what, self.from_version)] if self.moved else []
        moves += [(f"alias {name}", left) for name, left in self.aliases_taken_along.items()]
        how = f"replaying {count(len(self.replayed), 'delta')}" if self.replayed else "reading it whole"
        for name, left in moves:
            move = text(number(left), f" {arrow()} ", to)
            yield text(f"{name} of {self.model} rolled back ", move, f", restored and verified by {how}")
        if not moves:
            yield text(f"nothing moved: {what} stands on version ", to)


@dataclass(frozen=True)
class Suggestion(Result):
    """Versions to roll back to, best first, each with its figures and why."""

    model: str
    branch: str
    metric: str | None
    """What performance means; None where no two versions were judged on the same rows."""
    rows: Mapping[str, Any] | None
    """The rows it was measured on: their digest, and how many."""
    candidates: tuple[Mapping[str, Any], ...]
    words: str
    """Where the branch stands, and which version is suggested why."""

    @property
    def version(self) -> int:
        """The version proposed."""
        return self.candidates[0]["version"]

    def blocks(self) -> Iterator[Block]:
        by = f"by {self.metric} on {told(self.rows)}" if self.metric else "by stability and age"
        yield text(title(self.model), f" {self.branch}: ", by)
        yield self.words
        rows = ((number(each["version"]), f"{each['score']:.2f}", _why(each["words"])) for each in self.candidates)
        yield grid(rows, head=("version", "score", "why"), right=(0, 1))


def _step(now: Any, then: Any) -> Words:
    return text(f"{figure(now)} {arrow()} {figure(then)}  ", dim(change(now, then)))


def _why(words: str) -> str:
    """What a candidate's words say behind its version and score."""
    return words.partition(": ")[2] or words
