"""How predictions did on labelled data: one frozen result a task, and the evaluation that recorded it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final

from .answer import Result, Shown
from .description import Block, dim, grid, number, title
from .figures import figure
from .version import Version
from .words import language, say


@dataclass(frozen=True)
class TaskPerformance(Shown):
    """How a model did on labelled data; a figure that the data leaves undefined is `None`.

    A figure that is not finite is undefined too: it is None in `to_dict()`, and not among `figures()`.

    `str()` is one line for people (Chinese; English where LEPTON_LANG=en), `repr()` has all figures and no language.
    """

    task: ClassVar[str]
    headline: ClassVar[str]
    """The figure that versions are compared by where none is named."""
    line: ClassVar[Mapping[str, tuple[str, str]]]
    """The figures that `str()` shows, each with its Chinese and its English name."""
    decimals: ClassVar[str] = ".2f"

    def to_dict(self) -> dict[str, Any]:
        """The task and every figure by name; JSON-ready, undefined figures are None."""
        return {"task": self.task} | self._defined()

    def figures(self) -> dict[str, float]:
        """Every figure by name that the data defines: metrics that can be recorded."""
        return {name: float(value) for name, value in self.to_dict().items() if isinstance(value, int | float)}

    def __str__(self) -> str:
        return self.said(english=os.environ.get("LEPTON_LANG", "zh").lower().startswith("en"))

    def said(self, *, english: bool) -> str:
        """The line in a language."""
        undefined, comma = ("undefined", ", ") if english else ("无定义", "，")
        return comma.join(
            (f"{in_english} " if english else in_chinese) + self._rounded(getattr(self, name), undefined)
            for name, (in_chinese, in_english) in self.line.items()
        )

    def blocks(self) -> Iterator[Block]:
        """A row a figure."""
        yield grid(((dim(name), figure(value)) for name, value in self.to_dict().items()), indent=2)

    def _defined(self) -> dict[str, Any]:
        return {name: finite(value) if isinstance(value, float) else value for name, value in asdict(self).items()}

    def _rounded(self, figure: float | None, undefined: str) -> str:
        return undefined if figure is None else format(figure, self.decimals)


@dataclass(frozen=True)
class Performance(TaskPerformance):
    """How a binary classifier did on labelled data.

    `precision`, `recall` and `f1` are the positive class's at `threshold`; `ece` is over 15 bins of equal width.
    A model that gives labels alone, no probabilities, leaves undefined what is measured on these.
    """

    task: ClassVar[str] = "binary"
    headline: ClassVar[str] = "f1"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "precision": ("精度", "precision"),
        "recall": ("召回率", "recall"),
        "f1": ("F1分数", "F1"),
    }

    accuracy: float
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None
    ks: float | None
    gini: float | None
    brier: float | None
    ece: float | None
    log_loss: float | None
    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int
    threshold: float | None

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
        """Every figure by name, with `n` and `positives`, and no `task`: as it is in ledgers that knew no other."""
        return self._defined() | {"n": self.n, "positives": self.positives}


@dataclass(frozen=True)
class MulticlassPerformance(TaskPerformance):
    """How a classifier of several classes did: `macro_` weighs classes alike, `weighted_` by rows, `micro_` all rows.

    `log_loss` is defined where the model gives probabilities of named classes, all labels among them.
    """

    task: ClassVar[str] = "multiclass"
    headline: ClassVar[str] = "macro_f1"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "accuracy": ("准确率", "accuracy"),
        "macro_f1": ("宏平均F1分数", "macro F1"),
        "micro_f1": ("微平均F1分数", "micro F1"),
    }

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    micro_f1: float
    weighted_f1: float
    log_loss: float | None
    classes: int
    n: int


@dataclass(frozen=True)
class RegressionPerformance(TaskPerformance):
    """How predicted numbers did; `r2` is undefined where all labels are alike, and what overflows 64 bits is too."""

    task: ClassVar[str] = "regression"
    headline: ClassVar[str] = "rmse"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "rmse": ("均方根误差", "RMSE"),
        "mae": ("平均绝对误差", "MAE"),
        "r2": ("决定系数", "R²"),
    }
    decimals: ClassVar[str] = ".4g"

    rmse: float | None
    mae: float | None
    max_error: float | None
    r2: float | None
    n: int


_BY_TASK: Final = {kind.task: kind for kind in (Performance, MulticlassPerformance, RegressionPerformance)}


def performance_of(figures: Mapping[str, Any]) -> TaskPerformance | None:
    """The performance whose `to_dict()` this is, as it was stored; what is no finite number is undefined.

    None where it is of a task that Lepton has no figures for, or lacks a figure that is never undefined.
    """
    task = figures.get("task", Performance.task)
    kind = _BY_TASK.get(task) if isinstance(task, str) else None
    if kind is None:
        return None
    known: dict[str, Any] = {field.name: finite(figures.get(field.name)) for field in fields(kind)}
    complete = all(known[field.name] is not None or "None" in str(field.type) for field in fields(kind))
    return kind(**known) if complete else None


def finite(figure: Any) -> Any:
    """A figure, if it is a finite number; else None."""
    number = isinstance(figure, int | float) and not isinstance(figure, bool)
    return figure if number and math.isfinite(figure) else None


@dataclass(frozen=True)
class Evaluation(Result):
    """How a version did on a data set, as it was recorded."""

    version: Version
    name: str
    performance: TaskPerformance

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the task; JSON-ready."""
        return super().to_dict() | {"task": self.performance.task}

    def __str__(self) -> str:
        return str(self.performance)

    def blocks(self) -> Iterator[Block]:
        version = self.version
        line = self.performance.said(english=language() == "en")
        names = {"version": number(version), "model": title(version.model)}
        yield say("version {version} of {model}: {performance}", **names, performance=line)
        yield from self.performance.blocks()
