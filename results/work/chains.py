"""A chain as callers are told of it: its steps, how each stands, and what it made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..answer import Listing, Result
from ..description import Block, Text, grid, text, title
from ..figures import first_line
from ..version import Version
from ..words import say, word
from .jobs import COLOURS


@dataclass(frozen=True)
class ChainStep(Result):
    """One step of a chain."""

    step: str
    kind: str
    status: str
    """waiting (for other steps), or as a job's: queued, assigned, running, finished, failed or cancelled."""
    needs: tuple[str, ...]
    """The steps that must have finished before."""
    job: str | None = None
    """The job that it is, where it is one and was asked for."""
    model: str | None = None
    version: Version | None = None
    """The version that it made, or is about."""
    reason: str = ""
    """Why it stands as it does, where something went wrong."""

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return _coloured(self.status)

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in COLOURS

    def at(self, status: str, *, job: str | None = None, version: Version | None = None, reason: str = "") -> ChainStep:
        """The same step as it stands at another time."""
        model = None if version is None else version.model
        return replace(self, status=status, job=job, model=model, version=version, reason=reason)


@dataclass(frozen=True)
class ChainRecord(Result):
    """A chain, and how far it has come."""

    chain: str
    steps: tuple[ChainStep, ...]
    """Each behind those that it needs."""

    @property
    def ended(self) -> bool:
        """Whether all of its steps have."""
        return all(step.ended for step in self.steps)

    @property
    def status(self) -> str:
        """finished, failed once a step has, else running."""
        if any(step.ended and step.status != "finished" for step in self.steps):
            return "failed"
        return "finished" if self.ended else "running"

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return _coloured(self.status)

    @property
    def far(self) -> str:
        """How many of its steps have finished."""
        return f"{sum(step.status == 'finished' for step in self.steps)}/{len(self.steps)}"

    def to_dict(self) -> dict[str, Any]:
        """The chain's name, how it stands, and its steps."""
        told = super().to_dict()
        return {"chain": told["chain"], "status": self.status, "steps": told["steps"]}

    def blocks(self) -> Iterator[Block]:
        yield text(say("chain {chain} is {status}", chain=title(self.chain), status=word(self.status)))
        head = ("step", "kind", "status", "version", "needs", "job, or why")
        yield grid((_cells(step) for step in self.steps), head=map(word, head), indent=2)


class ChainRecords(Listing, list[ChainRecord]):
    """Chains, one below the other."""

    called = "chains"

    def blocks(self) -> Iterator[Block]:
        head = ("chain", "status", "steps")
        rows = ((each.chain, each.coloured, each.far) for each in self)
        yield grid(rows, head=map(word, head)) if self else word("no chain was run")


def _coloured(status: str) -> Text:
    return text(word(status), style=COLOURS.get(status, ""))


def _cells(step: ChainStep) -> tuple[str | Text, ...]:
    version = "" if step.version is None else f"{step.version.model}@{step.version}"
    return (
        step.step,
        word(step.kind),
        step.coloured,
        version,
        ", ".join(step.needs),
        first_line(step.reason or step.job or ""),
    )
