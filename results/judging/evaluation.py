"""The evaluation of a version, as it was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..answer import Result
from ..description import Block, number, title
from ..version import Version
from ..words import language, say
from .performance import TaskPerformance
from .report import Report


@dataclass(frozen=True)
class Evaluation(Result):
    """How a version did on a data set, as it was recorded."""

    version: Version
    name: str
    performance: TaskPerformance
    report: Report | None = field(default=None, metadata={"json": False})
    """What stands behind the figures; None of a class that only judges itself."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the task; JSON-ready."""
        return super().to_dict() | {"task": self.performance.task}

    def __str__(self) -> str:
        return str(self.performance)

    def blocks(self) -> Iterator[Block]:
        version = self.version
        line = self.performance.summary(english=language() == "en")
        names = {"version": number(version), "model": title(version.model)}
        yield say("version {version} of {model}: {performance}", **names, performance=line)
        yield from (self.report.parts() if self.report else self.performance.blocks())
