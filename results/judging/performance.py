"""How predictions did on labelled data: one frozen result a task."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final

from ...errors import Malformed
from ..answer import Shown
from ..description import Block, dim, grid
from ..figures import figure
from .sentences import Sentences


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
    shares: ClassVar[tuple[str, ...]] = ()
    """The figures that lie between 0 and 1, and so share a scale."""

    @classmethod
    def of_dict(cls, stored: Mapping[str, Any]) -> TaskPerformance:
        """The performance whose `to_dict()` this was, of whichever task. Raises `Malformed` where it is none."""
        if (known := performance_of(stored)) is None:
            raise Malformed(f"these are no figures of a task that Lepton knows, {', '.join(_BY_TASK)}")
        return known

    def plot(self) -> Any:
        """A chart of the figures that are shares. Raises `Malformed` where none is, `Unavailable` without Altair."""
        from ..pages.charts import of_figures

        return of_figures(self, Sentences())

    def to_dict(self) -> dict[str, Any]:
        """The task and every figure by name; JSON-ready, undefined figures are None."""
        return {"task": self.task} | self._defined()

    def figures(self) -> dict[str, float]:
        """Every figure by name that the data defines: metrics that can be recorded."""
        return {name: float(value) for name, value in self.to_dict().items() if isinstance(value, int | float)}

    def __str__(self) -> str:
        return self.summary(english=os.environ.get("LEPTON_LANG", "zh").lower().startswith("en"))

    def summary(self, *, english: bool) -> str:
        """One line for people, in English or Chinese."""
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

    def plot(self) -> Any:
        """A chart of the table of confusion. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_confusion
        from .report import Confusion

        return of_confusion(Confusion(("0", "1"), self.confusion), Sentences())

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
    shares: ClassVar[tuple[str, ...]] = (
        "accuracy",
        "macro_precision",
        "macro_recall",
        "macro_f1",
        "micro_f1",
        "weighted_f1",
    )

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


@dataclass(frozen=True)
class MultilabelPerformance(TaskPerformance):
    """How a model did that gives each row any number of labels; what is 0 / 0 counts as 0, as in scikit-learn.

    `macro_` weighs labels alike, `micro_` all decisions, `weighted_` by how often a label is true, `samples_` rows.
    ROC AUC and average precision are means over the labels that have rows of both kinds.
    """

    task: ClassVar[str] = "multilabel"
    headline: ClassVar[str] = "macro_f1"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "subset_accuracy": ("完全匹配率", "subset accuracy"),
        "macro_f1": ("宏平均F1分数", "macro F1"),
        "micro_f1": ("微平均F1分数", "micro F1"),
    }
    shares: ClassVar[tuple[str, ...]] = (
        "subset_accuracy",
        "hamming_loss",
        "micro_precision",
        "micro_recall",
        "micro_f1",
        "macro_f1",
        "weighted_f1",
        "samples_f1",
        "macro_roc_auc",
        "macro_average_precision",
    )

    subset_accuracy: float
    hamming_loss: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_f1: float
    weighted_f1: float
    samples_f1: float
    macro_roc_auc: float | None
    macro_average_precision: float | None
    labels: int
    n: int


@dataclass(frozen=True)
class RankingPerformance(TaskPerformance):
    """How a model orders what belongs to each query, as a mean over the queries that have something relevant.

    `_at_10` looks at the first ten; NDCG with gains as labelled and a discount of log2(1 + place) (Järvelin and
    Kekäläinen 2002), the others count a label above 0 as relevant.
    """

    task: ClassVar[str] = "ranking"
    headline: ClassVar[str] = "ndcg_at_10"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "ndcg_at_10": ("NDCG@10", "NDCG@10"),
        "mrr": ("平均倒数排名", "MRR"),
        "map": ("平均精度均值", "MAP"),
    }
    shares: ClassVar[tuple[str, ...]] = (
        "ndcg",
        "ndcg_at_10",
        "mrr",
        "map",
        "precision_at_10",
        "recall_at_10",
        "hit_rate_at_10",
    )

    ndcg: float
    ndcg_at_10: float
    mrr: float
    map: float
    precision_at_10: float
    recall_at_10: float
    hit_rate_at_10: float
    queries: int
    n: int


