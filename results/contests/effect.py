"""An effect size: how large a difference is beside the spread of what was measured, in a number and in a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..answer import Result
from ..description import Block, Words
from ..words import say, word

SIZES: Final = ((0.2, "negligible"), (0.5, "small"), (0.8, "medium"))
"""Below which value an effect is called what (Cohen 1988, for d and h alike); from the last one on it is large."""


@dataclass(frozen=True)
class Effect(Result):
    """A difference in units that are the same for all figures; its sign is that of the difference.

    `measure` is Cohen's h for figures that are shares, Cohen's d for means of losses, and for areas under the ROC curve
    the difference of the d that either area stands for (Salgado 2018).
    """

    measure: str
    value: float

    @property
    def size(self) -> str:
        """The value in a word: negligible, small, medium or large."""
        return next((size for limit, size in SIZES if abs(self.value) < limit), "large")

    @property
    def words(self) -> Words:
        """The effect's size, and the number that it is by."""
        value = f"{self.value:+.2f}"
        return say("{size} effect ({measure} {value})", size=word(self.size), measure=self.measure, value=value)

    def blocks(self) -> Iterator[Block]:
        yield self.words
