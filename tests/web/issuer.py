"""A small OpenID Connect issuer: a real HTTP server with its discovery document and keys, which it can change."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "lepton"


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
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.asked += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


@contextmanager
def issuing() -> Iterator[SmallIssuer]:
    """An issuer that answers on loopback until the context ends."""
    issuer = SmallIssuer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(issuer.document(self.path)).encode()
            self.send_response(503 if issuer.is_away else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
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
