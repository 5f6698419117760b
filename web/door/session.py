"""The cookie that a token was changed for: no script reads it, and no page of another site sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import cookie_parser
from starlette.types import Scope

from ..problems import Problem

SAFE: Final = frozenset({"GET", "HEAD"})


def cookie_name(scope: Scope) -> str:
    """What the cookie is called: under TLS by a name that browsers let no other host and no subdomain set."""
    return "__Host-lepton" if is_secure(scope) else "lepton"


def is_secure(scope: Scope) -> bool:
    """Whether the request came under TLS."""
    return scope.get("scheme") == "https"


def token_of(scope: Scope, headers: Mapping[str, str]) -> str | None:
    """The token that a browser holds."""
    return cookie_parser(headers.get("cookie", "")).get(cookie_name(scope)) or None


def check_same_site(scope: Scope, headers: Mapping[str, str]) -> None:
    """Hold that what is done by a browser comes from a page of this very server. Raises `Problem`."""
    if scope["method"] in SAFE:
        return
    site, origin, own = headers.get("sec-fetch-site"), headers.get("origin"), own_origin(scope, headers)
    if site in ("same-origin", "none") and origin in (None, own):
        return
    if site is None and origin == own:
        return
    raise Problem(403, "a page of another site asks for this; do it on the ledger's own page")


def own_origin(scope: Scope, headers: Mapping[str, str]) -> str:
    """The origin of this server's own pages, as the caller calls it."""
    return f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
