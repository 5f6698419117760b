"""The last fit of a build: the best setting, learnt from all rows, with nothing held out.

What the folds decided is taken from them: of two classes the threshold, of a net how many epochs it learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from optuna.trial import FrozenTrial

from ...building.automatic.folded import EPOCHS, THRESHOLD, FoldedRows
from ...datasets.examination import noted
from ...models.model import Model
from ...models.registry import untrained
from ..studies.search import FIGURES
from .definition import BuildDefinition


@dataclass(frozen=True)
class LastFit:
    """A model that is to learn from all rows, and the figures that its setting came to over the folds."""

    model: Model
    figures: Mapping[str, float]

    @classmethod
    def of(cls, definition: BuildDefinition, folded: FoldedRows, best: FrozenTrial) -> Self:
        """The last fit of the best trial."""
        candidate, chosen = definition.tried(best.params)
        figures = dict(best.user_attrs[FIGURES])
        asked = {**folded.asked, **chosen}
        asked |= {"split_groups": definition.plan.groups, "split_time": definition.plan.time}
        if (threshold := figures.pop(THRESHOLD, None)) is not None:
            asked["threshold"] = threshold
        if (epochs := figures.pop(EPOCHS, None)) is None:
            asked["held_out"] = 0.0
        else:
            asked["epochs"] = asked["patience"] = max(1, round(epochs))
        return cls(untrained(candidate.model_class, asked), figures)

    def learn(self, rows: Any, labels: Any) -> None:
        """Fit to all rows; a net is validated on those too, so that it learns to the last of its epochs."""
        validation = (rows, labels) if "epochs" in self.model.hyperparameters else None
        with noted():  # the build tells what is suspicious about the rows
            self.model.train(rows, labels, validation=validation)
