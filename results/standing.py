"""How the ledger is: its history checked, its spool told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answer import Result


@dataclass(frozen=True)
class Verified(Result):
    """A log whose Merkle root was recomputed from its stored bytes and found to be the recorded one."""

    ledger: str
    size: int
    root: str
    forgotten: int = field(default=0, compare=False)
    """How many actors acted whose names are forgotten; no part of what was verified."""


@dataclass(frozen=True)
class Synced(Result):
    """What became of what waited in the spool: each entry with kind, key, actor, time, and `version` or `reason`."""

    delivered: tuple[Mapping[str, Any], ...]
    refused: tuple[Mapping[str, Any], ...]
    """All that stand aside, those of earlier times too."""
