"""A study as callers are told of it: a search, its trials, and the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from ..answer import Result
from ..description import Block, Text, grid, text, title
from ..figures import figure
from ..words import say, word

_SHOWN: Final = 10
"""Trials that are shown, the best first."""


@dataclass(frozen=True)
class TrialRecord(Result):
    """One choice of hyperparameters that was tried."""

    trial: int
    status: str
    """waiting, running, complete, pruned or failed."""
    values: tuple[float, ...] | None
    """What it came to, a figure a metric."""
    parameters: Mapping[str, Any]
    version: str | None
    """The version that was kept of it, or that it tells of, as `credit@3`."""
    error: str | None
    """The class of the error that it failed with."""
    earlier: bool
    """Whether it tells of a version that was there before the search."""


@dataclass(frozen=True)
class StudyRecord(Result):
    """A search and all its trials."""

    study: str
    model: str | None
    metrics: tuple[str, ...]
    directions: tuple[str, ...]
    """By metric maximize or minimize."""
    trials: tuple[TrialRecord, ...]

    @property
    def ranked(self) -> tuple[TrialRecord, ...]:
        """The trials that came to figures, by the first metric, the best first."""
        turned = -1 if self.directions[0] == "maximize" else 1
        complete = [each for each in self.trials if each.status == "complete" and each.values]
        known = [each for each in complete if each.values and not isnan(each.values[0])]
        return tuple(sorted(known, key=lambda each: (turned * each.values[0] if each.values else 0.0, each.trial)))

    @property
    def best(self) -> TrialRecord | None:
        """The best trial by the first metric; None where none came to a figure."""
        return next(iter(self.ranked), None)

    def to_dict(self) -> dict[str, Any]:
        """Every field, and the number of the best trial."""
        told = super().to_dict()
        return told | {"best": None if self.best is None else self.best.trial}

    def blocks(self) -> Iterator[Block]:
        counts = {
            status: sum(each.status == status for each in self.trials) for status in ("complete", "pruned", "failed")
        }
        shown = {"study": title(self.study), **counts}
        yield text(say("study {study}: {complete} trials complete, {pruned} pruned, {failed} failed", **shown))
        names = list(dict.fromkeys(name for each in self.trials for name in each.parameters))
        head = (word("trial"), *self.metrics, *names, word("version"))
        rows = (self._cells(each, names) for each in self.ranked[:_SHOWN])
        yield grid(rows, head=head, indent=2)

    def _cells(self, trial: TrialRecord, names: list[str]) -> tuple[str | Text, ...]:
        values = [figure(value) for value in trial.values or ()]
        tried = [figure(trial.parameters[name]) if name in trial.parameters else "" for name in names]
        return (str(trial.trial), *values, *tried, trial.version or "")
