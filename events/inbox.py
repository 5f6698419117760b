"""Outside events as they come over Kafka: CloudEvents 1.0, in structured or in binary mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple, cast

from ..errors import Malformed
from .bookmark import Bookmark
from .clock import in_calendar
from .envelope import LIMIT
from .strict_json import read_json

STRUCTURED: Final = "application/cloudevents+json"
UNREADABLE: Final = "lepton-unreadable"
"""The header of a record in place of those that no client could read."""
_PREFIX: Final = "ce_"
_OLDEST: Final = 1971
"""Nothing that a service tells of happened before; all the tables count from 1970 on."""
_LONGEST: Final = 500
"""Characters of an attribute."""


class Letter(NamedTuple):
    """A message as it lay in its topic, or in a table where there is no broker; positions count from 0."""

    position: int
    raw: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    mark: str | None = None
    """Digest of the record with its place and time, by which the topic is known again."""
    fault: str | None = None
    """Why it could not be read from its topic, where it could not."""
    sent: int = 0
    """When it got there, in microseconds since 1970; that never decreases along the topic."""
    topic_id: str | None = None
    """Which topic of that name it lies in; None in a table."""

    @property
    def bookmark(self) -> Bookmark:
        """Where the next message is read, once this one is taken in."""
        return Bookmark(self.position + 1, self.topic_id, self.mark)

    @property
    def digest(self) -> str:
        """SHA-256 over what was said: the value, and in binary mode the attributes beside it."""
        said = sha256(self.raw)
        for name, value in sorted(self.headers):
            if name.startswith(_PREFIX):
                said.update(b"\0" + name.encode() + b"\0" + value)
        return f"sha256:{said.hexdigest()}"


class Outside(NamedTuple):
    """An event that somebody else tells: `source` and `id` name it for good, `time` is the teller's claim.

    The source may name a person, so nothing keeps it: what is kept bears its actor's pseudonym.
    """

    source: str
    id: str
    type: str
    subject: str
    data: dict[str, Any]
    time: datetime | None
    correlation: str | None
    traceparent: str | None
    digest: str


def parsed(letter: Letter) -> Outside:
    """What a message says. Raises `Malformed` naming the first thing that is no CloudEvent."""
    if letter.fault is not None:
        raise Malformed(f"the record at offset {letter.position} is lost on us: {letter.fault}; send it again")
    if len(letter.raw) > LIMIT:
        raise Malformed(f"the event has {len(letter.raw):,} bytes of {LIMIT:,}; keep large parts as objects")
    headers = _headers(letter)
    if UNREADABLE in headers:
        raise Malformed("the record has a header whose name is no UTF-8, and cannot be read; send it without")
    binary = f"{_PREFIX}specversion" in headers
    told = _attributes(headers) if binary else _object(letter.raw, "the event")
    if (version := told.get("specversion")) != "1.0":
        raise Malformed(f"specversion is {version!r}; this is CloudEvents 1.0")
    data = _object(letter.raw, "data") if binary else told.get("data")
    if not isinstance(data, dict):
        raise Malformed("data is no JSON object; every type has a schema in docs/events")
    return Outside(
        source=_text(told, "source"),
        id=_text(told, "id"),
        type=_text(told, "type"),
        subject=_text(told, "subject"),
        data=cast("dict[str, Any]", data),
        time=_time(told.get("time")),
        correlation=_text(told, "correlationid") if "correlationid" in told else None,
        traceparent=_text(told, "traceparent") if "traceparent" in told else None,
        digest=letter.digest,
    )


def source_of(letter: Letter) -> str | None:
    """Who tells a message, also where it is refused for something else; None where it does not say."""
    try:
        headers = _headers(letter)
        told = _attributes(headers) if f"{_PREFIX}specversion" in headers else _object(letter.raw, "the event")
        return _text(told, "source")
    except Malformed:
        return None


def _headers(letter: Letter) -> dict[str, bytes]:
    headers: dict[str, bytes] = {}
    for name, value in letter.headers:
        if (lower := name.lower()).startswith(_PREFIX) and lower in headers:
            raise Malformed("a ce_ header is there twice; send each attribute once")
        headers[lower] = value
    return headers


def _attributes(headers: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        return {
            name.removeprefix(_PREFIX): value.decode() for name, value in headers.items() if name.startswith(_PREFIX)
        }
    except UnicodeDecodeError as error:
        raise Malformed("a ce_ header is no UTF-8; send attributes as text") from error


def _object(raw: bytes, what: str) -> dict[str, Any]:
    value = read_json(raw, what)
    if not isinstance(value, dict):
        raise Malformed(f"{what} is no JSON object; send it as {STRUCTURED}")
    return cast("dict[str, Any]", value)


def _text(told: Mapping[str, Any], name: str) -> str:
    """An attribute. Its value is quoted nowhere: it may name a person."""
    value = told.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        raise Malformed(f"{name} is {_kind(value)}; it is 1 to {_LONGEST} printable characters")
    return value


def _kind(value: Any) -> str:
    """What a value is, without the value."""
    if value is None:
        return "missing"
    if not isinstance(value, str):
        return f"a JSON {'object' if isinstance(value, dict) else type(value).__name__}"
    return f"a text of {len(value)} characters"


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = in_calendar(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.year < _OLDEST:
        told = "write it as RFC 3339, as in 2026-01-31T12:00:00Z, and no year before 1971"
        raise Malformed(f"time is {str(value)[:40]!r}; {told}") from None
    return moment
