"""A job as callers are told of it, and jobs in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..answer import Listing, Result
from ..description import Block, Text, grid, text
from ..figures import figure, first_line, when
from ..version import Version
from ..words import say, word

COLOURS: Final = {"finished": "green", "failed": "red", "cancelled": "yellow"}
"""Of how a job stands to which nothing can happen any more."""


@dataclass(frozen=True)
class JobRecord(Result):
    """A piece of work that was asked for, and what became of it."""

    job: str
    kind: str
    model: str
    status: str
    """waiting (for other jobs), queued, assigned, running, finished, failed or cancelled."""
    epoch: int
    """The attempt that counts, 0 before the first."""
    pool: str
    submitted: datetime
    changed: datetime
    message: str
    version: Version | None
    """The version that it made or judged."""
    figures: Mapping[str, Any]
    """What else came of it."""
    error: str | None
    reason: str
    """Why it stands as it does, where something went wrong."""
    step: int | None
    """The step of its last checkpoint."""
    warnings: int = 0
    """What its attempts said and was not taken in, such as metrics that no metric may be called."""
    lost_points: int = 0
    """Metric points that were lost by that."""
    warning: str = ""
    """Why, the last time."""
    remarks: tuple[str, ...] = ()
    """What was suspicious about the rows, a sentence each."""
    after: tuple[str, ...] = ()
    """The jobs that must have finished before it begins."""

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in COLOURS

    def blocks(self) -> Iterator[Block]:
        """A sentence: which job it is, how it stands, and why."""
        why = f": {self.reason or self.error}" if self.reason or self.error else ""
        names = {"job": f"{self.job} ({self.kind} {self.model})", "status": word(self.status)}
        yield text(say("job {job} is {status}", **names), f"{why}{self.warned}")

    @property
    def warned(self) -> str:
        """What was not taken in, as it stands behind a sentence; empty where all was."""
        if not self.warnings:
            return ""
        points = f", {self.lost_points:,} metric points are lost" if self.lost_points else ""
        return f" ({self.warnings:,} warnings{points}: {self.warning})"

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return text(word(self.status), style=COLOURS.get(self.status, ""))


class JobRecords(Listing, list[JobRecord]):
    """Jobs, one below the other."""

    called = "jobs"

    def blocks(self) -> Iterator[Block]:
        head = ("job", "kind", "model", "status", "version", "submitted", "message, or why")
        rows = ((*_cells(each), _said(each)) for each in self)
        yield grid(rows, head=map(word, head), right=(4,)) if self else word("no job was asked for")


def _cells(job: JobRecord) -> tuple[str | Text, ...]:
    return job.job, job.kind, job.model, job.coloured, figure(job.version), when(job.submitted)


def _said(job: JobRecord) -> str:
    why = "" if job.status in ("running", "assigned", "finished") else job.reason or job.error or ""
    return first_line(why or job.message)
