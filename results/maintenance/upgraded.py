"""What an upgrade of a ledger did, or would do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..answer import Result
from ..description import Block, text, title
from ..figures import count, size
from ..words import say, word


@dataclass(frozen=True)
class Upgraded(Result):
    """What an upgrade did, or would do: from which format to which, over which events, and where the copy is."""

    ledger: str
    before: int
    after: int
    events: int
    """Of the log before; its root over them is the same afterwards."""
    root: str
    copy: str | None
    """Where the tables stand as they were; None where they are in today's format already."""
    bytes: int
    """About what the copy takes."""
    done: bool

    def blocks(self) -> Iterator[Block]:
        told = {
            "events": count(self.events, "event"),
            "ledger": self.ledger,
            "before": self.before,
            "after": self.after,
        }
        if self.before == self.after and not self.done:
            yield say("nothing to do: ledger {ledger} has format {after}, which is today's", **told)
        elif not self.done:
            would = "would bring {events} of ledger {ledger} from format {before} to {after}; nothing was changed"
            yield say(would, **told)
            if self.copy:
                yield text("  ", say("and first copy about {size} to {copy}", size=size(self.bytes), copy=self.copy))
        else:
            done = "{events} of ledger {ledger} from format {before} to {after}, with the root unchanged"
            yield text(title(word("upgraded")), ": ", say(done, **told))
            yield f"  {self.root}"
            if self.copy:
                yield say("What was before is in {copy}; delete it once you are sure.", copy=self.copy)
