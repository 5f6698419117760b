"""Bookmarks: how far a topic was read, and which topic it was; one that was made anew is read from its beginning."""

from __future__ import annotations

from typing import NamedTuple


class Bookmark(NamedTuple):
    """A place in a partition, and what tells that the partition is still the same one."""

    position: int
    """The offset of the next record to read."""
    topic: str | None = None
    """The topic's id; None where the broker has none, or a Lepton before 0.3 wrote this down."""
    digest: str | None = None
    """Digest of the record before `position`, with its place and time; None where it is not known."""


class SentMark(NamedTuple):
    """How far the relay knows a topic that it writes itself."""

    at: Bookmark
    seq: int | None
    """The last of its own before the bookmark: an event, or the number of a rejected message."""
    strangers: int | None = 0
    """Records passed over that are not the ledger's."""
    stranger_at: int | None = None
    stranger_why: str | None = None
