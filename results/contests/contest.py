"""A contest of two versions on the same rows, and what it says: better, worse, or not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..answer import Result
from ..description import Block, Words, number, text
from ..judging.statistics import PairedTest
from ..version import Version
from ..words import say, word

Verdict = Literal["better", "worse", "not known"]
VERDICTS: Final[Mapping[Verdict, str]] = {"better": "green", "worse": "red", "not known": ""}
"""What a contest may say, each with its colour."""

ALONE: Final = "figures alone, chance or not; for tests give labelled rows, or evaluate all on the same rows"
"""What is said where figures were compared without a test."""


def verdict_of(test: PairedTest, better: str, p: float | None = None) -> Verdict:
    """What a test says of the second model: better or worse beyond chance, else that it is not known.

    `better` is the way that the figure is better, `p` the corrected chance where several are compared.
    """
    if (test.p if p is None else p) > 1 - test.level or not test.difference:
        return "not known"
    return "better" if (test.difference > 0) == (better == "higher") else "worse"


@dataclass(frozen=True)
class Contest(Result):
    """A version beside another on the same rows: the test's difference is its figure minus that of `against`."""

    version: Version
    against: Version
    test: PairedTest
    better: Literal["higher", "lower"]
    """Which way the figure is better."""
    p: float
    """The test's p, corrected for all versions that are compared (Holm 1979)."""

    @property
    def verdict(self) -> Verdict:
        """Whether the version is better or worse beyond chance."""
        return verdict_of(self.test, self.better, self.p)

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the verdict; JSON-ready."""
        effect = self.test.effect
        return super().to_dict() | {"verdict": self.verdict, "effect": None if effect is None else effect.size}

    def cells(self) -> tuple[Words, ...]:
        """The contest as a row: version, difference, interval, p, effect, verdict."""
        effect = "" if self.test.effect is None else word(self.test.effect.size)
        told = text(word(self.verdict), style=VERDICTS[self.verdict])
        difference = f"{self.test.difference:+.4g}"
        return number(self.version), difference, self.test.ends, f"{self.p:.2g}", effect, told

    def blocks(self) -> Iterator[Block]:
        ends = {"version": number(self.version), "against": number(self.against)}
        test: dict[str, Words | int] = {"figure": self.test.figure, "difference": f"{self.test.difference:+.4g}"}
        words = "version {version} beside {against}: {figure} {difference}, p {p} by {test}: {verdict}"
        told = text(word(self.verdict), style=VERDICTS[self.verdict])
        yield say(words, **ends, **test, p=f"{self.p:.2g}", test=self.test.method, verdict=told)
