"""A suite: what versions are judged on, what they must come to, and what came of those judged last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..answer import Listing, Result
from ..description import Block, Text, Words, dim, grid, joined, number, text, title
from ..figures import ABSENT, count, figure, short, when
from ..version import Version
from ..words import say, word

if TYPE_CHECKING:
    from .gate import Gate

COLOURS: Final = {"passed": "green", "not passed": "red", "failed": "red", "cancelled": "yellow"}


@dataclass(frozen=True)
class SuiteVerdict(Result):
    """What a suite came to on one version."""

    version: Version
    status: str
    """passed, not passed, evaluated (nothing was required), or how its job stands; due where there is none yet."""
    passed: bool | None
    """None while it is not judged, and where nothing was required."""
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    """The figures that the suite reports."""
    gate: int | None = None
    """The event of its gate."""
    job: str | None = None
    """The job that evaluated it, if one did."""
    words: str = ""
    """What was not met, or why it was not judged."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the model; JSON-ready."""
        return {"model": self.version.model, **super().to_dict()}

    def blocks(self) -> Iterator[Block]:
        yield joined("  ", (say("version {version}", version=number(self.version)), self.coloured, self.words))

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return text(word(self.status), style=COLOURS.get(self.status, ""))


@dataclass(frozen=True)
class SuiteRecord(Result):
    """A suite as it is defined, with what came of the versions that it judged last."""

    suite: str
    version: int
    """Which of its definitions this is."""
    versions: int
    model: str | None
    """The model that it watches."""
    branch: str | None
    data: Mapping[str, Any]
    """Digest and number of the rows."""
    named: str
    source: str | None
    """Where the rows lie, for those who may read it; None where they bear a name."""
    label: str
    evaluation: str
    metrics: tuple[str, ...]
    requirements: tuple[str, ...]
    against: str | None
    task: str | None
    report: Mapping[str, Any]
    pool: str
    message: str
    actor: str
    defined: datetime
    retired: datetime | None
    seq: int
    verdicts: tuple[SuiteVerdict, ...] = ()
    """Of this definition, the newest version first."""

    def blocks(self) -> Iterator[Block]:
        names: dict[str, Words | int] = {"suite": title(self.suite), "version": str(self.version)}
        yield say("suite {suite}, version {version} of {versions}", **names, versions=str(self.versions))
        yield grid(((dim(word(name)), words) for name, words in self._facts() if words), indent=2)
        if not self.verdicts:
            yield dim(word("no version was judged by it yet"))
            return
        names_of = tuple(dict.fromkeys(name for each in self.verdicts for name in each.metrics))[:FIGURES]
        head = ("version", "outcome", *names_of, "")
        rows = (
            (number(each.version), each.coloured, *(figure(each.metrics.get(name)) for name in names_of), each.words)
            for each in self.verdicts
        )
        yield grid(rows, head=map(word, head), right=range(2, 2 + len(names_of)), indent=2)

    def _facts(self) -> Iterator[tuple[str, Words]]:
        facts = {"rows": count(int(self.data.get("rows", 0)), "row"), "digest": short(str(self.data.get("digest")))}
        yield "rows", say("{rows}, digest {digest}", **facts)
        yield "place", self.named or self.source or word("not known any more")
        yield "labels", self.label
        yield "watches", self.watches
        yield "requires", "; ".join(self.requirements) or word("nothing")
        yield "compared with", self.against or ""
        yield "figures", ", ".join(self.metrics)
        yield "evaluation", self.evaluation
        yield "pool", "" if self.pool == "default" else self.pool
        yield "defined", say("{when} by {actor}", when=when(self.defined), actor=self.actor)
        yield "retired", when(self.retired) if self.retired else ""
        yield "message", self.message

    @property
    def watches(self) -> Words:
        """The branch whose new versions it judges by itself, in words."""
        if self.model is None:
            return word("nothing; it is run by hand")
        return say("branch {branch} of {model}", branch=str(self.branch), model=self.model)


FIGURES: Final = 5
"""Figures that are shown of each version; the reports have all."""


class Suites(Listing, list[SuiteRecord]):
    """The suites of a ledger."""

    called = "suites"

    def blocks(self) -> Iterator[Block]:
        if not self:
            yield word("there is no suite; `lepton suite define` makes one")
            return
        head = ("suite", "version", "watches", "rows", "requires", "judged last")
        rows = (
            (
                title(each.suite),
                str(each.version),
                word("retired") if each.retired else each.watches,
                f"{each.data.get('rows', 0):,}",
                "; ".join(each.requirements) or ABSENT,
                joined(" ", (number(each.verdicts[0].version), each.verdicts[0].coloured)) if each.verdicts else ABSENT,
            )
            for each in self
        )
        yield grid(rows, head=map(word, head), right=(1, 3))


@dataclass(frozen=True)
class SuiteRun(Result):
    """What a suite came to on a version, in this process."""

    suite: str
    suite_version: int
    version: Version
    metrics: Mapping[str, float]
    """The figures that the suite reports."""
    gate: Gate | None
    """How its requirements were met; None where it has none."""

    @property
    def passed(self) -> bool:
        """Whether every requirement is met."""
        return self.gate is None or self.gate.passed

    def __bool__(self) -> bool:
        return self.passed

    def check(self) -> None:
        """Raise `GateNotMet` where a requirement is not met."""
        if self.gate is not None:
            self.gate.check()

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, the model, and whether it passed; JSON-ready."""
        gate = None if self.gate is None else self.gate.to_dict()
        return {"model": self.version.model, **super().to_dict()} | {"passed": self.passed, "gate": gate}

    def blocks(self) -> Iterator[Block]:
        names: dict[str, Words | int] = {"suite": f"{self.suite}@{self.suite_version}"}
        yield say("suite {suite} on version {version}", **names, version=number(self.version))
        yield grid(((dim(name), figure(value)) for name, value in self.metrics.items()), indent=2)
        if self.gate is not None:
            yield from self.gate.blocks()
