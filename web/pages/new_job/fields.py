"""The fields of a form, made of a request for work; and what a form says, as such a request has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from ....errors import Malformed, first_fault
from ....models.hyperparameter import Json, check, defaults
from ....models.registry import hyperparameters_of
from ...api.work.job_requests import Asked, JobRequest

Shape = Literal["text", "number", "check", "list", "pairs", "choice"]

KINDS: Final[Mapping[str, type[JobRequest]]] = {
    kind.model_fields["kind"].default: kind for kind in get_args(get_args(Asked)[0])
}
"""The requests by kind of work."""
FIRST: Final = ("model", "version", "data", "label", "branch", "message", "tags")
"""What most people fill in; the rest that need not be is below "More"."""
CHOSEN: Final = "hyperparameters."
"""What the fields of hyperparameters begin with, where it is known what a class takes."""
_REQUEST: Final[TypeAdapter[JobRequest]] = TypeAdapter(Asked)


class BadField(Malformed):
    """A field of a form that is not what its request takes."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class JobField:
    """One field: what it is called, what may stand in it, and what it says unless told."""

    name: str
    shape: Shape
    required: bool
    hint: str
    default: str
    choices: tuple[str, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether it is shown at once."""
        return self.required or self.name in FIRST


def fields_of(kind: str) -> list[JobField]:
    """The fields of a kind's form, those that are shown at once in their order first. Raises `Malformed`."""
    schema = request_of(kind).model_json_schema(by_alias=True)
    needed = schema.get("required", ())
    made = [_field(name, each, name in needed) for name, each in schema["properties"].items() if name != "kind"]
    order = {name: place for place, name in enumerate(FIRST)}
    return sorted(made, key=lambda field: order.get(field.name, len(order)))


def hyperparameter_fields(model_class: str) -> list[JobField] | None:
    """What may be chosen of a class, each with its default; None where that is not known here."""
    known = hyperparameters_of(model_class)
    if known is None:
        return None
    stands = defaults(known)
    return [
        JobField(CHOSEN + name, "text", field.is_required(), field.description or "", written(stands.get(name)))
        for name, field in known.model_fields.items()
    ]


def request_from(kind: str, said: Mapping[str, str]) -> JobRequest:
    """What a form asks for. Raises `BadField` with the field's name, or `Malformed`."""
    told: dict[str, Any] = {"kind": kind}
    for field in fields_of(kind):
        if (value := _read(field, said.get(field.name, "").strip())) is not None:
            told[field.name] = value
    if chosen := _chosen(told.get("class", ""), said):
        told["hyperparameters"] = told.get("hyperparameters", {}) | chosen
    try:
        return _REQUEST.validate_python(told)
    except ValidationError as error:
        place, words, _ = first_fault(error, kind)
        name = place.removeprefix(f"{kind}.")
        raise BadField(name.partition(".")[0], f"{name}: {words}; give another value") from None


def request_of(kind: str) -> type[JobRequest]:
    """The request for a kind of work. Raises `Malformed`."""
    if kind not in KINDS:
        raise Malformed(f"there is no kind of work {kind[:40]!r} to ask for; there are {', '.join(KINDS)}")
    return KINDS[kind]


def value_of(words: str) -> Any:
    """A value as JSON has it, else text."""
    try:
        return json.loads(words)
    except (ValueError, RecursionError):
        return words


def written(value: Json) -> str:
    """A value as a form shows it; nothing for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) and not _is_read(value) else json.dumps(value, ensure_ascii=False)


def _is_read(words: str) -> bool:
    return not isinstance(value_of(words), str)


def _chosen(model_class: str, said: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters that differ from their defaults, each held against its rule."""
    known = hyperparameters_of(model_class)
    if known is None:
        return {}
    chosen: dict[str, Any] = {}
    stands = defaults(known)
    for name in known.model_fields:
        words = said.get(CHOSEN + name, "").strip()
        if not words or words == written(stands.get(name)):
            continue
        chosen[name] = value_of(words)
        try:
            check(known, name, chosen[name])
        except Malformed as error:
            raise BadField(CHOSEN + name, error.fact) from error
    return chosen


def _field(name: str, schema: Mapping[str, Any], required: bool) -> JobField:
    several: Sequence[Mapping[str, Any]] = (schema, *schema.get("anyOf", ()))
    choices = tuple(str(choice) for each in several for choice in each.get("enum", ()))
    types = {each.get("type") for each in several}
    shape: Shape = "choice" if choices else "text"
    for kind, own in (("number", "number"), ("integer", "number"), ("object", "pairs"), ("array", "list")):
        if kind in types and "string" not in types:
            shape = own  # type: ignore[assignment]
    if "boolean" in types:
        shape = "check"
    stands = schema.get("default")
    default = "1" if stands is True else "" if stands in (None, [], {}, False) else written(stands)
    return JobField(name, shape, required, schema.get("description", ""), default, choices)


def _read(field: JobField, words: str) -> Any:
    """What a field says, None where it is left to its default."""
    if field.shape == "check":
        return words == "1" if words and words != (field.default or "0") else None
    if not words or words == field.default:
        return None
    if field.shape == "list":
        return [each for each in re.split(r"[,\s]+", words) if each]
    if field.shape == "pairs":
        return dict(_pair(field.name, line) for line in words.splitlines() if line.strip())
    return value_of(words) if field.shape == "number" else words


def _pair(field: str, line: str) -> tuple[str, Any]:
    name, sign, value = line.partition("=")
    if not sign or not name.strip():
        raise BadField(field, f"{field}: {line.strip()[:80]!r} is no pair; write name=value, one a line")
    return name.strip(), value_of(value.strip())
