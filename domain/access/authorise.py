"""Authorisation: who asks may ask what they ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..command import Command
from . import needs
from .rights import ALL, Rights


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: `id` is a pseudonym, never a name."""

    id: str
    type: Literal["user", "service_account", "system", "unknown"] = "user"
    rights: Rights = ALL
    """On one machine whoever can open the home may ask everything."""


def authorise(principal: Principal, command: Command, state: needs.StateOf) -> None:
    """Let a command pass, or raise `Forbidden`; `state` gives the streams that say which model it is about."""
    if not principal.rights.unlimited:
        needs.check(principal.rights, command, state)
