"""What inputs that are missing, shifted, noisy or unknown do to a model's figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..answer import Result
from ..description import Block, dim, grid, text, title
from ..figures import figure
from ..words import say, word
from .sentences import Sentences

SHOWN = 20
"""Trials that are shown; `to_dict()` has all."""


@dataclass(frozen=True)
class PerturbedFigure(Result):
    """One perturbation: the figure under it, and by how much it differs from that of the clean rows."""

    kind: str
    severity: float
    column: str | None = None
    """The only column that was perturbed; None for all."""
    value: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Corrected for all perturbations."""
    worse: bool = False
    """Whether the figure is worse beyond chance."""
    refused: str | None = None
    """Why the model predicts nothing of such rows, where it does not."""


@dataclass(frozen=True)
class Robustness(Result):
    """A figure on clean rows and under perturbations, the worst first."""

    task: str
    figure: str
    better: Literal["higher", "lower"]
    clean: float
    n: int
    draws: int
    level: float
    seed: int
    trials: tuple[PerturbedFigure, ...]

    @property
    def worst(self) -> PerturbedFigure | None:
        """The perturbation that costs the most, of those that the model answers."""
        return next((each for each in self.trials if each.refused is None), None)

    def plot(self) -> Any:
        """A chart of the differences. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_robustness

        return of_robustness(self, Sentences())

    def blocks(self) -> Iterator[Block]:
        told = Sentences()
        hurt = sum(each.worse for each in self.trials)
        said = "{figure} is {value} on {rows} clean rows; {hurt} of {all} perturbations make it worse beyond chance"
        parts = {"figure": title(self.figure), "value": figure(self.clean), "rows": f"{self.n:,}"}
        yield say(said, **parts, hurt=str(hurt), all=str(len(self.trials)))
        answered = [each for each in self.trials if each.refused is None]
        head = [
            *map(told.word, ("perturbation", "severity", "columns", "figure", "difference")),
            told.interval(self.level),
            "p",
        ]
        rows = [
            (
                text(word(each.kind), style="red" if each.worse else ""),
                f"{each.severity:g}",
                each.column or dim(told.word("all")),
                figure(each.value),
                f"{each.difference:+.4g}",
                told.ends(each.low, each.high),
                figure(each.p),
            )
            for each in answered[:SHOWN]
        ]
        if rows:
            yield grid(rows, head=head, right=(1, 3, 4, 6), indent=2)
        for each in (each for each in self.trials if each.refused is not None):
            yield say(
                "{kind} {severity}: not predicted ({why})",
                kind=word(each.kind),
                severity=f"{each.severity:g}",
                why=str(each.refused),
            )
