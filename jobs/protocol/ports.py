"""The ports between the ledger and its workers: a broker's topics satisfy them, and so does a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Protocol, Self

from ...events.envelope import Recorded
from ...events.inbox import Letter
from ...events.job import JobAssigned, JobCancelled, JobFailed, JobFinished, JobRequeued

_FACTS: Final = (JobAssigned, JobRequeued, JobFinished, JobFailed, JobCancelled)
FACTS: Final = tuple(kind.type_name() for kind in _FACTS)
"""The types of events that begin an attempt or end it."""


class Fact(NamedTuple):
    """What the log says of an attempt: whose it is by which order, or that it and all before it count no more."""

    job: str
    epoch: int
    what: str
    """assigned, requeued, finished, failed or cancelled."""
    worker: str = ""
    order: str | None = None
    """Digest of the order that the worker was sent; for one that was assigned."""

    @classmethod
    def of(cls, recorded: Recorded) -> Self:
        """The fact that an event of a type in `FACTS` is."""
        event = recorded.event
        assert isinstance(event, _FACTS)
        job, what = recorded.stream.removeprefix("job/"), event.type.split(".")[2]
        if isinstance(event, JobAssigned):
            return cls(job, event.epoch, what, event.worker, event.order)
        return cls(job, event.epoch, what)

    @property
    def closes(self) -> bool:
        """Whether it ends the attempt."""
        return self.what != "assigned"


class Channel(Protocol):
    """A worker's side. What is read begins where it was opened, which is before the worker announces itself."""

    @property
    def place(self) -> str:
        """Where messages are said, as their signatures name it. Raises `Unavailable` where that is not known yet."""
        ...

    @property
    def strangers(self) -> int:
        """Records that were passed over because they are no orders or events."""
        ...

    def say(self, body: bytes) -> None:
        """Sign a message and put it onto the topic of results; on return it stays there. Raises `Unavailable`."""
        ...

    def orders(self, patience: float = 0.0) -> Sequence[bytes]:
        """What came for this incarnation, waited for so many seconds at most. Raises `Unavailable`.

        Whether it is an order, and the ledger's, is to be held against `job.assigned`: others may write there too.
        """
        ...

    def facts(self) -> Sequence[Fact]:
        """What the log says anew of attempts, of any worker. Raises `Unavailable`."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class Source(Protocol):
    """One partition of messages that the ledger takes in."""

    @property
    def topic(self) -> str:
        """What its positions are kept under."""
        ...

    @property
    def part(self) -> int:
        """Which partition of the topic it is."""
        ...

    def read(self, position: int, limit: int) -> Sequence[Letter]:
        """At most `limit` messages from a position on, in order. Raises `Unavailable`."""
        ...


class Results(Source, Protocol):
    """The ledger's side of what workers say, one partition."""

    @property
    def place(self) -> str:
        """What it is called in the signatures of those who say something there."""
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

    def send(self, raw: bytes) -> None:
        """Put a sealed order on its way to its worker. Raises `Unavailable`."""
        ...

    def keep_only(self, jobs: Collection[str]) -> None:
        """The orders of other jobs have reached their workers, or are void; what they tell need stand nowhere."""
        ...
