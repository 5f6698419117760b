"""How the ledger is: its history checked, its spool told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..answer import Result
from ..description import Block, text, title
from ..figures import count
from ..words import say, word
from .evidence import SignedHead, signed

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
    against: SignedHead | None = None
    """The head, signed and kept elsewhere, whose history this ledger was found to go on from."""

    def blocks(self) -> Iterator[Block]:
        told = {"whole": title(word("whole")), "events": count(self.size, "event"), "ledger": self.ledger}
        yield say("{whole}: {events} of ledger {ledger} give the recorded root", **told)
        yield f"  {self.root}"
        if self.forgotten:
            actors = count(self.forgotten, "actor")
            forgotten = "{actors} forgotten: events bear a pseudonym that no name stands for"
            yield text("  ", say(forgotten, actors=actors))
        if self.against is None:
            yield from map(word, PROVES)
        else:
            yield from self._as_signed(self.against)

    def _as_signed(self, head: SignedHead) -> Iterator[Block]:
        told = {"as_signed": title(word("as signed")), "events": count(head.size, "event")}
        later = count(self.size - head.size, "event")
        yield say(
            "{as_signed}: its first {events} are the history of the head; {later} came later", later=later, **told
        )
        yield f"  {head.root}"
        yield from signed(head.time, head.key)


@dataclass(frozen=True)
class Synced(Result):
    """What became of what waited in the spool: each entry with kind, key, actor, time, and `version` or `reason`."""

    delivered: tuple[Mapping[str, Any], ...]
    refused: tuple[Mapping[str, Any], ...]
    """All that stand aside, those of earlier times too."""

    def blocks(self) -> Iterator[Block]:
        if not (self.delivered or self.refused):
            yield word("nothing waits")
        for each in self.delivered:
            version = {"version": each["version"], "model": each["model"]}
            what = say("version {version} of {model}", **version) if each["version"] else f"{word('run')} {each['run']}"
            yield text(title(word("delivered")), f"  {each['kind']}  ", what)
        for each in self.refused:
            names = {"kind": each["kind"], "what": each["model"] or each["run"], "actor": each["actor"]}
            what = say("{kind} of {what}, asked by {actor}", **names) if each["kind"] else word("damaged entry")
            yield text(text(word("refused"), style="red bold"), "  ", what, f": {each['reason']}")


def unprojected(events: int) -> str:
    """That there are events which the views cannot hold, and how to list them."""
    aside = "{events} set aside, for the views cannot hold a value in it: lepton sql 'from unprojected'"
    return str(say(aside, events=count(events, "event")))
