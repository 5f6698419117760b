"""The last move of a name as a caller saw it: a write that expects it is refused where others came first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LastMove:
    """As `expected`: the last move of the name is event `seq` still, 0 meaning that nothing bears the name.

    It tells also of a name that was moved and put back meanwhile, which a version cannot. `seq` may be one of several,
    or None for any of all; `others` are as good as it, and none of `never` is.
    """

    seq: int | None
    others: tuple[int, ...] = ()
    never: tuple[int, ...] = ()

    def holds(self, last: int) -> bool:
        """Whether a name whose last move is event `last`, 0 for none, is as it is expected to be."""
        return (self.seq is None or last == self.seq or last in self.others) and last not in self.never

    def __str__(self) -> str:
        """The expectation in words, which count where a command is sent again under its key."""
        if self.seq is not None and {self.seq, *self.others} <= {*self.never}:
            return "what was expected"
        wanted = "any event" if self.seq is None else " or ".join(map(event_at, (self.seq, *self.others)))
        return f"{wanted} but {' or '.join(map(event_at, self.never))}" if self.never else wanted


def event_at(seq: int) -> str:
    """Where a name is by its last move."""
    return f"event {seq}" if seq else "nowhere"


SOMEWHERE: Final = LastMove(None, never=(0,))
"""The name is there, whoever moved it last."""
NOWHERE: Final = LastMove(0)
"""Nothing bears the name."""
