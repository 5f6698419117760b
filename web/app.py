"""The application: the ledger's API, and what stands before it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import LeptonError, Malformed, Unavailable
from ..media import JSON
from .api import ROUTERS
from .caller import encoded
from .door.access import Access
from .door.limits import Limited
from .openapi.document import document
from .pages.site import is_page_path, site
from .problems import away, of_error, of_fault, of_http, of_validation
from .routing import PREFIX, RawPath, allowed
from .served import ServedLedger

log = logging.getLogger("lepton.serve")

OPENAPI: Final = f"{PREFIX}/openapi.json"


def application(service: ServedLedger) -> ASGIApp:
    """The ledger over HTTP, as an ASGI application. What it serves stays the caller's to close."""
    pages = site(service)
    app: ASGIApp = Limited(_Doors(api(service), pages), service.options.limits)
    return RawPath(Access(app, service, pages.refuse))


class _Doors:
    """The API, for programs, and the pages, for people."""

    def __init__(self, api: ASGIApp, site: ASGIApp) -> None:
        self._api = api
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and is_page_path(scope["path"])
        await (self._site if is_page else self._api)(scope, receive, send)


def api(service: ServedLedger) -> FastAPI:
    """The routes, without what stands before them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with service.at_work():
            yield

    app = _routed(lifespan)
    app.state.service = service
    for kind, tell in (
        (LeptonError, of_error),
        (HTTPException, _of_http),
        (RequestValidationError, of_validation),
        (ClientDisconnect, _of_gone),
    ):
        app.add_exception_handler(kind, _handler(tell))
    app.add_exception_handler(Exception, _handler(of_fault))
    return app


def described() -> dict[str, Any]:
    """The API's description, which is the same whatever ledger is served."""
    return _routed().openapi()


def _routed(lifespan: Any = None) -> FastAPI:
    app = FastAPI(
        title="Lepton",
        version="1",
        summary="The ledger that versions every model a team trains.",
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.router.routes.extend(route for router in ROUTERS for route in router.routes)
    app.add_api_route("/healthz", _healthy, include_in_schema=False)
    app.add_api_route("/readyz", _ready, include_in_schema=False)
    app.openapi = cache(lambda: document(app))  # type: ignore[method-assign]
    return app


async def _healthy() -> Response:
    """The process answers, also while all threads are at work."""
    return Response(encoded({"status": "ok"}), media_type=JSON)


def _ready(request: Request) -> Response:
    """The ledger answers too."""
    service: ServedLedger = request.app.state.service
    try:
        service.end()
    except Unavailable as error:
        log.error("the ledger is not ready: %s", error)
        return of_http(away(), request)
    return Response(encoded({"status": "ok"}), media_type=JSON)


def _of_http(error: HTTPException, request: Request) -> Response:
    """What HTTP itself forbids; where a method is, with all those that the address takes."""
    if error.status_code == 405:
        try:
            methods = allowed(request.app.routes, request.scope)
        except Malformed as malformed:
            return of_error(malformed, request)
        sentence = f"{request.method} is not taken here; this address takes {methods}"
        error = HTTPException(405, sentence, {"Allow": methods})
    return of_http(error, request)


def _of_gone(_: ClientDisconnect, request: Request) -> Response:
    """A client that hung up before all was sent; nobody reads this, and it is no fault."""
    return of_http(HTTPException(499, "the request was cut off; send it again"), request)


def _handler(tell: Any) -> Any:
    async def handle(request: Request, error: Exception) -> Response:
        return tell(error, request)

    return handle
