"""A request: a command with who sends it and under which key, ready to be decided; and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import uuid_utils

from ..errors import Malformed, Refused
from ..events.envelope import Origin, Recorded
from ..events.inbox import Outside
from ..events.sql.actors import Actor
from ..events.sql.rows import PlacementRow
from ..plain import canonical

if TYPE_CHECKING:
    from ..domain.commands import AnyCommand
    from ..domain.decide import Principal

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


@dataclass(slots=True)
class Request:
    """A command, digested and with its free text sealed: neither must happen under the head's lock.

    Raises `Malformed` where the key is no key, or the command holds what JSON cannot.
    """

    command: AnyCommand
    actor: Actor
    key: str = ""
    """One is made where none is given."""
    time: datetime | None = None
    causation: str | None = None
    placements: Sequence[PlacementRow] = ()
    """Where the bytes lie that it tells of."""
    outside: Outside | None = None
    """The outside event that asks, where one does."""
    traceparent: str | None = None
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        command, self.key = self.command, self.key or str(uuid_utils.uuid7())
        if len(self.key) > LONGEST_KEY or not self.key.isprintable():
            what = f"an idempotency key is at most {LONGEST_KEY} printable characters"
            raise Malformed(f"{what}; {self.key[:40]!r} is not")
        try:
            self.digest = self.actor.digest(canonical(command.content()).encode())
        except (ValueError, RecursionError) as error:
            what = f"a {type(command).__name__} holds what JSON cannot"
            raise Malformed(f"{what} ({error}); write it as text") from error
        sealed = {name: self.actor.seal(text) for name in command.free_text if (text := getattr(command, name))}
        if sealed:
            self.command = replace(command, **sealed)

    def principal(self) -> Principal:
        """Who sends it, as rules of access see it."""
        from ..domain.decide import Principal

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
