"""What is asked of suites: to be defined, and to be retired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..commands import OfSuite, model_stream, suite_stream


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineSuite(OfSuite):
    """Say what versions are judged on, and what they must come to; said again it changes nothing."""

    free_text: ClassVar = ("source", "message")
    incidental: ClassVar = ("moved", "described")
    data: Mapping[str, Any]
    """Fingerprint of the rows."""
    named: str = ""
    source: str = ""
    label: str
    selection: Mapping[str, Any] = field(default_factory=dict[str, Any])
    evaluation: str
    metrics: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    against: str | None = None
    watched: str | None = None
    """The model whose branch it watches."""
    branch: str | None = None
    task: str | None = None
    report: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the reports of its evaluations are asked with, as a job's payload has it."""
    pool: str = "default"
    message: str = ""
    moved: bool = False
    """Whether the rows lie elsewhere than the suite says, if it is defined so already."""
    described: bool = False
    """Whether another message is told of it than it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireSuite(OfSuite):
    """Let a suite judge no more versions."""

    free_text: ClassVar = ("reason",)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSuite(OfSuite):
    """Hold a version against a suite's requirements, by figures that are recorded."""

    incidental: ClassVar = ("against", "rows")
    number: int
    """Which definition of the suite."""
    model: str
    version: int
    against: int | None = None
    """The version that `against.` stood for when figures of it were looked for."""
    rows: Mapping[int, str] = field(default_factory=dict[int, str])
    """By version, the digest of the suite's rows as that version reads them."""

    def reads(self) -> tuple[str, ...]:
        return (suite_stream(self.suite), model_stream(self.model))


SuiteCommand = DefineSuite | RetireSuite | JudgeSuite
