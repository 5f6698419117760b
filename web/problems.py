"""Refusals as problems (RFC 9457): a status, a stable type, one sentence, and what a program needs of the error."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .. import errors
from ..errors import LeptonError, Unavailable
from ..sent_errors import told

log = logging.getLogger("lepton.serve")

MEDIA: Final = "application/problem+json"
TYPE: Final = "tag:lepton-ai,2026:problem:"


class ProblemKind(NamedTuple):
    """A sort of problem: its status and the last part of its type."""

    status: int
    name: str


ERRORS: Final[Mapping[type[LeptonError], ProblemKind]] = {
    errors.UnknownRevision: ProblemKind(404, "unknown"),
    errors.UnknownStudy: ProblemKind(404, "unknown"),
    errors.StudyExists: ProblemKind(409, "study-exists"),
    errors.TrialFinished: ProblemKind(409, "trial-finished"),
    errors.NotInPast: ProblemKind(409, "not-in-past"),
    errors.Stale: ProblemKind(409, "stale"),
    errors.Condemned: ProblemKind(409, "condemned"),
    errors.KeyReused: ProblemKind(422, "key-reused"),
    errors.MissingChunks: ProblemKind(409, "missing-chunks"),
    errors.TooLarge: ProblemKind(413, "too-large"),
    errors.Malformed: ProblemKind(400, "malformed"),
    errors.NewerLedger: ProblemKind(500, "newer-ledger"),
    errors.ReadOnly: ProblemKind(409, "read-only"),
    errors.GateNotMet: ProblemKind(409, "gate-not-met"),
    errors.Forbidden: ProblemKind(403, "forbidden"),
    errors.Refused: ProblemKind(409, "refused"),
    errors.Unavailable: ProblemKind(503, "unavailable"),
    errors.NotAsSigned: ProblemKind(409, "not-as-signed"),
    errors.Damaged: ProblemKind(500, "damaged"),
}
"""Every error that Lepton raises; what is not named is what its nearest base is."""

OTHERS: Final[Mapping[int, str]] = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "no-route",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "timeout",
    412: "stale",
    413: "too-large",
    415: "unsupported-media-type",
    416: "range-not-satisfiable",
    421: "host-refused",
    428: "precondition-required",
    429: "too-many-requests",
    500: "fault",
    503: "unavailable",
}
"""What the server itself refuses, by its status."""

RETRY_AFTER: Final = 2
"""Seconds after which whatever was away may be asked for again."""


class Problem(HTTPException):
    """What HTTP itself forbids, in one sentence; the ledger was not asked."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(status, sentence, {name.replace("_", "-"): value for name, value in headers.items()})


def away() -> Problem:
    """The ledger, or what says who may, is away: what a stranger is told of it."""
    sentence = "the ledger cannot be reached now; try again, or see the server's log"
    return Problem(503, sentence, Retry_After=str(RETRY_AFTER))


def kind_of(error: LeptonError) -> ProblemKind:
    """The sort of problem that an error of the ledger is told as."""
    return next(ERRORS[each] for each in type(error).__mro__ if each in ERRORS)


def of_error(error: LeptonError, request: Request) -> Response:
    """The problem that an error of the ledger is told as."""
    kind = kind_of(error)
    status, headers = kind.status, dict[str, str]()
    if kind.name == "stale" and ("if-match" in request.headers or "if-none-match" in request.headers):
        status = 412
    more: dict[str, Any] = {"lepton": told(error)}
    if isinstance(error, errors.GateNotMet):
        more["requirements"] = error.requirements
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_AFTER)
        more["key"] = error.key or request.headers.get("idempotency-key")
    if status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    return problem(status, kind.name, error.fact, headers, **more)


def of_validation(error: RequestValidationError, request: Request) -> Response:
    """The first thing that a request's parameters or body have against them."""
    del request
    first = error.errors()[0]
    where, *place = map(str, first["loc"])
    if first["type"] == "json_invalid":
        return problem(400, "malformed", f"the body is no JSON ({first['ctx']['error'].lower()}); send JSON")
    name = ".".join(place) if place else "it"
    words = first["msg"][:1].lower() + first["msg"][1:]
    return problem(
        400, "malformed", f"{name} in the {where} is refused: {words}; /api/v1/openapi.json has what is taken"
    )


def of_http(error: HTTPException, request: Request) -> Response:
    """What HTTP itself forbids."""
    del request
    name = OTHERS.get(error.status_code, "refused")
    sentence = error.detail
    if error.status_code == 404 and sentence == HTTPStatus.NOT_FOUND.phrase:
        sentence = "there is nothing at this address; /api/v1/openapi.json lists all that there is"
    return problem(error.status_code, name, sentence, dict(error.headers or {}))


def of_fault(error: Exception, request: Request) -> Response:
    """A fault of Lepton itself: what it is stands in the server's log alone."""
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "fault", "this is a fault of Lepton itself; the server's log tells more")


def problem(status: int, name: str, sentence: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A problem as a response."""
    body = {"type": TYPE + name, "title": _PHRASES.get(status, "Refused"), "status": status, "detail": sentence}
    told = {key: value for key, value in more.items() if value is not None}
    return Response(to_json(body | told, inf_nan_mode="strings"), status, headers, MEDIA)


_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | {499: "Client Closed Request"}


def retry_after(seconds: float) -> str:
    """Seconds as the header has them: whole, and one at least."""
    return str(max(1, math.ceil(seconds)))
