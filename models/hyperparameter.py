"""What hyperparameters may be set to, and the ranges to search: both are read from a pydantic model's fields.

A field's bounds and type are its rule; a `description` says it in other words, which follow "must be". A field with
`json_schema_extra={"search": {...}}` is searched between its bounds, or where that says `low`, `high`, `log`, `step` or
`choices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, cast

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_core import to_json, to_jsonable_python

from ..errors import Malformed
from ..plain import plain_value
from ..results.rules import rule

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
WHOLE: Final = 2**53 - 1  # beyond it RFC 8785, which recipes are written in, has no integers
Whole: TypeAlias = Annotated[int, Field(le=WHOLE)]


class NoHyperparameters(BaseModel):
    """What a model declares that takes none; any pydantic model will do for one that takes some."""


def defaults(fields: type[BaseModel]) -> dict[str, Json]:
    """A copy of each field's default as JSON has it (an Enum is its value); required fields have none."""
    made: dict[str, Json] = {}
    for name, field in fields.model_fields.items():
        if not field.is_required():
            default = field.get_default(call_default_factory=True, validated_data=dict(made))
            made[name] = to_jsonable_python(default, fallback=_plain)
    return made


def check(fields: type[BaseModel], name: str, value: Json) -> None:
    """Hold a value against the rule and the validators of its field; those of the model wait for `check_together`.

    Raises `Malformed`.
    """
    for fault in _faults(_apart(fields), {name: value}):
        if fault["loc"][:1] == (name,):
            raise _refusal(fields, name, value, fault)


def check_together(fields: type[BaseModel], values: Mapping[str, Json]) -> None:
    """Hold all values against the whole model, its own validators too, as pydantic would: defaults are not checked.

    Raises `Malformed` on values that do not go together, and on a required one that nobody set.
    """
    standing = defaults(fields)
    chosen = {
        name: value
        for name, value in values.items()
        if name in fields.model_fields and not (name in standing and value == standing[name])
    }
    for fault in _faults(fields, chosen):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if name in fields.model_fields:
            raise _refusal(fields, name, chosen.get(name), fault)
        raise Malformed(f"the hyperparameters do not go together: {_words(fault)}; change one of them")


def search_space(fields: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The distribution of each field that is searched, as Optuna writes its own in JSON.

    Raises `Malformed` where one has no bounds and does not say between which it is searched.
    """
    return {name: _distribution(name, schema) for name, schema in schemas(fields).items() if "search" in schema}


@cache
def _apart(fields: type[BaseModel]) -> type[BaseModel]:
    """The same fields without the model's own validators, which look at several values at once."""
    apart = create_model(fields.__name__, __base__=fields)
    apart.__pydantic_decorators__.model_validators.clear()
    apart.model_rebuild(force=True)
    return apart


def _faults(fields: type[BaseModel], values: Mapping[str, Json]) -> list[ErrorDetails]:
    """What pydantic has against values by their fields' names, read as JSON, where tuples are lists and Enums text."""
    written = to_json(values, inf_nan_mode="constants", fallback=_plain)
    try:
        fields.model_validate_json(written, strict=True, by_alias=False, by_name=True)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _refusal(fields: type[BaseModel], name: str, value: Json, fault: ErrorDetails) -> Malformed:
    if fault["type"] == "missing" and len(fault["loc"]) == 1:
        return Malformed(f"hyperparameter {name!r} has no value; set it before training")
    if "error" in fault.get("ctx", {}):  # a validator's own words
        return Malformed(f"hyperparameter {name!r} cannot be {value!r}: {_words(fault)}; give another value")
    return Malformed(
        f"hyperparameter {name!r} must be {rule(schemas(fields)[name], 'en')}, not {value!r}; give one that is"
    )


def _words(fault: ErrorDetails) -> str:
    return str(fault.get("ctx", {}).get("error") or fault["msg"])


def _plain(value: Any) -> Any:
    return plain_value(value, "a hyperparameter")


def schemas(fields: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Each field's JSON Schema by its name, with what it refers to, such as an Enum, written in."""
    whole = fields.model_json_schema(by_alias=False)
    return _written_in(whole.get("properties", {}), whole.get("$defs", {}))


def _written_in(node: Any, kinds: Mapping[str, dict[str, Any]]) -> Any:
    if isinstance(node, list):
        return [_written_in(each, kinds) for each in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    kind = kinds.get(str(schema.get("$ref", "")).rpartition("/")[2], {})
    named = {name: each for name, each in kind.items() if name != "description"}  # which is a class's docstring
    own = {name: each for name, each in schema.items() if name != "$ref" and (name, each) != ("maximum", WHOLE)}
    return named | {name: _written_in(each, kinds) for name, each in own.items()}


def _distribution(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    search: dict[str, Any] = schema["search"]
    choices = (
        search.get("choices") or schema.get("enum") or ([False, True] if schema.get("type") == "boolean" else None)
    )
    if choices:
        return {"name": "CategoricalDistribution", "attributes": {"choices": choices}}
    attributes = {"low": schema.get("minimum"), "high": schema.get("maximum"), "log": False} | search
    if attributes["low"] is None or attributes["high"] is None:
        raise Malformed(f"hyperparameter {name!r} has no bounds to search between; give its search a low and a high")
    kind = "IntDistribution" if schema.get("type") == "integer" else "FloatDistribution"
    return {"name": kind, "attributes": attributes}
