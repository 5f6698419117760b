"""JSON Schema (2020-12) of shapes: those that have a name are referred to by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from .shape import Shape

PLACE: Final = "#/components/schemas/"
"""Where OpenAPI keeps what is referred to."""
WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "any": {},
    "text": {"type": "string"},
    "number": {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
    "true or false": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "digest": {"type": "string", "pattern": "^(sha256|blake3):[0-9a-f]{64}$"},
}
"""What the words of shapes stand for. Numbers that JSON has no word for are text."""


def schema_of(shape: Any, names: Mapping[str, Shape] | None = None) -> dict[str, Any]:
    """The JSON Schema of a shape; one that `names` has is a reference.

    An object may have further fields: fields are added to answers, and none changes its meaning.
    """
    return _schema(shape, _by_identity(names or {}))


def definitions(names: Mapping[str, Shape]) -> dict[str, dict[str, Any]]:
    """The schemas of shapes that have a name, which refer to each other."""
    known = _by_identity(names)
    return {name: _schema(shape, known, whole=True) for name, shape in names.items()}


def _by_identity(names: Mapping[str, Shape]) -> Mapping[int, str]:
    return {id(each): name for name, each in names.items()}


def _schema(part: Any, known: Mapping[int, str], *, whole: bool = False) -> dict[str, Any]:
    if not whole and id(part) in known:
        return {"$ref": PLACE + known[id(part)]}
    match part:
        case str():
            return _word(part)
        case [one]:
            return {"type": "array", "items": _schema(one, known)}
        case list():
            items = [_schema(each, known) for each in cast("list[Any]", part)]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        case {"NAME": one}:
            return {"type": "object", "additionalProperties": _schema(one, known)}
        case _:
            return _object(part, known)


def _object(fields: Mapping[str, Any], known: Mapping[int, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, each in fields.items():
        if name != "...":
            schema = _schema(each, known)
            properties[name.removesuffix("?")] = _or_null(schema) if name.endswith("?") else schema
    return {"type": "object", "properties": properties, "required": list(properties)}


def _word(word: str) -> dict[str, Any]:
    known = dict(WORDS[word.removesuffix("?")])
    return _or_null(known) if word.endswith("?") else known


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if not schema:
        return schema
    if isinstance(schema.get("type"), str) and schema.keys() <= {"type"}:
        return {"type": [schema["type"], "null"]}
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}
