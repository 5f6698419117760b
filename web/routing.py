"""Routes as HTTP has them: matched on the raw path, strict about what they take; all of FastAPI's ways mended here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import unquote

from fastapi import APIRouter as FastAPIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import Malformed
from ..media import JSON as JSON
from .caller import key_of
from .problems import Problem
from .reading import READS

PREFIX: Final = "/api/v1"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class StrictRequest(Request):
    """A request whose JSON is what RFC 8259 has: no NaN, no infinities."""

    async def json(self) -> Any:
        """The body. Raises what FastAPI tells as a fault of the body."""
        raw = await self.body()
        try:
            return from_json(raw, allow_inf_nan=False)
        except ValueError as error:
            place = {"type": "json_invalid", "loc": ("body",), "msg": "it is no JSON", "ctx": {"error": str(error)}}
            raise RequestValidationError([place]) from error


class RawRoute(APIRoute):
    """A route matched on the path as it was sent: `%2F` in a name divides nothing, and is a slash once matched."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is not Match.NONE:
            child["path_params"] = {name: unquoted(value) for name, value in child["path_params"].items()}
        return match, child

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if options.get("methods") and "GET" in options["methods"]:
            given = options.get("dependencies") or ()
            options["dependencies"] = [*(each for each in READS if each not in given), *given]
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        names = _query_names(self.dependant)

        async def strict(request: Request) -> Response:
            if unknown := sorted(request.query_params.keys() - names):
                raise Malformed(_unknown(unknown[0], names))
            key_of(request.headers)
            if self.body_field is not None:
                _check_media(request)
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


class Router(FastAPIRouter):
    """A router of the API, on a subject. Its routes are put into the application as they are: FastAPI looks twice
    through those of a router that is included."""

    def __init__(self, subject: str) -> None:
        super().__init__(prefix=PREFIX, tags=[subject], route_class=RawRoute, generate_unique_id_function=_unique_id)


class RawPath:
    """Has routes matched on the raw path, and answers HEAD as GET without its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        scope = {**scope, "path": raw.partition(b"?")[0].decode("ascii", "replace")}
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        head = _Head(send, receive)
        await self._app({**scope, "method": "GET", "lepton.head": True}, head.receive, head.send)


class _Head:
    """An exchange whose body is left out; once it has begun to answer, the other side is as if it were gone."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self._send = send
        self._receive = receive
        self._answered = False

    async def receive(self) -> Message:
        return {"type": "http.disconnect"} if self._answered else await self._receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
        elif not self._answered:
            self._answered = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _unique_id(route: APIRoute) -> str:
    """What an operation is called: its subject and the name of its handler."""
    return f"{route.tags[0]}.{route.name}"


def allowed(routes: list[BaseRoute], scope: Scope) -> str:
    """The methods that an address takes, as Allow has them."""
    methods = {
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))


def _check_media(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length")
    if media != JSON and (media or length not in (None, "0") or "transfer-encoding" in request.headers):
        raise Problem(415, f"the body is {media or 'of no stated type'}; send {JSON}", Accept=JSON)


def unquoted(value: Any) -> Any:
    """A part of an address, as it was before it was quoted. Raises `Malformed`."""
    if not isinstance(value, str):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise Malformed(f"{value[:80]!r} in the address is no UTF-8; encode names as percent-encoded UTF-8") from None


def _query_names(dependant: Any) -> frozenset[str]:
    names = {field.alias for field in dependant.query_params}
    return frozenset(names).union(*map(_query_names, dependant.dependencies))


def _unknown(name: str, names: frozenset[str]) -> str:
    if name == "actor":
        return "actor= is not taken: over HTTP who acts is the owner of the token"
    return f"{name[:80]!r} is no parameter of this address; it takes {', '.join(sorted(names))}"
