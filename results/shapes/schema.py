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


def schema_of(shape: Any, names: Mapping[str, Shape] | None = None, at: str = PLACE) -> dict[str, Any]:
    """The JSON Schema of a shape; what is named in `names` becomes a reference below `at`.

    An object may have further fields: fields are added to answers, and none changes its meaning.
    """
    known = {id(each): name for name, each in (names or {}).items()}

    def schema(part: Any, *, whole: bool = False) -> dict[str, Any]:
        if not whole and id(part) in known:
            return {"$ref": at + known[id(part)]}
        match part:
            case str():
                return _word(part)
            case [one]:
                return {"type": "array", "items": schema(one)}
            case list():
                several = cast("list[Any]", part)
                count = len(several)
                return {
                    "type": "array",
                    "prefixItems": [schema(each) for each in several],
                    "minItems": count,
                    "maxItems": count,
                }
            case {"NAME": one}:
                return {"type": "object", "additionalProperties": schema(one)}
            case _:
                return _object(part)

    def _object(fields: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: each for name, each in fields.items() if name != "..."}
        properties = {
            name.removesuffix("?"): _or_null(schema(each)) if name.endswith("?") else schema(each)
            for name, each in told.items()
        }
        return {"type": "object", "properties": properties, "required": list(properties)}

    return schema(shape, whole=True)


def _word(word: str) -> dict[str, Any]:
    known = dict(WORDS[word.removesuffix("?")])
    return _or_null(known) if word.endswith("?") else known


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if not schema:
        return schema
    if isinstance(schema.get("type"), str) and schema.keys() <= {"type"}:
        return {"type": [schema["type"], "null"]}
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}
