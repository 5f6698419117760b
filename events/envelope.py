"""The envelope of an event: CloudEvents 1.0 as structured JSON, whose exact bytes are leaf, row and message."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from ..errors import Damaged, Malformed, NewerLedger
from .bounds import STORED
from .catalogue import CATALOGUE
from .event import Event
from .merkle import leaf_hash
from .upcast import upcast

LIMIT: Final = 256 * 1024
"""The largest envelope, in bytes; larger parts are objects."""

SCHEMA: Final = "tag:lepton-ai,2026:"
"""What `dataschema` begins with; the type follows."""

_NOT_DATA: Final = {"type"}
_NOTHING: Final = (None, None, None, None)
_text: Final = encode_basestring
"""A text as JSON, in C; the encoder object around it would cost each event ten times as much."""
_RECORDED: Final = re.compile(rb'"recordedtime":"([^"]+)"')


class Origin(NamedTuple):
    """Who asked for an event and why: the part of its envelope that is known before its place in the log."""

    actor: str
    time: datetime
    command: str
    command_digest: str
    actor_type: str = "user"
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None
    inbox: tuple[str, str, str] | None = None
    """Pseudonym of the source, id and digest of the outside event that asked."""


class Recorded(NamedTuple):
    """An event with its place in the log."""

    seq: int
    stream: str
    stream_version: int
    id: str
    time: datetime
    recorded: datetime
    """By the clock that as-of goes by: `clocktime` where the event bears one, else `recordedtime`."""
    actor: str
    command: str
    correlation: str | None
    causation: str | None
    event: Event
    traceparent: str | None = None


@lru_cache(64)
def timestamp(instant: datetime) -> str:
    """An instant as RFC 3339 in UTC with microseconds."""
    instant = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[:-6] + "Z"


def encoder(
    source: str, origin: Origin, recorded: datetime, clock: datetime | None = None
) -> Callable[[Event, str, int, int, str], bytes]:
    """An encoder for the events of one command: what they share is written once.

    The encoder takes (event, stream, stream_version, seq, id) and returns the stored bytes; it raises `Malformed`
    where they exceed 256 KiB or hold text that is not Unicode.
    """
    start = (
        f'{{"specversion":"1.0","source":{_text(source)},"time":"{timestamp(origin.time)}",'
        f'"recordedtime":"{timestamp(recorded)}","datacontenttype":"application/json",'
        f'"authtype":{_text(origin.actor_type)},"authid":{_text(origin.actor)},'
        f'"commandid":{_text(origin.command)},"commanddigest":{_text(origin.command_digest)},'
        f'{_optional(origin, clock)}"id":"'
    )

    def encode(event: Event, stream: str, stream_version: int, seq: int, id: str) -> bytes:
        kind = event.type
        head = (
            f'{start}{id}","type":"{kind}","dataschema":"{SCHEMA}{kind}","subject":{_text(stream)},'
            f'"streamversion":{stream_version},"sequence":"{seq:020d}","data":'
        )
        try:
            raw = head.encode() + event.__pydantic_serializer__.to_json(event, exclude=_NOT_DATA) + b"}"
        except ValueError as error:
            raise Malformed(f"{kind} holds text that is not Unicode ({error}); leave lone surrogates out") from error
        if len(raw) > LIMIT:
            raise Malformed(
                f"{kind} would take {len(raw):,} bytes of {LIMIT:,}; keep large parts as files of the version"
            )
        return raw

    return encode


def _optional(origin: Origin, clock: datetime | None) -> str:
    if clock is None and origin[5:] == _NOTHING:  # the most of them
        return ""
    words = (
        ("clocktime", None if clock is None else timestamp(clock)),
        ("correlationid", origin.correlation),
        ("causationid", origin.causation),
        ("traceparent", origin.traceparent),
        *zip(("inboxsource", "inboxid", "inboxdigest"), origin.inbox or (), strict=False),
    )
    return "".join(f'"{name}":{_text(value)},' for name, value in words if value is not None)


def decode(raw: bytes, leaf: bytes | None = None, seq: int | None = None) -> Recorded:
    """The event in its stored bytes, brought up to today's types; `leaf` and `seq` are what its row says of it.

    Raises `Damaged` where the bytes are not what the row says or no envelope, `NewerLedger` on an unknown type.
    """
    thing = "an event" if seq is None else f"event {seq}"
    try:
        if leaf is not None and (found := leaf_hash(raw)) != leaf:
            raise Damaged(thing, expected=f"sha256:{leaf.hex()}", found=f"sha256:{found.hex()}")
        envelope = from_json(raw)
        kind, data = upcast(envelope["type"], envelope["data"], envelope["subject"])
        known = CATALOGUE.get(kind)
        if known is None:
            raise NewerLedger(f"the ledger holds events of type {kind!r}; this Lepton is older: update the package")
        recorded = Recorded(
            seq=int(envelope["sequence"]),
            stream=envelope["subject"],
            stream_version=envelope["streamversion"],
            id=envelope["id"],
            time=datetime.fromisoformat(envelope["time"]),
            recorded=datetime.fromisoformat(envelope.get("clocktime") or envelope["recordedtime"]),
            actor=envelope["authid"],
            command=envelope["commandid"],
            correlation=envelope.get("correlationid"),
            causation=envelope.get("causationid"),
            event=known.model_validate(data, context=STORED),
            traceparent=envelope.get("traceparent"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Damaged(thing, expected="the envelope of an event", found=_complaint(error)) from error
    if seq is not None and recorded.seq != seq:
        raise Damaged(thing, expected=f"sequence {seq}", found=f"sequence {recorded.seq}")
    return recorded


def _complaint(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"


def age(envelope: bytes) -> float:
    """Seconds since an event was recorded, by this machine's clock; read from its bytes without parsing them.

    Lepton writes that time before `data`, and within a JSON text a quote is escaped: the first match is the attribute.
    """
    found = _RECORDED.search(envelope)
    return (datetime.now(UTC) - datetime.fromisoformat(found[1].decode())).total_seconds() if found else 0.0
