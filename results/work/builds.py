"""A build as callers are told of it: what was kept, the leaderboard, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..answer import Result
from ..description import Block, Text, grid, text, title
from ..figures import figure
from ..version import Version, VersionRef
from ..words import say, word

_LATE: Final = 2 / 3
"""The share of the trials behind which the best one is late."""


@dataclass(frozen=True)
class CandidateRecord(Result):
    """One kind of model: how its best trial did, or why it was left out."""

    candidate: str
    reason: str
    """Why it was tried, or why not."""
    trials: int = 0
    """How many settings of it were begun."""
    trial: int | None = None
    """The number of its best trial; None where none came to a figure."""
    figure: float | None = None
    """The metric's mean over the folds."""
    error: float | None = None
    """The standard error of that mean."""
    difference: float | None = None
    """The mean difference to the best candidate on the same folds."""
    low: float | None = None
    high: float | None = None
    """The ends of its interval of 95 %, by the corrected resampled t-test (Nadeau and Bengio 2003)."""
    seconds: float | None = None
    """What that trial took, all folds together."""
    hyperparameters: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class BuildRecord(Result):
    """A build: the version that was kept, how it was chosen, and what was remarked about the rows."""

    model: str
    version: Version
    study: str
    task: str
    """binary, multiclass or regression."""
    label: str | None
    positive: str | None
    """Of two classes the one whose probability is predicted."""
    metric: str
    better: str
    """higher or lower."""
    rows: int
    columns: int
    folds: int
    trials: int
    seconds: float
    """How long this run of the build took."""
    metrics: Mapping[str, float]
    """The kept model's figures, means over the folds."""
    leaderboard: tuple[CandidateRecord, ...]
    """The kinds that came to a figure, the best first."""
    left_out: tuple[CandidateRecord, ...]
    """Those that did not, and why."""
    remarks: tuple[str, ...]
    """What is suspicious about the rows, a sentence each."""
    stopped: bool
    """Whether somebody ended its search before its time."""

    @property
    def best(self) -> CandidateRecord:
        """The kind of model that was kept."""
        return self.leaderboard[0]

    @property
    def next(self) -> tuple[Text, ...]:
        """What to try next, a sentence each."""
        return tuple(self._advice())

    def blocks(self) -> Iterator[Block]:
        about = say(
            "{label}: {task}, {rows} rows, {columns} columns, {folds} folds; {trials} trials in {seconds} s",
            label=title(self.label or word("label")),
            task=self.task if self.positive is None else f"{self.task} ({self.positive})",
            rows=f"{self.rows:,}",
            columns=self.columns,
            folds=self.folds,
            trials=self.trials,
            seconds=f"{self.seconds:.0f}",
        )
        yield text(about)
        for remark in self.remarks:
            yield text(say("note: {remark}", remark=remark))
        head = (word("candidate"), self.metric, "±", word("difference (95 %)"), word("trials"), word("seconds"))
        yield grid((_leader(each) for each in self.leaderboard), head=head, indent=2)
        for each in self.left_out:
            yield text("  ", say("{candidate} left out: {reason}", candidate=each.candidate, reason=word(each.reason)))
        yield text("  ", say("{candidate}: {reason}", candidate=self.best.candidate, reason=word(self.best.reason)))
        if self.stopped:
            yield text(word("it was stopped; run again, it goes on"))
        for advice in self.next:
            yield text(say("next: {advice}", advice=advice))
        about = {"candidate": self.best.candidate, "model": title(self.model), "version": title(str(self.version))}
        yield text(say("kept {candidate} in {model} as version {version}", **about))

    def _level(self, other: CandidateRecord) -> bool:
        """Whether a candidate is within one standard error of the best (Breiman et al. 1984)."""
        return abs(other.difference or 0.0) <= (self.best.error or 0.0)

    def _advice(self) -> Iterator[Text]:
        if any("drop it" in remark for remark in self.remarks):
            yield say("drop the columns that the notes name, where they are what they seem, and build again")
        if any(each.candidate == "linear" and self._level(each) for each in self.leaderboard[1:]):
            yield say("linear is level with it, smaller and easier to explain: build with that candidate alone")
        if self.trials >= _SEVERAL and (at := self.best.trial or 0) >= _LATE * self.trials:
            words = "the best came late, as trial {trial} of {trials}: a larger budget may find a better one"
            yield say(words, trial=at, trials=self.trials)
        if any(each.reason == TOO_LONG for each in self.left_out):
            yield say("a larger budget has room for what took too long")
        if self.rows < _FEW_ROWS:
            yield say("{rows} rows leave the figures uncertain: more rows tell more than more trials", rows=self.rows)
        yield say("evaluate {version} on rows that no fold had", version=str(VersionRef(self.model, int(self.version))))


TOO_LONG: Final = "one round of its folds takes more than a fifth of the budget"
NOT_REACHED: Final = "the build was over before its turn"
FAILED: Final = "every trial of it failed"
BEHIND: Final = "each of its settings fell behind on the first folds"
_FEW_ROWS: Final = 1_000
_SEVERAL: Final = 10


def _leader(each: CandidateRecord) -> tuple[str | Text, ...]:
    reach = "" if each.low is None else f" ({figure(each.low)} … {figure(each.high)})"
    return (
        each.candidate,
        figure(each.figure),
        "" if each.error is None else figure(each.error),
        "" if each.difference is None else f"{figure(each.difference)}{reach}",
        str(each.trials),
        "" if each.seconds is None else f"{each.seconds:.1f}",
    )
