"""Refused messages: kept sealed beside their reason, opened for whoever looks, thrown away when their time is over."""

from __future__ import annotations

import json
import logging
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ...errors import LeptonError, Malformed, Unavailable, recorded
from ...events.actor import FORGOTTEN, Actor
from ...events.inbox import Letter
from ...events.sql.actors import Actors
from ...events.sql.rows import Rejected
from ...events.sql.store import Store
from ...isolation import sentence

EXPIRED: Final = "[expired]"
_KEYS: Final = "lepton/rejected/"
"""What the names of the ledger's own keys begin with: one a day, for messages of nobody known."""
_EVERY: Final = 3600.0
"""Seconds between two looks for what has expired."""

log = logging.getLogger("lepton")


class RefusedMessages:
    """Seals, opens and expires what was refused. Nobody's name is in the clear here: neither in bytes nor reasons."""

    def __init__(self, store: Store, actors: Actors, term: float) -> None:
        self._store = store
        self._actors = actors
        self._term = term
        self._looked: float | None = None
        self._own: Actor | None = None

    def own(self) -> Actor:
        """Under whose key is sealed what nobody known has told: the ledger's own, of this day."""
        name = f"{_KEYS}{datetime.now(UTC):%Y-%m-%d}"
        if self._own is None or self._own.name != name:
            self._own = self._actors.named(name)
        return self._own

    def expire(self) -> None:
        """Throw away the bytes and the keys whose time is over; called often, it looks once an hour."""
        if self._looked is not None and time.monotonic() - self._looked < _EVERY:
            return
        self._looked, before = time.monotonic(), self._expired()
        if gone := self._store.expire_rejected(before):
            log.info("the bytes of %d refused messages have expired", gone)
        last = f"{_KEYS}{datetime.fromtimestamp(before / 1e6, UTC):%Y-%m-%d}"
        for actor in self._actors.all().values():
            if actor.name.startswith(_KEYS) and actor.name < last:
                try:
                    self._actors.forget(actor.name)
                except Unavailable as error:
                    log.info("%s", error)

    def opened(self, rejected: Rejected) -> Letter | str:
        """The message, or why nobody can read it any more: `[forgotten]` or `[expired]`."""
        if rejected.received < self._expired():
            return EXPIRED
        if rejected.sealed_by is None:
            return Letter(rejected.position, rejected.raw, _unpacked(rejected.headers))
        actor = self._actors.known(rejected.sealed_by)
        raw = actor and actor.open_bytes(rejected.raw)
        headers = actor and actor.open_bytes(rejected.headers)
        if raw is None or headers is None:
            return FORGOTTEN
        return Letter(rejected.position, raw, _unpacked(headers))

    def _expired(self) -> int:
        return max(0, time.time_ns() // 1000 - int(self._term * 1_000_000))


def kept(place: tuple[str, int], letter: Letter, error: LeptonError, actor: Actor, source: str = "") -> Rejected:
    """A refused message as its row, sealed under the key of an actor; its reason does not name its source."""
    raw, headers = actor.seal_bytes(letter.raw), actor.seal_bytes(_packed(letter.headers))
    now = time.time_ns() // 1000
    return Rejected(*place, letter.position, now, sentence(recorded(error), source), raw, headers, actor.id)


def refused(store: Store, id: int) -> tuple[Rejected, int | None]:
    """A rejected message by its number, and when it was admitted after all. `Malformed` where there is none."""
    for number, rejected, retried in store.rejected(id - 1, 1):
        if number == id:
            return rejected, retried
    raise Malformed(f"no rejected message has the number {id}; `lepton rejected` lists them")


def _packed(headers: Sequence[tuple[str, bytes]]) -> bytes:
    return json.dumps([(name, b64encode(value).decode()) for name, value in headers]).encode()


def _unpacked(headers: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, b64decode(value)) for name, value in json.loads(headers))
