"""What is told of chains: their steps, and what became of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...events.chain import ChainStepPlan
from ..commands import OfChain


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineChain(OfChain):
    """Say which steps a chain has; said again it changes nothing."""

    steps: tuple[ChainStepPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceChain(OfChain):
    """Say what became of a step: a job, a version that it was done on, or why it was refused."""

    free_text: ClassVar = ("reason",)
    step: str
    model: str | None = None
    job: str | None = None
    version: int | None = None
    reason: str = ""


ChainCommand = DefineChain | AdvanceChain
