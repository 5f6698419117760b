"""Tokens of an OpenID Connect issuer: which are taken, what they allow, and what becomes of keys that change."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from lepton_ai.domain.access.rights import Rights
from lepton_ai.errors import Malformed, Unavailable
from lepton_ai.web.door import oidc
from lepton_ai.web.door.oidc import Issued
from lepton_ai.web.options import Issuer

from .issuer import AUDIENCE, SmallIssuer, issuing, other_key


@pytest.fixture
def issuer() -> Iterator[SmallIssuer]:
    """An issuer at work."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def issued(issuer: SmallIssuer) -> Issued:
    """What the server knows of it."""
    return Issued(Issuer(issuer.url, AUDIENCE))


def test_a_token_says_who_acts_and_what_they_may(issuer: SmallIssuer, issued: Issued) -> None:
    visitor = issued.visitor(issuer.token(scope="openid lepton:read lepton:move other:admin", lepton_models=["risk*"]))

    assert visitor is not None
    assert visitor.actor == "ada"
    assert visitor.rights == Rights(frozenset(("read", "move")), ("risk*",))


def test_the_claims_are_those_that_are_named(issuer: SmallIssuer) -> None:
    named = Issued(Issuer(issuer.url, AUDIENCE, actor="email", scopes="roles", models="teams"))

    visitor = named.visitor(issuer.token(email="ada@example.org", roles=["lepton:write"], teams="risk fraud"))

    assert visitor is not None
    assert (visitor.actor, visitor.rights.models) == ("ada@example.org", ("risk", "fraud"))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 32503680000},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"scope": ""},
        {"scope": "read write"},
        {"scope": None},
        {"lepton_models": []},
        {"lepton_models": ""},
    ],
    ids=lambda claims: "-".join(f"{name}={value}" for name, value in claims.items()),
)
def test_a_token_with_other_claims_is_refused(issuer: SmallIssuer, issued: Issued, claims: dict[str, object]) -> None:
    assert issued.visitor(issuer.token(**claims)) is None


def test_a_token_signed_by_nobody_or_by_a_stranger_is_refused(issuer: SmallIssuer, issued: Issued) -> None:
    good = issuer.token()
    head, body, signature = good.split(".")
    unsigned = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    secret = OctKey.import_key(b"x" * 32, {"kid": issuer.keys[0].kid})
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60, "scope": "lepton:admin"}
    by_secret = jwt.encode({"alg": "HS256", "kid": secret.kid}, claims, secret, algorithms=["HS256"])

    assert issued.visitor(good) is not None
    assert issued.visitor(f"{unsigned}.{body}.") is None
    assert issued.visitor(f"{head}.{body}.{signature[:-4]}AAAA") is None
    assert issued.visitor(issuer.token(key=other_key(), algorithm="RS256")) is None
    assert issued.visitor(by_secret) is None
    assert issued.visitor("a.b.c") is None


def test_keys_are_kept_and_fetched_anew_for_one_that_is_unknown(
    issuer: SmallIssuer, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        assert issued.visitor(issuer.token()) is not None
    assert issuer.asked == 1

    before = issuer.token()
    issuer.rotate()
    monkeypatch.setattr(oidc, "_PAUSE", 0.0)

    assert issued.visitor(issuer.token()) is not None
    assert issued.visitor(before) is None


def test_strangers_cannot_have_the_issuer_asked_again_and_again(
    issuer: SmallIssuer, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_PAUSE", 600.0)
    for _ in range(20):
        assert issued.visitor(issuer.token(key=other_key_of(issuer))) is None

    assert issuer.asked == 1


def test_an_issuer_that_is_away_is_told_as_that(issuer: SmallIssuer, issued: Issued) -> None:
    issuer.is_away = True

    with pytest.raises(Unavailable, match="cannot be had"):
        issued.visitor(issuer.token())


@pytest.mark.parametrize("url", ["http://issuer.example", "issuer.example", "https", "file:///etc"])
def test_an_issuer_is_an_https_address(url: str) -> None:
    with pytest.raises(Malformed):
        Issuer(url, AUDIENCE)


def other_key_of(issuer: SmallIssuer) -> object:
    """A key under the id of one that is published."""
    stranger = SmallIssuer()
    stranger.rotate()
    return type(issuer.keys[0]).import_key(stranger.keys[0].as_dict(private=True) | {"kid": "another"})
