"""Which of several versions was picked, by which rule, and which were left out by which requirement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ...errors import GateNotMet
from ..answer import Result
from ..description import Block, Words, dim, grid, number, section, title
from ..figures import figure, told
from ..version import Version
from ..words import say, word
from .contest import ALONE, Contest

Rule = Literal["none", "only", "best", "figures", "equal", "every", "front", "order"]
RULES: Final[Mapping[Rule, str]] = {
    "none": "no version of {model} meets what is required",
    "only": "version {version} of {model}: the only one that meets what is required",
    "best": "version {version} of {model}: the best by {by}, beyond chance",
    "figures": "version {version} of {model}: the best by {by}",
    "equal": "version {version} of {model}: no worse than the best by {by} beyond chance, and of such the smallest, "
    "then the oldest",
    "every": "version {version} of {model}: no other is better by any of {by}",
    "front": "no version of {model} is the best by all of {by}; none of these is beaten by another: {front}",
    "order": "version {version} of {model}: the best by {by}, in this order; a later figure decides among those that "
    "an earlier one finds no worse than the best",
}
"""What was decided by which rule, in words."""


@dataclass(frozen=True)
class LeftOut(Result):
    """A version that did not meet a requirement."""

    version: Version
    requirement: str
    known: bool
    """Whether the figures of the requirement are known: then it is not met, else nobody knows."""
    words: str
    """The numbers behind it."""


@dataclass(frozen=True)
class Pick(Result):
    """A version picked from several; `picked` is None where none met what is required, or where no rule decides."""

    model: str
    by: tuple[str, ...]
    require: tuple[str, ...]
    rule: Rule
    picked: Version | None
    front: tuple[Version, ...]
    """Those that are as good: no worse than the best beyond chance by one figure, beaten by none by several."""
    figures: tuple[tuple[Version, Mapping[str, float]], ...]
    """The figures of those that meet what is required, by `by` and in its order."""
    left_out: tuple[LeftOut, ...] = ()
    tests: tuple[Contest, ...] = ()
    """The paired tests that decided."""
    on: Mapping[str, Any] | None = None
    """The rows that the figures are of, where they are of rows."""
    untested: bool = field(default=False)
    """Whether figures of rows were compared without a test, for want of outcomes."""

    @property
    def why(self) -> str:
        """What was decided, and by which rule, in a sentence."""
        return str(self._why())

    def check(self) -> None:
        """Raise `GateNotMet` where no version meets what is required."""
        if self.rule == "none":
            first = self.left_out[0]
            raise GateNotMet(
                f"no version of {self.model} meets what is required; version {first.version}: {first.requirement} "
                f"({first.words})"
            )

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the sentence that says why; JSON-ready."""
        figures = [{"version": int(version), "figures": dict(of)} for version, of in self.figures]
        return super().to_dict() | {"figures": figures, "why": self.why}

    def blocks(self) -> Iterator[Block]:
        yield self._why()
        if self.untested:
            yield dim(word(ALONE))
        if self.on is not None:
            yield dim(str(say("on {rows}", rows=told(self.on))))
        rows = ((self._mark(version), *(figure(of.get(name)) for name in self.by)) for version, of in self.figures)
        if self.figures:
            yield grid(rows, head=(word("version"), *self.by), right=range(1, len(self.by) + 1))
        yield from (line for each in self.tests for line in each.blocks())
        yield from section(word("left out"), map(_left, self.left_out))

    def _why(self) -> Words:
        names: dict[str, Words | int] = {"model": title(self.model), "by": ", ".join(self.by)}
        names |= {"front": ", ".join(map(str, self.front))}
        return say(RULES[self.rule], **names, version="" if self.picked is None else number(self.picked))

    def _mark(self, version: Version) -> Words:
        return number(version) if version == self.picked else str(version)


def _left(each: LeftOut) -> tuple[Words, ...]:
    said = "not met: {numbers}" if each.known else "not known: {numbers}"
    return number(each.version), each.requirement, dim(str(say(said, numbers=each.words)))
