"""The API's description: OpenAPI 3.1, from the routes, the shapes of answers and the table of problems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from ...ledger.transaction import LONGEST_KEY
from ...results.shapes.named import NAMED
from ...results.shapes.schema import definitions
from ..described import MOVES, RECORDS_NOTHING, header
from ..problems import ERRORS, MEDIA, OTHERS, TYPE
from .examples import BODIES, ID
from .examples import PARAMETERS as EXAMPLES

if TYPE_CHECKING:
    from fastapi import FastAPI

ABOUT: Final = """\
The ledger that versions every model a team trains, over HTTP. docs/api.md tells the conventions: tokens, keys, ETags
and preconditions, pages, tables by Accept, streams of events, limits, and problems.

Every GET is a HEAD too. A request on loopback needs no token while the ledger has none."""
ANY_STATUS: Final = (400, 401, 403, 404, 406, 409, 421, 429, 500, 503)
"""What any request may be answered."""
WITH_BODY: Final = (408, 413, 415)
PARAMETERS: Final[Mapping[str, tuple[str, str]]] = {
    "alias": ("An alias, such as production.", "production"),
    "branch": ("A branch.", "main"),
    "file": ("The name of a file.", "model.json"),
    "event": ("An event's seq, or a revision: its last move, binding or commit.", "credit@production"),
    "chain": ("A chain's name.", "credit"),
    "job": ("A job's id, or its beginning or end.", ID),
    "model": ("A model; `-` for the only one, or the one that the revision names. `/` in it is `%2F`.", "credit"),
    "name": ("The name, with `%2F` for a slash.", "main"),
    "rev": ("A revision as docs/revisions.md has it: a number, branch, tag, alias, `main~2`.", "main"),
    "rows": ("The id of rows that were sent.", ID),
    "run": ("A run's id, or a part of it.", ID),
    "step": ("The step of a checkpoint, or `last`.", "last"),
    "study": ("A study's name, with `%2F` for a slash.", "credit"),
    "suite": ("A suite; `NAME@2` is as it was defined once.", "trial"),
    "tag": ("A tag.", "v1.0"),
    "token": ("A token's id.", ID),
}
"""What the parts of an address are, each with an example."""
HEADERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "Idempotency-Key": (
        "A name of yours for this act: sent again under it, it happens once and is answered the same.",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
    ),
    "If-Match": ("The ETag that the name must have, or `*`: it must be there.", {"type": "string"}),
    "If-None-Match": ("ETags of what the client has; of a move `*`: nothing must be there.", {"type": "string"}),
    "Range": ("The bytes that are wanted, as `bytes=0-1023`; several are sent as multipart.", {"type": "string"}),
    "If-Range": ("The ETag of what the client has a part of; of other bytes all are sent.", {"type": "string"}),
}
"""The headers that requests take."""


def document(app: FastAPI) -> dict[str, Any]:
    """The description of an application's routes."""
    whole = get_openapi(title=app.title, version=app.version, summary=app.summary, description=ABOUT, routes=app.routes)
    for operation, method in _operations(whole):
        _complete(operation, method)
    components = whole.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which nobody is answered
        schemas.pop(name, None)
    if both := schemas.keys() & NAMED.keys():
        raise ValueError(f"bodies of requests have names of shapes: {both}")
    components["schemas"] = dict(sorted((schemas | definitions(NAMED) | {"Problem": _PROBLEM}).items()))
    components["responses"] = {_of_status(status): _problem(status) for status in sorted(_types())}
    components["parameters"] = {name: _shared_header(name) for name in HEADERS}
    components["securitySchemes"] = {"token": _TOKEN}
    return whole | {"security": [{"token": []}]}


_PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Why a request is refused (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Stable: programs decide by it."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that says what to do."},
        "key": {"type": "string", "description": "The key under which to send the request again."},
        "lepton": {"type": "object", "description": "The error as the SDK raises it again."},
    },
}
_TOKEN: Final[Mapping[str, Any]] = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that `lepton token create` made, or one of the OpenID Connect issuer that is configured.",
}


