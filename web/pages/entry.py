"""The way in and what every page needs: log-in by a token or at an issuer, language, style sheet and script."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ...errors import LeptonError
from ..door.access import holder_of
from ..door.session import check_same_site, cookie_name, is_secure
from ..problems import Problem, away
from .assets import ASSETS, asset, asset_link
from .forms import form_of
from .page import LANGUAGE, PageView, Visit, html

IMMUTABLE: Final = "public, max-age=31536000, immutable"
_YEAR: Final = 31_536_000


async def sent_asset(request: Request) -> Response:
    """The style sheet or the script, to be kept for ever."""
    name = request.path_params["name"]
    if name not in ASSETS or request.scope["path"] != asset_link(name):
        raise Problem(404, "there is nothing at this address; reload the page that named it")
    return Response(asset(name), headers={"Cache-Control": IMMUTABLE}, media_type=ASSETS[name])


def asked_in(request: Request) -> Response:
    """The form that takes a token, beside the way to the issuer."""
    return asked_again(request, own(request.query_params.get("next")))


def asked_again(request: Request, place: str, refusal: HTTPException | None = None) -> Response:
    """The log-in page; where somebody was refused, with the reason."""
    login = request.app.state.service.login
    data = {"next": place, "sentence": "", "issuer": login.name if login else None, "here": _login_at(place)}
    if refusal is None:
        return html(Visit(request), "login", PageView(data))
    # a form is no header, by which HTTP asks for a token
    status, headers = (403, {}) if refusal.status_code == 401 else (refusal.status_code, refusal.headers or {})
    return html(Visit(request), "login", PageView({**data, "sentence": refusal.detail}, status=status, headers=headers))


def _login_at(place: str) -> str:
    return f"/login?next={quote(place, safe='')}"


async def let_in(request: Request) -> Response:
    """Change a token for the cookie, if it is good."""
    check_same_site(request.scope, request.headers)
    said = await form_of(request)
    secret, place = said.get("token", "").strip(), own(said.get("next"))
    try:
        await holder_of(request.app.state.service, request.client.host if request.client else "", secret)
    except (Problem, LeptonError) as error:
        return asked_again(request, place, error if isinstance(error, Problem) else away())
    answer = RedirectResponse(place, 303)
    put_cookie(request, answer, secret)
    return answer


def put_cookie(request: Request, answer: Response, secret: str, seconds: int | None = None) -> None:
    """Have the browser hold what lets it in."""
    answer.set_cookie(
        cookie_name(request.scope), secret, seconds, httponly=True, samesite="strict", secure=is_secure(request.scope)
    )


def spoken(request: Request) -> Response:
    """Remember the language that a reader chose, and go back."""
    answer = RedirectResponse(own(request.query_params.get("next")), 303)
    chosen = request.query_params.get("to")
    if chosen in ("zh", "en"):
        answer.set_cookie(LANGUAGE, chosen, max_age=_YEAR, samesite="strict", httponly=True, path="/")
    return answer


def own(place: str | None) -> str:
    """An address of this server, whatever was asked for."""
    return (
        place
        if place and place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
        else "/"
    )


ROUTES: Final[list[BaseRoute]] = [
    Route("/static/{version}/{name}", sent_asset, methods=["GET"]),
    Route("/login", asked_in, methods=["GET"]),
    Route("/login", let_in, methods=["POST"]),
    Route("/language", spoken, methods=["GET"]),
]
