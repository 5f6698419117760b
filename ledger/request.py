"""A request: a command with who sends it and under which key, ready to be decided; and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import uuid_utils

from ..domain.authorise import Principal
from ..domain.commands import AnyCommand
from ..errors import Malformed, Refused
from ..events.envelope import Origin, Recorded
from ..events.inbox import Outside
from ..events.sql.actors import Actor
from ..events.sql.rows import Placement
from ..plain import canonical

LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command became: its events, in order; none where there was nothing to do."""

    key: str
    events: tuple[Recorded, ...]
    repeated: bool = False
    """Whether the command had been admitted before, under the same key."""


Answer = Receipt | Refused


def receipt(answer: Answer) -> Receipt:
    """The receipt that an answer is; raises the refusal that it is."""
    if isinstance(answer, Refused):
        raise answer
    return answer


class Request:
    """A command, digested and with its free text sealed: neither must happen under the head's lock.

    `placements` are where the bytes lie that it tells of, `outside` the outside event that asks, where one does. Raises
    `Malformed` where the key is no key or the command holds what JSON cannot.
    """

    __slots__ = ("actor", "causation", "command", "digest", "key", "outside", "placements", "time", "traceparent")

    def __init__(
        self,
        command: AnyCommand,
        actor: Actor,
        key: str | None = None,
        *,
        time: datetime | None = None,
        causation: str | None = None,
        placements: Sequence[Placement] = (),
        outside: Outside | None = None,
        traceparent: str | None = None,
    ) -> None:
        self.key = key or str(uuid_utils.uuid7())
        if len(self.key) > LONGEST_KEY or not self.key.isprintable():
            raise Malformed(
                f"an idempotency key is at most {LONGEST_KEY} printable characters; {self.key[:40]!r} is not"
            )
        try:
            self.digest = actor.digest(canonical(command.content()).encode())
        except (ValueError, RecursionError) as error:
            what = f"a {type(command).__name__} holds what JSON cannot"
            raise Malformed(f"{what} ({error}); write it as text") from error
        sealed = {name: actor.seal(text) for name in command.free_text if (text := getattr(command, name))}
        self.command: AnyCommand = replace(command, **sealed) if sealed else command
        self.actor = actor
        self.time = time
        self.causation = causation
        self.placements = placements
        self.outside = outside
        self.traceparent = traceparent

    def principal(self) -> Principal:
        """Who sends it, as rules of access see it."""
        return Principal(self.actor.id, "service_account" if self.outside else "user")

    def origin(self, now: datetime) -> Origin:
        """What its events say of where they come from; it happened `now` where it does not say when."""
        principal, outside = self.principal(), self.outside
        return Origin(
            principal.id,
            self.time or now,
            self.key,
            self.digest,
            principal.type,
            outside and outside.correlation,
            self.causation,
            outside.traceparent if outside else self.traceparent,
            outside and (self.actor.id, outside.id, outside.digest),
        )
