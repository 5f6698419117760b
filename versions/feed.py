"""The feed: events of the log as whoever reads them hears them, their free text opened."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from ..errors import Damaged, Malformed, UnknownRevision
from ..events.catalogue import CATALOGUE
from ..events.envelope import decode
from ..events.log import Row
from ..events.merkle import leaf_hash
from ..events.sql.actors import Actor
from ..events.upcast import UPCASTERS
from .access.audience import Audience
from .workspace import Workspace

POLL: Final = 0.2
"""Seconds between two looks for more events."""
SPAN: Final = 20_000
"""Events that are gone through at a time in search of those that are asked for."""


class EventPage(NamedTuple):
    """Some events, and how far the log was gone through for them."""

    events: list[dict[str, Any]]
    position: int


def page(
    workspace: Workspace, after: int, up_to: int, most: int, stream: str | None = None, types: Sequence[str] = ()
) -> EventPage:
    """The events behind `after` and up to `up_to`, at most `most`: of a stream, of some types, or all.

    There may be more behind the position even where there are none here: a long log is gone through in parts.
    """
    check_stream(workspace, stream)
    last = up_to if stream is not None else min(up_to, after + SPAN)
    rows = workspace.ledger.store.matching(after, last, most, stream, types)
    position = rows[-1].seq if len(rows) == most else max(after, last)
    return EventPage(list(heard(workspace, rows, workspace.actors.all())), position)


def heard(
    workspace: Workspace,
    rows: Iterable[Row],
    actors: Mapping[str, Actor],
    stream: str | None = None,
    types: Sequence[str] = (),
    *,
    opened: bool = True,
) -> Iterator[dict[str, Any]]:
    """Those of some rows, as dictionaries, that may be read: of a stream, of some types, or all."""
    audience = Audience(workspace)
    for row in rows:
        envelope = _envelope(row)
        if stream not in (None, envelope["subject"]) or (types and envelope["type"] not in types):
            continue
        if audience.hears(envelope):
            yield audience.shown(_told(workspace, row, envelope, actors, opened=opened))


def check_stream(workspace: Workspace, stream: str | None) -> None:
    """Raise `UnknownRevision` for a stream that is not there, or may not be read."""
    if stream is None:
        return
    audience, known = Audience(workspace), workspace.ledger.store.streams("")
    if stream not in known or not audience.may_read(stream):
        near = get_close_matches(stream, filter(audience.may_read, known), 1)
        hint = f"did you mean {near[0]}?" if near else "a model's is model/NAME, a run's run/ID"
        raise UnknownRevision(f"there is no stream {stream!r}; {hint}")


def check_types(types: Sequence[str]) -> None:
    """Raise `Malformed` for a type that no event has."""
    for kind in types:
        if kind not in CATALOGUE and kind not in UPCASTERS:
            near = get_close_matches(kind, CATALOGUE, 1)
            raise Malformed(
                f"{kind[:80]!r} is no type of event; {near[0]!r} is"
                if near
                else f"{kind[:80]!r} is no type of event; docs/events lists them"
            )


def events(
    workspace: Workspace, *, after: int, stream: str | None, follow: bool, opened: bool
) -> Iterator[dict[str, Any]]:
    """Events as dictionaries behind a position, their free text as its reader sees it; `follow` waits for more.

    Raises `UnknownRevision` for a stream that is not there, unless it is waited for.
    """
    if not follow:
        check_stream(workspace, stream)
    while True:
        rows = workspace.ledger.store.read(after, 500)
        yield from heard(workspace, rows, workspace.actors.all(), stream, opened=opened)
        after = rows[-1].seq if rows else after
        if not rows and (not follow or workspace.past is not None):
            return
        if not rows:
            time.sleep(POLL)


def _envelope(row: Row) -> dict[str, Any]:
    """An event as its dictionary, or `Damaged` where its bytes are not those that were recorded."""
    if (leaf := leaf_hash(row.envelope)) != row.leaf:
        raise Damaged(f"event {row.seq}", expected=f"sha256:{row.leaf.hex()}", found=f"sha256:{leaf.hex()}")
    return json.loads(row.envelope)


def told(workspace: Workspace, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries, their free text as its reader sees it."""
    actors, audience = workspace.actors.all(), Audience(workspace)
    for row in rows:
        yield audience.shown(_told(workspace, row, _envelope(row), actors, opened=True))


def _told(
    workspace: Workspace, row: Row, envelope: dict[str, Any], actors: Mapping[str, Actor], *, opened: bool
) -> dict[str, Any]:
    recorded = decode(row.envelope, row.leaf)
    if opened:
        for name in recorded.event.free_text:
            envelope["data"][name] = workspace.opened(recorded.actor, getattr(recorded.event, name), actors)
    return envelope
