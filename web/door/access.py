"""Who may come in: the name by which the server is called, then the token. What is not let in is refused."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ...domain.access.rights import ALL
from ...errors import LeptonError
from ..caching import private
from ..options import LOOPBACK, ServeOptions, split_host
from ..problems import Problem, away, of_http, retry_after
from ..served import ServedLedger
from .peer import uid_of
from .protocol import CONNECTION
from .session import SAFE, check_same_site, own_origin, token_of
from .visitor import Visitor, bearer

log = logging.getLogger("lepton.serve")

OPEN: Final = frozenset(
    {"/healthz", "/readyz", "/login", "/login/issuer", "/login/callback", "/logout", "/favicon.ico"}
)
"""Addresses that tell nothing of the ledger, and answer everybody who calls the server by its name."""
STATIC: Final = "/static/"
"""What such addresses begin with."""
Refuses = Callable[[Problem, Request], Response]
"""What whoever is not let in is told."""
_OF_PROXIES: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""What proxies say, behind which the caller is somebody else than the process at the other end."""


class Access:
    """The door. It lets nobody in by default: without a visitor in the scope no handler runs."""

    def __init__(self, app: ASGIApp, service: ServedLedger, refuses: Refuses = of_http) -> None:
        self._app = app
        self._refuses = refuses
        self._service = service
        self._options = service.options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks websocket
            await send({"type": "websocket.close", "code": 1008})
            return
        send = private(send)
        try:
            check_host(scope, self._options)
            if scope["path"] not in OPEN and not scope["path"].startswith(STATIC):
                scope["lepton.visitor"] = await self._visitor(scope)
        except Problem as refusal:
            await self._refuses(refusal, Request(scope))(scope, receive, send)
            return
        except LeptonError as error:  # what is away, and where it lies, is not told to whoever is not known
            log.error("nobody can be let in: %s", error)
            await self._refuses(away(), Request(scope))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _visitor(self, scope: Scope) -> Visitor:
        headers = Headers(scope=scope)
        secret = bearer(headers)
        if secret is None and await self._service.is_open():  # a cookie of another server of this machine is none here
            _check_neighbour(scope, headers)
            check_origin(scope, headers, self._options)
            return Visitor(self._service.user, ALL)
        if secret is None and (secret := token_of(scope, headers)) is not None:
            check_same_site(scope, headers)
        if secret is None:
            sentence = "this ledger is for those who hold a token; send it as Authorization: Bearer TOKEN"
            raise Problem(401, sentence, WWW_Authenticate="Bearer")
        return await holder_of(self._service, scope["client"][0] if scope.get("client") else "", secret)


async def holder_of(service: ServedLedger, address: str, secret: str) -> Visitor:
    """Whom a token belongs to. Raises `Problem` where it is not good, which is counted, and `LeptonError` where the
    ledger cannot tell.

    A good one is heeded whatever its neighbours behind the same address send: it is of 256 random bits or signed, so
    nobody guesses it, and what is bounded is load. Where many were refused, those never seen here wait for a few
    threads; those that were good lately have their way as always.
    """
    if service.failures.wait(address) > 0 and secret not in service.known:
        visitor = await service.doubted.run(service.visitor, secret)
    else:
        visitor = await asyncio.to_thread(service.visitor, secret)
    if visitor is not None:
        service.known.note(secret)
        return visitor
    # what was good may have ended
    is_guess = secret not in service.known and not await asyncio.to_thread(service.gave, secret)
    if is_guess and (wait := service.failures.wait(address)) > 0:
        sentence = "too many tokens from this address were refused; wait, then send one that holds"
        raise Problem(429, sentence, Retry_After=retry_after(wait))
    if is_guess:
        service.failures.note(address)
        log.warning("a token from %s was refused", address)
    sentence = "the token is unknown, has expired or was revoked; ask whoever keeps the ledger for another"
    raise Problem(401, sentence, WWW_Authenticate='Bearer error="invalid_token"')


def check_host(scope: Scope, options: ServeOptions) -> None:
    """Hold that the server is called by a name of its own: pages of strangers reach it by names that are none."""
    names = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    called = names[0].lower() if len(names) == 1 else ""
    name, _ = split_host(called)
    for each in options.hosts or LOOPBACK:
        if called and each.lower() == (called if split_host(each)[1] else name):
            return
    setting = "--hosts or LEPTON_SERVE_HOSTS names those by which it may be called"
    raise Problem(421, f"this server is not called {called[:100]!r}; {setting}")


def check_origin(scope: Scope, headers: Mapping[str, str], options: ServeOptions) -> None:
    """Hold that no page of a stranger asks, where nothing but the way here says who asks; and that what a page does is
    done on this very server's own, for others of this machine have its name with another port."""
    origin = headers.get("origin")
    if origin is not None and scope["method"] not in SAFE and origin != own_origin(scope, headers):
        raise Problem(403, "a page of another site asks for this; do it on the ledger's own page")
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") or (
        origin is not None and split_host(origin.partition("://")[2])[0] not in (options.hosts or LOOPBACK)
    ):
        raise Problem(403, "a page of another site asks; without a token the ledger answers its own pages alone")


def _check_neighbour(scope: Scope, headers: Mapping[str, str]) -> None:
    """Hold that a caller over loopback is this process's own user, where the system tells who it is."""
    if any(name in headers for name in _OF_PROXIES):
        raise Problem(403, "without tokens nobody is answered through a proxy; make tokens, and name it by --proxy")
    known = scope.get(CONNECTION, {})
    if "uid" not in known:  # it is the same for as long as the connection stands, and the system's tables are long
        known["uid"] = uid_of(scope.get("client"), scope.get("server"))
    uid = known["uid"]
    if uid is not None and uid not in (os.getuid(), 0):
        raise Problem(403, "without tokens this server serves its own user alone; `lepton token create` makes tokens")
