"""Tokens of an OpenID Connect issuer: JWTs (RFC 7519) by keys that it publishes, their claims as rights."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any, Final, cast

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ...domain.access.rights import SCOPES, Rights, Scope
from ...errors import Unavailable
from ...events.actor import names_an_actor
from ..options import Issuer
from .visitor import Visitor

log = logging.getLogger("lepton.serve")

ALGORITHMS: Final = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]
"""Signatures that are taken: those by a key pair, never by a shared secret or by none."""
LEEWAY: Final = 60
"""Seconds by which clocks may differ."""
_KEPT: Final = 3600.0
_PAUSE: Final = 10.0
"""Seconds before keys are asked for again because a token names one that is not known."""
_AWAY: Final = 2.0
"""Seconds before an issuer that is away is asked again, where no keys of it are known."""
_PREFIX: Final = "lepton:"


class Issued:
    """Whom an issuer's tokens belong to. Keys are fetched late, kept for an hour, and anew for one that is unknown."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._fetching = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._failure: Unavailable | None = None
        """Why the keys could not be had last, `_fetched` being when that was."""

    def visitor(self, token: str) -> Visitor | None:
        """Whom a token belongs to; None where it is not good. Raises `Unavailable` where the issuer is away."""
        claims = self._claims(token, fresh=False)
        claims = self._claims(token, fresh=True) if claims is None else claims
        return None if claims is None else self._visitor(claims)

    def _claims(self, token: str, *, fresh: bool) -> dict[str, Any] | None:
        issuer = self._issuer
        rules: Any = {
            "iss": {"essential": True, "value": issuer.url},
            "aud": {"essential": True, "value": issuer.audience},
            "exp": {"essential": True},
        }
        try:
            decoded = jwt.decode(token, self._known(fresh=fresh), algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(leeway=LEEWAY, **rules).validate(decoded.claims)
        except (JoseError, ValueError, TypeError) as error:
            log.info("a token of %s was refused: %s", issuer.url, error)
            return None
        return decoded.claims

    def _visitor(self, claims: dict[str, Any]) -> Visitor | None:
        issuer = self._issuer
        actor = claims.get(issuer.actor)
        words = {word.removeprefix(_PREFIX) for word in _words(claims.get(issuer.scopes)) if word.startswith(_PREFIX)}
        scopes: frozenset[Scope] = frozenset(scope for scope in SCOPES if scope in words)
        models = tuple(_words(claims[issuer.models])) if issuer.models in claims else ("*",)
        if not isinstance(actor, str) or not names_an_actor(actor) or not scopes or not models:
            return None
        return Visitor(actor, Rights(scopes, models), f"{issuer.url} {actor}")

    def _known(self, *, fresh: bool) -> KeySet:
        """The issuer's keys; fetched anew, if they are not just that. Nobody waits for an issuer that is slow or away
        where keys are known, and where none are, not each for himself."""
        if self._are_due(fresh=fresh) and self._fetching.acquire(blocking=self._keys is None):
            try:
                if self._are_due(fresh=fresh):  # still, for another may have fetched them
                    self._fetch_anew()
            finally:
                self._fetching.release()
        if self._keys is None:
            raise self._failure or Unavailable(f"the keys of {self._issuer.url} are being fetched; try again")
        return self._keys

    def _are_due(self, *, fresh: bool) -> bool:
        age = time.monotonic() - self._fetched
        if self._keys is None:
            return self._failure is None or age > _AWAY
        return age > _KEPT or (fresh and age > _PAUSE)

    def _fetch_anew(self) -> None:
        try:
            self._keys, self._failure = self._fetch(), None
        except Unavailable as error:
            self._failure = error
        finally:
            self._fetched = time.monotonic()

    def _fetch(self) -> KeySet:
        try:
            with httpx.Client(timeout=10.0, follow_redirects=False) as client:
                told: Any = client.get(f"{self._issuer.url}/.well-known/openid-configuration").raise_for_status().json()
                if told["issuer"].rstrip("/") != self._issuer.url:
                    raise ValueError(f"it calls itself {told['issuer']!r}")
                return KeySet.import_key_set(client.get(told["jwks_uri"]).raise_for_status().json())
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"the keys of {self._issuer.url} cannot be had ({error})"
            if self._keys is not None:  # better those known than nobody let in
                log.warning("%s; those known are used on", what)
                return self._keys
            raise Unavailable(f"{what}; see whether the issuer is there, then try again") from error


def _words(claim: Any) -> Iterable[str]:
    if isinstance(claim, str):
        return claim.split()
    return [each for each in cast("list[Any]", claim) if isinstance(each, str)] if isinstance(claim, list) else ()
