"""What decisions cost: a price for each kind of error, and the threshold that costs least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import CostCurve
from ..binary import Floats, checked
from ..probabilities import read_numbers


@dataclass(frozen=True)
class Costs:
    """What a row costs by its true class and its call; a profit is a negative cost."""

    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    def __post_init__(self) -> None:
        every = [self.false_positive, self.false_negative, self.true_positive, self.true_negative]
        if not np.isfinite(read_numbers(every, "costs")).all():
            raise Malformed("costs must be finite numbers; NaN and infinity are none")
        if self.false_positive <= self.true_negative or self.false_negative <= self.true_positive:
            raise Malformed("an error costs no more than being right, so no threshold is best; check the costs' signs")

    def of_rows(self, truth: Floats, called: npt.NDArray[np.bool_]) -> Floats:
        """The cost of each row, shape (n,); labels of 0 and 1, and what was called positive."""
        positive = np.where(called, self.true_positive, self.false_negative)
        return np.where(truth == 1, positive, np.where(called, self.false_positive, self.true_negative))

    @property
    def threshold(self) -> float:
        """The threshold of least cost where probabilities can be believed (Elkan 2001)."""
        wrong = self.false_positive - self.true_negative
        return wrong / (wrong + self.false_negative - self.true_positive)


def cost_curve(labels: npt.ArrayLike, probabilities: npt.ArrayLike, costs: Costs) -> CostCurve:
    """The mean cost of a row at every threshold that calls other rows; labels of 0 and 1, both of shape (n,).

    A threshold lies half way between two levels of probability, so that no row's last bit decides.
    Raises `Malformed` as `binary.score` does.
    """
    truth, chance = checked(labels, probabilities)
    order = np.argsort(-chance, kind="stable")
    falling, positive = chance[order], truth[order]
    called = costs.of_rows(positive, np.ones(len(truth), bool))
    passed = costs.of_rows(positive, np.zeros(len(truth), bool))
    sums = passed.sum() + np.concatenate([[0.0], np.cumsum(called - passed)])
    ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]) + 1, len(falling))
    levels = np.append(falling[ends - 1], 0.0)
    halves = (levels[:-1] + levels[1:]) / 2
    first = (levels[0] + 1) / 2 if levels[0] < 1 else np.nextafter(1, 2)
    thresholds = np.concatenate([[first], halves])
    return CostCurve(tuple(thresholds.tolist()), tuple((sums[np.append(0, ends)] / len(truth)).tolist()))
