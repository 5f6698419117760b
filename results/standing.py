"""How the ledger is: its history checked, its spool told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .answer import Result
from .description import Block, text, title
from .figures import count

PROVES: Final = (
    "This proves that the ledger is whole in itself, not that nobody rewrote all of it: only a root or a signed",
    "head that was kept elsewhere proves history. Which name a pseudonym stands for nothing proves.",
)


@dataclass(frozen=True)
class Verified(Result):
    """A log whose Merkle root was recomputed from its stored bytes and found to be the recorded one."""

    ledger: str
    size: int
    root: str
    forgotten: int = field(default=0, compare=False)
    """How many actors acted whose names are forgotten; no part of what was verified."""

    def blocks(self) -> Iterator[Block]:
        yield text(title("whole"), f": {count(self.size, 'event')} of ledger {self.ledger} give the recorded root")
        yield f"  {self.root}"
        if self.forgotten:
            yield f"  {count(self.forgotten, 'actor')} forgotten: events bear a pseudonym that no name stands for"
        yield from PROVES


@dataclass(frozen=True)
class Synced(Result):
    """What became of what waited in the spool: each entry with kind, key, actor, time, and `version` or `reason`."""

    delivered: tuple[Mapping[str, Any], ...]
    refused: tuple[Mapping[str, Any], ...]
    """All that stand aside, those of earlier times too."""

    def blocks(self) -> Iterator[Block]:
        if not (self.delivered or self.refused):
            yield "nothing waits"
        for each in self.delivered:
            what = f"version {each['version']} of {each['model']}" if each["version"] else f"run {each['run']}"
            yield text(title("delivered"), f"  {each['kind']}  {what}")
        for each in self.refused:
            what = f"of {each['model'] or each['run']}, asked by {each['actor']}" if each["kind"] else "entry"
            refused = text("refused", style="red bold")
            yield text(refused, f"  {each['kind'] or 'damaged'} {what}: {each['reason']}")


def unprojected(events: int) -> str:
    """That there are events which the views cannot hold, and how to list them."""
    return f"{count(events, 'event')} set aside, for the views cannot hold a value in it: lepton sql 'from unprojected'"
