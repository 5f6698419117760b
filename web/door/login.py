"""Log-in at an issuer: the authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207).

Why no library does it: docs/decisions/0010-libraries-weighed.md.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import httpx

from ...domain.access.rights import Rights
from ...errors import Unavailable
from ..options import Issuer, LoginClient, is_confidential
from ..problems import Problem
from .oidc import Issued, is_made_out
from .seal import Seal
from .visitor import Visitor

log = logging.getLogger("lepton.serve")

SEALED: Final = "session-"
"""What a session begins with, so that it is no token of the issuer."""
BEGUN_SECONDS: Final = 600
"""In which somebody must have logged in at the issuer."""
LONGEST_COOKIE: Final = 3_800
"""Characters; browsers keep 4,096 bytes with name and attributes."""
_LOGIN, _SESSION = "login", "session"
_CODE: Final = re.compile(r"[a-z_]{1,40}")


class Begun(NamedTuple):
    """A log-in under way: where the browser is sent, and what it keeps meanwhile."""

    url: str
    kept: str


class Entered(NamedTuple):
    """A log-in that succeeded: the session for the browser to keep, and the page it came for."""

    session: str
    place: str


class IssuerLogin:
    """How people log in at an issuer. Nothing of it is kept here: a browser may come back to another server."""

    def __init__(self, issuer: Issuer, client: LoginClient, issued: Issued, seal: Seal) -> None:
        self._issuer = issuer
        self._client = client
        self._issued = issued
        self._seal = seal

    @property
    def name(self) -> str:
        """What people know the issuer by."""
        return urlsplit(self._issuer.url).netloc

    @property
    def session_seconds(self) -> int:
        """How long a session lasts."""
        return int(self._client.session)

    def begin(self, callback: str, place: str) -> Begun:
        """Begin a log-in that comes back to `callback`, then to `place`. Raises `Unavailable`."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": self._client.id, "redirect_uri": callback}
        asked |= {"scope": self._client.scopes, "state": state, "nonce": nonce}
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "place": place}
        url = _with(self._endpoint("authorization_endpoint"), asked)
        return Begun(url, self._seal.sealed(_LOGIN, BEGUN_SECONDS, kept))

    def end(self, callback: str, said: Mapping[str, str], kept: str | None) -> Entered:
        """End a log-in by what the issuer has the browser say. Raises `Problem` where it is refused, `Unavailable`
        where the issuer is away."""
        begun = self._begun(said, kept)
        if begun is None:
            raise Problem(403, "this log-in was not begun by this browser within the last 10 minutes; begin it again")
        if "iss" in said and said["iss"].rstrip("/") != self._issuer.url:
            raise Problem(403, f"another than {self.name} answered this log-in; begin it again")
        if "error" in said or not said.get("code"):
            raise self._refusal(said.get("error"))
        told = self._tokens(callback, said["code"], begun["verifier"])
        visitor = self._visitor(told, begun["nonce"])
        rights = {"scopes": sorted(visitor.rights.scopes), "models": visitor.rights.models}
        claims = {"iss": self._issuer.url, "sub": visitor.actor, **rights}
        session = SEALED + self._seal.sealed(_SESSION, self._client.session, claims)
        if len(session) > LONGEST_COOKIE:
            raise Problem(403, f"{self.name} names more models than a browser can keep; have it name patterns of them")
        return Entered(session, begun["place"])

    def ends(self, said: Mapping[str, str], kept: str | None) -> bool:
        """Whether what a browser says is of the log-in that it began: of no other it is to forget what it keeps."""
        return self._begun(said, kept) is not None

    def gave(self, session: str) -> bool:
        """Whether a session was given out here, though it may have ended."""
        return self._seal.made(_SESSION, session.removeprefix(SEALED))

    def visitor(self, session: str) -> Visitor | None:
        """Whose a session is; None where it is not good."""
        claims = self._seal.opened(_SESSION, session.removeprefix(SEALED))
        if claims is None or claims["iss"] != self._issuer.url:
            return None
        rights = Rights(frozenset(claims["scopes"]), tuple(claims["models"]))
        return Visitor(claims["sub"], rights, f"{self._issuer.url} {claims['sub']}")

    def farewell(self, place: str) -> str | None:
        """Where a browser ends its session at the issuer (OpenID Connect RP-Initiated Logout 1.0), to come back to
        `place`; None where the issuer has no such address, or is away."""
        try:
            if "end_session_endpoint" not in self._issued.document():
                return None
            asked = {"client_id": self._client.id, "post_logout_redirect_uri": place}
            return _with(self._endpoint("end_session_endpoint"), asked)
        except Unavailable as error:
            log.warning("a session ended here alone: %s", error)
            return None

    def _begun(self, said: Mapping[str, str], kept: str | None) -> Mapping[str, Any] | None:
        """What a browser keeps of the log-in that this is the end of; None where it began none, or another."""
        begun = self._seal.opened(_LOGIN, kept or "")
        same = begun is not None and hmac.compare_digest(said.get("state", "").encode(), begun["state"].encode())
        return begun if same else None

    def _visitor(self, told: Mapping[str, Any], nonce: str) -> Visitor:
        """Whom the tokens speak of: the id token says who logged in, an access token made out to us may say more."""
        claims = self._issued.claims(_text(told, "id_token"), self._client.id, nonce=nonce)
        if claims is None or not _is_for(self._client.id, claims):
            raise Problem(403, f"what {self.name} says of this log-in is not good; begin it again")
        more = self._more(_text(told, "access_token"))
        if more and more.get("sub") != claims.get("sub"):
            raise Problem(403, f"{self.name} speaks of two people in one log-in; begin it again")
        visitor = self._issued.visitor_of({**claims, **more})
        if visitor is None:
            sentence = f"{self.name} knows you and allows nothing here; ask whoever keeps it for a scope, lepton:read"
            raise Problem(403, sentence)
        return visitor

    def _more(self, access: str) -> Mapping[str, Any]:
        """What an access token says that is made out to us; nothing where it is not. Raises `Problem` where it does
        not hold: what it restricts would be lost."""
        if not is_made_out(access, self._issuer.audience):
            return {}
        more = self._issued.claims(access, self._issuer.audience)
        if more is None:
            raise Problem(
                403, f"what {self.name} says of your rights is not good; begin again, or ask whoever keeps it"
            )
        return more

    def _tokens(self, callback: str, code: str, verifier: str) -> Mapping[str, Any]:
        """Change a code for tokens."""
        address, client = self._endpoint("token_endpoint"), self._client
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
        known = self._issued.document().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if client.secret and "client_secret_basic" in known:
            auth = httpx.BasicAuth(quote(client.id, safe=""), quote(client.secret, safe=""))
        else:
            form |= {"client_id": client.id} | ({"client_secret": client.secret} if client.secret else {})
        try:
            with httpx.Client(auth=auth, timeout=10.0, follow_redirects=False) as http:
                answer = http.post(address, data=form, headers={"Accept": "application/json"})
            told: Any = answer.json() if answer.status_code < 500 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(f"{address} does not answer ({error}); try again") from error
        if not isinstance(told, dict):
            raise Unavailable(f"{address} answers with status {answer.status_code}; try again")
        if answer.status_code != 200:
            raise self._refusal(told.get("error"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return told  # pyright: ignore[reportUnknownVariableType]

    def _refusal(self, error: Any) -> Problem:
        """What is told where the issuer refuses; of its words the code alone, for others can put words there."""
        code = f" ({error})" if isinstance(error, str) and _CODE.fullmatch(error) else ""
        log.warning("a log-in at %s was refused%s", self._issuer.url, code)
        return Problem(403, f"{self.name} did not log you in{code}; begin again, or ask whoever keeps it")

    def _endpoint(self, name: str) -> str:
        """An address of the issuer's. Raises `Unavailable` where it tells none, or one that others could read."""
        address = self._issued.document().get(name)
        if not isinstance(address, str) or not is_confidential(address):
            raise Unavailable(f"{self._issuer.url} names no {name} by https; have it name one")
        return address


def _is_for(client: str, claims: Mapping[str, Any]) -> bool:
    """Whether an id token is for a client: made out to several, it says who asked (OpenID Connect Core, 3.1.3.7)."""
    audience = claims["aud"]
    alone = isinstance(audience, str) or len(audience) == 1
    return claims.get("azp", client if alone else None) == client


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _with(address: str, asked: Mapping[str, str]) -> str:
    return address + ("&" if "?" in address else "?") + urlencode(asked)
