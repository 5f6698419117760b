"""Rules of values in words: the JSON Schema of a hyperparameter, and the distribution that it is searched by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .words import Language, word


def rule(schema: Mapping[str, Any], into: Language | None = None) -> str:
    """What a JSON Schema asks for, in words that follow "must be"."""
    match schema:
        case {"description": str() as words}:
            return word(words, into)
        case {"anyOf": [*options]}:
            return word(", or ", into).join(rule(each, into) for each in options)
        case {"const": value}:
            return repr(value)
        case {"enum": [*choices]}:
            return _one_of(choices, into)
        case {"type": "array", "prefixItems": [*places]}:
            words = ", ".join(rule(each, into) for each in places)
            return word("a list of {count}: {places}", into).format(count=len(places), places=words)
        case {"type": "array", "items": items}:
            return word("a list, each of it {rule}", into).format(rule=rule(items, into))
        case {"type": "integer"}:
            return _bounded(word("a whole number", into), schema, into)
        case {"type": "number"}:
            return _bounded(word("a number", into), schema, into)
        case {"type": "null"}:
            return word("None", into)
        case {"type": "string"}:
            return word("a text", into)
        case {"type": "boolean"}:
            return word("True or False", into)
        case {"type": str() as kind}:
            return f"an {kind}"
        case _:
            return word("of its kind", into)


def searched(distribution: Mapping[str, Any], into: Language | None = None) -> str:
    """What is tried of a hyperparameter, by its distribution as Optuna writes its own in JSON."""
    match distribution:
        case {"attributes": {"choices": [*choices]}}:
            return _one_of(choices, into)
        case {"attributes": {"low": low, "high": high, **how}}:
            ends = word("from {low} to {high}", into).format(low=_written(low), high=_written(high))
            scale = word("{range}, logarithmic", into).format(range=ends) if how.get("log") else ends
            step = how.get("step")
            return word("{range} in steps of {step}", into).format(range=scale, step=_written(step)) if step else scale
        case _:
            return ""


def _one_of(choices: list[Any], into: Language | None) -> str:
    return word("one of {choices}", into).format(choices=", ".join(map(repr, choices)))


def _bounded(kind: str, schema: Mapping[str, Any], into: Language | None) -> str:
    bounds = {name: _written(schema[name]) for name in _bounds(into) if name in schema}
    if {"minimum", "maximum"} <= bounds.keys():
        words = word("from {low} to {high}", into).format(low=bounds["minimum"], high=bounds["maximum"])
    else:
        words = word(" and ", into).join(f"{_bounds(into)[name]} {bound}" for name, bound in bounds.items())
    return word("{kind} {bounds}", into).format(kind=kind, bounds=words) if words else kind


def _bounds(into: Language | None) -> dict[str, str]:
    return {
        "minimum": word("of at least", into),
        "exclusiveMinimum": word("above", into),
        "maximum": word("of at most", into),
        "exclusiveMaximum": word("below", into),
    }


def _written(bound: Any) -> str:
    return f"{bound:g}" if isinstance(bound, float) else f"{bound}"
