"""What a command is: imperative and frozen, with what counts of it where it is sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, cast

from ..results import LastMove
from .streams import study_stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something asked of the ledger."""

    free_text: ClassVar[tuple[str, ...]] = ()
    """Fields that may name a person; the ledger seals them before it decides."""
    incidental: ClassVar[tuple[str, ...]] = ()
    """Fields that another attempt at the same thing may find otherwise: where bytes lie, the head, the run."""
    joined: ClassVar[tuple[str, ...]] = ()
    """Fields that joined later: they count once they say something, and no key of an earlier Lepton did with them."""

    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The caller's words, by field, for what they came to: the next time they may come to something else."""

    def reads(self) -> tuple[str, ...]:
        """The streams whose state `decide` needs."""
        raise TypeError(f"{type(self).__name__} reads no stream")

    def content(self) -> dict[str, Any]:
        """What makes two commands under one idempotency key the same."""
        said: dict[str, Any] = {"command": type(self).__name__}
        for name in _counted(type(self)):
            said[name] = getattr(self, name)
        if "expected" in said:
            said["expected"] = _expected(said["expected"])
        for name in self.joined:
            if not said[name]:
                del said[name]
        said.update(self.asked)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class OfStudy(Command):
    """Something asked of one study; studies/commands.py has them."""

    study: str

    def reads(self) -> tuple[str, ...]:
        return (study_stream(self.study),)


def _expected(expected: Any) -> Any:
    """Where names are expected to be, as JSON."""
    if isinstance(expected, Mapping):
        return {name: _expected(each) for name, each in cast("Mapping[str, Any]", expected).items()}
    return str(expected) if isinstance(expected, LastMove) else expected


@cache
def _counted(kind: type[Command]) -> tuple[str, ...]:
    """The fields that make two commands the same."""
    return tuple(each.name for each in fields(kind) if each.name not in ("asked", *kind.incidental))