@dataclass(frozen=True)
class ForecastPerformance(TaskPerformance):
    """How forecasts of a series did; all but `smape`, `mase` and `coverage` are in the unit of the series.

    `mase` is scaled by the training part's mean seasonal step (Hyndman and Koehler 2006), `bias` is the mean of the
    forecast minus the truth, `mape` is undefined where a true value is 0, `coverage` is the share of truths in the
    interval given.
    """

    task: ClassVar[str] = "forecasting"
    headline: ClassVar[str] = "mae"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "mae": ("平均绝对误差", "MAE"),
        "rmse": ("均方根误差", "RMSE"),
        "mase": ("平均绝对标度误差", "MASE"),
    }
    decimals: ClassVar[str] = ".4g"

    mae: float | None
    rmse: float | None
    bias: float | None
    mape: float | None
    smape: float | None
    mase: float | None
    coverage: float | None
    n: int


@dataclass(frozen=True)
class SegmentationPerformance(TaskPerformance):
    """How masks did; a class that neither side of an image has is no part of that image's mean.

    `dice` and `iou` are means over images and classes but the background, `pixel_` counts all pixels of all images.
    """

    task: ClassVar[str] = "segmentation"
    headline: ClassVar[str] = "dice"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "dice": ("Dice系数", "Dice"),
        "iou": ("交并比", "IoU"),
        "pixel_accuracy": ("像素准确率", "pixel accuracy"),
    }
    shares: ClassVar[tuple[str, ...]] = (
        "dice",
        "iou",
        "pixel_dice",
        "pixel_iou",
        "pixel_accuracy",
    )

    dice: float | None
    iou: float | None
    pixel_dice: float | None
    pixel_iou: float | None
    pixel_accuracy: float
    classes: int
    images: int
    n: int
    """Pixels."""


@dataclass(frozen=True)
class SequencePerformance(TaskPerformance):
    """How tags of sequences did: `entity_` counts whole spans (IOB2, as CoNLL-2003 does), the others single tags."""

    task: ClassVar[str] = "sequence"
    headline: ClassVar[str] = "macro_f1"
    line: ClassVar[Mapping[str, tuple[str, str]]] = {
        "accuracy": ("准确率", "accuracy"),
        "macro_f1": ("宏平均F1分数", "macro F1"),
        "exact_match": ("整句正确率", "exact match"),
    }
    shares: ClassVar[tuple[str, ...]] = (
        "accuracy",
        "macro_f1",
        "weighted_f1",
        "exact_match",
        "entity_precision",
        "entity_recall",
        "entity_f1",
    )

    accuracy: float
    macro_f1: float
    weighted_f1: float
    exact_match: float
    entity_precision: float | None
    entity_recall: float | None
    entity_f1: float | None
    classes: int
    sequences: int
    n: int
    """Tags."""


_BY_TASK: Final = {
    kind.task: kind
    for kind in (
        Performance, MulticlassPerformance, MultilabelPerformance, RegressionPerformance, RankingPerformance,
        ForecastPerformance, SegmentationPerformance, SequencePerformance,
    )
}  # fmt: skip
STANDARD: Final = frozenset(field.name for kind in _BY_TASK.values() for field in fields(kind)) | {
    "average_precision", "balanced_accuracy", "expected_cost", "gini",
}  # fmt: skip
"""Names of figures that Lepton measures itself."""


def performance_of(figures: Mapping[str, Any]) -> TaskPerformance | None:
    """The performance whose `to_dict()` this is, as it was stored; what is no finite number is undefined.

    None where it is of a task that Lepton has no figures for, or lacks a figure that is never undefined.
    """
    if not isinstance(figures, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        return None
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


def names_of(task: str | None) -> set[str]:
    """The names of a task's figures; those of every task where none is named, or one that Lepton has no figures for."""
    kinds = [_BY_TASK[task]] if task in _BY_TASK else [*_BY_TASK.values()]
    counts = {"n", "positives"} if Performance in kinds else set[str]()
    return {field.name for kind in kinds for field in fields(kind)} | counts
