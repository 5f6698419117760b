"""JSON from strangers, read strictly: each name once, numbers of 64 bits, text that every table can hold."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from ..errors import Malformed
from ..plain import DEEPEST, FREE, in_json

_SMALLEST, _LARGEST = FREE


def read_json(raw: bytes, what: str) -> Any:
    """The value in UTF-8 bytes. Raises `Malformed`, naming the first thing that is not as it must be."""
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_once, parse_int=_integer, parse_float=_finite, parse_constant=_finite
        )
    except RecursionError:
        raise Malformed(f"{what} is nested too deeply; {DEEPEST} levels are allowed") from None
    except ValueError as error:
        raise Malformed(f"{what} is no JSON ({error}); send it as application/cloudevents+json") from None
    return checked_json(value, what)


def checked_json(value: Any, what: str) -> Any:
    """The value as it came. Raises `Malformed` where it is nested too deeply or holds what no table can."""
    level: list[Any] = [value]
    depth = 0
    while level:
        if depth > DEEPEST:
            raise Malformed(f"{what} is nested too deeply; {DEEPEST} levels are allowed")
        depth += 1
        inner: list[Any] = []
        for each in level:
            if isinstance(each, str):
                _storable(each, what)
            elif isinstance(each, int) and not _SMALLEST <= each <= _LARGEST:
                raise Malformed(f"{what} holds a number beyond 64 bits; write it as text")
            elif isinstance(each, dict):
                names = cast("dict[str, Any]", each)
                for name in names:
                    _storable(name, what)
                inner += names.values()
            elif isinstance(each, list):
                inner += cast("list[Any]", each)
        level = inner
    return value


def storable_json(value: Any) -> Any:
    """The value with U+FFFD for what no table can hold: an error may quote anything, and must be told all the same."""
    return in_json(value, _replaced)


def _replaced(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _storable(text: str, what: str) -> None:
    """PostgreSQL holds no NUL, and UTF-8 no half of a surrogate pair."""
    if "\0" in text:
        raise Malformed(f"{what} holds a NUL character, which no database keeps; leave it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Malformed(f"{what} holds half a character, which UTF-8 cannot hold; leave lone surrogates out") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object has the same name twice")
    return made


def _integer(text: str) -> int:
    if len(text) > 20 or not _SMALLEST <= (number := int(text)) <= _LARGEST:
        raise ValueError(f"a number of {len(text)} digits is beyond 64 bits")
    return number


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number is not finite")
    return number
