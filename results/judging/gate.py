"""A gate that was judged: what was required of a version, the numbers behind each requirement, and what protects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import GateNotMet
from ..answer import Result, Shown
from ..description import Block, Text, Words, dim, grid, joined, number, text, title
from ..figures import figure, short
from ..version import Version
from ..words import say, word


@dataclass(frozen=True)
class GateRequirement(Result):
    """One requirement of a gate."""

    text: str
    holds: bool | None
    """None where that hangs on a figure that is missing."""
    numbers: Mapping[str, float | None]
    """The figures of both sides by the names in the requirement, None where there is none."""
    compared: tuple[Mapping[str, object], ...]
    """Each comparison in it: its `text` and `operator`, its numbers `left` and `right`, and whether it `holds`."""
    words: str
    """What it came to, in a sentence."""

    def blocks(self) -> Iterator[Block]:
        yield joined("  ", (self.text, _coloured(outcome(self), self.holds)))


@dataclass(frozen=True)
class Gate(Result):
    """A version held against requirements, on the same rows as the versions that it was compared with."""

    version: Version
    against: Version | None
    """The version that `against.` stands for."""
    parent: Version | None
    """The version that `parent.` stands for, where a requirement names it."""
    name: str
    """What the evaluation is called that bare names are figures of; empty where nothing was said."""
    requirements: tuple[GateRequirement, ...]
    rows: tuple[str, ...]
    """Digests of the rows that the figures are of."""
    passed: bool
    """Whether every requirement is met."""
    seq: int
    """The event that recorded it: what a protected alias moves by."""
    suite: str | None = None

    def __bool__(self) -> bool:
        return self.passed

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the model; JSON-ready."""
        return {"model": self.version.model, **super().to_dict()}

    def check(self) -> None:
        """Raise `GateNotMet` where a requirement is not met."""
        if not self.passed:
            missed = [each for each in self.requirements if not each.holds]
            more = f" and {len(missed) - 1} more" if len(missed) > 1 else ""
            raise GateNotMet(
                f"version {self.version} of {self.version.model} does not meet {missed[0].text!r}{more}: "
                f"{missed[0].words}",
                requirements=[each.text for each in self.requirements],
            )

    def junit(self) -> str:
        """The gate as JUnit XML, a test case a requirement."""
        from .gate_files import junit

        return junit(self)

    def markdown(self) -> str:
        """The gate as Markdown, as a pull request shows it."""
        from .gate_files import markdown

        return markdown(self)

    def blocks(self) -> Iterator[Block]:
        yield headline(self)
        rows = (
            (each.text, joined(", ", numbers(each)), _coloured(outcome(each), each.holds)) for each in self.requirements
        )
        yield grid(rows, head=map(word, ("requirement", "figures", "outcome")), indent=2)
        digests = ", ".join(map(short, self.rows))
        yield dim(str(say("on rows {rows}; event {seq}", rows=digests or word("none"), seq=self.seq)))


@dataclass(frozen=True)
class Protection(Result):
    """What a version must meet for an alias to move to it."""

    model: str
    alias: str
    requirements: tuple[str, ...]
    against: str | None
    """The alias, branch or tag that `against.` stands for."""
    suite: str | None = field(default=None)
    seq: int = field(default=0, compare=False, metadata={"json": False})
    """The event that protected it so: what `expected=LastMove(seq)` of the next change expects."""

    def blocks(self) -> Iterator[Block]:
        names: dict[str, Words | int] = {"alias": title(self.alias), "model": self.model}
        yield say("alias {alias} of {model} moves only to versions that passed a gate:", **names)
        yield grid(([each] for each in self.requirements), indent=2)
        if self.suite:
            yield text("  ", say("that of suite {suite}", suite=self.suite))
        if self.against:
            yield text("  ", dim(str(say("against. is where {against} stands then", against=self.against))))


class Protections(Shown, dict[str, Protection]):
    """The protected aliases of a model."""

    def to_dict(self) -> dict[str, Any]:
        """The protections by their aliases; JSON-ready."""
        return {"protected": {alias: each.to_dict() for alias, each in self.items()}}

    def blocks(self) -> Iterator[Block]:
        if not self:
            yield word("no alias is protected")
        for each in self.values():
            yield from each.blocks()


def headline(gate: Gate) -> Text:
    """Which version passed or failed, and against which."""
    names: dict[str, Words | int] = {"version": number(gate.version), "model": title(gate.version.model)}
    done = say("version {version} of {model} does not pass the gate", **names)
    if gate.passed:
        done = say("version {version} of {model} passes the gate", **names)
    sides = [("against {version}", gate.against), ("parent {version}", gate.parent)]
    others = [say(words, version=number(version)) for words, version in sides if version is not None]
    return joined(", ", (done, *others))


def numbers(requirement: GateRequirement) -> Iterator[str]:
    """The figures behind a requirement, each behind its name."""
    return (f"{name} {figure(value)}" for name, value in requirement.numbers.items())


def outcome(requirement: GateRequirement) -> str:
    """What a requirement came to: the numbers that were compared, or which name has no figure."""
    missing = [name for name, value in requirement.numbers.items() if value is None]
    if requirement.holds is None and missing:
        return str(say("not met: no figure for {names}", names=", ".join(missing)))
    if requirement.holds is None:
        return word("not met: it divides by zero, or takes infinity from infinity")
    sums = (f"{figure(each['left'])} {each['operator']} {figure(each['right'])}" for each in requirement.compared)
    told = {"sums": ", ".join(sums)}
    return str(say("met: {sums}", **told) if requirement.holds else say("not met: {sums}", **told))


def _coloured(words: str, holds: bool | None) -> Text:
    return text(words, style="green" if holds else "red")
