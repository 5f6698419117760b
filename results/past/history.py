"""What happened to a model, and what one version recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from ..answer import Listing, Result, Shortened
from ..description import (
    WHOLE,
    Block,
    Text,
    Words,
    arrow,
    dim,
    grid,
    joined,
    number,
    section,
    text,
    title,
)
from ..figures import (
    count,
    figure,
    first_line,
    headline,
    pairs,
    short,
    size,
    told,
    when,
)
from ..version import Version, VersionRef
from ..words import say, word
from .graph import GraphRow, draw

ROLES: Final = ("trained", "merged", "initialised", "fine_tuned")
"""The roles of parents that Lepton gives; others are people's own words."""
MOST: Final = 50
"""Tensors of a version that are shown where it has more."""


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

    def blocks(self) -> Iterator[Block]:
        """A row an entry: which version or move, when, who, and what it was."""
        yield grid(map(_cells, self.entries), right=(0,))

    def graph(self) -> Iterator[Block]:
        """The same beside a drawing of how the versions come from each other."""
        drawing = _drawing(self.entries)
        rows, beside = list[tuple[Words, ...]](), list[Words]()
        rails, below = "", tuple[str, ...]()
        for entry in self.entries:
            rows += [(_strokes(line),) for line in below]
            row = drawing.get(entry.seq)
            rows.append((_strokes(row.line if row else rails), *_cells(entry)))
            beside += [""] * (len(rows) - len(beside) - 1)
            beside.append(_strokes(row.line.replace("*", "|" if entry.parents else " ") if row else rails))
            rails, below = (row.rails, row.below) if row else (rails, ())
        yield replace(grid([*rows, *((_strokes(line),) for line in below if line.strip())]), below=tuple(beside))


@dataclass(frozen=True)
class VersionSummary(Result):
    """One version at a glance."""

    version: Version
    seq: int
    time: datetime
    actor: str
    message: str
    tags: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    """The branches whose head it is now."""
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])

    def to_dict(self) -> dict[str, Any]:
        """Number, model, digest, branch and parents, and what else is known at a glance."""
        return super().to_dict() | self.version.to_dict()


@dataclass(frozen=True)
class VersionSummaries(Result):
    """Versions of a model at a glance, newest first."""

    model: str
    versions: tuple[VersionSummary, ...]

    def __iter__(self) -> Iterator[VersionSummary]:
        return iter(self.versions)

    def __len__(self) -> int:
        return len(self.versions)

    def blocks(self) -> Iterator[Block]:
        rows = (
            (
                number(each.version),
                dim(short(each.version.digest)),
                dim(when(each.time)),
                dim(each.actor),
                joined("  ", (first_line(each.message), _names(each), dim(headline(each.metrics)))),
            )
            for each in self.versions
        )
        yield grid(rows, right=(0,)) if self.versions else word("no version is so")


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
    better: Mapping[str, str]
    """Which way metrics are better that somebody defined, by name."""
    protected: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The aliases that move only by a gate, and what each requires."""

    def blocks(self) -> Iterator[Block]:
        changed = self.changed and say("{versions}, the last {when}", versions=self.versions, when=when(self.changed))
        rows = {"description": self.description, "versions": changed or str(self.versions)}
        yield _model(self)[0]
        yield grid(((dim(word(name)), words) for name, words in rows.items() if words), indent=2)
        for kind in ("branches", "tags", "aliases"):
            yield from section(word(kind), ((name, number(at)) for name, at in getattr(self, kind).items()))
        ways = ((name, say("better {way}", way=word(way))) for name, way in self.better.items())
        yield from section(word("metrics"), ways)
        yield from section(word("protected aliases"), _protections(self.protected))


class Models(Listing, list[ModelRecord]):
    """Models at a glance, one below the other."""

    called = "models"

    def blocks(self) -> Iterator[Block]:
        head = ("model", "versions", "changed", "branches, aliases", "for")
        yield grid(map(_model, self), head=map(word, head), right=(1,))


@dataclass(frozen=True)
class VersionRecord(Shortened):
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
    """By name: the version's own, and those of each evaluation under the evaluation's name."""
    rows: Mapping[str, Mapping[str, Any]]
    """By the name of a figure the rows it was measured on, where they are known: their digest, and how many."""
    logged: Mapping[str, float]
    """Figures that somebody logged under the name of one whose rows are known."""
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
    protected: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The aliases on it that move only by a gate, and what each requires."""
    suites: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """By suite, with the number of its definition, whether the version passed it."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, the version whole; JSON-ready."""
        return super().to_dict() | {"version": self.version.to_dict()}

    def described(self, *, whole: bool) -> Iterator[Block]:
        most = None if whole else MOST
        names = {"number": number(self.version), "model": self.version.model, "names": _names(self)}
        yield say("version {number} of {model}  {names}", **names)
        yield grid(row for row in self._facts() if row[1])
        if self.description:
            yield from ("", *(f"    {line}" for line in self.description.splitlines()))
        yield from section(word("protected aliases"), _protections(self.protected))
        yield from section(word("metrics"), self._figures())
        for name in (
            "hyperparameters",
            "settings",
            "architecture",
            "data",
            "derivation",
            "annotations",
            "code",
        ):
            yield from section(word(name), pairs(getattr(self, name) or {}))
        yield from section(word("files"), ((file["name"], size(file["bytes"])) for file in self.files))
        yield from section(text(word("tensors"), "  ", dim(self._stored())), map(_tensor, self.tensors[:most]))
        if most is not None and len(self.tensors) > most:
            yield dim(str(say("  and {count} more; {whole}", count=f"{len(self.tensors) - most:,}", whole=word(WHOLE))))
        yield from section(word("environment"), pairs(self.environment))

    def _figures(self) -> Iterator[tuple[Words, ...]]:
        """A row a figure, with the rows it was measured on."""
        for name, value in sorted(self.metrics.items()):
            yield name, figure(value), dim(told(self.rows[name]) if name in self.rows else word("rows unknown"))
            if name in self.logged:
                yield name, figure(self.logged[name]), dim(word("logged; rows unknown"))

    def _facts(self) -> Iterator[tuple[Words, str]]:
        told = {"when": when(self.time, seconds=True), "actor": self.actor, "branch": self.version.branch}
        parents = (f"{parent} ({word(role) if role in ROLES else role})" for parent, role in self.version.parents)
        yield dim(word("digest")), self.version.digest
        yield dim(word("parents")), ", ".join(parents) or word("none")
        yield dim(word("made")), str(say("{when} by {actor} on {branch}, event {seq}", **told, seq=self.seq))
        yield dim(word("run")), self.run or ""
        verdicts = (f"{name} {word('passed' if passed else 'not passed')}" for name, passed in self.suites.items())
        yield dim(word("suites")), ", ".join(verdicts)
        yield dim(word("message")), self.message.strip().replace("\n", " ")

    def _stored(self) -> str:
        """How large it is, and how it is kept."""
        parameters = f"{count(len(self.tensors), 'tensor')}, {count(self.parameters, 'parameter')}, {size(self.bytes)}"
        kept = [word("stored whole")] if self.keyframe else []
        if self.delta:
            changed = {"elements": f"{self.delta['elements']:,}", "tensors": count(self.delta["tensors"], "tensor")}
            changed |= {"version": str(self.delta["from_version"]), "size": size(self.delta["bytes"])}
            kept.append(str(say("delta from {version}: {elements} elements of {tensors}, {size}", **changed)))
        return "; ".join((parameters, *kept))


