"""Tokens of an OpenID Connect issuer: JWTs (RFC 7519) by keys that it publishes, their claims as rights."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

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


class Published(NamedTuple):
    """What an issuer tells of itself: its keys, and its document (OpenID Connect Discovery 1.0)."""

    keys: KeySet
    document: Mapping[str, Any]


class Issued:
    """Whom an issuer's tokens belong to. Keys are fetched late, kept for an hour, and anew for one that is unknown."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._fetching = threading.Lock()
        self._published: Published | None = None
        self._fetched = 0.0
        self._failure: Unavailable | None = None
        """Why the keys could not be had last, `_fetched` being when that was."""

    def visitor(self, token: str) -> Visitor | None:
        """Whom a token belongs to; None where it is not good. Raises `Unavailable` where the issuer is away."""
        claims = self.claims(token, self._issuer.audience)
        return None if claims is None else self.visitor_of(claims)

    def claims(self, token: str, audience: str, **more: str) -> dict[str, Any] | None:
        """The claims of a token made out to an audience, with `more` claims as they must be; None where it is not
        good. Raises `Unavailable` where the issuer is away."""
        rules: Any = {name: {"essential": True, "value": value} for name, value in more.items()}
        rules |= {
            "iss": {"essential": True, "values": [self._issuer.url, f"{self._issuer.url}/"]},
            "aud": {"essential": True, "value": audience},
            "exp": {"essential": True},
        }
        claims = self._claims(token, rules, fresh=False)
        return self._claims(token, rules, fresh=True) if claims is None else claims

    def visitor_of(self, claims: Mapping[str, Any]) -> Visitor | None:
        """Whom claims speak of, and what they allow; None where they name nobody, or allow nothing here."""
        issuer = self._issuer
        actor = claims.get(issuer.actor)
        words = {word.removeprefix(_PREFIX) for word in _words(claims.get(issuer.scopes)) if word.startswith(_PREFIX)}
        scopes: frozenset[Scope] = frozenset(scope for scope in SCOPES if scope in words)
        models = tuple(_words(claims[issuer.models])) if issuer.models in claims else ("*",)
        if not isinstance(actor, str) or not names_an_actor(actor) or not scopes or not models:
            return None
        return Visitor(actor, Rights(scopes, models), f"{issuer.url} {actor}")

    def document(self) -> Mapping[str, Any]:
        """What the issuer tells of itself. Raises `Unavailable` where it is away."""
        return self._known(fresh=False).document

    def _claims(self, token: str, rules: Any, *, fresh: bool) -> dict[str, Any] | None:
        try:
            decoded = jwt.decode(token, self._known(fresh=fresh).keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(leeway=LEEWAY, **rules).validate(decoded.claims)
        except (JoseError, ValueError, TypeError) as error:
            log.info("a token of %s was refused: %s", self._issuer.url, error)
            return None
        return decoded.claims

    def _known(self, *, fresh: bool) -> Published:
        """What the issuer published; fetched anew, if it was not just that. Nobody waits for an issuer that is slow or
        away where keys are known, and where none are, not each for himself."""
        if self._are_due(fresh=fresh) and self._fetching.acquire(blocking=self._published is None):
            try:
                if self._are_due(fresh=fresh):  # still, for another may have fetched them
                    self._fetch_anew()
            finally:
                self._fetching.release()
        if self._published is None:
            raise self._failure or Unavailable(f"the keys of {self._issuer.url} are being fetched; try again")
        return self._published

    def _are_due(self, *, fresh: bool) -> bool:
        age = time.monotonic() - self._fetched
        if self._published is None:
            return self._failure is None or age > _AWAY
        return age > _KEPT or (fresh and age > _PAUSE)

    def _fetch_anew(self) -> None:
        try:
            self._published, self._failure = self._fetch(), None
        except Unavailable as error:
            self._failure = error
        finally:
            self._fetched = time.monotonic()

    def _fetch(self) -> Published:
        try:
            with httpx.Client(timeout=10.0, follow_redirects=False) as client:
                told: Any = client.get(f"{self._issuer.url}/.well-known/openid-configuration").raise_for_status().json()
                if told["issuer"].rstrip("/") != self._issuer.url:
                    raise ValueError(f"it calls itself {told['issuer']!r}")
                keys = client.get(told["jwks_uri"]).raise_for_status().json()
                return Published(KeySet.import_key_set(keys), told)
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"the keys of {self._issuer.url} cannot be had ({error})"
            if self._published is not None:  # better those known than nobody let in
                log.warning("%s; those known are used on", what)
                return self._published
            raise Unavailable(f"{what}; see whether the issuer is there, then try again") from error


def is_made_out(token: str, audience: str) -> bool:
    """Whether a token says of itself that it is a JWT made out to an audience; nothing of it is believed thereby."""
    try:
        claims: Any = json.loads(extract_compact(token.encode()).payload)
        said = claims["aud"]
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return False
    return audience in (said if isinstance(said, list) else [said])


def _words(claim: Any) -> Iterable[str]:
    if isinstance(claim, str):
        return claim.split()
    return [each for each in cast("list[Any]", claim) if isinstance(each, str)] if isinstance(claim, list) else ()
