"""The ports between the ledger and its workers: a broker's topics satisfy them, and so does a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Protocol, Self

from ..events.envelope import Recorded
from ..events.job import JobCancelled, JobFailed, JobFinished, JobRequeued
from ..events.mail import Posted
from .orders import Order

_CLOSING: Final = (JobRequeued, JobFinished, JobFailed, JobCancelled)
CLOSING: Final = tuple(kind.type_name() for kind in _CLOSING)
"""The types of events that end an attempt."""


class Fact(NamedTuple):
    """What the log says became of an attempt: it and all before it count no more."""

    job: str
    epoch: int
    what: str
    """requeued, finished, failed or cancelled."""

    @classmethod
    def of(cls, recorded: Recorded) -> Self:
        """The fact that an event of a type in `CLOSING` is."""
        event = recorded.event
        assert isinstance(event, _CLOSING)
        return cls(recorded.stream.removeprefix("job/"), event.epoch, event.type.split(".")[2])


class Channel(Protocol):
    """A worker's side. What is read begins where it was opened, which is before the worker announces itself."""

    @property
    def strangers(self) -> int:
        """Records that were passed over because they are no orders or events."""
        ...

    def say(self, raw: bytes) -> None:
        """Put a message onto the topic of results; on return it stays there. Raises `Unavailable`."""
        ...

    def orders(self, patience: float = 0.0) -> Sequence[Order]:
        """The new orders for this incarnation, which are waited for, so many seconds at most. Raises `Unavailable`."""
        ...

    def facts(self) -> Sequence[Fact]:
        """What the log says anew of attempts, of any worker. Raises `Unavailable`."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class Results(Protocol):
    """The ledger's side of what workers say, one partition."""

    @property
    def topic(self) -> str:
        """What its positions are kept under."""
        ...

    @property
    def part(self) -> int:
        """Which partition of the topic it is."""
        ...

    def read(self, position: int, limit: int) -> Sequence[Posted]:
        """At most `limit` messages from a position on, in order. Raises `Unavailable`."""
        ...

    def say(self, raw: bytes) -> int:
        """Put a message of the ledger's own behind all others. Raises `Unavailable`.

        Returns when it got there, in microseconds since 1970 by the clock that stamps all of them.
        """
        ...

    def discard(self, before: int) -> None:
        """Messages before a position are not needed any more."""
        ...


class Orders(Protocol):
    """The ledger's side of what workers are told."""

    def send(self, order: Order) -> None:
        """Put an order on its way to its worker. Raises `Unavailable`, `Malformed` where it is too large for that."""
        ...

    def keep_only(self, jobs: Collection[str]) -> None:
        """The orders of other jobs have reached their workers, or are void; what they tell need stand nowhere."""
        ...