def _operations(whole: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for path in whole["paths"].values():
        yield from ((operation, method) for method, operation in path.items())


def _complete(operation: dict[str, Any], method: str) -> None:
    """Add to an operation what all of its sort have in common."""
    answers: dict[str, Any] = operation["responses"]
    answers.pop("422", None)
    good = [answer for status, answer in answers.items() if status.startswith("2")]
    content: dict[str, Any] = good[0].get("content", {})
    if len(content) > 1 and content.get("application/json", {}).get("schema") == {}:
        del content["application/json"]  # FastAPI's, where a route has other forms
    marked = {mark for answer in good for mark in (RECORDS_NOTHING, MOVES) if answer.pop(mark, False)}
    reads, moves = RECORDS_NOTHING in marked or method == "get", MOVES in marked
    headers, statuses = set[str](), {*ANY_STATUS}
    if "requestBody" in operation:
        statuses |= {*WITH_BODY}
    if not reads:
        headers.add("Idempotency-Key")
        statuses.add(422)
        for answer in good:
            answer["headers"] = answer.get("headers", {}) | {"Lepton-Seq": header("Lepton-Seq")}
    if moves:
        headers |= {"If-Match", "If-None-Match"}
        statuses |= {412, 428}
        for answer in good:
            answer["headers"] |= {"ETag": header("ETag")}
    if "206" in answers:
        headers |= {"Range", "If-Range", "If-Match"}
        statuses |= {412, 416}
    if "304" in answers:
        headers.add("If-None-Match")
    name = operation["operationId"]
    if name in BODIES:
        operation["requestBody"]["content"]["application/json"]["example"] = BODIES[name]
    answers |= {str(status): {"$ref": f"#/components/responses/{_of_status(status)}"} for status in sorted(statuses)}
    operation["parameters"] = [
        *(_parameter(each, EXAMPLES.get(name, {})) for each in operation.get("parameters", ())),
        *(_header_parameter(each, EXAMPLES.get(name, {})) for each in sorted(headers)),
    ]


def _parameter(parameter: dict[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter as it is written in an address: where it may be left out, there is no null to be written."""
    schema: dict[str, Any] = parameter["schema"]
    some = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(some) == 1:
        schema = {name: each for name, each in schema.items() if name != "anyOf"} | some[0]
    schema.pop("title", None)
    schema.pop("description", None)
    told = {**parameter, "schema": schema}
    if parameter["in"] == "path" and parameter["name"] in PARAMETERS:
        words, example = PARAMETERS[parameter["name"]]
        told |= {"description": words, "example": example, "schema": {**schema, "minLength": 1}}
    example = {"example": examples[parameter["name"]]} if parameter["name"] in examples else {}
    return told | example


def _header_parameter(name: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    if name not in examples:
        return {"$ref": f"#/components/parameters/{name}"}
    return _shared_header(name) | {"example": examples[name]}


def _shared_header(name: str) -> dict[str, Any]:
    words, schema = HEADERS[name]
    return {"name": name, "in": "header", "required": False, "description": words, "schema": dict(schema)}


def _types() -> dict[int, list[str]]:
    """The problems there are by their status."""
    kinds = [(kind.status, kind.name) for kind in ERRORS.values()]
    types: dict[int, set[str]] = {}
    for status, name in (*kinds, *OTHERS.items()):
        types.setdefault(status, set()).add(TYPE + name)
    return {status: sorted(names) for status, names in types.items()}


def _of_status(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> dict[str, Any]:
    own = {"properties": {"type": {"enum": _types()[status]}, "status": {"const": status}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, own]}
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": {MEDIA: {"schema": schema}}}
    if status in (429, 503):
        answer["headers"] = {"Retry-After": header("Retry-After")}
    return answer


def written() -> str:
    """docs/openapi.json, of a server without a ledger."""
    from ..app import described

    return json.dumps(described(), indent=1, ensure_ascii=False) + "\n"
