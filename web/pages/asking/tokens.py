"""Tokens: which there are, made and revoked by those who may administer."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from ....domain.access.rights import SCOPES
from ....errors import Forbidden, LeptonError
from ...problems import kind_of
from ..page import PageRoutes, PageView, Visit

pages = PageRoutes()

NO_STORE: Final = {"Cache-Control": "no-store"}
_NOTHING: Final = {"revoking": "", "reason": "", "why_not": ""}
_FIELDS: Final = ("owner", "models", "expires", "key")


@pages.page("/tokens", "tokens")
def tokens(page: Visit) -> PageView:
    """All tokens, the newest first, with a form for another."""
    known = page.manager.tokens()
    return PageView(_listed(page, {}), {"tokens": known})


@pages.act("/tokens", "tokens")
def create_token(page: Visit, said: Mapping[str, str]) -> PageView:
    """Make a token. Its secret is in this answer alone, which nothing keeps; sent again it has none."""
    scopes = [scope for scope in SCOPES if f"scope-{scope}" in said]
    typed = {name: said.get(name, "").strip() for name in _FIELDS}
    models = re.split(r"[\s,]+", typed["models"]) if typed["models"] else ["*"]
    try:
        made = page.present.create_token(
            typed["owner"], scopes, models=models, expires=typed["expires"] or None, key=typed["key"] or None
        )
    except Forbidden:
        raise
    except LeptonError as error:
        data = {**_listed(page, {**typed, "scopes": scopes}), "sentence": error.fact}
        return PageView(data, status=kind_of(error).status, headers=NO_STORE)
    return PageView({**_listed(page, {}), "made": made}, status=201, headers=NO_STORE)


@pages.act("/tokens/{token}/revoke", "tokens")
def revoke_token(page: Visit, said: Mapping[str, str], token: str) -> str | PageView:
    """Let a token be good no more: within a second at every server."""
    try:
        page.present.revoke_token(token, reason=said.get("reason", "").strip())
    except Forbidden:
        raise
    except LeptonError as error:
        data = {**_listed(page, {}), "revoking": token, "reason": said.get("reason", ""), "why_not": error.fact}
        return PageView(data, status=kind_of(error).status)
    return page.link("tokens")


def _listed(page: Visit, typed: Mapping[str, Any]) -> dict[str, Any]:
    known = sorted(page.manager.tokens(), key=lambda token: (not token.is_good, -token.seq))
    first = {"owner": "", "models": "", "expires": "", "scopes": ["read"], "key": secrets.token_urlsafe(16)}
    return {"tokens": known, "typed": {**first, **typed}, "scopes": SCOPES, "sentence": "", "made": None, **_NOTHING}
