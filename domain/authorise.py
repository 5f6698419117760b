"""Who may ask what: the one gate that every command passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .commands import Command


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: `id` is a pseudonym, never a name."""

    id: str
    type: Literal["user", "service_account", "system", "unknown"] = "user"


def authorise(principal: Principal, command: Command) -> None:
    """Let a command pass, or raise `Refused`. On one machine whoever can open the home may ask everything."""
    del principal, command
