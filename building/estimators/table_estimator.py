"""An estimator over typed columns: what they become for the family behind it, and what its answers mean."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator

from ...datasets.columns import Label, Table
from ...errors import Malformed
from ...models.encoding import Layout, RowEncoder, table_inputs
from ..tables.encoding import codes_of
from .families import fitted_family
from .hyperparameters import EstimatorHyperparameters
from .threads import threads_for


class TableEncoding(RowEncoder):
    """Numbers as they are and levels of categories as hashes."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.hashes = torch.nn.Buffer(torch.zeros(sum(layout.levels), dtype=torch.int64))

    def _measure(self, place: int, known: npt.NDArray[np.float64]) -> None:
        """Nothing: families read numbers as they are."""


class TableEstimator(BaseEstimator):
    """Numbers and gaps as they are, categories as codes of their levels, to an estimator of a family."""

    task_: str
    threshold_: float
    """Of two classes the probability from which on a row is called positive."""

    def learn(
        self,
        plan: EstimatorHyperparameters,
        table: Table,
        targets: npt.NDArray[Any],
        *,
        task: str,
        classes: tuple[Label, ...],
        weights: npt.NDArray[np.float64] | None,
    ) -> Self:
        """Fit to rows and codes of `classes`, or numbers. Raises `Malformed` where rows of one class alone are left."""
        encoding = TableEncoding.learnt(table, plan.max_levels)
        self.numbers_ = encoding.layout.numbers
        self.levels_ = [*encoding.layout.levels]
        self.hashes_ = encoding.hashes.numpy()
        self.task_, self.threshold_ = task, 0.5
        if classes:
            self.classes_ = np.array(classes)
            self.learnt_, targets = np.unique(targets, return_inverse=True)
            if len(self.learnt_) < 2:
                raise Malformed("the rows that are left to learn from are of one class; give more, or hold out fewer")
        rows = self._encoded(table)
        self.family_ = fitted_family(plan, encoding.layout, rows, targets, weights, classes=bool(classes))
        return self

    def predict(self, table: Table) -> npt.NDArray[Any]:
        """The label or the number of each row."""
        if self.task_ != "regression":
            return self.called(self.predict_proba(table))
        rows = self._encoded(table)
        with threads_for(rows.size):
            return np.asarray(self.family_.predict(rows), np.float64)

    def called(self, chances: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        """The label of each row, by the probabilities of its classes."""
        if self.task_ == "binary":
            return self.classes_[(chances[:, 1] >= self.threshold_).astype(np.int64)]
        return self.classes_[chances.argmax(axis=1)]

    def predict_proba(self, table: Table) -> npt.NDArray[np.float64]:
        """The probability of each class; none of one that was held out whole."""
        chances = np.zeros((table.rows, len(self.classes_)))
        rows = self._encoded(table)
        with threads_for(rows.size):
            chances[:, self.learnt_] = self.family_.predict_proba(rows)
        return chances

    def __sklearn_tags__(self) -> Any:
        tags: Any = super().__sklearn_tags__()
        tags.estimator_type = "regressor" if self.task_ == "regression" else "classifier"
        return tags

    def _encoded(self, table: Table) -> npt.NDArray[np.float64]:
        """Numbers, NaN where missing, then codes, shape (rows, columns)."""
        numbers, hashes = table_inputs(table)
        codes: list[npt.NDArray[np.float64]] = []
        start = 0
        for place, count in enumerate(self.levels_):
            known = torch.from_numpy(np.array(self.hashes_[start : start + count]))
            codes.append(codes_of(hashes[:, place], known).double().numpy())
            start += count
        return np.column_stack([numbers.numpy(), *codes])
