"""The ports between the ledger and its workers: a broker's topics satisfy them, and so does a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from ..events.mail import Posted
from .orders import Order


class Fact(NamedTuple):
    """What the log says became of an attempt: it and all before it count no more."""

    job: str
    epoch: int
    what: str
    """requeued, finished, failed or cancelled."""


class Channel(Protocol):
    """A worker's side. What is read begins where it was opened, which is before the worker announces itself."""

    def say(self, raw: bytes) -> None:
        """Put a message onto the topic of results; on return it stays there. Raises `Unavailable`."""
        ...

    def orders(self) -> Sequence[Order]:
        """The new orders for this incarnation. Raises `Unavailable`."""
        ...

    def facts(self) -> Sequence[Fact]:
        """What the log says anew of attempts, of any worker. Raises `Unavailable`."""
        ...


class Results(Protocol):
    """The ledger's side of what workers say, one partition."""

    def read(self, position: int, limit: int) -> Sequence[Posted]:
        """At most `limit` messages from a position on, in order. Raises `Unavailable`."""
        ...

    def say(self, raw: bytes) -> None:
        """Put a message of the ledger's own behind all others."""
        ...

    def discard(self, before: int) -> None:
        """Messages before a position are not needed any more."""
        ...


class Orders(Protocol):
    """The ledger's side of what workers are told."""

    def send(self, order: Order) -> None:
        """Put an order onto the topic of commands. Raises `Unavailable`."""
        ...

    def keep_only(self, jobs: Collection[str]) -> None:
        """The orders of other jobs have reached their workers, or are void; what they tell need stand nowhere."""
        ...
