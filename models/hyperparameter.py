"""What hyperparameters may be set to, and the ranges to search: both are read from a pydantic model's fields.

A field's bounds and type are its rule; a `description` says it in other words, which follow "must be". A field with
`json_schema_extra={"search": {...}}` is searched between its bounds, or where that says `low`, `high`, `log`, `step` or
`choices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from ..errors import Malformed

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
WHOLE: Final = 2**53 - 1  # beyond it RFC 8785, which recipes are written in, has no integers
Whole: TypeAlias = Annotated[int, Field(le=WHOLE)]


class NoHyperparameters(BaseModel):
    """What a model declares that takes none; any pydantic model will do for one that takes some."""


_BOUNDS: Final = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "of at most",
    "exclusiveMaximum": "below",
}


def defaults(fields: type[BaseModel]) -> dict[str, Json]:
    """A copy of each field's default."""
    return {name: field.get_default(call_default_factory=True) for name, field in fields.model_fields.items()}


def check(fields: type[BaseModel], name: str, value: Json) -> None:
    """Hold a value against the rule of its field. Raises `Malformed`."""
    try:
        fields.__pydantic_validator__.validate_assignment(fields.model_construct(), name, value, strict=True)
    except ValidationError:
        rule = _rule(fields.model_json_schema()["properties"][name])
        raise Malformed(f"hyperparameter {name!r} must be {rule}, not {value!r}; give one that is") from None


def search_space(fields: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The distribution of each field that is searched, as Optuna writes its own in JSON.

    Raises `Malformed` where one has no bounds and does not say between which it is searched.
    """
    schemas: dict[str, dict[str, Any]] = fields.model_json_schema().get("properties", {})
    return {name: _distribution(name, schema) for name, schema in schemas.items() if "search" in schema}


def _distribution(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    search: dict[str, Any] = schema["search"]
    choices = (
        search.get("choices") or schema.get("enum") or ([False, True] if schema.get("type") == "boolean" else None)
    )
    if choices:
        return {"name": "CategoricalDistribution", "attributes": {"choices": choices}}
    attributes = {"low": schema.get("minimum"), "high": schema.get("maximum"), "log": False} | search
    if attributes["low"] is None or attributes["high"] in (None, WHOLE):
        raise Malformed(f"hyperparameter {name!r} has no bounds to search between; give its search a low and a high")
    kind = "IntDistribution" if schema.get("type") == "integer" else "FloatDistribution"
    return {"name": kind, "attributes": attributes}


def _rule(schema: Mapping[str, Any]) -> str:
    """What a JSON schema asks for, in words that follow "must be"."""
    match schema:
        case {"description": str() as words}:
            return words
        case {"anyOf": options}:
            return ", or ".join(map(_rule, options))
        case {"const": value}:
            return repr(value)
        case {"enum": choices}:
            return f"one of {', '.join(map(repr, choices))}"
        case {"type": "array", "items": items}:
            return f"a list, each of it {_rule(items)}"
        case {"type": "integer" | "number" as kind}:
            return ("a whole number" if kind == "integer" else "a number") + _range(schema)
        case {"type": str() as kind}:
            return {"null": "None", "string": "a text", "boolean": "True or False"}.get(kind, f"an {kind}")
        case _:
            return "of its kind"


def _range(schema: Mapping[str, Any]) -> str:
    bounds = {name: schema[name] for name in _BOUNDS if schema.get(name, WHOLE) != WHOLE}
    written = {name: f"{bound:g}" if isinstance(bound, float) else f"{bound}" for name, bound in bounds.items()}
    if {"minimum", "maximum"} <= written.keys():
        return f" from {written['minimum']} to {written['maximum']}"
    return "".join(f"{' and' * place} {_BOUNDS[name]} {bound}" for place, (name, bound) in enumerate(written.items()))
