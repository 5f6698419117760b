"""The model library: the classes that can be trained, each with its card and its hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .answer import Listing, Result
from .description import Block, Words, dim, grid, joined, text, title
from .figures import figure
from .rules import rule, searched
from .words import say, word


@dataclass(frozen=True)
class HyperparameterRecord(Result):
    """A hyperparameter of a class: what it is unless chosen, what it may be, and what is searched."""

    name: str
    default: Any
    required: bool
    """Whether it has no default, and has to be chosen."""
    schema: Mapping[str, Any]
    """What it may be, as JSON Schema; a `description` says it in words that follow "must be"."""
    search: Mapping[str, Any] | None
    """Its distribution, as Optuna writes its own in JSON; None where it is not searched."""

    @property
    def stands(self) -> str:
        """Its default, in words."""
        if self.required:
            return word("required")
        return word("None") if self.default is None else figure(self.default)

    @property
    def rule(self) -> str:
        """What it may be, in words."""
        return rule(self.schema)

    @property
    def searched(self) -> str:
        """What is tried of it, in words; nothing where it is not searched."""
        return searched(self.search) if self.search else ""


@dataclass(frozen=True)
class LibraryEntry(Result):
    """A class that can be trained: its card, and what may be chosen of it."""

    name: str
    python: str
    """The class, with its module."""
    tasks: tuple[str, ...]
    reads: str
    size: str
    sources: Mapping[str, str]
    """The papers, each with its address."""
    licence: str
    """Of the method's code, and of pretrained weights where there are some."""
    good_at: str
    not_for: str
    """Where it should not be used."""
    extra: str
    """The extra of Lepton that it needs."""
    packages: tuple[str, ...]
    """What it imports of the extra, or beside Lepton."""
    missing: tuple[str, ...]
    """Those of the packages that are not installed."""
    hyperparameters: tuple[HyperparameterRecord, ...]

    @property
    def needs(self) -> Words:
        """What it needs beside Lepton, and whether that is installed, in words."""
        if not self.packages:
            return word("nothing more")
        what = say("the extra {extra}", extra=self.extra) if self.extra else text(", ".join(self.packages))
        if not self.missing:
            return say("{what}, installed", what=what)
        if self.extra:
            told = say("{what}, not installed: `pip install 'lepton-ai-sdk[{extra}]'`", what=what, extra=self.extra)
        else:
            told = say("{what}, of which {missing} are not installed", what=what, missing=", ".join(self.missing))
        return text(str(told), style="yellow")

    def blocks(self) -> Iterator[Block]:
        yield joined("  ", (title(self.name), dim(self.python)))
        yield grid(((dim(word(name)), words) for name, words in self._facts() if words), indent=2)
        yield ""
        if not self.hyperparameters:
            yield dim(word("it has no hyperparameters"))
            return
        rows = ((title(each.name), each.stands, each.rule, each.searched) for each in self.hyperparameters)
        yield grid(rows, head=map(word, ("hyperparameter", "default", "may be", "searched")), indent=2)

    def _facts(self) -> Iterator[tuple[str, Words]]:
        yield "tasks", ", ".join(self.tasks)
        yield "reads", word(self.reads)
        yield "size", word(self.size)
        yield "good at", word(self.good_at)
        yield "not for", word(self.not_for)
        yield "sources", joined("; ", (f"{word(paper)} ({address})" for paper, address in self.sources.items()))
        yield "licence", word(self.licence)
        yield "needs", self.needs


class Library(Listing, list[LibraryEntry]):
    """The classes that can be trained, Lepton's own first."""

    called = "library"

    def blocks(self) -> Iterator[Block]:
        head = ("name", "tasks", "reads", "good at", "needs")
        rows = (
            (title(each.name), ", ".join(each.tasks), word(each.reads), word(each.good_at), each.needs) for each in self
        )
        yield grid(rows, head=map(word, head))
