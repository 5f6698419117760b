"""What is asked of a model's gates: to judge one, to protect an alias by one, to protect it no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ...results import LastMove
from ..commands import OfGates


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeGate(OfGates):
    """Hold a version against requirements, by figures that are recorded."""

    incidental: ClassVar = ("rows",)
    version: int
    against: int | None = None
    requirements: tuple[str, ...]
    name: str = ""
    """What the evaluation is called that bare names are figures of; empty where any will do."""
    rows: Mapping[int, str] = field(default_factory=dict[int, str])
    """By version, the digest of the rows that it has just been evaluated on: the same rows, as each version reads
    them. Empty where the gate finds rows that all sides have figures of."""
    suite: str | None = None
    suite_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectAlias(OfGates):
    """Let an alias move only to versions that passed a gate with these requirements, or that of a suite."""

    free_text: ClassVar = ("reason",)
    joined: ClassVar = ("expected",)
    alias: str
    requirements: tuple[str, ...] = ()
    against: str | None = None
    """The alias, branch or tag that `against.` stands for; the alias itself where nothing is said."""
    suite: str | None = None
    reason: str = ""
    expected: LastMove | None = None
    """Which event protected the alias last, 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprotectAlias(OfGates):
    """Let an alias move freely again."""

    free_text: ClassVar = ("reason",)
    joined: ClassVar = ("expected",)
    alias: str
    reason: str = ""
    expected: LastMove | None = None


GateCommand = JudgeGate | ProtectAlias | UnprotectAlias
