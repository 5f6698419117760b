"""Evidence: a head that was signed, a proof as it is written to a file, and what a proof was found to prove."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

from ...errors import at_door
from ..answer import Result
from ..description import Block, text, title
from ..figures import count, when
from ..words import say, word

FORMAT: Final = "lepton-proof/1"


@dataclass(frozen=True)
class SignedHead(Result):
    """How many events a ledger had, the Merkle root over them, and who signed that when."""

    ledger: str
    size: int
    root: str
    time: datetime | None
    key: str | None
    """The verifier key by which its signature was checked; None where none was given."""
    note: str
    """The head itself, a C2SP checkpoint: what is written to a file."""

    def blocks(self) -> Iterator[Block]:
        told = {"head": title(word("head")), "events": count(self.size, "event"), "ledger": self.ledger}
        yield say("{head} of {events} of ledger {ledger}", **told)
        yield f"  {self.root}"
        yield from signed(self.time, self.key)


@dataclass(frozen=True)
class Proof(Result):
    """A proof that needs no ledger: `to_dict()` is the one form of it, in a file as on a page."""

    kind: Literal["inclusion", "consistency"]
    path: tuple[str, ...]
    """Hashes of RFC 9162, section 2.1.3.1 or 2.1.4.1."""
    head: str
    """The head that it is a proof under: a C2SP checkpoint, with its signatures if it has any."""
    seq: int | None = None
    event: str | None = None
    """Of an inclusion the event's stored bytes, which are UTF-8."""
    since: str | None = None
    """Of a consistency the earlier head."""
    format: str = FORMAT

    def written(self) -> str:
        """The proof as a file holds it."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"

    def blocks(self) -> Iterator[Block]:
        if self.kind == "inclusion":
            yield say("a proof that event {seq} is in the log", seq=self.seq or 0)
        else:
            yield word("a proof that the log goes on from an earlier head")


@dataclass(frozen=True)
class Proved(Result):
    """What a proof was found to prove, with no ledger at hand."""

    kind: Literal["inclusion", "consistency"]
    ledger: str
    size: int
    """Events of the head that it is a proof under."""
    root: str
    time: datetime | None
    key: str | None
    """The verifier key by which the heads' signatures were checked; None where none was given."""
    seq: int | None = None
    event: Mapping[str, Any] | None = None
    """Of an inclusion the event, as CloudEvents JSON."""
    since: int | None = None
    """Of a consistency how many events the earlier head had."""

    def blocks(self) -> Iterator[Block]:
        told = {"proved": title(word("proved")), "events": count(self.size, "event"), "ledger": self.ledger}
        if self.event is not None:
            yield say("{proved}: event {seq} is in the log of {events} of ledger {ledger}", seq=self.seq or 0, **told)
            yield text("  ", f"{self.event['type']}  {self.event['subject']}  {self.event['recordedtime']}")
            what = title(what_in(self.event))
            yield text("  ", say("{what}, by pseudonym {author}", what=what, author=author_in(self.event)))
        else:
            since = "{proved}: the log of {events} of ledger {ledger} begins with the {old} that were signed before"
            yield say(since, old=count(self.since or 0, "event"), **told)
        yield f"  {self.root}"
        yield from signed(self.time, self.key)


def author_in(event: Mapping[str, Any]) -> str:
    """The pseudonym of who acted; the ledger alone tells whose it is."""
    return str(event.get("authid") or "–")


def what_in(event: Mapping[str, Any]) -> str:
    """What an event says that it did: what it moved, else its type and what it is about."""
    return _move_in(event) or f"{event['type']} of {event['subject']}"


def _move_in(event: Mapping[str, Any]) -> str:
    """What an event put where: `alias production of credit: 2 → 1`; empty where it moved nothing."""
    kind, data = f"{event['type']}..".split(".")[1], event.get("data")
    if kind not in ("alias", "branch", "tag") or not isinstance(data, Mapping):
        return ""
    told = cast("Mapping[str, Any]", data)
    before, after = told.get("from_version"), told.get("to_version", told.get("version"))
    if not isinstance(told.get(kind), str) or not isinstance(before if after is None else after, int):
        return ""
    move = f"{'' if before is None else before} → {'' if after is None else after}".strip()
    return f"{kind} {told[kind]} of {str(event['subject']).removeprefix('model/')}: {move}"


def signed(time: datetime | None, key: str | None) -> Iterator[Block]:
    """By whom and when a head was signed, or that nobody looked."""
    if time is not None:
        yield text("  ", say("its time: {when}", when=when(time, seconds=True)))
    if key is not None:
        yield text("  ", say("signed by {key}", key=key))
    else:
        option = at_door(python="key=", cli="--key")
        unchecked = "nobody's signature was checked: without {option} it proves no more than whoever gave you the head"
        yield text("  ", say(unchecked, option=option))
