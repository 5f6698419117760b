"""A worker's channels that a test holds in its hands, and the orders that come over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lepton_ai.errors import Unavailable
from lepton_ai.jobs.protocol.messages import Message, decoded
from lepton_ai.jobs.protocol.orders import Order, digest, sealed
from lepton_ai.jobs.protocol.ports import Fact

from .identities import identity, incarnation

ME = identity("w")


def order(job: str = "j1", epoch: int = 1, worker: str = "w", **asked: Any) -> Order:
    """An order as the ledger composes it."""
    told = {"kind": "train", "model": "net", "payload": {}, "source": ""} | asked
    return Order(job=job, epoch=epoch, worker=incarnation(worker), **told)


def assigned(given: Order, raw: bytes) -> Fact:
    """What the log says of an order that the ledger sent."""
    return Fact(given.job, given.epoch, "assigned", given.worker, digest(raw))


class Silence:
    """A channel that acknowledges the first announcement, gives one order, and is cut off."""

    place = "here"

    def __init__(self, *given: Order) -> None:
        self.raws: list[bytes] = []
        self.told: list[Fact] = []
        self.acknowledged = 0
        for each in given:
            self.give(each)

    def give(self, each: Order) -> bytes:
        """Have the ledger order something."""
        raw = sealed(each, ME.key).raw
        self.raws.append(raw)
        self.told.append(assigned(each, raw))
        return raw

    def say(self, body: bytes) -> None:
        if self.acknowledged:
            raise Unavailable("the ledger is away")
        self.acknowledged += 1

    def orders(self, patience: float = 0.0) -> Sequence[bytes]:
        given, self.raws = self.raws, []
        return given

    def facts(self) -> Sequence[Fact]:
        told, self.told = self.told, []
        return told

    def close(self) -> None:
        pass


class Away(Silence):
    """A channel that is away from the beginning."""

    def say(self, body: bytes) -> None:
        raise Unavailable("the ledger is away")


class Open(Silence):
    """A channel that takes whatever is said."""

    def __init__(self, *given: Order) -> None:
        super().__init__(*given)
        self.said: list[Message] = []

    def say(self, body: bytes) -> None:
        self.said.append(decoded(body))
