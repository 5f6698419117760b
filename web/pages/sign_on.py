"""Log-in at the issuer: a browser is sent there, comes back with a code, and is given a session; and log-out."""

from __future__ import annotations

import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ...errors import LeptonError
from ..door.login import BEGUN_SECONDS, SEALED, IssuerLogin
from ..door.session import check_same_site, cookie_name, is_secure, own_origin, token_of
from ..problems import Problem
from .entry import asked_again, own, put_cookie
from .page import PageView, Visit, html

log = logging.getLogger("lepton.serve")

_LONGEST_PLACE: Final = 1_500
"""Characters of the page to come back to, which a cookie holds meanwhile."""


async def begun(request: Request) -> Response:
    """Send a browser to the issuer. What it is to bring back is bound to it by a cookie, which a navigation from
    another site brings along."""
    place, login = own(request.query_params.get("next")), _login(request)
    try:
        told = await request.app.state.service.entering.run(
            login.begin, _address(request, "/login/callback"), place if len(place) <= _LONGEST_PLACE else "/"
        )
    except (Problem, LeptonError) as error:
        return asked_again(request, place, _refusal(login, error))
    answer = RedirectResponse(told.url, 303, {"Cache-Control": "no-store"})
    answer.set_cookie(
        _begun_name(request), told.kept, BEGUN_SECONDS, httponly=True, samesite="lax", secure=is_secure(request.scope)
    )
    return answer


async def come_back(request: Request) -> Response:
    """Give a session to whoever comes back from the issuer.

    The next page is asked for by this one and not by a redirect: of that the browser says that another site began it,
    and keeps the session's cookie to itself.
    """
    login, kept, said = _login(request), request.cookies.get(_begun_name(request)), dict(request.query_params)
    service, ends = request.app.state.service, False
    try:
        ends = await service.entering.run(login.ends, said, kept)
        told = await service.entering.run(login.end, _address(request, "/login/callback"), said, kept)
    except (Problem, LeptonError) as error:
        answer = asked_again(request, "/", _refusal(login, error))
    else:
        answer = _onward(request, "You are logged in.", told.place, told.place)
        put_cookie(request, answer, told.session, login.session_seconds)
    if ends:  # a stranger's page that leads here ends no log-in under way
        answer.delete_cookie(_begun_name(request), secure=is_secure(request.scope), httponly=True)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def let_out(request: Request) -> Response:
    """Take the cookie away; a session that the issuer gave is ended there too."""
    check_same_site(request.scope, request.headers)
    service, held = request.app.state.service, token_of(request.scope, request.headers) or ""
    place = None
    if service.login is not None and held.startswith(SEALED):
        place = await service.entering.run(service.login.farewell, _address(request, "/login"))
    if place is None:
        answer: Response = RedirectResponse("/login", 303)
    else:  # a form that was sent may not be sent on to another site, so that a page leads there
        answer = _onward(request, "You are logged out.", place, "/login")
    answer.delete_cookie(cookie_name(request.scope), path="/", secure=is_secure(request.scope), httponly=True)
    return answer


def _onward(request: Request, words: str, place: str, here: str) -> Response:
    """A page that leads to another at once; `here` is what it is in another language."""
    return html(Visit(request), "onward", PageView({"place": place, "words": words, "here": here}))


def _login(request: Request) -> IssuerLogin:
    login: IssuerLogin | None = request.app.state.service.login
    if login is None:
        raise Problem(404, "nobody logs in at an issuer here; log in by a token at /login")
    return login


def _address(request: Request, path: str) -> str:
    """A page of this server as the issuer knows it: by the name that the browser calls, which is one of its own."""
    return own_origin(request.scope, request.headers) + request.app.state.service.options.root_path + path


def _begun_name(request: Request) -> str:
    return f"{cookie_name(request.scope)}-login"


def _refusal(login: IssuerLogin, error: Problem | LeptonError) -> Problem:
    if isinstance(error, Problem):
        return error
    log.error("nobody can log in at %s: %s", login.name, error)
    return Problem(503, f"{login.name} cannot be reached now; try again, or log in by a token", Retry_After="2")


ROUTES: Final[list[BaseRoute]] = [
    Route("/login/issuer", begun, methods=["GET"]),
    Route("/login/callback", come_back, methods=["GET"]),
    Route("/logout", let_out, methods=["POST"]),
]
