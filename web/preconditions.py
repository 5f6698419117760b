"""Preconditions of requests (RFC 9110, 13): If-Match and If-None-Match as the last move that a name must have had."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from starlette.datastructures import Headers

from ..errors import Malformed
from ..results import LastMove
from .problems import Problem

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_GAP: Final = re.compile(r"[ \t,]*")
_SEQ: Final = re.compile(r"0|[1-9][0-9]{0,18}")
MOST: Final = 100
"""Tags of a header."""
NEVER: Final = LastMove(0, never=(0,))
"""What no name can be."""


class EntityTags(NamedTuple):
    """The tags of a header: any at all (`*`), else those that are a seq."""

    any: bool
    seqs: tuple[int, ...] = ()


def of_name(headers: Headers) -> LastMove | None:
    """The last move that a request expects of a name; None where it says nothing of it.

    Raises `Malformed` for what is no list of entity tags.
    """
    match, unlike = _header(headers, "if-match"), _header(headers, "if-none-match")
    if match is None and unlike is None:
        return None
    if unlike is not None and unlike.any:  # what is there already is never matched by nothing
        return LastMove(0) if match is None else NEVER
    never = () if unlike is None else unlike.seqs
    if match is None:
        return LastMove(None, never=never)
    seqs = tuple(seq for seq in match.seqs if seq)
    return _one_of(EntityTags(match.any, seqs), (0, *never) if match.any else never)


def of_collection(headers: Headers) -> LastMove | None:
    """As `of_name`, of all names of a kind together: they are always there, and 0 is the tag before the first move."""
    match, unlike = _header(headers, "if-match"), _header(headers, "if-none-match")
    if match is None and unlike is None:
        return None
    if unlike is not None and unlike.any:
        return NEVER
    return _one_of(match or EntityTags(any=True), () if unlike is None else unlike.seqs)


def required(precondition: LastMove | None) -> LastMove:
    """A precondition that must be told. Raises `Problem` where it is not."""
    if precondition is None:
        raise Problem(
            428,
            "a move needs a precondition: send the ETag that was read as If-Match, or * for whatever stands there, or "
            "If-None-Match: * where nothing must",
        )
    return precondition


def _one_of(match: EntityTags, never: tuple[int, ...]) -> LastMove:
    if match.any:
        return LastMove(None, never=never)
    if not match.seqs:
        return NEVER
    first, *others = match.seqs
    return LastMove(first, tuple(others), never)


def _header(headers: Headers, name: str) -> EntityTags | None:
    """The tags of a header. If-Match compares strongly, so its weak tags are none; If-None-Match compares weakly."""
    lines = headers.getlist(name)
    if not lines:
        return None
    told = ",".join(lines).strip(" \t,")
    if told == "*":
        return EntityTags(any=True)
    listed = list(islice(_listed(name, told), MOST + 1))
    if len(listed) > MOST:
        raise Malformed(f"{name} has more than {MOST} tags; send those that were read last")
    tags = (tag for weak, tag in listed if not (weak and name == "if-match"))
    return EntityTags(any=False, seqs=tuple(dict.fromkeys(int(tag) for tag in tags if _SEQ.fullmatch(tag))))


def _listed(name: str, told: str) -> Iterator[tuple[str | None, str]]:
    """The tags of a list, each with what marks it as weak. Raises `Malformed` where it is none."""
    place = 0
    while place < len(told):
        if (found := _TAG.match(told, place)) is None:
            break
        yield found[1], found[2]
        gap = _GAP.match(told, found.end())
        assert gap is not None
        place = gap.end()
        if "," not in gap[0]:
            break
    if not told or place < len(told):
        raise Malformed(f"{name} is {told[:80]!r}; send ETags as they came, in their quotes, or *")
