"""What a decision yields: events, each with the stream it belongs to."""

from __future__ import annotations

from typing import NamedTuple

from ..events.event import Event


class Append(NamedTuple):
    """One event about to be recorded."""

    stream: str
    event: Event
