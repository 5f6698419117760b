"""A study as callers are told of it: a search, its trials, and the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Any, Final

from ..answer import Listing, Result
from ..description import Block, Text, grid, text, title
from ..figures import figure
from ..words import say, word
from .jobs import COLOURS

STATUSES: Final = ("waiting", "running", "complete", "pruned", "failed")
"""How a trial may stand."""
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
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        style = {"complete": COLOURS["finished"], "failed": COLOURS["failed"]}
        return text(word(self.status), style=style.get(self.status, ""))

    @property
    def seconds(self) -> float | None:
        """How long it took; None where it did not end, or was not run."""
        if self.started is None or self.ended is None or self.earlier:
            return None
        return max(0.0, (self.ended - self.started).total_seconds())


@dataclass(frozen=True)
class StudySummary(Result):
    """A search at a glance."""

    study: str
    model: str | None
    metrics: tuple[str, ...]
    directions: tuple[str, ...]
    """By metric maximize or minimize."""
    created: datetime
    stopped: datetime | None
    """When it was stopped; None where it was not, or is gone on with."""
    counts: Mapping[str, int]
    """How many of its trials stand so, by status."""
    best: TrialRecord | None
    """The best trial by the first metric; None where none came to a figure."""


@dataclass(frozen=True)
class StudyRecord(Result):
    """A search and all its trials."""

    study: str
    model: str | None
    metrics: tuple[str, ...]
    directions: tuple[str, ...]
    """By metric maximize or minimize."""
    created: datetime
    stopped: datetime | None
    """When it was stopped; None where it was not, or is gone on with."""
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

    @property
    def front(self) -> tuple[TrialRecord, ...]:
        """The trials that no other beats in every metric (the Pareto front), by the first metric, the best first."""
        turned = [-1 if each == "maximize" else 1 for each in self.directions]
        front: list[tuple[TrialRecord, tuple[float, ...]]] = []
        told = ((each, self._costs(each, turned)) for each in self.ranked)
        for trial, costs in sorted(told, key=lambda pair: (pair[1], pair[0].trial)):
            if not any(isnan(cost) for cost in costs) and not any(_beats(other, costs) for _, other in front):
                front.append((trial, costs))
        return tuple(trial for trial, _ in front)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of its trials stand so, by status."""
        return {status: sum(each.status == status for each in self.trials) for status in STATUSES}

    @property
    def summary(self) -> StudySummary:
        """The search at a glance."""
        about = (self.study, self.model, self.metrics, self.directions, self.created, self.stopped)
        return StudySummary(*about, self.counts, self.best)

    def to_dict(self) -> dict[str, Any]:
        """Every field, and the number of the best trial."""
        told = super().to_dict()
        return told | {"best": None if self.best is None else self.best.trial}

    def blocks(self) -> Iterator[Block]:
        shown = {"study": title(self.study), **self.counts}
        yield text(say("study {study}: {complete} trials complete, {pruned} pruned, {failed} failed", **shown))
        if self.stopped is not None:
            yield text(word("it was stopped; run again, it goes on"))
        names = list(dict.fromkeys(name for each in self.trials for name in each.parameters))
        head = (word("trial"), *self.metrics, *names, word("version"))
        rows = (self._cells(each, names) for each in self.ranked[:_SHOWN])
        yield grid(rows, head=head, indent=2)

    def _cells(self, trial: TrialRecord, names: list[str]) -> tuple[str | Text, ...]:
        values = [figure(value) for value in trial.values or ()]
        tried = [figure(trial.parameters[name]) if name in trial.parameters else "" for name in names]
        return (str(trial.trial), *values, *tried, trial.version or "")

    @staticmethod
    def _costs(trial: TrialRecord, turned: list[int]) -> tuple[float, ...]:
        return tuple(sign * value for sign, value in zip(turned, trial.values or (), strict=False))


class StudySummaries(Listing, list[StudySummary]):
    """Searches, the newest first."""

    called = "studies"

    def blocks(self) -> Iterator[Block]:
        head = ("study", "model", "metrics", "complete", "running", "best", "created")
        yield grid(map(_row, self), head=map(word, head)) if self else word("no search was run")


def _row(study: StudySummary) -> tuple[str | Text, ...]:
    best = "" if study.best is None or not study.best.values else figure(study.best.values[0])
    state = word("stopped") if study.stopped is not None else str(study.counts["running"])
    complete, created = str(study.counts["complete"]), f"{study.created:%Y-%m-%d %H:%M}"
    return (title(study.study), study.model or "", ", ".join(study.metrics), complete, state, best, created)


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))
