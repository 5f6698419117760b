"""A small OpenID Connect issuer: a real HTTP server with its document, keys that change, and a page to log in."""

from __future__ import annotations

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "lepton"
CLIENT = "the-ledger"
SECRET = "what only/the ledger knows"


@dataclass(frozen=True)
class Grant:
    """What somebody agreed to: the client's address, what ties the code to who asked."""

    redirect: str
    challenge: str
    nonce: str


@dataclass
class SmallIssuer:
    """An issuer that is told what to sign."""

    url: str = ""
    keys: list[Any] = field(default_factory=list)
    asked: int = 0
    """How often its keys were fetched."""
    documents: int = 0
    """How often it was asked where they are."""
    is_away: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    """What else the id tokens of log-ins say; None leaves a claim out."""
    access: str | None = None
    """The access token of log-ins, where it is not of the audience."""
    signer: Any = None
    """The key that signs log-ins in place of the published one."""
    grants: dict[str, Grant] = field(default_factory=dict)
    """By code; each is taken once."""
    goodbyes: int = 0
    """How often somebody logged out here."""

    def rotate(self) -> None:
        """Sign with a fresh key from now on; those before are published no more."""
        self.keys = [ECKey.generate_key("P-256", {"kid": f"key-{time.monotonic_ns()}", "use": "sig"})]

    def token(self, *, key: Any = None, algorithm: str = "ES256", **claims: Any) -> str:
        """A token of ada's, good for a minute, with other claims where they are given; None leaves one out."""
        key = key or self.keys[-1]
        told = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60, "scope": "lepton:read"}
        told = {name: value for name, value in (told | claims).items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": key.kid}, told, key, algorithms=[algorithm])

    def document(self, path: str) -> Any:
        """What is published at a path."""
        if path == "/.well-known/openid-configuration":
            self.documents += 1
            places = {"authorization": "authorize", "token": "token", "end_session": "goodbye"}
            told = {f"{name}_endpoint": f"{self.url}/{place}" for name, place in places.items()}
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **told}
        self.asked += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def asked_in(self, asked: Mapping[str, str]) -> str:
        """The page on which somebody logs in."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        return f'<h1>Who are you?</h1><a href="/agreed?{escape(urlencode(asked))}">I am ada</a>'

    def agreed(self, asked: Mapping[str, str]) -> str:
        """Where somebody is sent who logged in."""
        code = token_urlsafe()
        self.grants[code] = Grant(asked["redirect_uri"], asked["code_challenge"], asked["nonce"])
        told = {"code": code, "state": asked["state"], "iss": self.url}
        return f"{asked['redirect_uri']}?{urlencode(told)}"

    def tokens(self, authorization: str, said: Mapping[str, str]) -> dict[str, Any] | None:
        """The tokens for a code; None where the client, its code or what ties them is wrong."""
        known = b64encode(f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}".encode()).decode()
        grant = self.grants.pop(said["code"], None)
        challenge = urlsafe_b64encode(sha256(said["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if authorization != f"Basic {known}" or grant != Grant(
            said["redirect_uri"], challenge, grant.nonce if grant else ""
        ):
            return None
        algorithm = "ES256" if self.signer is None else "RS256"
        claims = {"aud": CLIENT, "nonce": grant.nonce, "scope": None, **self.claims}
        identity = self.token(key=self.signer, algorithm=algorithm, **claims)
        return {"id_token": identity, "access_token": self.access or self.token(), "token_type": "Bearer"}


@contextmanager
def issuing() -> Iterator[SmallIssuer]:
    """An issuer that answers on loopback until the context ends."""
    issuer = SmallIssuer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            asked = dict(parse_qsl(place.query))
            if place.path == "/authorize":
                self.answer(200, issuer.asked_in(asked), "text/html")
            elif place.path == "/agreed":
                self.answer(302, "", "text/html", issuer.agreed(asked))
            elif place.path == "/goodbye":
                issuer.goodbyes += 1
                self.answer(302, "", "text/html", asked["post_logout_redirect_uri"])
            else:
                self.answer(200, json.dumps(issuer.document(self.path)))

        def do_POST(self) -> None:
            said = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            told = issuer.tokens(self.headers.get("Authorization", ""), said)
            self.answer(200 if told else 400, json.dumps(told or {"error": "invalid_grant"}))

        def answer(self, status: int, words: str, media: str = "application/json", location: str = "") -> None:
            content = words.encode()
            self.send_response(503 if issuer.is_away else status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(content)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        issuer.rotate()
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield issuer
        finally:
            server.shutdown()


def other_key() -> Any:
    """A key that no issuer publishes."""
    return RSAKey.generate_key(2048, {"kid": "stranger"})
