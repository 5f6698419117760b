"""How a route says what it answers, for OpenAPI: the shape of its JSON, its other forms, its headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..media import TABLES as TABLES
from ..results.shapes.named import NAMED
from ..results.shapes.schema import schema_of
from .caller import ANSWER, JSON
from .ranges import BYTES

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI's `responses` takes."""

RECORDS_NOTHING: Final = "x-lepton-reads"
"""On an answer: the request records nothing, though its method may be POST."""
MOVES: Final = "x-lepton-moves"
"""On an answer: the request moves a name, and takes a precondition."""
_NEXT: Final = "Of the next page, an address relative to this one; null on the last."


def answers(
    shape: Any,
    *,
    status: int = 200,
    also: Sequence[str] = (),
    etag: bool = False,
    page: bool = False,
    place: bool = False,
    new: bool = False,
    marks: Sequence[str] = (),
) -> Responses:
    """JSON of a shape, and as the SDK reads it back; `also` names other media types that Accept may ask for.

    `etag`, `page` and `place` say that it bears ETag, Link with `next`, and Location; `new` that it is 201 of what is
    new.
    """
    schema = schema_of(shape | {"next": "text?"} if page else shape, NAMED)
    if page:
        schema["properties"]["next"]["description"] = _NEXT
    content: dict[str, Any] = {JSON: {"schema": schema}, ANSWER: {"schema": {}}}
    content |= {media: {"schema": _free(media)} for media in also}
    headers = {"ETag": etag, "Link": page, "Location": place}
    answer = {
        "description": "The answer.",
        "content": content,
        "headers": _headers(headers),
        **dict.fromkeys(marks, True),
    }
    known: Responses = {304: {"description": "It is what the client has already.", "headers": _headers({"ETag": True})}}
    made: Responses = {201: answer | {"description": "It is new."}} if new else {}
    return {status: answer, **made, **(known if etag else {})}


def nothing() -> Responses:
    """No content."""
    return {204: {"description": "It is done."}}


def ranges(media: str = BYTES, **more: str) -> Responses:
    """Bytes, whole or by ranges; `more` are headers with what they say."""
    content = {media: {"schema": _free(media)}}
    parts = {media: {"schema": _free(media)}, "multipart/byteranges": {"schema": _free(media)}}
    headers = _headers({"ETag": True}) | {name.replace("_", "-"): _header(words) for name, words in more.items()}
    return {
        200: {"description": "All of it.", "content": content, "headers": headers},
        206: {"description": "The ranges that were asked for.", "content": parts, "headers": headers},
        304: {"description": "It is what the client has already.", "headers": _headers({"ETag": True})},
    }


def _free(media: str) -> Mapping[str, Any]:
    """What a body of another form is for a schema: text, or bytes, which OpenAPI 3.1 says nothing of."""
    return {"type": "string"} if media.startswith("text/") else {}


_WORDS: Final = {
    "ETag": "What the answer is known by: of a name the seq of its last move, of bytes their digest.",
    "Link": 'The next page, rel="next" (RFC 8288); absent on the last.',
    "Location": "Where what was made is shown.",
    "Lepton-Seq": "The seq of what was recorded, or else of the last event; reads take it as `wait_for`.",
    "Retry-After": "Seconds after which to try again.",
}


def header(name: str) -> dict[str, Any]:
    """A header of answers."""
    return _header(_WORDS[name])


def _headers(wanted: Mapping[str, bool]) -> dict[str, Any]:
    return {name: _header(_WORDS[name]) for name, is_there in wanted.items() if is_there}


def _header(words: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": "string"}}
