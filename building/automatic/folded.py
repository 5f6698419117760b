"""A model's figures over folds: each part of the rows judged by a fit to others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np

from ...datasets.columns import Column, Table
from ...datasets.examination import noted
from ...datasets.splits.folds import folds
from ...datasets.splits.places import SplitRows
from ...datasets.tables import parted, read_labels, read_table
from ...errors import Malformed, Refused
from ...evaluation.binary import best_threshold
from ...evaluation.outcomes import Outcomes
from ...models.hyperparameter import Json
from ...models.model import Model, OnEpoch, recorded_figures
from ...models.registry import untrained
from ..targets import Target
from .plan import FoldPlan
from .question import question_of

OnFold = Callable[[int, Mapping[str, float]], object]
"""Called behind each fold, counted from 1, with the means of all figures so far."""
THRESHOLD: Final = "threshold"
EPOCHS: Final = "epochs"
SETTINGS: Final = (THRESHOLD, EPOCHS)
"""What of `figures` is no figure: the threshold, and how many epochs a net learnt for on average until its best."""
FEWEST: Final = 20
"""Rows to choose a model by."""


@dataclass(frozen=True)
class FoldedRows:
    """Labelled rows, what their labels ask, and the parts of them that are judged in turn."""

    table: Table
    labels: Column
    target: Target
    folds: Sequence[SplitRows]

    @classmethod
    def of(cls, data: Any, labels: Any, plan: FoldPlan) -> Self:
        """Rows and their labels in the folds of a plan. Raises `Malformed` where they cannot be read, or parted so."""
        features, apart = parted(data, {name for name in (plan.groups, plan.time) if name is not None})
        table = read_table(features)
        column = read_labels(labels, table.rows)
        if table.rows < (least := max(FEWEST, 2 * plan.count)):
            raise Malformed(f"{table.rows} rows are too few to choose a model by; give {least} or more")
        target = question_of(column, plan.task, plan.positive_label)
        strata = target.codes(column) if target.strata else None
        parts = folds(
            column, apart, count=plan.count, groups=plan.groups, time=plan.time, seed=plan.seed, strata=strata
        )
        if strata is not None:
            for number, part in enumerate(parts, 1):
                if len(np.unique(strata[part.learn])) < 2:
                    raise Malformed(f"fold {number} would learn from one class alone; give more rows of the others")
        return cls(table, column, target, parts)

    @property
    def asked(self) -> dict[str, Json]:
        """The hyperparameters by which every model reads these labels alike."""
        told: dict[str, Json] = {"task": self.target.task}
        return told | ({"positive_label": self.target.classes[1]} if self.target.task == "binary" else {})

    def figures(
        self, model_class: str, hyperparameters: Mapping[str, Json], on_fold: OnFold, on_epoch: OnEpoch | None = None
    ) -> dict[str, float]:
        """The means over the folds of the figures that a model comes to; of two classes the `threshold` of the best F1
        on all rows that were judged, and of nets the `epochs` until their best.

        `on_fold` and `on_epoch`, which follows each fit, end it by raising. Raises what `train` does.
        """
        judged: list[Outcomes] = []
        epochs: list[float] = []
        with noted():  # all rows were examined before
            for fold in self._judged_folds():
                model, outcomes = self._fitted(model_class, hyperparameters, fold, on_epoch)
                judged.append(outcomes)
                epochs += [float(best)] if isinstance(best := model.settings.get("best_epoch"), int) else []
                on_fold(len(judged), mean_figures(judged))
        decided, beside = self._decided(judged)
        return mean_figures(decided) | beside | ({EPOCHS: float(np.mean(epochs))} if epochs else {})

    def _decided(self, judged: Sequence[Outcomes]) -> tuple[Sequence[Outcomes], dict[str, float]]:
        """Of two classes what the threshold of the best F1 on all rows together decides, and that threshold."""
        if self.target.task != "binary":
            return judged, {}
        truth, chances = (np.concatenate([getattr(each, name) for each in judged]) for name in ("truth", "chances"))
        threshold = best_threshold(truth, chances)
        decided = [replace(each, threshold=threshold, called=each.chances >= threshold) for each in judged]  # pyright: ignore[reportOptionalOperand]
        return decided, {THRESHOLD: threshold}

    def seconds_of_a_tenth(
        self, model_class: str, hyperparameters: Mapping[str, Json], on_epoch: OnEpoch | None = None
    ) -> float:
        """How long a fit to a tenth of the rows of the first fold takes."""
        first = next(self._judged_folds())
        begun = time.monotonic()
        with noted():
            self._fitted(model_class, hyperparameters, SplitRows(first.learn[::10], first.held[::10]), on_epoch)
        return time.monotonic() - begun

    def part(self, places: Any) -> tuple[Table, Column]:
        """The rows at these places, and their labels."""
        return self.table.take(places), replace(self.labels, values=self.labels.values[places])

    def _judged_folds(self) -> Iterator[SplitRows]:
        """The folds without held-out rows of a class that none of the others has, which no fit could know.

        Raises `Refused` where nothing is left of one.
        """
        codes = self.target.codes(self.labels) if self.target.classes else None
        for number, fold in enumerate(self.folds, 1):
            known = fold.held if codes is None else fold.held[np.isin(codes[fold.held], np.unique(codes[fold.learn]))]
            if not len(known):
                raise Refused(f"no row of fold {number} is of a class that the others have; ask for fewer folds")
            yield SplitRows(fold.learn, known)

    def _fitted(
        self, model_class: str, hyperparameters: Mapping[str, Json], fold: SplitRows, on_epoch: OnEpoch | None
    ) -> tuple[Model, Outcomes]:
        held = self.part(fold.held)
        model = untrained(model_class, {**self.asked, **hyperparameters})
        model.train(*self.part(fold.learn), validation=held, on_epoch=on_epoch)
        return model, model.outcomes(*held)


def mean_figures(judged: Sequence[Outcomes]) -> dict[str, float]:
    """The means of the figures over the folds; those that lack a class tell nothing of what needs several."""
    each = [recorded_figures(outcomes.performance) for outcomes in judged]
    telling = [figures for figures, outcomes in zip(each, judged, strict=True) if len(np.unique(outcomes.truth)) > 1]
    common = [name for name in (telling or each)[0] if all(name in figures for figures in telling or each)]
    return {name: float(np.mean([figures[name] for figures in each if name in figures])) for name in common}
