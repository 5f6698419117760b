"""How predictions did on labelled data: the figures of a binary classifier, and an evaluation that recorded them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .answer import Result, Shown
from .description import Block, dim, grid, number, text, title
from .figures import figure
from .version import Version


@dataclass(frozen=True)
class Performance(Shown):
    """How a binary classifier did on labelled data; a figure that the data leaves undefined is `None`.

    `str()` is one line for people (Chinese; English where LEPTON_LANG=en), `repr()` has all figures and no language.
    `precision`, `recall` and `f1` are the positive class's at `threshold`; `ece` is over 15 bins of equal width.
    """

    accuracy: float
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None
    ks: float | None
    gini: float | None
    brier: float
    ece: float
    log_loss: float
    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int
    threshold: float

    @property
    def n(self) -> int:
        """Rows that were judged."""
        return self.true_negatives + self.false_positives + self.false_negatives + self.true_positives

    @property
    def positives(self) -> int:
        """Rows whose label is the positive class."""
        return self.false_negatives + self.true_positives

    @property
    def confusion(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows are the true class, columns the predicted one, negative first: ((TN, FP), (FN, TP))."""
        return ((self.true_negatives, self.false_positives), (self.false_negatives, self.true_positives))

    def to_dict(self) -> dict[str, Any]:
        """Every figure by name, with `n` and `positives`; JSON-ready, undefined figures are None."""
        return asdict(self) | {"n": self.n, "positives": self.positives}

    def figures(self) -> dict[str, float]:
        """Every figure by name that the data defines: metrics that can be recorded."""
        return {name: float(value) for name, value in self.to_dict().items() if value is not None}

    def __str__(self) -> str:
        """The line that MISSION's sample prints: precision, recall and F1 to two decimals."""
        figures = (self.precision, self.recall, self.f1)
        if os.environ.get("LEPTON_LANG", "zh").lower().startswith("en"):
            words = ("precision ", "recall ", "F1 ")
            return ", ".join(word + _decimals(figure, "undefined") for word, figure in zip(words, figures, strict=True))
        words = ("精度", "召回率", "F1分数")
        return "，".join(word + _decimals(figure, "无定义") for word, figure in zip(words, figures, strict=True))

    def blocks(self) -> Iterator[Block]:
        """A row a figure."""
        yield grid(((dim(name), figure(value)) for name, value in self.to_dict().items()), indent=2)


def _decimals(figure: float | None, undefined: str) -> str:
    return undefined if figure is None else f"{figure:.2f}"


@dataclass(frozen=True)
class Evaluation(Result):
    """How a version did on a data set, as it was recorded."""

    version: Version
    name: str
    performance: Performance

    def __str__(self) -> str:
        return str(self.performance)

    def blocks(self) -> Iterator[Block]:
        version = self.version
        yield text("version ", number(version), " of ", title(version.model), f": {self.performance}")
        yield from self.performance.blocks()