def _protections(protected: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Words, ...]]:
    return ((name, text) for name, texts in protected.items() for text in texts or (word("that of a suite"),))


def _cells(entry: LogEntry) -> tuple[Words, ...]:
    move = text(f"{entry.from_version or ''}{arrow()}{entry.version or ''}", style="cyan")
    where = number(entry.version) if _is_version(entry) and entry.version else move
    return where, dim(when(entry.time)), dim(entry.actor), _words(entry)


def _is_version(entry: LogEntry) -> bool:
    return entry.kind in ("committed", "merged")


def _words(entry: LogEntry) -> Words:
    message = first_line(entry.message)
    if _is_version(entry):
        others = say("from {others}", others=", ".join(map(str, entry.other_parents))) if entry.other_parents else ""
        return joined("  ", (message, others, _names(entry), dim(headline(entry.metrics))))
    kind, _, name = entry.ref.partition(" ")
    of_branch = kind == "branch"
    shown = name if of_branch else str(say("alias {name}", name=name))
    ref = text(shown, style="green" if of_branch else "magenta")
    done = {
        "created": "branch {ref} opened",
        "moved": "{ref} moved" if entry.from_version else "{ref} set",
        "rolled_back": "{ref} {back}",
        "deleted": "branch {ref} deleted" if of_branch else "{ref} deleted",
    }[entry.kind]
    done = say(done, ref=ref, back=text(word("rolled back"), style="red bold"))
    return joined(": ", (done, message))


def _names(entry: LogEntry | VersionSummary | VersionRecord) -> Words:
    """The branches, tags and aliases on a version, as git shows them."""
    parts = [
        *(text(branch, style="green bold") for branch in entry.branches),
        *(text(say("alias {name}", name=alias), style="magenta bold") for alias in entry.aliases),
        *(text(say("tag {name}", name=tag), style="yellow bold") for tag in entry.tags),
    ]
    return text("(", joined(", ", parts), ")") if parts else ""


def _drawing(entries: Iterable[LogEntry]) -> Mapping[int, GraphRow]:
    """The drawn rows of the entries that are versions, by their `seq`; a parent that is not shown is not drawn."""
    made = {int(entry.version): entry for entry in entries if entry.version and _is_version(entry)}
    nodes = [(version, [each for each in entry.parents if each in made]) for version, entry in made.items()]
    return {made[row.node].seq: row for row in draw(nodes)}


def _strokes(line: str) -> Text:
    """A line of the drawing, its strokes in red and versions bright."""
    styles = {" ": "", "*": "bold"}
    return text(*(text(stroke, style=styles.get(stroke, "red")) for stroke in line))


def _model(record: ModelRecord) -> tuple[Words, ...]:
    names = {**record.branches, **record.aliases}
    return (
        text(title(record.model), dim(word(" (archived)")) if record.archived else ""),
        str(record.versions),
        dim(when(record.changed)) if record.changed else "",
        joined("  ", (text(f"{name} ", number(version)) for name, version in names.items())),
        first_line(record.description),
    )


def _tensor(tensor: Mapping[str, Any]) -> tuple[Words, ...]:
    shape = "×".join(map(str, tensor["shape"])) or word("scalar")
    return tensor["name"], tensor["dtype"], shape, size(tensor["bytes"]), dim(short(tensor["digest"]))
