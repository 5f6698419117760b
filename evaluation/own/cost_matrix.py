"""Cost matrices: what it costs to call a row of one class another, and the mean cost of a row as a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import Malformed
from ...plain import words_of
from ..outcomes import Outcomes
from .metrics import OwnMetric

NAME = "expected_cost"


@dataclass(frozen=True)
class CostMatrix:
    """The cost of each true class by what it is called, `{true: {called: cost}}`; a profit is a negative cost.

    What is not named costs nothing. Classes are named by their text, `"1"` for 1.
    """

    costs: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        costs: Any = self.costs
        if not isinstance(costs, Mapping) or not all(isinstance(row, Mapping) for row in costs.values()):  # pyright: ignore
            raise Malformed(f"a cost matrix is {words_of(costs)}; give costs by true class and by call")
        for true, row in self.costs.items():
            for called, cost in row.items():
                number = isinstance(cost, int | float) and not isinstance(cost, bool)  # pyright: ignore
                if not number or not np.isfinite(cost):
                    raise Malformed(f"calling {true!r} {called!r} costs {cost!r}; give finite numbers")

    def metric(self, outcomes: Outcomes) -> OwnMetric:
        """The mean cost of a row, lower is better. Raises `Malformed` where the classes are not the outcomes'."""
        if outcomes.task not in ("binary", "multiclass"):
            raise Malformed(f"a cost matrix is of classes, and {outcomes.task} calls none; leave it out")
        names = [str(each) for each in outcomes.classes]
        named = {str(name) for name in self.costs} | {str(name) for row in self.costs.values() for name in row}
        if others := sorted(named - set(names)):
            raise Malformed(
                f"the costs name a class {others[0]!r} that these rows have not; there are {', '.join(names)}"
            )
        table = {str(true): {str(called): cost for called, cost in row.items()} for true, row in self.costs.items()}
        matrix = np.array([[table.get(true, {}).get(called, 0.0) for called in names] for true in names])
        rows = matrix[outcomes.truth.astype(np.int64), outcomes.called.astype(np.int64)]

        def mean_cost(labels: Any, predictions: Any, weights: Any = None) -> float:  # noqa: ARG001 - rows are known
            return float(np.average(rows, weights=weights))

        return OwnMetric(NAME, mean_cost, "lower", None, ("weights",))


def cost_matrix_of(given: CostMatrix | Mapping[str, Mapping[str, float]]) -> CostMatrix:
    """The matrix, also as plain mappings."""
    return given if isinstance(given, CostMatrix) else CostMatrix(given)
