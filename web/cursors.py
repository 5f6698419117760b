"""Pages of a list: all that stood there when the first page was asked for, each row once, whatever is added meanwhile.

A cursor says behind which row the next page begins, and which event was the last when the first page was asked for. It
is signed by a key of the ledger, so every server of it takes it, and holds for the address, the other parameters and
the rights that it was given out to: one of anything else is refused.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic_core import from_json, to_json

from ..errors import Malformed
from .caller import Caller

T = TypeVar("T")

MOST: Final = 1_000
"""Rows of a page, if that many are asked for."""
USUAL: Final = 100

Most = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page, at most.")]
Cursor = Annotated[
    str | None, Query(max_length=4096, pattern=r"^[A-Za-z0-9_-]*$", description="Of `next` in the page before.")
]

_SIGNATURE: Final = 16
_OWN: Final = frozenset(("cursor", "most"))
"""Parameters that may be another on the next page."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of a page, and where the next one is: an address relative to this one's; None behind the last."""

    rows: list[T]
    next: str | None

    @property
    def headers(self) -> dict[str, str]:
        """The link to the next page (RFC 8288)."""
        return {"Link": f'<{self.next}>; rel="next"'} if self.next else {}

    def body(self, name: str, told: Callable[[T], Any] = lambda row: row) -> dict[str, Any]:
        """The page as JSON: its rows under a name, and `next`."""
        return {name: [told(row) for row in self.rows], "next": self.next}


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page begins, and how far the list goes."""

    call: Caller
    most: int
    up_to: int
    """The last event when the first page was asked for: rows of later ones are not of this list."""
    after: Any
    """What the last row of the page before was known by, as `page` was told; None on the first."""

    def page(self, rows: Iterable[T], known_by: Callable[[T], Any]) -> Page[T]:
        """The first `most` of the rows that follow; give one more than that, for the next page to be known of.

        `known_by` is what `after` is on the next page: any JSON.
        """
        some = list(islice(rows, self.most + 1))
        return self.cut(some[: self.most], known_by(some[self.most - 1]) if len(some) > self.most else None)

    def cut(self, rows: list[T], after: Any) -> Page[T]:
        """Rows as a page; `after` is None where none follow."""
        if after is None:
            return Page(rows, None)
        others = [pair for pair in self.call.request.query_params.multi_items() if pair[0] != "cursor"]
        return Page(rows, "?" + urlencode([*others, ("cursor", self._cursor(after))]))

    def _cursor(self, after: Any) -> str:
        place = to_json([self.up_to, after])
        return urlsafe_b64encode(_signature(self.call, place) + place).rstrip(b"=").decode()


def paging(call: Caller, most: int, cursor: str | None) -> Paging:
    """Where the page begins that is asked for. Raises `Malformed` where the cursor was not given out for this list."""
    if cursor is None:
        return Paging(call, most, call.service.end() if call.at is None else call.manager.position(), None)
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    signature, place = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if not place or not hmac.compare_digest(signature, _signature(call, place)):
        raise Malformed("the cursor is not one of this list; take it from next or Link, or begin without one")
    up_to, after = from_json(place)
    return Paging(call, most, up_to, after)


def _signature(call: Caller, place: bytes) -> bytes:
    """What a cursor of this request bears for a place, and of no other."""
    request, rights = call.request, call.visitor.rights
    others = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _OWN)
    bound: Mapping[str, Any] = {
        "path": request.scope["path"],
        "parameters": others,
        "actor": call.visitor.actor,
        "scopes": sorted(rights.scopes),
        "models": sorted(rights.models),
        "place": place.hex(),
    }
    return hmac.digest(call.service.page_key, to_json(bound), "sha256")[:_SIGNATURE]
