"""The pages put together: their routes, the policy that a browser holds them to, and what strangers are told."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ..problems import Problem, of_http
from ..served import ServedLedger
from . import comparison, diff, entry, history, live, models, moment, names, rollback, sign_on, tensors, versions, work
from .asking import events, search, sql, status, tokens
from .chains import page as chains
from .charts import program
from .new_job import library
from .new_job import page as new_job
from .page import Visit, refused
from .proof import page as proof
from .runs import page as runs
from .studies import page as studies

log = logging.getLogger("lepton.serve")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PARAMETERS: Final = 200
"""Parameters of an address; comparisons have the most."""
_POLICIES: Final = {
    "Content-Security-Policy": POLICY,
    # others are told nothing; with no-referrer a form's Origin would be null, and could not be told
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_TOLD: Final = (401, 403, 429, 503)
"""What a person who is not let in is told on a page."""
_ENDED: Final = "your log-in has ended; log in in another tab, then reload this page to send the form again"
_PROGRAMS: Final = ("/api/", "/healthz", "/readyz")
_SUBJECTS: Final = (
    models, history, names, rollback, versions, tensors, diff, comparison, new_job, work, runs, chains, studies,
    library, events, search, sql, status, tokens, proof,
)  # fmt: skip


def is_page_path(path: str) -> bool:
    """Whether an address is for people."""
    return not path.startswith(_PROGRAMS)


def site(service: ServedLedger) -> Site:
    """All pages of a ledger."""
    routes = [
        *entry.ROUTES,
        *sign_on.ROUTES,
        *live.ROUTES,
        *moment.ROUTES,
        *program.ROUTES,
        *proof.ROUTES,
        *(route for subject in _SUBJECTS for route in subject.pages.routes),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _of_http, ClientDisconnect: _of_gone, Exception: _of_fault},  # type: ignore[dict-item]
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return Site(app)


class Site:
    """The pages, each under its policy; the parameters of an address are bounded."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def refuse(self, problem: Problem, request: Request) -> Response:
        """What whoever is not let in is told: a person is asked to log in, a program reads a problem."""
        wants_page = is_page_path(request.scope["path"]) and "text/html" in request.headers.get("accept", "")
        if not wants_page or problem.status_code not in _TOLD:
            return of_http(problem, request)
        if problem.status_code == 401 and request.method in ("GET", "HEAD"):
            query = request.scope["query_string"].decode("latin-1")
            place = request.scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(place, safe='')}", 303)
        request.scope["app"] = self._app
        sentence = _ENDED if problem.status_code == 401 else problem.detail
        answer = refused(Visit(request), problem.status_code, sentence)
        answer.headers.update({**(problem.headers or {}), **_POLICIES})
        return answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"].count(b"&") >= PARAMETERS:
            refusal = Problem(400, f"an address has at most {PARAMETERS} parameters; ask for less at a time")
            await of_http(refusal, Request(scope))(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _POLICIES.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


async def _of_http(request: Request, error: HTTPException) -> Response:
    if "lepton.visitor" not in request.scope:
        return of_http(error, request)
    sentence = error.detail if isinstance(error, Problem) else "there is no page at this address; begin at the models"
    answer = refused(Visit(request), error.status_code, sentence)
    answer.headers.update(error.headers or {})
    return answer


async def _of_gone(request: Request, _: ClientDisconnect) -> Response:
    return of_http(HTTPException(499, "the request was cut off; send it again"), request)


async def _of_fault(request: Request, error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return refused(Visit(request), 500, "this is a fault of Lepton itself; the server's log tells more")
